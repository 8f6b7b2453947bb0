"""What else can be read off scored runs: ranks, and where they stand among published scores."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

import numpy as np
import pandas as pd

from ser_classic.report.board import Scored, group_of, standing, systems
from ser_classic.statistics import (
    FEWEST_SPEAKERS,
    Ranks,
    SpeakerCounts,
    per_speaker,
    ranks,
)
from ser_classic.vocabulary import ordered

FLOOR = "prior"  # knows nothing of the recording; it is no contestant


def aligned(first: SpeakerCounts, second: SpeakerCounts) -> tuple[SpeakerCounts, SpeakerCounts]:
    """Both among the same speakers and emotions: all that either has, zeros where one has none."""
    speakers = tuple(sorted({*first.speakers, *second.speakers}))
    classes = ordered({*first.classes, *second.classes})

    def spread(table: SpeakerCounts) -> SpeakerCounts:
        counts = np.zeros((len(speakers), len(classes), len(classes)), dtype=table.counts.dtype)
        rows = [speakers.index(name) for name in table.speakers]
        places = [classes.index(name) for name in table.classes]
        counts[np.ix_(rows, places, places)] = table.counts
        return SpeakerCounts(speakers, classes, counts)

    return spread(first), spread(second)


def ranked(runs: Iterable[Scored], by: str, track: str = "blind") -> tuple[Ranks, tuple[str, ...]] | None:
    """Models ranked over speakers, on the feature sets that they share, or feature sets, with shared models.

    A block is a speaker of any corpus; a score is his UAR, averaged over the other choices that every
    contestant was run with. Only runs with speakers kept apart count, of one protocol per corpus.

    Parameters
    ----------
    runs : iterable of Scored
    by : {"model", "features"}
    track : {"blind", "adapted"}

    Returns
    -------
    ranks : Ranks
    shared : tuple of str
        The feature sets (or models) over which a contestant's scores are averaged.

    None where fewer than three contestants share a block.
    """
    other = {"model": "features", "features": "model"}[by]
    rows = []
    for run in shown(runs, track):
        row = run.row
        if row["source"] or row["model"] == FLOOR or row["seed"] != 0 or not row["speakers"]:
            continue
        cell = (row["corpus"], row[by], row[other])
        rows += [(speaker, uar, *cell) for speaker, uar in per_speaker(run.counts).items()]
    if not rows:
        return None
    table = pd.DataFrame(rows, columns=["speaker", "uar", "corpus", "one", "other"])
    contestants = _complete(table)
    wide = contestants.pivot_table(index="speaker", columns="one", values="uar", aggfunc="mean")
    if wide.shape[1] < 3 or wide.shape[0] < 2:
        return None
    return ranks(wide), tuple(dict.fromkeys(contestants["other"]))


def shown(runs: Iterable[Scored], track: str) -> list[Scored]:
    """The finished runs of a track whose folds are those shown of their corpus; see `standing`."""
    held = [run for run in runs if run.counts is not None and run.row["track"] == track]
    if not held:
        return []
    first = standing(pd.DataFrame([run.row for run in held])) == 0
    return [run for run, kept in zip(held, first, strict=True) if kept]


def _complete(table: pd.DataFrame) -> pd.DataFrame:
    """Contestants and the cells that all of them share.

    Of the contestants in the order of how many cells they ran, the first so many that contestants x shared
    cells is largest; so a contestant that ran little does not cost the others their cells.
    """
    cell = table["corpus"] + "/" + table["other"]
    ran = pd.crosstab(table["one"], cell) > 0
    order = ran.sum(axis=1).sort_values(ascending=False, kind="stable").index
    shared = [ran.loc[order[:number]].all() for number in range(1, len(order) + 1)]
    best = max(range(len(order)), key=lambda last: (last >= 2) * (last + 1) * int(shared[last].sum()))
    held = shared[best].index[shared[best]]
    return table[cell.isin(held) & table["one"].isin(order[: best + 1])]


def published() -> pd.DataFrame:
    """Published scores, one a row.

    Columns corpus, classes, protocol (as published), folds (the protocol of ours with the same, if any),
    speaker_disjoint (yes or no), track, system, family, metric, value and source.
    """
    return pd.read_csv(files("ser_classic") / "data" / "published.csv", dtype={"speaker_disjoint": str})


def by_features(board: pd.DataFrame, corpus: str, track: str) -> pd.DataFrame:
    """Every feature set with every model on one corpus, under the first protocol that they ran under.

    Parameters
    ----------
    board : pd.DataFrame
    corpus, track : str

    Returns
    -------
    pd.DataFrame
        Columns features, model, classes, uar, and its interval low and high, NaN where it cannot be trusted.
    """
    table = systems(board[(board["status"] == "ok") & (board["corpus"] == corpus)])
    table = table[(group_of(table) == track) & table["classes"].eq(table["classes"].max())]
    table = table.assign(place=standing(table)).dropna(subset="place").sort_values("place", kind="stable")
    trusted = table["speakers"] >= FEWEST_SPEAKERS
    table = table.assign(low=table["uar_low"].where(trusted), high=table["uar_high"].where(trusted))
    table = table.drop_duplicates(["features", "model"])
    return table[["features", "model", "classes", "uar", "low", "high"]]


def beside_published(board: pd.DataFrame, corpus: str, best: int = 3) -> pd.DataFrame:
    """The best own systems of a corpus and the published ones, by track and whether speakers are apart.

    Parameters
    ----------
    board : pd.DataFrame
        The leaderboard.
    corpus : str
    best : int
        Own systems of each group, over all its protocols; stale ones are left out.

    Returns
    -------
    pd.DataFrame
        Columns track, disjoint, system, family, protocol, uar, low, high, own, same_folds (whether one of
        our protocols has these folds), source. Sorted by UAR within track and disjoint, never across;
        empty where nothing is published for the corpus.
    """
    rows = published()
    rows = rows[(rows["corpus"] == corpus) & (rows["metric"] == "UAR")]
    theirs = pd.DataFrame(
        {
            "track": rows["track"],
            "disjoint": rows["speaker_disjoint"] == "yes",
            "system": rows["system"],
            "family": rows["family"],
            "protocol": rows["protocol"],
            "base": rows["folds"],
            "uar": rows["value"].astype(float),
            "own": False,
            "source": rows["source"],
        }
    )
    mine = systems(board[(board["corpus"] == corpus) & (board["status"] == "ok") & board["stale"].isna()])
    mine = mine[mine["source"] != "external"]
    mine["group"] = group_of(mine)
    mine = mine.groupby("group", sort=False).head(best)
    few = mine["speakers"].astype(float) < FEWEST_SPEAKERS
    ours = pd.DataFrame(
        {
            "track": mine["track"],
            "disjoint": mine["group"] != "leaky",
            "system": mine["features"] + " + " + mine["model"],
            "family": mine["source"].map({"brought": "brought features"}).fillna("classical"),
            "protocol": mine["base"],
            "base": mine["base"],
            "uar": mine["uar"].astype(float),
            "low": mine["uar_low"].astype(float).mask(few),
            "high": mine["uar_high"].astype(float).mask(few),
            "own": True,
            "source": "this benchmark",
        }
    )
    both = pd.concat([ours, theirs], ignore_index=True)
    if not len(theirs):
        both = both.iloc[:0]
    both["same_folds"] = both.pop("base").isin(set(ours["base"]))
    return both.sort_values(
        ["track", "disjoint", "uar", "system"], ascending=[False, False, False, True], ignore_index=True
    )
