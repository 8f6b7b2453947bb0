"""Intervals, comparisons and ranks in which the speaker is the sampling unit.

Clips of one speaker are not independent, so nothing here resamples clips. Everything is computed from
confusion counts per speaker [shape=(speakers, k, k)], which makes thousands of resamples cost milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser_classic.metrics import classes_of, confusion, mean_recall_of, places_of, uar_of
from ser_classic.vocabulary import ordered

RESAMPLES = 4000
FEWEST_SPEAKERS = 5  # below this an interval from resampling speakers says nothing about other speakers
EXACT_SPEAKERS = 14  # up to 2**14 ways to swap two runs are all tried
DECIMALS = 9  # scores that are equal but for the order in which they were summed are tied

CountMetric = Callable[[np.ndarray], np.ndarray]  # of counts [shape=(..., k, k)], as in `METRICS`


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


class Interval(NamedTuple):
    """A figure and its range for other speakers of the same kind; `speakers` says how many were resampled."""

    value: float
    low: float
    high: float
    speakers: int

    @property
    def trusted(self) -> bool:
        """Whether there are enough speakers for the range to mean anything."""
        return self.speakers >= FEWEST_SPEAKERS


class Ranks(NamedTuple):
    """Average rank of each system (best first), Friedman's test, and Nemenyi's critical difference at 5 %."""

    average: pd.Series
    blocks: int
    statistic: float
    p_value: float
    critical_difference: float


def count(truth: Sequence[str], guess: Sequence[str], speakers: Sequence[str]) -> SpeakerCounts:
    """Confusion counts of every speaker, of all emotions that occur."""
    names, classes = classes_of(speakers), ordered(classes_of(truth, guess))
    return SpeakerCounts(names, classes, confusion(truth, guess, classes, places_of(speakers, names)))


def per_speaker(table: SpeakerCounts, metric: CountMetric = uar_of) -> pd.Series:
    """The metric of each speaker alone: index speaker; NaN where a speaker has no clips."""
    return pd.Series(metric(table.counts), index=pd.Index(table.speakers, name="speaker"))


def interval(
    counts: np.ndarray, metric: CountMetric = uar_of, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """95 % range of a metric of counts [shape=(speakers, k, k)] from resampling speakers (cluster bootstrap).

    Instead of counts there may be other sums over the clips of each speaker [shape=(speakers, m)].

    The percentiles are those of the expanded percentile interval (Hesterberg, "What teachers should know
    about the bootstrap", The American Statistician 69, 2015), which corrects the plain percentile
    interval for being too narrow with few speakers.

    In each resample the UAR is the mean over the emotions that the drawn speakers have. A resample where the
    metric is NaN is left out, as with the recall of an emotion that none of them has. With a single speaker
    `low` and `high` are NaN: there is nothing to resample.
    """
    return _interval(*_sums(counts, metric), resamples, seed)


def sums_of(terms: np.ndarray, speakers: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The speakers, and for each the sum of its clips' terms [shape=(n, m)], such as `brier_terms`."""
    names = classes_of(speakers)
    sums = np.zeros((len(names), terms.shape[1]))
    np.add.at(sums, places_of(speakers, names), terms)
    return names, sums


def difference(
    first: np.ndarray,
    second: np.ndarray,
    metric: CountMetric = uar_of,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """As `interval`, of the difference between two runs (first - second), the same speakers drawn for both.

    Both are of the same speakers and emotions in the same order. The runs may cover different clips of the
    same speakers, as a hold-out run and a run over all clips do: zeros for a speaker that a run lacks.
    """
    sums, of = _sums(np.stack([first, second], axis=1), metric)
    return _interval(sums, lambda both: of(both[..., 0, :, :]) - of(both[..., 1, :, :]), resamples, seed)


def swap_test(
    first: np.ndarray,
    second: np.ndarray,
    metric: CountMetric = uar_of,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[float, bool]:
    """Permutation test over speakers: could the runs be swapped, speaker by speaker, unnoticed?

    Of counts [shape=(speakers, k, k)] of the same clips: the two-sided p-value, with n speakers never below
    2 / 2**n, and whether all swaps were tried. Where speakers are too many for that, `resamples` are drawn.
    """
    first, second = np.stack([first, second])  # refuses unequal shapes
    number = len(first)
    exact = number <= EXACT_SPEAKERS
    if exact:
        swaps = (np.arange(2**number)[:, None] >> np.arange(number)) & 1
    else:
        swaps = np.random.default_rng(seed).integers(0, 2, size=(resamples, number))
    moved = np.tensordot(swaps, second - first, axes=(1, 0))
    totals = first.sum(axis=0), second.sum(axis=0)
    gap = np.abs(metric(totals[0] + moved) - metric(totals[1] - moved))
    hits = int(np.sum(gap >= np.abs(metric(totals[0]) - metric(totals[1])) - 1e-12))
    if exact:
        return hits / len(swaps), exact
    return (hits + 1) / (len(swaps) + 1), exact  # the observed order counts as one


def ranks(table: pd.DataFrame) -> Ranks:
    """Rank systems by their scores [shape=(blocks, systems)], higher is better, in blocks such as speakers.

    After Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006. There are
    three systems and two blocks at least, and no gaps.
    """
    from scipy import stats

    table = table.round(DECIMALS)
    blocks, systems = table.shape
    average = table.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    statistic, p_value = 0.0, 1.0
    if (table.nunique(axis=1) > 1).any():  # else all are tied, and scipy divides by zero
        statistic, p_value = map(float, stats.friedmanchisquare(*table.to_numpy().T))
    q = stats.studentized_range.ppf(0.95, systems, np.inf) / np.sqrt(2)
    critical = float(q * np.sqrt(systems * (systems + 1) / (6 * blocks)))
    return Ranks(average, blocks, statistic, p_value, critical)


def _interval(sums: np.ndarray, of: CountMetric, resamples: int, seed: int) -> Interval:
    """Expanded percentile interval of a metric of sums over the speakers, the first axis."""
    from scipy.special import ndtr, stdtrit

    speakers, value = len(sums), float(of(sums.sum(axis=0)))
    nothing = Interval(value, float("nan"), float("nan"), speakers)
    if speakers < 2:
        return nothing
    # Resamples lie next to each other in memory, which makes sums over emotions fast.
    drawn = sums.reshape(speakers, -1).T.astype(float) @ _draws(speakers, resamples, seed)
    found = of(np.moveaxis(drawn.reshape(*sums.shape[1:], -1), -1, 0))
    found = found[~np.isnan(found)]
    if not len(found):
        return nothing
    tail = ndtr(stdtrit(speakers - 1, 0.025) * np.sqrt(speakers / (speakers - 1)))
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(value, float(low), float(high), speakers)


@lru_cache(maxsize=8)
def _draws(speakers: int, resamples: int, seed: int) -> np.ndarray:
    """How often each speaker is drawn [shape=(speakers, resamples)]: the same for all runs of a corpus."""
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples)
    draws = np.ascontiguousarray(draws.T, dtype=float)
    draws.setflags(write=False)
    return draws


def _sums(counts: np.ndarray, metric: CountMetric) -> tuple[np.ndarray, CountMetric]:
    """The counts and the metric; for UAR only right and all clips of each emotion [shape=(..., 2, k)].

    That is a quarter of the work for eight emotions, and the same to the last bit: sums of whole numbers are
    exact.
    """
    if metric is not uar_of:
        return counts, metric
    right_and_all = np.stack([np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1)], axis=-2)
    return right_and_all, lambda sums: mean_recall_of(sums[..., 0, :], sums[..., 1, :])
