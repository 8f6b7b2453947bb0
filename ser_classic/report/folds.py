"""Published folds that let the same speakers into training and test: those of EmoBox, corpus by corpus."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

import pandas as pd

from ser_classic.report.board import Scored
from ser_classic.report.chapters import Chapter
from ser_classic.tables import Cell, Table

TITLE = "Published folds that leak"
HEADINGS = ("corpus", "folds", "clips", "speakers", "tested", "of them trained on", "verdict")
ABOUT = (
    "EmoBox (Interspeech 2024) publishes folds of 32 corpora. Of these, {disjoint} keep speakers apart, "
    "{leak} test on speakers that they train on, and of {unknown} it cannot be told. A score on folds that "
    "leak says nothing of new speakers, and does not stand beside ours as if it did. Told from the "
    "published lists of clips."
)


def fold_leaks() -> pd.DataFrame:
    """The published folds, a corpus a row.

    Columns corpus (as EmoBox calls it), folds, clips, speakers, test_speakers, also_trained (of the test
    speakers, in the same fold), share_of_test_clips (of speakers that are trained on), verdict (`disjoint`,
    `leak` or `unknown`) and note.
    """
    return pd.read_csv(files("ser_classic") / "data" / "fold_leaks.csv")


def folds_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The table as a chapter; None where no run is on published folds."""
    if not any(run.row["base"] == "emobox" for run in runs):
        return None
    table = fold_leaks()
    table = table.sort_values(["verdict", "corpus"], key=lambda column: column.replace("leak", "a"))
    rows = tuple(
        (
            row["corpus"],
            *(_number(row[name]) for name in ("folds", "clips", "speakers", "test_speakers")),
            _number(row["also_trained"]),
            ": ".join(filter(None, (row["verdict"], "" if pd.isna(row["note"]) else row["note"]))),
        )
        for row in table.to_dict("records")
    )
    counts = table["verdict"].value_counts()
    return Chapter("folds", TITLE, ABOUT.format(**counts), (Table(HEADINGS, rows),))


def _number(value: float) -> Cell:
    return Cell("–", -1.0) if pd.isna(value) else Cell(f"{value:.0f}", float(value))
