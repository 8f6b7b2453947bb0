"""Locks: one process at a time works in a shared folder; the system ends the lock of one that dies."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

LOCK = ".lock"  # the file's name in a folder that is locked as a whole


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Be the only one, of all processes and threads, who holds a lock file; wait for whoever does.

    The file is removed at the end of the work. `what` is done meanwhile, for the notice while waiting:
    `extracting pooled`.
    """
    from filelock import FileLock, Timeout  # here: a prediction needs no lock

    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        logger.warning(f"waiting for another process that is {what}")
        lock.acquire()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no file that is open
            path.unlink()  # while it is locked: whoever waits for it makes a new one
        lock.release()
