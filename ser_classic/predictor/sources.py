"""Recordings named on a command line: files, folders, patterns and standard input."""

from __future__ import annotations

import glob
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ser_classic.audio import SUFFIXES, AudioError, audio_files

STANDARD_INPUT = "-"
LARGEST = 2**30  # [bytes] taken from standard input


def find(named: Iterable[str], problem: Callable[[str], None]) -> Iterator[str]:
    """Paths of the recordings that are meant, in order.

    Parameters
    ----------
    named : iterable of str
        A file, whatever its name; a folder, whose audio files are taken at any depth; a pattern such as
        `calls/**/*.wav`; or `-`, which stays.
    problem : callable
        Is handed a message for what names nothing.
    """
    for name in named:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield name
        elif not name:  # an empty path would be the folder one is in
            problem("'': no name of a recording")
        elif path.is_dir():
            below = sorted(str(path / file) for file in audio_files(path))
            yield from _or_problem(below, f"{name}: holds no {', '.join(SUFFIXES)} file", problem)
        elif path.exists() or not glob.has_magic(name):
            yield name
        else:
            found = glob.glob(name, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
            matched = sorted(match for match in found if Path(match).is_file())
            yield from _or_problem(matched, f"{name}: no file is called so", problem)


def _or_problem(found: list[str], message: str, problem: Callable[[str], None]) -> list[str]:
    if not found:
        problem(message)
    return found


@contextmanager
def opened(
    named: Iterable[str],
    stream: BinaryIO | None,
    problem: Callable[[str], None],
    notice: Callable[[str], None],
) -> Iterator[dict[str, str | Path]]:
    """Recordings by name, each once, with the stream where `-` is named; for as long as they are needed.

    Parameters
    ----------
    named : iterable of str
        See `find`.
    stream : file of bytes, or None where it is closed
    problem, notice : callable
        Are handed a message for what names nothing, and one where recordings are named more than once.

    Raises
    ------
    AudioError
        The stream is closed, or longer than 1 GiB.
    """
    counts = Counter(find(named, problem))
    again = [name for name, count in counts.items() if count > 1]
    if again:
        more = f" and {len(again) - 1} more" if len(again) > 1 else ""
        notice(f"{again[0]}{more}: named more than once, answered once")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(_spooled(stream)) if name == STANDARD_INPUT else name for name in counts
        }


@contextmanager
def quiet_decoder(path: str | Path) -> Iterator[None]:
    """Keep the decoder of MP3 from writing on stderr, past Python, what it thinks of a damaged file."""
    head = b"RIFF"
    with suppress(OSError):  # whoever reads the file says so
        if Path(path).is_file():  # a pipe would be waited for
            with Path(path).open("rb") as file:
                head = file.read(4)
    if head in (b"RIFF", b"fLaC", b"OggS", b"FORM"):
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _spooled(stream: BinaryIO | None) -> Iterator[Path]:
    if stream is None:
        raise AudioError("standard input: closed; pipe a recording into it")
    with tempfile.NamedTemporaryFile(prefix="ser-classic-", suffix=".audio") as file:
        size = 0
        while block := stream.read(2**20):
            size += len(block)
            if size > LARGEST:
                raise AudioError(f"standard input: more than {LARGEST >> 30} GiB; save it and give the file")
            file.write(block)
        file.flush()
        yield Path(file.name)
