"""The leaderboard as one page that loads nothing: a picture, a table to search, and chapters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.report.scoring import Scored, each_speaker, rankings, systems, tabulated
from ser_classic.report.text import (
    INTRODUCTION,
    LEAKY,
    STALE,
    WARNING,
    Chapter,
    Picture,
    about,
    duration,
    range_of,
    share,
    shortened,
    uar_of,
)
from ser_classic.statistics import FEWEST_SPEAKERS, per_speaker
from ser_classic.tracks import track_of

TITLE = "Speech emotion recognition on speakers never heard"
LEAD = (
    "Classical systems tested on speakers they were not trained on; those marked leaky were trained on the "
    "test speakers. All figures except the published ones are computed from stored predictions."
)
HEADINGS = ("#", "features", "model", "UAR", "95 %", "", "accuracy", "F1", "ECE", "fit")
NUMBERS = ("#", "UAR", "accuracy", "F1", "ECE", "fit")
LESSER = ("accuracy", "F1", "ECE", "fit")  # what a narrow screen can do without
CELL = (
    "corpus",
    "protocol",
    "features",
    "model",
)  # of a row of the leaderboard, which has its seeds together
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


def page(runs: Sequence[Scored], chapters: Iterable[Section] = (), story: str = "") -> str:
    """The whole page; equal for equal runs and chapters. The first chapter stands before the leaderboard.

    `story` is the markup of the picture at the head.
    """
    board = tabulated(runs)
    failed = int((board["status"] != "ok").sum())
    stale = int((board["stale"].notna() & (board["status"] == "ok")).sum())
    counts = f"{len(board)} runs, {failed} of them failed"
    counts += f", {stale} stale: made otherwise than they would be today, and not ranked" if stale else ""
    table = Section("systems-all", "All systems", _leaderboard(board, runs)) if len(board) else None
    first, *others = [*chapters] or [None]
    sections = [section for section in (first, table, *others) if section]
    lead = f"<p>{escape(LEAD)}</p>{story}" + ("" if sections else "<p>No run has finished yet.</p>")
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


def section_of(chapter: Chapter, drawn: Sequence[str] = ()) -> Section:
    """A chapter as a section: its drawn figures, and its tables, folded away where there are any."""
    tables = "".join(
        (f"<h3>{escape(table.title)}</h3>" if table.title else "")
        + table.html(", ".join(filter(None, (chapter.title, table.title))))
        for table in chapter.tables
    )
    if tables and (drawn or len(chapter.tables) > 2):
        tables = f"<details><summary>The figures in tables</summary>{tables}</details>"
    why = "".join(
        f'<p class="leaky">failed: {escape(run)}: {escape(shortened(why))}</p>' for run, why in chapter.failed
    )
    return Section(chapter.name, chapter.title, f"{_folded(chapter.about)}{''.join(drawn)}{tables}{why}")


def figure_of(picture: Picture, svg: str) -> str:
    """A drawn figure with its title above it and its caption below."""
    from ser_classic.plots.style import inline_svg

    drawn = inline_svg(svg, picture.name, picture.title)
    return (
        f'<figure><h3>{escape(picture.title)}</h3><div class="scroll">{drawn}</div>'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def _folded(words: str) -> str:
    """Markup of an explanation: its first sentence, and the others folded away."""
    first, rest = re.match(r"(.*?[.:](?= [A-Z0-9≈])|.*)\s*(.*)", words, re.DOTALL).groups()
    more = f"<details><summary>How to read it</summary><p>{code(rest)}</p></details>" if rest else ""
    return f"<p>{code(first)}</p>{more}"


def _leaderboard(board: pd.DataFrame, runs: Iterable[Scored]) -> str:
    """The table of all systems, a body for each ranking, and what its rows unfold to."""
    classes = {
        name: ("number" if name in NUMBERS else "", "lesser" if name in LESSER else "") for name in HEADINGS
    }
    head = "".join(
        f'<th scope="col" class="{" ".join(filter(None, classes[name]))}">{name}</th>' for name in HEADINGS
    )
    bodies = [
        body
        for corpus, of_corpus in systems(board).groupby("corpus", sort=False)
        for body in _bodies(str(corpus), of_corpus)
    ]
    meaning = f"{code(INTRODUCTION)} Leaky: {escape(WARNING)}"
    return (
        f"<p>{escape(HOW)}</p><details><summary>What the figures mean</summary><p>{meaning}</p></details>"
        + (files("ser_classic.report") / "filters.html").read_text(encoding="utf-8")
        + f'<div class="scroll"><table id="all" aria-label="All systems"><thead><tr>{head}</tr></thead>\n'
        + "\n".join(bodies)
        + f'\n</table></div><script type="application/json" id="unfolded">{_unfolded(runs)}</script>'
    )


def _bodies(corpus: str, of_corpus: pd.DataFrame) -> Iterator[str]:
    """The rankings of a corpus as bodies of the table."""
    task = about(of_corpus[of_corpus["uar"].notna()])
    if 0 < of_corpus["speakers"].max() < FEWEST_SPEAKERS:
        task += " Too few speakers for an interval: the UAR of each is shown instead."
    for group, protocol, emotions, part in rankings(of_corpus):
        track = track_of(group)
        label = LEAKY if group == "leaky" else track.label
        named = " · ".join(filter(None, (corpus, label, protocol, emotions)))
        rows = "\n".join(_row(rank, row) for rank, row in enumerate(part.to_dict("records"), start=1))
        chance = 100 / part["classes"].max()
        yield (
            f'<tbody class="{group}" data-corpus="{escape(corpus)}" data-track="{escape(track.label)}" '
            f'data-protocol="{escape(protocol)}" style="--chance:{0 if pd.isna(chance) else chance:.1f};'
            f'--colour:var(--{group},color-mix(in srgb,{track.colour} 70%,var(--ink)))">'
            f'<tr class="ranking"><th colspan="{len(HEADINGS)}" scope="rowgroup">{escape(named)} '
            f"<small>{escape(track.title)}; {escape(task)}</small></th></tr>\n{rows}</tbody>"
        )


def _row(rank: int, row: dict[str, Any]) -> str:
    """A system as a row; a failed one says why."""
    names = "".join(
        f"<td>{escape(str(row[name])).replace('_', '_<wbr>')}</td>" for name in ("features", "model")
    )
    opening = f'<tr id="{escape(_id(row))}"' + (
        f' data-source="{escape(row["source"])}"' if row["source"] else ""
    )
    if row["status"] != "ok":
        why = escape(shortened(str(row["error"])))
        why = f'<td colspan="{len(HEADINGS) - 3}">failed: {why}</td>'
        return f'{opening} class="failed"><td></td>{names}{why}</tr>'
    kind, place = ("best" if rank == 1 else ""), str(rank)
    if pd.notna(row["stale"]):
        kind, place = STALE, f'<abbr title="{escape(row["stale"])}">{STALE}</abbr>'
    figures = [share(row[name]) for name in ("accuracy", "macro_f1", "ece")] + [duration(row["fit_seconds"])]
    return (
        f"{opening}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>"
        f'<td class="number">{place}</td>{names}<td class="number">{uar_of(row)}</td>'
        f"<td>{range_of(row)}</td>{_bar(row)}"
        + "".join(f'<td class="number lesser">{figure}</td>' for figure in figures)
        + "</tr>"
    )


def _bar(row: dict[str, Any]) -> str:
    """The UAR and its interval on a line from 0 to 1, drawn by the style sheet."""
    if pd.isna(row["uar"]):
        return "<td></td>"
    ends = ""
    if not each_speaker(row) and pd.notna(row["uar_low"]):
        ends = f";--l:{100 * row['uar_low']:.1f};--h:{100 * row['uar_high']:.1f}"
    return f'<td class="bar" style="--v:{100 * row["uar"]:.1f}{ends}"></td>'


def _unfolded(runs: Iterable[Scored]) -> str:
    """What rows unfold to, as JSON: emotions, and of each row their number, its counts, its speakers' UAR."""
    emotions: dict[tuple[str, ...], int] = {}
    counts: dict[str, tuple[int, np.ndarray, list[str]]] = {}
    for run in runs:
        if run.counts is None or run.row["test"] or run.row["stale"]:
            continue
        name, number = _id(run.row), emotions.setdefault(run.counts.classes, len(emotions))
        whole = run.counts.counts.sum(axis=0)
        if name in counts:  # another seed
            if counts[name][0] == number:
                counts[name][1][...] += whole
            continue
        each = per_speaker(run.counts) if run.row["speakers"] else {}
        each = [f"{str(speaker).partition('/')[2]}\t{value:.3f}" for speaker, value in each.items()]
        counts[name] = number, whole.copy(), each
    rows = {
        name: [number, " ".join(map(str, whole.ravel())), each]
        for name, (number, whole, each) in counts.items()
    }
    text = json.dumps({"emotions": [*emotions], "rows": rows}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _id(row: Mapping[str, Any]) -> str:
    return re.sub(r"[^\w.+-]", "-", "--".join(str(row[name]) for name in CELL))


def code(text: str) -> str:
    """Escaped, with `...` set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
