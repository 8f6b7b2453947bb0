"""A table: rows of cells that become Markdown, HTML, plain lines or a table of the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table as RichTable

LINE = 18  # letters; a column of a page with longer text may run over several lines
STYLES = {"best": "bold", "stale": "dim", "failed": "red"}  # of kinds of rows, in a terminal


@dataclass(frozen=True)
class TableCell:
    """What a cell says.

    Attributes
    ----------
    text : str
    value : float, optional
        By which it sorts; NaN comes last. A column in which a cell has one is set as numbers.
    link : str
        Where the text leads.
    """

    text: str
    value: float | None = None
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    headings : tuple of str
    rows : tuple of tuple of TableCell
        A text or a whole number may be given in the place of a cell.
    title : str
    kinds : tuple of str
        Of each row, of `STYLES` or nothing; none by default.
    most : int, optional
        How many rows Markdown and terminals show; HTML has all.
    warning : str
        What must be known before any of it is read.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    title: str = ""
    kinds: tuple[str, ...] = ()
    most: int | None = None
    warning: str = ""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, TableCell | str | int]], title: str = "", **others: Any) -> Table:
        """A table of rows that name the heading of each cell, with its title and other attributes."""
        return cls(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows], title, **others)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(tuple(map(_cell, row)) for row in self.rows))
        object.__setattr__(self, "kinds", tuple(self.kinds) or ("",) * len(self.rows))

    @property
    def numbers(self) -> list[bool]:
        """Which of the columns hold what sorts by a value."""
        columns = range(len(self.headings))
        return [any(row[place].value is not None for row in self.rows) for place in columns]

    @property
    def beyond(self) -> int:
        """How many rows Markdown and terminals do not show."""
        return 0 if self.most is None else len(self.rows[self.most :])

    def markdown(self) -> str:
        """As Markdown; the best row is bold."""
        lines = [list(map(escaped, self.headings)), ["--:" if one else "---" for one in self.numbers]]
        for row, kind in zip(self.rows[: self.most], self.kinds, strict=False):
            cells = [f"[{escaped(one.text)}]({one.link})" if one.link else escaped(one.text) for one in row]
            lines.append([f"**{cell}**" if cell and kind == "best" else cell for cell in cells])
        head, marks, *body = ("| " + " | ".join(line) + " |" for line in lines)
        return "\n".join([head, marks.replace(" ", ""), *body])

    def html(self, label: str = "") -> str:
        """As HTML that scripts can sort; screen readers call it by its label, the title by default."""
        classes = []
        for heading, number, *cells in zip(self.headings, self.numbers, *self.rows, strict=True):
            wide = max(len(heading), *(len(cell.text) for cell in cells), 0) > LINE
            names = " ".join(["number"] * number + ["prose"] * wide)
            classes.append(f' class="{names}"' if names else "")
        head = "".join(
            f'<th scope="col"{of}>{escape(name)}</th>'
            for name, of in zip(self.headings, classes, strict=True)
        )
        body = []
        for row, kind in zip(self.rows, self.kinds, strict=True):
            cells = "".join(
                f"<td{of}{_sorted_by(cell) if number else ''}>{_markup(cell)}</td>"
                for cell, number, of in zip(row, self.numbers, classes, strict=True)
            )
            body.append(f'<tr class="{kind}">{cells}</tr>' if kind else f"<tr>{cells}</tr>")
        return (
            f'<div class="scroll"><table class="sortable" aria-label="{escape(label or self.title)}">'
            f"<thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(body)}\n</tbody></table></div>"
        )

    def lines(self) -> list[str]:
        """As aligned plain text, as wide as it needs to be; no line where there is no row."""
        if not self.rows:
            return []
        rows = [list(self.headings), *([cell.text for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        columns = list(zip(widths, self.numbers, strict=True))
        return [
            "  ".join(
                text.rjust(width) if number else text.ljust(width)
                for text, (width, number) in zip(row, columns, strict=True)
            ).rstrip()
            for row in rows
        ]

    def terminal(self) -> RichTable:
        """For `rich.console.Console.print`, which breaks long texts rather than cutting them."""
        from rich.table import Table
        from rich.text import Text  # in the place of words, which rich would search for its own markup

        title = Text(self.title, "yellow" if self.warning else "default") if self.title else None
        table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
        for heading, number in zip(self.headings, self.numbers, strict=True):
            table.add_column(Text(heading), justify="right" if number else "left", overflow="fold")
        for row, kind in zip(self.rows[: self.most], self.kinds, strict=False):
            table.add_row(*(Text(cell.text) for cell in row), style=STYLES.get(kind))
        return table


def share(value: float | None, digits: int = 3) -> str:
    """A share as the field writes it: `.532`, `−.012`, `1.00`; `–` stands for none.

    Examples
    --------
    >>> share(0.5321), share(-0.0119), share(1.0, 2), share(float("nan"))
    ('.532', '−.012', '1.0', '–')
    """
    if value is None or value != value:
        return "–"
    text = f"{value:z.{digits}f}"
    text = f"{value:.{digits - 1}f}" if abs(float(text)) >= 1 else text.replace("0.", ".", 1)
    return text.replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign: `+.041`, `−.012`."""
    return ("+" if value > 0 else "") + share(value, digits)


def of_share(value: float | None, digits: int = 3) -> TableCell:
    """A cell that says `.532`."""
    return TableCell(share(value, digits), value)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    for mark in ("\\", "|", "<", "*", "`", "["):
        text = text.replace(mark, f"\\{mark}" if mark != "<" else "&lt;")
    return text


def _cell(content: TableCell | str | int) -> TableCell:
    if isinstance(content, TableCell):
        return content
    return TableCell(content) if isinstance(content, str) else TableCell(str(content), content)


def _markup(cell: TableCell) -> str:
    text = escape(cell.text)
    return f'<a href="{escape(cell.link)}">{text}</a>' if cell.link else text


def _sorted_by(cell: TableCell) -> str:
    known = cell.value is not None and cell.value == cell.value
    return f' data-value="{f"{cell.value:.6g}" if known else ""}"'
