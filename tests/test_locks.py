"""Locks: one process or thread at a time, and a killed one leaves neither its lock nor rubbish."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from ser_classic import store
from ser_classic.runtime.files import LOCK, locked

HOLD = """
import sys, time
from pathlib import Path
from ser_classic.runtime.files import locked
with locked(Path(sys.argv[1]), "knitting"):
    print("held", flush=True)
    time.sleep(3600)
"""


def test_one_waits_for_another_process_until_it_is_killed(tmp_path, caplog):
    command = [sys.executable, "-c", HOLD, str(tmp_path / LOCK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"

        def kill() -> None:
            while "knitting" not in caplog.text:
                time.sleep(0.01)
            process.kill()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        with locked(tmp_path / LOCK, "knitting"):
            assert process.wait() != 0
        killer.join()
    assert list(tmp_path.iterdir()) == []


def test_threads_exclude_one_another_too(tmp_path):
    inside, most = [], []

    def work() -> None:
        with locked(tmp_path / LOCK, "knitting"):
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


def left_behind(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"id": name}))


def test_what_the_killed_left_in_results_is_tidied_up_and_no_run_is_lost(tmp_path):
    home = tmp_path / "runs"
    (home / ".draft-1").mkdir(parents=True)
    (home / ".draft-1" / "run.json").write_text('{"id": "a"')  # killed while it was written
    left_behind(home / "b", "b")
    left_behind(home / ".draft-2", "b")  # killed after its successor was in place
    left_behind(home / ".draft-3", "c")  # killed just before
    (home / ".draft-4").mkdir()  # killed while it was removed
    (home / ".draft-4" / "predictions.csv.bz2").touch()
    for place in (tmp_path, *(tmp_path / name for name in ("clips", "figures", "folds"))):
        place.mkdir(exist_ok=True)
        (place / ".draft-1").touch()
    with store.writing_report(tmp_path):
        assert not list(tmp_path.glob(".draft-*")) + list(tmp_path.glob("figures/.draft-*"))
    with store.writing_runs(tmp_path):
        assert sorted(path.name for path in home.iterdir()) == [LOCK, "b", "c"]
        assert [path.name for path in tmp_path.rglob(".*")] == [LOCK]
