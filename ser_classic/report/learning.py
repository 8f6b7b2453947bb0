"""The learning curve: what systems score by the number of speakers that they are trained on."""

from __future__ import annotations

from collections.abc import Iterable

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

TITLE = "How many speakers to record"
ABOUT = (
    "UAR of blind systems by the number of speakers trained on, drawn at random from the training speakers "
    "of each fold; the test clips are the same. Fewer are among more: a row differs from the next in the "
    "speakers that are added."
)
ALL = np.inf  # as a number of speakers, after all others
COLUMNS = ("folds", "trained", *FIGURES)


def learning(runs: Iterable[Scored]) -> pd.DataFrame:
    """What the systems of a corpus score by the number of speakers they are trained on.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a run of the first seed: corpus, folds, system, trained (speakers; `ALL` for the ordinary runs
        on the same folds), and what `figures_of` gives. Sorted by corpus, folds, trained and system.
    """
    runs = list(runs)
    rows, wanted = [], set()
    for run in of_test(runs, "speakers")[0]:
        folds = run.row["base"]
        wanted.add(system_on(run, folds))
        rows.append(figures_of(run) | {"folds": folds, "trained": run.run.record["speakers"]})
    for run in first_seeds(runs):
        row = run.row
        plain = run.counts is not None and not row["test"] and row["track"] == "blind"
        if plain and system_on(run, row["base"]) in wanted:
            rows.append(figures_of(run) | {"folds": row["base"], "trained": ALL})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["corpus", "folds", "trained", "system"], ignore_index=True)


def learning_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The curves as a chapter; None where no such run is among these."""
    runs = list(runs)
    table, (_, failed) = learning(runs), of_test(runs, "speakers")
    if not len(table) and not failed:
        return None
    words = ["all" if number == ALL else str(int(number)) for number in table["trained"]]
    table = table.assign(words=words)
    names = headings_of(table["system"])
    grids = [
        beside(part, f"{corpus}, {folds}", "words", "speakers trained on", names)
        for (corpus, folds), part in table.groupby(["corpus", "folds"])
    ]
    return Chapter("learning", TITLE, ABOUT + legend(names), tuple(grids), failed)
