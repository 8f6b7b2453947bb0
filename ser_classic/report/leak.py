"""The leak premium: what it adds to a score to have heard the test speakers in training."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pandas as pd

from ser_classic.report.board import Scored
from ser_classic.report.chapters import Chapter, Entry, Grid, of_share
from ser_classic.report.gallery import Picture
from ser_classic.report.text import signed
from ser_classic.report.views import FLOOR, HONEST, aligned
from ser_classic.statistics import FEWEST_SPEAKERS, difference

TITLE = "The leak premium"
ABOUT = (
    "The same systems, with the test speakers kept out of training and with them in it. The difference, with "
    "its 95 % interval over speakers, is what a leaky split adds to a published figure. Every pair of runs, "
    "with all seeds and leaky protocols, is in `leak_premium.csv`."
)
MOST = 5  # systems of a corpus in Markdown


def leak_premium(runs: Iterable[Scored]) -> pd.DataFrame:
    """What it is worth to have heard the test speakers in training.

    A pair tells the same number of emotions apart: a run on fewer of them has an easier task.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row per leaky run of which the same corpus, features, model and seed ran with speakers kept
        apart: corpus, features, model, seed, classes, protocol, uar, leaky_protocol, leaky_uar, premium (the
        difference), low, high (its 95 % interval, the same speakers drawn for both), speakers; the largest
        premium of a corpus first.
    """
    honest, leaky = {}, []
    for run in runs:
        row = run.row
        if run.counts is None or row["track"] != "blind":
            continue
        cell = (row["corpus"], row["features"], row["model"], row["seed"], row["classes"])
        if row["leaky"]:
            leaky.append((cell, run))
        elif row["protocol"] in HONEST:
            held = honest.setdefault(cell, run)
            if HONEST.index(row["protocol"]) < HONEST.index(held.row["protocol"]):
                honest[cell] = run
    rows = []
    for cell, run in leaky:
        if cell not in honest:
            continue
        apart = honest[cell]
        both, alone = aligned(run.counts, apart.counts)
        gap = difference(both.counts, alone.counts)
        rows.append(
            {
                **dict(zip(("corpus", "features", "model", "seed", "classes"), cell, strict=True)),
                "protocol": apart.row["protocol"],
                "uar": apart.row["uar"],
                "leaky_protocol": run.row["protocol"],
                "leaky_uar": run.row["uar"],
                "premium": gap.value,
                "low": gap.low,
                "high": gap.high,
                "speakers": gap.speakers,
            }
        )
    columns = (
        "corpus features model seed classes protocol uar leaky_protocol leaky_uar premium low high speakers"
    )
    table = pd.DataFrame(rows, columns=columns.split())
    return table.sort_values(
        ["corpus", "premium", "features", "model", "leaky_protocol", "seed"],
        ascending=[True, False, True, True, True, True],
        ignore_index=True,
    )


def shown_premium(table: pd.DataFrame) -> pd.DataFrame:
    """The leak premium of each system once per corpus: over five folds where they ran, of the first seed.

    Parameters
    ----------
    table : pd.DataFrame
        As `leak_premium` returns it.

    Returns
    -------
    pd.DataFrame
        Its rows without the floor, with a column `system`, the highest leaky UAR of a corpus first.
    """
    held = table[table["model"] != FLOOR]
    place = held["leaky_protocol"].ne("random5")
    held = held.assign(_place=place).sort_values(["_place", "seed"], kind="stable")
    held = held.drop_duplicates(["corpus", "features", "model", "classes"]).drop(columns="_place")
    few = held["classes"] < held.groupby("corpus")["classes"].transform("max")
    note = (", " + held["classes"].astype(str) + " emotions").where(few, "")
    held = held.assign(system=held["features"] + " + " + held["model"] + note)
    return held.sort_values(
        ["corpus", "leaky_uar", "system"], ascending=[True, False, True], ignore_index=True
    )


def leak_chapter(premium: pd.DataFrame) -> Chapter | None:
    """The leak premium of each system as a chapter, those first that a leaky split would have put first.

    Parameters
    ----------
    premium : pd.DataFrame
        As `leak_premium` returns it.

    Returns
    -------
    Chapter or None
        None where there are no pairs.
    """
    from ser_classic.plots.scores import leak_premium as drawn

    table = shown_premium(premium)
    if not len(table):
        return None
    picture = Picture(
        "leak_premium",
        "UAR with the test speakers out of training, and in it",
        "Of each corpus the systems with the highest leaky UAR, with the 95 % interval of the difference.",
        partial(drawn, table),
    )
    grids = tuple(_grid(str(corpus), part) for corpus, part in table.groupby("corpus", sort=False))
    return Chapter("leak", TITLE, ABOUT, grids, pictures=(picture,))


def _grid(corpus: str, table: pd.DataFrame) -> Grid:
    rows = []
    for row in table.to_dict("records"):
        known = row["speakers"] >= FEWEST_SPEAKERS
        interval = f"{signed(row['low'])} to {signed(row['high'])}" if known else "too few speakers"
        words = (Entry(row[name]) for name in ("system", "protocol", "leaky_protocol"))
        gap = Entry(signed(row["premium"]), row["premium"]), Entry(interval, row["low"] if known else None)
        rows.append((*words, of_share(row["uar"]), of_share(row["leaky_uar"]), *gap))
    headings = ("system", "kept apart", "leaky", "UAR apart", "UAR leaky", "premium", "95 %")
    return Grid(corpus, headings, tuple(rows), words=3, most=MOST)
