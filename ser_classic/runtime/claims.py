"""Claims: who of several processes works at what in a shared folder; the system ends those of one that dies.

A claim is a lock on one byte of a file, at a place that follows from the name of what is claimed: any number
of them costs one open file, and a killed process leaves none behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks; there, one process at a time is up to the user
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

FILE = ".claims"
AGAIN = 0.2  # [s] between two looks whether a claim has become free
HERE = 0  # the place that stands for being at work in the folder at all
TAKEN = (errno.EACCES, errno.EAGAIN)


class Claims:
    """The claims of this process on what is done in a folder; a context manager, left at the end.

    Where the file system has no locks, everything can be claimed by everybody.

    Parameters
    ----------
    path : Path
        A file for the locks, made if it is not there. To be opened once in a process at a time: closing it
        ends all claims of the process.

    Raises
    ------
    OSError
        The file cannot be made or opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def __enter__(self) -> Claims:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def enter(self, tidy: Callable[[], None]) -> None:
        """Be at work in the folder; if nobody else is, first tidy up what others left who were killed."""
        if fcntl is not None and self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, HERE):
            tidy()
        if fcntl is not None:
            self._lock(fcntl.LOCK_SH, HERE)

    def take(self, name: str) -> bool:
        """Claim something, unless another process has; what is one's own already is taken again."""
        return fcntl is None or self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, _place(name))

    def release(self, name: str) -> None:
        """Leave something to others."""
        if fcntl is not None:
            self._lock(fcntl.LOCK_UN, _place(name))

    def holders(self, names: Iterable[str]) -> list[int]:
        """Processes that have claims on any of these; empty where the system does not tell."""
        if fcntl is None or not sys.platform.startswith("linux"):
            return []
        asked, found = "hhqqi", set()  # struct flock of 64-bit Linux: type, whence, start, length, process
        for name in names:
            lock = struct.pack(asked, fcntl.F_WRLCK, os.SEEK_SET, _place(name), 1, 0)
            kind, _, _, _, process = struct.unpack(asked, fcntl.fcntl(self._file, fcntl.F_GETLK, lock))
            if kind != fcntl.F_UNLCK:
                found.add(process)
        return sorted(found)

    def _lock(self, kind: int, place: int) -> bool:
        try:
            fcntl.lockf(self._file, kind, 1, place)
        except OSError as error:
            return error.errno not in TAKEN
        return True


@contextlib.contextmanager
def alone(folder: Path, what: str, file: str = FILE) -> Iterator[None]:
    """Be the only one, of all processes and threads, who does something in a folder; wait for whoever does.

    Parameters
    ----------
    folder : Path
    what : str
        For the notice while waiting: `extracting pooled`.
    file : str
        For the lock; it stays no longer than the work does, unless that is killed.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    told = fcntl is None
    while True:
        with (folder / file).open("a+") as held:
            if _locked(held.fileno()) and _in_place(held.fileno(), folder / file):
                held.truncate(0)
                held.write(str(os.getpid()))
                held.flush()
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):
                        (folder / file).unlink()
                return
            if not told:
                held.seek(0)
                told = True
                logger.warning(f"waiting for another process (pid {held.read() or 'unknown'}), {what}")
        time.sleep(AGAIN)


def by_whom(processes: list[int]) -> str:
    """`(pid 12)`, `(pids 12 and 13)`, or nothing where that is not known."""
    if not processes:
        return ""
    return f" (pid{'s' if len(processes) > 1 else ''} {' and '.join(map(str, processes))})"


def _locked(file: int) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in TAKEN
    return True


def _in_place(file: int, path: Path) -> bool:
    """Whether an open file is still the one of that name: whoever had the lock removes it."""
    with contextlib.suppress(OSError):
        return fcntl is None or os.path.samestat(os.fstat(file), path.stat())
    return False


def _place(name: str) -> int:
    return 1 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
