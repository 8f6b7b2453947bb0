"""Records: what is stored of a cell, including how its predictions were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ser_classic.experiment.cells import Cell
from ser_classic.experiment.fold import FoldResult, Trial
from ser_classic.features import FEATURES
from ser_classic.runtime.provenance import machine, versions
from ser_classic.vocabulary import EMOTION


def new_record(cell: Cell) -> dict[str, Any]:
    """Record of a cell before it is run; parameters, digests and results are added to it."""
    features = FEATURES[cell.features]
    brought = [part.name for part in features.parts if part.brought]
    return {
        **cell.record,
        **({"brought": brought} if brought else {}),
        "parameters": {},
        "digests": {},
        "versions": versions(cell.entry.extra) | versions(features.extra),
        "machine": machine(),
    }


def results_of(trial: Trial, done: Sequence[FoldResult]) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """What a record says of folds that are all done, and the curves of networks."""
    each = list(zip(trial.folds, done, strict=True))
    results = {
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
        results["machines"] = [result.machine for result in done]  # in the order of the folds
    curves = {fold.name: result.curves for fold, result in each}
    if any(curve is None for curve in curves.values()):
        return results, None
    return results, pd.concat(curves, names=["fold"]).reset_index("fold").reset_index(drop=True)


def predictions_of(trial: Trial, done: Sequence[FoldResult]) -> pd.DataFrame:
    """Predictions of all folds: columns fold, clip, guess and `p_<emotion>` where there are probabilities.

    For a dimension, its name takes the place of `guess`.
    """
    clips, target = trial.labels.index, trial.labels.columns[-1]
    name = "guess" if target == EMOTION else target
    parts = []
    for fold, result in zip(trial.folds, done, strict=True):
        part = pd.DataFrame({"fold": fold.name, "clip": clips[fold.test], name: result.guess})
        if result.probabilities is not None:
            probabilities = result.probabilities.add_prefix("p_")
            part = pd.concat([part, probabilities.set_axis(part.index)], axis=1)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
