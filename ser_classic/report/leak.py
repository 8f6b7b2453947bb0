"""The leak premium: how much a score gains from hearing the test speakers in training."""

from __future__ import annotations

from functools import partial
from statistics import fmean

import pandas as pd

from ser_classic.plots import scores
from ser_classic.report.board import FLOOR, under_usual_protocol, with_places
from ser_classic.report.scoring import aligned
from ser_classic.report.text import Chapter, Picture
from ser_classic.statistics import FEWEST_SPEAKERS, difference
from ser_classic.tables import Table, TableCell, of_share, signed

TITLE = "The leak premium"
ABOUT = (
    "The same systems trained without and with clips of the test speakers. The difference, with its 95 % "
    "interval over speakers, is what a leaky split adds to a published figure. With several seeds, figures "
    "are means. `leak_premium.csv` has all leaky protocols and the number of seeds."
)
SYSTEM = ["corpus", "features", "model", "classes"]
COLUMNS = [*SYSTEM, "protocol", "uar", "leaky_protocol", "leaky_uar", "premium", "low", "high"]
COLUMNS += ["speakers", "seeds", "leaky_seeds", "leaky_clips"]
MOST = 5  # systems of a corpus in Markdown


def leak_premium(runs: pd.DataFrame) -> pd.DataFrame:
    """How much each system gains from hearing the test speakers in training.

    One row per leaky protocol of every system that also ran with speakers kept apart, on as many emotions (as
    fewer are easier), the largest premium of a corpus first. The premium is the difference of the UARs, which
    are means over the seeds of their side, as in the leaderboard. Its 95 % interval draws the same speakers
    for both; low and high are means over all pairs of seeds. `leaky_clips` is how many were tested.
    """
    blind = with_places(runs[runs["counts"].notna() & (runs["track"] == "blind")])
    kept = under_usual_protocol(blind[blind["independent"].astype(bool)], SYSTEM)
    apart_by_system = dict(list(kept.groupby(SYSTEM)))
    rows = []
    leaks = blind[blind["leaky"].astype(bool)]
    for (*cell, leaky_protocol), leaky in leaks.groupby([*SYSTEM, "protocol"]):
        if (apart := apart_by_system.get(tuple(cell))) is None:
            continue
        pairs = (aligned(one, other) for one in leaky["counts"] for other in apart["counts"])
        gaps = [difference(one.counts, other.counts) for one, other in pairs]
        rows.append(
            {
                **dict(zip(SYSTEM, cell, strict=True)),
                "protocol": apart["protocol"].iloc[0],
                "uar": fmean(apart["uar"]),
                "leaky_protocol": leaky_protocol,
                "leaky_uar": fmean(leaky["uar"]),
                "premium": fmean(gap.value for gap in gaps),
                "low": fmean(gap.low for gap in gaps),
                "high": fmean(gap.high for gap in gaps),
                "speakers": gaps[0].speakers,
                "seeds": len(apart),
                "leaky_seeds": len(leaky),
                "leaky_clips": leaky["clips"].max(),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(
        ["corpus", "premium", "features", "model", "leaky_protocol"],
        ascending=[True, False, True, True, True],
        ignore_index=True,
    )


def shown_premium(table: pd.DataFrame) -> pd.DataFrame:
    """One row of `leak_premium` per corpus and system: the leaky protocol that tests the most clips.

    Without the floor, with a column `system`, sorted by leaky UAR within each corpus.
    """
    shown = table[table["model"] != FLOOR]
    shown = shown.sort_values("leaky_clips", ascending=False, kind="stable")
    shown = shown.drop_duplicates(SYSTEM)
    few = shown["classes"] < shown.groupby("corpus")["classes"].transform("max")
    note = (", " + shown["classes"].astype(str) + " emotions").where(few, "")
    shown = shown.assign(system=shown["features"] + " + " + shown["model"] + note)
    return shown.sort_values(
        ["corpus", "leaky_uar", "system"], ascending=[True, False, True], ignore_index=True
    )


def leak_chapter(premium: pd.DataFrame) -> Chapter:
    """The table of `leak_premium` as a chapter."""
    table = shown_premium(premium)
    picture = Picture(
        "leak_premium",
        "UAR without and with the test speakers in training",
        "Of each corpus the system with the highest leaky UAR, with the 95 % interval of the difference.",
        partial(scores.leak_premium, table.drop_duplicates("corpus")),
    )
    tables = []
    for corpus, part in table.groupby("corpus", sort=False):
        rows = []
        for row in part.to_dict("records"):
            known = row["speakers"] >= FEWEST_SPEAKERS
            range_ = f"{signed(row['low'])} to {signed(row['high'])}" if known else "too few speakers"
            rows.append(
                {
                    "system": row["system"],
                    "kept apart": row["protocol"],
                    "leaky": row["leaky_protocol"],
                    "UAR apart": of_share(row["uar"]),
                    "UAR leaky": of_share(row["leaky_uar"]),
                    "premium": TableCell(signed(row["premium"]), row["premium"]),
                    "95 %": TableCell(range_, row["low"] if known else float("nan")),
                }
            )
        tables.append(Table.of(rows, str(corpus), most=MOST))
    return Chapter("leak", TITLE, ABOUT, tuple(tables), (picture,) if len(table) else ())
