"""Seeds: how far models that draw at random scatter, beside what other speakers would change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pandas as pd

from ser_classic.report.board import CELL, Scored
from ser_classic.report.chapters import Chapter, Entry, Grid, figures_of
from ser_classic.report.gallery import Picture
from ser_classic.report.text import share

TITLE = "What the seed decides"
ABOUT = (
    "Models that draw at random, run with several seeds: mean and standard deviation of UAR over the seeds, "
    "the lowest and the highest, and for comparison the 95 % interval over speakers of the first seed."
)
FEWEST_SEEDS = 3
COLUMNS = (
    "corpus",
    "protocol",
    "track",
    "system",
    "seeds",
    "mean",
    "deviation",
    "lowest",
    "highest",
    "first",
    "low",
    "high",
    "range",
    "each",
)


def spreads(runs: Iterable[Scored]) -> pd.DataFrame:
    """How the UAR of a system varies from seed to seed.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a system that ran with at least three seeds, speakers kept apart: corpus, protocol, track,
        system, seeds (their number), mean, deviation (standard, over one less than their number), lowest and
        highest UAR, first (UAR of the first seed), low, high and range (its interval, as `figures_of`), and
        each (all UAR, by seed).
    """
    held: dict[tuple, list[Scored]] = {}
    for run in runs:
        row = run.row
        if run.counts is not None and not row["test"] and not row["leaky"]:
            held.setdefault(tuple(row[name] for name in CELL[:-1]), []).append(run)
    rows = []
    for same in held.values():
        if len(same) < FEWEST_SEEDS:
            continue
        same = sorted(same, key=lambda run: run.row["seed"])
        uar = pd.Series([run.row["uar"] for run in same])
        first = figures_of(same[0])
        rows.append(
            {name: first[name] for name in ("corpus", "system", "low", "high", "range")}
            | {
                "protocol": same[0].row["protocol"],
                "track": same[0].row["track"],
                "seeds": len(uar),
                "mean": uar.mean(),
                "deviation": uar.std(),
                "lowest": uar.min(),
                "highest": uar.max(),
                "first": first["uar"],
                "each": uar.tolist(),
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    by = ["corpus", "protocol", "mean", "system"]
    return table.sort_values(by, ascending=[True, True, False, True], ignore_index=True)


def seeds_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The seeds as a chapter; None where nothing ran with several.

    One figure: every seed a tick, beside the interval over speakers.
    """
    from ser_classic.plots.conditions import seeds

    table = spreads(runs)
    if not len(table):
        return None
    rows = [
        (
            Entry(f"{row['corpus']}, {row['protocol']}"),
            Entry(row["system"]),
            Entry(str(row["seeds"]), row["seeds"]),
            Entry(f"{share(row['mean'])} ±{share(row['deviation'])}", row["mean"]),
            Entry(f"{share(row['lowest'])}–{share(row['highest'])}", row["lowest"]),
            Entry(row["range"], row["low"]),
        )
        for row in table.to_dict("records")
    ]
    headings = ("corpus", "system", "seeds", "UAR", "min–max", "95 %")
    picture = Picture(
        "seeds",
        "UAR by seed",
        "Each mark is a run with another seed; the bar is the 95 % interval over speakers of the first "
        "one, where there are speakers enough.",
        partial(seeds, table),
        wide=True,
    )
    grid = Grid("", headings, tuple(rows))
    return Chapter("seeds", TITLE, ABOUT, (grid,), pictures=(picture,))
