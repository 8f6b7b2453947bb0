"""Options that several commands share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ser_classic.errors import SerClassicError

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="SER_DATA", help="Folder with the corpora.", show_default="data"),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar="SER_CACHE",
        help="Cache of features and of what reports computed.",
        show_default="the user's cache folder",
    ),
]
Results = Annotated[Path, typer.Option("--results", help="Results folder.")]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", min=1, help="Processes, each with one thread.", show_default="one a core"),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map", help="For a corpus of your own: what one of its words means, anger=angry; repeatable."
    ),
]
Speaker = Annotated[
    str | None,
    typer.Option(
        "--speaker", help="For a corpus of your own: pattern whose group is the speaker in a file's path."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def value_of(option: str) -> Iterator[None]:
    """What the library finds wrong in here is the value of that option: wrong usage, exit code 2."""
    try:
        yield
    except SerClassicError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def meanings(words: list[str] | None) -> dict[str, str]:
    """What the words of a corpus of one's own mean, as given with --map."""
    from ser_classic.corpora import parse_map

    with value_of("--map"):
        return parse_map(words or ())


def check_windows(window: float, hop: float | None) -> None:
    """Refuse a window or a hop [s] that cannot be used."""
    from ser_classic.predictor.windows import lengths

    with value_of("--window"):
        lengths(1, window, None)
    with value_of("--hop"):
        lengths(1, window, hop)
