"""Figures of a corpus: its clips, what one of each emotion looks like, and what its features tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.style import (
    BLIND,
    INK,
    LINE,
    MARKERS,
    MUTED,
    PAPER,
    SERIES,
    blank,
    cells,
    rows_axis,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED = 40  # speakers who still have a line of their own with a name
SPREAD = "turbo"  # many speakers, told apart as far as colours go


@styled()
def counts(table: pd.DataFrame) -> Figure:
    """Clips of every emotion (columns) and speaker (rows)."""
    few = len(table) <= NAMED
    figure = blank(1.8 + 0.75 * table.shape[1], 1.2 + (0.24 if few else 0.08) * len(table))
    ax = figure.subplots()
    values = table.to_numpy()
    words = values.astype(str) if few else np.full(values.shape, "")
    cells(ax, values / max(values.max(), 1), words)
    if few:
        rows_axis(ax, [str(name) for name in table.index], grid=False)
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(table)} speakers")
    ax.set_xticks(range(table.shape[1]), table.columns)
    ax.tick_params(labeltop=True, labelbottom=False)
    return figure


@styled()
def spreads(quantities: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """The spread of each quantity in each group, a panel per quantity.

    Boxes are quartiles, whiskers reach from the 5th to the 95th percentile.
    """
    across = min(3, len(quantities))
    down, most = -(-len(quantities) // across), max(map(len, quantities.values()))
    figure = blank(max(6.0, 3.3 * across), (0.9 + 0.26 * most) * down)
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for ax, (name, groups) in zip(panels, quantities.items(), strict=False):
        ax.boxplot(
            list(groups.values()),
            positions=range(len(groups)),
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            widths=0.6,
            patch_artist=True,
            medianprops={"color": INK},
            whiskerprops={"color": MUTED},
            capprops={"color": MUTED},
            boxprops={"facecolor": (BLIND, 0.55), "edgecolor": BLIND},
        )
        rows_axis(ax, list(groups))
        ax.set_xlabel(name)
        ax.locator_params(axis="x", nbins=4)  # more run together where values have many digits
        ax.xaxis.set_major_formatter("{x:g}")
    for ax in panels[len(quantities) :]:
        ax.set_axis_off()
    return figure


@styled()
def explained(table: pd.DataFrame) -> Figure:
    """What emotion and what the speaker explains of every feature; large marks are the medians of groups.

    One row per feature: `group`, and the shares `emotion` and `speaker`.
    """
    figure = blank(6.0, 5.0)
    ax = figure.subplots()
    for place, (group, part) in enumerate(table.groupby("group", sort=False)):
        style = {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place // len(SERIES) % len(MARKERS)]}
        ax.plot(part["speaker"], part["emotion"], ls="", ms=2.4, alpha=0.3, mew=0, zorder=1, **style)
        middle = part[["speaker", "emotion"]].median()
        ax.plot(*middle, ls="", ms=8, mec=PAPER, zorder=2, label=group, **style)
    limit = 1.05 * max(table["emotion"].max(), table["speaker"].max(), 0.01)
    ax.plot([0, limit], [0, limit], color=LINE, linewidth=1, zorder=0)
    ax.set_xlim(0, limit)
    ax.set_ylim(0, limit)
    ax.set_xlabel("share of a feature's variance that the speaker explains")
    ax.set_ylabel("that emotion explains")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


@styled()
def projections(points: np.ndarray, emotions: Sequence[str], speakers: Sequence[str] | None) -> Figure:
    """The same points [shape=(clips, 2)] coloured by emotion, and beside it by speaker."""
    import matplotlib

    panels_wanted = [("coloured by emotion", emotions)]
    if speakers is not None:
        panels_wanted.append(("the same, coloured by speaker", speakers))
    figure = blank(5.2 * len(panels_wanted), 5.2)
    panels = figure.subplots(1, len(panels_wanted), squeeze=False)[0]
    for ax, (title, names) in zip(panels, panels_wanted, strict=True):
        order = list(dict.fromkeys(sorted(names)))
        colours = (
            SERIES
            if len(order) <= len(SERIES)
            else matplotlib.colormaps[SPREAD](np.linspace(0.03, 0.97, len(order)))
        )
        for colour, name in zip(colours, order, strict=False):
            here = np.array([found == name for found in names])
            ax.plot(*points[here].T, "o", ms=3.4, mew=0, alpha=0.8, color=colour, label=name)
        ax.set_title(title)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        if len(order) <= len(SERIES) + 4:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, markerscale=1.6)
        else:
            ax.text(0.5, -0.03, f"{len(order)} colours", transform=ax.transAxes, ha="center", va="top",
                    size=8.5, color=MUTED)  # fmt: skip
    return figure
