"""Records: what is stored of a cell, including how its predictions were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ser_classic.experiment.fold import FoldResult
from ser_classic.experiment.preparation import Work
from ser_classic.features import FEATURES
from ser_classic.protocols import PROTOCOLS, Fold
from ser_classic.runtime.provenance import machine, versions
from ser_classic.store import SCHEMA
from ser_classic.vocabulary import EMOTION


def finished(
    work: Work, done: Sequence[FoldResult]
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame | None]:
    """Record, predictions and curves of a cell whose folds are all done, as `store.write_run` takes them."""
    folds = work.trial.folds
    each = list(zip(folds, done, strict=True))
    record = _new_record(work, "ok") | {
        "folds": [
            {"fold": fold.name, "train": len(fold.train), "test": len(fold.test)}
            | {"tuned": result.tuned, "chosen": result.chosen}
            for fold, result in each
        ],
        "fit_seconds": round(sum(result.fit_seconds for result in done), 3),
        "predict_seconds": round(sum(result.predict_seconds for result in done), 3),
        "size": max(result.size for result in done),
        "machine": done[0].machine,
    }
    if any(result.machine != done[0].machine for result in done):
        record["machines"] = [result.machine for result in done]  # in the order of the folds
    predictions = predictions_of(work.trial.labels.index, folds, done, work.cell.target)
    curves = {fold.name: result.curves for fold, result in each}
    if any(curve is None for curve in curves.values()):
        return record, predictions, None
    return record, predictions, pd.concat(curves, names=["fold"]).reset_index("fold").reset_index(drop=True)


def failed(work: Work) -> dict[str, Any]:
    """Record of a cell that failed, with its error."""
    return _new_record(work, "failed") | {"error": work.error}


def predictions_of(
    clips: pd.Index, folds: Sequence[Fold], done: Sequence[FoldResult], target: str = EMOTION
) -> pd.DataFrame:
    """Predictions of all folds: columns fold, clip, guess and `p_<emotion>` where there are probabilities.

    For a dimension, its name takes the place of `guess`.
    """
    name = "guess" if target == EMOTION else target
    parts = []
    for fold, result in zip(folds, done, strict=True):
        part = pd.DataFrame({"fold": fold.name, "clip": clips[fold.test], name: result.guess})
        if result.probabilities is not None:
            probabilities = result.probabilities.add_prefix("p_")
            part = pd.concat([part, probabilities.set_axis(part.index)], axis=1)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _new_record(work: Work, status: str) -> dict[str, Any]:
    cell, protocol = work.cell, PROTOCOLS[work.cell.protocol]
    brought = [part.name for part in FEATURES[cell.features].parts if part.brought]
    return {
        "schema": SCHEMA,
        "id": cell.id,
        **cell.names,
        "status": status,
        "track": protocol.track,
        "leaky": protocol.leaky,
        "base": protocol.base,
        "independent": protocol.independent,
        **protocol.conditions(cell.corpus),
        **({"brought": brought} if brought else {}),
        "parameters": work.parameters,
        "digests": work.digests,
        "versions": versions(cell.entry.extra) | versions(FEATURES[cell.features].extra),
        "machine": machine(),
    }
