"""Files and folders: where they lie, who may write, and how each file is whole or not there."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ser_classic.errors import SerClassicError, wrap_errors

DRAFT = ".draft-"  # begins the name of what is being written
LOCK = ".lock"  # the file's name in a folder that is locked as a whole

logger = logging.getLogger(__name__)


def data_folder(chosen: Path | None = None) -> Path:
    """Folder that holds the corpora: the one given, else `$SER_DATA`, else `./data`."""
    return Path(chosen or os.environ.get("SER_DATA") or "data")


def cache_folder(chosen: Path | None = None) -> Path:
    """The cache: the folder given, else `$SER_CACHE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    return chosen or Path(os.environ.get("SER_CACHE") or user_cache_path("ser_classic"))


def require_writable(path: Path, what: str, *endings: str) -> None:
    """Refuse a file that cannot be written, before long work; messages call its kind `what`.

    Its name needs one of the endings, and its folder must exist. A file that is there will be replaced.
    """
    if path.suffix.lower() not in endings:
        choose = "this ending" if len(endings) == 1 else "one of these endings"
        raise SerClassicError(f"{path}: {what} are written as {' or '.join(endings)}; choose {choose}")
    if not os.path.isdir(path.parent):  # noqa: PTH112 (Path's raises)
        raise SerClassicError(f"{path}: there is no folder {path.parent}; create it first")
    if not _replaceable(Path(os.path.realpath(path))):
        raise SerClassicError(f"{path}: cannot be written there; choose a file in a writable folder")


def writing(place: Path, option: str = "") -> contextlib.AbstractContextManager[None]:
    """Turn errors of the disk in the block into one that names the place and the option to choose another."""
    other = f"another with {option}" if option else "another place"
    remedy = f"free some space if the disk is full, or choose {other}"
    return wrap_errors(f"{place}: cannot be written", remedy, only=(OSError,))


def _replaceable(path: Path) -> bool:
    """Whether a file can be written at a path where there is a file or nothing."""
    try:
        return os.access(path.parent, os.W_OK | os.X_OK) and stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return error.errno == errno.ENOENT


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder, which does not outlive this process, even if `end` ends it."""
    return tempfile.TemporaryDirectory(prefix=f"ser-classic-{os.getpid()}-", ignore_cleanup_errors=True)


def end(code: int) -> NoReturn:
    """End this process at once, without its temporary folders."""
    try:
        for folder in Path(tempfile.gettempdir()).glob(f"ser-classic-{os.getpid()}-*"):
            shutil.rmtree(folder, ignore_errors=True)
    finally:  # also where all disks are full, and so no folder is known to be for temporary files
        os._exit(code)


@contextlib.contextmanager
def replacing(path: Path, option: str = "") -> Iterator[Path]:
    """A draft to write, put in the place of a file in one step at the end of the block; errors as `writing`.

    The file keeps its permissions, and a link to it stays a link. Where the block fails, what was there is
    untouched and the draft is removed. The draft has no ending of its own: to whoever lists the folder it is
    no such file.
    """
    with writing(path, option):
        path = Path(os.path.realpath(path))
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise FileExistsError(errno.EEXIST, "there is a device or a pipe", str(path))
        draft = path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
        try:
            yield draft
            if path.is_file():
                shutil.copymode(path, draft)
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise


@contextlib.contextmanager
def locked(lock: Path, what: str, *folders: Path) -> Iterator[None]:
    """Hold a lock file, which one thread of one process can at a time; wait if another has it.

    The system unlocks the file of a process that dies; drafts that it left in these folders are removed
    first. `what` says what is done while it is locked, such as `extracting pooled`, for whoever has to wait.
    """
    from filelock import FileLock, Timeout  # here: a prediction needs no lock

    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(blocking=False)
    except Timeout:
        logger.warning(f"waiting for another process that is {what}")
        held.acquire()
    try:
        for draft in (draft for folder in folders for draft in folder.glob(f"{DRAFT}*")):
            draft.unlink(missing_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no file that is open
            lock.unlink()  # while it is locked: whoever waits for it makes a new one
        held.release()
