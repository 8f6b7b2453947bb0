"""What goes wrong around the program: each is one message and an exit code, and finished work is kept."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import Level

from ser_classic import __main__, cli, store
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.features import FeatureSet
from ser_classic.features.extraction import BATCH, extract
from ser_classic.predictor.describing import WORTH_PROCESSES, Describer
from ser_classic.runtime.engines import Local

SUITE = """
[[grid]]
corpora = ["synthetic"]
protocols = ["loso", "loso_adapted", "random5"]
features = ["mfcc13"]
models = ["prior", "ridge", "ridge_linear", "svm_linear"]
"""


@pytest.fixture
def words(tmp_path: Path, own_folder: Path) -> list[str]:
    """`bench` of a small suite on one's own recordings."""
    (tmp_path / "s.toml").write_text(SUITE)
    return ["bench", str(tmp_path / "s.toml"), "--own", str(own_folder), "--speaker", r"/(s\d\d)_"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 kB; skips where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", str(place)]
    if not sys.platform.startswith("linux") or subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("no small disk: mounting one takes the rights of root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # something may be open until collected


def test_a_full_disk_under_the_results(words, ser, disk, tiny, cache):
    ser(*words, "--results", disk, "--jobs", 1).refused("No space left on device")
    kept = [run.id for run in store.runs(disk)]
    assert kept
    for stored in store.runs(disk):
        stored.predictions()
    subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
    cells = [Cell(*name.split("--")[:4]) for name in kept] + [Cell("tiny", "loso", "mfcc13", "svc_auto")]
    again = bench(cells, disk, cache=cache, own={"tiny": tiny})
    assert (again.kept, len(again.done)) == (kept, 1)
    assert not list((disk / "runs").glob(".draft-*"))


def test_a_full_disk_under_the_cache(words, ser, disk):
    (disk / "other").write_bytes(bytes(45_000))
    ser(*words, "--cache", disk / "cache", "--jobs", 1).refused(str(disk))


@pytest.mark.parametrize(
    ("kind", "traced"),
    [(errno.ENOSPC, False), (errno.EROFS, False), (errno.ENAMETOOLONG, False), (errno.EPIPE, True)],
)
def test_a_disk_that_fails_anywhere_else(monkeypatch, capsys, kind, traced):
    def fail() -> None:
        raise OSError(kind, os.strerror(kind), "somewhere")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(OSError if traced else SystemExit):
        cli.main()
    told = capsys.readouterr().err.splitlines()
    assert len(told) == (not traced)
    assert all(line.startswith(f"ser-classic: somewhere: {os.strerror(kind)}") for line in told)


@pytest.mark.parametrize(("times", "code"), [(1, 0), (2, 130)])
def test_a_second_ctrl_c_while_python_tidies_up_ends_it_and_neither_says_a_word(python, times, code):
    program = (
        "import os, signal, threading, time\n"
        "from ser_classic import cli\n"
        "from ser_classic.cli import interrupts\n"
        "def tidy():\n"
        f"    for _ in range({times}): os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(2 * interrupts.GRACE)\n"
        "interrupts.stop_soon()\n"
        "cli.app = lambda: print('answer')\n"
        "threading._register_atexit(tidy)\n"
        "cli.main()"
    )
    assert python(program) == (code, "answer\n", "")


def test_ctrl_c_while_the_command_is_imported(tmp_path):
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(
        [sys.executable, "-m", "ser_classic", "--version"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 130
    assert done.stderr.splitlines() == ["ser-classic: interrupted"]


def test_ctrl_c_while_the_commands_are_put_together(monkeypatch, capsys):
    def put_together() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", put_together)
    with pytest.raises(SystemExit) as stop:
        __main__.main()
    assert stop.value.code == 130
    assert capsys.readouterr().err.splitlines() == ["ser-classic: interrupted"]


def test_a_process_that_ends_at_once_leaves_no_temporary_folder(python):
    program = (
        "from ser_classic.runtime import files\n"
        "folder = files.temporary()\n"
        "print(folder.name, flush=True)\n"
        "files.end(3)"
    )
    code, told, _ = python(program)
    assert code == 3
    assert Path(told.strip()).name.startswith("ser-classic-")
    assert not Path(told.strip()).exists()


def test_a_process_ends_at_once_although_every_disk_is_full(python):
    program = (
        "import tempfile\n"
        "from ser_classic.runtime import files\n"
        "def full(): raise FileNotFoundError('no usable temporary directory')\n"
        "tempfile.gettempdir = full\n"
        "files.end(3)"
    )
    assert python(program) == (3, "", "")


def test_a_file_that_may_not_grow(words, mfcc13, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ser_classic", *words, "--results", tmp_path / "results", "--jobs", "1"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # it would be cut, and break every later import
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)),
    )
    assert done.returncode == 1
    assert "ser-classic: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(store.runs(tmp_path / "results")) == []


def test_a_results_folder_that_may_only_be_read(words, ser, tiny, cache, tmp_path):
    results = tmp_path / "results"
    cell = Cell("tiny", "loso", "mfcc13", "prior")
    bench([cell], results, cache=cache, own={"tiny": tiny})
    mounting = [
        ["mount", "--bind", str(results), str(results)],
        ["mount", "-o", "remount,bind,ro", str(results)],
    ]
    root = os.geteuid() == 0
    if root and any(subprocess.run(each, capture_output=True).returncode for each in mounting):
        pytest.skip("root may write everywhere, and nothing can be mounted here")
    if not root:
        (results / "runs").chmod(0o555)
    try:
        ser(*words, "--results", results, "--jobs", 1).refused("--results")
        assert bench([cell], results, cache=cache, own={"tiny": tiny}).kept == [cell.id]
    finally:
        if root:
            subprocess.run(["umount", "--lazy", str(results)], check=True)
        else:
            (results / "runs").chmod(0o755)


def calls(folder: Path) -> int:
    return (folder / "calls").stat().st_size


def test_a_corpus_that_vanishes_in_the_middle(tiny, tmp_path):
    clips, root = tiny.clips, tmp_path / "corpus"
    shutil.copytree(tiny.root, root)
    levels = FeatureSet("levels", None, Level(str(tmp_path), BATCH + 3, "vanish"))
    with pytest.raises(SerClassicError, match=r"corpus: "):
        extract(clips, root, levels, tmp_path / "cache")
    (tmp_path / "elsewhere").rename(root)
    before = calls(tmp_path)
    whole = extract(clips, root, levels, tmp_path / "cache")
    assert len(whole.values) == len(clips)
    assert calls(tmp_path) - before <= len(clips) - BATCH


def test_a_worker_that_the_system_kills(tiny, tmp_path, caplog):
    dying = FeatureSet("levels", None, Level(str(tmp_path), 5, "die"))
    other = replace(dying, extractor=Level(str(tmp_path)))
    killed = extract(tiny.clips, tiny.root, dying, tmp_path / "cache", Local(2))
    np.testing.assert_array_equal(
        killed.values, extract(tiny.clips, tiny.root, other, tmp_path / "cache").values
    )
    assert "killed" in caplog.text


def test_a_worker_that_the_system_kills_while_recordings_are_described(tiny, tmp_path, caplog):
    files = [str(tiny.root / file) for file in tiny.clips["file"]]
    many = {str(number): files[number % len(files)] for number in range(WORTH_PROCESSES)}

    dying, other = (
        FeatureSet("levels", None, level) for level in (Level(str(tmp_path), 5, "die"), Level(str(tmp_path)))
    )
    killed, alone = Describer(dying).describe(many, jobs=2), Describer(other).describe(many)
    assert [item.name for item in killed] == list(many)
    np.testing.assert_array_equal([item.vector for item in killed], [item.vector for item in alone])
    assert "killed" in caplog.text


def test_an_extractor_of_a_plug_in_that_fails_is_told_with_its_clip(tiny, tmp_path):
    failing = FeatureSet("levels", None, Level(str(tmp_path), 5, "fail"))
    with pytest.raises(SerClassicError) as told:
        extract(tiny.clips, tiny.root, failing, tmp_path / "cache")
    assert "levels: 1 of 48 clips" in str(told.value)
    assert f"{tiny.root / tiny.clips['file'].iloc[4]}: IndexError: planted" in str(told.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_the_workers_before_all_is_done_and_nobody_stays(
    words, start, stuck, tmp_path, number
):
    """The leader alone hears of it, as in `test_workers`; one process is stopped in `test_cli_bench`."""
    (tmp_path / "s.toml").write_text(SUITE.replace('"svm_linear"', '"svm_linear", "stuck"'))
    process = start("-m", "ser_classic", *words, "--jobs", "2", PYTHONPATH=str(stuck))
    process.until("results/runs/tiny*")
    process.until("plug_in/begun")
    process.send_signal(number)
    told = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert len(told.splitlines()) == 1
    assert 1 <= len(list(store.runs(tmp_path / "results"))) < 15
    members = ["ps", "-s", str(process.pid), "-o", "pid="]
    for _ in range(3000):
        if not subprocess.run(members, capture_output=True).stdout:
            break
        time.sleep(0.1)
    else:
        pytest.fail("somebody stayed")


def test_problems_are_told_although_the_report_cannot_be_written(words, ser, tmp_path):
    (tmp_path / "s.toml").write_text(SUITE.replace('"loso"', '"emobox"'))
    results = tmp_path / "results"
    (results / "leaderboard.csv").mkdir(parents=True)
    done = ser(*words, "--model", "prior", "--protocol", "emobox", "--jobs", 1)
    assert done.returncode == 1
    assert "tiny--emobox--mfcc13--prior--0: " in done.stderr
    assert "leaderboard.csv: " in done.stderr


def test_a_report_of_nothing_is_a_mistake(ser, tmp_path):
    (tmp_path / "empty" / "runs").mkdir(parents=True)
    for name in ("resluts", "empty"):
        ser("report", "--results", tmp_path / name).refused(f"{name}: ", "--results")
    assert not (tmp_path / "resluts").exists()
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["runs"]
