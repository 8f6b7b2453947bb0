"""One table as Markdown, HTML, plain lines and in a terminal."""

import io

import pytest
from rich.console import Console

from ser_classic.tables import Table, TableCell, share, signed

TABLE = Table(
    ("a & b", "UAR"),
    (
        ("<x> | [1]", TableCell(".50", 0.5)),
        (TableCell("paper", link="https://example.org/?a&b"), "–"),
        ("last", 7),
    ),
    "of these",
    ("best", "", "stale"),
)


def test_markdown_escapes_and_sets_numbers_to_the_right():
    assert TABLE.markdown().splitlines() == [
        "| a & b | UAR |",
        "|---|--:|",
        r"| **&lt;x> \| \[1]** | **.50** |",
        "| [paper](https://example.org/?a&b) | – |",
        "| last | 7 |",
    ]
    assert Table(("system", "UAR"), ()).markdown() == "| system | UAR |\n|---|---|"


def test_html_escapes_and_sorts_by_values():
    text = TABLE.html()
    assert '<th scope="col">a &amp; b</th><th scope="col" class="number">UAR</th>' in text
    assert (
        '<tr class="best"><td>&lt;x&gt; | [1]</td><td class="number" data-value="0.5">.50</td></tr>' in text
    )
    assert '<td><a href="https://example.org/?a&amp;b">paper</a></td>' in text
    assert '<td class="number" data-value="">–</td>' in text
    assert 'aria-label="of these"' in text
    assert 'aria-label="&quot;"' in TABLE.html('"')


def test_lines_are_aligned():
    assert TABLE.lines() == ["a & b      UAR", "<x> | [1]  .50", "paper        –", "last         7"]
    assert Table(("a",), ()).lines() == []


def test_only_so_many_rows_are_shown_where_few_are_wanted():
    few = Table(TABLE.headings, TABLE.rows, most=1)
    assert few.beyond == 2
    assert len(few.markdown().splitlines()) == 3
    assert few.html() == Table(TABLE.headings, TABLE.rows).html()
    assert TABLE.beyond == 0


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.12345, 3, ".123"),
        (0.5, 3, ".500"),
        (1.0, 3, "1.00"),
        (0.9999, 3, "1.00"),
        (0.0, 3, ".000"),
        (-0.25, 2, "−.25"),
        (-0.001, 2, ".00"),
        (-1, 2, "−1.0"),
        (float("nan"), 2, "–"),
    ],
)
def test_shares_as_text(value, digits, text):
    assert share(value, digits) == text
    assert signed(value, digits) == ("+" if value > 0 else "") + text


@pytest.mark.parametrize("width", [20, 200])
def test_a_terminal_shows_every_letter(width):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(TABLE.terminal())
    shown = "".join(console.file.getvalue().split())
    for words in ("ofthese", "a&b", "<x>|[1]", ".50", "last"):
        assert words in shown
