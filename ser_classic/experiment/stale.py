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
LONGEST = 40  # letters of a value that is shown


def differences(record: Mapping[str, Any], clips: Callable[[str], str | None]) -> dict[str, str]:
    """How a stored run differs from what would be run today, by what: `features.version`.

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
        found = dict(_differing(*_comparable(cell, recorded)))
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


def _comparable(cell: Cell, recorded: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a record and today's tables both contain of a cell, without what may differ."""
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
    today = json.loads(json.dumps(today | parameters_of_protocol(cell), default=str))
    both = [part for part in today if part in recorded]
    then, now = ({part: dict(each[part]) for part in both} for each in (recorded, today))
    for protocol in (each["protocol"] for each in (then, now) if "protocol" in each):
        protocol.pop("title", None)
        coder = protocol.get("degraded_by")
        protocol["degraded_by"] = coder and coder.partition(".libsndfile-")[0]
    if "model" in both:
        models = then["model"], now["model"]
        shared = sorted(set.intersection(*(set(model.get("parameters", ())) for model in models)))
        for model in models:
            model["parameters"] = {name: model["parameters"][name] for name in shared}
    return then, now


def _differing(then: Any, now: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*then, *now]):
            one, two = (each.get(key, DEFAULTS.get(key)) for each in (then, now))
            yield from _differing(one, two, f"{where}.{key}" if where else key)
    elif then != now:
        values = [json.dumps(value, ensure_ascii=False) for value in (then, now)]
        short = max(map(len, values)) <= LONGEST
        yield where, f"{values[0]}, now {values[1]}" if short else "others than now"
