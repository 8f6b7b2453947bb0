"""Claims: one process works at a thing at a time, and a killed one leaves neither claims nor rubbish."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ser_classic import store
from ser_classic.runtime import claims
from ser_classic.runtime.claims import Claims, alone, by_whom

HOLD = """
import sys, time
from pathlib import Path
from ser_classic.runtime import claims
if sys.argv[1] == "claims":
    held = claims.Claims(Path(sys.argv[2]) / claims.FILE)
    held.enter(lambda: None)
    assert held.take("a") and held.take("b")
else:
    held = claims.alone(Path(sys.argv[2]), "knitting")
    held.__enter__()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Start another process that holds `a` and `b`, or is alone, until it is killed."""
    started: list[subprocess.Popen] = []

    def start(what: str) -> subprocess.Popen:
        command = [sys.executable, "-c", HOLD, what, str(tmp_path)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_what_another_process_has_cannot_be_taken_until_it_is_killed(tmp_path, other):
    process = other("claims")
    with Claims(tmp_path / claims.FILE) as mine:
        assert not mine.take("a")
        assert mine.take("c")
        assert mine.take("c")
        if sys.platform.startswith("linux"):
            assert mine.holders(["a", "b", "c", "d"]) == [process.pid]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert mine.take("a")
        assert mine.holders(["a", "b"]) == []


def test_who_comes_alone_tidies_up_and_who_does_not_leaves_the_others_in_peace(tmp_path, other):
    tidied: list[int] = []
    process = other("claims")
    with Claims(tmp_path / claims.FILE) as mine:
        mine.enter(lambda: tidied.append(1))
    assert not tidied
    process.kill()
    process.wait()
    with Claims(tmp_path / claims.FILE) as mine:
        mine.enter(lambda: tidied.append(1))
    assert tidied


def test_to_be_alone_one_waits_and_says_for_whom(tmp_path, other, caplog):
    process = other("alone")
    threading.Timer(0.5, process.kill).start()
    with alone(tmp_path, "knitting"):
        assert (tmp_path / claims.FILE).read_text() == str(os.getpid())
    assert list(tmp_path.iterdir()) == []
    assert f"waiting for another process (pid {process.pid}), knitting" in caplog.text


def test_threads_exclude_one_another_too(tmp_path):
    inside, most = [], []

    def work() -> None:
        with alone(tmp_path, "knitting"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)  # time for another to come in
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


@pytest.mark.parametrize(("processes", "words"), [([], ""), ([3], " (pid 3)"), ([3, 4], " (pids 3 and 4)")])
def test_by_whom(processes, words):
    assert by_whom(processes) == words


def left_behind(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"id": name}))


def test_what_the_killed_left_in_results_is_tidied_up_and_no_run_is_lost(tmp_path):
    home = tmp_path / "runs"
    left_behind(home / ".draft-1", "a")
    left_behind(home / "b", "b")
    left_behind(home / ".old-1", "b")  # killed after its successor was in place
    left_behind(home / ".old-2", "c")  # killed just before
    (home / ".old-3").mkdir()  # killed while it was removed
    (home / ".old-3" / "predictions.csv.bz2").touch()
    for place in (tmp_path, *(tmp_path / name for name in ("clips", "figures", "folds"))):
        place.mkdir(exist_ok=True)
        (place / ".draft-1").touch()
    with store.at_work(tmp_path):
        assert sorted(path.name for path in home.iterdir()) == [claims.FILE, "b", "c"]
        assert [path.name for path in tmp_path.rglob(".*")] == [claims.FILE]


def test_a_results_folder_that_is_a_file_is_one_message(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(store.StoreError, match="--results"), store.at_work(tmp_path / "results"):
        pass
