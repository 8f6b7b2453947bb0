"""Networks beside classical models: what a score costs to train and to keep."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pandas as pd

from ser_classic.report.board import Scored, system_of
from ser_classic.report.chapters import Chapter
from ser_classic.report.gallery import Picture
from ser_classic.report.text import duration, of_share
from ser_classic.report.views import FLOOR
from ser_classic.tables import Cell, Table

TITLE = "Networks"
ABOUT = (
    "Networks trained from scratch on the same folds, beside classical models: the best of each kind. Their "
    "validation part is a group of training speakers (clips, where the split is leaky), and decides when to "
    "stop; with two speakers (TESS) nothing can be held out, and the number of epochs is fixed."
)
HEADINGS = ("kind", "system", "UAR", "a fold takes", "size")
SHOWN = 5  # systems of each kind
NETWORK = "DeepClassifier"  # the estimator of every model that is trained in epochs


def trained(run: Scored) -> bool:
    """Whether a run's model is a network trained from scratch."""
    return run.run.record.get("parameters", {}).get("model", {}).get("estimator") == NETWORK


def efforts(runs: Iterable[Scored]) -> pd.DataFrame:
    """What the blind systems of a corpus score, and what one training of each costs.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a system of each corpus on which a network ran, under the protocol that most of its networks
        ran under (speakers kept apart): corpus, protocol, features, model, network (bool), uar, seconds (of
        one core to tune and fit a fold, on average) and size [bytes] (of the fitted pipeline); means over
        seeds. The floor is left out.
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
    apart = row["independent"] and not row["test"] and row["track"] == "blind"
    return run.counts is not None and apart and row["model"] != FLOOR


def networks_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Classical models against networks: UAR against the cost of training and the size; None without both."""
    from ser_classic.plots.scores import effort

    table = efforts(runs)
    both = table.groupby("corpus")["network"].nunique()
    table = table[table["corpus"].isin(both[both == 2].index)]
    if not len(table):
        return None
    picture = Picture(
        "classical_and_networks",
        "Classical models and networks",
        "UAR, blind, against what it takes: seconds of one CPU core to tune and fit one fold, and the size "
        "of the fitted pipeline. Named are the systems that no other of their kind beats at less.",
        partial(effort, table),
        wide=True,
    )
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
    return Chapter("networks", TITLE, ABOUT, tuple(grids), pictures=(picture,))
