"""Statistics of runs: intervals, comparisons and ranks in which the speaker is the sampling unit."""

from ser_classic.statistics.ranking import Ranks, ranks
from ser_classic.statistics.speakers import (
    FEWEST_SPEAKERS,
    Comparison,
    Interval,
    SpeakerCounts,
    compare,
    count,
    difference,
    interval,
    interval_of_sums,
    per_speaker,
    swap_test,
    verdict,
)

__all__ = [
    "FEWEST_SPEAKERS",
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
    "swap_test",
    "verdict",
]
