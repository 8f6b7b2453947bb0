"""One experiment without a store: a model under a protocol."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import labels_of
from ser_classic.experiment.fold import FoldResult, run_fold
from ser_classic.experiment.records import predictions_of
from ser_classic.features.extraction import Features
from ser_classic.models import Model
from ser_classic.protocols import Protocol
from ser_classic.runtime.engines import ALONE, Engine
from ser_classic.runtime.files import DRAFT
from ser_classic.runtime.progress import track, working


def evaluate(
    clips: pd.DataFrame,
    features: Features,
    model: Model,
    protocol: Protocol,
    seed: int = 0,
    degraded: Features | None = None,
    copies: Sequence[Features] = (),
    engine: Engine = ALONE,
) -> pd.DataFrame:
    """Predictions of one model under one protocol.

    Parameters
    ----------
    clips : pd.DataFrame
        A clips table; where the protocol trains on another corpus, the clips of both.
    features : Features
        Of the same clips, in the same order.
    model, protocol, seed
        Entries of MODELS and PROTOCOLS, and the seed of everything random in them.
    degraded : Features, optional
        Of the same clips as the protocol degrades them: what is tested.
    copies : sequence of Features
        Of as many degraded copies of the same clips as the protocol trains on, each by a `training_copy`.
    engine : Engine
        Who runs the folds; see `engines`.

    Returns
    -------
    pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where the model has probabilities.

    Raises
    ------
    SerClassicError
        The clips cannot be dealt so, the features are not of these clips in this order, or the protocol
        degrades them and `degraded` is absent, or trains on another number of copies than are given.
    """
    if (protocol.degradation is None) != (degraded is None):
        raise SerClassicError(
            f"{protocol.name} tests on {protocol.degradation or 'the clips as they are'}; give `degraded`, "
            "the features of the clips so degraded, with a protocol that degrades them, and with no other"
        )
    if len(copies) != (protocol.copies or 0):
        raise SerClassicError(
            f"{protocol.name} trains on {protocol.copies or 'no'} copies of each clip; give `copies`, "
            f"the features of as many, found {len(copies)}"
        )
    for part in (features, degraded, *copies):
        if part is not None and not part.clips.equals(clips.index):
            raise SerClassicError("the features are not of these clips in this order; extract them anew")
    folds = protocol.folds(clips, seed)
    labels = labels_of(clips)
    with tempfile.TemporaryDirectory(prefix=DRAFT) as folder:
        news = Path(folder)
        tasks = [
            (features, number, news, labels, model, protocol, fold, seed, degraded, copies)
            for number, fold in enumerate(folds)
        ]
        done = dict(track(engine.run(_fold, tasks, "folds"), len(tasks), "folds", news))
    return predictions_of(clips.index, folds, [done[number] for number in range(len(folds))])


def _fold(features: Features, number: int, news: Path, *rest: Any) -> tuple[int, FoldResult]:
    with working(news):
        return number, run_fold(features, *rest)
