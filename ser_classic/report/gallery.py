"""The figures of a report, drawn from scored runs: what to draw, from which of them, under which name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from ser_classic.report import views
from ser_classic.report.board import Scored, first_seeds, system_of, tabulated
from ser_classic.report.text import share

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure, the name of its files, and what is said beside it.

    `draw` is a function of `ser_classic.plots` with its arguments. `corpus` is empty where it spans several;
    `wide` ones do not share their line of a page.
    """

    name: str
    title: str
    caption: str
    draw: partial[Figure]
    corpus: str = ""
    wide: bool = False

    @property
    def figure(self) -> Figure:
        """The figure, drawn anew."""
        return self.draw()


def pictures(runs: Sequence[Scored]) -> Iterator[Picture]:
    """All figures that the runs give beside those of chapters, those over all corpora first."""
    board = tabulated(runs)
    for by in ("model", "features"):
        yield from _ranks(runs, by)
    yield from _confusions(runs)
    for corpus in dict.fromkeys(board["corpus"]):
        yield from _published(board, corpus)
        yield from _feature_sets(board, corpus)


def _feature_sets(board: pd.DataFrame, corpus: str) -> Iterator[Picture]:
    from ser_classic.plots.scores import feature_sets

    table = views.by_features(board, corpus, "blind")
    if len(table) > 1:
        yield Picture(
            f"features_{corpus}",
            f"{corpus}: features and models, blind",
            "UAR of every feature set: a dot for each model, the best named, with its 95 % interval where "
            "there are speakers enough. The dashed line is chance. Of several protocols that ran, the one "
            "under which most systems did.",
            partial(feature_sets, table, 1 / table["classes"].iloc[0]),
            corpus,
        )


def _ranks(runs: Sequence[Scored], by: str) -> Iterator[Picture]:
    from ser_classic.plots.scores import critical_difference

    found = views.ranked(runs, by)
    if found is None:
        return
    placed, shared = found
    names = {"model": ("Models", "on the feature set"), "features": ("Feature sets", "with the model")}
    what, where = names[by]
    over = f"mean UAR {where}s" if len(shared) > 1 else f"UAR {where}"
    yield Picture(
        f"ranks_{by}",
        f"{what} ranked, blind",
        f"Average rank over {placed.blocks} speakers, by each one's {over} {', '.join(shared)}. A "
        "bar joins those that Nemenyi's test cannot tell apart at 5 %. Friedman's test: "
        f"χ² = {placed.statistic:.1f}, p = {placed.p_value:.2g}.",
        partial(critical_difference, placed),
    )


def _published(board: pd.DataFrame, corpus: str) -> Iterator[Picture]:
    from ser_classic.plots.scores import beside_published

    table = views.beside_published(board, corpus)
    table = table[table["disjoint"].astype(bool)]
    if table["own"].any() and not table["own"].all():
        yield Picture(
            f"published_{corpus}",
            f"{corpus}: beside the published",
            "Our best systems and published ones, all with test speakers kept out of training. Those on "
            "other folds are near, not equal. Blind and adapted systems are never ranked together.",
            partial(beside_published, table),
            corpus,
            wide=True,
        )


def _confusions(runs: Sequence[Scored]) -> Iterator[Picture]:
    """What the best blind system of each corpus takes for what, in one figure."""
    from ser_classic.plots.scores import confusions

    best: dict[str, Scored] = {}
    for run in sorted(views.shown(first_seeds(runs), "blind"), key=lambda run: -run.row["uar"]):
        best.setdefault(run.row["corpus"], run)
    if best:
        names = (
            f"{corpus}, {system_of(run.row)} (UAR {share(run.row['uar'])})" for corpus, run in best.items()
        )
        yield Picture(
            "confusions",
            "What is taken for what",
            f"Share of each emotion's clips by guess, of the best blind system: {'; '.join(names)}. A blank "
            "cell is a guess that was never made, a zero one that was made for fewer than one clip in 200.",
            partial(
                confusions,
                {corpus: (run.counts.counts.sum(axis=0), run.counts.classes) for corpus, run in best.items()},
            ),
            wide=True,
        )
