"""Figures of one recording: waveform, spectra, and the emotions recognised along it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic.features.descriptors import Descriptor, Framing, describe
from ser_classic.plots.style import BLIND, DEEP, INK, LINE, MUTED, blank, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 1600  # of a figure; more frames than that cannot be seen
MELS = 64
MINUTES_FROM = 120.0  # [s] from which an axis counts minutes
TICKS = 9  # of an axis in minutes, at most
Draw = Callable[["Axes", np.ndarray, int], None]  # of a waveform and its rate [Hz]
SHADES = "viridis"  # even steps of lightness, also in grey and for any colour vision


@styled()
def timeline(
    waveform: np.ndarray, sample_rate: int, answers: pd.DataFrame | None, title: str = "", width: float = 9.0
) -> Figure:
    """Waveform and mel spectrogram of a recording, and under them the emotions of its windows, if any.

    Parameters
    ----------
    waveform : np.ndarray [shape=(n,)]
    sample_rate : int [Hz]
    answers : pd.DataFrame or None
        Of this recording, one row per window: `start`, `end` [s], `emotion` and `p_<emotion>`, as
        `Predictor.predict` gives them.
    title : str
    width : float [inch]
    """
    panels: dict[Draw, float] = {draw_waveform: 1.0, draw_mel: 1.6}
    if answers is not None:
        words = [name.removeprefix("p_") for name in answers if name.startswith("p_")]
        words = words or sorted(answers["emotion"].dropna().unique())
        panels[lambda ax, *_: _draw_emotions(ax, answers, words)] = 0.3 + 0.2 * len(words)
    return _columns({title: (waveform, sample_rate)}, panels, width)


@styled()
def portraits(recordings: Mapping[str, tuple[np.ndarray, int]], width: float) -> Figure:
    """Waveform [shape=(n,)], mel spectrogram, MFCC and chroma of recordings and their rates [Hz], by title.

    They are side by side in a figure of this width [inch].
    """
    panels = {draw_waveform: 1.0, draw_mel: 1.6, draw_mfcc: 1.2, draw_chroma: 1.2}
    return _columns(recordings, panels, width)


def _columns(
    recordings: Mapping[str, tuple[np.ndarray, int]], panels: Mapping[Draw, float], width: float
) -> Figure:
    """A column for each recording, of panels with these heights, on the same axes."""
    figure = blank(width, 0.15 + 1.25 * sum(panels.values()))
    grid = figure.subplots(
        len(panels),
        len(recordings),
        squeeze=False,
        sharex="all",
        sharey="row",
        height_ratios=[*panels.values()],
    )
    for column, (title, (waveform, rate)) in zip(grid.T, recordings.items(), strict=True):
        for ax, draw in zip(column, panels, strict=True):
            draw(ax, waveform, rate)
            ax.label_outer()
        column[0].set_title(title)
        _time_axis(column[-1], max(len(waveform) / rate for waveform, rate in recordings.values()))
    peak = max(1e-3, *(float(np.abs(waveform).max()) for waveform, _ in recordings.values()))
    grid[0, 0].set_ylim(-1.05 * peak, 1.05 * peak)
    return figure


def _time_axis(ax: Axes, seconds: float) -> None:
    """Time in seconds; of a recording over two minutes as minutes, 3:20."""
    ax.set_xlim(0, seconds)
    if seconds < MINUTES_FROM:
        ax.set_xlabel("time [s]")
        return
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    ax.xaxis.set_major_locator(MultipleLocator(30 * math.ceil(seconds / 30 / TICKS)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value // 60:.0f}:{value % 60:02.0f}"))
    ax.set_xlabel("time [min:s]")


def draw_waveform(ax: Axes, waveform: np.ndarray, sample_rate: int) -> None:
    """The range of every column of the figure, so that no peak is lost."""
    size = max(1, len(waveform) // COLUMNS)
    columns = waveform[: len(waveform) // size * size].reshape(-1, size)
    time = (np.arange(len(columns)) + 0.5) * size / sample_rate
    ax.fill_between(time, columns.min(axis=1), columns.max(axis=1), color=BLIND, linewidth=0.4)
    ax.set_ylabel("amplitude")
    ax.axhline(0, color=LINE, linewidth=0.6, zorder=0)


def draw_mel(ax: Axes, waveform: np.ndarray, sample_rate: int) -> None:
    """Mel spectrogram, 80 dB deep, with its frequencies."""
    levels = _described(waveform, sample_rate, Descriptor("logmel", MELS))
    _image(ax, levels, len(waveform) / sample_rate)
    ticks = np.array([0, 500, 1000, 2000, 4000, 8000])
    ticks = ticks[ticks <= sample_rate / 2]
    ax.set_yticks(_mel(ticks) / _mel(np.array([sample_rate / 2])) * MELS, [f"{tick:d}" for tick in ticks])
    ax.set_ylabel("mel bands [Hz]")


def draw_mfcc(ax: Axes, waveform: np.ndarray, sample_rate: int) -> None:
    """Mel-frequency cepstral coefficients 1 to 19; the zeroth is the level, and would hide the others."""
    coefficients = _described(waveform, sample_rate, Descriptor("mfcc", 20))[1:]
    _image(ax, coefficients, len(waveform) / sample_rate)
    ax.set_yticks([0.5, 9.5, 18.5], ["1", "10", "19"])
    ax.set_ylabel("MFCC")


def draw_chroma(ax: Axes, waveform: np.ndarray, sample_rate: int) -> None:
    """Pitch classes."""
    _image(ax, _described(waveform, sample_rate, Descriptor("chroma", 12)), len(waveform) / sample_rate)
    ax.set_yticks([0.5, 4.5, 7.5, 11.5], ["C", "E", "G", "B"])
    ax.set_ylabel("chroma")


def _draw_emotions(ax: Axes, answers: pd.DataFrame, words: list[str]) -> None:
    """One row per emotion; the deeper the colour, the more probable, and a ring at the answer."""
    from matplotlib.colors import to_rgba

    middle = ((answers["start"] + answers["end"]) / 2).to_numpy()
    between = (middle[1:] + middle[:-1]) / 2
    edges = np.concatenate([answers["start"].to_numpy()[:1], between, answers["end"].to_numpy()[-1:]])
    probabilities = np.array(
        [answers.get(f"p_{word}", answers["emotion"] == word) for word in words], dtype=float
    )
    shades = np.empty((*probabilities.shape, 4))
    shades[:] = to_rgba(DEEP)
    shades[..., 3] = np.nan_to_num(probabilities)
    ax.pcolormesh(edges, np.arange(len(words) + 1), shades)
    size = min(4.5, 300 / len(answers))  # rings that do not cover each other
    for place, word in enumerate(words):
        here = (answers["emotion"] == word).to_numpy()
        ring = {"mfc": "white", "mec": INK, "ms": size, "mew": size / 4.5}
        ax.plot(middle[here], np.full(here.sum(), place + 0.5), "o", **ring)
        ax.axhline(place, color=LINE, linewidth=0.6)
    ax.set_yticks(np.arange(len(words)) + 0.5, words)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(words), 0)
    ax.set_title(
        "colour: probability; ring: the answer", loc="right", size=7.5, color=MUTED, weight="normal", pad=3
    )


def _described(waveform: np.ndarray, sample_rate: int, descriptor: Descriptor) -> np.ndarray:
    hop = max(256, len(waveform) // COLUMNS)
    return describe(waveform, sample_rate, [descriptor], Framing(2048, hop))[descriptor.family]


def _image(ax: Axes, rows: np.ndarray, seconds: float) -> None:
    extent = (0, seconds, 0, len(rows))
    ax.imshow(rows, aspect="auto", origin="lower", extent=extent, cmap=SHADES, interpolation="nearest")


def _mel(frequency: np.ndarray) -> np.ndarray:
    """Slaney's mel scale, as in `filters.mel_bank`."""
    above = 15 + np.log(np.maximum(frequency, 1000) / 1000) / (np.log(6.4) / 27)
    return np.where(frequency < 1000, frequency * 3 / 200, above)
