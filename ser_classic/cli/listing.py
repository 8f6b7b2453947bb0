"""`ser-classic list`: the names that `bench`, `fit` and `folds` take, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import options

if TYPE_CHECKING:
    from ser_classic.models import Model


class Kind(StrEnum):
    """What can be listed."""

    models = "models"
    regressors = "regressors"
    protocols = "protocols"
    suites = "suites"


def list_names(
    kind: Annotated[Kind, typer.Argument(help="models, regressors, protocols or suites.")],
    as_json: options.Json = False,
) -> None:
    """List models, regressors (of dimensions), protocols or suites; also: `features list`, `corpora list`."""
    import json

    listed = {
        Kind.models: _models,
        Kind.regressors: _regressors,
        Kind.protocols: _protocols,
        Kind.suites: _suites,
    }
    entries, rows = listed[kind]()
    if as_json:
        print(json.dumps([{"name": name, **facts} for name, facts in entries.items()]))
        return
    from rich.console import Console

    from ser_classic.tables import Table

    Console().print(Table((kind.value, ""), tuple(rows)).terminal())
    if any(facts.get("extra") for facts in entries.values()):
        print("An extra: pip install 'ser-classic[NAME]'")


Listed = tuple[dict[str, dict[str, object]], list[tuple[str, str]]]  # facts by name, and rows of the table


def _models() -> Listed:
    from ser_classic.models import MODELS

    return _described(MODELS)


def _regressors() -> Listed:
    from ser_classic.models.regressors import REGRESSORS

    return _described(REGRESSORS)


def _described(table: Mapping[str, Model]) -> Listed:
    entries = {
        name: {"title": model.title, "takes": model.takes.name, "extra": model.extra}
        for name, model in table.items()
    }
    return entries, [
        (name, f"{facts['title']}; needs the extra {facts['extra']}" if facts["extra"] else facts["title"])
        for name, facts in entries.items()
    ]


def _protocols() -> Listed:
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
        (name, f"{facts['title']}{'; adapted' if facts['track'] == 'adapted' else ''}")
        for name, facts in entries.items()
        if not facts["family"]
    ]
    for family, members in families().items():
        rows.append((family, f"{len(members)}, from {members[0].name}: {members[0].title}"))
    return entries, rows


def _suites() -> Listed:
    import tomllib

    from ser_classic.experiment.suites import SHIPPED, suites

    titles = {
        name: tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8"))["title"] for name in suites()
    }
    entries: dict[str, dict[str, object]] = {name: {"title": title} for name, title in titles.items()}
    return entries, [(name, title.partition(": ")[2]) for name, title in titles.items()]
