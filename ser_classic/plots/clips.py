"""Figures of a corpus: its clips, what one of each emotion looks like, and what its features tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.sound import PANELS
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
    from matplotlib.axes import Axes
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
def spreads(groups: Mapping[str, np.ndarray], label: str) -> Figure:
    """How a quantity is spread in each group: quartiles, and whiskers from the 5th to the 95th percentile."""
    figure = blank(6.0, 0.9 + 0.3 * len(groups))
    ax = figure.subplots()
    draw_spreads(ax, groups)
    ax.set_xlabel(label)
    return figure


def draw_spreads(ax: Axes, groups: Mapping[str, np.ndarray]) -> None:
    """A horizontal box a group, from the top down."""
    drawn = ax.boxplot(
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
    )
    for box in drawn["boxes"]:
        box.set(facecolor=BLIND, edgecolor=BLIND, alpha=0.55)
    rows_axis(ax, list(groups))


@styled()
def examples(clips: Mapping[str, tuple[np.ndarray, int]]) -> Figure:
    """Waveform [shape=(n,)], mel spectrogram, MFCC and chroma of a clip of each emotion and its rate [Hz]."""
    longest = max(len(waveform) / rate for waveform, rate in clips.values())
    figure = blank(1.0 + 1.75 * len(clips), 6.2)
    panels = figure.subplots(
        len(PANELS), len(clips), squeeze=False, sharex="all", sharey="row", height_ratios=[*PANELS.values()]
    )
    peak = max(float(np.abs(waveform).max()) for waveform, _ in clips.values())
    for column, (emotion, (waveform, rate)) in enumerate(clips.items()):
        for ax, draw in zip(panels[:, column], PANELS, strict=True):
            draw(ax, waveform, rate)
            if column:
                ax.set_ylabel("")
        panels[0, column].set_title(emotion)
        panels[0, column].set_ylim(-1.05 * peak, 1.05 * peak)
        panels[-1, column].set_xlabel("time [s]")
        panels[-1, column].set_xlim(0, longest)
    return figure


@styled()
def distributions(values: pd.DataFrame, emotions: pd.Series, order: Sequence[str]) -> Figure:
    """How each feature [shape=(clips, features)] is spread in each emotion; one panel per feature."""
    columns = min(3, values.shape[1])
    rows = -(-values.shape[1] // columns)
    figure = blank(3.3 * columns, (0.7 + 0.24 * len(order)) * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax, (name, column) in zip(panels, values.items(), strict=False):
        draw_spreads(ax, {word: column[emotions == word].to_numpy() for word in order})
        ax.set_title(str(name), size=9)
        ax.locator_params(axis="x", nbins=4)  # more run together where values have many digits
        ax.xaxis.set_major_formatter("{x:g}")
    for ax in panels[values.shape[1] :]:
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
