"""Figures of networks: what their scores cost beside those of classical models, and how they learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.style import BLIND, LINE, MUTED, PAPER, SERIES, blank, share_axis, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORKS = SERIES[3]
PANEL = 300  # points that a panel is wide, about; layout makes them a little more
SCALES = (
    ("seconds", "seconds of one core, tuning and fitting a fold"),
    ("size", "size of the fitted pipeline"),
)
UNITS = {
    "seconds": {1e-3: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 100: "100 s", 1e3: "1000 s"},
    "size": {1e3: "1 kB", 1e4: "10 kB", 1e5: "100 kB", 1e6: "1 MB", 1e7: "10 MB", 1e8: "100 MB"},
}


@styled
def effort(table: pd.DataFrame) -> Figure:
    """UAR against the cost of training and the size of what is kept, a row of panels per corpus.

    Parameters
    ----------
    table : pd.DataFrame
        Columns corpus, features, model, network (bool), uar, seconds and size [bytes].
    """
    corpora = list(dict.fromkeys(table["corpus"]))
    figure = blank(9.2, 0.7 + 2.9 * len(corpora))
    axes = figure.subplots(len(corpora), 2, squeeze=False, sharex="col", sharey="row")
    for ax, (column, label) in zip(axes[-1], SCALES, strict=True):
        low, high = table[column].min(), table[column].max()
        ticks = {at: text for at, text in UNITS[column].items() if low / 3 <= at <= high * 3}
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.set_xticks(list(ticks), list(ticks.values()))
        ax.set_xlim(low / 1.6, high * (400 if column == "seconds" else 40))  # room for names
        ax.set_xlabel(label)
    for row, corpus in zip(axes, corpora, strict=True):
        part = table[table["corpus"] == corpus]
        for ax, (column, _) in zip(row, SCALES, strict=True):
            _scatter(ax, part, column)
        row[0].set_title(corpus)
        row[0].set_ylabel("UAR")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def _scatter(ax: Axes, part: pd.DataFrame, column: str) -> None:
    ax.grid(axis="y")
    low, high = part["uar"].min(), part["uar"].max()
    share_axis(ax, "y", max(0.0, np.floor(20 * low - 0.2) / 20), np.ceil(20 * high + 0.2) / 20)
    taken: list[float] = []
    for network, marker, colour, label in (
        (True, "D", NETWORKS, "networks trained from scratch"),
        (False, "o", BLIND, "classical models"),
    ):
        kind = part[part["network"] == network]
        front = unbeaten(kind, column)
        ax.plot(kind[column], kind["uar"], marker, color=colour, markersize=4, alpha=0.35, mew=0)
        ax.plot(front[column], front["uar"], color=colour, linewidth=0.8, alpha=0.5)
        ax.plot(front[column], front["uar"], marker, color=colour, markersize=5.5, label=label)
        _name(ax, front, column, colour, taken, left=not network)


def _name(ax: Axes, front: pd.DataFrame, column: str, colour: str, taken: list[float], left: bool) -> None:
    """Write what the points are, the best first, where names fit and meet neither each other nor a point."""
    from matplotlib.textpath import TextPath

    at = ax.transAxes.inverted().transform(ax.transData.transform(front[[column, "uar"]].to_numpy()))
    for place in np.argsort(-at[:, 1], kind="stable"):
        (x, y), row = at[place], front.iloc[place]
        name = f"{row['features']} + {row['model']}"
        width = (8 + TextPath((0, 0), name, size=7).get_extents().width) / PANEL
        near = [other for other, height in np.delete(at, place, axis=0) if abs(height - y) < 0.03]
        sides = [-1, 1] if left else [1]
        free = [
            side
            for side in sides
            if 0 < x + side * width < 1 and not any(0 <= side * (other - x) < width for other in near)
        ]
        if not free or any(abs(y - other) < 0.055 for other in taken):
            continue
        taken.append(y)
        ax.annotate(
            name,
            (row[column], row["uar"]),
            xytext=(6 * free[0], 0),
            textcoords="offset points",
            size=7,
            color=colour,
            ha="right" if free[0] < 0 else "left",
            va="center",
            bbox={"facecolor": PAPER, "alpha": 0.7, "linewidth": 0, "pad": 0.6},
        )


def unbeaten(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows that no row beats in UAR at the same cost or less, by cost."""
    ordered = table.sort_values([column, "uar"], ascending=[True, False], kind="stable")
    before = ordered["uar"].cummax().shift(fill_value=-np.inf)
    return ordered[ordered["uar"] > before]


@styled
def learning(curves: pd.DataFrame, kept: Mapping[str, int | None], chance: float) -> Figure:
    """Loss and UAR of every epoch: a thin line a fold, a thick one their mean, dots where weights were kept.

    Parameters
    ----------
    curves : pd.DataFrame
        Columns fold, epoch, train_loss, valid_loss, train_uar, valid_uar.
    kept : mapping of fold to epoch
        Whose weights were kept.
    chance : float
        UAR of guessing.
    """
    figure = blank(8.6, 3.2)
    panels = figure.subplots(1, 2)
    for ax, what, heading in zip(panels, ("loss", "uar"), ("Loss", "UAR"), strict=True):
        for part, label, colour in (("train", "training", MUTED), ("valid", "validation", BLIND)):
            _lines(ax, curves, f"{part}_{what}", label, colour)
        if what == "uar":
            rows = curves[curves["epoch"] == curves["fold"].map(kept)]
            ax.plot(rows["epoch"], rows["valid_uar"], "o", color=BLIND, markersize=4)
            ax.axhline(chance, color=LINE, linewidth=1.4, linestyle=(0, (4, 2)), zorder=0)
            share_axis(ax, "y")
        else:
            ax.set_ylim(bottom=0)
            ax.locator_params(axis="y", nbins=5)
            ax.yaxis.set_major_formatter("{x:g}")
        ax.set_title(heading)
        ax.set_xlim(1, 1.16 * curves["epoch"].max())  # room for the names of the lines
        ax.set_xlabel("epoch")
        ax.grid(axis="y")
    return figure


def _lines(ax: Axes, curves: pd.DataFrame, column: str, label: str, colour: str) -> None:
    wide = curves.pivot(index="epoch", columns="fold", values=column)
    if wide.isna().all(axis=None):
        return
    ax.plot(wide.index, wide, color=colour, linewidth=0.7, alpha=0.35)
    mean = wide.mean(axis=1)[wide.notna().sum(axis=1) * 2 >= wide.shape[1]]
    ax.plot(mean.index, mean, color=colour, linewidth=2, clip_on=False)
    end = (mean.index[-1], mean.iloc[-1])
    offset = {"xytext": (5, 0), "textcoords": "offset points"}
    ax.annotate(label, end, **offset, color=colour, va="center", weight="bold", size=8.5)
