"""Worker processes of this machine: they end with the one that started them, and are replaced if killed."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from ser_classic.errors import SerClassicError
from ser_classic.runtime.files import end

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read by the numeric libraries
INTERVAL = 0.5  # [s] between two looks whether the process that started this one is still there


Task = tuple[int, Callable[..., Any], tuple[Any, ...]]
Answers = Iterator[tuple[int, Any]]


@dataclass(frozen=True)
class Local:
    """The engine of this machine: processes, or with one job or one call this process alone.

    Where the system kills a process (for lack of memory, most often), all processes are started anew and
    what they were at is done again; a second time in a row, that is an error.
    """

    jobs: int = 1

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], what: str
    ) -> Iterator[tuple[int, Result]]:
        """See `engines.Engine.run`."""
        left = {number: (number, function, call) for number, call in enumerate(calls)}
        if (jobs := min(self.jobs, len(calls))) <= 1:
            return (_answered(*task) for task in left.values())
        # Only a process with one thread can be forked safely; Linux lists them, those of libraries included.
        alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 (names alone)
        start = _forked if alone else _spawned
        # Now, not at the first result: a progress bar starts a thread, after which nothing can be forked.
        started = start(jobs, list(left.values()))

        def answers() -> Iterator[tuple[int, Result]]:
            nonlocal started
            from concurrent.futures.process import BrokenProcessPool

            idle = 0
            while left:
                try:
                    for number, result in started:
                        del left[number]
                        idle = 0
                        yield number, result
                except BrokenProcessPool as error:
                    idle += 1
                    if idle > 1:
                        raise SerClassicError(
                            "worker processes were killed by the system twice in a row, most likely because "
                            f"memory ran out; {len(calls) - len(left)} of {len(calls)} {what} were done. "
                            "What was stored is kept; repeat the command with fewer --jobs, which needs "
                            "less memory"
                        ) from error
                    logger.warning(f"a worker process was killed by the system; its {what} are done again")
                    started = start(jobs, list(left.values()))

        return answers()


def _forked(jobs: int, tasks: Sequence[Task]) -> Answers:
    """Start copies of this process: at once, as they have imported everything and have the tasks."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(jobs, get_context("fork"), _take, (os.getpid(), tasks))
    with _ignoring_interrupts():
        futures = [pool.submit(_nth, place) for place in range(len(tasks))]

    def results() -> Answers:
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    return results()


def _spawned(jobs: int, tasks: Sequence[Task]) -> Answers:
    """Start new processes, which stay for the next call."""
    from joblib import Parallel, delayed, parallel_config

    # Joblib's advice where a run ends early: for an error, which says more, or as no more results are wanted
    warnings.filterwarnings("ignore", ".*tasks which were still being processed", module="joblib")
    with parallel_config(
        backend="loky", inner_max_num_threads=1, initializer=follow, initargs=(os.getpid(),)
    ):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
        # These two processes listen to Ctrl-C again once they have started. They are not public, so a library
        # may lack one; then only the end after Ctrl-C is less tidy.
        trackers = ("multiprocessing.resource_tracker", "joblib.externals.loky.backend.resource_tracker")
        with _ignoring_interrupts(*trackers):
            return parallel([delayed(_answered)(*task) for task in tasks])


_tasks: Sequence[Task] = ()  # of a copy


def _take(leader: int, tasks: Sequence[Task]) -> None:
    global _tasks
    _tasks = tasks
    follow(leader)


def _nth(place: int) -> tuple[int, Any]:
    return _answered(*_tasks[place])


def _answered(number: int, function: Callable[..., Result], call: tuple[Any, ...]) -> tuple[int, Result]:
    with threadpool_limits(1):
        return number, function(*call)


@contextlib.contextmanager
def _ignoring_interrupts(*started: str) -> Iterator[None]:
    """Let processes that are started in the block, and first the helpers of some modules, ignore Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        for name in started:
            with contextlib.suppress(ImportError, AttributeError):
                importlib.import_module(name).ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)


def follow(leader: int) -> None:
    """End this worker process when the process that started it, the leader, has ended or was killed.

    Ctrl-C, which a terminal sends to all processes, is left to the leader; it ends workers by SIGTERM.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def watch() -> None:
        while os.getppid() == leader:
            time.sleep(INTERVAL)
        end(1)

    threading.Thread(target=watch, daemon=True, name="follow").start()
