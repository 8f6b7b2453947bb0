"""Options that several commands share."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ser_classic.cli import completion
from ser_classic.errors import SerClassicError

if TYPE_CHECKING:
    from ser_classic.corpora import Reading

OWN = "A corpus of your own"  # panels of the help
PLACES = "Folders"
LONG = "Long recordings and calls"
PRINTED = "What is printed"
RARE = "Rarely needed"

Corpus = Annotated[
    str,
    typer.Argument(
        help="Corpus name, or a manifest or folder of your own.", autocompletion=completion.corpora
    ),
]

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        envvar="SER_DATA",
        help="Where the corpora are.",
        show_default="data",
        rich_help_panel=PLACES,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        envvar="SER_CACHE",
        help="Cache of features and of what reports computed.",
        show_default="the user's cache folder",
        rich_help_panel=PLACES,
    ),
]
Results = Annotated[
    Path,
    typer.Option("--results", metavar="FOLDER", help="Where the runs are stored.", rich_help_panel=PLACES),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", metavar="N", min=1, help="Processes, each with one thread.", show_default="one a core"
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="WORD=EMOTION",
        help="What one of its words means, anger=angry; repeatable.",
        rich_help_panel=OWN,
    ),
]
Speaker = Annotated[
    str | None,
    typer.Option(
        "--speaker",
        metavar="PATTERN",
        help="Regular expression whose group is the speaker in a file's path.",
        rich_help_panel=OWN,
    ),
]
MapSpeaker = Annotated[
    list[str] | None,
    typer.Option(
        "--map-speaker",
        metavar="NAME=SPEAKER",
        help="Another spelling of a speaker, ANNA=Anna; repeatable.",
        rich_help_panel=OWN,
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(
        "--drop",
        metavar="WORD",
        help="Leave out the clips of this emotion; repeatable.",
        rich_help_panel=OWN,
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="Of a folder: table of its recordings (CSV, TSV, TXT with header, JSON).",
        rich_help_panel=OWN,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="COLUMN",
        help="Column of --labels that names the recording, or several: '{folder}/{name}'.",
        show_default="file",
        rich_help_panel=OWN,
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="COLUMN=MEANING",
        help="What a column of --labels is, EmoClass=emotion; repeatable.",
        rich_help_panel=OWN,
    ),
]
Channel = Annotated[
    str | None,
    typer.Option(
        "--channel",
        metavar="CHANNEL",
        help="Of several channels: left, right, a number from 0.",
        show_default="mix",
        rich_help_panel=OWN,
    ),
]
Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="NAME=FILE",
        help="Features computed elsewhere as a feature set: .npz, .parquet or .csv, keyed by clip or file; "
        "repeatable.",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of everything that is drawn."),
]
MinConfidence = Annotated[
    float,
    typer.Option(
        "--min-confidence",
        metavar="SHARE",
        min=0.0,
        max=1.0,
        help="Answer `uncertain` where no emotion is as probable as this, 0 to 1.",
        show_default=False,
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


def of_own_corpus(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `reading` becomes the options that say how to read a corpus of one's own."""
    hints = get_type_hints(command, localns={"Reading": object}, include_extras=True)
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name == "reading":
            parameters += [parameter.replace(name=name, annotation=kind) for name, kind in _READING.items()]
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        told = {name: given.pop(name) for name in _READING}
        command(**given, reading=_reading(**told))

    run.__signature__ = inspect.Signature(parameters)  # which is what Typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


_READING = {
    "words": Map,
    "drop": Drop,
    "speaker": Speaker,
    "speakers": MapSpeaker,
    "channel": Channel,
    "labels": Labels,
    "key": Key,
    "columns": Column,
}


def _reading(
    words: list[str] | None,
    drop: list[str] | None,
    speaker: str | None,
    speakers: list[str] | None,
    channel: str | None,
    labels: Path | None,
    key: str | None,
    columns: list[str] | None,
) -> Reading:
    from ser_classic.corpora import Reading, parse_map

    with value_of("--map"):
        meanings = parse_map(words or ())
    with value_of("--map-speaker"):
        spellings = parse_map(speakers or (), "--map-speaker", "ANNA=Anna")
    with value_of("--column"):
        named = parse_map(columns or (), "--column", "EmoClass=emotion")
    return Reading(
        meanings, tuple(drop or ()), speaker, spellings, channel_of(channel), labels, key or "file", named
    )


def channel_of(channel: str | None) -> int | None:
    """The channel that is meant by --channel, counted from 0; None is the mean of all."""
    from ser_classic.audio import parse_channel

    with value_of("--channel"):
        return parse_channel(channel)


@contextlib.contextmanager
def brought(tables: list[str] | None, more: Mapping[str, Path] | None = None) -> Iterator[None]:
    """Tables given with --table are feature sets in this block, and those of `more` that are not given."""
    if not tables and not more:
        yield
        return
    from ser_classic.features.tables import bring, parse_tables

    with value_of("--table"):
        given = parse_tables(tables or ())
    with bring({**(more or {}), **given}):
        yield


def require_used(tables: list[str] | None, features: Iterable[str]) -> None:
    """Refuse a table given with --table that none of these feature sets, or their parts, is called after."""
    used = {part for name in features for part in name.split("+")}
    for table in tables or ():
        name = table.partition("=")[0]
        if name not in used:
            raise typer.BadParameter(
                f"{name} is none of the features that are used; name it in --features or in the suite",
                param_hint="--table",
            )


def check_windows(window: float, hop: float | None) -> None:
    """Refuse a window or a hop [s] that cannot be used."""
    from ser_classic.predictor.windows import lengths

    with value_of("--window"):
        lengths(1, window, None)
    with value_of("--hop"):
        lengths(1, window, hop)
