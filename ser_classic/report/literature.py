"""What others publish, beside what was run here: scores, folds, and recipes with their claims."""

from __future__ import annotations

import re
from functools import partial
from importlib.resources import files

import pandas as pd

from ser_classic.plots import scores
from ser_classic.report.board import RANKING, systems
from ser_classic.report.overview import trained
from ser_classic.report.text import Chapter, Picture, range_text
from ser_classic.tables import Table, TableCell, of_share, share
from ser_classic.tracks import in_order, track_of

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
SHOWN = 8  # published scores of a corpus and track in Markdown
NETWORKS = 4  # of a corpus and track in the picture
PUBLISHED_ABOUT = (
    "Our best systems (bold) and published scores on the same corpus and track. Figures compare only on the "
    "same folds; on other folds they are a rough guide. ≈ marks figures read off heat maps to two decimals, "
    "each the best of nine classifiers, and so too high."
)
FOLDS_ABOUT = (
    "EmoBox (Interspeech 2024) publishes folds of 32 corpora. According to its lists of clips, {disjoint} "
    "keep speakers apart, {leak} test on speakers that they train on, and {unknown} do not say. A score on "
    "folds that leak says nothing about new speakers, so it is never ranked beside one that does."
)


def published_scores() -> pd.DataFrame:
    """Published scores, one per row.

    Columns corpus, classes, protocol (as published), folds (the protocol of ours with the same, if any),
    speaker_disjoint (yes or no), track, system, family, metric, value, source and link (to it).
    """
    return pd.read_csv(files("ser_classic") / "data" / "published.csv", dtype={"speaker_disjoint": str})


def beside_published(board: pd.DataFrame, best: int = 3) -> pd.DataFrame:
    """The best own systems and the published ones, by corpus, track and whether speakers are apart.

    Of the corpora in the leaderboard for which something is published. `same_folds` says whether our systems
    have these folds, `approximate` that a figure was read off a drawing. Sorted by UAR within track and
    disjoint, never across. Own systems are the `best` of each group, under the protocol under which most ran;
    stale ones are left out, and those on features or predictions that were made elsewhere.
    """
    theirs = published_scores().query("metric == 'UAR'")
    theirs = theirs[theirs["corpus"].isin(board["corpus"])]
    theirs = theirs.rename(columns={"value": "uar", "folds": "base"}).assign(
        disjoint=theirs["speaker_disjoint"] == "yes",
        own=False,
        approximate=theirs["source"].str.contains("read off"),
        link=theirs["link"].fillna(""),
    )
    current = board[board["late"].eq(0) & board["source"].eq("")]
    mine = systems(current[current["corpus"].isin(theirs["corpus"])])
    first = mine.drop_duplicates(["corpus", "group"])[RANKING]
    mine = mine.merge(first, on=RANKING).groupby(RANKING, sort=False).head(best)
    mine = mine.assign(
        disjoint=mine["group"] != "leaky",
        family="classical",
        protocol=mine["base"],
        own=True,
        approximate=False,
        source="this benchmark",
        link="",
    )
    both = pd.concat([mine, theirs], ignore_index=True)
    folds = set(zip(mine["corpus"], mine["base"], strict=True))
    both["same_folds"] = [pair in folds for pair in zip(both["corpus"], both["base"], strict=True)]
    order = {"corpus": True, "_track": True, "disjoint": False, "uar": False, "system": True}
    both = both.assign(
        _track=pd.Categorical(both["track"], in_order(both["track"])), uar=both["uar"].astype(float)
    )
    both = both.sort_values([*order], ascending=[*order.values()], ignore_index=True)
    columns = ["corpus", "track", "disjoint", "system", "family", "protocol", "uar", "low", "high", "own"]
    columns += ["same_folds", "approximate", "source", "link"]
    return both[columns].astype(dict.fromkeys(("disjoint", "own", "approximate"), bool))


def beside_networks(board: pd.DataFrame) -> pd.DataFrame:
    """The best system of each track beside the best frozen networks as published on the same folds.

    As `beside_published`, of the corpora that have both.
    """
    table = beside_published(board, best=1)
    table = table[table["disjoint"] & table["same_folds"]]
    place = table[table["family"] == "ssl"].groupby(["corpus", "track"]).cumcount().reindex(table.index)
    table = table[table["own"] | (place < NETWORKS)]
    return table[table.groupby("corpus")["own"].transform("nunique") > 1].reset_index(drop=True)


def networks_pictures(board: pd.DataFrame) -> tuple[Picture, ...]:
    """The picture at the head of the page: classical systems beside frozen networks; none without both."""
    table = beside_networks(board)
    if not len(table):
        return ()
    theirs = table.loc[~table["own"], "source"]
    sources = dict.fromkeys(re.match(r"[^;(]+", source)[0].strip() for source in theirs)
    caption = (
        "The best system computed here on each track, with its 95 % interval over speakers where there are "
        f"enough, and frozen self-supervised networks as published on the same folds ({'; '.join(sources)}). "
        "Those with ≈ are read off heat maps, as the best of nine classifiers."
    )
    title = "Classical systems beside frozen networks"
    return (Picture("networks", title, caption, partial(scores.beside_networks, table)),)


def published_chapter(runs: pd.DataFrame) -> Chapter:
    """Published scores on the corpora that were run, with their sources."""
    both, tables = beside_published(runs), []
    for (corpus, track, disjoint), part in both.groupby(["corpus", "track", "disjoint"], sort=False):
        if part["own"].nunique() < 2:
            continue
        rows = [
            {
                "system": row["system"],
                "protocol": row["protocol"] + ("" if row["same_folds"] else " (other folds)"),
                "UAR": TableCell(("≈" if row["approximate"] else "") + share(row["uar"]), row["uar"]),
                "95 %": "" if pd.isna(row["low"]) else f"{share(row['low'])}–{share(row['high'])}",
                "source": TableCell(row["source"], link=row["link"]),
            }
            for row in part.to_dict("records")
        ]
        title = f"{corpus}, {track_of(track).label}" + ("" if disjoint else ", speakers on both sides")
        kinds = ["best" if own else "" for own in part["own"]]
        tables.append(Table.of(rows, title, kinds=kinds, most=SHOWN))
    return Chapter("published", "Compared with published scores", PUBLISHED_ABOUT, tuple(tables))


def recipes() -> pd.DataFrame:
    """The recipes, one per row.

    Columns recipe (in words), corpus, features, model, own and apart (protocols: the recipe's own, and one
    that keeps speakers apart), claimed (accuracy) and source (of the claim).
    """
    return pd.read_csv(files("ser_classic") / "data" / "recipes.csv")


def reproduced(runs: pd.DataFrame) -> pd.DataFrame:
    """The recipes whose runs, under both protocols, are among these.

    The columns of `recipes`; own_accuracy; uar, uar_low, uar_high and speaker_uar with speakers kept apart
    (means over seeds); and of the classical system with the highest figure under the same protocol best_own,
    best_own_accuracy, best_apart and best_apart_uar.
    """
    runs = runs[runs["counts"].notna()]
    every, here = systems(runs), runs[runs["source"] == ""]
    classical = systems(here.loc[[not trained(run) for run in here["run"]]])
    table = recipes()
    for which, metric, others in (
        ("own", "accuracy", []),
        ("apart", "uar", ["uar_low", "uar_high", "speaker_uar"]),
    ):
        found = every.rename(columns={"protocol": which})[[*SYSTEM, which, metric, *others]]
        best = classical.sort_values(metric, ascending=False, kind="stable")
        best = best.drop_duplicates(["corpus", "protocol"]).set_index(["corpus", "protocol"])
        best = pd.DataFrame({f"best_{which}": best["system"], f"best_{which}_{metric}": best[metric]})
        table = table.merge(found, on=[*SYSTEM, which])
        table = table.merge(best, how="left", left_on=["corpus", which], right_index=True)
    return table.rename(columns={"accuracy": "own_accuracy"}).fillna({"best_own": "", "best_apart": ""})


def recipes_chapter(runs: pd.DataFrame) -> Chapter:
    """The recipes that were run, and the sources of their claims."""
    rows, sources, missed = [], [], []
    for row in reproduced(runs).to_dict("records"):
        names, found = {"recipe": row["recipe"], "corpus": row["corpus"]}, row["own_accuracy"]
        kept = found >= row["claimed"] - NEAR
        if not kept:
            missed.append(f"{row['corpus']}, {row['model']} ({share(row['claimed'], 2)}, {share(found)})")
        own, apart = (
            TableCell(f"{share(row[figure])} {row[system]}", row[figure])
            for system, figure in (("best_own", "best_own_accuracy"), ("best_apart", "best_apart_uar"))
        )
        figures = {
            "accuracy claimed": of_share(row["claimed"], 2),
            "accuracy, own split": of_share(found),
            "claim": "reproduced" if kept else "not reproduced",
            "best classical there": own,
            "UAR, speakers apart": of_share(row["uar"]),
            "95 %": TableCell(range_text(row), row["uar_low"]),
            "best classical, speakers apart": apart,
        }
        rows.append(names | figures)
        sources.append(names | {"claimed by": row["source"]})
    about = RECIPES_ABOUT
    if missed:
        about = f"{MISSED.format(missed=len(missed), all=len(rows), which='; '.join(missed))} {about}"
    tables = (Table.of(rows), Table.of(sources, "Claims")) if rows else ()
    return Chapter("recipes", "Published recipes", about, tables)


def fold_leaks() -> pd.DataFrame:
    """The published folds, a corpus a row.

    Columns corpus (as EmoBox calls it), folds, clips, speakers, test_speakers, also_trained (of the test
    speakers, in the same fold), share_of_test_clips (of speakers that are trained on), verdict (`disjoint`,
    `leak` or `unknown`) and note.
    """
    return pd.read_csv(files("ser_classic") / "data" / "fold_leaks.csv")


def folds_chapter(runs: pd.DataFrame) -> Chapter:
    """The table of `fold_leaks` as a chapter; empty where no run is on published folds."""
    table = fold_leaks().sort_values(["verdict", "corpus"], key=lambda column: column.replace("leak", "a"))
    table = table.rename(columns={"test_speakers": "tested", "also_trained": "also trained on"})
    numbers = ("folds", "clips", "speakers", "tested", "also trained on")
    rows = [
        {
            "corpus": row["corpus"],
            **{name: _number(row[name]) for name in numbers},
            "verdict": ": ".join(filter(None, (row["verdict"], row["note"]))),
        }
        for row in table.fillna({"note": ""}).to_dict("records")
    ]
    tables = (Table.of(rows),) if runs["base"].eq("emobox").any() else ()
    about = FOLDS_ABOUT.format(**table["verdict"].value_counts())
    return Chapter("folds", "Published folds that leak", about, tables)


def _number(value: float) -> TableCell:
    return TableCell("–", -1.0) if pd.isna(value) else TableCell(f"{value:.0f}", float(value))
