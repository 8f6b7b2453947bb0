"""The leaderboard for readers: Markdown, and tables for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.report.scoring import each_speaker, rankings, system_of, systems
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import STYLES, Cell, Table, escaped
from ser_classic.tracks import track_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Group
    from rich.table import Table as RichTable

WARNING = (
    "The test speakers are in the training data too, so these figures do not say how well the emotions of "
    "an unknown speaker are recognised. They show how much a leaky split adds."
)
INTRODUCTION = (
    "UAR is the unweighted average recall: the share of clips recognised, averaged over emotions. The 95 % "
    "interval comes from resampling speakers. `acc` is the accuracy, `F1` the macro F1, `fit` the time to "
    "tune and fit all folds, in CPU seconds of one core. Blind, adapted and leaky runs answer different "
    "questions, and protocols set different tasks, so each is ranked alone. With several seeds, UAR is their "
    "mean ± standard deviation, and the ends of the interval are means too. Features with random kernels "
    "(`flagship` and its groups) scale their channels by constants measured on all of TESS, and so know that "
    "much of its test speakers."
)
STALE = "stale"
BEGIN = "<!-- leaderboard: written by `ser-classic report --readme README.md` -->"
END = "<!-- end of leaderboard -->"
LEAKY = "leaky (not to be believed)"
ABOUT = (
    "The best system of each corpus and track, under the protocol with most systems. Blind: the system "
    "knows nothing of the test speaker but the clip. Adapted: it has heard other, unlabelled clips of that "
    "speaker. Leaky: it was trained on clips of the test speakers, as after any random split, so its figure "
    "says nothing about new speakers. Compare your system only within its own track and protocol."
)
FEW = f" With fewer than {FEWEST_SPEAKERS} speakers, the UAR of each is shown instead of an interval."
NO_INTERVAL = (
    f"With fewer than {FEWEST_SPEAKERS} speakers no interval can be trusted, so the UAR of each ({{}}) is "
    "shown instead. It says nothing about other speakers."
)
MOST = 10  # systems of a ranking that a terminal shows
HEADINGS = ("#", "features", "model", "UAR", "95 %", "acc", "F1", "fit")


@dataclass(frozen=True)
class Picture:
    """A figure, the name of its files, and its caption.

    `draw` is a function of `ser_classic.plots` with its arguments.
    """

    name: str
    title: str
    caption: str
    draw: partial[Figure]

    @property
    def figure(self) -> Figure:
        """The figure, drawn anew."""
        return self.draw()


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


@dataclass(frozen=True)
class Section:
    """One ranking of one corpus: its table, and the runs that are stale or failed, and why.

    The first of a corpus has `notes`, a sentence each.
    """

    corpus: str
    notes: tuple[str, ...]
    leaky: bool
    table: Table
    stale: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...]


def share(value: float, digits: int = 3) -> str:
    """A share without its leading zero: `.532`; `1.00` stays, and `–` stands for none."""
    if pd.isna(value):
        return "–"
    text = f"{value:.{digits}f}"
    return f"{value:.{digits - 1}f}" if text.startswith("1") else text.replace("0.", ".", 1)


def of_share(value: float, digits: int = 3) -> Cell:
    """A cell that says `.532`."""
    return Cell(share(value, digits), value)


def uar_of(row: Mapping[str, Any]) -> str:
    """The UAR of a row, `.532`; of several seeds their mean and its spread, `.532 ±.004`."""
    return share(row["uar"]) + (f" ±{share(row['spread'])}" if row["seeds"] > 1 else "")


def range_of(row: Mapping[str, Any], digits: int = 3) -> str:
    """The interval of a row's UAR, `.493–.571`; of too few speakers the UAR of each, `.62/.71`; or `–`."""
    each = each_speaker(row)
    if each:
        return "/".join(share(value, 2) for value in each.values())
    if pd.isna(row["uar_low"]):
        return "–"
    return f"{share(row['uar_low'], digits)}–{share(row['uar_high'], digits)}"


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign: `+.041`, `−.012`."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + share(abs(value), digits)


def duration(seconds: float) -> str:
    """Seconds with two figures, minutes from two minutes on."""
    if pd.isna(seconds):
        return "–"
    if seconds >= 119.5:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"


def counted(number: int, thing: str) -> str:
    """`1 fold`, `6 folds`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def sections(board: pd.DataFrame, usual: bool = False) -> Iterator[Section]:
    """The rankings of a leaderboard, by corpus and group; arguments as `rankings`."""
    for corpus, of_corpus in systems(board).groupby("corpus", sort=False):
        done = of_corpus[of_corpus["uar"].notna()]
        speakers = dict.fromkeys(name for row in done.to_dict("records") for name in each_speaker(row))
        notes = (about(done), *([NO_INTERVAL.format("/".join(speakers))] if speakers else []))
        for group, protocol, emotions, part in rankings(of_corpus, usual):
            ok = part[part["status"] == "ok"].to_dict("records")
            failed = part[part["status"] != "ok"].to_dict("records")
            track = track_of(group)
            named = ", ".join(filter(None, (track.label.capitalize(), protocol, emotions)))
            yield Section(
                str(corpus),
                notes,
                group == "leaky",
                _table(ok, f"{named}: {track.title}"),
                tuple((_system(row), row["stale"]) for row in ok if pd.notna(row["stale"])),
                tuple((_system(row), str(row["error"])) for row in failed),
            )
            notes = ()


def markdown(board: pd.DataFrame) -> str:
    """The leaderboard as Markdown: a heading per corpus and a ranked table per group, the best bold."""
    parts: list[str] = []
    for section in sections(board):
        if section.notes:
            parts += [f"## {escaped(section.corpus)}", *section.notes]
        parts.append(f"### {section.table.title}")
        if section.leaky:
            parts.append(f"> **Warning.** {WARNING}")
        if section.table.rows:
            parts.append(section.table.markdown())
        for kind, runs in (("stale", section.stale), ("failed", section.failed)):
            parts += [f"- {kind}: {escaped(system)}: {escaped(shortened(why))}" for system, why in runs]
    return "\n\n".join(parts) + "\n" if parts else "No run has finished yet.\n"


def terminal(board: pd.DataFrame) -> Group:
    """The best of each corpus and group, under its usual protocol, for `rich.console.Console.print`."""
    from rich.console import Group
    from rich.text import Text

    parts = []
    for section in sections(board, usual=True):
        if section.notes:
            parts.append(Text(f"\n{section.corpus}", style="bold"))
            parts += [Text(note, style="dim") for note in section.notes]
        table = replace(section.table, most=MOST)
        parts.append(table.terminal("yellow" if section.leaky else "default"))
        if table.beyond:
            parts.append(Text(f"and {table.beyond} more, in leaderboard.md", style="dim"))
        for kind, runs in (("stale", section.stale), ("failed", section.failed)):
            parts += [Text(f"{kind}: {system}: {shortened(why)}", STYLES[kind]) for system, why in runs]
    return Group(*(parts or [Text("No run has finished yet.")]))


def best_systems(board: pd.DataFrame) -> Table:
    """The best system of every corpus and group that is current and was computed here as a whole.

    Of several protocols of a group, that under which most systems ran.
    """
    board = board[board["source"].fillna("") == ""]  # what anybody can repeat with this package alone
    rows = []
    current = systems(board[board["status"].eq("ok") & board["stale"].isna()])
    for corpus, of_corpus in current.groupby("corpus", sort=False):
        for group, _, emotions, part in rankings(of_corpus, usual=True):
            row = part.iloc[0].to_dict()
            track = LEAKY if group == "leaky" else track_of(group).label
            place = str(corpus), f"{track}, {emotions}" if emotions else track
            figures = of_share(row["uar"]), Cell(range_of(row), row["uar_low"])
            rows.append((*place, *figures, system_of(row), row["protocol"]))
    return Table(("corpus", "track", "UAR", "95 %", "features + model", "protocol"), tuple(rows))


def best_chapter(board: pd.DataFrame) -> Chapter | None:
    """The best systems, for the head of a report; nothing where no run has finished."""
    table = best_systems(board)
    about = ABOUT + (FEW if any(each_speaker(row) for row in board.to_dict("records")) else "")
    return Chapter("best", "The best systems", about, (table,)) if table.rows else None


def best_in_terminal(board: pd.DataFrame) -> RichTable | None:
    """The best systems for `rich.console.Console.print`, after all else: the end stays on the screen."""
    table = replace(best_systems(board), title="\nThe best systems")
    return table.terminal() if table.rows else None


def put_into(readme: Path, board: pd.DataFrame) -> None:
    """Replace what stands between the marks in a README by today's table.

    Raises
    ------
    SerClassicError
        The file cannot be read or lacks the marks.
    """
    try:
        text = readme.read_text()
    except FileNotFoundError:
        raise SerClassicError(
            f"{readme}: there is no such file; name one with the lines {BEGIN} and {END}, between which the "
            "table goes"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SerClassicError(
            f"{readme}: cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    block = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if not block.search(text):
        raise SerClassicError(f"{readme}: the table goes between the lines {BEGIN} and {END}; add them")
    table = f"{BEGIN}\n{best_systems(board).markdown()}\n{END}"
    store.write_text(readme, block.sub(lambda _: table, text, count=1))


def about(done: pd.DataFrame) -> str:
    """How large the task is, in a sentence; of the finished rows of one corpus in the leaderboard."""
    if not len(done):
        return "No run has finished."
    classes = int(done["classes"].max())
    speakers = int(done["speakers"].max())
    return (
        f"{int(done['clips'].max())} clips, {speakers or 'no known'} speakers, {classes} emotions; "
        f"chance is {share(1 / classes)}."
    )


def _system(row: pd.Series | dict) -> str:
    return f"{system_of(row)} ({row['protocol']})"


def _table(rows: list[dict], title: str) -> Table:
    kinds = [
        STALE if pd.notna(row["stale"]) else "best" if place == 0 else "" for place, row in enumerate(rows)
    ]
    cells = tuple(
        (
            Cell(STALE if kind == STALE else str(rank), float(rank)),
            row["features"],
            row["model"],
            Cell(uar_of(row), row["uar"]),
            Cell(range_of(row), row["uar_low"]),
            *(of_share(row[name], 2) for name in ("accuracy", "macro_f1")),
            Cell(duration(row["fit_seconds"]), row["fit_seconds"]),
        )
        for rank, (row, kind) in enumerate(zip(rows, kinds, strict=True), start=1)
    )
    return Table(HEADINGS, cells, title, tuple(kinds))


def shortened(why: str, width: int = 160) -> str:
    """The first line of an error, cut to that many letters."""
    first = why.strip().splitlines()[0] if why.strip() else "no reason was recorded"
    return first if len(first) <= width else first[: width - 1] + "…"
