"""Answers of a predictor as text: a table, CSV, or one JSON object per line."""

from __future__ import annotations

import csv as csv_module
import io
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from ser_classic.cli.printing import on_one_line
from ser_classic.errors import some
from ser_classic.tables import Table, TableCell

Row = dict[str, Any]


def json_lines(rows: Sequence[Row], windowed: bool, top: int | None) -> Iterator[str]:
    """One object per recording or window; probabilities largest first, in full precision."""
    head = _head(rows, windowed)
    for row in rows:
        ranked = _ranked(row)[: top or None]
        fields = {name: row.get(name) for name in head}
        if math.isnan(row["seconds"]):  # the row of a table
            fields["seconds"] = None
        if ranked:
            fields |= {"confidence": row["confidence"], "probabilities": dict(ranked)}
        if not math.isnan(row["distance"]):
            fields |= {"distance": row["distance"], "unlike": row["unlike"]}
        yield json.dumps(fields, ensure_ascii=False)


def csv(rows: Sequence[Row], windowed: bool, top: int | None) -> Iterator[str]:
    """One column per emotion, or the `top` emotions and their probabilities side by side."""
    probabilities = [
        name for name in (rows[0] if rows else ()) if name == "confidence" or name.startswith("p_")
    ]
    most = 0 if top is None else min(top, sum(name.startswith("p_") for name in probabilities))
    sides = [f"{what}_{place + 1}" for place in range(most) for what in ("emotion", "p")]
    names = [*_head(rows, windowed), *(probabilities if top is None else sides), "distance", "unlike"]
    target = io.StringIO()
    writer = csv_module.DictWriter(target, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        for place, (word, probability) in enumerate(_ranked(row)[:most], start=1):
            row = row | {f"emotion_{place}": word, f"p_{place}": probability}
        known = {name: value for name, value in row.items() if value is not None and value == value}
        writer.writerow(known)
    yield target.getvalue().removesuffix("\n")


def unlike(rows: Sequence[Row], card: dict[str, Any]) -> str:
    """A warning, in one line, of recordings unlike those that the model was fitted on; empty without any."""
    from ser_classic.predictor import cards

    strange = list(dict.fromkeys(row["file"] for row in rows if row["unlike"]))
    return f"{some(strange, 1)}: {cards.unlike(card)}" if strange else ""


def table(answers: Sequence[Row], windowed: bool, top: int | None) -> Iterator[str]:
    """Aligned columns for people, the most probable emotions side by side."""
    channel = _channel(answers)
    headings = (
        "recording",
        *channel,
        *(["from", "to"] if windowed else ["seconds"]),
        "emotion",
        "probability",
    )
    rows = []
    for row in answers:
        ranked = _ranked(row)[: top or 1]
        times = [row["start"], row["end"]] if windowed else [row["seconds"]]
        sure = ranked[0][1] if ranked else None
        more = [f"{word} {probability:.2f}" for word, probability in ranked[1:]]
        if row["emotion"] is None:
            answer = ("silent", "")
        else:
            answer = (row["emotion"], "" if sure is None else _number(sure))
            if ranked and row["emotion"] != ranked[0][0]:  # an abstention still names what it abstained from
                more.insert(0, f"at most {ranked[0][0]}")
        if row["unlike"]:
            more.append("(unlike)")
        of = (row.get("channel", "") for _ in channel)
        rows.append((on_one_line(row["file"]), *of, *map(_number, times), *answer, *more))
    longest = max(map(len, rows), default=0)
    rows = [row + ("",) * (longest - len(row)) for row in rows]
    yield from Table(headings + ("",) * (longest - len(headings)), tuple(rows)).lines()


def _number(value: float) -> TableCell:
    return TableCell("" if math.isnan(value) else f"{value:.2f}", value)


def _head(rows: Sequence[Row], windowed: bool) -> list[str]:
    return ["file", *_channel(rows), *(["start", "end"] if windowed else []), "seconds", "emotion"]


def _channel(rows: Sequence[Row]) -> list[str]:
    """The column of channels, where some recording's are taken apart."""
    return ["channel"] if any(row.get("channel") for row in rows) else []


def _ranked(row: dict) -> list[tuple[str, float]]:
    """Emotions and probabilities of a row, most probable first; none where there are none."""
    probabilities = [
        (name.removeprefix("p_"), value)
        for name, value in row.items()
        if name.startswith("p_") and not math.isnan(value)
    ]
    return sorted(probabilities, key=lambda probability: -probability[1])
