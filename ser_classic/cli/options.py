"""Options that several commands share."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ser_classic.errors import SerClassicError
from ser_classic.runtime import CORES as CORES
from ser_classic.runtime.progress import busy

if TYPE_CHECKING:
    from ser_classic.corpora import Loaded, Reading

OWN = "A corpus of your own"  # panels of the help
FOLDERS = "Folders"
LONG = "Long recordings and calls"
PRINTED = "What is printed"
RARE = "Rarely needed"


def lazy_table(module: str, name: str) -> Callable[[], Mapping[str, Any]]:
    """A table of the package, imported when it is called for; iterated for completion, it gives its names."""
    return lambda: getattr(importlib.import_module(module), name)


CORPORA = lazy_table("ser_classic.corpora", "CORPORA")
FEATURES = lazy_table("ser_classic.features", "FEATURES")
PROTOCOLS = lazy_table("ser_classic.protocols", "PROTOCOLS")
SUITES = lazy_table("ser_classic.experiment.suites", "SUITES")
COMPLETED = {
    "--corpus": CORPORA,
    "--features": FEATURES,
    "--metric": lazy_table("ser_classic.metrics", "COUNT_METRICS"),
    "--model": lazy_table("ser_classic.models", "MODELS"),
    "--protocol": PROTOCOLS,
}


def runs(context: typer.Context) -> list[str]:
    """For completion: ids of the runs under --results."""
    return sorted(path.name for path in Path(context.params["results"], "runs").glob("*"))


def option(names: str, help: str, panel: str | None = None, **more: Any) -> Any:
    """An option: its names and what stands for its value (`--jobs -j N`; nothing for a flag), help, panel."""
    words = names.split()
    metavar = None if words[-1].startswith("-") else words.pop()
    more.setdefault("autocompletion", COMPLETED.get(words[0]))
    return typer.Option(*words, metavar=metavar, help=help, rich_help_panel=panel, **more)


OWN_OR_KNOWN = "Name of a corpus, or path of your own: a table or a folder."
Corpus = Annotated[str, typer.Argument(help=OWN_OR_KNOWN, autocompletion=CORPORA)]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL.skops", help="Model saved by `ser-classic fit`.")]
Features = Annotated[
    str, option("--features NAME", "Feature set; list them with `ser-classic features list`.")
]
Data = Annotated[
    Path | None,
    option("--data FOLDER", "Folder of the corpora.", FOLDERS, envvar="SER_DATA", show_default="data"),
]
Cache = Annotated[
    Path | None,
    option(
        "--cache FOLDER", "Cache folder.", FOLDERS, envvar="SER_CACHE", show_default="the user's cache folder"
    ),
]
Results = Annotated[Path, option("--results FOLDER", "Folder of the stored runs.", FOLDERS)]
Jobs = Annotated[
    int, option("--jobs -j N", "Number of processes, one thread each.", min=1, show_default="one per core")
]
Tables = Annotated[
    list[str] | None,
    option(
        "--table NAME=FILE",
        "Add a feature set computed elsewhere: .npz, .parquet or .csv, one row per clip; repeatable.",
    ),
]
Seed = Annotated[int, option("--seed N", "Random seed.", min=0, max=2**32 - 1)]
MinConfidence = Annotated[
    float,
    option(
        "--min-confidence SHARE",
        "Answer `uncertain` where no emotion is this probable.",
        min=0.0,
        max=1.0,
        show_default=False,
    ),
]
Json = Annotated[bool, option("--json", "Print JSON.")]


def refuse(broken: object, message: str) -> None:
    """Report a combination of options, if it is a wrong one, as wrong usage: exit code 2.

    A value that is wrong by itself is a SerClassicError, exit code 1.
    """
    if broken:
        raise typer.BadParameter(message)


def given(context: typer.Context) -> set[str]:
    """What was given on the command line: long names of options, names of arguments."""
    return {
        max(each.opts, key=len)
        for each in context.command.params
        if context.get_parameter_source(each.name).name == "COMMANDLINE"
    }


def check(context: typer.Context, needs: Mapping[str, list[str]], exclusive: list[list[str]]) -> None:
    """Refuse an option without any of those that it needs, and two of those that exclude each other."""
    found = given(context)
    for name, others in needs.items():
        refuse(name in found and found.isdisjoint(others), f"{name} needs {' or '.join(others)}")
    for names in exclusive:
        refuse(len(found.intersection(names)) > 1, f"choose one of {', '.join(names)}")


def pairs(given: Iterable[str], form: str) -> dict[str, str]:
    """The words and meanings of an option, each word once; `form` is an example, `--map anger=angry`."""
    option, example = form.split(" ", 1)
    words: dict[str, str] = {}
    for pair in given:
        word, equals, meaning = (part.strip() for part in pair.partition("="))
        if not (word and equals and meaning):
            raise SerClassicError(f"{option}: {pair!r}; expected a form such as {example}")
        if words.setdefault(word, meaning) != meaning:
            raise SerClassicError(f"{option}: {word!r} means {words[word]!r} and {meaning!r}; give one")
    return words


def channel_of(channel: str, *others: str) -> int | str | None:
    """The number from 0 of the channel that --channel names; None is the mean of all, others stay words."""
    named = {"left": 0, "right": 1, "mix": None, **dict(zip(others, others, strict=True))}
    if channel not in named and not channel.isdecimal():
        raise SerClassicError(f"--channel: {channel!r}; expected {', '.join(named)}, or a number from 0")
    return named[channel] if channel in named else int(channel)


class ReadingOption(NamedTuple):
    """The option for an attribute of `Reading`."""

    names: str
    kind: type
    help: str
    convert: Callable[[Any], Any]  # from the option's value to that of the attribute


READING: dict[str, ReadingOption] = {
    "words": ReadingOption(
        "--map WORD=EMOTION",
        list[str],
        "Translate an emotion word, as in anger=angry; repeatable.",
        partial(pairs, form="--map anger=angry"),
    ),
    "drop": ReadingOption(
        "--drop WORD", list[str], "Leave out clips with this emotion word; repeatable.", tuple
    ),
    "speaker": ReadingOption(
        "--speaker PATTERN",
        str,
        "Regular expression whose first group is the speaker in a file's path.",
        str,
    ),
    "speakers": ReadingOption(
        "--map-speaker NAME=SPEAKER",
        list[str],
        "Merge spellings of a speaker, as in ANNA=Anna; repeatable.",
        partial(pairs, form="--map-speaker ANNA=Anna"),
    ),
    "channel": ReadingOption(
        "--channel CHANNEL",
        str,
        "Channel of stereo recordings: left, right, a number from 0, or mix (the default).",
        channel_of,
    ),
    "labels": ReadingOption(
        "--labels FILE",
        Path,
        "Labels for a folder of recordings: CSV, TSV, TXT with header, JSON or Parquet.",
        Path,
    ),
    "key": ReadingOption(
        "--key COLUMN",
        str,
        "Column that names the recording (file, by default); combine several as '{folder}/{name}'.",
        str,
    ),
    "columns": ReadingOption(
        "--column COLUMN=MEANING",
        list[str],
        "What a column of the table means, as in EmoClass=emotion; repeatable.",
        partial(pairs, form="--column EmoClass=emotion"),
    ),
}


@dataclass
class Access:
    """How a command reads a corpus, and where corpora and the cache are."""

    reading: Reading
    data: Path | None
    cache: Path | None

    def load(self, corpus: str) -> Loaded:
        """A corpus by name, or your own by path."""
        from ser_classic.corpora import load

        return load(corpus, self.data, self.cache, self.reading)


def reads_corpus(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameter `access` with the options of `READING`, --data and --cache."""
    own = {
        name: Annotated[each.kind | None, option(each.names, each.help, OWN)]
        for name, each in READING.items()
    }
    own |= {"data": Data, "cache": Cache}
    parameters = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if parameter.name == "access":
            parameters += [parameter.replace(name=name, annotation=kind) for name, kind in own.items()]
        else:
            parameters.append(parameter)

    @functools.wraps(command)
    def run(**values: Any) -> None:
        with busy("starting"):  # visible while pandas is imported
            from ser_classic.corpora import Reading

            given = {}
            for name, each in READING.items():
                if (value := values.pop(name)) is not None:
                    given[name] = each.convert(value)
            access = Access(Reading(**given), values.pop("data"), values.pop("cache"))
        command(**values, access=access)

    run.__signature__ = inspect.Signature(parameters)  # Typer reads this
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def named_files(given: list[str] | None) -> dict[str, Path]:
    """The names and files of --table."""
    found = pairs(given or (), "--table hubert=hubert.npz")
    return {name: Path(file) for name, file in found.items()}


def require_used(tables: Iterable[str], features: Iterable[str]) -> None:
    """Refuse the name of a --table that none of these feature sets uses."""
    used = {part for name in features for part in name.split("+")}
    for name in tables:
        if name not in used:
            raise SerClassicError(
                f"--table: no run uses {name}; name it among the features of a suite of your own (a TOML "
                "file) or of `fit`, or leave it out"
            )
