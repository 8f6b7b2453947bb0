"""Draw docs/leak.png from the committed leaderboard: `python docs/leak.py`."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from ser_classic.plots.style import BLIND, INK, LEAKY, LINE, MUTED, STYLE

ROOT = Path(__file__).parents[1]
SYSTEMS = ("flagship + fusion", "pooled + mlp", "pooled + svm_rbf", "mfcc13 + random_forest")
SIDES = (("emobox", "speakers kept apart", BLIND), ("random5", "random split: speakers on both sides", LEAKY))

board = pd.read_csv(ROOT / "results" / "leaderboard.csv")
board = board[(board["corpus"] == "ravdess") & (board["seed"] == 0)]
board = board.set_index(["protocol", "features", "model"])
with plt.rc_context(STYLE):
    figure, axes = plt.subplots(figsize=(7.2, 2.5), layout="constrained")
    for place, system in enumerate(SYSTEMS):
        rows = [board.loc[(protocol, *system.split(" + "))] for protocol, _, _ in SIDES]
        axes.plot([row["uar"] for row in rows], [place, place], color=LINE, linewidth=3, zorder=1)
        for row, (_, title, colour) in zip(rows, SIDES, strict=True):
            spread = [[row["uar"] - row["uar_low"]], [row["uar_high"] - row["uar"]]]
            label = title if place == 0 else None
            axes.errorbar(row["uar"], place, xerr=spread, fmt="o", color=colour, label=label, zorder=2)
            text = f"{row['uar']:.2f}".lstrip("0")
            axes.annotate(
                text, (row["uar"], place), (0, 6), textcoords="offset points", ha="center", color=INK
            )
    axes.axvline(1 / 8, color=MUTED, linewidth=1, linestyle=":")
    axes.annotate("guessing", (1 / 8, -0.62), (4, 0), textcoords="offset points", color=MUTED, va="top")
    axes.set(yticks=range(len(SYSTEMS)), yticklabels=SYSTEMS, xlim=(0.1, 1), ylim=(3.5, -0.8))
    axes.set_xlabel("UAR on RAVDESS, eight emotions; lines: 95 % interval over speakers")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    figure.savefig(ROOT / "docs" / "leak.png", dpi=150)
