"""One fold of a run: fit on its training clips, predict its test clips."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.adaptation import adapt, adapt_few, drawn
from ser_classic.errors import blaming
from ser_classic.features.extraction import Features
from ser_classic.models import Model, ModelError
from ser_classic.models.tuning import Fitted, fit, plain
from ser_classic.protocols import Fold, Protocol
from ser_classic.runtime.provenance import machine


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave: guesses for its test clips, and how they were reached.

    Attributes
    ----------
    guess : np.ndarray of str [shape=(test clips,)]
    probabilities : pd.DataFrame [shape=(test clips, emotions)] or None
        None where the model has none.
    chosen : dict
        What was chosen on the training clips, by its name.
    tuned : bool
        Whether the parameters were chosen in inner folds; else they are the stated defaults.
    fit_seconds, predict_seconds : float [s]
        Of processor time; tuning counts as fitting.
    size : int [bytes]
        Of the fitted pipeline.
    curves : pd.DataFrame or None
        An epoch a row, of a network; None for all others.
    machine : dict
        On which it was reached; see `provenance.machine`.
    """

    guess: np.ndarray
    probabilities: pd.DataFrame | None
    chosen: dict[str, Any]
    tuned: bool
    fit_seconds: float
    predict_seconds: float
    size: int
    curves: pd.DataFrame | None
    machine: dict[str, Any]


def run_fold(
    features: Features,
    labels: pd.DataFrame,
    model: Model,
    protocol: Protocol,
    fold: Fold,
    seed: int = 0,
    degraded: Features | None = None,
) -> FoldResult:
    """Fit on the training clips of a fold, tuned within them, and predict its test clips.

    Parameters
    ----------
    features : Features
        Of the clips that the fold counts.
    labels : pd.DataFrame
        Columns speaker and emotion, of the same clips in the same order.
    model : Model
    protocol : Protocol
        By whose track, clips heard and leakiness the fold is run.
    fold : Fold
    seed : int
    degraded : Features, optional
        Of the clips as the protocol degrades them: what is tested.

    Raises
    ------
    ModelError
        The model cannot be fitted to these clips, or what it predicts is no answer to each of them.
    """
    emotions = labels["emotion"].to_numpy(dtype=str)
    speakers = None if labels["speaker"].isna().any() else labels["speaker"].to_numpy(dtype=str)
    own = speakers if protocol.track == "adapted" else None
    if own is None or protocol.heard is None:
        X = inputs(features, own)
    else:
        heard = drawn(own, protocol.heard, seed)
        X = replace(
            features, values=adapt_few(features.values, own, fold.train, heard, features.lengths)
        ).table
    model.pipeline(seed)  # so that the seconds below hold no imports
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an optimiser at its iteration limit is a stated setting here
        fitted = fit(
            model,
            _rows(X, fold.train),
            emotions[fold.train],
            None if speakers is None else speakers[fold.train],
            seed,
            protocol.leaky,
            None if fold.dev is None else np.flatnonzero(np.isin(fold.train, fold.dev)),
        )
        fitted_at = time.process_time()
        tested = _rows(X if degraded is None else inputs(degraded, own), fold.test)
        guess, probabilities = _predicted(model, fitted, tested, set(emotions[fold.train]))
    return FoldResult(
        guess,
        probabilities,
        plain(fitted.chosen),
        fitted.tuned,
        fitted_at - started,
        time.process_time() - fitted_at,
        fitted.size,
        fitted.curves,
        machine(),
    )


def _predicted(
    model: Model, fitted: Fitted, tested: pd.DataFrame | np.ndarray, known: set[str]
) -> tuple[np.ndarray, pd.DataFrame | None]:
    """For every clip a guess and chances, of the emotions that were trained."""
    with blaming(f"{model.name} cannot predict these {len(tested)} clips", ModelError):
        guess, probabilities = np.asarray(fitted.estimator.predict(tested)), fitted.probabilities(tested)
        if guess.shape != (len(tested),):
            raise ModelError(f"{model.name} gives guesses of shape {guess.shape} for {len(tested)} clips")
        if foreign := set(guess) - known:
            raise ModelError(f"{model.name} guesses {str(foreign.pop())!r}, of which no training clip is")
        if probabilities is not None and len(probabilities) != len(tested):
            raise ModelError(
                f"{model.name} gives {len(probabilities)} rows of probabilities for {len(tested)} clips"
            )
        if probabilities is not None and sorted(probabilities) != sorted(known):
            raise ModelError(
                f"{model.name} gives probabilities of {', '.join(map(str, probabilities))}; expected one of "
                f"every emotion that was trained: {', '.join(sorted(known))}"
            )
    return guess, probabilities


def inputs(features: Features, speakers: np.ndarray | None) -> pd.DataFrame | np.ndarray:
    """A DataFrame of vectors or an object array of sequences, z-scored by speaker where they are given."""
    if speakers is None:
        return features.table
    owners = speakers if features.lengths is None else np.repeat(speakers, features.lengths)
    return replace(features, values=adapt(features.values, owners)).table


def _rows(X: pd.DataFrame | np.ndarray, rows: np.ndarray) -> pd.DataFrame | np.ndarray:
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
