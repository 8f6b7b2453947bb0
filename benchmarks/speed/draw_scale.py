"""Draw what scale.py measured.

python benchmarks/speed/draw_scale.py docs/scale.json docs/scale.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scale import LIMIT_MB

from ser_classic.plots.style import LINE, MARKERS, MUTED, SERIES, blank, png, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled()
def figure(points: pd.DataFrame) -> Figure:
    """Time and memory of extraction, and time of runs, against the number of clips.

    Parameters
    ----------
    points : pd.DataFrame
        The `points` of the JSON.
    """
    measured = points[points["seconds"].notna()]
    extracted, run = (measured[measured["what"] == what] for what in ("extract", "run"))
    drawn = blank(9.6, 3.3)
    time, memory, runs = drawn.subplots(1, 3)
    per_clip = 1000 * extracted["processor_seconds"] / extracted["clips"]
    lines(time, extracted.assign(y=per_clip), "features", "lower left")
    time.set(title="Extraction, ms of CPU a clip", yscale="log", ylim=(1, 100))
    time.set_yticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"], minor=False)
    lines(memory, extracted.assign(y=extracted["peak_mb"]), "features", "center left")
    memory.axhline(LIMIT_MB, color=MUTED, linestyle="--", linewidth=1)
    memory.annotate("what it may take", (0.02, LIMIT_MB), xycoords=("axes fraction", "data"), va="bottom")
    memory.texts[0].set(color=MUTED, size=8.5)
    memory.set(title="Extraction, peak memory in MB", ylim=(0, 1.2 * LIMIT_MB))
    lines(runs, run.assign(y=run["processor_seconds"]), "model", "upper left")
    runs.set(title="One fold, seconds of CPU", yscale="log", xlabel="training clips", ylim=(0.1, 3000))
    runs.set_yticks([0.1, 1, 10, 100, 1000], ["0.1", "1", "10", "100", "1 000"])
    guide(runs, run)
    for ax in (time, memory, runs):
        ax.set_xscale("log")
        ax.set_xlim(300, 1.3 * points["clips"].max())
        ax.set_xticks([500, 5000, 50000], ["500", "5 000", "50 000"])
        ax.minorticks_off()
        ax.grid(axis="y")
    for ax in (time, memory):
        ax.set_xlabel("clips")
    return drawn


def lines(ax: Axes, table: pd.DataFrame, column: str, place: str) -> None:
    """A line for each value of a column, and a legend at a place."""
    names = list(dict.fromkeys(table[column]))
    for name, colour, marker in zip(names, SERIES, MARKERS, strict=False):
        part = table[table[column] == name].sort_values("clips")
        ax.plot(part["clips"], part["y"], color=colour, marker=marker, markersize=5, label=name)
    ax.legend(loc=place, handlelength=1.6)


def guide(ax: Axes, run: pd.DataFrame) -> None:
    """A straight line in the number of clips: ten times the clips, ten times the time."""
    if run.empty:
        return
    ends = np.array([run["clips"].min(), run["clips"].max()])
    start = 0.35 * run["processor_seconds"].min()
    ax.plot(ends, start * ends / ends[0], color=LINE, linewidth=5, zorder=0, solid_capstyle="round")
    middle = np.sqrt(ends.prod())
    ax.annotate(
        "in proportion",
        (middle, start * middle / ends[0]),
        xytext=(8, -10),
        textcoords="offset points",
        color=MUTED,
        size=8.5,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("measured", type=Path, help="what scale.py --json wrote")
    parser.add_argument("picture", type=Path, help="a PNG")
    asked = parser.parse_args()
    points = pd.DataFrame(json.loads(asked.measured.read_text())["points"])
    asked.picture.write_bytes(png(figure(points)))


if __name__ == "__main__":
    main()
