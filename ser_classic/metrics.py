"""Metrics: how well the guesses agree with the truth, and how far the probabilities can be believed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError

BINS = 15  # of confidence, equal in width: Guo et al., "On calibration of modern neural networks", ICML 2017


def classes_of(*words: Sequence[str]) -> tuple[str, ...]:
    """The emotions that occur in any of the arrays, by name."""
    found = set().union(*(np.asarray(some, dtype=object).tolist() for some in words))
    return tuple(sorted(map(str, found)))


def places_of(words: Sequence[str], among: Sequence[str]) -> np.ndarray:
    """Where each word stands among these [shape=(n,), dtype=int]; -1 where it does not."""
    place = {word: number for number, word in enumerate(among)}
    found = map(place.get, np.asarray(words, dtype=object).tolist(), itertools.repeat(-1))
    return np.fromiter(found, dtype=int, count=len(words))


def confusion(
    truth: Sequence[str], guess: Sequence[str], classes: Sequence[str], groups: np.ndarray | None = None
) -> np.ndarray:
    """Counts of clips by true emotion (row) and guess (column) for every group, such as a speaker.

    Those of a group, in the result [shape=(groups, k, k), dtype=int64], equal
    `sklearn.metrics.confusion_matrix(labels=classes)`. `groups` [shape=(n,), dtype=int] are numbered from 0;
    by default all clips are one group.

    Raises
    ------
    SerClassicError
        Arrays of unequal length, none at all, or an emotion outside `classes`.
    """
    groups = np.zeros(len(truth), dtype=int) if groups is None else groups
    if not len(truth) == len(guess) == len(groups):
        raise SerClassicError(
            f"{len(truth)} true emotions, {len(guess)} guesses and {len(groups)} groups; these must be equal"
        )
    if len(truth) == 0:
        raise SerClassicError("there are no clips to score")
    k = len(classes)
    rows, columns = places_of(truth, classes), places_of(guess, classes)
    for codes, words in ((rows, truth), (columns, guess)):
        if (codes < 0).any():
            stray = str(np.asarray(words)[codes < 0][0])
            raise SerClassicError(f"{stray!r} is not one of the emotions scored: {', '.join(classes)}")
    size = int(np.max(groups)) + 1
    cells = (np.asarray(groups) * k + rows) * k + columns
    return np.bincount(cells, minlength=size * k * k).reshape(size, k, k)


def _ratio(part: np.ndarray, whole: np.ndarray, least: float = 0) -> np.ndarray:
    """Part by whole in rows in memory; NaN where the whole is not above the least."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > least)


def recalls_of(counts: np.ndarray) -> np.ndarray:
    """Recall of each emotion [shape=(..., k)] from counts [shape=(..., k, k)]; NaN where it is never true."""
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def uar_of(counts: np.ndarray) -> np.ndarray:
    """Unweighted average recall [shape=(...)] from counts [shape=(..., k, k)]; chance is 1 / emotions.

    The mean of the recalls of the emotions that occur in the truth, as
    `sklearn.metrics.balanced_accuracy_score`; NaN where there is no clip at all.
    """
    return mean_recall_of(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def mean_recall_of(right: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """UAR [shape=(...)] of clips recognised and of all clips of each emotion [shape=(..., k)]."""
    if (clips > 0).all():
        # Into rows in memory: the order of a sum decides its last bit, and that a rounding.
        return np.divide(right, clips, out=np.empty(right.shape)).sum(axis=-1) / right.shape[-1]
    recalls = _ratio(right, clips)
    present = ~np.isnan(recalls)
    return _ratio(np.where(present, recalls, 0).sum(axis=-1), present.sum(axis=-1))


def accuracy_of(counts: np.ndarray) -> np.ndarray:
    """Share of clips guessed right [shape=(...)] from counts [shape=(..., k, k)].

    The field also calls it weighted average recall.
    """
    return _ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def macro_f1_of(counts: np.ndarray) -> np.ndarray:
    """Mean F1 of the emotions that occur in truth or guess [shape=(...)] from counts [shape=(..., k, k)].

    Equals `sklearn.metrics.f1_score(average="macro")`: an emotion that is guessed and never true counts 0.
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    either = counts.sum(axis=-1) + counts.sum(axis=-2)
    f1 = np.divide(2 * right, either, out=np.zeros(right.shape), where=either > 0)
    return _ratio(f1.sum(axis=-1), (either > 0).sum(axis=-1))


def confidence(guess: np.ndarray, probabilities: pd.DataFrame) -> np.ndarray:
    """Probability [shape=(n,)] given to the emotion guessed; rows of probabilities sum to 1.

    Raises
    ------
    SerClassicError
        Unequal lengths, a guess that has no column, or no value in it.
    """
    if len(guess) != len(probabilities):
        raise SerClassicError(f"{len(guess)} guesses and {len(probabilities)} rows of probabilities")
    column = places_of(guess, probabilities.columns)
    if (column < 0).any():
        raise SerClassicError(
            f"no probability is given for the guess {str(np.asarray(guess)[column < 0][0])!r}"
        )
    sure = probabilities.to_numpy()[np.arange(len(guess)), column]
    if np.isnan(sure).any():
        first = np.isnan(sure).argmax()
        raise SerClassicError(f"row {first}: there is no probability for its guess {str(guess[first])!r}")
    return sure


def _bins(sure: np.ndarray) -> np.ndarray:
    """The bin of equal width from 0 to 1, the upper edge included, of each confidence."""
    return np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)


def reliability(truth: np.ndarray, guess: np.ndarray, probabilities: pd.DataFrame) -> pd.DataFrame:
    """How often guesses of some confidence are right: a row per bin that holds a clip.

    Columns `clips`, and the means `confidence` and `accuracy`.
    """
    sure = confidence(guess, probabilities)
    table = pd.DataFrame(
        {"confidence": sure, "accuracy": np.asarray(truth) == np.asarray(guess)}, dtype=float
    )
    groups = table.groupby(_bins(sure))
    return groups.mean().assign(clips=groups.size()).reset_index(drop=True)


def calibration_gaps(truth: np.ndarray, guess: np.ndarray, probabilities: pd.DataFrame) -> np.ndarray:
    """What each clip adds to the sums of which `ece_of` is the calibration error [shape=(n, BINS + 1)].

    In the column of its bin, 1 if the guess is right (else 0) less the confidence; in the last column 1.
    """
    sure = confidence(guess, probabilities)
    gaps = np.zeros((len(sure), BINS + 1))
    gaps[np.arange(len(sure)), _bins(sure)] = (np.asarray(truth) == np.asarray(guess)) - sure
    gaps[:, -1] = 1
    return gaps


def ece_of(sums: np.ndarray) -> np.ndarray:
    """Expected calibration error (Guo et al. 2017) of sums [shape=(..., BINS + 1)] of `calibration_gaps`.

    The mean |accuracy - confidence| of the bins, by clips; 0 is perfect.
    """
    return np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1]


def brier_terms(truth: np.ndarray, guess: np.ndarray, probabilities: pd.DataFrame) -> np.ndarray:
    """What each clip adds to the sums of which `brier_of` is the score [shape=(n, 2)]; guesses do not matter.

    Squared distance of the clip's probabilities from its truth (an emotion without a column, or without a
    value among others, had the probability 0); in the last column 1.
    """
    if len(truth) != len(probabilities):
        raise SerClassicError(f"{len(truth)} true emotions and {len(probabilities)} rows of probabilities")
    values = probabilities.to_numpy(dtype=float)
    unknown = np.isnan(values)  # to the model of a fold without that emotion
    values = np.where(unknown & ~unknown.all(axis=1, keepdims=True), 0, values)
    column = places_of(truth, probabilities.columns)
    of_truth = np.where(column >= 0, values[np.arange(len(values)), column], 0)
    squared = (values**2).sum(axis=1) - 2 * of_truth + 1
    return np.stack([squared, np.ones(len(squared))], axis=1)


def brier_of(sums: np.ndarray) -> np.ndarray:
    """Brier score (Brier 1950) of sums [shape=(..., 2)] of `brier_terms`, 0 to 2."""
    return sums[..., 0] / sums[..., 1]


@dataclass(frozen=True)
class Metric:
    """A figure of merit: called with truth, guesses and probabilities, it gives one number.

    Attributes
    ----------
    label : str
        The name that readers see.
    of : callable
        The metric [shape=(...)] of sums over clips: of confusion counts [shape=(..., k, k)], or of sums
        [shape=(..., m)] of `terms`. So statistics can resample speakers without touching clips.
    terms : callable (truth, guess, probabilities), optional
        What each clip adds [shape=(n, m)], where the metric needs probabilities; NaN without them.
    """

    label: str
    of: Callable[[np.ndarray], np.ndarray]
    terms: Callable[[np.ndarray, np.ndarray, pd.DataFrame], np.ndarray] | None = None

    def __call__(
        self, truth: np.ndarray, guess: np.ndarray, probabilities: pd.DataFrame | None = None
    ) -> float:
        """The metric of clips: one true emotion, one guess and one row of probabilities each."""
        if self.terms is None:
            return float(self.of(confusion(truth, guess, classes_of(truth, guess)))[0])
        if probabilities is None:
            return float("nan")
        return float(self.of(self.terms(truth, guess, probabilities).sum(axis=0)))


METRICS: dict[str, Metric] = {
    "uar": Metric("UAR", uar_of),
    "accuracy": Metric("accuracy", accuracy_of),
    "macro_f1": Metric("macro F1", macro_f1_of),
    "ece": Metric("ECE", ece_of, calibration_gaps),
    "brier": Metric("Brier score", brier_of, brier_terms),
}

# Those that can be read off a confusion matrix.
COUNT_METRICS = {name: metric for name, metric in METRICS.items() if metric.terms is None}


def agreement_terms(truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """What each clip adds to the sums of which `ccc_of`, `pearson_of` and `rmse_of` are the figures.

    Of a dimension as it is and as it was predicted [shape=(n,)]: 1, the truth and the guess, both less the
    mean truth, their squares and their product [shape=(n, 6)].

    Raises
    ------
    SerClassicError
        Unequal lengths, no clips, or a value that is not a number.
    """
    truth, guess = np.asarray(truth, dtype=float), np.asarray(guess, dtype=float)
    if truth.shape != guess.shape or not len(truth):
        raise SerClassicError(f"{len(truth)} true values and {len(guess)} guesses; expected equal numbers")
    if not (np.isfinite(truth).all() and np.isfinite(guess).all()):
        raise SerClassicError("a true or a guessed value is not a number")
    truth, guess = truth - truth.mean(), guess - truth.mean()
    return np.stack([np.ones(len(truth)), truth, guess, truth**2, guess**2, truth * guess], axis=1)


def ccc_of(sums: np.ndarray) -> np.ndarray:
    """Concordance correlation coefficient [shape=(...)] of sums [shape=(..., 6)] of `agreement_terms`.

    Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45, 1989, with the
    variances of the clips themselves (divided by n): 1 is equality, 0 of a constant guess. NaN where truth
    and guess are one constant.
    """
    n, t, g, tt, gg, tg = np.moveaxis(np.asarray(sums, dtype=float), -1, 0)
    spread = (n * tt - t**2) + (n * gg - g**2) + (t - g) ** 2
    return _ratio(2 * (n * tg - t * g), spread)


def pearson_of(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation [shape=(...)] of sums [shape=(..., 6)]; NaN where truth or guess is constant."""
    n, t, g, tt, gg, tg = np.moveaxis(np.asarray(sums, dtype=float), -1, 0)
    spread = np.sqrt(np.maximum(n * tt - t**2, 0) * np.maximum(n * gg - g**2, 0))
    return _ratio(n * tg - t * g, spread, 1e-9)


def rmse_of(sums: np.ndarray) -> np.ndarray:
    """Root of the mean squared error [shape=(...)], on the truth's scale, of sums [shape=(..., 6)]."""
    n, _, _, tt, gg, tg = np.moveaxis(np.asarray(sums, dtype=float), -1, 0)
    return np.sqrt(np.maximum(tt + gg - 2 * tg, 0) / n)


def concordance(truth: np.ndarray, guess: np.ndarray) -> float:
    """The concordance correlation coefficient of clips; errors as `agreement_terms`.

    Examples
    --------
    >>> concordance([1, 2, 3], [1, 2, 3]), concordance([1, 2, 3], [2, 2, 2])
    (1.0, 0.0)
    """
    return float(ccc_of(agreement_terms(truth, guess).sum(axis=0)))


# Of dimensions, by name.
AGREEMENT = {"ccc": ccc_of, "pearson": pearson_of, "rmse": rmse_of}
