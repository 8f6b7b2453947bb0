"""`doctor`, `cache` and `list` on the command line."""

import json
import sys
from importlib import metadata

import pytest

from ser_classic.cli.installation import KEPT
from ser_classic.corpora import CORPORA
from ser_classic.experiment.suites import SUITES
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.features.inputs import VECTORS
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS, families
from ser_classic.runtime.engines import Local
from ser_classic.tracks import TRACKS


def test_the_doctor_tells_facts(ser, tmp_path, monkeypatch):
    def without_onnx(library):
        if library == "onnx":
            raise metadata.PackageNotFoundError
        return installed(library)

    installed = metadata.version
    monkeypatch.setattr(metadata, "version", without_onnx)
    found = json.loads(ser("doctor", "--cache", "new/cache", "--data", tmp_path, "--json").said())
    assert found["faults"] == []
    assert not (tmp_path / "new").exists()
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"deep", "mic", "onnx", "opensmile", "app", "cluster"} <= set(found["extras"])
    assert found["extras"]["dev"]["pytest"] == pytest.__version__
    assert "synthetic" in found["data"]["corpora"]
    assert found["cache"]["bytes"] == 0
    lines = ser("doctor", "--cache", tmp_path, "--data", tmp_path).said().splitlines()
    assert [line for line in lines if len(line) > 80 and str(tmp_path) not in line] == []
    assert {"versions", "data", "cache", "ffmpeg", "microphone"} <= {
        line.split()[0] for line in lines if line
    }
    assert found["extras"]["onnx"]["onnx"] is None
    words = " ".join(" ".join(lines).split())
    assert "0 bytes" in words
    assert "pip install 'ser-classic[onnx]'" in words


def test_the_doctor_finds_a_cache_that_cannot_be_written(ser, tmp_path):
    (tmp_path / "file").touch()
    told = ser("doctor", "--cache", tmp_path / "file", "--json").said(code=1)
    assert str(tmp_path / "file") in json.loads(told)["faults"][0]


def test_the_cache_is_measured_and_emptied_of_what_is_ours_and_one_not_there_is_empty(ser, tiny, tmp_path):
    clips = tiny.clips.iloc[:2]
    first = extract(clips, tiny.root, FEATURES["mfcc13"], tmp_path, Local(1))
    assert {path.name for path in tmp_path.iterdir()} == {"features"}
    (tmp_path / "corpora" / "voices-1").mkdir(parents=True)
    (tmp_path / "corpora" / "voices-1" / "a.wav").write_bytes(bytes(100))
    (tmp_path / "notes.txt").write_text("mine")
    before = json.loads(ser("cache", "--cache", tmp_path, "--json").said())
    assert before["folder"] == str(tmp_path)
    assert before["bytes"]["corpora"] == 100
    assert before["bytes"]["features"] > 0
    told = ser("cache", "--cache", tmp_path, "--clear", "--json").said()
    assert set(json.loads(told)["bytes"].values()) == {0}
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert [path for name in KEPT for path in (tmp_path / name).glob("*")] == []
    again = extract(clips, tiny.root, FEATURES["mfcc13"], tmp_path, Local(1))
    assert (again.values == first.values).all()
    told = ser("cache", "--cache", "absent", "--clear", "--json").said()
    assert set(json.loads(told)["bytes"].values()) == {0}
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    ("kind", "names", "shown"),
    [
        ("models", list(MODELS), list(MODELS)),
        ("suites", list(SUITES), list(SUITES)),
        ("protocols", list(PROTOCOLS), [*(n for n, p in PROTOCOLS.items() if not p.family), *families()]),
        ("tracks", list(TRACKS), list(TRACKS)),
        ("features", list(FEATURES), list(FEATURES)),
        ("corpora", list(CORPORA), []),  # its columns need more room
    ],
)
def test_names_are_listed(ser, monkeypatch, kind, names, shown):
    assert [entry["name"] for entry in json.loads(ser("list", kind, "--json").said())] == names
    monkeypatch.setenv("COLUMNS", "60")
    lines = ser("list", kind).said().splitlines()
    assert [name for name in shown if not any(line.split()[:1] == [name] for line in lines)] == []
    assert max(map(len, lines)) <= 60


def test_json_says_what_a_model_takes_and_whether_a_protocol_keeps_speakers_apart(ser):
    def by_name(kind):
        return {entry["name"]: entry for entry in json.loads(ser("list", kind, "--json").said())}

    assert by_name("models")["lda"]["takes"] == VECTORS.name
    protocols = by_name("protocols")
    assert [protocols[name]["independent"] for name in ("loso", "random5")] == [True, False]
    assert protocols["emobox_degraded_opus"]["family"] == "emobox_degraded"


def test_without_a_kind_all_names_are_listed(ser, monkeypatch):
    found = json.loads(ser("list", "--json").said())
    assert {"suites", "corpora", "features", "models", "protocols", "tracks"} <= set(found)
    assert found["features"] == list(FEATURES)
    monkeypatch.setenv("COLUMNS", "60")
    told = ser("list").said()
    assert {"quick", "svm_rbf", "loso", "mfcc13", "synthetic"} <= set(told.replace(",", " ").split())
    assert max(map(len, told.splitlines())) <= 60


def test_what_cannot_be_listed_is_wrong_usage(ser):
    ser("list", "nothing").refused("'nothing'", code=2)
