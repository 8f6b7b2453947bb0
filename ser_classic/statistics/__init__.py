"""Statistics of runs: intervals, comparisons and ranks in which the speaker is the sampling unit."""

from ser_classic.statistics.ranking import Ranks, ranks
from ser_classic.statistics.speakers import (
    EXACT_SPEAKERS,
    FEWEST_SPEAKERS,
    RESAMPLES,
    Comparison,
    Interval,
    SpeakerCounts,
    compare,
    count,
    difference,
    interval,
    interval_of_sums,
    per_speaker,
    recall_metric,
    swap_test,
    verdict,
)

__all__ = [
    "EXACT_SPEAKERS",
    "FEWEST_SPEAKERS",
    "RESAMPLES",
    "Comparison",
    "Interval",
    "Ranks",
    "SpeakerCounts",
    "compare",
    "count",
    "difference",
    "interval",
    "interval_of_sums",
    "per_speaker",
    "ranks",
    "recall_metric",
    "swap_test",
    "verdict",
]
