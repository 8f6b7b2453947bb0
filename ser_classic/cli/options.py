"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

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
