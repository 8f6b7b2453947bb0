"""Folds: fit on the training clips, predict the test clips."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ser_classic.adaptation import adapt_few, drawn
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features.inputs import Features, joined
from ser_classic.models import Model
from ser_classic.models.regressors import model_for
from ser_classic.models.tuning import Fitted, fit, plain
from ser_classic.protocols import PROTOCOLS, Fold, Protocol
from ser_classic.runtime.engines import Engine
from ser_classic.runtime.progress import track
from ser_classic.runtime.provenance import machine

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave: guesses for its test clips, and how they were reached."""

    guess: np.ndarray  # words, or numbers where a dimension is predicted [shape=(test clips,)]
    probabilities: pd.DataFrame | None  # [shape=(test clips, emotions)]; None where the model has none
    chosen: dict[str, Any]  # on the training clips, by its name
    tuned: bool  # whether in inner folds; else parameters are the stated defaults
    fit_seconds: float  # [s] of processor time; tuning counts as fitting
    predict_seconds: float  # [s] of processor time
    size: int  # [bytes] of the fitted pipeline
    curves: pd.DataFrame | None  # an epoch a row, of a network
    machine: dict[str, Any]  # see `provenance.machine`

    def __str__(self) -> str:
        epochs = ""
        if self.curves is not None:
            epochs = f", {len(self.curves)} epochs of {self.curves['seconds'].mean():.2f} s"
        chosen = ", ".join(f"{name} {value}" for name, value in self.chosen.items()) or "nothing to choose"
        return f"fitted in {self.fit_seconds:.1f} s{epochs}; {chosen}"


@dataclass(frozen=True)
class Trial:
    """A model under a protocol, on clips whose features are there: what folds are run on."""

    name: str  # in the log
    # Of the clips that the folds count, in parts: those of several corpora lie on disk each and are joined by
    # the process that needs them, or those of every pair of corpora would be in memory together.
    features: tuple[Features, ...]
    labels: pd.DataFrame  # of the same clips: corpus, speaker and what is predicted
    folds: Sequence[Fold]
    model: Model | str
    protocol: Protocol | str  # by whose track, clips heard and leakiness the folds are run
    seed: int = 0
    degraded: Features | None = None  # of the clips as the protocol degrades them: what is tested
    # Of degraded copies of the training clips, each trained on beside its clip, of the same speaker; of all
    # clips that the folds count, or of the first of them, up to the last training clip.
    copies: Sequence[tuple[Features, ...]] = ()


@dataclass(frozen=True)
class Learned:
    """What came of the training clips of a fold."""

    fitted: Fitted
    features: Features  # on which it was fitted: of the training clips, and of their copies
    speakers: np.ndarray | None  # of the same; where unknown None, or with copies the clip that each is of
    truth: np.ndarray  # of the same: what is predicted
    scaled: Features  # of all clips, as a model of this track is given them
    seconds: float  # of processor time


def learn(trial: Trial, fold: Fold) -> Learned:
    """Fit on the training clips of a fold, tuned within them."""
    (model, protocol), labels = _entries(trial), trial.labels
    speakers = None if labels["speaker"].isna().any() else labels["speaker"].to_numpy(dtype=str)
    own = _scaled_by(trial)
    features = joined(trial.features)
    if own is not None and protocol.heard is not None:
        heard = drawn(own, protocol.heard, trial.seed)
        values = adapt_few(features.values, own, fold.train, heard, features.lengths)
        scaled = replace(features, values=values)
    else:
        scaled = features.adapted(own)
    parts = [scaled]
    for copy in map(joined, trial.copies):
        parts.append(copy.adapted(None if own is None else own[: len(copy.clips)]))
    trained = joined([part.take(fold.train) for part in parts])
    rows = np.tile(fold.train, len(parts))
    target = labels.iloc[:, -1]
    truth = target.to_numpy(dtype=float if target.dtype.kind == "f" else str)[rows]
    owners = None if speakers is None else speakers[rows]
    if owners is None and trial.copies:
        owners = rows  # a clip and its copies are tuned on together, or held out together
    model.pipeline(trial.seed)  # so that the seconds hold no imports
    table = trained.table
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an optimiser at its iteration limit is a stated setting here
        fitted = fit(
            model,
            table,
            truth,
            owners,
            trial.seed,
            protocol.leaky,
            None if fold.dev is None else np.flatnonzero(np.isin(rows, fold.dev)),
            labels["corpus"].to_numpy(dtype=str)[rows] if len(protocol.trained_on) > 1 else None,
        )
    return Learned(fitted, trained, owners, truth, scaled, time.process_time() - started)


def run_alike(trials: Sequence[Trial], number: int) -> list[FoldResult]:
    """Fit on the training clips of a fold, and predict its test clips.

    The trials are alike but for how their test clips are degraded: one fit serves them all.
    """
    first, fold = trials[0], trials[0].folds[number]
    learned = learn(first, fold)
    model, _ = _entries(first)
    fitted = learned.fitted
    size = fitted.size
    results = []
    for trial in trials:
        features = learned.scaled if trial.degraded is None else trial.degraded.adapted(_scaled_by(trial))
        tested = features.take(fold.test).table
        begun = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            guess, probabilities = _predicted(model, fitted, tested, learned.truth)
        results.append(
            FoldResult(
                guess,
                probabilities,
                plain(fitted.chosen),
                fitted.tuned,
                learned.seconds,
                time.process_time() - begun,
                size,
                fitted.curves,
                machine(),
            )
        )
    return results


def run_folds(
    run: Callable[[Sequence[Trial], int], list[Result]], groups: Sequence[Sequence[Trial]], engine: Engine
) -> Iterator[tuple[int, list[list[Result]]]]:
    """Run every fold of groups of trials; yield each group's number when its last fold is done.

    With it comes, for each fold, what `run` (group, number of the fold) gave for each trial of the group; it
    is `run_alike`, or a function around it.
    """
    tasks = [
        (trials, number, fold, run)
        for number, trials in enumerate(groups)
        for fold in range(len(trials[0].folds))
    ]
    found: dict[int, dict[int, list[Result]]] = {number: {} for number in range(len(groups))}
    for number, fold, results in track(engine.run(_numbered, tasks, "folds"), len(tasks), "folds"):
        for trial, result in zip(groups[number], results, strict=True):
            logger.info(f"{trial.name}: fold {trial.folds[fold].name}: {result}")
        found[number][fold] = results
        if len(found[number]) == len(groups[number][0].folds):
            by_fold = found.pop(number)
            yield number, [by_fold[fold] for fold in sorted(by_fold)]


def _numbered(
    trials: Sequence[Trial], number: int, fold: int, run: Callable[[Sequence[Trial], int], list[Result]]
) -> tuple[int, int, list[Result]]:
    return number, fold, run(trials, fold)


def _entries(trial: Trial) -> tuple[Model, Protocol]:
    """Model and protocol of a trial."""
    model, protocol = trial.model, trial.protocol
    return (
        model_for(str(trial.labels.columns[-1]), model) if isinstance(model, str) else model,
        PROTOCOLS[protocol] if isinstance(protocol, str) else protocol,
    )


def _scaled_by(trial: Trial) -> np.ndarray | None:
    """The speakers by whom features are z-scored, on the adapted track."""
    adapted = _entries(trial)[1].track == "adapted"
    return trial.labels["speaker"].to_numpy(dtype=str) if adapted else None


def _predicted(
    model: Model, fitted: Fitted, tested: pd.DataFrame | np.ndarray, truth: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame | None]:
    """For every clip a guess and chances, of the emotions that were trained; or a number."""
    with wrap_errors(f"{model.name} cannot predict these {len(tested)} clips"):
        guess, probabilities = np.asarray(fitted.estimator.predict(tested)), fitted.probabilities(tested)
        if guess.shape != (len(tested),):
            raise SerClassicError(
                f"{model.name} gives guesses of shape {guess.shape} for {len(tested)} clips"
            )
        if truth.dtype.kind == "f":
            if not np.isfinite(guess).all():
                raise SerClassicError(f"{model.name} predicts values that are not numbers")
            return guess, None
        known = set(truth)
        if foreign := set(guess) - known:
            raise SerClassicError(
                f"{model.name} guesses {str(foreign.pop())!r}, which is not the emotion of any training clip"
            )
        if probabilities is not None and len(probabilities) != len(tested):
            raise SerClassicError(
                f"{model.name} gives {len(probabilities)} rows of probabilities for {len(tested)} clips"
            )
        if probabilities is not None and sorted(probabilities) != sorted(known):
            raise SerClassicError(
                f"{model.name} gives probabilities of {', '.join(map(str, probabilities))}; expected one of "
                f"every emotion that was trained: {', '.join(sorted(known))}"
            )
    return guess, probabilities
