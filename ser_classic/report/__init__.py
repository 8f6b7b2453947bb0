"""Reports from stored runs: leaderboards and figures; no audio is read and no model is fitted."""

from ser_classic.report.board import (
    COLUMNS,
    ReportError,
    judged,
    leaderboard,
    probabilities,
    score,
    speaker_counts,
    systems,
    to_csv,
)
from ser_classic.report.text import INTRODUCTION, markdown, terminal

__all__ = [
    "COLUMNS",
    "INTRODUCTION",
    "ReportError",
    "judged",
    "leaderboard",
    "markdown",
    "probabilities",
    "score",
    "speaker_counts",
    "systems",
    "terminal",
    "to_csv",
]
