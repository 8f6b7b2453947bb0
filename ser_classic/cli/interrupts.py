"""Ctrl-C and SIGTERM: long work stops within two seconds, whatever it is at, and says how to go on."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

from ser_classic.cli.printing import tell
from ser_classic.runtime.files import end

INTERRUPTED = 130  # Typer's exit code for Ctrl-C, the shells' 128 + SIGINT
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and what `kill`, `timeout` and a cluster's queue send
GRACE = 0.5  # [s] to stop in an orderly way; what is finished is safe in any case

_told = threading.Lock()


def tell_once() -> None:
    """Say once that the work was interrupted, and how it goes on."""
    if _told.acquire(blocking=False):
        tell("interrupted; what was finished is kept, the same command continues from there")


def first_interrupt() -> threading.Event:
    """An event that the first Ctrl-C or SIGTERM sets instead of interrupting; a second one interrupts.

    For work that waits to be ended: inside a library an interruption may be lost, or leave files.
    """
    came = threading.Event()

    def heard(number: int, frame: object) -> None:
        came.set()
        signal.signal(number, signal.default_int_handler)

    for number in SIGNALS:
        signal.signal(number, heard)
    return came


def interrupt_on_sigterm() -> None:
    """From now on SIGTERM interrupts as Ctrl-C does; else a process that it ends leaves files of workers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def end_on_second_interrupt() -> None:
    """All is done but what Python itself tidies up: a second Ctrl-C from now on ends this process at once.

    The first would leave workers and files of theirs behind, of which their tracker tells.
    """
    with contextlib.suppress(AttributeError, OSError, ValueError):  # a closed one, or a pipe that ended
        sys.stdout.flush()
    signal.set_wakeup_fd(-1)

    def heard(number: int, frame: object) -> None:
        signal.signal(number, lambda number, frame: end(INTERRUPTED))

    for number in SIGNALS:
        signal.signal(number, heard)


def stop_soon() -> None:
    """From now on Ctrl-C ends this process after a grace at the latest.

    Python alone would first wait for the library call at hand, and for the workers. These end by themselves
    when this process has gone; see `ser_classic.runtime.workers.follow`.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        while os.read(reading, 1)[0] not in SIGNALS:
            pass
        time.sleep(GRACE)
        tell_once()
        end(INTERRUPTED)

    threading.Thread(target=watch, daemon=True, name="interrupts").start()
