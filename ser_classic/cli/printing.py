"""What commands print: text and tables for people, JSON for programs, notes on stderr."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from ser_classic.tables import Table

if TYPE_CHECKING:
    from rich.console import RenderableType


def show(content: Table | str | RenderableType, facts: Any = None, as_json: bool = False) -> None:
    """Print facts as JSON, or for people a table, text or anything that rich prints."""
    if as_json:
        print(json.dumps(facts))
    elif isinstance(content, str):
        print("\n".join(map(_fitting, without_controls(content).split("\n"))))
    else:
        from rich.console import Console

        Console().print(content.terminal() if isinstance(content, Table) else content)


def tell(line: str) -> None:
    """Print a note to stderr, where it does not mix with answers."""
    print(f"ser-classic: {on_one_line(line)}", file=sys.stderr, flush=True)


def on_one_line(text: str) -> str:
    """Text with its line breaks, and what else moves a terminal's cursor, written out.

    Examples
    --------
    >>> on_one_line("a\\nb")
    'a\\\\nb'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def without_controls(text: str) -> str:
    """Text in lines, with what else moves a terminal's cursor written out."""
    return "\n".join(map(on_one_line, text.split("\n")))


def _fitting(line: str) -> str:
    """A line that is too long for the terminal, broken between words; elsewhere, the line as it is."""
    width = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(line) <= width:
        return line
    before = len(line) - len(line.lstrip())
    indent = " " * (before + 2 * (before > 0 or line.startswith("- ")))
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
