"""Recipes that people publish: what is claimed, what they reach under their own split, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd

from ser_classic.report.board import Scored, system_of, systems, tabulated
from ser_classic.report.networks import trained
from ser_classic.report.page import Cell, Column, Part, table_of
from ser_classic.report.text import figure, range_of

SYSTEM = ["corpus", "features", "model"]
TITLE = "Recipes that people publish"
ABOUT = (
    "Each recipe under the random split it is published with, where the test speakers were heard in "
    "training, and with speakers kept apart; beside it the best classical system under the same protocol. "
    "A claim is an accuracy as others state it, under a split of theirs. Recipes that ran with several "
    "seeds show the mean."
)


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


def recipes_markdown(table: pd.DataFrame, level: int = 2) -> str:
    """The recipes as Markdown; nothing where none was run.

    Parameters
    ----------
    table : pd.DataFrame
        As `reproduced` returns it.
    level : int
        Of the heading.
    """
    if not len(table):
        return ""
    lines = [
        f"{'#' * level} {TITLE}",
        "",
        ABOUT,
        "",
        "| recipe | corpus | accuracy claimed | accuracy, own split | best classical there | "
        "UAR, speakers apart | 95 % | best classical there |",
        "|---|---|--:|--:|---|--:|:-:|---|",
    ]
    for row in table.to_dict("records"):
        cells = [row["recipe"], row["corpus"], figure(row["claimed"], 2), figure(row["own_accuracy"])]
        cells += [f"{figure(row['best_own_accuracy'])} {row['best_own']}", f"**{figure(row['uar'])}**"]
        cells += [range_of(row), f"{figure(row['best_apart_uar'])} {row['best_apart']}"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Claimed by:", ""]
    lines += [f"- {row['recipe']} ({row['corpus']}): {row['source']}" for row in table.to_dict("records")]
    return "\n".join(lines) + "\n\n"


def recipes_part(table: pd.DataFrame) -> Part | None:
    """The recipes as a part of the page; None where none was run."""
    if not len(table):
        return None
    columns = [
        Column("recipe", prose=True),
        Column("corpus"),
        Column("accuracy claimed", number=True, prose=True),
        Column("accuracy, own split", number=True, prose=True),
        Column("best classical there", lesser=True, prose=True),
        Column("UAR, speakers apart", number=True, prose=True),
        Column("95 %", lesser=True),
        Column("best classical there", lesser=True, prose=True),
    ]
    markup = table_of(columns, [(_cells(row), "") for row in table.to_dict("records")], TITLE)
    sources = "".join(
        f"<li>{escape(row['recipe'])} ({escape(row['corpus'])}): {escape(row['source'])}</li>"
        for row in table.to_dict("records")
    )
    markup = (
        f"<p>{escape(ABOUT)}</p>{markup}<details><summary>Claimed by</summary><ul>{sources}</ul></details>"
    )
    return Part("recipes", TITLE, markup)


def _cells(row: dict[str, Any]) -> Sequence[Cell]:
    def shown(value: float, name: str) -> Cell:
        return Cell(f"{figure(value)} {escape(name)}", value)

    cells = [Cell(escape(row["recipe"])), Cell(escape(row["corpus"]))]
    cells += [
        Cell(figure(row["claimed"], 2), row["claimed"]),
        Cell(figure(row["own_accuracy"]), row["own_accuracy"]),
    ]
    cells += [shown(row["best_own_accuracy"], row["best_own"])]
    cells += [Cell(f"<strong>{figure(row['uar'])}</strong>", row["uar"]), Cell(range_of(row), row["uar"])]
    return [*cells, shown(row["best_apart_uar"], row["best_apart"])]
