"""Archives from elsewhere: unpack what is wanted, and refuse an archive that reaches out of its folder."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from ser_classic.corpora.clips import CorpusError

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
LARGEST_FILE = 64 * 2**20  # [bytes]; a minute of stereo at 96 kHz in 32 bits has 46 MB
MOST_MEMBERS = 200_000
_BLOCK = 2**20


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    folder: bool
    plain: bool  # neither a link nor a device
    open: Callable[[], IO[bytes]]


def unpack(
    archive: Path, folder: Path, target: Callable[[PurePosixPath], PurePosixPath | None], limit: int
) -> list[PurePosixPath]:
    """Unpack the wanted members of an archive.

    Parameters
    ----------
    archive : Path
        ZIP or tar.
    folder : Path
        Where to; should be empty.
    target : callable (PurePosixPath) -> PurePosixPath or None
        Where below the folder a member belongs; None for one that is not wanted. The first of several that
        belong to one place is taken.
    limit : int [bytes]
        Most that may be unpacked in all, against archives that swell.

    Returns
    -------
    list of PurePosixPath
        The files written, relative to the folder.

    Raises
    ------
    CorpusError
        Not a readable archive; a member that leaves the folder, or is a link; more data than the limit.
        Before anything is written, as far as the archive's directory tells.
    """
    try:
        with _members(archive) as members:
            wanted: dict[PurePosixPath, _Member] = {}
            for count, member in enumerate(members):
                if count >= MOST_MEMBERS:
                    raise CorpusError(
                        f"{archive}: more than {MOST_MEMBERS} members; this is no speech corpus"
                    )
                path = _safe(member, archive)
                place = None if member.folder else target(path)
                if place is not None:
                    wanted.setdefault(place, member)
            total = sum(member.size for member in wanted.values())
            largest = max((member.size for member in wanted.values()), default=0)
            if total > limit or largest > LARGEST_FILE:
                raise CorpusError(
                    f"{archive}: would unpack to {total / 2**20:.0f} MB, with one file of "
                    f"{largest / 2**20:.0f} MB; at most {limit / 2**20:.0f} MB and "
                    f"{LARGEST_FILE / 2**20:.0f} MB are expected. It was not unpacked"
                )
            for place, member in wanted.items():
                _write(member, folder / place, archive)
            return list(wanted)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        raise CorpusError(
            f"{archive}: cannot be unpacked ({error}); download it again, or unpack it by hand and give the "
            "folder instead"
        ) from error


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield (_zip_member(opened, info) for info in opened.infolist())
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened:
            yield (_tar_member(opened, info) for info in opened)
    else:
        raise CorpusError(
            f"{archive}: neither a whole ZIP nor a tar archive; download it again, or unpack it by hand and "
            "give the folder instead"
        )


def _zip_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
    return _Member(info.filename, info.file_size, info.is_dir(), plain, lambda: opened.open(info))


def _tar_member(opened: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    plain = info.isfile() or info.isdir()
    return _Member(info.name, info.size, info.isdir(), plain, lambda: opened.extractfile(info))


def _safe(member: _Member, archive: Path) -> PurePosixPath:
    """Path of a member below the folder; archives made on Windows may separate with backslashes."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or PureWindowsPath(member.name).drive
    if outside or "\0" in member.name:
        raise CorpusError(f"{archive}: refused, {member.name!r} would be written outside its folder")
    if not member.plain:
        raise CorpusError(f"{archive}: refused, {member.name!r} is a link or a device; a corpus has none")
    return path


def _write(member: _Member, path: Path, archive: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    left = member.size
    with member.open() as source, path.open("wb") as file:
        while block := source.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise CorpusError(f"{archive}: {member.name!r} is larger than the archive says; it is broken")
            file.write(block)
    if left:
        raise CorpusError(f"{archive}: {member.name!r} is shorter than the archive says; download it again")
