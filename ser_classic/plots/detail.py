"""Figures of one run: what is taken for what, who is recognised, and whether its confidence is deserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.plots.style import (
    BLIND,
    LEAKY,
    LINE,
    MUTED,
    beside,
    blank,
    cells,
    rows_axis,
    share,
    share_axis,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def confusion(counts: np.ndarray, classes: tuple[str, ...]) -> Figure:
    """Confusion matrix: the share of each true emotion's clips by what was guessed.

    Parameters
    ----------
    counts : np.ndarray [shape=(k, k)]
        Row = truth, column = guess.
    classes : tuple of str
    """
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    words = np.array([[share(value) if count else "" for value, count in zip(*rows, strict=True)]
                      for rows in zip(shares, counts, strict=True)])  # fmt: skip
    figure = blank(1.9 + 0.55 * len(classes), 1.3 + 0.42 * len(classes))
    ax = figure.subplots()
    cells(ax, shares, words)
    ax.set_yticks(
        range(len(classes)), [f"{name}  {int(n)}" for name, n in zip(classes, total[:, 0], strict=True)]
    )
    ax.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_ylabel("truth, and its clips")
    ax.set_xlabel("guess")
    return figure


@styled
def recalls(panels: list[tuple[str, pd.DataFrame]], chance: float, colour: str = BLIND) -> Figure:
    """Who and what is recognised: a panel for emotions, one for speakers, one for each further property.

    Parameters
    ----------
    panels : list of (str, pd.DataFrame)
        Heading, and a frame indexed by emotion, speaker… with columns value, low, high (NaN without an
        interval) and clips.
    chance : float
        Where guessing would land.
    colour : str
        Of the track.
    """
    longest = max(panels, key=lambda panel: len(panel[1]))
    columns = [[panel for panel in panels if panel is not longest], [longest]]
    tallest = max(sum(len(frame) + 2 for _, frame in column) for column in columns)
    figure = blank(7.2, 0.7 + 0.235 * tallest)
    for part, column in zip(np.atleast_1d(figure.subfigures(1, len(columns))), columns, strict=True):
        heights = [len(frame) + 1 for _, frame in column]
        spare = max(0.01, tallest - sum(height + 1 for height in heights))
        axes = part.subplots(len(column) + 1, 1, height_ratios=[*heights, spare], squeeze=False)[:, 0]
        axes[-1].set_axis_off()
        for ax, (heading, frame) in zip(axes, column, strict=False):
            rows_axis(ax, [str(name) for name in frame.index])
            places = np.arange(len(frame))
            ax.axvline(chance, color=LINE, linewidth=1.4, linestyle=(0, (4, 2)))
            ax.hlines(places, frame["low"], frame["high"], color=colour, alpha=0.4, linewidth=2.4)
            ax.plot(frame["value"], places, "o", color=colour, markersize=5, clip_on=False)
            for place, value in zip(places, frame["value"], strict=True):
                beside(ax, place, share(value), size=8)
            share_axis(ax)
            ax.set_title(heading)
    return figure


@styled
def reliability(bins: pd.DataFrame, ece: float, colour: str = BLIND) -> Figure:
    """Reliability diagram: accuracy of the guesses of each confidence, and how many there are.

    Parameters
    ----------
    bins : pd.DataFrame
        As `ser_classic.metrics.reliability` returns it.
    ece : float
        Expected calibration error.
    colour : str
        Of the track.
    """
    figure = blank(4.1, 4.5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    upper.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 2)), linewidth=1)
    upper.vlines(
        bins["confidence"], bins["accuracy"], bins["confidence"], color=LEAKY, alpha=0.4, linewidth=3
    )
    upper.plot(bins["confidence"], bins["accuracy"], color=colour, linewidth=1)
    weight = bins["clips"] / bins["clips"].max()
    upper.scatter(
        bins["confidence"], bins["accuracy"], s=8 + 60 * weight, color=colour, zorder=3, clip_on=False
    )
    upper.text(0.97, 0.10, f"ECE {share(ece, 3)}", ha="right", weight="bold")
    upper.text(0.97, 0.04, "below the line: surer than right", ha="right", color=MUTED, size=8)
    share_axis(upper, "y")
    upper.grid()
    upper.set_ylabel("accuracy")
    lower.bar(
        bins["low"], bins["clips"], width=bins["high"] - bins["low"], align="edge", color=colour, alpha=0.45
    )
    lower.set_ylabel("clips")
    share_axis(lower)
    lower.set_xlabel("confidence: probability of the emotion guessed")
    return figure
