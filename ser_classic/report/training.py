"""How a network was trained, in little: its curves as a drawing of some kilobytes, its confusions as a table.

Dozens of these stand on one page, so they are written by hand instead of drawn by matplotlib.
"""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd

from ser_classic.plots.style import LIGHT_TEXT_FROM
from ser_classic.report.board import Scored, system_of
from ser_classic.report.text import counted, share
from ser_classic.report.within import confusion_of

WIDTH, HEIGHT = 400, 220  # of a panel, in units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 26, 24
PARTS = (("train", "training", "muted"), ("valid", "validation", "blind"))
LETTERS = 3  # of an emotion's name, above a column


def averaged(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves of several folds as one: mean, low and high of every column and epoch.

    Parameters
    ----------
    curves : pd.DataFrame
        Columns fold, epoch and any number of quantities.

    Returns
    -------
    pd.DataFrame
        Index epoch, as long as at least half of the folds train; columns (quantity, mean | min | max).
    """
    by_epoch = curves.drop(columns="fold").groupby("epoch")
    enough = by_epoch.size() * 2 >= curves["fold"].nunique()
    return by_epoch.agg(["mean", "min", "max"])[enough]


def portrait(run: Scored, curves: pd.DataFrame, table: pd.DataFrame) -> str:
    """A network as markup: what it scored and took, its curves, and what it takes for what.

    Parameters
    ----------
    run : Scored
    curves : pd.DataFrame
        As stored with the run.
    table : pd.DataFrame
        Its judged predictions.
    """
    row, folds = run.row, run.run.record["folds"]
    name = system_of(row)
    epochs = curves.groupby("fold")["epoch"].max()
    lasted = counted(epochs.max(), "epoch")
    if epochs.min() < epochs.max():
        lasted = f"{epochs.min()} to {lasted}"
    devices = ", ".join(sorted({fold["chosen"]["device"] for fold in folds if "device" in fold["chosen"]}))
    seconds = curves["seconds"].mean()
    words = (
        f"UAR {share(row['uar'])}; {counted(len(folds), 'fold')} of {lasted}, "
        f"{seconds:.2g} s each on {escape(devices)}"
    )
    kind = ' <span class="leaky">leaky</span>' if row["leaky"] else ""
    picture = drawn(curves, f"{name}, {row['protocol']}", 1 / row["classes"])
    return (
        f'<div class="card"><h4>{escape(name)}</h4>'
        f'<p class="muted">{escape(row["protocol"])}{kind}: {words}</p>{picture}{confusions(table)}</div>'
    )


def drawn(curves: pd.DataFrame, name: str, chance: float) -> str:
    """Loss and UAR by epoch, the mean of the folds; the range of the validation part is shaded."""
    table = averaged(curves)
    known = [part for part in PARTS if table[f"{part[0]}_loss"].notna().any(axis=None)]
    top = float(np.nanmax(table[[f"{part}_loss" for part, *_ in known]].to_numpy()))
    panels = _panel(table, "loss", known, top, None) + (
        f'<g transform="translate({WIDTH})">{_panel(table, "uar", known, 1.0, chance)}</g>'
    )
    return (
        f'<svg class="curves" viewBox="0 0 {2 * WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Loss and UAR by epoch: {escape(name)}">{panels}</svg>'
    )


def _panel(
    table: pd.DataFrame, what: str, known: list[tuple[str, str, str]], top: float, chance: float | None
) -> str:
    last = int(table.index.max())
    across = LEFT + (table.index.to_numpy() - 1) / max(1, last - 1) * (WIDTH - LEFT - RIGHT)

    def down(values: np.ndarray | float) -> np.ndarray:
        return HEIGHT - BOTTOM - np.asarray(values) / top * (HEIGHT - TOP - BOTTOM)

    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    marks = [f'<path class="axis" d="M{LEFT} {TOP}V{floor}H{right}"/>']
    if chance is not None:
        marks.append(f'<path class="chance" d="M{LEFT} {down(chance):.0f}H{right}"/>')
    for part, _, colour in known:
        values = table[f"{part}_{what}"]
        if part == "valid":
            edges = np.concatenate([down(values["max"]), down(values["min"])[::-1]])
            band = _path(np.concatenate([across, across[::-1]]), edges)
            marks.append(f'<path class="band" fill="var(--{colour})" d="{band}Z"/>')
        marks.append(f'<path stroke="var(--{colour})" d="{_path(across, down(values["mean"]))}"/>')
    words = "".join(f'<tspan dx="9" fill="var(--{colour})">{label}</tspan>' for _, label, colour in known)
    title = {"loss": "loss", "uar": "UAR"}[what]
    marks.append(f'<text x="{LEFT}" y="15"><tspan class="what">{title}</tspan>{words}</text>')
    said = (f"{top:.1f}" if what == "loss" else "1", "0")
    for text, place in zip(said, (TOP + 8, floor), strict=True):
        marks.append(f'<text class="tick" text-anchor="end" x="{LEFT - 5}" y="{place}">{text}</text>')
    marks.append(f'<text class="tick" x="{LEFT}" y="{floor + 16}">epoch 1</text>')
    marks.append(f'<text class="tick" text-anchor="end" x="{right}" y="{floor + 16}">{last}</text>')
    return "".join(marks)


def _path(x: np.ndarray, y: np.ndarray) -> str:
    """A line through points, in whole units and steps from one to the next: a third of the bytes."""
    points = np.stack([x, y], axis=1).round().astype(int)
    steps = np.diff(points, axis=0)
    return f"M{points[0, 0]} {points[0, 1]}l" + " ".join(f"{right} {down}" for right, down in steps)


def confusions(table: pd.DataFrame) -> str:
    """The confusion matrix as a small table: percent of each emotion's clips by what was guessed."""
    counts, classes = confusion_of(table)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    head = "".join(
        f'<th scope="col"><abbr title="{escape(name)}">{escape(name[:LETTERS])}</abbr></th>'
        for name in classes
    )
    rows = []
    for name, values, clips in zip(classes, shares, total[:, 0], strict=True):
        cells = "".join(_cell(value) for value in values) if clips else "<td></td>" * len(classes)
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return (
        '<table class="confusions" aria-label="Percent of each emotion by guess">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(value: float) -> str:
    percent = round(100 * value)
    if not percent:
        return "<td></td>"
    full = ' class="full"' if value > LIGHT_TEXT_FROM else ""
    return f'<td{full} style="--share:{percent}%">{percent}</td>'
