"""Recipes that people publish: what is claimed, what they reach under their own split, and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

import pandas as pd

from ser_classic.report.board import Scored, system_of, systems, tabulated
from ser_classic.report.chapters import Chapter
from ser_classic.report.networks import trained
from ser_classic.report.text import of_share, range_of, share
from ser_classic.tables import Cell, Table

SYSTEM = ["corpus", "features", "model"]
TITLE = "Recipes that people publish"
ABOUT = (
    "Each recipe under the random split it is published with, where the test speakers were heard in "
    "training, and with speakers kept apart; beside it the best classical system under the same protocol. "
    "A claim is an accuracy as others state it, under a split of theirs. Recipes that ran with several "
    "seeds show the mean."
)
HEADINGS = (
    "recipe",
    "corpus",
    "accuracy claimed",
    "accuracy, own split",
    "best classical there",
    "UAR, speakers apart",
    "95 %",
    "best classical there",
)
SOURCES = ("recipe", "corpus", "claimed by")


def recipes() -> pd.DataFrame:
    """The recipes, one a row.

    Columns recipe (in words), corpus, features, model, own and apart (protocols: the recipe's own, and one
    that keeps speakers apart), claimed (accuracy) and source (of the claim).
    """
    return pd.read_csv(files("ser_classic") / "data" / "recipes.csv")


def reproduced(runs: Iterable[Scored]) -> pd.DataFrame:
    """The recipes whose runs, under both protocols, are among these.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        The columns of `recipes`, and own_accuracy, uar, uar_low, uar_high, speaker_uar (speakers kept
        apart; means over seeds), and of the classical system with the highest figure under the same
        protocol best_own, best_own_accuracy, best_apart, best_apart_uar.
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
    rows, sources = [], []
    for row in table.to_dict("records"):
        names = row["recipe"], row["corpus"]
        own = of_share(row["claimed"], 2), of_share(row["own_accuracy"])
        best_own, best_apart = (
            Cell(f"{share(value)} {row[best]}", value)
            for best, value in (("best_own", row["best_own_accuracy"]), ("best_apart", row["best_apart_uar"]))
        )
        apart = of_share(row["uar"]), Cell(range_of(row), row["uar_low"])
        rows.append((*names, *own, best_own, *apart, best_apart))
        sources.append((*names, row["source"]))
    grids = Table(HEADINGS, tuple(rows)), Table(SOURCES, tuple(sources), "Claims")
    return Chapter("recipes", TITLE, ABOUT, grids)
