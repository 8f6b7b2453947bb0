"""Worker processes: what a killed one was at is done again; killed twice in a row is one message."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ser_classic import workers
from ser_classic.workers import WorkerError


def die_once(folder: Path, number: int) -> int:
    """Two dies when it is called for the first time."""
    if number == 2 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_every_call_is_answered_once_although_a_worker_is_killed(tmp_path, caplog):
    calls = [(tmp_path, number) for number in range(5)]
    assert sorted(workers.run(die_once, calls, 2, "numbers")) == [0, 1, 2, 3, 4]
    assert "a worker process was killed by the system; its numbers are done again" in caplog.text


def test_killed_again_and_again_is_one_message_and_the_others_are_answered():
    answered = []
    with pytest.raises(WorkerError, match=r"of 5 numbers were done.* fewer --jobs"):
        answered.extend(workers.run(die, [(number,) for number in range(5)], 2, "numbers"))
    assert 2 not in answered


def test_what_the_function_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        list(workers.run(divmod, [(1, 0)], 1, "divisions"))
