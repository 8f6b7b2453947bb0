"""Feature sets, models and networks of the ordinary runs, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pandas as pd

from ser_classic.metrics import reliability
from ser_classic.plots import scores
from ser_classic.report.board import FLOOR, first_seeds, speaker_independent, systems, under_usual_protocol
from ser_classic.report.scoring import guesses
from ser_classic.report.text import Chapter, Picture, duration
from ser_classic.statistics import Ranks, per_speaker, ranks
from ser_classic.store import Run
from ser_classic.tables import Table, TableCell, of_share

PANELS = 2  # corpora that a figure has room for
ABOUT = "Blind systems with speakers kept apart, by feature set and by model."
NETWORKS_ABOUT = (
    "The best networks trained from scratch beside the best classical models, on the same folds. A held-out "
    "group of training speakers (of clips in a leaky split) decides when to stop; with two speakers (TESS) "
    "none can be held out, so the number of epochs is fixed."
)
SHOWN = 5  # systems of each kind
NETWORK = "DeepClassifier"  # the estimator of every model that is trained in epochs


def systems_chapter(runs: pd.DataFrame) -> Chapter:
    """Feature sets and models side by side, their ranks, and what the best systems confuse."""
    pictures = (*_feature_sets(runs), *_confusions(runs))
    tables, about = [], [ABOUT]
    for by, title, others in (
        ("model", "Average ranks of models", "feature sets"),
        ("features", "Average ranks of feature sets", "models"),
    ):
        if (placed := ranked(runs, by)) is None:
            continue
        found, shared = placed
        far = found.average > found.average.iloc[0] + found.critical_difference
        about.append(
            f"{title}: over {found.blocks} speakers, by the mean UAR of each on the "
            f"{others if len(shared) > 1 else others[:-1]} {', '.join(shared)}; "
            f"Friedman's χ² = {found.statistic:.1f}, p = {found.p_value:.2g}. By Nemenyi's test, ranks more "
            f"than {found.critical_difference:.2f} apart differ at 5 %."
        )
        rows = [
            {
                by: str(name),
                "average rank": TableCell(f"{rank:.2f}", rank),
                "against the best": "worse" if far[name] else "",
            }
            for name, rank in found.average.items()
        ]
        tables.append(Table.of(rows, title))
    return Chapter("systems", "Features and models", " ".join(about), tuple(tables), pictures)


def most_run(corpora: Iterable[str]) -> list[str]:
    """The corpora that occur most often among these: those that a figure has room for."""
    return list(pd.Series(list(corpora), dtype=object).value_counts().index[:PANELS])


def _feature_sets(runs: pd.DataFrame) -> Iterator[Picture]:
    """Every feature set with every model on one corpus, under the first protocol that they ran under."""
    table = systems(runs[runs["status"] == "ok"])
    table = table[(table["group"] == "blind") & table["independent"].astype(bool)]
    table = table[table["classes"] == table.groupby("corpus")["classes"].transform("max")]
    table = under_usual_protocol(table, ["corpus", "features", "model"])
    table = table[table.groupby("corpus")["model"].transform("size") > 1]
    if len(table):
        drawn = {
            corpus: table[table["corpus"] == corpus] for corpus in most_run(table["corpus"].sort_values())
        }
        yield Picture(
            "features",
            "Feature sets and models, blind",
            "UAR of every feature set on the corpora with most systems: a dot for each model, the best "
            "named, with its 95 % interval where there are enough speakers. The dashed line is chance. Of "
            "several protocols, the one under which most systems ran.",
            partial(scores.feature_sets, drawn),
        )


def _confusions(runs: pd.DataFrame) -> Iterator[Picture]:
    """What the best blind system confuses, and how far its probabilities can be trusted."""
    own = first_seeds(runs[runs["source"] == ""])
    best = speaker_independent(own, "blind").sort_values("uar", ascending=False, kind="stable")
    best = best.drop_duplicates("corpus")
    panels = {}
    for corpus in most_run(own["corpus"][own["corpus"].isin(best["corpus"])]):
        run = best[best["corpus"] == corpus].iloc[0]
        guess, given = guesses(run["run"].answers()[1])
        curve = None if given is None else reliability(run["truth"], guess, given)
        counts = run["counts"]
        panels[f"{corpus}, {run['system']}"] = counts.counts.sum(axis=0), counts.classes, curve
    if panels:
        yield Picture(
            "confusions",
            "What the best blind system confuses, and how well its confidence is calibrated",
            "Left: the share of each emotion's clips by guess; a blank cell is a guess never made, a zero "
            "one made for fewer than one clip in 200. Right: how often guesses of a given confidence are "
            "right; on the dotted line they are right as often as they claim. A larger dot is more clips. "
            "The matrix of any other system opens with its row.",
            partial(scores.confusions, panels),
        )


def ranked(runs: pd.DataFrame, by: str) -> tuple[Ranks, tuple[str, ...]] | None:
    """Models ranked over speakers, on the feature sets that they share, or feature sets, with shared models.

    A block is a speaker of any corpus; its score is the UAR, averaged over the feature sets (or models) that
    every contestant was run with, which are returned too. Only runs with speakers kept apart count, of one
    protocol per corpus. None where fewer than three contestants share a block.
    """
    other = {"model": "features", "features": "model"}[by]
    rows = speaker_independent(runs, "blind")
    rows = rows[
        (rows["source"] == "") & (rows["model"] != FLOOR) & (rows["seed"] == 0) & (rows["speakers"] > 0)
    ]
    table = rows.assign(
        cell=rows["corpus"] + "/" + rows[other],
        speaker=[counts.speakers for counts in rows["counts"]],
        uar=[per_speaker(counts) for counts in rows["counts"]],
    ).explode(["speaker", "uar"], ignore_index=True)
    # Of the contestants in the order of how many cells they ran, the first so many that contestants x shared
    # cells is largest; so a contestant that ran little does not cost the others their cells.
    ran = pd.crosstab(table[by], table["cell"]) > 0
    ran = ran.loc[ran.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    shared = ran.cummin()
    sizes = shared.sum(axis=1).to_numpy() * range(1, len(ran) + 1)
    most = max(range(3, len(ran) + 1), key=lambda number: sizes[number - 1], default=0)
    if not most or not sizes[most - 1]:
        return None
    kept = table[table[by].isin(ran.index[:most]) & table["cell"].map(shared.iloc[most - 1])]
    wide = kept.astype({"uar": float}).pivot_table(index="speaker", columns=by, values="uar", aggfunc="mean")
    return (ranks(wide), tuple(sorted(kept[other].unique()))) if len(wide) > 1 else None


def trained(run: Run) -> bool:
    """Whether a run's model is a network trained from scratch."""
    return run.record.get("parameters", {}).get("model", {}).get("estimator") == NETWORK


def efforts(runs: pd.DataFrame) -> pd.DataFrame:
    """What the blind systems of a corpus score, and what one training of each costs, without the floor.

    One row per system under the usual protocol of each corpus: corpus, protocol, features, model, system,
    network (bool), uar, seconds (of one core to tune and fit a fold) and size [bytes] of the fitted pipeline;
    means over seeds.
    """
    names = ["corpus", "protocol", "features", "model", "system", "network"]
    table = speaker_independent(runs, "blind")
    table = table[(table["source"] == "") & (table["model"] != FLOOR)]
    table = table.assign(
        network=[trained(run) for run in table["run"]],
        seconds=[run.record["fit_seconds"] / len(run.record["folds"]) for run in table["run"]],
        size=[run.record["size"] for run in table["run"]],
    )[[*names, "uar", "seconds", "size"]]
    return table.groupby(names, sort=False, as_index=False).mean()


def networks_chapter(runs: pd.DataFrame) -> Chapter:
    """Classical models and networks, of corpora with both: UAR, cost of training and size."""
    tables = []
    for (corpus, protocol), part in efforts(runs).groupby(["corpus", "protocol"], sort=False):
        if part["network"].nunique() < 2:
            continue
        best = part.sort_values("uar", ascending=False, kind="stable").groupby("network").head(SHOWN)
        rows = [
            {
                "kind": "network" if row["network"] else "classical",
                "system": row["system"],
                "UAR": of_share(row["uar"]),
                "time per fold": TableCell(duration(row["seconds"]), row["seconds"]),
                "size": TableCell(f"{row['size'] / 1e6:.2f} MB", row["size"]),
            }
            for row in best.to_dict("records")
        ]
        tables.append(Table.of(rows, f"{corpus}, {protocol}"))
    return Chapter("networks", "Networks", NETWORKS_ABOUT, tuple(tables))
