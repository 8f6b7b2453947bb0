"""The adaptation curve: what a system gains by the number of unlabelled clips it hears of a speaker."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd

from ser_classic.report.board import Scored, first_seeds
from ser_classic.report.chapters import (
    FIGURES,
    Chapter,
    beside,
    figures_of,
    headings_of,
    legend,
    of_test,
    system_on,
)
from ser_classic.report.gallery import Picture

TITLE = "How many clips adaptation takes"
ABOUT = (
    "UAR against the number of unlabelled clips of a test speaker by which the features are scaled. With 0 "
    "clips the training speakers stand in for the unknown one, with fewer than 8 they are mixed in. Blind "
    "systems scale nothing by speaker; all clips are the adapted track of the leaderboard."
)
BLIND, ALL = -1, np.inf  # as numbers of clips, before and after all others
COLUMNS = ("folds", "heard", "clips", *FIGURES)


def curves(runs: Iterable[Scored]) -> pd.DataFrame:
    """What the systems of a corpus score by the number of unlabelled clips heard of a test speaker.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a run of the first seed: corpus, folds, system, heard (clips; `BLIND` and `ALL` for the
        ordinary runs on the same folds), clips (those of a speaker, the median), and what `figures_of` gives.
        Sorted by corpus, system and heard.
    """
    runs = list(runs)
    rows = []
    wanted = set()
    for run in of_test(runs, "few")[0]:
        folds = run.row["base"]
        wanted.add(system_on(run, folds))
        rows.append(_row(run, folds, run.run.record["heard"]))
    for run in first_seeds(runs):
        folds = run.row["base"]
        if run.counts is not None and not run.row["test"] and system_on(run, folds) in wanted:
            rows.append(_row(run, folds, ALL if run.row["track"] == "adapted" else BLIND))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["corpus", "folds", "system", "heard"], ignore_index=True)


def _row(run: Scored, folds: str, heard: float) -> dict:
    clips = run.counts.counts.sum(axis=(1, 2)) if run.counts is not None else np.zeros(1)
    return figures_of(run) | {"folds": folds, "heard": heard, "clips": int(np.median(clips))}


def adaptation_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The curves as a chapter; None where no such run is among these.

    One figure, a panel for each corpus.
    """
    from ser_classic.plots.conditions import adaptation

    runs = list(runs)
    table, (_, failed) = curves(runs), of_test(runs, "few")
    if not len(table) and not failed:
        return None
    grids, names = [], headings_of(table["system"])
    for (corpus, folds), part in table.groupby(["corpus", "folds"]):
        named = part.assign(words=[_words(heard, part["clips"].max()) for heard in part["heard"]])
        named = named.sort_values(["heard", "system"])
        grids.append(beside(named, f"{corpus}, {folds}", "words", "clips heard", names))
    picture = Picture(
        "adaptation",
        "UAR by the number of clips heard of a speaker",
        "With 95 % intervals over speakers where there are enough. On the left, apart from the line, the "
        "blind system; on the right all clips of a speaker, and how many these are.",
        partial(adaptation, table),
        wide=True,
    )
    pictures = (picture,) if len(table) else ()
    return Chapter("adaptation", TITLE, ABOUT + legend(names), tuple(grids), failed, pictures)


def _words(heard: float, clips: int) -> str:
    return {BLIND: "blind", ALL: f"all ({clips})"}.get(heard) or str(int(heard))
