"""Answers of a predictor as text: a table, CSV, or one JSON object a line."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def wrapped(text: str) -> str:
    """Text whose long lines a terminal parts between words; what is not shown on one stays as it is."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    lines = (
        textwrap.fill(
            line,
            width,
            subsequent_indent="  " if line.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )
    return "\n".join(lines)


def json_lines(answers: pd.DataFrame, windowed: bool, top: int | None) -> Iterator[str]:
    """One object a recording or window; probabilities largest first, in full precision."""
    for row in answers.to_dict("records"):
        ranked = _ranked(row)[: top or None]
        told = {name: row[name] for name in _head(windowed)}
        if ranked:
            told["confidence"] = row["confidence"]
            told["probabilities"] = dict(ranked)
        yield json.dumps(told, ensure_ascii=False)


def csv(answers: pd.DataFrame, windowed: bool, top: int | None) -> str:
    """CSV with a column an emotion, or with the `top` emotions and their probabilities side by side."""
    import pandas as pd

    head = answers[_head(windowed)]
    rest = answers[[name for name in answers if name == "confidence" or name.startswith("p_")]]
    if top is not None:
        top = min(top, sum(name.startswith("p_") for name in rest))
        rows = [_ranked(row)[:top] for row in answers.to_dict("records")]
        rest = pd.DataFrame(index=answers.index)
        for place in range(top):
            rest[f"emotion_{place + 1}"] = [row[place][0] if place < len(row) else None for row in rows]
            rest[f"p_{place + 1}"] = [row[place][1] if place < len(row) else None for row in rows]
    return pd.concat([head, rest], axis=1).to_csv(index=False, lineterminator="\n")


def table(answers: pd.DataFrame, windowed: bool, top: int | None) -> Iterator[str]:
    """Aligned columns for people, the most probable emotions side by side."""
    rows = [["recording", *(["from", "to"] if windowed else ["seconds"]), "emotion", "probability"]]
    for row in answers.to_dict("records"):
        ranked = _ranked(row)[: top or 1]
        times = [row["start"], row["end"]] if windowed else [row["seconds"]]
        sure = ranked[0][1] if ranked else None
        more = [f"{word} {chance:.2f}" for word, chance in ranked[1:]]
        if row["emotion"] is None:
            answer = ["silent", ""]
        else:
            answer = [row["emotion"], "" if sure is None else f"{sure:.2f}"]
            if ranked and row["emotion"] != ranked[0][0]:  # an abstention still names what it abstained from
                more.insert(0, f"at most {ranked[0][0]}")
        rows.append([row["file"], *(f"{time:.2f}" for time in times), *answer, *more])
    if answers.empty:
        return
    widths = [
        max(len(row[place]) for row in rows if place < len(row)) for place in range(max(map(len, rows)))
    ]
    numbers = {
        place for place, name in enumerate(rows[0]) if name in ("from", "to", "seconds", "probability")
    }
    for row in rows:
        cells = (
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=False))
        )
        yield "  ".join(cells).rstrip()


def _head(windowed: bool) -> list[str]:
    return ["file", *(["start", "end"] if windowed else []), "seconds", "emotion"]


def _ranked(row: dict) -> list[tuple[str, float]]:
    """Emotions and probabilities of a row, most probable first; none where there are none."""
    chances = [
        (name.removeprefix("p_"), value)
        for name, value in row.items()
        if name.startswith("p_") and not math.isnan(value)
    ]
    return sorted(chances, key=lambda chance: -chance[1])
