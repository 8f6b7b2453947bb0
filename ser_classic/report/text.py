"""The leaderboard for readers: chapters as Markdown and in the terminal, and figures as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError, counted, wrap_errors
from ser_classic.report.board import RANKING, under_usual_protocol
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import STYLES, Table, TableCell, escaped, of_share, share
from ser_classic.tracks import track_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Group

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
NOTHING = "No run has finished yet."
STALE = "stale"
BEGIN = "<!-- leaderboard: written by `ser-classic report --readme README.md` -->"
END = "<!-- end of leaderboard -->"
LEAKY = "leaky (inflated)"
ABOUT = (
    "The package's best system for each corpus and track, under the protocol with most systems; features "
    "and predictions brought from elsewhere are ranked below. Blind: the system "
    "knows nothing of the test speaker but the clip. Adapted: it has heard other, unlabelled clips of that "
    "speaker. Leaky: it was trained on clips of the test speakers, as after any random split, so its figure "
    "says nothing about new speakers. Compare your system only within its own track and protocol."
)
FEW = f" With fewer than {FEWEST_SPEAKERS} speakers, the UAR of each is shown instead of an interval."
NO_INTERVAL = (
    f" With fewer than {FEWEST_SPEAKERS} speakers no interval can be trusted, so the UAR of each ({{}}) is "
    "shown instead. It says nothing about other speakers."
)
BEST = "\nThe best systems of this package"  # in a terminal
MOST = 10  # systems of a ranking that a terminal shows
LONGEST = 160  # letters of an error that are shown


@dataclass(frozen=True)
class Picture:
    """A figure, the name of its files, and its caption; `draw` makes it."""

    name: str
    title: str
    caption: str
    draw: partial[Figure]


@dataclass(frozen=True)
class Chapter:
    """A question put to the runs, such as a special test, or the rankings of a corpus; false if empty.

    Attributes
    ----------
    name, title : str
        For links and for readers.
    about : str
        What is asked, and how the tables are to be read.
    tables : tuple of Table
    pictures : tuple of Picture
        The figures, which only the page has.
    remarks : tuple of (str, str)
        As `remark` gives them, of runs that failed or are not ranked.
    """

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.pictures or self.remarks)

    def markdown(self) -> str:
        """As Markdown."""
        parts = [f"## {escaped(self.title)}", self.about]
        for table in self.tables:
            parts += [f"### {escaped(table.title)}"] if table.title else []
            parts += [f"> **Warning.** {table.warning}"] if table.warning else []
            parts.append(table.markdown())
            parts += [f"… and {table.beyond} more."] if table.beyond else []
        return "\n\n".join([*parts, *(f"- {escaped(words)}" for _, words in self.remarks)]) + "\n\n"

    def terminal(self) -> Group:
        """For `rich.console.Console.print`."""
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = [Text(f"\n{self.title}", "bold"), Text(self.about, "dim")]
        for table in self.tables:
            parts.append(table.terminal())
            if table.beyond:
                parts.append(Text(f"and {table.beyond} more, in leaderboard.md", "dim"))
        return Group(*parts, *(Text(words, STYLES[kind]) for kind, words in self.remarks))


def uar_text(row: Mapping[str, Any]) -> str:
    """The UAR of a row, `.532`; of several seeds their mean and its spread, `.532 ±.004`."""
    return share(row["uar"]) + (f" ±{share(row['spread'])}" if row["seeds"] > 1 else "")


def range_text(row: Mapping[str, Any], digits: int = 3) -> str:
    """The interval of a row's UAR, `.493–.571`; of too few speakers the UAR of each, `.62/.71`; or `–`."""
    if each := row["speaker_uar"]:
        return "/".join(share(value, 2) for value in each.values())
    if pd.isna(row["uar_low"]):
        return "–"
    return f"{share(row['uar_low'], digits)}–{share(row['uar_high'], digits)}"


def group_label(group: str) -> str:
    """Name of a ranking's group in reports."""
    return LEAKY if group == "leaky" else track_of(group).label


def duration(seconds: float) -> str:
    """Seconds with two figures, minutes from two minutes on."""
    if pd.isna(seconds):
        return "–"
    if seconds >= 119.5:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"


def remark(kind: str, run: str, why: str) -> tuple[str, str]:
    """Why a run is `failed` or `stale`: the kind, and a sentence."""
    return kind, f"{kind}: {run}: {shortened(why)}"


def shortened(why: str) -> str:
    """The first line of an error, cut where it is too long."""
    first = why.strip().splitlines()[0] if why.strip() else "no reason was recorded"
    return first if len(first) <= LONGEST else first[: LONGEST - 1] + "…"


def about_task(rows: pd.DataFrame) -> str:
    """How large the task is, and why there are no intervals; of rows of one corpus in the leaderboard."""
    size = _size(rows)
    if not size:
        return "No run has finished."
    names = dict.fromkeys(name for each in rows["speaker_uar"] for name in each)
    chance = share(1 / rows["classes"].max())
    return f"{size}; chance is {chance}." + (NO_INTERVAL.format("/".join(names)) if names else "")


def _size(rows: pd.DataFrame) -> str:
    """How many clips, speakers and emotions are tested at most; empty if no run has finished."""
    if not rows["uar"].notna().any():
        return ""
    clips, speakers, classes = (rows[name].max() for name in ("clips", "speakers", "classes"))
    return f"{clips:.0f} clips, {counted(int(speakers) or 'no known', 'speaker')}, {classes:.0f} emotions"


def corpus_chapters(table: pd.DataFrame, most: int | None = None) -> Iterator[Chapter]:
    """A chapter for each corpus with the rankings of `systems`; terminals show `most` rows of each."""
    for corpus, of_corpus in table.groupby("corpus", sort=False):
        tables, remarks = [], []
        for (group, protocol, emotions), part in of_corpus.groupby(RANKING[1:], sort=False):
            rows, kinds, track = [], [], track_of(group)
            for row in part.to_dict("records"):
                system = f"{row['system']} ({protocol})"
                if row["status"] != "ok":
                    remarks.append(remark("failed", system, str(row["error"])))
                    continue
                remarks += [remark(STALE, system, row["stale"])] if row["stale"] else []
                kinds.append(STALE if row["stale"] else "" if rows else "best")
                rows.append(
                    {
                        "#": TableCell(STALE if row["stale"] else str(len(kinds)), float(len(kinds))),
                        "features": row["features"],
                        "model": row["model"],
                        "UAR": TableCell(uar_text(row), row["uar"]),
                        "95 %": TableCell(range_text(row), row["uar_low"]),
                        "acc": of_share(row["accuracy"], 2),
                        "F1": of_share(row["macro_f1"], 2),
                        "fit": TableCell(duration(row["fit_seconds"]), row["fit_seconds"]),
                    }
                )
            if rows:
                title = ", ".join(filter(None, (track.label.capitalize(), protocol, emotions)))
                title += f": {track.title}"
                if (size := _size(part)) not in ("", _size(of_corpus)):
                    title += f" ({size})"
                warning = WARNING if group == "leaky" else ""
                tables.append(Table.of(rows, title, kinds=kinds, most=most, warning=warning))
        name = str(corpus)
        yield Chapter(name, name, about_task(of_corpus), tuple(tables), remarks=tuple(remarks))


def markdown(table: pd.DataFrame) -> str:
    """The rankings of `systems` as Markdown: a heading per corpus and a table per group, the best bold."""
    return ("".join(chapter.markdown() for chapter in corpus_chapters(table)).rstrip() or NOTHING) + "\n"


def terminal(table: pd.DataFrame) -> Group:
    """Of `systems` the best of each ranking, then of all, which stay on the screen; for rich to print."""
    from rich.console import Group

    chapters = [chapter.terminal() for chapter in corpus_chapters(under_usual_protocol(table), MOST)]
    best = best_systems(table, BEST)
    return Group(*chapters, *([best.terminal()] if best.rows else []))


def best_systems(table: pd.DataFrame, title: str = "") -> Table:
    """Of `systems`, the best of every corpus and group that is current and was computed here as a whole.

    Of several protocols of a group, the one under which most systems ran.
    """
    # What anybody can repeat with this package alone
    current = table[table["source"].eq("") & table["late"].eq(0)]
    best = under_usual_protocol(current).drop_duplicates(RANKING)
    rows = [
        {
            "corpus": row["corpus"],
            "track": ", ".join(filter(None, (group_label(row["group"]), row["emotions"]))),
            "UAR": of_share(row["uar"]),
            "95 %": TableCell(range_text(row), row["uar_low"]),
            "features + model": row["system"],
            "protocol": row["protocol"],
        }
        for row in best.to_dict("records")
    ]
    return Table.of(rows, title)


def best_chapter(table: pd.DataFrame, *pictures: Picture) -> Chapter:
    """The best of `systems`, for the head of a report."""
    about, best = ABOUT + (FEW if any(table["speaker_uar"]) else ""), best_systems(table)
    return Chapter("best", "The best systems", about, (best,) if best.rows else (), pictures)


def put_into(readme: Path, table: pd.DataFrame) -> None:
    """Replace what stands between the marks in a README by the best of `systems`.

    Raises
    ------
    SerClassicError
        The file cannot be read or lacks the marks.
    """
    remedy = f"name a file with the lines {BEGIN} and {END}, between which the table goes"
    with wrap_errors(f"{readme}: cannot be read", remedy):
        text = readme.read_text()
    block = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if not block.search(text):
        raise SerClassicError(f"{readme}: has no place for the table; {remedy}")
    best = f"{BEGIN}\n{best_systems(table).markdown()}\n{END}"
    store.write(readme, block.sub(lambda _: best, text, count=1))
