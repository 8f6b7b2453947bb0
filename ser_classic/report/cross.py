"""From corpus to corpus: trained on one, tested on another, on the emotions that both have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pandas as pd

from ser_classic.report.board import Scored, first_seeds, system_of
from ser_classic.report.chapters import FIGURES, Chapter, Entry, Grid, figures_of, of_share, of_test
from ser_classic.report.gallery import Picture
from ser_classic.report.text import share
from ser_classic.report.views import shown

TITLE = "From corpus to corpus"
ABOUT = (
    "Trained on all of one corpus, tested on all of another, on the emotions that both have; the fewer these "
    "are, the easier the task and the higher chance (one over their number). The interval is over the "
    "speakers of the corpus tested on. In brackets, or trained on itself: the same system within one corpus, "
    "speakers kept apart, on all its emotions, which is another task."
)
ITSELF = "itself"
COLUMNS = ("track", "trained", "tested", "within", *FIGURES)


def crossings(runs: Iterable[Scored]) -> pd.DataFrame:
    """Systems trained on one corpus and tested on another, and beside them within each.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a run of the first seed: system, track, trained, tested (corpora), within (bool: both are one,
        with speakers kept apart), and what `figures_of` gives; `classes` counts the emotions told apart.
    """
    runs = list(runs)
    rows = [
        _row(run, "+".join(run.run.record["trained_on"]), within=False) for run in of_test(runs, "cross")[0]
    ]
    systems = {(row["system"], row["track"]) for row in rows}
    corpora = {row[end] for row in rows for end in ("trained", "tested")}
    near = [run for run in first_seeds(runs) if run.row["corpus"] in corpora]
    home = [
        _row(run, run.row["corpus"], within=True)
        for track in ("blind", "adapted")
        for run in shown(near, track)
        if (system_of(run.row), track) in systems
    ]
    table = pd.DataFrame([*rows, *home], columns=list(COLUMNS))
    return table.sort_values(["system", "tested", "within", "trained", "track"], ignore_index=True)


def _row(run: Scored, trained: str, within: bool) -> dict:
    return figures_of(run) | {
        "track": run.row["track"],
        "trained": trained,
        "tested": run.row["corpus"],
        "within": within,
    }


def cross_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The crossings as a chapter; None where none was run.

    Of each system two matrices, of the figures alone, and a list with the intervals.
    """
    runs = list(runs)
    table, (_, failed) = crossings(runs), of_test(runs, "cross")
    if not len(table) and not failed:
        return None
    grids = [grid for _, part in table.groupby("system") for grid in _grids(part)]
    return Chapter("cross", TITLE, ABOUT, tuple(grids), failed, tuple(_pictures(table)))


def _pictures(table: pd.DataFrame) -> Iterator[Picture]:
    """A heat map for each system, blind beside adapted."""
    from ser_classic.plots.conditions import crossings as drawn

    for system, part in table.groupby("system"):
        yield Picture(
            f"cross_{str(system).replace(' + ', '_')}",
            f"{system}: trained on one corpus, tested on another",
            "UAR, its 95 % interval over speakers where there are enough, and the emotions told apart. "
            "Framed, on the diagonal: within one corpus, speakers kept apart, on all its emotions.",
            partial(drawn, part),
            wide=True,
        )


def _grids(table: pd.DataFrame) -> Iterator[Grid]:
    system = table["system"].iloc[0]
    for track in [name for name in ("blind", "adapted") if name in set(table["track"])]:
        part = table[table["track"] == track]
        across = part[~part["within"]]
        corpora = sorted({*across["trained"], *across["tested"]})
        uar = part.set_index(["trained", "tested"])["uar"]
        rows = [
            (Entry(row), *(_entry(uar.get((row, column), float("nan")), row == column) for column in corpora))
            for row in corpora
        ]
        yield Grid(f"{system}, {track}, by the corpus tested on", ("trained on", *corpora), tuple(rows))
    pairs = []
    for (tested, within, trained), part in table.groupby(["tested", "within", "trained"]):
        by_track = part.set_index("track")
        cells = [Entry(tested), Entry(ITSELF if within else trained), Entry(str(part["classes"].max()))]
        for track in ("blind", "adapted"):
            if track in by_track.index:
                row = by_track.loc[track]
                cells += [of_share(row["uar"]), Entry(row["range"], row["low"])]
            else:
                cells += [Entry("–"), Entry("–")]
        pairs.append(tuple(cells))
    headings = ("tested on", "trained on", "emotions", "blind", "95 %", "adapted", "95 %")
    yield Grid(f"{system}: with intervals", headings, tuple(pairs))


def _entry(value: float, within: bool) -> Entry:
    text = share(value)
    return Entry(f"({text})" if within and text != "–" else text, value)
