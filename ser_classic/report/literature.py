"""What others publish, beside what was run here: scores, folds, and recipes with their claims."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from importlib.resources import files

import pandas as pd

from ser_classic.report.overview import trained
from ser_classic.report.scoring import (
    Scored,
    group_of,
    places_of_tracks,
    rankings,
    system_of,
    systems,
    tabulated,
)
from ser_classic.report.text import Chapter, Picture, of_share, range_of, share
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import Cell, Table
from ser_classic.tracks import track_of

SYSTEM = ["corpus", "features", "model"]
NEAR = 0.05  # a claim that is missed by no more is reproduced
RECIPES_ABOUT = (
    "Each recipe under the random split it is published with, which trains on the test speakers, and with "
    "speakers kept apart; beside it the best classical system under the same protocol. A claim is an "
    "accuracy that others state, on their own split. With several seeds, the mean is shown."
)
MISSED = (
    "{missed} of {all} claims were not reproduced, even under the leaky split they are stated for. Likely "
    "reasons are steps that raise a figure and are not reported: copies of a clip (noisy, shifted, "
    "stretched) on both sides of the split, song beside speech, the epoch chosen on the test part, the best "
    "of many runs. Here each clip is used once, and training stops by clips held out of the training part. "
    "Accuracy claimed and found: {which}."
)
RECIPES_HEADINGS = (
    "recipe",
    "corpus",
    "accuracy claimed",
    "accuracy, own split",
    "claim",
    "best classical there",
    "UAR, speakers apart",
    "95 %",
    "best classical there",
)
SOURCES = ("recipe", "corpus", "claimed by")
SHOWN = 8  # published scores of a corpus and track in Markdown
PUBLISHED_ABOUT = (
    "Our best systems (bold) and published scores on the same corpus and track. Figures compare only on the "
    "same folds; on other folds they are a rough guide. ≈ marks figures read off heat maps to two decimals, "
    "each the best of nine classifiers, and so too high."
)
FOLDS_HEADINGS = ("corpus", "folds", "clips", "speakers", "tested", "of them trained on", "verdict")
FOLDS_ABOUT = (
    "EmoBox (Interspeech 2024) publishes folds of 32 corpora. According to its lists of clips, {disjoint} "
    "keep speakers apart, {leak} test on speakers that they train on, and {unknown} do not say. A score on "
    "folds that leak says nothing about new speakers, so it is never ranked beside one that does."
)


def published() -> pd.DataFrame:
    """Published scores, one a row.

    Columns corpus, classes, protocol (as published), folds (the protocol of ours with the same, if any),
    speaker_disjoint (yes or no), track, system, family, metric, value, source and link (to it).
    """
    return pd.read_csv(files("ser_classic") / "data" / "published.csv", dtype={"speaker_disjoint": str})


def beside_published(board: pd.DataFrame, corpus: str, best: int = 3) -> pd.DataFrame:
    """The best own systems of a corpus and the published ones, by track and whether speakers are apart.

    Parameters
    ----------
    board : pd.DataFrame
        The leaderboard.
    corpus : str
    best : int
        Own systems of each group, under the protocol under which most systems ran. Stale ones are left out,
        and those on features or predictions that were made elsewhere.

    Returns
    -------
    pd.DataFrame
        Columns track, disjoint, system, family, protocol, uar, low, high, own, same_folds (whether our
        systems have these folds), approximate (read off a figure), source and link. Sorted by UAR within
        track and disjoint, never across; empty where nothing is published for the corpus.
    """
    rows = published()
    rows = rows[(rows["corpus"] == corpus) & (rows["metric"] == "UAR")]
    theirs = pd.DataFrame(
        {
            "track": rows["track"],
            "disjoint": rows["speaker_disjoint"] == "yes",
            **{name: rows[name] for name in ("system", "family", "protocol")},
            "base": rows["folds"],
            "uar": rows["value"].astype(float),
            "own": False,
            "approximate": rows["source"].str.contains("read off"),
            **{name: rows[name] for name in ("source", "link")},
        }
    )
    current = board[(board["corpus"] == corpus) & (board["status"] == "ok") & board["stale"].eq("")]
    first = {}
    for group, _, _, part in rankings(systems(current[current["source"] == ""])):
        first.setdefault(group, part.head(best))
    mine = pd.concat(first.values()) if first else systems(current.iloc[:0])
    few = mine["speakers"].astype(float) < FEWEST_SPEAKERS
    ours = pd.DataFrame(
        {
            "track": mine["track"],
            "disjoint": group_of(mine) != "leaky",
            "system": mine["features"] + " + " + mine["model"],
            "family": "classical",
            "protocol": mine["base"],
            "base": mine["base"],
            "uar": mine["uar"].astype(float),
            "low": mine["uar_low"].astype(float).mask(few),
            "high": mine["uar_high"].astype(float).mask(few),
            "own": True,
            "approximate": False,
            "source": "this benchmark",
            "link": "",
        }
    )
    both = pd.concat([ours, theirs], ignore_index=True)
    if not len(theirs):
        both = both.iloc[:0]
    both["same_folds"] = both.pop("base").isin(set(ours["base"]))
    order = {"_track": True, "disjoint": False, "uar": False, "system": True}
    both = both.assign(_track=places_of_tracks(both["track"]))
    both = both.sort_values([*order], ascending=[*order.values()], ignore_index=True)
    return both.drop(columns="_track")


def beside_networks(board: pd.DataFrame, most: int = 4) -> pd.DataFrame:
    """The best system of each track beside the best frozen networks as published on the same folds.

    Columns as `beside_published`, and corpus, of the corpora that have both; blind ones first, each track by
    UAR.
    """
    parts = []
    for corpus in dict.fromkeys(board["corpus"]):
        table = beside_published(board, str(corpus), best=1)
        table = table[table["disjoint"].astype(bool) & table["same_folds"]]
        theirs = table[table["family"] == "ssl"].groupby("track", sort=False).head(most)
        ours = table[table["own"].astype(bool)]
        if len(ours) and len(theirs):
            parts.append(table.loc[sorted([*ours.index, *theirs.index])].assign(corpus=corpus))
    columns = [*beside_published(board.iloc[:0], ""), "corpus"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def networks_picture(board: pd.DataFrame) -> Picture | None:
    """The picture that tells the story: classical systems beside frozen networks; None without both."""
    from ser_classic.plots.scores import beside_networks as drawn

    table = beside_networks(board)
    if not len(table):
        return None
    theirs = table.loc[~table["own"].astype(bool), "source"]
    sources = dict.fromkeys(re.match(r"[^;(]+", source)[0].strip() for source in theirs)
    caption = (
        "The best system computed here on each track, with its 95 % interval over speakers where there are "
        f"enough, and frozen self-supervised networks as published on the same folds ({'; '.join(sources)}). "
        "Those with ≈ are read off heat maps, as the best of nine classifiers."
    )
    return Picture("networks", "Classical systems beside frozen networks", caption, partial(drawn, table))


def published_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """What is published of the corpora that were run, with where it stands; None of others."""
    board = tabulated(runs)
    tables = []
    for corpus in dict.fromkeys(board["corpus"]):
        both = beside_published(board, str(corpus))
        for (track, disjoint), part in both.groupby(["track", "disjoint"], sort=False):
            title = f"{corpus}, {track_of(track).label}" + ("" if disjoint else ", speakers on both sides")
            if part["own"].any() and not part["own"].all():
                tables.append(_published_table(part, title))
    return Chapter("published", "Beside published scores", PUBLISHED_ABOUT, tuple(tables)) if tables else None


def _published_table(table: pd.DataFrame, title: str) -> Table:
    rows = tuple(
        (
            row["system"],
            row["protocol"] if row["same_folds"] else f"{row['protocol']} (other folds)",
            Cell(("≈" if row["approximate"] else "") + share(row["uar"]), row["uar"]),
            "" if pd.isna(row["low"]) else f"{share(row['low'])}–{share(row['high'])}",
            Cell(row["source"], link=row["link"] if isinstance(row["link"], str) else ""),
        )
        for row in table.to_dict("records")
    )
    kinds = tuple("best" if own else "" for own in table["own"])
    return Table(("system", "protocol", "UAR", "95 %", "source"), rows, title, kinds, most=SHOWN)


def recipes() -> pd.DataFrame:
    """The recipes, one a row.

    Columns recipe (in words), corpus, features, model, own and apart (protocols: the recipe's own, and one
    that keeps speakers apart), claimed (accuracy) and source (of the claim).
    """
    return pd.read_csv(files("ser_classic") / "data" / "recipes.csv")


def reproduced(runs: Iterable[Scored]) -> pd.DataFrame:
    """The recipes whose runs, under both protocols, are among these.

    The columns of `recipes`; own_accuracy; uar, uar_low, uar_high and speaker_uar with speakers kept apart
    (means over seeds); and of the classical system with the highest figure under the same protocol best_own,
    best_own_accuracy, best_apart and best_apart_uar.
    """
    runs = [run for run in runs if run.counts is not None]
    table = systems(tabulated(runs))
    classical = systems(tabulated(run for run in runs if not trained(run)))
    rows = []
    for recipe in recipes().to_dict("records"):
        same = table[(table[SYSTEM] == pd.Series(recipe)[SYSTEM]).all(axis=1)]
        own, apart = (same[same["protocol"] == recipe[which]] for which in ("own", "apart"))
        if not len(own) or not len(apart):
            continue
        here = classical[classical["corpus"] == recipe["corpus"]]
        row = recipe | {"own_accuracy": own["accuracy"].iloc[0]}
        row |= apart[["uar", "uar_low", "uar_high", "speaker_uar"]].iloc[0].to_dict()
        for which, metric in (("own", "accuracy"), ("apart", "uar")):
            best = here[here["protocol"] == recipe[which]].sort_values(metric, ascending=False).head(1)
            row[f"best_{which}"] = system_of(best.iloc[0]) if len(best) else ""
            row[f"best_{which}_{metric}"] = best[metric].iloc[0] if len(best) else float("nan")
        rows.append(row)
    columns = [*recipes().columns, "own_accuracy", "uar", "uar_low", "uar_high", "speaker_uar"]
    columns += ["best_own", "best_own_accuracy", "best_apart", "best_apart_uar"]
    return pd.DataFrame(rows, columns=columns)


def recipes_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The recipes as a chapter; None where none was run."""
    table = reproduced(runs)
    if not len(table):
        return None
    rows, sources, missed = [], [], []
    for row in table.to_dict("records"):
        names = row["recipe"], row["corpus"]
        kept = row["own_accuracy"] >= row["claimed"] - NEAR
        own = (
            of_share(row["claimed"], 2),
            of_share(row["own_accuracy"]),
            "reproduced" if kept else "not reproduced",
        )
        if not kept:
            missed.append(
                f"{row['corpus']}, {row['model']} ({share(row['claimed'], 2)}, {share(row['own_accuracy'])})"
            )
        best_own, best_apart = (
            Cell(f"{share(value)} {row[best]}", value)
            for best, value in (("best_own", row["best_own_accuracy"]), ("best_apart", row["best_apart_uar"]))
        )
        apart = of_share(row["uar"]), Cell(range_of(row), row["uar_low"])
        rows.append((*names, *own, best_own, *apart, best_apart))
        sources.append((*names, row["source"]))
    grids = Table(RECIPES_HEADINGS, tuple(rows)), Table(SOURCES, tuple(sources), "Claims")
    about = RECIPES_ABOUT
    if missed:
        about = f"{MISSED.format(missed=len(missed), all=len(rows), which='; '.join(missed))} {about}"
    return Chapter("recipes", "Recipes that people publish", about, grids)


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
    return Chapter(
        "folds", "Published folds that leak", FOLDS_ABOUT.format(**counts), (Table(FOLDS_HEADINGS, rows),)
    )


def _number(value: float) -> Cell:
    return Cell("–", -1.0) if pd.isna(value) else Cell(f"{value:.0f}", float(value))
