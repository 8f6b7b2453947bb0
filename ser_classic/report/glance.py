"""The leaderboard at a glance: the best system of every corpus and group, for the head of the README."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from ser_classic import store
from ser_classic.report.board import ReportError
from ser_classic.report.text import STALE, sections

BEGIN = "<!-- leaderboard: written by `ser-classic report --readme README.md` -->"
END = "<!-- end of leaderboard -->"
LEAKY = "leaky (not to be believed)"


def glance(board: pd.DataFrame) -> str:
    """The best system of every corpus and group as a Markdown table.

    Parameters
    ----------
    board : pd.DataFrame
        As `ser_classic.report.leaderboard` returns it.
    """
    lines = ["| corpus | track | protocol | features + model | UAR | 95 % |", "|---|---|---|---|--:|:-:|"]
    for section in sections(board):
        for rank, features, model, protocol, uar, interval, *_ in section.rows[:1]:
            if rank == STALE:
                continue
            track = LEAKY if section.group == "leaky" else section.group
            lines.append(
                f"| {section.corpus} | {track} | {protocol} | {features} + {model} | {uar} | {interval} |"
            )
    return "\n".join(lines) + "\n"


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
    table = f"{BEGIN}\n{glance(board)}{END}"
    store.write_text(readme, block.sub(lambda _: table, text, count=1))
