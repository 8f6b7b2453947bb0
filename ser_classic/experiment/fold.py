"""Folds: fit on the training clips, predict the test clips, and what is stored of it."""

from __future__ import annotations

import logging
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.adaptation import adapt_few, drawn, evened, self_taught
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features.inputs import Features, joined
from ser_classic.models import Model
from ser_classic.models.tuning import Fitted, fit
from ser_classic.protocols import Fold, Protocol
from ser_classic.runtime.engines import Engine, Result
from ser_classic.runtime.progress import track
from ser_classic.runtime.provenance import machine
from ser_classic.vocabulary import EMOTION

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoldResult:
    """Result of one fold: guesses for its test clips, and how the model was fitted."""

    guess: np.ndarray  # words, or numbers where a dimension is predicted [shape=(test clips,)]
    probabilities: pd.DataFrame | None  # [shape=(test clips, emotions)]; None if the model gives none
    chosen: dict[str, Any]  # parameters chosen on the training clips, by name
    tuned: bool  # in inner folds; else the parameters are the stated defaults
    fit_seconds: float  # [s] of processor time; tuning counts as fitting
    predict_seconds: float  # [s] of processor time
    size: int  # [bytes] of the fitted pipeline
    curves: pd.DataFrame | None  # one row per epoch of a network
    machine: dict[str, Any]  # see `provenance.machine`

    def __str__(self) -> str:
        epochs = ""
        if self.curves is not None:
            epochs = f", {len(self.curves)} epochs of {self.curves['seconds'].mean():.2f} s"
        chosen = ", ".join(f"{name} {value}" for name, value in self.chosen.items()) or "nothing to choose"
        return f"fitted in {self.fit_seconds:.1f} s{epochs}; {chosen}"


Done = FoldResult | SerClassicError  # an error takes the place of a result that failed; others go on


@dataclass(frozen=True)
class Trial:
    """A model under a protocol, on clips with their features: what folds are run on."""

    name: str  # in the log
    # Of the clips that the folds number, one part per corpus. The process that runs a fold joins the parts;
    # joined earlier, the features of every pair of corpora would be in memory together.
    features: tuple[Features, ...]
    labels: pd.DataFrame  # of the same clips: corpus, speaker and what is predicted
    folds: Sequence[Fold]
    model: Model
    protocol: Protocol  # its track, clips heard and leakiness apply to every fold
    seed: int = 0
    degraded: Features | None = None  # of the degraded clips, to test on
    # Of degraded copies, to train on beside the clips. Each covers all clips that the folds number, or the
    # first of them up to the last training clip.
    copies: Sequence[tuple[Features, ...]] = ()
    record: Mapping[str, Any] = field(default_factory=dict)  # of its run, if it is stored

    @property
    def training(self) -> Hashable:
        """What a fit depends on; trials with equal values differ only in what is tested."""
        protocol = self.protocol
        features = tuple(id(part) for parts in (self.features, *self.copies) for part in parts)
        return (
            (self.model.name, self.seed, self.labels.columns[-1], features),
            (protocol.leaky, protocol.heard, protocol.trained_on),
            protocol.knows.by if protocol.knows.method == "scaled" else "",
            tuple(fold.key for fold in self.folds),
        )

    def known_together(self, *methods: str) -> np.ndarray | None:
        """Values of the track's column, such as speakers, if its method is one of these; else None."""
        knows = self.protocol.knows
        return self.labels[knows.by].to_numpy(dtype=str) if knows.method in methods else None


@dataclass(frozen=True)
class Learned:
    """What was learned from the training clips of a fold."""

    fitted: Fitted
    features: Features  # that it was fitted on: of the training clips and their copies
    speakers: np.ndarray | None  # of the same; if unknown None, with copies the original's row
    truth: np.ndarray  # of the same: the target
    scaled: Features  # of all clips, scaled as the track requires
    seconds: float  # of processor time


def learn(trial: Trial, fold: Fold) -> Learned:
    """Fit on the training clips of a fold, tuned within them."""
    model, protocol, labels = trial.model, trial.protocol, trial.labels
    speakers = None if labels["speaker"].isna().any() else labels["speaker"].to_numpy(dtype=str)
    own = trial.known_together("scaled")
    scaled = joined(trial.features)
    if own is not None and protocol.heard is not None:
        heard = drawn(own, protocol.heard, trial.seed)
        values = adapt_few(scaled.values, own, fold.train, heard, scaled.lengths)
        scaled = replace(scaled, values=values)
    else:
        scaled = scaled.adapted(own)
    copies = [
        copy.adapted(None if own is None else own[: len(copy.clips)]) for copy in map(joined, trial.copies)
    ]
    parts = [scaled, *copies]
    trained = joined([part.take(fold.train) for part in parts])
    rows = np.tile(fold.train, len(parts))
    target = labels.iloc[:, -1]
    truth = target.to_numpy(dtype=float if target.dtype.kind == "f" else str)[rows]
    owners = None if speakers is None else speakers[rows]
    if owners is None and trial.copies:
        owners = rows  # keeps a clip and its copies on the same side of every inner fold
    model.pipeline(trial.seed)  # imports what the model needs, before the clock starts
    table = trained.table
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # reaching the iteration limit is expected here
        fitted = fit(
            model,
            table,
            truth,
            owners,
            trial.seed,
            leaky=protocol.leaky,
            dev=None if fold.dev is None else np.flatnonzero(np.isin(rows, fold.dev)),
            corpora=labels["corpus"].to_numpy(dtype=str)[rows] if len(protocol.trained_on) > 1 else None,
        )
    return Learned(fitted, trained, owners, truth, scaled, time.process_time() - started)


def predict(trial: Trial, fold: Fold, learned: Learned) -> FoldResult:
    """Predict the test clips of a fold with what was learned from its training clips.

    It may have been learned for another trial with the same `training`.
    """
    features = learned.scaled
    if trial.degraded is not None:
        features = trial.degraded.adapted(trial.known_together("scaled"))
    tested, fitted = features.take(fold.test), learned.fitted
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guess, probabilities = _predicted(trial.model, fitted, tested.table, learned.truth)
    if (together := trial.known_together("evened", "self_taught")) is not None:
        values = tested.means if trial.protocol.knows.method == "self_taught" else None
        guess, probabilities = _shared(trial.model, probabilities, values, together[fold.test])
    return FoldResult(
        guess,
        probabilities,
        fitted.chosen,
        fitted.tuned,
        learned.seconds,
        time.process_time() - begun,
        fitted.size,
        fitted.curves,
        machine(),
    )


def run_alike(trials: Sequence[Trial], number: int) -> list[Done]:
    """Predict the test clips of a fold for trials with equal `training`, which share what is learned."""
    fold = trials[0].folds[number]
    learned = _or_error(learn, trials[0], fold)
    if isinstance(learned, SerClassicError):
        return [learned] * len(trials)
    return [_or_error(predict, trial, fold, learned) for trial in trials]


def _or_error(function: Callable[..., Result], trial: Trial, *given: object) -> Result | SerClassicError:
    try:
        with wrap_errors(trial.model.name):
            return function(trial, *given)
    except SerClassicError as error:
        return error


def run_folds(groups: Sequence[Sequence[Trial]], engine: Engine) -> Iterator[tuple[int, list[list[Done]]]]:
    """Run every fold of groups of trials by `run_alike`.

    Yields the number of each group when its last fold is done, and for each fold one result per trial.
    """
    tasks = [(place, fold) for place, trials in enumerate(groups) for fold in range(len(trials[0].folds))]
    calls = [(groups[place], fold) for place, fold in tasks]
    found: dict[int, dict[int, list[Done]]] = defaultdict(dict)
    for number, results in track(engine.run(run_alike, calls, "folds"), len(tasks), "folds"):
        place, fold = tasks[number]
        for trial, result in zip(groups[place], results, strict=True):
            logger.info(f"{trial.name}: fold {trial.folds[fold].name}: {result}")
        found[place][fold] = results
        if len(found[place]) == len(groups[place][0].folds):
            by_fold = found.pop(place)
            yield place, [by_fold[fold] for fold in sorted(by_fold)]


def results_of(trial: Trial, done: Sequence[FoldResult]) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """The record of a trial whose folds are all done, and the curves of networks."""
    each = list(zip(trial.folds, done, strict=True))
    record = {
        **trial.record,
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
    curves = {fold.name: result.curves for fold, result in each}
    if any(curve is None for curve in curves.values()):
        return record, None
    return record, pd.concat(curves, names=["fold"]).reset_index("fold").reset_index(drop=True)


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


def _shared(
    model: Model, probabilities: pd.DataFrame | None, values: np.ndarray | None, together: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame]:
    """Probabilities shared out over the clips that have the same value in `together`, and the guesses.

    Evened out, or self-taught where the features of the clips are given.
    """
    if probabilities is None:
        raise SerClassicError(f"{model.name} gives no probabilities, which this track needs")
    shared = probabilities.to_numpy(copy=True)
    for value in np.unique(together):
        own = together == value
        shared[own] = evened(shared[own]) if values is None else self_taught(shared[own], values[own])
    shared = pd.DataFrame(shared, columns=probabilities.columns)
    return shared.columns.to_numpy(dtype=str)[shared.to_numpy().argmax(axis=1)], shared


def _predicted(
    model: Model, fitted: Fitted, tested: pd.DataFrame | np.ndarray, truth: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame | None]:
    """A guess and probabilities for every clip; for a dimension a number and None."""
    with wrap_errors(f"{model.name} cannot predict these {len(tested)} clips"):
        guess, probabilities = np.asarray(fitted.estimator.predict(tested)), fitted.probabilities(tested)
        if guess.shape != (len(tested),):
            raise SerClassicError(
                f"{model.name} gives predictions of shape {guess.shape} for {len(tested)} clips"
            )
        if truth.dtype.kind == "f":
            if not np.isfinite(guess).all():
                raise SerClassicError(f"{model.name} predicts values that are not numbers")
            return guess, None
        known = set(truth)
        if foreign := set(guess) - known:
            raise SerClassicError(f"{model.name} predicts {str(foreign.pop())!r}, which no training clip has")
        if probabilities is not None and len(probabilities) != len(tested):
            raise SerClassicError(
                f"{model.name} gives {len(probabilities)} rows of probabilities for {len(tested)} clips"
            )
        if probabilities is not None and sorted(probabilities) != sorted(known):
            raise SerClassicError(
                f"{model.name} gives probabilities of {', '.join(map(str, probabilities))}; expected one for "
                f"every emotion in training: {', '.join(sorted(known))}"
            )
    return guess, probabilities
