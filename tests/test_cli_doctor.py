"""`doctor`, `cache` and `list` on the command line."""

from __future__ import annotations

import json
import sys

import pytest

from ser_classic.cli import app, main
from ser_classic.cli.cache import KEPT
from ser_classic.experiment.suites import suites
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS, families
from ser_classic.runtime.engines import Local
from ser_classic.tracks import TRACKS


@pytest.fixture
def command(monkeypatch, capsys):
    """Exit code and what is printed, of a command in this process."""

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["ser-classic", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, capsys.readouterr().out

    return run


def test_the_doctor_tells_facts(command, tmp_path, monkeypatch):
    code, told = command("doctor", "--cache", tmp_path / "new" / "cache", "--data", tmp_path, "--json")
    found = json.loads(told)
    assert code == 0
    assert found["faults"] == []
    assert found["writable"]["cache"]
    assert not (tmp_path / "new").exists()
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"deep", "mic", "onnx", "opensmile", "app", "cluster"} <= set(found["extras"])
    assert found["extras"]["dev"]["pytest"] == pytest.__version__
    assert "synthetic" in found["data"]["corpora"]
    assert found["cache"]["bytes"] == 0
    monkeypatch.setenv("COLUMNS", "80")
    code, told = command("doctor", "--cache", tmp_path, "--data", tmp_path)
    assert code == 0
    assert [line for line in told.splitlines() if len(line) > 80 and str(tmp_path) not in line] == []
    assert {"versions", "corpora", "cache", "ffmpeg", "microphone"} <= {
        line.split()[0] for line in told.splitlines()
    }


def test_the_doctor_finds_a_cache_that_cannot_be_written(command, tmp_path):
    (tmp_path / "file").touch()
    code, told = command("doctor", "--cache", tmp_path / "file", "--json")
    assert code == 1
    assert str(tmp_path / "file") in json.loads(told)["faults"][0]


def test_the_cache_is_measured_and_emptied_of_what_is_ours(command, tiny, tmp_path):
    clips = tiny.clips.iloc[:2]
    first = extract(clips, tiny.root, FEATURES["mfcc13"], tmp_path, Local(1))
    assert {path.name for path in tmp_path.iterdir()} == {"features"}
    (tmp_path / "corpora" / "voices-1").mkdir(parents=True)
    (tmp_path / "corpora" / "voices-1" / "a.wav").write_bytes(bytes(100))
    (tmp_path / "notes.txt").write_text("mine")
    code, told = command("cache", "--cache", tmp_path, "--json")
    before = json.loads(told)
    assert code == 0
    assert before["folder"] == str(tmp_path)
    assert before["bytes"]["corpora"] == 100
    assert before["bytes"]["features"] > 0
    code, told = command("cache", "--cache", tmp_path, "--clear", "--json")
    assert code == 0
    assert set(json.loads(told)["bytes"].values()) == {0}
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert [path for name in KEPT for path in (tmp_path / name).glob("*")] == []
    again = extract(clips, tiny.root, FEATURES["mfcc13"], tmp_path, Local(1))
    assert (again.values == first.values).all()


def test_a_cache_that_is_not_there_is_empty(command, tmp_path):
    code, told = command("cache", "--cache", tmp_path / "absent", "--clear", "--json")
    assert (code, set(json.loads(told)["bytes"].values())) == (0, {0})
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    ("kind", "names", "shown"),
    [
        ("models", list(MODELS), list(MODELS)),
        ("suites", suites(), suites()),
        ("protocols", list(PROTOCOLS), [*(n for n, p in PROTOCOLS.items() if not p.family), *families()]),
        ("tracks", list(TRACKS), list(TRACKS)),
    ],
)
def test_names_are_listed(command, monkeypatch, kind, names, shown):
    code, told = command("list", kind, "--json")
    assert (code, [entry["name"] for entry in json.loads(told)]) == (0, names)
    monkeypatch.setenv("COLUMNS", "60")
    code, told = command("list", kind)
    lines = told.splitlines()
    assert [name for name in shown if not any(line.split()[:1] == [name] for line in lines)] == []
    assert max(map(len, lines)) <= 60


def test_without_a_kind_all_names_are_listed(command, monkeypatch):
    code, told = command("list", "--json")
    assert code == 0
    assert {"suites", "corpora", "features", "models", "protocols", "tracks"} <= set(json.loads(told))
    assert json.loads(told)["features"] == list(FEATURES)
    monkeypatch.setenv("COLUMNS", "60")
    code, told = command("list")
    assert code == 0
    assert {"quick", "svm_rbf", "loso", "mfcc13", "synthetic"} <= set(told.replace(",", " ").split())
    assert max(map(len, told.splitlines())) <= 60


@pytest.mark.parametrize("kind", ["corpora", "features"])
def test_what_has_a_list_of_its_own_is_listed_alike(command, kind):
    assert command("list", kind, "--json") == command(kind, "list", "--json")


def test_what_cannot_be_listed_is_wrong_usage():
    with pytest.raises(SystemExit) as stop:
        app(["list", "nothing"])
    assert stop.value.code == 2
