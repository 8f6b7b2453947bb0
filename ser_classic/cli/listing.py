"""`ser-classic list`: the names that other commands take, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser_classic.cli import corpora, features, options

if TYPE_CHECKING:
    from ser_classic.models import Model

Facts = dict[str, dict[str, Any]]  # by name; `title` is shown
Rows = list[tuple[str, str]]


class Kind(StrEnum):
    """What can be listed."""

    suites = "suites"
    corpora = "corpora"
    features = "features"
    models = "models"
    protocols = "protocols"
    regressors = "regressors"


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help=", ".join(Kind) + ".", show_default="all kinds")] = None,
    as_json: options.Json = False,
) -> None:
    """List the names that other commands take: suites, corpora, features, models, protocols."""
    import json

    if kind is Kind.corpora:
        return corpora.list_corpora(as_json=as_json)
    if kind is Kind.features:
        return features.list_features(as_json)
    if kind is None:
        facts = _names()
        rows = [(name, ", ".join(names)) for name, names in facts.items()]
    else:
        entries, rows = _LISTED[kind]()
        facts = [{"name": name, **entry} for name, entry in entries.items()]
    if as_json:
        print(json.dumps(facts))
        return
    from rich.console import Console

    from ser_classic.tables import Table

    Console().print(Table((kind or "kind", ""), tuple(rows)).terminal())
    if kind is None:
        print("More of one kind: ser-classic list KIND")
    elif kind is Kind.models:
        print("Install an extra with: pip install 'ser-classic[NAME]'")


def _names() -> dict[str, list[str]]:
    from ser_classic.corpora import CORPORA
    from ser_classic.features import FEATURES

    names = {Kind.corpora: [*CORPORA], Kind.features: [*FEATURES]}
    for kind, entries in _LISTED.items():
        names[kind] = [name for name, _ in entries()[1]]
    return {kind.value: names[kind] for kind in Kind}


def _models() -> tuple[Facts, Rows]:
    from ser_classic.models import MODELS

    return _described(MODELS)


def _regressors() -> tuple[Facts, Rows]:
    from ser_classic.models.regressors import REGRESSORS

    return _described(REGRESSORS)


def _described(table: Mapping[str, Model]) -> tuple[Facts, Rows]:
    entries = {
        name: {"title": model.title, "takes": model.takes.name, "extra": model.extra}
        for name, model in table.items()
    }
    return entries, [
        (name, f"{model.title} (extra: {model.extra})" if model.extra else model.title)
        for name, model in table.items()
    ]


def _protocols() -> tuple[Facts, Rows]:
    from ser_classic.protocols import PROTOCOLS, families

    entries = {
        name: {
            "title": protocol.title,
            "track": protocol.track,
            "independent": protocol.unit is not None,
            "family": protocol.family or None,
        }
        for name, protocol in PROTOCOLS.items()
    }
    rows = [
        (name, "; ".join([protocol.title, *([protocol.knows.label] if protocol.knows.by else [])]))
        for name, protocol in PROTOCOLS.items()
        if not protocol.family
    ]
    for family, (first, *others) in families().items():
        rows.append((family, f"{1 + len(others)} protocols, first {first.name}: {first.title}"))
    return entries, rows


def _suites() -> tuple[Facts, Rows]:
    import tomllib

    from ser_classic.experiment.suites import SHIPPED, suites

    titles = {
        name: tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8"))["title"] for name in suites()
    }
    entries = {name: {"title": title} for name, title in titles.items()}
    return entries, [(name, title.partition(": ")[2]) for name, title in titles.items()]


_LISTED = {
    Kind.suites: _suites,
    Kind.models: _models,
    Kind.protocols: _protocols,
    Kind.regressors: _regressors,
}
