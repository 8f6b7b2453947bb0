"""One fold of a run: fit on its training clips, predict its test clips."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
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
    guess : np.ndarray of str, or of numbers where a dimension is predicted [shape=(test clips,)]
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
    copies: Sequence[Features] = (),
) -> FoldResult:
    """Fit on the training clips of a fold, tuned within them, and predict its test clips.

    Parameters
    ----------
    features : Features
        Of the clips that the fold counts.
    labels : pd.DataFrame
        Columns speaker and what is predicted (emotion, or a dimension in numbers), of the same clips in the
        same order.
    model : Model
    protocol : Protocol
        By whose track, clips heard and leakiness the fold is run.
    fold : Fold
    seed : int
    degraded : Features, optional
        Of the clips as the protocol degrades them: what is tested.
    copies : sequence of Features
        Of degraded copies of the training clips, each trained on beside its clip and of the same speaker; of
        all clips that the fold counts, or of the first of them, up to the last training clip.

    Raises
    ------
    ModelError
        The model cannot be fitted to these clips, or what it predicts is no answer to each of them.
    """
    return run_alike(features, labels, model, protocol, fold, seed, [degraded], copies)[0]


def run_alike(
    features: Features,
    labels: pd.DataFrame,
    model: Model,
    protocol: Protocol,
    fold: Fold,
    seed: int,
    degraded: Sequence[Features | None],
    copies: Sequence[Features],
) -> list[FoldResult]:
    """As `run_fold`, a result for each way in which the test clips are degraded: one fit serves them all."""
    target = labels.drop(columns="speaker").squeeze(axis=1)
    truth = target.to_numpy(dtype=float if target.dtype.kind == "f" else str)
    speakers = None if labels["speaker"].isna().any() else labels["speaker"].to_numpy(dtype=str)
    own = speakers if protocol.track == "adapted" else None
    if own is None or protocol.heard is None:
        X = inputs(features, own)
    else:
        heard = drawn(own, protocol.heard, seed)
        X = replace(
            features, values=adapt_few(features.values, own, fold.train, heard, features.lengths)
        ).table
    trained = [_rows(X, fold.train)]
    for copy in copies:
        of_copy = None if own is None else own[: len(copy.clips)]
        trained.append(_rows(inputs(copy, of_copy), fold.train))
    rows = np.tile(fold.train, len(trained))
    model.pipeline(seed)  # so that the seconds below hold no imports
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an optimiser at its iteration limit is a stated setting here
        fitted = fit(
            model,
            one_below_the_other(trained),
            truth[rows],
            None if speakers is None else speakers[rows],
            seed,
            protocol.leaky,
            None if fold.dev is None else np.flatnonzero(np.isin(rows, fold.dev)),
            corpora_of(speakers[rows]) if len(protocol.trained_on) > 1 else None,
        )
        fitted_at = time.process_time()
        answers = []
        for part in degraded:
            tested = _rows(X if part is None else inputs(part, own), fold.test)
            begun = time.process_time()
            answers.append((*_predicted(model, fitted, tested, truth[rows]), time.process_time() - begun))
    size = fitted.size
    return [
        FoldResult(
            guess,
            probabilities,
            plain(fitted.chosen),
            fitted.tuned,
            fitted_at - started,
            seconds,
            size,
            fitted.curves,
            machine(),
        )
        for guess, probabilities, seconds in answers
    ]


def _predicted(
    model: Model, fitted: Fitted, tested: pd.DataFrame | np.ndarray, truth: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame | None]:
    """For every clip a guess and chances, of the emotions that were trained; or a number."""
    with blaming(f"{model.name} cannot predict these {len(tested)} clips", ModelError):
        guess, probabilities = np.asarray(fitted.estimator.predict(tested)), fitted.probabilities(tested)
        if guess.shape != (len(tested),):
            raise ModelError(f"{model.name} gives guesses of shape {guess.shape} for {len(tested)} clips")
        if truth.dtype.kind == "f":
            if not np.isfinite(guess).all():
                raise ModelError(f"{model.name} gives what is no number")
            return guess, None
        known = set(truth)
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


def corpora_of(speakers: np.ndarray) -> np.ndarray:
    """Corpus of every speaker; his name begins with it."""
    return np.array([speaker.partition("/")[0] for speaker in speakers])


def _rows(X: pd.DataFrame | np.ndarray, rows: np.ndarray) -> pd.DataFrame | np.ndarray:
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def one_below_the_other(parts: list[pd.DataFrame | np.ndarray]) -> pd.DataFrame | np.ndarray:
    """What a model takes of clips and of their copies, in one table or array."""
    if len(parts) == 1:
        return parts[0]
    return pd.concat(parts) if isinstance(parts[0], pd.DataFrame) else np.concatenate(parts)
