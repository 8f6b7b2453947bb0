"""Chapters of a report: each a few tables, set as Markdown and as markup, and figures for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from ser_classic.report.board import Scored, first_seeds, system_of
from ser_classic.report.gallery import Picture
from ser_classic.report.page import Column, Section, Td, code, table_of
from ser_classic.report.text import escaped, range_of, share, shortened
from ser_classic.statistics import FEWEST_SPEAKERS

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


# What `figures_of` gives, as the columns that the tables of all chapters end with.
FIGURES = ("corpus", "system", "classes", "uar", "low", "high", "range")


def of_test(runs: Iterable[Scored], test: str) -> tuple[list[Scored], tuple[tuple[str, str], ...]]:
    """The runs of one test, of the first seed: the finished ones, and the others with why they failed.

    Parameters
    ----------
    runs : iterable of Scored
    test : str
        Of `ser_classic.report.board.TESTS`.
    """
    chosen = first_seeds(run for run in runs if run.row["test"] == test)
    failed = tuple(
        (f"{run.row['corpus']}, {run.row['protocol']}, {system_of(run.row)}", str(run.row["error"]))
        for run in chosen
        if run.counts is None
    )
    return [run for run in chosen if run.counts is not None], failed


def system_on(run: Scored, folds: str) -> tuple[str, str, str, str]:
    """What a test of its own and the ordinary runs beside it share: corpus, folds, features and model."""
    return run.row["corpus"], folds, run.row["features"], run.row["model"]


def figures_of(run: Scored) -> dict[str, Any]:
    """What tables and figures show of a finished run.

    Its corpus, system, classes and UAR; low and high, NaN where there are too few speakers for an interval to
    be trusted; and `range`, in words: the interval, or the UAR of each of the few speakers.
    """
    row = run.row
    trusted = row["speakers"] >= FEWEST_SPEAKERS
    low, high = (row["uar_low"], row["uar_high"]) if trusted else (float("nan"), float("nan"))
    return {
        "corpus": row["corpus"],
        "system": system_of(row),
        "classes": row["classes"],
        "uar": row["uar"],
        "low": low,
        "high": high,
        "range": range_of(row, 2),
    }


def of_share(value: float, digits: int = 3) -> Entry:
    """`.532`."""
    return Entry(share(value, digits), value)


def with_range(row: dict[str, Any]) -> Entry:
    """`.71 (.68–.74)`, of what `figures_of` gives."""
    return Entry(f"{share(row['uar'], 2)} ({row['range']})", row["uar"])


def beside(table: pd.DataFrame, title: str, by: str, heading: str, names: Mapping[str, str]) -> Grid:
    """Conditions as rows, systems as columns; conditions in the order in which the table has them.

    Parameters
    ----------
    table : pd.DataFrame
        Columns system, uar, range, and `by`: what tells the conditions apart, as text.
    title : str
    by : str
    heading : str
        Of the column of conditions.
    names : mapping of system to heading
        As `headings_of` gives them.
    """
    systems = list(dict.fromkeys(table["system"]))
    rows = []
    for name, part in table.groupby(by, sort=False):
        found = {row["system"]: with_range(row) for row in part.to_dict("records")}
        rows.append((Entry(str(name)), *(found.get(system, Entry("–")) for system in systems)))
    return Grid(title, (heading, *(names[system] for system in systems)), tuple(rows))


def headings_of(systems: Iterable[str]) -> dict[str, str]:
    """What heads the column of each system: its model alone, to save room, where that tells many apart."""
    names = {name: name.rpartition(" + ")[2] for name in sorted(set(systems))}
    return names if len(set(names.values())) == len(names) > 2 else {name: name for name in names}


def legend(names: Mapping[str, str]) -> str:
    """` The systems: fusion on flagship, mlp on classic180.`, where headings name the models alone."""
    parts = [f"{short} on {name.rpartition(' + ')[0]}" for name, short in names.items() if short != name]
    return f" The systems: {', '.join(parts)}." if parts else ""


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _sorted_by(value: float | None) -> float | str:
    return "" if value is None or pd.isna(value) else value
