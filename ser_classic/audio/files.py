"""Files of recordings: which are below a folder, and what identifies them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path, PurePosixPath

from ser_classic.audio.containers import is_audio
from ser_classic.audio.waveforms import AudioError

HEADERLESS = (".raw", ".pcm", ".vox", ".gsm", ".g711", ".ul", ".al")  # an error says so on reading
SUFFIXES = (  # of libsndfile, of ffmpeg, and those
    *(".wav", ".wave", ".bwf", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aiff", ".aif", ".aifc"),
    *(".au", ".snd", ".caf", ".w64", ".rf64", ".sph", ".nist", ".voc", ".ircam", ".sf", ".paf", ".pvf"),
    *(".avr", ".iff", ".svx", ".8svx", ".16sv", ".htk", ".wve", ".sds", ".sd2"),
    *(".m4a", ".mp4", ".m4b", ".aac", ".webm", ".weba", ".mka", ".mkv", ".amr", ".awb", ".3gp", ".3g2"),
    *(".mov", ".avi", ".wma", ".asf", ".flv", ".ape", ".wv", ".tta", ".spx"),
    *(".m4r", ".m4v", ".f4v", ".mpg", ".mpeg", ".mpe", ".mpa", ".m1v", ".ogv", ".ogm", ".qt", ".wmv", ".vob"),
    *(".adts", ".ac3", ".eac3", ".dts", ".mpc", ".ra", ".rm", ".qcp", ".dss", ".mts", ".m2ts"),
    *HEADERLESS,
)


@contextmanager
def opened_file(path: Path) -> Iterator[FileIO]:
    """Open a file for reading; an AudioError if it cannot be read, or is a pipe, which might never end."""
    try:
        str(path).encode()
        if not path.is_file():
            raise AudioError(f"{path}: {'not a regular file' if path.exists() else 'there is no such file'}")
        with path.open("rb", buffering=0) as file:
            yield file
    except UnicodeEncodeError as error:
        raise AudioError(f"{path}: its name is not valid UTF-8; rename it") from error
    except OSError as error:  # no permission for its folder, a name too long, a disk error
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error


def digest(path: Path) -> str:
    """SHA-256 of a recording's file."""
    with opened_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def audio_files(root: Path) -> list[PurePosixPath]:
    """Audio files below a folder, relative to it; flattest first, official WAV before conversions.

    They are recognised by their suffix, or else by their first bytes. Links to folders are followed, each
    folder once. Hidden files, and what some archivers add (`__MACOSX`, `._name.wav`), are left out. A folder
    that cannot be listed is an AudioError.
    """
    files = [file for file in _files(root) if is_recording(root / file)]
    return sorted(files, key=lambda file: (len(file.parts), file.suffix.lower() != ".wav", str(file)))


def other_files(root: Path) -> list[PurePosixPath]:
    """Files below a folder that `audio_files` leaves out, except hidden ones."""
    return sorted(file for file in _files(root) if not is_recording(root / file))


def is_recording(path: Path) -> bool:
    """Whether a file is a recording, by its suffix or else by its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        if not path.is_file():  # a pipe might never have any
            return False
        with path.open("rb") as file:
            return is_audio(file.read(32))
    except OSError:
        return False


def _refuse(error: OSError) -> None:
    raise AudioError(f"{error.filename}: cannot be listed ({error.strerror})") from error


def _files(root: Path) -> Iterator[PurePosixPath]:
    """Files below a folder; links are followed last, so that a loop of links ends."""
    seen: set[str] = set()
    waiting = [root]
    while waiting:
        linked: list[Path] = []
        for start in waiting:
            for folder, subfolders, names in os.walk(start, onerror=_refuse):
                if (real := os.path.realpath(folder)) in seen:
                    subfolders.clear()
                    continue
                seen.add(real)
                subfolders[:] = sorted(
                    name for name in subfolders if name != "__MACOSX" and not name.startswith(".")
                )
                linked += [Path(folder, name) for name in subfolders if Path(folder, name).is_symlink()]
                below = PurePosixPath(Path(folder).relative_to(root).as_posix())
                yield from (below / name for name in names if not name.startswith("."))
        waiting = linked
