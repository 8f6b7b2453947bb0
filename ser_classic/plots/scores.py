"""Figures over many runs: what a leak costs, how systems rank, beside others, and under other conditions."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.style import (
    BLIND,
    LEAKY,
    LINE,
    MARKERS,
    MUTED,
    PAPER,
    PUBLISHED,
    SERIES,
    beside,
    blank,
    cells,
    legend,
    rows_axis,
    share_axis,
    styled,
)
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import share, signed
from ser_classic.tracks import in_order, track_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


CROWDED = 8  # places whose labels have to be turned, and fill the width
DODGE = 0.13  # between the systems of one place


@styled()
def leak_premium(table: pd.DataFrame) -> Figure:
    """UAR with test speakers heard in training, beside the same system with speakers kept apart."""
    figure = blank(7.4, 1.2 + 0.42 * len(table))
    ax = figure.subplots()
    rows_axis(ax, [f"{row.corpus}\n{wrapped(row.system)}" for row in table.itertuples()])
    places = np.arange(len(table))
    ax.hlines(places, table["uar"], table["leaky_uar"], color=LEAKY, alpha=0.35, linewidth=3.5)
    for column, marker, colour, label in (
        ("uar", "o", BLIND, "speakers kept apart"),
        ("leaky_uar", "D", LEAKY, "speakers on both sides"),
    ):
        ax.plot(table[column], places, marker, color=colour, markersize=6, clip_on=False, label=label)
    for place, row in zip(places, table.to_dict("records"), strict=True):
        known = row["speakers"] >= FEWEST_SPEAKERS
        range_ = f"({share(row['low'], 2)} to {share(row['high'], 2)})" if known else "(few speakers)"
        beside(ax, place, signed(row["premium"], 2), weight="bold", color=LEAKY)
        beside(ax, place, range_, 34, color=MUTED, size=8)
    beside(ax, -0.8, "premium (95 %)", color=MUTED, size=8)
    share_axis(ax)
    ax.set_xlabel("UAR")
    legend(figure, 2)
    return figure


@styled()
def feature_sets(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """UAR of every feature set with each model, the best of them named and with its interval.

    A panel for each corpus: columns features, model, classes, uar, low, high (NaN where speakers are too
    few).
    """
    most = max(table["features"].nunique() for table in tables.values())
    figure = blank(4.7 * len(tables), 0.9 + 0.21 * most)
    for ax, (corpus, table) in zip(
        figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True
    ):
        best = table.sort_values("uar", ascending=False, kind="stable").drop_duplicates("features")
        places = {name: place for place, name in enumerate(best["features"])}
        rows_axis(ax, list(best["features"]))
        ax.plot(table["uar"], table["features"].map(places), "o", color=PUBLISHED, alpha=0.45, markersize=4)
        ax.hlines(range(len(best)), best["low"], best["high"], color=BLIND, alpha=0.35, linewidth=3)
        ax.plot(best["uar"], range(len(best)), "o", color=BLIND, markersize=6)
        for place, row in enumerate(best.to_dict("records")):
            beside(ax, place, share(row["uar"], 2), weight="bold", color=BLIND)
            beside(ax, place, row["model"], 28, color=MUTED, size=8)
        ax.axvline(1 / table["classes"].iloc[0], color=LINE, linewidth=1.4, linestyle=(0, (4, 2)), zorder=0)
        share_axis(ax)
        ax.set_title(corpus)
        ax.set_xlabel("UAR")
    return figure


@styled()
def beside_networks(table: pd.DataFrame) -> Figure:
    """Own systems with their intervals beside published networks on the same folds; one panel per corpus.

    Columns corpus, track, system, uar, low, high (NaN without an interval), own, approximate and protocol, in
    the order in which rows are shown: track by track.
    """
    parts = [(corpus, part) for corpus, part in table.groupby("corpus", sort=False)]
    figure = blank(7.4, 0.9 + sum(0.25 * len(part) + 0.5 for _, part in parts))
    axes = figure.subplots(
        len(parts), 1, sharex=True, squeeze=False, height_ratios=[len(part) + 1.2 for _, part in parts]
    )[:, 0]
    for ax, (corpus, part) in zip(axes, parts, strict=True):
        rows_axis(
            ax,
            [
                wrapped(name if track == "blind" else f"{name}, {track_of(track).label}", 50)
                for name, track in zip(part["system"], part["track"], strict=True)
            ],
        )
        for place in np.flatnonzero(part["track"].to_numpy()[1:] != part["track"].to_numpy()[:-1]):
            ax.axhline(place + 0.5, color=LINE, linewidth=1.2)
        for place, row in enumerate(part.to_dict("records")):
            colour = track_of(row["track"]).colour if row["own"] else PUBLISHED
            if row["own"]:
                ax.hlines(place, row["low"], row["high"], color=colour, linewidth=3, alpha=0.4)
                ax.get_yticklabels()[place].set_weight("bold")
            face = PAPER if row["track"] != "blind" and not row["own"] else colour
            marker, size = ("o", 7.5) if row["own"] else ("D", 5.5)
            ax.plot(row["uar"], place, marker, color=colour, markerfacecolor=face, markersize=size)
            text = ("≈" if row["approximate"] else "") + share(row["uar"], 2 if row["approximate"] else 3)
            beside(ax, place, text, weight="bold" if row["own"] else "normal")
        ax.set_title(f"{corpus}, {part.loc[part['own'].astype(bool), 'protocol'].iloc[0]}")
    share_axis(axes[-1], low=max(0.0, np.floor(10 * np.nanmin(table[["uar", "low"]]) - 0.5) / 10))
    axes[-1].set_xlabel("UAR")
    tracks = map(track_of, in_order(table.loc[table["own"].astype(bool), "track"]))
    signs = [
        *(("o", track.colour, track.colour, f"ours, {track.label}") for track in tracks),
        ("D", PUBLISHED, PUBLISHED, "frozen network, blind"),
        ("D", PUBLISHED, PAPER, "frozen network, adapted"),
    ]
    for marker, colour, face, label in signs:
        axes[0].plot([], [], marker, color=colour, markerfacecolor=face, markersize=6, label=label)
    legend(figure, len(signs), "outside lower left")
    return figure


def wrapped(name: str, width: int = 36) -> str:
    """A name in at most two lines of so many letters; what is longer still is cut."""
    return "\n".join(textwrap.wrap(name, width, max_lines=2, placeholder=" …", break_on_hyphens=False))


@styled()
def confusions(panels: Mapping[str, tuple[np.ndarray, tuple[str, ...], pd.DataFrame | None]]) -> Figure:
    """Confusion matrices, each with the reliability diagram of the same system to its right.

    Of each heading the counts [shape=(k, k)], row = truth, the emotions, and what
    `ser_classic.metrics.reliability` gives; None of a system without probabilities.
    """
    sizes = [1.3 + 0.31 * len(classes) for _, classes, _ in panels.values()]
    figure = blank(8.6, sum(sizes))
    grid = figure.subplots(len(panels), 2, squeeze=False, height_ratios=sizes, width_ratios=(1.6, 1))
    for (ax, right), (heading, (counts, classes, curve)) in zip(grid, panels.items(), strict=True):
        total = counts.sum(axis=1, keepdims=True)
        shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
        words = [[share(value, 2) if value else "" for value in row] for row in shares]
        cells(ax, shares, np.array(words))
        rows = [f"{name}  {int(clips)}" for name, clips in zip(classes, total[:, 0], strict=True)]
        ax.set_yticks(range(len(classes)), rows)
        ax.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
        ax.set_title(heading)
        _reliability(right, curve)
    grid[-1, 0].set_xlabel("guess")
    grid[-1, 1].set_xlabel("confidence")
    return figure


def _reliability(ax: Axes, curve: pd.DataFrame | None) -> None:
    if curve is None:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no probabilities", ha="center", va="center", color=MUTED)
        return
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    ax.plot(curve["confidence"], curve["accuracy"], color=BLIND, linewidth=1, alpha=0.5)
    ax.scatter(
        curve["confidence"],
        curve["accuracy"],
        6 + 90 * curve["clips"] / curve["clips"].max(),
        BLIND,
        clip_on=False,
    )
    ax.set_aspect("equal")
    ax.grid()
    share_axis(ax, "x")
    share_axis(ax, "y")
    ax.set_ylabel("share that is right")


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
