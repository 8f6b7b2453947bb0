"""Figures of tests of their own: other corpora, few clips to adapt with, degraded clips, other seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.style import (
    DEEP,
    INK,
    LIGHT_TEXT_FROM,
    LINE,
    MARKERS,
    MUTED,
    ON_COLOUR,
    SERIES,
    blank,
    legend,
    share_axis,
    styled,
)
from ser_classic.tables import share
from ser_classic.tracks import in_order, track_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISE = "white noise"  # the one kind of degradation with levels enough for a curve
CROWDED = 8  # labels that have to be turned
DODGE = 0.13  # between the systems of one place


@styled()
def crossings(table: pd.DataFrame) -> Figure:
    """Trained on one corpus (rows), tested on another (columns), a panel per track, of one system.

    Columns track, trained, tested, within (bool: framed), classes, uar, low, high (NaN without an interval).
    """
    across = table[~table["within"].astype(bool)]
    corpora = sorted({*across["trained"], *across["tested"]})
    tracks = in_order(across["track"])
    figure = blank(0.9 + len(tracks) * (0.35 + 0.86 * len(corpora)), 1.2 + 0.62 * len(corpora))
    axes = figure.subplots(1, len(tracks), sharey=True, squeeze=False)[0]
    for ax, track in zip(axes, tracks, strict=True):
        for row in table[table["track"] == track].to_dict("records"):
            if row["trained"] in corpora and row["tested"] in corpora:
                _crossing(ax, corpora.index(row["tested"]), corpora.index(row["trained"]), row)
        ax.set_xticks(range(len(corpora)), corpora, rotation=30, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(corpora)), corpora)
        ax.set_xlim(-0.55, len(corpora) - 0.45)
        ax.set_ylim(len(corpora) - 0.45, -0.55)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(track_of(track).label, color=track_of(track).colour)
        ax.set_xlabel("tested on")
    axes[0].set_ylabel("trained on")
    return figure


def _crossing(ax: Axes, column: int, row: int, figures: dict) -> None:
    from matplotlib.patches import Rectangle

    value, within = figures["uar"], figures["within"]
    look = (
        {"fill": False, "edgecolor": LINE, "linewidth": 1.2}
        if within
        else {"facecolor": DEEP, "alpha": value, "linewidth": 0}
    )
    ax.add_patch(Rectangle((column - 0.47, row - 0.46), 0.94, 0.92, **look))
    colour = MUTED if within else ON_COLOUR if value > LIGHT_TEXT_FROM else INK
    lines = [(share(value, 2), 9.5, "bold")]
    if np.isfinite(figures["low"]):
        lines.append((f"{share(figures['low'], 2)}–{share(figures['high'], 2)}", 7, "normal"))
    lines.append((f"{int(figures['classes'])} emotions", 6, "normal"))
    for place, (text, size, weight) in enumerate(lines):
        height = row + 0.27 * (place - (len(lines) - 1) / 2)
        ax.text(column, height, text, ha="center", va="center", size=size, weight=weight, color=colour)


@styled()
def curves(table: pd.DataFrame, label: str) -> Figure:
    """UAR by a number, of clips or of speakers as `label` says, a panel per corpus.

    Columns corpus, system, at (the number; -1 for what stands apart, on the left), words (for it), uar, low,
    high (NaN without an interval).
    """
    corpora = list(dict.fromkeys(table["corpus"]))
    places = {at: place for place, at in enumerate(sorted(set(table["at"])))}
    table = table.assign(place=table["at"].map(places), joined=table["at"] >= 0)
    across = min(2, len(corpora))
    down = -(-len(corpora) // across)
    figure = blank(0.6 + 4.0 * across, 0.6 + 2.5 * down)
    grid = figure.subplots(down, across, squeeze=False)
    for ax, corpus in zip(grid.flat, corpora, strict=False):
        part = table[table["corpus"] == corpus]
        words = part["words"].str.replace(" (", "\n(", regex=False)
        _panel(ax, part.assign(words=words), list(table["system"].unique()), len(places))
        _shares(ax, part)
        if -1 in places:
            ax.axvline(places[-1] + 0.5, color=LINE, linewidth=0.8)
        ax.set_title(corpus)
    for ax in grid.flat[len(corpora) :]:
        ax.set_axis_off()
    for ax in grid[:, 0]:
        ax.set_ylabel("UAR")
    for ax in grid.flat[max(0, len(corpora) - across) : len(corpora)]:
        ax.set_xlabel(label)
    legend(figure, 2 * across)
    return figure


@styled()
def robustness(table: pd.DataFrame) -> Figure:
    """UAR on degraded test clips, a row per corpus: white noise as a curve, all others as points.

    Columns corpus, system, degradation (`clean` among them), kind, level, classes, uar, low, high (NaN
    without an interval), in the order in which they are shown.
    """
    systems, corpora = list(table["system"].unique()), list(table["corpus"].unique())
    clean, noise = table["degradation"].eq("clean"), table["kind"].eq(NOISE)
    table = table.assign(joined=noise | clean, words=table["level"].where(noise, table["degradation"]))
    kinds = [joined for joined in (True, False) if (~clean & (table["joined"] == joined)).any()]
    widths = [max(2, table.loc[table["joined"] == joined, "degradation"].nunique()) for joined in kinds]
    figure = blank(9.2, 0.5 + 3.1 * len(corpora))
    grid = figure.subplots(len(corpora), len(kinds), sharey="row", squeeze=False, width_ratios=widths)
    for axes, corpus in zip(grid, corpora, strict=True):
        whole = table[table["corpus"] == corpus]
        for ax, joined in zip(axes, kinds, strict=True):
            part = whole[whole["joined"] == joined]
            places = {name: place for place, name in enumerate(part["degradation"].unique())}
            _panel(ax, part.assign(place=part["degradation"].map(places)), systems, max(2, len(places)))
            _shares(ax, whole)
            for system, uar in whole[whole["degradation"] == "clean"].set_index("system")["uar"].items():
                if not joined:
                    colour = SERIES[systems.index(system) % len(SERIES)]
                    ax.axhline(uar, color=colour, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
            if len(places) > CROWDED:
                ax.tick_params(axis="x", rotation=35)
            ax.set_title("White noise" if joined else "Other degradations; dotted: clean")
            chance = 1 / whole["classes"].max()
            ax.axhline(chance, color=MUTED, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        axes[0].set_title(f"{corpus}: {axes[0].get_title(loc='left').lower()}")
        axes[0].set_ylabel("UAR")
    legend(figure, 4)
    return figure


def _panel(ax: Axes, table: pd.DataFrame, systems: list[str], places: int) -> None:
    """Points of every system with their intervals at a `place`, side by side; `joined` ones on a line."""
    for number, system in enumerate(systems):
        colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        look = {"marker": marker, "markersize": 5, "color": colour, "linewidth": 1.4}
        part = table[table["system"] == system].sort_values("place")
        for joined, of_kind in part.groupby("joined"):
            at = of_kind["place"] + DODGE * (number - (len(systems) - 1) / 2)
            ax.vlines(at, of_kind["low"], of_kind["high"], color=colour, linewidth=1.6, alpha=0.45)
            ax.plot(at, of_kind["uar"], linestyle="-" if joined else "", **look)
        if len(part):
            ax.plot([], [], label=system, **look)
    words = dict(zip(table["place"], table["words"], strict=True))
    ax.set_xticks(list(words), list(words.values()))
    ax.set_xlim(-0.5, places - 0.5)
    ax.grid(axis="y")


def _shares(ax: Axes, table: pd.DataFrame) -> None:
    """An axis that ends at round shares and holds all."""
    low, high = table[["uar", "low"]].min(axis=None), table[["uar", "high"]].max(axis=None)
    share_axis(ax, "y", max(0.0, np.floor(10 * low - 0.2) / 10), min(1.0, np.ceil(10 * high + 0.2) / 10))
