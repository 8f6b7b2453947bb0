"""The leaderboard at a glance: the best system of every corpus and group."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ser_classic import store
from ser_classic.report.board import ReportError, each_speaker, rankings, system_of, systems
from ser_classic.report.chapters import Chapter
from ser_classic.report.text import of_share, range_of
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import Cell, Table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

BEGIN = "<!-- leaderboard: written by `ser-classic report --readme README.md` -->"
END = "<!-- end of leaderboard -->"
LEAKY = "leaky (not to be believed)"
ABOUT = (
    "The first of each ranking below. Blind: the system knows nothing of the test speaker but the clip. "
    "Adapted: it has heard other clips of that speaker, unlabelled. Leaky: it was trained on clips of the "
    "test speakers, as after any random split, and its figure says nothing of new speakers. Compare yours "
    "with those of its own track and protocol."
)
FEW = (
    f" Where a corpus has fewer than {FEWEST_SPEAKERS} speakers, the UAR of each stands in the place of the "
    "interval."
)


def glance(board: pd.DataFrame) -> Table:
    """The best system of every corpus and group that is as it would be today, and computed here as a whole.

    Parameters
    ----------
    board : pd.DataFrame
        As `ser_classic.report.leaderboard` returns it.
    """
    board = board[board["source"].fillna("") == ""]  # what anybody can repeat with this package alone
    rows = []
    headings = "corpus", "track", "UAR", "95 %", "features + model", "protocol"
    for corpus, of_corpus in systems(board).groupby("corpus", sort=False):
        for group, emotions, part in rankings(of_corpus):
            track = LEAKY if group == "leaky" else group
            for row in part[part["uar"].notna() & part["stale"].isna()].head(1).to_dict("records"):
                told = str(corpus), f"{track}, {emotions}" if emotions else track
                figures = of_share(row["uar"]), Cell(range_of(row), row["uar_low"])
                rows.append((*told, *figures, system_of(row), row["protocol"]))
    return Table(headings, tuple(rows))


def glance_chapter(board: pd.DataFrame) -> Chapter | None:
    """The best systems, for the head of a report; nothing where no run has finished."""
    table = glance(board)
    about = ABOUT + (FEW if any(each_speaker(row) for row in board.to_dict("records")) else "")
    return Chapter("best", "The best systems", about, (table,)) if table.rows else None


def shown(board: pd.DataFrame) -> RichTable | None:
    """The best systems for `rich.console.Console.print`, after all else: the end stays on the screen."""
    table = replace(glance(board), title="\nThe best systems")
    return table.terminal() if table.rows else None


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
