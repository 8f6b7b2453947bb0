"""Feature sets, models and networks of the ordinary runs, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pandas as pd

from ser_classic.metrics import reliability
from ser_classic.report.scoring import (
    FLOOR,
    Scored,
    first_seeds,
    group_of,
    guesses,
    shown,
    standing,
    system_of,
    systems,
    tabulated,
)
from ser_classic.report.text import Chapter, Picture, duration, of_share
from ser_classic.statistics import FEWEST_SPEAKERS, Ranks, per_speaker, ranks
from ser_classic.tables import Cell, Table

PANELS = 2  # corpora that a figure has room for
TITLE = "Features and models"
ABOUT = "Blind systems, with speakers kept apart, by what goes in and what learns."
NETWORKS_TITLE = "Networks"
NETWORKS_ABOUT = (
    "The best networks trained from scratch beside the best classical models, on the same folds. A held-out "
    "group of training speakers (of clips in a leaky split) decides when to stop; with two speakers (TESS) "
    "none can be held out, so the number of epochs is fixed."
)
HEADINGS = ("kind", "system", "UAR", "a fold takes", "size")
SHOWN = 5  # systems of each kind
NETWORK = "DeepClassifier"  # the estimator of every model that is trained in epochs


def systems_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Feature sets and models side by side, how they rank, and what is taken for what."""
    runs = list(runs)
    found = (*_feature_sets(runs), *_ranks(runs), *_confusions(runs))
    return Chapter("systems", TITLE, ABOUT, (), pictures=found) if found else None


def most_run(corpora: Iterable[str], most: int = PANELS) -> list[str]:
    """The corpora that occur most often among these: those that a figure has room for."""
    return list(pd.Series(list(corpora), dtype=object).value_counts().index[:most])


def _feature_sets(runs: list[Scored]) -> Iterator[Picture]:
    from ser_classic.plots.scores import feature_sets

    board = tabulated(runs)
    tables = {corpus: by_features(board, corpus, "blind") for corpus in dict.fromkeys(board["corpus"])}
    rows = [corpus for corpus, table in tables.items() if len(table) > 1 for _ in range(len(table))]
    if rows:
        yield Picture(
            "features",
            "Feature sets and models, blind",
            "UAR of every feature set on the corpora with most systems: a dot for each model, the best "
            "named, with its 95 % interval where there are speakers enough. The dashed line is chance. Of "
            "several protocols, the one under which most systems ran.",
            partial(feature_sets, {corpus: tables[corpus] for corpus in most_run(rows)}),
        )


def _ranks(runs: list[Scored]) -> Iterator[Picture]:
    from ser_classic.plots.scores import critical_difference

    drawn: dict[str, Ranks] = {}
    caption = []
    for by, title, where in (
        ("model", "Models", "on the feature set"),
        ("features", "Feature sets", "with the model"),
    ):
        found = ranked(runs, by)
        if found is not None:
            placed, shared = found
            drawn[title] = placed
            over = f"mean UAR {where}s" if len(shared) > 1 else f"UAR {where}"
            caption.append(
                f"{title} over {placed.blocks} speakers, by each one's {over} {', '.join(shared)}: "
                f"Friedman's χ² = {placed.statistic:.1f}, p = {placed.p_value:.2g}."
            )
    if drawn:
        caption.append("A bar joins those that Nemenyi's test cannot tell apart at 5 %.")
        yield Picture("ranks", "Average ranks, blind", " ".join(caption), partial(critical_difference, drawn))


def _confusions(runs: list[Scored]) -> Iterator[Picture]:
    """What the best blind system takes for what, and how far its probabilities can be trusted."""
    from ser_classic.plots.scores import confusions

    own = [run for run in first_seeds(runs) if not run.row["source"]]
    best: dict[str, Scored] = {}
    for run in sorted(shown(own, "blind"), key=lambda run: -run.row["uar"]):
        best.setdefault(run.row["corpus"], run)
    panels = {}
    for corpus in most_run(run.row["corpus"] for run in own if run.row["corpus"] in best):
        run = best[corpus]
        guess, given = guesses(run.run.answers()[1])
        curve = None if given is None else reliability(run.tested.truth, guess, given)
        panels[f"{corpus}, {system_of(run.row)}"] = (
            run.counts.counts.sum(axis=0),
            run.counts.classes,
            curve,
        )
    if panels:
        yield Picture(
            "confusions",
            "What the best blind system takes for what, and how sure it is",
            "Left: the share of each emotion's clips by guess; a blank cell is a guess never made, a zero "
            "one made for fewer than one clip in 200. Right: how often guesses of a given confidence are "
            "right; on the dotted line they are right as often as they claim. A larger dot is more clips. "
            "The matrix of any other system opens with its row.",
            partial(confusions, panels),
        )


def ranked(runs: Iterable[Scored], by: str, track: str = "blind") -> tuple[Ranks, tuple[str, ...]] | None:
    """Models ranked over speakers, on the feature sets that they share, or feature sets, with shared models.

    A block is a speaker of any corpus; its score is the UAR, averaged over the feature sets (or models) that
    every contestant was run with, which are returned too. Only runs with speakers kept apart count, of one
    protocol per corpus. None where fewer than three contestants share a block.
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
    common = shared[best].index[shared[best]]
    return table[cell.isin(common) & table["one"].isin(order[: best + 1])]


def by_features(board: pd.DataFrame, corpus: str, track: str) -> pd.DataFrame:
    """Every feature set with every model on one corpus, under the first protocol that they ran under.

    Columns features, model, classes, uar, and its interval low and high, NaN where it cannot be trusted.
    """
    table = systems(board[(board["status"] == "ok") & (board["corpus"] == corpus)])
    table = table[(group_of(table) == track) & table["classes"].eq(table["classes"].max())]
    table = table.assign(place=standing(table)).dropna(subset="place").sort_values("place", kind="stable")
    trusted = table["speakers"] >= FEWEST_SPEAKERS
    table = table.assign(low=table["uar_low"].where(trusted), high=table["uar_high"].where(trusted))
    table = table.drop_duplicates(["features", "model"])
    return table[["features", "model", "classes", "uar", "low", "high"]]


def trained(run: Scored) -> bool:
    """Whether a run's model is a network trained from scratch."""
    return run.run.record.get("parameters", {}).get("model", {}).get("estimator") == NETWORK


def efforts(runs: Iterable[Scored]) -> pd.DataFrame:
    """What the blind systems of a corpus score, and what one training of each costs, without the floor.

    One row a system of each corpus on which a network ran, under the protocol that most of its networks ran
    under: corpus, protocol, features, model, network (bool), uar, seconds (of one core to tune and fit a
    fold) and size [bytes] of the fitted pipeline; means over seeds.
    """
    rows = [
        {name: run.row[name] for name in ("corpus", "protocol", "features", "model", "uar")}
        | {
            "network": trained(run),
            "seconds": run.run.record["fit_seconds"] / len(run.run.record["folds"]),
            "size": run.run.record["size"],
        }
        for run in runs
        if _comparable(run) and {"folds", "size"} <= set(run.run.record)
    ]
    columns = ["corpus", "protocol", "features", "model", "uar", "network", "seconds", "size"]
    table = pd.DataFrame(rows, columns=columns)
    ran = table[table["network"].astype(bool)].groupby("corpus")["protocol"]
    usual = ran.agg(lambda names: names.mode().iloc[0])
    table = table[table["protocol"] == table["corpus"].map(usual)]
    names = ["corpus", "protocol", "features", "model", "network"]
    return table.groupby(names, sort=False, as_index=False)[["uar", "seconds", "size"]].mean()


def _comparable(run: Scored) -> bool:
    row = run.row
    apart = row["independent"] and not row["test"] and not row["source"] and row["track"] == "blind"
    return run.counts is not None and apart and row["model"] != FLOOR


def networks_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Classical models and networks: UAR, cost of training and size; None without both."""
    table = efforts(runs)
    both = table.groupby("corpus")["network"].nunique()
    table = table[table["corpus"].isin(both[both == 2].index)]
    if not len(table):
        return None
    grids = []
    for corpus, part in table.groupby("corpus", sort=False):
        best = part.sort_values("uar", ascending=False, kind="stable").groupby("network").head(SHOWN)
        rows = [
            (
                "network" if row["network"] else "classical",
                system_of(row),
                of_share(row["uar"]),
                Cell(duration(row["seconds"]), row["seconds"]),
                Cell(f"{row['size'] / 1e6:.2f} MB", row["size"]),
            )
            for row in best.to_dict("records")
        ]
        grids.append(Table(HEADINGS, tuple(rows), f"{corpus}, {part['protocol'].iloc[0]}"))
    return Chapter("networks", NETWORKS_TITLE, NETWORKS_ABOUT, tuple(grids))
