"""Ranks of many systems over many blocks: Friedman's test and Nemenyi's critical difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError

DECIMALS = 9  # scores that are equal but for the order in which they were summed are tied


@dataclass(frozen=True)
class Ranks:
    """Systems ranked over blocks: Friedman's test and Nemenyi's critical difference.

    Attributes
    ----------
    average : pd.Series
        Average rank of each system, best (lowest) first.
    blocks : int
    statistic, p_value : float
        Friedman's chi-square, corrected for ties.
    critical_difference : float
        Average ranks further apart than this differ at 5 %.
    groups : tuple of tuple of str
        Maximal sets of neighbours in rank that cannot be told apart, of two systems or more.
    """

    average: pd.Series
    blocks: int
    statistic: float
    p_value: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]


def ranks(table: pd.DataFrame, level: float = 0.05) -> Ranks:
    """Rank systems over blocks.

    After Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.

    Parameters
    ----------
    table : pd.DataFrame [shape=(blocks, systems)]
        A score of each system (higher is better) in each block: speaker or corpus. No gaps.
    level : float
        Of Nemenyi's test.

    Raises
    ------
    SerClassicError
        Fewer than three systems or two blocks, or a gap in the table.
    """
    from scipy import stats

    blocks, systems = table.shape
    if systems < 3 or blocks < 2:
        raise SerClassicError(
            f"{systems} systems over {blocks} blocks; ranks are compared over 3 systems and 2 blocks at least"
        )
    if table.isna().any(axis=None):
        gaps = table.columns[table.isna().any()]
        raise SerClassicError(
            f"no score in some block for {', '.join(map(str, gaps))}; leave those out, or the block"
        )
    table = table.round(DECIMALS)
    average = table.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    if (table.nunique(axis=1) == 1).all():
        statistic, p_value = 0.0, 1.0  # all tied: scipy divides by zero
    else:
        statistic, p_value = stats.friedmanchisquare(*(table[name] for name in table.columns))
    q = stats.studentized_range.ppf(1 - level, systems, np.inf) / np.sqrt(2)
    critical = float(q * np.sqrt(systems * (systems + 1) / (6 * blocks)))
    return Ranks(average, blocks, float(statistic), float(p_value), critical, _groups(average, critical))


def _groups(average: pd.Series, critical: float) -> tuple[tuple[str, ...], ...]:
    """Maximal runs of neighbouring ranks that lie within the critical difference."""
    names, values = list(average.index), average.to_numpy()
    ends = np.searchsorted(values, values + critical, side="right")
    groups, reached = [], 0
    for start, end in enumerate(ends):
        if end > reached and end - start > 1:
            groups.append(tuple(names[start:end]))
        reached = max(reached, end)
    return tuple(groups)
