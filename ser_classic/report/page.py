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
from ser_classic.report.text import INTRODUCTION, STALE, WARNING, about, duration, share, title_of, uar_of
from ser_classic.statistics import FEWEST_SPEAKERS

TITLE = "Speech emotion recognition: leaderboard"


@dataclass(frozen=True)
class Column:
    """A column of a table: heading, whether it holds numbers, whether a narrow screen can do without it.

    `prose` is text that may run over several lines.
    """

    heading: str
    number: bool = False
    lesser: bool = False
    prose: bool = False

    @property
    def classes(self) -> str:
        """The `class` attribute of its cells."""
        names = [name for name in ("number", "lesser", "prose") if getattr(self, name)]
        return f' class="{" ".join(names)}"' if names else ""


@dataclass(frozen=True)
class Td:
    """Markup of a cell, and the value by which it sorts (the text itself by default)."""

    markup: str
    value: Any = None


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


def table_of(columns: Sequence[Column], rows: Iterable[tuple[Sequence[Td], str]], label: str) -> str:
    """A sortable table; rows are cells and the name of a class (or nothing)."""
    head = "".join(f'<th scope="col"{column.classes}>{escape(column.heading)}</th>' for column in columns)
    body = []
    for cells, kind in rows:
        marks = "".join(
            f"<td{column.classes}{_data(cell)}>{cell.markup}</td>"
            for column, cell in zip(columns, cells, strict=True)
        )
        body.append(f'<tr class="{kind}">{marks}</tr>' if kind else f"<tr>{marks}</tr>")
    return (
        f'<div class="scroll"><table class="sortable" aria-label="{escape(label)}">'
        f"<thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(body)}\n</tbody></table></div>"
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


RANKING = (
    Column("#", number=True),
    Column("features"),
    Column("model"),
    Column("protocol"),
    Column("UAR", number=True),
    Column("95 %"),
    Column("", lesser=True),
    Column("accuracy", number=True, lesser=True),
    Column("F1", number=True, lesser=True),
    Column("ECE", number=True, lesser=True),
    Column("fit", number=True, lesser=True),
    Column("predict", number=True, lesser=True),
    Column("seeds", number=True, lesser=True),
)


def _ranking(table: pd.DataFrame, group: str, label: str) -> str:
    rows = [_ranked(rank, row, group) for rank, row in enumerate(table.to_dict("records"), start=1)]
    return table_of(RANKING, rows, label)


def _ranked(rank: int, row: dict[str, Any], group: str) -> tuple[list[Td], str]:
    """Cells of `RANKING`, and the class of the row."""
    names = [Td(_parted(str(row[name]))) for name in ("features", "model", "protocol")]
    nothing = Td("", "")
    if row["status"] != "ok":
        why = Td(f'<span class="leaky">failed: {escape(str(row["error"]))}</span>', "")
        return [nothing, *names, nothing, why, *[nothing] * 7], "failed"
    place, kind = Td(str(rank), rank), "best" if rank == 1 else ""
    if pd.notna(row["stale"]):
        place, kind = Td(f'<abbr title="{escape(row["stale"])}">{STALE}</abbr>', ""), STALE
    cells = [place, *names, Td(uar_of(row), "" if pd.isna(row["uar"]) else row["uar"]), *_range(row, group)]
    cells += [_share(row[name]) for name in ("accuracy", "macro_f1", "ece")]
    cells += [Td(duration(row[name]), row[name]) for name in ("fit_seconds", "predict_seconds")]
    return [*cells, Td(str(row["seeds"]), row["seeds"])], kind


def _range(row: dict[str, Any], group: str) -> tuple[Td, Td]:
    """The interval as text and as a bar from 0 to 1, or the speakers one by one."""
    each = each_speaker(row)
    if each:
        dots = "".join(f'<circle cx="{100 * value:.1f}" cy="6" r="2.6"/>' for value in each.values())
        words = ", ".join(f"{escape(name)} {share(value, 2)}" for name, value in each.items())
        return Td(words, row["uar"]), Td(_bar(dots, group), row["uar"])
    if pd.isna(row["uar_low"]):
        return Td("–", ""), Td("", "")
    low, high = 100 * row["uar_low"], 100 * row["uar_high"]
    line = f'<path d="M{low:.1f} 6H{high:.1f}"/><circle cx="{100 * row["uar"]:.1f}" cy="6" r="3"/>'
    words = f"{share(row['uar_low'])}–{share(row['uar_high'])}"
    return Td(words, row["uar_low"]), Td(_bar(line, group), row["uar"])


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


def _parted(name: str) -> str:
    """A name, escaped, that a narrow screen may part after an underscore."""
    return escape(name).replace("_", "_<wbr>")


def _share(value: float) -> Td:
    return Td(share(value), "" if pd.isna(value) else value)


def _data(cell: Td) -> str:
    if cell.value is None:
        return ""
    value = f"{cell.value:.6g}" if isinstance(cell.value, float) else str(cell.value)
    return f' data-value="{escape(value)}"'


def identifier(text: str) -> str:
    """A name that can stand in an `id` and behind `#`."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text)


def code(text: str) -> str:
    """Escaped, with `...` set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
