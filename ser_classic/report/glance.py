"""The leaderboard at a glance: the best system of every corpus and group."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from ser_classic import store
from ser_classic.report.board import ReportError, rankings, system_of, systems
from ser_classic.report.chapters import Chapter, Entry, Grid, of_share
from ser_classic.report.text import range_of

BEGIN = "<!-- leaderboard: written by `ser-classic report --readme README.md` -->"
END = "<!-- end of leaderboard -->"
LEAKY = "leaky (not to be believed)"
ABOUT = (
    "The first of each ranking below. Blind, adapted and leaky figures answer different questions: compare "
    "yours with those of its own track and protocol."
)


def glance(board: pd.DataFrame) -> Grid:
    """The best system of every corpus and group that is as it would be today.

    Parameters
    ----------
    board : pd.DataFrame
        As `ser_classic.report.leaderboard` returns it.
    """
    rows = []
    for corpus, of_corpus in systems(board).groupby("corpus", sort=False):
        for group, emotions, part in rankings(of_corpus):
            track = LEAKY if group == "leaky" else group
            for row in part[part["uar"].notna() & part["stale"].isna()].head(1).to_dict("records"):
                words = (
                    str(corpus),
                    f"{track}, {emotions}" if emotions else track,
                    row["protocol"],
                    system_of(row),
                )
                figures = of_share(row["uar"]), Entry(range_of(row), row["uar_low"])
                rows.append((*map(Entry, words), *figures))
    headings = "corpus", "track", "protocol", "features + model", "UAR", "95 %"
    return Grid("", headings, tuple(rows), words=4)


def glance_chapter(board: pd.DataFrame) -> Chapter | None:
    """The best systems, for the head of a report; nothing where no run has finished."""
    grid = glance(board)
    return Chapter("best", "The best systems", ABOUT, (grid,)) if grid.rows else None


def put_into(readme: Path, board: pd.DataFrame) -> None:
    """Replace what stands between the marks in a README by today's table.

    Raises
    ------
    ReportError
        The file cannot be read or lacks the marks.
    """
    try:
        text = readme.read_text()
    except FileNotFoundError:
        raise ReportError(
            f"{readme}: there is no such file; name one with the lines {BEGIN} and {END}, between which the "
            "table goes"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(
            f"{readme}: cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    block = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if not block.search(text):
        raise ReportError(f"{readme}: the table goes between the lines {BEGIN} and {END}; add them")
    table = f"{BEGIN}\n{glance(board).markdown()}\n{END}"
    store.write_text(readme, block.sub(lambda _: table, text, count=1))
