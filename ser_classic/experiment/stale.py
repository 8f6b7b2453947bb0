"""Stale runs: how a stored run differs from what today's tables would give for its cell."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import Cell, parameters_of_protocol
from ser_classic.features import FEATURES
from ser_classic.models import MODELS, REGRESSORS
from ser_classic.protocols import PROTOCOLS
from ser_classic.vocabulary import EMOTION

DEFAULTS = {"version": 1}  # of fields missing from older records; for all others null
SET = "model.parameters."  # of the estimator; compared only if the model sets them, then and now
LONGEST = 40  # letters of a value that is shown


def differences(record: Mapping[str, Any], clips: Callable[[str], str | None]) -> dict[str, str]:
    """How a stored run differs from what would be run today, by name, such as `features.version`.

    `clips` gives the digest of today's clips table of a corpus, None if it is unknown. What cannot be
    compared counts as equal: a part missing from the record, a model whose optional library is not installed
    or whose entry is broken, a table of features that was not given. A protocol's title is not compared, nor
    is what differs between machines and library versions while the tables stay the same: digests of features,
    versions, and estimator parameters that the model does not set.
    """
    cell = Cell.of(record)
    recorded = record.get("parameters", {})
    found = {}
    for part, table, name in (
        ("features", FEATURES, cell.features),
        ("model", MODELS if cell.target == EMOTION else REGRESSORS, cell.model),
        ("protocol", PROTOCOLS, cell.protocol),
    ):
        brought = record.get("brought", ()) if part == "features" else ()
        if part in recorded and not all(each in brought or each in table for each in name.split("+")):
            found[part] = f"{name} no longer exists"
    if not found and recorded:
        found = dict(_differing(recorded, _today(cell, recorded)))
    digests = record.get("digests", {})
    for name, recorded_of in (
        ("clips", {cell.corpus: digests.get("clips")}),
        ("trained_clips", digests.get("trained_clips", {})),
    ):
        others = [
            corpus for corpus, digest in recorded_of.items() if digest and clips(corpus) not in (None, digest)
        ]
        if others:
            found[name] = f"{', '.join(others)} changed"
    return found


def summary(each: Iterable[Mapping[str, str]]) -> str:
    """What differs in several runs, and in how many: `features.version 36, clips 2`."""
    counts = Counter(what for found in each for what in found)
    return ", ".join(f"{what} {count}" for what, count in counts.items())


def _today(cell: Cell, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a cell by today's tables, as JSON."""
    features = recorded.get("features", {})
    names, parts = cell.features.split("+"), features.get("parts", [features])
    # A table of features that was not given counts as unchanged
    parts = [
        FEATURES[name].parameters if name in FEATURES else part
        for name, part in zip(names, parts, strict=True)
    ]
    today: dict[str, Any] = {"features": {**features, "parts": parts} if len(parts) > 1 else parts[0]}
    with contextlib.suppress(SerClassicError):  # a missing library, or a broken entry
        today["model"] = cell.entry.stated(cell.seed)
    return json.loads(json.dumps(today | parameters_of_protocol(cell), default=str))


def _differing(recorded: Mapping[str, Any], today: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of parameters that differ, such as `features.version`, each with both values in words."""
    both = [part for part in today if part in recorded]
    then, now = (
        {where: value for part in both for where, value in _values(each[part], part)}
        for each in (recorded, today)
    )
    for where in dict.fromkeys([*then, *now]):
        if where == "protocol.title" or (where.startswith(SET) and not (where in then and where in now)):
            continue
        one, two = (each.get(where, DEFAULTS.get(where.rpartition(".")[2])) for each in (then, now))
        if where == "protocol.degraded_by" and one and two:  # not the version of the coder
            one, two = (each.partition(".libsndfile-")[0] for each in (one, two))
        if one != two:
            values = [json.dumps(value, ensure_ascii=False) for value in (one, two)]
            short = max(map(len, values)) <= LONGEST
            yield where, f"{values[0]}, now {values[1]}" if short else "other values than now"


def _values(content: Any, where: str) -> Iterator[tuple[str, Any]]:
    """The values of nested tables, by the names that lead to them."""
    if not isinstance(content, dict):
        yield where, content
    else:
        for key, value in content.items():
            yield from _values(value, f"{where}.{key}")
