"""Archives from elsewhere: unpack what is wanted, and refuse an archive that reaches out of its folder."""

from __future__ import annotations

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

from ser_classic.corpora.clips import CorpusError

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
LARGEST_FILE = 64 * 2**20  # [bytes]; a minute of stereo at 96 kHz in 32 bits has 46 MB
BY_HAND = "download it again, or unpack it by hand and give the folder instead"
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error),
    *(EOFError, NotImplementedError, RuntimeError),  # encrypted, or packed in an unknown way
)


class _Member(NamedTuple):
    name: str
    size: int
    plain: bool  # neither a link nor a device
    open: Callable[[], IO[bytes]]


def unpack(
    archive: Path, folder: Path, target: Callable[[PurePosixPath], PurePosixPath | None], limit: int
) -> list[PurePosixPath]:
    """Unpack the wanted members of a ZIP or tar archive into an empty folder; the files, relative to it.

    `target` says where a member belongs, None for one that is not wanted; the first of several that belong to
    one place is taken. At most `limit` bytes are unpacked, against archives that swell.

    Raises
    ------
    CorpusError
        Not a readable archive; a member that leaves the folder, or is a link; more data than the limit.
        Before anything is written, as far as the archive's directory tells.
    """
    try:
        with _members(archive) as members:
            wanted: dict[PurePosixPath, _Member] = {}
            for member in members:
                if (place := target(_safe(member, archive))) is not None:
                    wanted.setdefault(place, member)
            sizes = [member.size for member in wanted.values()]
            if sum(sizes) > limit or max(sizes, default=0) > LARGEST_FILE:
                raise CorpusError(
                    f"{archive}: would unpack to {sum(sizes) / 2**20:.0f} MB, with one file of "
                    f"{max(sizes) / 2**20:.0f} MB; at most {limit / 2**20:.0f} MB and "
                    f"{LARGEST_FILE / 2**20:.0f} MB are expected. It was not unpacked"
                )
            for place, member in wanted.items():
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                with member.open() as source, (folder / place).open("wb") as file:
                    shutil.copyfileobj(source, file)  # never more than the archive's directory says
            return list(wanted)
    except BROKEN as error:
        raise CorpusError(f"{archive}: cannot be unpacked ({error}); {BY_HAND}") from error


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    """What is in an archive, but for folders."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield (
                _Member(
                    info.filename,
                    info.file_size,
                    stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG),
                    lambda info=info: opened.open(info),
                )
                for info in opened.infolist()
                if not info.is_dir()
            )
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened:
            yield (
                _Member(info.name, info.size, info.isfile(), lambda info=info: opened.extractfile(info))
                for info in opened
                if not info.isdir()
            )
    else:
        raise CorpusError(f"{archive}: not a complete ZIP or tar archive; {BY_HAND}")


def _safe(member: _Member, archive: Path) -> PurePosixPath:
    """Path of a member below the folder; archives made on Windows may separate with backslashes."""
    path = PureWindowsPath(member.name)  # which has both kinds of slashes
    if path.anchor or ".." in path.parts or "\0" in member.name:
        raise CorpusError(f"{archive}: refused, {member.name!r} would be written outside its folder")
    if not member.plain:
        raise CorpusError(f"{archive}: refused, {member.name!r} is a link or a device; a corpus has none")
    return PurePosixPath(path.as_posix())
