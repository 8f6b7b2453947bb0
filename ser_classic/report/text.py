"""The leaderboard for readers: Markdown, and tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from ser_classic.report.board import each_speaker, rankings, system_of, systems
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import Cell, Table, escaped

if TYPE_CHECKING:
    from rich.console import Group

TITLES = {
    "blind": "Blind: nothing is known of the test speaker but the clip",
    "adapted": "Adapted: features are scaled by the test speaker's own unlabelled clips",
    "leaky": "Leaky: the test speakers were heard in training",
}
WARNING = (
    "Test speakers stand in the training data too, so these figures do not say how well the emotions of an "
    "unknown speaker are recognised. They are here to show how large the difference is."
)
INTRODUCTION = (
    "UAR is the unweighted average recall, the mean over emotions of the share of their clips that was "
    "recognised, over all test clips. The interval is the 95 % interval from resampling speakers. `acc` is "
    "the accuracy, `F1` the macro F1, `fit` the seconds to tune and fit all folds, as CPU seconds of one "
    "core. Blind, adapted and leaky runs answer different questions and are never ranked together. Where a "
    "model ran with several seeds, UAR is their mean ± their standard "
    "deviation, and the interval goes from the mean of their lower to that of their upper ends. Features "
    "with random kernels (`flagship` and its groups) scale their channels by constants that were measured on "
    "all of TESS, and so know that much of its test speakers."
)
STALE = "stale"
NONE = (
    "No run of this group has finished.",
    "The runs of this group are stale: none is as it would be today.",
)
MOST = 10  # systems of a ranking that a terminal shows
HEADINGS = ("#", "features", "model", "protocol", "UAR", "95 %", "acc", "F1", "fit")


@dataclass(frozen=True)
class Section:
    """One ranking of one corpus, ready to be set.

    `few` names the speakers where there are too few for an interval;
    `stale` names the systems that were run otherwise than today's tables say, and how: their rows come last,
    with `STALE` in the place of a rank.
    """

    corpus: str
    about: str
    group: str
    best: str
    table: Table
    failed: tuple[tuple[str, str], ...]
    stale: tuple[tuple[str, str], ...]
    few: tuple[str, ...]


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


def sections(board: pd.DataFrame) -> Iterator[Section]:
    """The groups of a leaderboard, by corpus, then blind, adapted and leaky."""
    for corpus, of_corpus in systems(board).groupby("corpus", sort=False):
        done = of_corpus[of_corpus["uar"].notna()]
        few = tuple(dict.fromkeys(name for row in done.to_dict("records") for name in each_speaker(row)))
        for group, emotions, part in rankings(of_corpus):
            ok = part[part["status"] == "ok"]
            failed = part[part["status"] != "ok"].to_dict("records")
            current = ok[ok["stale"].isna()]
            shown = ok.to_dict("records")
            yield Section(
                corpus=str(corpus),
                about=about(done),
                group=group,
                best=_best(current.iloc[0], group) if len(current) else NONE[len(ok) > 0],
                table=_table(shown, title_of(group, emotions)),
                failed=tuple((_system(row), str(row["error"])) for row in failed),
                stale=tuple((_system(row), row["stale"]) for row in shown if pd.notna(row["stale"])),
                few=few,
            )


def title_of(group: str, emotions: str) -> str:
    """Heading of a ranking; arguments as `ser_classic.report.board.rankings` gives them."""
    return f"{TITLES[group]} ({emotions})" if emotions else TITLES[group]


def markdown(board: pd.DataFrame) -> str:
    """The leaderboard as Markdown.

    A heading per corpus and a ranked table per group; the best of a group is named and set in bold.
    """
    parts: list[str] = []
    corpus = None
    for section in sections(board):
        if section.corpus != corpus:
            corpus = section.corpus
            parts.append(f"## {escaped(corpus)}")
            parts.append(section.about)
            if section.few:
                parts.append(_few_words(section.few))
        parts.append(f"### {section.table.title}")
        if section.group == "leaky":
            parts.append(f"> **Warning.** {WARNING}")
        parts.append(section.best)
        if section.table.rows:
            parts.append(section.table.markdown())
        parts.extend(
            f"- stale: {escaped(system)}: {escaped(shortened(how))}" for system, how in section.stale
        )
        parts.extend(
            f"- failed: {escaped(system)}: {escaped(shortened(why))}" for system, why in section.failed
        )
    return "\n\n".join(parts) + "\n" if parts else "No run has finished yet.\n"


def terminal(board: pd.DataFrame) -> Group:
    """The best of each ranking of the leaderboard as tables for `rich.console.Console.print`."""
    from rich.console import Group
    from rich.text import Text

    parts = []
    corpus = None
    for section in sections(board):
        if section.corpus != corpus:
            corpus = section.corpus
            parts.append(Text(f"\n{corpus}", style="bold"))
            parts.append(Text(section.about, style="dim"))
            if section.few:
                parts.append(Text(_few_words(section.few), style="yellow"))
        table = replace(section.table, most=MOST)
        parts.append(table.terminal("yellow" if section.group == "leaky" else "default"))
        if table.beyond:
            parts.append(Text(f"and {table.beyond} more, in leaderboard.md", style="dim"))
        parts.extend(Text(f"stale: {system}: {shortened(how)}", style="dim") for system, how in section.stale)
        parts.extend(
            Text(f"failed: {system}: {shortened(why)}", style="red") for system, why in section.failed
        )
    return Group(*(parts or [Text("No run has finished yet.")]))


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


def _few_words(speakers: tuple[str, ...]) -> str:
    return (
        f"With fewer than {FEWEST_SPEAKERS} speakers no interval can be trusted: these figures speak of "
        f"these speakers alone. The UAR of each ({'/'.join(speakers)}) stands in place of the interval."
    )


def _best(row: pd.Series, group: str) -> str:
    words = "Highest (and not to be believed)" if group == "leaky" else f"Best {group}"
    return f"{words}: **{escaped(_system(row))}**, UAR {share(row['uar'])}."


def _system(row: pd.Series | dict) -> str:
    return f"{system_of(row)} ({row['protocol']})"


def _table(rows: list[dict], title: str) -> Table:
    kinds = [
        STALE if pd.notna(row["stale"]) else "best" if place == 0 else "" for place, row in enumerate(rows)
    ]
    cells = tuple(
        (
            Cell(STALE if kind == STALE else str(rank), float(rank)),
            *(row[name] for name in ("features", "model", "protocol")),
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
