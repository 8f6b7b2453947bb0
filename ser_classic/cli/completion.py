"""Completion of values in a shell: names of the tables, of suites and of stored runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import typer

Complete = Callable[[str], list[str]]


def among(*names: str) -> Complete:
    """A few fixed words."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def _table(module: str, table: str) -> Complete:
    """Names in a table of the package, which is imported when they are wanted."""

    def complete(incomplete: str) -> list[str]:
        return among(*getattr(importlib.import_module(module), table))(incomplete)

    return complete


corpora = _table("ser_classic.corpora", "CORPORA")
features = _table("ser_classic.features", "FEATURES")
models = _table("ser_classic.models", "MODELS")
protocols = _table("ser_classic.protocols", "PROTOCOLS")
metrics = _table("ser_classic.metrics", "COUNT_METRICS")
OF_OPTIONS = {
    "--corpus": corpora,
    "--features": features,
    "--metric": metrics,
    "--model": models,
    "--protocol": protocols,
}


def suites(incomplete: str) -> list[str]:
    """Suites that come with the package."""
    from ser_classic.experiment.suites import suites as shipped

    return among(*shipped())(incomplete)


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Ids of the runs under --results."""
    folder = Path(context.params["results"]) / "runs"
    return among(*sorted(path.name for path in folder.glob("*")))(incomplete)
