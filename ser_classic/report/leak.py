"""The leak premium: what it adds to a score to have heard the test speakers in training."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from statistics import fmean

import pandas as pd

from ser_classic.report.scoring import FLOOR, Scored, aligned, standing
from ser_classic.report.text import Chapter, Picture, of_share, signed
from ser_classic.statistics import FEWEST_SPEAKERS, Interval, difference
from ser_classic.tables import Cell, Table

TITLE = "The leak premium"
ABOUT = (
    "The same systems, with the test speakers kept out of training and with them in it. The difference, with "
    "its 95 % interval over speakers, is what a leaky split adds to a published figure. Where a model ran "
    "with several seeds, figures are means over them, as in the leaderboard. All leaky protocols, with the "
    "number of seeds, are in `leak_premium.csv`."
)
ALONE = "Scored by others under a leaky split only: what they reach for unknown speakers is not known"
SYSTEM = ("corpus", "features", "model", "classes")
COLUMNS = (
    *SYSTEM,
    "protocol",
    "uar",
    "leaky_protocol",
    "leaky_uar",
    "premium",
    "low",
    "high",
    "speakers",
    "seeds",
    "leaky_seeds",
    "leaky_clips",
)
MOST = 5  # systems of a corpus in Markdown


def leak_premium(runs: Iterable[Scored]) -> pd.DataFrame:
    """What it is worth to have heard the test speakers in training.

    Both sides tell the same number of emotions apart: a run on fewer of them has an easier task.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row per leaky protocol of every system that also ran with speakers kept apart: corpus, features,
        model, classes, protocol, uar, leaky_protocol, leaky_uar, premium (the difference), low, high (its
        95 % interval, the same speakers drawn for both), speakers, seeds, leaky_seeds (how many ran),
        leaky_clips (tested); the largest premium of a corpus first. UAR are means over the seeds of their
        side, as in the leaderboard; low and high the means of what each seed gives with each of the other
        side.
    """
    held = [run for run in runs if run.counts is not None and run.row["track"] == "blind"]
    leaks: dict[tuple, list[Scored]] = {}
    kept: dict[tuple, dict[float, list[Scored]]] = {}
    places = standing(pd.DataFrame([run.row for run in held])) if held else ()
    for run, place in zip(held, places, strict=True):
        cell = tuple(run.row[name] for name in SYSTEM)
        if run.row["leaky"]:
            leaks.setdefault((*cell, run.row["protocol"]), []).append(run)
        elif pd.notna(place):
            kept.setdefault(cell, {}).setdefault(place, []).append(run)
    rows = []
    for (*cell, leaky_protocol), leaky in leaks.items():
        if tuple(cell) not in kept:
            continue
        found = kept[tuple(cell)]
        apart = found[min(found)]
        gaps = [_difference(one, other) for one in leaky for other in apart]
        rows.append(
            {
                **dict(zip(SYSTEM, cell, strict=True)),
                "protocol": apart[0].row["protocol"],
                "uar": fmean(run.row["uar"] for run in apart),
                "leaky_protocol": leaky_protocol,
                "leaky_uar": fmean(run.row["uar"] for run in leaky),
                "premium": fmean(gap.value for gap in gaps),
                "low": fmean(gap.low for gap in gaps),
                "high": fmean(gap.high for gap in gaps),
                "speakers": gaps[0].speakers,
                "seeds": len(apart),
                "leaky_seeds": len(leaky),
                "leaky_clips": max(run.row["clips"] for run in leaky),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        ["corpus", "premium", "features", "model", "leaky_protocol"],
        ascending=[True, False, True, True, True],
        ignore_index=True,
    )


def _difference(leaky: Scored, apart: Scored) -> Interval:
    both, alone = aligned(leaky.counts, apart.counts)
    return difference(both.counts, alone.counts)


def shown_premium(table: pd.DataFrame) -> pd.DataFrame:
    """The leak premium of each system once per corpus: of its leaky runs that which tests the most clips.

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
    held = held.sort_values("leaky_clips", ascending=False, kind="stable")
    held = held.drop_duplicates(["corpus", "features", "model", "classes"])
    few = held["classes"] < held.groupby("corpus")["classes"].transform("max")
    note = (", " + held["classes"].astype(str) + " emotions").where(few, "")
    held = held.assign(system=held["features"] + " + " + held["model"] + note)
    return held.sort_values(
        ["corpus", "leaky_uar", "system"], ascending=[True, False, True], ignore_index=True
    )


def leaky_alone(runs: Iterable[Scored]) -> Table | None:
    """Models of others that were scored under a leaky split only, beside our best under the same split.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    Table or None
        None where each such model was also scored with speakers kept apart, or there is none. What our best
        system reaches with speakers kept apart tells how much of the figure the split may have given.
    """
    held = [run for run in runs if run.row.get("track") == "blind" and "uar" in run.row]
    apart: dict[tuple, float] = {}
    for run in held:
        if not run.row["leaky"] and run.row["independent"]:
            cell = tuple(run.row[name] for name in SYSTEM)
            apart[cell] = max(apart.get(cell, 0.0), run.row["uar"])
    rows = []
    for run in held:
        cell = tuple(run.row[name] for name in SYSTEM)
        if not run.row["leaky"] or run.row["source"] != "external" or cell in apart:
            continue
        same = ("corpus", "protocol", "classes")
        ours = [
            other
            for other in held
            if other.row["source"] != "external"
            and all(other.row[name] == run.row[name] for name in same)
            and tuple(other.row[name] for name in SYSTEM) in apart
        ]
        best = max(ours, key=lambda other: other.row["uar"], default=None)
        known = best and (best.row["uar"], apart[tuple(best.row[name] for name in SYSTEM)])
        beside = (
            (f"{best.row['features']} + {best.row['model']}", *map(of_share, known)) if best else ("", "", "")
        )
        words = (run.row[name] for name in ("corpus", "model", "protocol"))
        rows.append((*words, of_share(run.row["uar"]), *beside))
    headings = ("corpus", "model", "leaky", "UAR leaky", "our best there", "its UAR leaky", "its UAR apart")
    return Table(headings, tuple(rows), ALONE) if rows else None


def leak_chapter(premium: pd.DataFrame, alone: Table | None = None) -> Chapter | None:
    """The leak premium of each system as a chapter, those first that a leaky split would have put first.

    Parameters
    ----------
    premium : pd.DataFrame
        As `leak_premium` returns it.
    alone : Table, optional
        As `leaky_alone` returns it.

    Returns
    -------
    Chapter or None
        None where there are neither pairs nor models that were scored under a leaky split only.
    """
    from ser_classic.plots.scores import leak_premium as drawn

    table = shown_premium(premium)
    others = (alone,) if alone else ()
    if not len(table):
        return Chapter("leak", TITLE, ABOUT, others) if others else None
    picture = Picture(
        "leak_premium",
        "UAR with the test speakers out of training, and in it",
        "Of each corpus the system with the highest leaky UAR, with the 95 % interval of the difference.",
        partial(drawn, table.drop_duplicates("corpus")),
    )
    grids = tuple(_grid(str(corpus), part) for corpus, part in table.groupby("corpus", sort=False))
    return Chapter("leak", TITLE, ABOUT, (*grids, *others), pictures=(picture,))


def _grid(corpus: str, table: pd.DataFrame) -> Table:
    rows = []
    for row in table.to_dict("records"):
        known = row["speakers"] >= FEWEST_SPEAKERS
        interval = f"{signed(row['low'])} to {signed(row['high'])}" if known else "too few speakers"
        words = (row[name] for name in ("system", "protocol", "leaky_protocol"))
        gap = (
            Cell(signed(row["premium"]), row["premium"]),
            Cell(interval, row["low"] if known else float("nan")),
        )
        rows.append((*words, of_share(row["uar"]), of_share(row["leaky_uar"]), *gap))
    headings = ("system", "kept apart", "leaky", "UAR apart", "UAR leaky", "premium", "95 %")
    return Table(headings, tuple(rows), corpus, most=MOST)
