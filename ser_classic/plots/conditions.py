"""Figures of tests of their own: other corpora, few clips to adapt with, degraded clips, other seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.style import (
    LINE,
    MARKERS,
    MUTED,
    SERIES,
    blank,
    cells,
    legend,
    share_axis,
    styled,
)
from ser_classic.tables import share
from ser_classic.tracks import in_order, track_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CROWDED = 8  # places whose labels have to be turned, and fill the width
DODGE = 0.13  # between the systems of one place


@styled()
def crossings(table: pd.DataFrame) -> Figure:
    """Trained on one corpus (rows), tested on another (columns), a panel per track, of one system.

    Columns track, trained, tested, within (bool: framed), classes, uar and range (in words).
    """
    across = table[~table["within"].astype(bool)]
    corpora = sorted({*across["trained"], *across["tested"]})
    tracks = in_order(across["track"])
    figure = blank(0.9 + len(tracks) * (0.35 + 0.86 * len(corpora)), 1.2 + 0.62 * len(corpora))
    axes = figure.subplots(1, len(tracks), sharey=True, squeeze=False)[0]
    words = table["uar"].map(lambda uar: share(uar, 2)) + "\n" + table["range"]
    words += "\n" + table["classes"].astype(int).astype(str) + " emotions"
    places = pd.MultiIndex.from_product([corpora, corpora], names=["trained", "tested"])
    for ax, track in zip(axes, tracks, strict=True):
        part = table.assign(words=words)[table["track"] == track].set_index(places.names).reindex(places)
        values, text, within = (
            column.to_numpy().reshape(len(corpora), -1)
            for column in (part["uar"].astype(float), part["words"], part["within"].eq(True))
        )
        cells(ax, values, text, within)
        ax.set_xticks(range(len(corpora)), corpora, rotation=30, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(corpora)), corpora)
        ax.set_title(track_of(track).label, color=track_of(track).colour)
        ax.set_xlabel("tested on")
    axes[0].set_ylabel("trained on")
    return figure


@styled()
def curves(table: pd.DataFrame, label: str) -> Figure:
    """UAR by a condition that `label` names, a panel per corpus.

    Columns corpus, system, at (a number that orders the conditions), words (their labels), joined (bool: on a
    line; other points stand beyond a vertical line), classes, uar, low, high (NaN without an interval).
    """
    corpora, systems = list(dict.fromkeys(table["corpus"])), list(table["system"].unique())
    joined = table.groupby("at")["joined"].first()
    places = {at: place for place, at in enumerate(joined.index)}
    words = table["words"].str.replace(" (", "\n(", regex=False)
    table = table.assign(place=table["at"].map(places), words=words)
    crowded = len(places) > CROWDED
    across = 1 if crowded else min(2, len(corpora))
    down = -(-len(corpora) // across)
    figure = blank(9.2 if crowded else 0.6 + 4.0 * across, 0.6 + 2.5 * down)
    grid = figure.subplots(down, across, squeeze=False)
    for place, (ax, corpus) in enumerate(zip(grid.flat, corpora, strict=False)):
        part = table[table["corpus"] == corpus]
        for number, system in enumerate(systems):
            look = {"color": SERIES[number % len(SERIES)], "marker": MARKERS[number % len(MARKERS)]}
            of_system = part[part["system"] == system].sort_values("place")
            for on_a_line, points in of_system.groupby("joined"):
                at = points["place"] + DODGE * (number - (len(systems) - 1) / 2)
                ax.vlines(at, points["low"], points["high"], color=look["color"], alpha=0.45)
                line = {"linestyle": "-" if on_a_line else "", "linewidth": 1.4}
                ax.plot(at, points["uar"], markersize=5, label=system, **line, **look)
        ticks = dict(zip(part["place"], part["words"], strict=True))
        turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
        ax.set_xticks(list(ticks), list(ticks.values()), **turned)
        ax.set_xlim(-0.5, max(2, len(places)) - 0.5)
        for edge in np.flatnonzero(joined.to_numpy()[1:] != joined.to_numpy()[:-1]):
            ax.axvline(edge + 0.5, color=LINE, linewidth=0.8)
        ax.axhline(1 / part["classes"].max(), color=MUTED, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        ax.grid(axis="y")
        low, high = part[["uar", "low"]].min(axis=None), part[["uar", "high"]].max(axis=None)
        share_axis(ax, "y", max(0.0, np.floor(10 * low - 0.2) / 10), min(1.0, np.ceil(10 * high + 0.2) / 10))
        ax.set_title(corpus)
        if place % across == 0:
            ax.set_ylabel("UAR")
        if place + across >= len(corpora):
            ax.set_xlabel(label)
    for ax in grid.flat[len(corpora) :]:
        ax.set_axis_off()
    legend(figure, 4)
    return figure
