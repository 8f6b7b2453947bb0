"""Archives and folders at hand: copy the wanted files, and refuse an archive that leaves its folder."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

from ser_classic.audio import audio_files, other_files
from ser_classic.corpora.clips import CorpusError
from ser_classic.errors import wrap_errors

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
BY_HAND = "download it again, or unpack it by hand and give the folder instead"


class _Member(NamedTuple):
    path: PurePosixPath
    size: int  # [bytes] by the archive's directory; 0 for a file in a folder
    open: Callable[[], IO[bytes]]


def unpack(
    source: Path, folder: Path, target: Callable[[PurePosixPath], PurePosixPath | None], limit: int
) -> list[PurePosixPath]:
    """Copy the wanted files of a folder, ZIP or tar archive into an empty folder; returns their paths in it.

    `target` gives the place of a file, or None if it is not wanted; of several files for one place, the first
    is taken. At most `limit` bytes are unpacked, as a small archive may hold far more.

    Raises
    ------
    SerClassicError
        Not a readable archive; a member that leaves the folder, or is a link; more data than the limit.
        Before anything is written, as far as the archive's directory tells.
    """
    with wrap_errors(f"{source}: cannot be unpacked", BY_HAND), _members(source) as members:
        wanted: dict[PurePosixPath, _Member] = {}
        for member in members:
            if (place := target(member.path)) is not None:
                wanted.setdefault(place, member)
        if (size := sum(member.size for member in wanted.values())) > limit:
            raise CorpusError(
                f"{source}: would unpack to {size / 2**20:.0f} MB; at most {limit / 2**20:.0f} MB are "
                "expected. It was not unpacked"
            )
        for place, member in wanted.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            with member.open() as content, (folder / place).open("wb") as file:
                shutil.copyfileobj(content, file)  # never more than the archive's directory says
        return list(wanted)


@contextmanager
def _members(source: Path) -> Iterator[Iterator[_Member]]:
    """The files in a folder or an archive."""
    if source.is_dir():
        files = (*audio_files(source), *other_files(source))
        yield (_Member(f, 0, partial((source / f).open, "rb")) for f in files if (source / f).is_file())
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            yield _of_zip(source, archive)
    elif tarfile.is_tarfile(source):
        with tarfile.open(source) as archive:
            yield _of_tar(source, archive)
    else:
        raise CorpusError(f"{source}: not a complete ZIP or tar archive; {BY_HAND}")


def _of_zip(source: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        if not info.is_dir():
            plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
            yield _Member(_safe(source, info.filename, plain), info.file_size, partial(archive.open, info))


def _of_tar(source: Path, archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if not info.isdir():
            path = _safe(source, info.name, info.isfile())
            yield _Member(path, info.size, partial(archive.extractfile, info))
    while archive.fileobj.read(2**20):  # to its end, where the compressed stream has its checksum
        pass


def _safe(source: Path, name: str, plain: bool) -> PurePosixPath:
    """Path of a member below the folder; archives made on Windows may separate with backslashes."""
    path = PureWindowsPath(name)  # which has both kinds of slashes
    if path.anchor or ".." in path.parts or "\0" in name:
        raise CorpusError(f"{source}: refused, {name!r} would be written outside its folder")
    if not plain:
        raise CorpusError(f"{source}: refused, {name!r} is a link or a device; a corpus has none")
    return PurePosixPath(path.as_posix())
