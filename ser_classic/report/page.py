"""The leaderboard as one page: tables that sort, figures inline, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import pandas as pd

from ser_classic.report.board import each_speaker, rankings, systems
from ser_classic.report.gallery import Picture
from ser_classic.report.text import (
    INTRODUCTION,
    STALE,
    WARNING,
    about,
    duration,
    of_share,
    range_of,
    share,
    title_of,
    uar_of,
)
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import Cell, Table

TITLE = "Speech emotion recognition: leaderboard"


@dataclass(frozen=True)
class Section:
    """A section of a page: a name for links, a heading, and markup."""

    name: str
    title: str
    markup: str


def page(board: pd.DataFrame, figures: Iterable[tuple[str, str]], first: Iterable[Section] = ()) -> str:
    """The whole page.

    Parameters
    ----------
    board : pd.DataFrame
        The leaderboard.
    figures : iterable of (str, str)
        Corpus (or nothing) and markup of each.
    first : iterable of Section
        Shown before the corpora.

    Returns
    -------
    str
        HTML that needs nothing else; equal for equal tables and figures.
    """
    by_corpus: dict[str, list[str]] = {}
    for corpus, markup in figures:
        by_corpus.setdefault(corpus, []).append(markup)
    sections = list(first)
    if "" in by_corpus:
        sections.append(Section("across", "Across corpora", _pair(by_corpus[""])))
    for name, of_corpus in systems(board).groupby("corpus", sort=False):
        corpus = str(name)
        markup = _corpus(corpus, of_corpus) + _pair(by_corpus.get(corpus, []))
        sections.append(Section(identifier(f"corpus-{corpus}"), corpus, markup))
    failed = int((board["status"] != "ok").sum())
    stale = int((board["stale"].notna() & (board["status"] == "ok")).sum())
    counts = f"{len(board)} runs, {failed} of them failed"
    counts += f", {stale} stale: made otherwise than they would be today, and not ranked" if stale else ""
    lead = f"<p>{code(INTRODUCTION)}</p>" + ("" if sections else "<p>No run has finished yet.</p>")
    return filled(TITLE, lead, sections, f"{counts}. All figures come from stored predictions.")


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


def _pair(figures: Sequence[str]) -> str:
    return f'<div class="pair">{"".join(figures)}</div>' if figures else ""


def _corpus(corpus: str, table: pd.DataFrame) -> str:
    done = table[table["uar"].notna()]
    parts = [f"<p>{about(done)}</p>"]
    if 0 < done["speakers"].max() < FEWEST_SPEAKERS:
        parts.append(
            f'<p class="warning">With fewer than {FEWEST_SPEAKERS} speakers no interval can be trusted: '
            "these figures speak of these speakers alone, and the UAR of each is shown instead.</p>"
        )
    for group, emotions, part in rankings(table):
        parts.append(f'<h3 class="{group}">{escape(title_of(group, emotions))}</h3>')
        if group == "leaky":
            parts.append(f'<p class="warning">{escape(WARNING)}</p>')
        parts.append(_ranking(part, group, ", ".join(filter(None, (corpus, group, emotions)))))
    return "".join(parts)


HEADINGS = (
    *("#", "features", "model", "protocol", "UAR", "95 %", "0 to 1"),
    *("accuracy", "F1", "ECE", "fit", "predict", "seeds"),
)


def _ranking(table: pd.DataFrame, group: str, label: str) -> str:
    rows = table.to_dict("records")
    kinds = [_kind(row, place) for place, row in enumerate(rows)]
    cells = (
        _cells(row, kind, place, group) for place, (row, kind) in enumerate(zip(rows, kinds, strict=True))
    )
    return Table(HEADINGS, tuple(cells), label, tuple(kinds)).html()


def _kind(row: dict[str, Any], place: int) -> str:
    if row["status"] != "ok":
        return "failed"
    return STALE if pd.notna(row["stale"]) else "best" if place == 0 else ""


def _cells(row: dict[str, Any], kind: str, place: int, group: str) -> tuple[Cell | str, ...]:
    names = [row[name] for name in ("features", "model", "protocol")]
    if kind == "failed":
        why = f"failed: {row['error']}"
        return ("", *names, "", Cell(why, markup=f'<span class="leaky">{escape(why)}</span>'), *[""] * 7)
    rank = Cell(str(place + 1), place + 1)
    if kind == STALE:
        rank = Cell(STALE, float("nan"), markup=f'<abbr title="{escape(row["stale"])}">{STALE}</abbr>')
    figures = [of_share(row[name]) for name in ("accuracy", "macro_f1", "ece")]
    figures += [Cell(duration(row[name]), row[name]) for name in ("fit_seconds", "predict_seconds")]
    uar = Cell(uar_of(row), row["uar"])
    return (rank, *names, uar, *_range(row, group), *figures, Cell(str(row["seeds"]), row["seeds"]))


def _range(row: dict[str, Any], group: str) -> tuple[Cell, Cell]:
    """The interval as text and as a bar from 0 to 1, or the speakers one by one."""
    each = each_speaker(row)
    if each:
        dots = "".join(f'<circle cx="{100 * value:.1f}" cy="6" r="2.6"/>' for value in each.values())
        words = ", ".join(f"{name} {share(value, 2)}" for name, value in each.items())
        return Cell(words, row["uar"]), Cell("", row["uar"], markup=_bar(dots, group))
    if pd.isna(row["uar_low"]):
        return Cell("–"), Cell("")
    low, high = 100 * row["uar_low"], 100 * row["uar_high"]
    line = f'<path d="M{low:.1f} 6H{high:.1f}"/><circle cx="{100 * row["uar"]:.1f}" cy="6" r="3"/>'
    return Cell(range_of(row), row["uar_low"]), Cell("", row["uar"], markup=_bar(line, group))


def _bar(marks: str, group: str) -> str:
    colour = f"var(--{group})"
    return (
        '<svg class="bar" viewBox="-4 0 108 12" aria-hidden="true">'
        '<path d="M0 6H100" stroke="var(--line)" stroke-width="1"/>'
        f'<g fill="{colour}" stroke="{colour}" stroke-width="2">{marks}</g></svg>'
    )


def figure_element(picture: Picture, svg: str) -> str:
    """A drawn figure with its title above it and its caption below."""
    from ser_classic.plots.style import inline_svg

    head = f"<h3>{escape(picture.title)}</h3>"
    drawn = inline_svg(svg, identifier(picture.name), picture.title)
    caption = escape(picture.caption)
    wide = ' class="wide"' if picture.wide else ""
    return f'<figure{wide}>{head}<div class="scroll">{drawn}</div><figcaption>{caption}</figcaption></figure>'


def identifier(text: str) -> str:
    """A name that can stand in an `id` and behind `#`."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text)


def code(text: str) -> str:
    """Escaped, with `...` set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
