"""Worker processes: what a killed one was at is done again; killed twice in a row is one message."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from ser_classic.errors import SerClassicError
from ser_classic.runtime.workers import THREADS, Local


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
    assert sorted(Local(2).run(die_once, calls, "numbers")) == [(number, number) for number in range(5)]
    assert "killed" in caplog.text


def test_killed_again_and_again_is_one_message_and_the_others_are_answered():
    answered = []
    with pytest.raises(SerClassicError, match=r"of 5 numbers .*--jobs"):
        answered.extend(Local(2).run(die, [(number,) for number in range(5)], "numbers"))
    assert (2, 2) not in answered


def test_what_the_function_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        list(Local().run(divmod, [(1, 0)], "divisions"))


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info()}


def test_a_process_alone_computes_with_one_thread_and_has_its_own_back():
    with threadpool_limits(2):
        before = threads()
        answers = Local().run(threads, [(), ()], "looks")
        assert next(answers)[1] == {1}
        assert threads() == before
        assert next(answers)[1] == {1}


def test_the_command_line_has_one_thread_unless_the_environment_says_more():
    """Before NumPy is imported, which reads how many there are to be."""
    code = (
        "import os, sys\n"
        "from ser_classic import cli\n"
        "cli.app = lambda: print('numpy' in sys.modules, *(os.environ[name] for name in cli.THREADS))\n"
        "cli.main()"
    )
    own = {name: value for name, value in os.environ.items() if name not in THREADS}
    for environment, number in ((own, "1"), (own | dict.fromkeys(THREADS, "3"), "3")):
        told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert told.stdout.split() == ["False", *[number] * len(THREADS)], told.stderr


def blocked(number: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_workers_do_not_hear_ctrl_c_from_their_first_moment_and_their_leader_does():
    assert all(found for _, found in Local(2).run(blocked, [(number,) for number in range(4)], "looks"))
    assert not blocked(0)


def test_who_has_blocked_ctrl_c_has_it_blocked_after_the_work(python):
    code = (
        "import os, signal\n"
        "from ser_classic.runtime.workers import Local\n"
        "def mask(): return signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])\n"
        "before = mask()\n"
        "assert sorted(Local(2).run(abs, [(-1,), (-2,)], 'numbers')) == [(0, 1), (1, 2)]\n"
        "assert mask() == before, mask()"
    )
    python(code).said()


STARTS = """
import sys, threading
from ser_classic.runtime.workers import Local
if len(sys.argv) > 1:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print(sorted(Local(2).run(abs, [(-1,), (-2,)], "numbers")), "joblib" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, nothing lists the threads of libraries")
@pytest.mark.parametrize("threaded", [False, True])
def test_a_process_of_one_thread_is_copied_and_any_other_starts_new_ones(python, threaded):
    told = python(STARTS, *["x"] * threaded, **dict.fromkeys(THREADS, "1")).said()
    assert told.split("\n")[0] == f"[(0, 1), (1, 2)] {threaded}"
