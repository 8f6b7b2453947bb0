"""The leaderboard as one page that loads nothing: a picture, a table to search, and chapters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.plots.style import inline_svg
from ser_classic.report.board import RANKING
from ser_classic.report.text import (
    INTRODUCTION,
    NOTHING,
    STALE,
    WARNING,
    Chapter,
    about_task,
    duration,
    group_label,
    range_text,
    shortened,
    uar_text,
)
from ser_classic.statistics import per_speaker
from ser_classic.tables import share
from ser_classic.tracks import track_of

TITLE = "Speech emotion recognition on unseen speakers"
LEAD = (
    "Classical systems tested on speakers they were not trained on; those marked leaky were trained on the "
    "test speakers. All figures except the published ones are computed from stored predictions."
)
# Of all systems, with their classes. Cells have none, which keeps the page small: the style sheet goes by
# their places.
HEADINGS = {"#": "number", "features": "", "model": "", "UAR": "number", "95 %": "", "": "bar"}
HEADINGS |= {"accuracy": "number", "F1": "number", "ECE": "number", "fit": "number"}
HOW = (
    "Compare systems only within a ranking: one corpus, one track, one protocol. Click a row to see its "
    "confusion matrix, its recalls and the UAR of each speaker; the address then links to that row. Click a "
    "heading to sort every ranking."
)


@dataclass(frozen=True)
class Section:
    """A section of a page: a name for links, a heading, and markup."""

    name: str
    title: str
    markup: str


def page(
    runs: pd.DataFrame,
    table: pd.DataFrame,
    chapters: Sequence[Chapter] = (),
    drawn: Mapping[str, str] | None = None,
) -> str:
    """The whole page; equal for equal runs and chapters. The first chapter stands before the leaderboard.

    `table` has the `systems` of these runs; `drawn` has the SVG of each picture of the chapters by its name.
    """
    stale, failed = (int((runs["late"] == late).sum()) for late in (1, 2))
    counts = f"{len(runs)} runs, {failed} of them failed"
    counts += f", {stale} stale: of changed parameters or data, not ranked" if stale else ""
    every = Section("systems-all", "All systems", _leaderboard(runs, table)) if len(runs) else None
    sections = [section_of(chapter, drawn) for chapter in chapters]
    sections = [section for section in (*sections[:1], every, *sections[1:]) if section]
    lead = f"<p>{escape(LEAD)}</p>" + ("" if sections else f"<p>{NOTHING}</p>")
    return filled(TITLE, lead, sections, f"{counts}.")


def filled(title: str, lead: str, sections: Sequence[Section], footer: str) -> str:
    """A page of these sections, which loads nothing; `lead` is markup, title and footer are text."""
    here = files("ser_classic.report")
    return Template((here / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
        lead=lead,
        contents="".join(f'<a href="#{one.name}">{escape(one.title)}</a>' for one in sections),
        body="\n".join(
            f'<section id="{one.name}"><h2>{escape(one.title)}</h2>{one.markup}</section>' for one in sections
        ),
        footer=escape(footer),
    )


def section_of(chapter: Chapter, drawn: Mapping[str, str] | None = None) -> Section:
    """A chapter as a section: its drawn pictures, and its tables, folded away where they are many."""
    figures = "".join(
        f"<h3>{escape(one.title)}</h3>{figure_of(drawn[one.name], one.name, one.title, one.caption)}"
        for one in chapter.pictures
        if drawn and one.name in drawn
    )
    tables = "".join(
        (f"<h3>{escape(table.title)}</h3>" if table.title else "")
        + table.html(", ".join(filter(None, (chapter.title, table.title))))
        for table in chapter.tables
    )
    if len(chapter.tables) > 2:
        tables = f"<details><summary>The figures in tables</summary>{tables}</details>"
    why = "".join(f'<p class="leaky">{escape(words)}</p>' for _, words in chapter.remarks)
    return Section(chapter.name, chapter.title, f"{_folded(chapter.about)}{figures}{tables}{why}")


def figure_of(svg: str, name: str, title: str, caption: str) -> str:
    """A drawn figure with its caption below; screen readers say its title."""
    drawn = inline_svg(svg, name, title)
    return f'<figure><div class="scroll">{drawn}</div><figcaption>{escape(caption)}</figcaption></figure>'


def _folded(words: str) -> str:
    """Markup of an explanation: its first sentence, and the others folded away."""
    first, rest = re.match(r"(.*?[.:](?= [A-Z0-9≈])|.*)\s*(.*)", words, re.DOTALL).groups()
    more = f"<details><summary>How to read it</summary><p>{code(rest)}</p></details>" if rest else ""
    return f"<p>{code(first)}</p>{more}"


def _leaderboard(runs: pd.DataFrame, table: pd.DataFrame) -> str:
    """The table of all systems, a body for each ranking, and what its rows unfold to."""
    head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in HEADINGS.items())
    bodies = []
    for (corpus, group, protocol, emotions), part in table.groupby(RANKING, sort=False):
        track = track_of(group)
        named = " · ".join(filter(None, (corpus, group_label(group), protocol, emotions)))
        chance = np.nan_to_num(100 / part["classes"].astype(float).max())
        rows = (_row(rank, row) for rank, row in enumerate(part.to_dict("records"), start=1))
        colour = f"var(--{group},color-mix(in srgb,{track.colour} 70%,var(--ink)))"
        own = {
            "class": group,
            "data-corpus": corpus,
            "data-track": track.label,
            "data-protocol": protocol,
            "style": f"--chance:{chance:.1f};--colour:{colour}",
        }
        bodies.append(
            f'<tbody{_attributes(own)}><tr class="ranking">'
            f'<th colspan="{len(HEADINGS)}" scope="rowgroup">{escape(named)} '
            f"<small>{escape(track.title)}; {escape(about_task(part))}</small></th></tr>\n"
            + "\n".join(rows)
            + "</tbody>"
        )
    return (
        f"<p>{escape(HOW)}</p><details><summary>What the figures mean</summary>"
        f"<p>{code(INTRODUCTION)} Leaky: {escape(WARNING)}</p></details>"
        + (files("ser_classic.report") / "filters.html").read_text(encoding="utf-8")
        + f'<div class="scroll"><table id="all" aria-label="All systems"><thead><tr>{head}</tr></thead>\n'
        + "\n".join(bodies)
        + f'\n</table></div><script type="application/json" id="unfolded">{_unfolded(runs)}</script>'
    )


def _row(rank: int, row: dict[str, Any]) -> str:
    """A system as a row; a failed one says why."""
    names = (escape(str(row[name])).replace("_", "_<wbr>") for name in ("features", "model"))
    if row["status"] != "ok":
        kind = "failed"
        why = f"failed: {escape(shortened(str(row['error'])))}"
        cells = "".join(f"<td>{name}</td>" for name in ("", *names))
        cells += f'<td colspan="{len(HEADINGS) - 3}">{why}</td>'
    else:
        kind, place = ("best" if rank == 1 else ""), str(rank)
        if row["stale"]:
            kind, place = STALE, f'<abbr title="{escape(row["stale"])}">{STALE}</abbr>'
        figures = (share(row[name]) for name in ("accuracy", "macro_f1", "ece"))
        texts = place, *names, uar_text(row), range_text(row), "", *figures, duration(row["fit_seconds"])
        # The style sheet draws the UAR and its interval on a line from 0 to 1.
        ends = {"v": "uar"} | ({} if row["speaker_uar"] else {"l": "uar_low", "h": "uar_high"})
        ends = {name: 100 * row[figure] for name, figure in ends.items() if pd.notna(row[figure])}
        style = ";".join(f"--{name}:{value:.1f}" for name, value in ends.items())
        cells = "".join(
            f'<td class="bar" style="{style}"></td>' if of == "bar" else f"<td>{text}</td>"
            for of, text in zip(HEADINGS.values(), texts, strict=True)
        )
    own = {"id": _id(row), "data-source": row["source"], "class": kind}
    return f"<tr{_attributes(own)}>{cells}</tr>"


def _attributes(values: Mapping[str, Any]) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in values.items() if value)


def _unfolded(runs: pd.DataFrame) -> str:
    """What rows unfold to, as JSON: `emotions` and `speakers` list tuples of names that many rows share.

    `rows` has by id the place of its emotions, its confusion counts, the place of its speakers, and the UAR
    of each of them in thousandths.
    """
    emotions: dict[tuple[str, ...], int] = {}
    speakers: dict[tuple[str, ...], int] = {}
    rows: dict[str, list[Any]] = {}
    runs = runs[runs["counts"].notna() & (runs["test"] == "") & (runs["stale"] == "")]
    runs = runs.assign(name=[_id(row) for row in runs.to_dict("records")])
    for name, seeds in runs.sort_values("seed", kind="stable").groupby("name", sort=False):
        first = seeds["counts"].iloc[0]
        classes = emotions.setdefault(first.classes, len(emotions))
        whole = sum(each.counts.sum(axis=0) for each in seeds["counts"] if each.classes == first.classes)
        names, uars = (), ""
        if seeds["speakers"].iloc[0]:
            names = tuple(speaker.partition("/")[2] for speaker in first.speakers)
            uars = " ".join(f"{1000 * uar:.0f}" for uar in per_speaker(first))
        number = speakers.setdefault(names, len(speakers))
        rows[name] = [classes, " ".join(map(str, whole.ravel().tolist())), number, uars]
    facts = {"emotions": [*emotions], "speakers": [*speakers], "rows": rows}
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _id(row: Mapping[str, Any]) -> str:
    """The id on the page of a row of the leaderboard, which has the seeds of a system together."""
    cell = (str(row[name]) for name in ("corpus", "protocol", "features", "model"))
    return re.sub(r"[^\w.+-]", "-", "--".join(cell))


def code(text: str) -> str:
    """Escaped, with `...` set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
