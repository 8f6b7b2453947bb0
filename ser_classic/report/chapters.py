"""Chapters of a report: each a few tables, set as Markdown and as markup, and figures for the page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ser_classic.report.gallery import Picture
from ser_classic.report.page import Section, code
from ser_classic.report.text import shortened
from ser_classic.tables import Table, escaped


@dataclass(frozen=True)
class Chapter:
    """A question put to the runs, such as a test of its own.

    Attributes
    ----------
    name, title : str
        For links and for readers.
    about : str
        What is asked, and how the tables are to be read.
    tables : tuple of Table
    failed : tuple of (str, str)
        Runs that came to nothing, and why.
    pictures : tuple of Picture
        The figures, which stand on the page alone.
    """

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    failed: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()

    def markdown(self) -> str:
        """As Markdown."""
        parts = [f"## {self.title}", self.about]
        for table in self.tables:
            if table.title:
                parts.append(f"### {escaped(table.title)}")
            parts.append(table.markdown())
            if table.beyond:
                parts.append(f"… and {table.beyond} more.")
        parts += [f"- failed: {escaped(run)}: {escaped(shortened(why))}" for run, why in self.failed]
        return "\n\n".join(parts) + "\n\n"

    def section(self, drawn: str = "") -> Section:
        """As a section of the page: its drawn figures, and its tables, folded away where there are any."""
        tables = "".join(
            (f"<h4>{escape(table.title)}</h4>" if table.title else "")
            + table.html(", ".join(filter(None, (self.title, table.title))))
            for table in self.tables
        )
        why = "".join(
            f'<p class="leaky">failed: {escape(run)}: {escape(shortened(why))}</p>'
            for run, why in self.failed
        )
        if drawn and tables:
            tables = f"<details><summary>The figures in tables</summary>{tables}</details>"
        return Section(self.name, self.title, f"<p>{code(self.about)}</p>{drawn}{tables}{why}")
