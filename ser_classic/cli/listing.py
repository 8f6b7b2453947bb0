"""`ser-classic list`: the names that other commands take, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer

from ser_classic.cli import corpora, features, options
from ser_classic.cli.options import lazy_table
from ser_classic.cli.printing import show
from ser_classic.errors import counted
from ser_classic.tables import Table


class Listed(NamedTuple):
    """What is listed of a kind."""

    entries: Callable[[], Mapping[str, Any]]
    meaning: Callable[[Any], str]
    facts: Callable[[Any], Mapping[str, Any]]  # for JSON, beside the name


def _models(table: str) -> Listed:
    return Listed(
        lazy_table("ser_classic.models", table),
        lambda one: one.title + (f" (extra: {one.extra})" if one.extra else ""),
        lambda one: {"title": one.title, "takes": one.takes.name, "extra": one.extra},
    )


LISTED = {
    "suites": Listed(
        options.SUITES, lambda one: one["title"].partition(": ")[2], lambda one: {"title": one["title"]}
    ),
    "models": _models("MODELS"),
    "protocols": Listed(
        options.PROTOCOLS,
        lambda one: one.title + (f"; {one.knows.label}" if one.knows.by else ""),
        lambda one: {
            "title": one.title,
            "track": one.track,
            "independent": one.independent,
            "family": one.family or None,
        },
    ),
    "tracks": Listed(lazy_table("ser_classic.tracks", "TRACKS"), lambda one: one.title, vars),
    "regressors": _models("REGRESSORS"),
}
LIST_COMMANDS = {"corpora": corpora.list_corpora, "features": features.list_features}
Kind = StrEnum("Kind", [*LISTED, *LIST_COMMANDS])


def _rows(kind: str) -> Iterator[tuple[str, str]]:
    """Names and meanings; a family of protocols is one row."""
    families: dict[str, dict[str, Any]] = {}
    for name, one in LISTED[kind].entries().items():
        families.setdefault(getattr(one, "family", "") or name, {})[name] = one
    for family, members in families.items():
        first, one = next(iter(members.items()))
        count = f"{counted(len(members), 'protocol')}, first {first}: " if family != first else ""
        yield family, count + LISTED[kind].meaning(one)


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help=", ".join(Kind) + ".", show_default="all kinds")] = None,
    as_json: options.Json = False,
) -> None:
    """List the names that other commands take, or those of one kind with their meanings."""
    if kind in LIST_COMMANDS:
        return LIST_COMMANDS[kind](as_json=as_json)
    if kind is not None:
        entries = LISTED[kind].entries().items()
        facts = [{"name": name, **LISTED[kind].facts(one)} for name, one in entries]
        return show(Table((kind, ""), tuple(_rows(kind))), facts, as_json)
    names = {each: [name for name, _ in _rows(each)] for each in LISTED}
    names |= {"corpora": [*options.CORPORA()], "features": [*options.FEATURES()]}
    show(Table(("kind", ""), [(each, ", ".join(found)) for each, found in names.items()]), names, as_json)
