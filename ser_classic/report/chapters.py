"""Chapters of a report: each a few tables, set as Markdown and as markup, and figures for the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import pandas as pd

from ser_classic.report.gallery import Picture
from ser_classic.report.page import Column, Section, Td, code, table_of
from ser_classic.report.text import escaped, share, shortened

LINE = 18  # letters; a column with longer text may run over several lines


@dataclass(frozen=True)
class Entry:
    """What a cell of a table says, and the value by which it sorts (nothing where it is text)."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table: what it is of, its headings, and its rows.

    `most` is how many rows Markdown shows; the page has all.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    most: int | None = None

    @property
    def numbers(self) -> list[bool]:
        """Which of the columns hold what sorts by a value."""
        places = range(len(self.headings))
        return [any(row[place].value is not None for row in self.rows) for place in places]

    def markdown(self) -> str:
        """Headings and rows as a table in Markdown."""
        marks = ["--:" if number else "---" for number in self.numbers]
        rows = [[escaped(entry.text) for entry in row] for row in self.rows[: self.most]]
        return "\n".join([_line(map(escaped, self.headings)), f"|{'|'.join(marks)}|", *map(_line, rows)])


@dataclass(frozen=True)
class Chapter:
    """A question put to the runs, such as a test of its own.

    Attributes
    ----------
    name, title : str
        For links and for readers.
    about : str
        What is asked, and how the tables are to be read.
    grids : tuple of Grid
    failed : tuple of (str, str)
        Runs that came to nothing, and why.
    pictures : tuple of Picture
        The figures, which stand on the page alone.
    """

    name: str
    title: str
    about: str
    grids: tuple[Grid, ...]
    failed: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()

    def markdown(self) -> str:
        """As Markdown."""
        parts = [f"## {self.title}", self.about]
        for grid in self.grids:
            if grid.title:
                parts.append(f"### {escaped(grid.title)}")
            parts.append(grid.markdown())
            if grid.most is not None and grid.most < len(grid.rows):
                parts.append(f"… and {len(grid.rows) - grid.most} more.")
        parts += [f"- failed: {escaped(run)}: {escaped(shortened(why))}" for run, why in self.failed]
        return "\n\n".join(parts) + "\n\n"

    def section(self, drawn: str = "") -> Section:
        """As a section of the page: its drawn figures, and its tables, folded away where there are any."""
        tables = "".join(self._markup(grid) for grid in self.grids)
        why = "".join(
            f'<p class="leaky">failed: {escape(run)}: {escape(shortened(why))}</p>'
            for run, why in self.failed
        )
        if drawn and tables:
            tables = f"<details><summary>The figures in tables</summary>{tables}</details>"
        return Section(self.name, self.title, f"<p>{code(self.about)}</p>{drawn}{tables}{why}")

    def _markup(self, grid: Grid) -> str:
        texts = [[entry.text for entry in row] for row in grid.rows]
        columns = [
            Column(heading, number, prose=max(map(len, (heading, *column))) > LINE)
            for number, (heading, *column) in zip(
                grid.numbers, zip(grid.headings, *texts, strict=True), strict=True
            )
        ]
        rows = [
            (
                [
                    Td(escape(entry.text), _sorted_by(entry.value) if number else None)
                    for number, entry in zip(grid.numbers, row, strict=True)
                ],
                "",
            )
            for row in grid.rows
        ]
        head = f"<h4>{escape(grid.title)}</h4>" if grid.title else ""
        return head + table_of(columns, rows, ", ".join(filter(None, (self.title, grid.title))))


def of_share(value: float, digits: int = 3) -> Entry:
    """`.532`."""
    return Entry(share(value, digits), value)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _sorted_by(value: float | None) -> float | str:
    return "" if value is None or pd.isna(value) else value
