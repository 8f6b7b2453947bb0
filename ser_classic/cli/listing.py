"""`ser-classic list`: the names that other commands take, and what they stand for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser_classic.cli import options
from ser_classic.cli.printing import show, tell
from ser_classic.tables import Table

if TYPE_CHECKING:
    from ser_classic.corpora import Corpus
    from ser_classic.models import Model

ACCESS = {"open": "open", "registration": "register", "request": "request", "made": "made here"}
Listed = tuple[list[dict[str, Any]], Sequence[tuple], tuple[str, ...]]  # facts, rows, further headings


Kind = StrEnum("Kind", "suites corpora features models protocols tracks regressors")


HINTS = {
    "corpora": "More about a corpus: ser-classic corpora show NAME",
    "models": "Install an extra with: pip install 'ser-classic[NAME]'",
}


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help=", ".join(Kind) + ".", show_default="all kinds")] = None,
    as_json: options.Json = False,
) -> None:
    """List the names that other commands take: suites, corpora, features, models, protocols, tracks."""
    if kind is not None:
        return show_kind(kind, as_json)
    from ser_classic.corpora import CORPORA
    from ser_classic.features import FEATURES

    named = {"corpora": [*CORPORA], "features": [*FEATURES]}  # without reading or computing anything
    names = {
        each: named.get(each) or [row[0] for row in list_kind(None)[1]] for each, list_kind in LISTED.items()
    }
    show(Table(("kind", ""), [(each, ", ".join(found)) for each, found in names.items()]), names, as_json)
    if not as_json:
        print("More of one kind: ser-classic list KIND")


def show_kind(kind: str, as_json: bool, data: Path | None = None) -> None:
    """Print the names of a kind; `data` is the folder where corpora are looked for."""
    facts, rows, headings = LISTED[kind](data)
    show(Table((kind, *headings), rows), facts, as_json)
    if kind in HINTS and not as_json:
        print(HINTS[kind])


def facts_of(corpus: Corpus, at_hand: Sequence[str]) -> dict[str, Any]:
    """What is printed of a corpus as JSON."""
    from ser_classic.vocabulary import ordered

    names = ("name", "title", "url", "licence", "access", "citation", "language", "style")
    facts = {name: getattr(corpus, name) for name in (*names, "clips", "speakers", "dimensions", "anomalies")}
    return facts | {"emotions": ordered(corpus.emotions.values()), "at_hand": corpus.name in at_hand}


def _corpora(data: Path | None) -> Listed:
    from ser_classic.corpora import CORPORA, available
    from ser_classic.runtime.files import data_folder

    at_hand, folder = available(data), data_folder(data)
    if not folder.is_dir():
        tell(f"{folder}: there is no such folder; name the folder of your corpora with --data or $SER_DATA")
    rows = [
        (
            each.name,
            each.clips or "-",
            each.speakers or "-",
            each.language,
            ACCESS[each.access],
            each.licence,
            "yes" if each.name in at_hand else "no",
        )
        for each in CORPORA.values()
    ]
    headings = ("clips", "speakers", "language", "access", "licence", "found")
    return [facts_of(each, at_hand) for each in CORPORA.values()], rows, headings


def _features(data: None) -> Listed:
    import textwrap

    from ser_classic.errors import SerClassicError
    from ser_classic.features import FEATURES

    facts, rows = [], []
    for name, entry in FEATURES.items():
        try:
            columns = entry.columns
            contents = textwrap.shorten(", ".join(_contents(columns)), 70, placeholder=" ...")
            rows.append((name, f"{len(columns)}{' per frame' * (entry.gives.dimensions > 1)}", contents))
        except SerClassicError:
            columns = None
            remedy = f"needs: pip install 'ser-classic[{entry.extra}]'" if entry.extra else "cannot be loaded"
            rows.append((name, "", remedy))
        facts.append(entry.parameters | {"columns": columns, "extra": entry.extra})
    return facts, rows, ("columns", "contents")


def _contents(columns: Sequence[str]) -> list[str]:
    """The groups of columns; where there is only one, the descriptors or kernels in it."""
    split = [column.rpartition("/") for column in columns]
    groups = dict.fromkeys(group for group, _, _ in split)
    return list(groups if len(groups) > 1 else dict.fromkeys(name.split("_")[0] for _, _, name in split))


def _models(module: str, table: str, data: None) -> Listed:
    models: Mapping[str, Model] = getattr(importlib.import_module(module), table)
    facts = [
        {"name": name, "title": model.title, "takes": model.takes.name, "extra": model.extra}
        for name, model in models.items()
    ]
    extra = {name: f" (extra: {model.extra})" if model.extra else "" for name, model in models.items()}
    return facts, [(name, model.title + extra[name]) for name, model in models.items()], ("",)


def _protocols(data: None) -> Listed:
    from ser_classic.protocols import PROTOCOLS, families

    facts = [
        {
            "name": name,
            "title": protocol.title,
            "track": protocol.track,
            "independent": protocol.unit is not None,
            "family": protocol.family or None,
        }
        for name, protocol in PROTOCOLS.items()
    ]
    told = {
        name: protocol.title + (f"; {protocol.knows.label}" if protocol.knows.by else "")
        for name, protocol in PROTOCOLS.items()
    }
    rows = [(name, told[name]) for name, protocol in PROTOCOLS.items() if not protocol.family]
    for family, (first, *others) in families().items():
        rows.append((family, f"{1 + len(others)} protocols, first {first.name}: {told[first.name]}"))
    return facts, rows, ("",)


def _tracks(data: None) -> Listed:
    from dataclasses import asdict

    from ser_classic.tracks import TRACKS

    return list(map(asdict, TRACKS.values())), [(each.name, each.title) for each in TRACKS.values()], ("",)


def _suites(data: None) -> Listed:
    import tomllib

    from ser_classic.experiment.suites import SHIPPED, suites

    read = {name: tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8")) for name in suites()}
    facts = [{"name": name, "title": suite["title"]} for name, suite in read.items()]
    return facts, [(each["name"], each["title"].partition(": ")[2]) for each in facts], ("",)


LISTED: dict[str, Callable[[Any], Listed]] = {
    "suites": _suites,
    "corpora": _corpora,
    "features": _features,
    "models": partial(_models, "ser_classic.models", "MODELS"),
    "protocols": _protocols,
    "tracks": _tracks,
    "regressors": partial(_models, "ser_classic.models", "REGRESSORS"),
}
