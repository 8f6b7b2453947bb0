"""Reports from stored runs: leaderboards and figures; no audio is read and no model is fitted."""

from ser_classic.report.board import COLUMNS, read, scored, systems, to_csv
from ser_classic.report.comparison import compare, compare_stored
from ser_classic.report.leak import leak_premium
from ser_classic.report.literature import beside_published, published
from ser_classic.report.scoring import score, speaker_counts, with_truth
from ser_classic.report.text import INTRODUCTION, markdown, terminal
from ser_classic.report.write import write

__all__ = [
    "COLUMNS",
    "INTRODUCTION",
    "beside_published",
    "compare",
    "compare_stored",
    "leak_premium",
    "markdown",
    "published",
    "read",
    "score",
    "scored",
    "speaker_counts",
    "systems",
    "terminal",
    "to_csv",
    "with_truth",
    "write",
]
