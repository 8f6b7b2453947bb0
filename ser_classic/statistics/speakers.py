"""Intervals and comparisons in which the speaker is the sampling unit.

Clips of one speaker are not independent, so nothing here resamples clips. Everything is computed from
confusion counts per speaker [shape=(speakers, k, k)], which makes thousands of resamples cost milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.metrics import (
    COUNT_METRICS,
    METRICS,
    classes_of,
    grouped_confusion,
    mean_recall_of,
    places_of,
    uar_of,
)
from ser_classic.registry import unknown

RESAMPLES = 4000
FEWEST_SPEAKERS = 5  # below this an interval from resampling speakers says nothing about other speakers
EXACT_SPEAKERS = 14  # up to 2**14 ways to swap two runs are all tried

CountMetric = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SpeakerCounts:
    """Confusion counts of every speaker.

    Attributes
    ----------
    speakers : tuple of str
    classes : tuple of str
        The k emotions, the order of the last two axes.
    counts : np.ndarray [shape=(speakers, k, k), dtype=int64]
        Row = truth, column = guess.
    """

    speakers: tuple[str, ...]
    classes: tuple[str, ...]
    counts: np.ndarray


@dataclass(frozen=True)
class Interval:
    """A figure and the range in which it lies for other speakers of the same kind.

    Attributes
    ----------
    value, low, high : float
    speakers : int
        How many were resampled.
    """

    value: float
    low: float
    high: float
    speakers: int

    @property
    def trusted(self) -> bool:
        """Whether there are speakers enough for the range to mean anything."""
        return self.speakers >= FEWEST_SPEAKERS


@dataclass(frozen=True)
class Comparison:
    """Two runs, the difference of a metric (first - second), and what may be said.

    Attributes
    ----------
    first, second : float
        The metric of each run.
    difference : Interval
    p_value : float
        Of the permutation test over speakers, two-sided.
    exact : bool
        Whether every way of swapping was tried.
    verdict : str
        In words.
    """

    first: float
    second: float
    difference: Interval
    p_value: float
    exact: bool
    verdict: str


def count(
    truth: Sequence[str],
    guess: Sequence[str],
    speakers: Sequence[str],
    classes: Sequence[str] | None = None,
) -> SpeakerCounts:
    """Confusion counts of every speaker.

    Parameters
    ----------
    truth, guess, speakers : array-like of str [shape=(n,)]
        One of each a clip.
    classes : sequence of str, optional
        The emotions, all those that occur by default.

    Raises
    ------
    SerClassicError
        Unequal lengths, no clips, or an emotion outside `classes`.
    """
    names = classes_of(speakers)
    classes = tuple(classes) if classes is not None else classes_of(truth, guess)
    return SpeakerCounts(names, classes, grouped_confusion(truth, guess, places_of(speakers, names), classes))


def interval(
    counts: np.ndarray,
    metric: CountMetric = uar_of,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Range of a metric from resampling speakers with replacement (cluster bootstrap).

    The percentiles are those of the expanded percentile interval (Hesterberg, "What teachers should know
    about the bootstrap", The American Statistician 69, 2015), which corrects the plain percentile
    interval for being too narrow with few speakers.

    Parameters
    ----------
    counts : np.ndarray [shape=(speakers, k, k)]
    metric : callable
        Of counts [shape=(..., k, k)]; UAR by default, which in each resample is the mean over the emotions
        that the drawn speakers have. A resample where it is NaN is left out, as with the recall of an
        emotion that none of them has.
    resamples : int
    seed : int
    level : float
        Coverage aimed at.

    Returns
    -------
    Interval
        With a single speaker `low` and `high` are NaN: there is nothing to resample.
    """
    return _interval(
        metric(counts.sum(axis=0)),
        lambda draws: _of_draws(metric, counts, draws),
        len(counts),
        resamples,
        seed,
        level,
    )


def interval_of_sums(
    values: np.ndarray, speakers: Sequence[str], metric: CountMetric, seed: int = 0, level: float = 0.95
) -> Interval:
    """As `interval`, of a metric of sums over clips, such as that of `ser_classic.metrics.ece_of`.

    Parameters
    ----------
    values : np.ndarray [shape=(n, m)]
        What each clip adds.
    speakers : array-like of str [shape=(n,)]
    metric : callable
        Of sums [shape=(..., m)].
    seed, level
        As `interval`.
    """
    codes, names = pd.factorize(np.asarray(speakers))
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, codes, values)
    return interval(sums, metric, seed=seed, level=level)


def per_speaker(table: SpeakerCounts, metric: CountMetric = uar_of) -> pd.Series:
    """The metric of each speaker alone: index speaker; NaN where a speaker has no clips."""
    return pd.Series(metric(table.counts), index=pd.Index(table.speakers, name="speaker"))


def difference(
    first: np.ndarray,
    second: np.ndarray,
    metric: CountMetric = uar_of,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Difference of a metric between two runs (first - second), the same speakers drawn for both.

    The runs may cover different clips of the same speakers, as a hold-out run and a run over all clips do.

    Parameters
    ----------
    first, second : np.ndarray [shape=(speakers, k, k)]
        The same speakers and emotions in the same order; zeros for a speaker a run does not cover.
    metric, resamples, seed, level
        As `interval`.

    Raises
    ------
    SerClassicError
        Counts of unequal shape.
    """
    _same_shape(first, second)

    def of(draws: np.ndarray) -> np.ndarray:
        return _of_draws(metric, first, draws) - _of_draws(metric, second, draws)

    value = metric(first.sum(axis=0)) - metric(second.sum(axis=0))
    return _interval(value, of, len(first), resamples, seed, level)


def swap_test(
    first: np.ndarray,
    second: np.ndarray,
    metric: CountMetric = uar_of,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[float, bool]:
    """Permutation test over speakers: could the runs be swapped, speaker by speaker, unnoticed?

    Parameters
    ----------
    first, second : np.ndarray [shape=(speakers, k, k)]
        Counts of the same clips.
    metric : callable
    resamples : int
        Random swaps where there are too many speakers to try all.
    seed : int

    Returns
    -------
    p_value : float
        Two-sided; with n speakers never below 2 / 2**n.
    exact : bool
        Whether all swaps were tried.
    """
    _same_shape(first, second)
    number = len(first)
    exact = number <= EXACT_SPEAKERS
    if exact:
        swaps = (np.arange(2**number)[:, None] >> np.arange(number)) & 1
    else:
        swaps = np.random.default_rng(seed).integers(0, 2, size=(resamples, number))
    total, change = first.sum(axis=0), second - first
    moved = np.tensordot(swaps, change, axes=(1, 0))
    gap = np.abs(metric(total + moved) - metric(second.sum(axis=0) - moved))
    observed = np.abs(metric(total) - metric(second.sum(axis=0)))
    hits = int(np.sum(gap >= observed - 1e-12))
    if exact:
        return hits / len(swaps), exact
    return (hits + 1) / (len(swaps) + 1), exact  # the observed order counts as one


def compare(
    first: np.ndarray,
    second: np.ndarray,
    names: tuple[str, str] = ("A", "B"),
    metric: str = "uar",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two runs on the same clips.

    Parameters
    ----------
    first, second : np.ndarray [shape=(speakers, k, k)]
        Counts of each, of the same speakers and emotions in the same order.
    names : tuple of str
        What the verdict calls them.
    metric : str
        Of `COUNT_METRICS`.
    resamples, seed : int

    Raises
    ------
    SerClassicError
        There is no such metric, counts are of unequal shape, or the runs differ in how often an emotion of
        a speaker was tested.
    """
    if metric not in COUNT_METRICS:
        raise SerClassicError(unknown("metrics", metric, COUNT_METRICS))
    _same_shape(first, second)
    if (first.sum(axis=-1) != second.sum(axis=-1)).any():
        raise SerClassicError(
            f"{names[0]} and {names[1]} were tested on different clips; compare runs of one protocol"
        )
    of = COUNT_METRICS[metric].of
    gap = difference(first, second, of, resamples, seed)
    p_value, exact = swap_test(first, second, of, seed=seed)
    return Comparison(
        float(of(first.sum(axis=0))),
        float(of(second.sum(axis=0))),
        gap,
        p_value,
        exact,
        verdict(gap, p_value, names, metric),
    )


def verdict(gap: Interval, p_value: float, names: tuple[str, str], metric: str) -> str:
    """What may be said of a difference, in words: of the better above the worse."""
    word = METRICS[metric].word
    better, worse = names if gap.value >= 0 else names[::-1]
    low, high = (gap.low, gap.high) if gap.value >= 0 else (-gap.high, -gap.low)
    if gap.value == 0:
        found = f"{names[0]} and {names[1]} score the same {word}"
    else:
        found = f"{better} scores {abs(gap.value):.3f} {word} above {worse}"
    if not gap.trusted:
        few = f"fewer than {FEWEST_SPEAKERS} say nothing about others"
        return f"{found} on these {gap.speakers} speakers; {few}."
    span = f"{low:+.3f} to {high:+.3f}".replace("-", "−")
    detail = f"(95 % interval {span}, p = {p_value:.2g}, {gap.speakers} speakers)"
    apart = (low > 0 or high < 0, p_value < 0.05)
    if all(apart):
        return f"{found} {detail}: a difference that other speakers can be expected to show."
    if any(apart):
        return f"{found} {detail}: interval and test disagree; take it as a hint, not as a finding."
    return f"{found} {detail}: the two cannot be told apart with these speakers."


def _interval(
    value: float, of_draws: CountMetric, speakers: int, resamples: int, seed: int, level: float
) -> Interval:
    """Expanded percentile interval of what `of_draws` makes of draws [shape=(speakers, resamples)]."""
    from scipy.special import ndtr, stdtrit

    if speakers < 2:
        return Interval(float(value), float("nan"), float("nan"), speakers)
    found = of_draws(_draws(speakers, resamples, seed))
    found = found[~np.isnan(found)]
    if not len(found):
        return Interval(float(value), float("nan"), float("nan"), speakers)
    tail = ndtr(stdtrit(speakers - 1, (1 - level) / 2) * np.sqrt(speakers / (speakers - 1)))
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(value), float(low), float(high), speakers)


@lru_cache(maxsize=8)
def _draws(speakers: int, resamples: int, seed: int) -> np.ndarray:
    """How often each speaker is drawn [shape=(speakers, resamples)]: the same for all runs of a corpus."""
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples)
    draws = np.ascontiguousarray(draws.T, dtype=float)
    draws.setflags(write=False)
    return draws


def _of_draws(metric: CountMetric, counts: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The metric [shape=(resamples,)] of speakers drawn so many times."""
    if metric is not uar_of:
        return metric(_draw(counts, draws))
    # A quarter of the work for eight emotions, and the same to the last bit: sums of whole numbers are exact.
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return mean_recall_of(_draw(right, draws), _draw(counts.sum(axis=-1), draws))


def _draw(counts: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Counts [shape=(resamples, ...)] of speakers drawn so many times [shape=(speakers, resamples)].

    Resamples lie next to each other in memory, which makes sums over emotions fast.
    """
    flat = counts.reshape(len(counts), -1).T.astype(float) @ draws
    return np.moveaxis(flat.reshape(*counts.shape[1:], -1), -1, 0)


def _same_shape(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise SerClassicError(
            f"counts of shape {first.shape} and {second.shape}; "
            "count both runs among the same speakers and emotions"
        )
