"""Robustness: systems trained on recordings as they are, tested on noisy, coded, faint or clipped ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pandas as pd

from ser_classic.report.board import Scored, first_seeds
from ser_classic.report.chapters import (
    FIGURES,
    Chapter,
    beside,
    figures_of,
    headings_of,
    legend,
    of_test,
    system_on,
)
from ser_classic.report.gallery import Picture

TITLE = "On degraded recordings"
CLEAN = "clean"
COLUMNS = ("folds", "degradation", "kind", "level", *FIGURES)


def degraded(runs: Iterable[Scored]) -> pd.DataFrame:
    """What systems score on degraded test clips, and on the clips as they are.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a run of the first seed: corpus, folds, system, degradation (`CLEAN` for the ordinary run on
        the same folds), its kind and level, and what `figures_of` gives. Sorted by corpus, then as
        `DEGRADATIONS` lists them, the clean ones first, then by system.
    """
    from ser_classic.degradations import DEGRADATIONS

    runs = list(runs)
    rows = []
    wanted = set()
    for run in of_test(runs, "degraded")[0]:
        folds = run.row["base"]
        wanted.add(system_on(run, folds))
        rows.append(figures_of(run) | described(folds, run.run.record["degradation"]))
    for run in first_seeds(runs):
        row = run.row
        plain = run.counts is not None and not row["test"] and row["track"] == "blind"
        if plain and system_on(run, row["base"]) in wanted:
            rows.append(figures_of(run) | described(row["base"], CLEAN))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {name: place for place, name in enumerate((CLEAN, *DEGRADATIONS))}
    table["place"] = table["degradation"].map(order).fillna(len(order))
    by = ["corpus", "folds", "place", "degradation", "system"]
    return table.sort_values(by, ignore_index=True).drop(columns="place")


def described(folds: str, degradation: str) -> dict[str, str]:
    """What is tested on these folds: degradation (or `CLEAN`), its kind and level."""
    from ser_classic.degradations import DEGRADATIONS

    kind, level = degradation, ""
    if degradation in DEGRADATIONS:
        kind, level = DEGRADATIONS[degradation].kind, DEGRADATIONS[degradation].level
    return {"folds": folds, "degradation": degradation, "kind": kind, "level": level}


def degraded_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The degradations as a chapter; None where no such run is among these."""
    runs = list(runs)
    table, (_, failed) = degraded(runs), of_test(runs, "degraded")
    if not len(table) and not failed:
        return None
    names = headings_of(table["system"])
    grids = [
        beside(part, f"{corpus}, {folds}", "degradation", "test clips", names)
        for (corpus, folds), part in table.groupby(["corpus", "folds"])
    ]
    about = _about(table) + legend(names)
    return Chapter("degraded", TITLE, about, tuple(grids), failed, tuple(_pictures(table)))


def _about(table: pd.DataFrame) -> str:
    from ser_classic.degradations import DEGRADATIONS

    kinds = ", ".join(
        f"{name} ({degradation.kind}, {degradation.level})"
        for name, degradation in DEGRADATIONS.items()
        if name in set(table["degradation"])
    )
    return (
        "UAR of blind systems trained on the clips as they are and tested on degraded ones, beside the clean "
        f"ones. The degradations: {kinds}."
    )


def _pictures(table: pd.DataFrame) -> Iterator[Picture]:
    """A figure for each corpus: noise as a curve, the others as points."""
    from ser_classic.plots.conditions import robustness

    systems = list(dict.fromkeys(table["system"]))
    for corpus, part in table.groupby("corpus"):
        yield Picture(
            f"degraded_{corpus}",
            f"{corpus}: UAR on degraded test clips",
            "With 95 % intervals over speakers where there are enough. Left: white noise, by its level below "
            "the speech. Right: what else was done to the clips. The dashed line is chance.",
            partial(robustness, part, systems),
            wide=True,
        )
