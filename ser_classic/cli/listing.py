"""`ser-classic list`: the names that other commands take, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from ser_classic.cli import corpora, features, options
from ser_classic.cli.options import named
from ser_classic.cli.printing import show
from ser_classic.tables import Table


def _suites() -> dict[str, Any]:
    import tomllib

    from ser_classic.experiment.suites import SHIPPED, suites

    read = {name: tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8")) for name in suites()}
    return {name: SimpleNamespace(name=name, title=one["title"]) for name, one in read.items()}


def _model(one: Any) -> str:
    return one.title + (f" (extra: {one.extra})" if one.extra else "")


# The entries of each kind, and what one of them means
KINDS: dict[str, tuple[Callable[[], Mapping[str, Any]], Callable[[Any], str]]] = {
    "suites": (_suites, lambda one: one.title.partition(": ")[2]),
    "models": (named("ser_classic.models", "MODELS"), _model),
    "protocols": (
        named("ser_classic.protocols", "PROTOCOLS"),
        lambda one: one.title + (f"; {one.knows.label}" if one.knows.by else ""),
    ),
    "tracks": (named("ser_classic.tracks", "TRACKS"), lambda one: one.title),
    "regressors": (named("ser_classic.models", "REGRESSORS"), _model),
}
OTHERS = {"corpora": corpora.list_corpora, "features": features.list_features}
Kind = StrEnum("Kind", [*KINDS, *OTHERS])


def _rows(kind: str) -> Iterator[tuple[str, str]]:
    """Names and meanings; a family of protocols is one row."""
    entries, meaning = KINDS[kind]
    families: dict[str, list[Any]] = {}
    for name, one in entries().items():
        families.setdefault(getattr(one, "family", "") or name, []).append(one)
    for name, (first, *others) in families.items():
        count = f"{1 + len(others)} protocols, first {first.name}: " if others else ""
        yield name, count + meaning(first)


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help=", ".join(Kind) + ".", show_default="all kinds")] = None,
    as_json: options.Json = False,
) -> None:
    """List the names that other commands take, or those of one kind with their meanings."""
    if kind in OTHERS:
        return OTHERS[kind](as_json=as_json)
    if kind is not None:
        facts = [
            {
                name: value
                for name, value in vars(one).items()
                if value is None or isinstance(value, str | int)
            }
            for one in KINDS[kind][0]().values()
        ]
        return show(Table((kind, ""), tuple(_rows(kind))), facts, as_json)
    names = {each: [name for name, _ in _rows(each)] for each in KINDS}
    names |= {"corpora": [*options.CORPORA()], "features": [*options.FEATURES()]}
    show(Table(("kind", ""), [(each, ", ".join(found)) for each, found in names.items()]), names, as_json)
