"""Multi-condition training: with degraded copies of the training clips, and without, by what is tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pandas as pd

from ser_classic.report.board import Scored
from ser_classic.report.chapters import Chapter, Entry, Grid, figures_of, of_test, with_range
from ser_classic.report.degraded import CLEAN, COLUMNS, degraded, described
from ser_classic.report.gallery import Picture

TITLE = "Trained for the field"
ABOUT = (
    "UAR of blind systems trained on the clips as they are, and on a degraded copy of each clip as well: a "
    "random chain of a band, coloured noise, clipping and another level. What is tested is none of these. "
    "With the 95 % interval over speakers, or each speaker's UAR where they are few."
)


def multi(runs: Iterable[Scored]) -> pd.DataFrame:
    """What systems score with copies in training and without, on the clips as they are and on degraded ones.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        As `degraded` gives, and `copies`: how many of each clip were trained on; of systems that were trained
        with copies, and of these without.
    """
    from ser_classic.degradations import DEGRADATIONS

    runs = list(runs)
    rows = []
    for run in of_test(runs, "multi")[0]:
        record = run.run.record
        tested = record.get("degradation", CLEAN)
        rows.append(figures_of(run) | described(run.row["base"], tested) | {"copies": record["copies"]})
    table = pd.DataFrame(rows, columns=[*COLUMNS, "copies"])
    without = degraded(runs).assign(copies=0)
    key = ["corpus", "folds", "system"]
    without = without.merge(table[key].drop_duplicates(), on=key)
    both = pd.concat([without, table]) if len(without) else table
    order = {name: place for place, name in enumerate((CLEAN, *DEGRADATIONS))}
    place = both["degradation"].map(order).fillna(len(order))
    by = ["corpus", "folds", "system", "copies", "place"]
    return both.assign(place=place).sort_values(by, ignore_index=True).drop(columns="place")


def multi_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Training with copies as a chapter; None where no such run is among these."""
    runs = list(runs)
    table, (_, failed) = multi(runs), of_test(runs, "multi")
    if not len(table) and not failed:
        return None
    grids = [
        _grid(part, f"{corpus}, {folds}, {system}")
        for (corpus, folds, system), part in table.groupby(["corpus", "folds", "system"])
    ]
    return Chapter("multi", TITLE, ABOUT, tuple(grids), failed, tuple(_pictures(table)))


def _grid(table: pd.DataFrame, title: str) -> Grid:
    """Conditions as rows; trained without copies, with them, and what these gain."""
    rows = []
    for condition, part in table.groupby("degradation", sort=False):
        found = {bool(row["copies"]): row for row in part.to_dict("records")}
        cells = [with_range(found[kind]) if kind in found else Entry("–") for kind in (False, True)]
        gain = Entry("–")
        if len(found) == 2:
            difference = found[True]["uar"] - found[False]["uar"]
            gain = Entry(f"{difference:+.3f}".replace("0.", ".").replace("-", "−"), difference)
        rows.append((Entry(str(condition)), *cells, gain))
    return Grid(title, ("test clips", "trained as they are", "with a copy of each", "gain"), tuple(rows))


def _pictures(table: pd.DataFrame) -> Iterator[Picture]:
    from ser_classic.plots.conditions import robustness

    for corpus, part in table.groupby("corpus"):
        named = part.assign(
            system=[f"{row.system}, with copies" if row.copies else row.system for row in part.itertuples()]
        )
        yield Picture(
            f"multi_{corpus}",
            f"{corpus}: UAR with and without degraded copies in training",
            "With 95 % intervals over speakers where there are enough. Left: white noise, by its level below "
            "the speech. Right: what else was done to the test clips. The dashed line is chance.",
            partial(robustness, named, list(dict.fromkeys(named["system"]))),
            wide=True,
        )
