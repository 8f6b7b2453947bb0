"""Reports from stored runs: leaderboards and figures; no audio is read and no model is fitted."""

from ser_classic.report.board import COLUMNS, read, systems, to_csv
from ser_classic.report.comparison import compare, compare_stored
from ser_classic.report.leak import leak_premium
from ser_classic.report.literature import beside_published, published_scores
from ser_classic.report.scoring import score
from ser_classic.report.text import markdown, terminal
from ser_classic.report.write import write

__all__ = [
    "COLUMNS",
    "beside_published",
    "compare",
    "compare_stored",
    "leak_premium",
    "markdown",
    "published_scores",
    "read",
    "score",
    "systems",
    "terminal",
    "to_csv",
    "write",
]
