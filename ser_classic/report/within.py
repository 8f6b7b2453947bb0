"""One run looked at closely: its metrics with intervals, its confusions, who and what is recognised."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ser_classic.metrics import METRICS, uar_of
from ser_classic.report.board import probabilities, speaker_counts
from ser_classic.statistics import interval, interval_of_sums, recall_metric


def intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Every metric of one run with its interval over speakers.

    Parameters
    ----------
    table : pd.DataFrame
        Judged predictions.

    Returns
    -------
    pd.DataFrame
        Index metric; columns value, low, high (NaN with too few speakers). Metrics that the run has no
        probabilities for are left out.
    """
    counts, given = speaker_counts(table).counts, probabilities(table)
    truth, guess, speakers = table["truth"].to_numpy(), table["guess"].to_numpy(), table["speaker"].fillna("")
    rows = {}
    for name, metric in METRICS.items():
        if metric.terms is None:
            found = interval(counts, metric.of)
        elif given is not None:
            found = interval_of_sums(metric.terms(truth, guess, given), speakers, metric.of)
        else:
            continue
        low, high = (found.low, found.high) if found.trusted else (np.nan, np.nan)
        rows[name] = {"value": found.value, "low": low, "high": high}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric")


def recall_by_emotion(table: pd.DataFrame) -> pd.DataFrame:
    """Recall of each emotion with its interval over speakers.

    Parameters
    ----------
    table : pd.DataFrame
        Judged predictions.

    Returns
    -------
    pd.DataFrame
        Index emotion (those in the truth); columns clips, value, low, high (NaN with too few speakers).
    """
    counts = speaker_counts(table)
    present = np.flatnonzero(counts.counts.sum(axis=(0, 2)))
    rows = [_row(counts.counts, recall_metric(place), counts.counts[:, place].sum()) for place in present]
    return pd.DataFrame(rows, index=pd.Index([counts.classes[place] for place in present], name="emotion"))


def uar_by(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """UAR of each part of the clips: of each speaker, sex or intensity.

    Parameters
    ----------
    table : pd.DataFrame
        Judged predictions.
    column : str
        Of the clips table; clips where it is unknown are left out.

    Returns
    -------
    pd.DataFrame
        Index the values of the column; columns clips, value, low, high (NaN with too few speakers). The UAR
        of a part is over the emotions that occur in it.
    """
    rows = {}
    for name, part in table.dropna(subset=column).groupby(column):
        counts = speaker_counts(part)
        rows[name] = _row(counts.counts, uar_of, len(part))
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["clips", "value", "low", "high"]
    ).rename_axis(column)


def confusion_of(table: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Confusion counts [shape=(k, k)] of judged predictions, and the emotions in their order."""
    counts = speaker_counts(table)
    return counts.counts.sum(axis=0), counts.classes


def properties(table: pd.DataFrame, wanted: Sequence[str] = ("sex", "intensity")) -> list[str]:
    """Which of these columns tell at least two kinds of clips apart."""
    return [name for name in wanted if name in table and table[name].dropna().nunique() > 1]


def _row(counts: np.ndarray, metric: Callable[[np.ndarray], np.ndarray], clips: int) -> dict[str, float]:
    found = interval(counts, metric)
    low, high = (found.low, found.high) if found.trusted else (np.nan, np.nan)
    return {"clips": int(clips), "value": found.value, "low": low, "high": high}
