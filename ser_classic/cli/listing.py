"""`ser-classic list`: the names that other commands take, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from ser_classic.cli import options
from ser_classic.cli.printing import show
from ser_classic.tables import Table

Listed = Iterator[tuple[str, str, dict[str, Any]]]  # name ("" for no row), meaning, facts for JSON


def _suites() -> Listed:
    import tomllib

    from ser_classic.experiment.suites import SHIPPED, suites

    for name in suites():
        title = tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8"))["title"]
        yield name, title.partition(": ")[2], {"name": name, "title": title}


def _models(regressors: bool = False) -> Listed:
    from ser_classic.models import MODELS, REGRESSORS

    for name, model in (REGRESSORS if regressors else MODELS).items():
        facts = {"name": name, "title": model.title, "takes": model.takes.name, "extra": model.extra}
        yield name, model.title + (f" (extra: {model.extra})" if model.extra else ""), facts


def _protocols() -> Listed:
    from ser_classic.protocols import PROTOCOLS, families

    named = families()
    for name, protocol in PROTOCOLS.items():
        family, independent = protocol.family, protocol.unit is not None
        facts = {"name": name, "title": protocol.title, "track": protocol.track, "independent": independent}
        facts["family"] = family or None
        text = protocol.title + (f"; {protocol.knows.label}" if protocol.knows.by else "")
        if not family:
            yield name, text, facts
        elif named[family][0] is protocol:
            yield family, f"{len(named[family])} protocols, first {name}: {text}", facts
        else:
            yield "", "", facts


def _tracks() -> Listed:
    from dataclasses import asdict

    from ser_classic.tracks import TRACKS

    for name, track in TRACKS.items():
        yield name, track.title, asdict(track)


LISTED: dict[str, Callable[[], Listed]] = {
    "suites": _suites,
    "models": _models,
    "protocols": _protocols,
    "tracks": _tracks,
    "regressors": lambda: _models(regressors=True),
}
Kind = StrEnum("Kind", [*LISTED])


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help=", ".join(Kind) + ".", show_default="all kinds")] = None,
    as_json: options.Json = False,
) -> None:
    """List the names that other commands take, or those of one kind with their meanings."""
    if kind is not None:
        listed = list(LISTED[kind]())
        rows = [(name, text) for name, text, _ in listed if name]
        return show(Table((kind, ""), rows), [facts for *_, facts in listed], as_json)
    from ser_classic.corpora import CORPORA
    from ser_classic.features import FEATURES

    names = {each: [name for name, *_ in list_kind() if name] for each, list_kind in LISTED.items()}
    names |= {"corpora": [*CORPORA], "features": [*FEATURES]}
    show(Table(("kind", ""), [(each, ", ".join(found)) for each, found in names.items()]), names, as_json)
    if not as_json:
        print("More: ser-classic list KIND, corpora list, features list")
