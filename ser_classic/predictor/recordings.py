"""Recordings named on a command line: files, folders, patterns and standard input."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from ser_classic.audio import AudioError, audio_files, other_files
from ser_classic.errors import some

STANDARD_INPUT = "-"
LARGEST = 2**30  # [bytes] taken from standard input


def find(
    named: Iterable[str], problem: Callable[[str], None], notice: Callable[[str], None]
) -> Iterator[str]:
    """Paths of the recordings that are meant, in order.

    A name is a file; a folder, whose audio files are taken at any depth; a pattern such as `calls/**/*.wav`;
    or `-`, which stays. `problem` is called with a message for a name that matches nothing, `notice` with one
    for what is skipped in a folder.
    """
    for name in named:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield name
        elif not name:  # an empty path would be the folder one is in
            problem("'' does not name a recording")
        elif os.path.isdir(name):  # noqa: PTH112 (False, and no error, where one may not look)
            try:
                below = sorted(str(path / file) for file in audio_files(path))
                others = other_files(path)
            except AudioError as error:
                problem(str(error))
                continue
            if not below:
                problem(f"{name}: no recording in it{', only other files' if others else ''}")
            yield from below
            if others and below:
                notice(f"{some((path / other for other in others), 1)}: not a recording, skipped")
        elif os.path.exists(name) or not glob.has_magic(name):  # noqa: PTH110
            yield name
        else:
            found = glob.glob(name, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
            matched = sorted(match for match in found if os.path.isfile(match))  # noqa: PTH113
            if not matched:
                problem(f"{name}: no file matches it")
            yield from matched


@contextmanager
def opened(
    named: Iterable[str],
    stream: BinaryIO | None,
    problem: Callable[[str], None],
    notice: Callable[[str], None],
) -> Iterator[dict[str, str | Path]]:
    """Recordings by name (see `find`), each once, with the stream in a file where `-` is named."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(_spooled(stream)) if name == STANDARD_INPUT else name
            for name in dict.fromkeys(find(named, problem, notice))
        }


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
