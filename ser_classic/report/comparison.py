"""Two stored runs on the same clips: the difference, its interval, a test, and a verdict."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from ser_classic import statistics, store
from ser_classic.errors import SerClassicError
from ser_classic.metrics import METRICS
from ser_classic.report.scoring import Run, aligned, judged, speaker_counts
from ser_classic.report.text import counted
from ser_classic.statistics import Comparison, per_speaker
from ser_classic.tables import Cell, Table, share, signed
from ser_classic.tracks import track_of


@dataclass(frozen=True)
class Pair:
    """Two comparable runs and what they were found to differ in.

    Attributes
    ----------
    runs : tuple of Run
    metric : str
    found : Comparison
    clips : int
    speakers : pd.DataFrame [shape=(speakers, 2)]
        The metric of each speaker under each run; index speaker, columns the ids.
    """

    runs: tuple[Run, Run]
    metric: str
    found: Comparison
    clips: int
    speakers: pd.DataFrame

    def _repr_html_(self) -> str:
        """What a notebook shows: what the terminal does."""
        return f"<pre>{escape(as_text(self, 100))}</pre>"

    @property
    def notes(self) -> list[str]:
        """What else must be known of the difference, a sentence each."""
        protocols = [run.record["protocol"] for run in self.runs]
        notes = []
        if protocols[0] != protocols[1]:
            notes.append(
                f"The protocols differ ({', '.join(protocols)}): the difference is not of features and model "
                "alone."
            )
        if self.runs[0].record["leaky"]:
            notes.append(
                "Both runs heard the test speakers in training: they say nothing of unknown speakers."
            )
        return notes


def compare(first: Run, second: Run, clips_of: Callable[[str], pd.DataFrame], metric: str = "uar") -> Pair:
    """Compare two stored runs on the same clips, in a metric of `ser_classic.metrics.COUNT_METRICS`.

    Raises
    ------
    SerClassicError
        A failed run, or runs of different corpora, tracks or clips: the difference would mean nothing.
        There is no such metric.
    """
    records = first.record, second.record
    names = tuple(record["id"] for record in records)
    for record in records:
        if "target" in record:
            raise SerClassicError(
                f"{record['id']} predicts {record['target']}; only runs that predict emotions can be compared"
            )
        if record["status"] != "ok":
            raise SerClassicError(
                f"{record['id']} failed ({record.get('error')}); there is nothing to compare"
            )
    for what in ("corpus", "track", "leaky"):
        told = [record[what] for record in records]
        if told[0] != told[1]:
            if what == "leaky":
                told = ["leaky" if leaky else "with speakers kept apart" for leaky in told]
            raise SerClassicError(
                f"{names[0]} is {told[0]}, {names[1]} is {told[1]}; only runs of one corpus and one track "
                "can be compared"
            )
    if len({record.get("digests", {}).get("clips") for record in records}) > 1:
        raise SerClassicError(
            f"{names[0]} and {names[1]} ran on different versions of the clips of {first.record['corpus']}; "
            "repeat the older one with: ser-classic bench SUITE --again"
        )
    clips = clips_of(first.record["corpus"])
    tables = [judged(run.predictions(), clips) for run in (first, second)]
    tested = [table["clip"].sort_values().tolist() for table in tables]
    if tested[0] != tested[1]:
        shared = len(set(tested[0]) & set(tested[1]))
        raise SerClassicError(
            f"{names[0]} tested {len(tested[0])} clips, {names[1]} {len(tested[1])}; {shared} are the same. "
            "Only runs on the same clips can be compared"
        )
    if tables[0]["speaker"].isna().any():
        raise SerClassicError(f"{names[0]}: its clips have no speakers, whom a comparison has to resample")
    counts = aligned(*map(speaker_counts, tables))
    found = statistics.compare(counts[0].counts, counts[1].counts, names, metric)
    each = [per_speaker(table, METRICS[metric].of) for table in counts]
    return Pair((first, second), metric, found, len(tested[0]), pd.concat(each, axis=1, keys=names))


def compare_stored(results: Path, first: str, second: str, metric: str = "uar") -> Pair:
    """Compare two runs of a results folder, named by their ids.

    Raises
    ------
    StoreError
        There is no such run (with the nearest ids), or it is damaged.
    SerClassicError
        As `compare`; or they are one run, or were made on other clips than the folder's clips table tells.
    """
    runs = store.find_run(results, first), store.find_run(results, second)
    if first == second:
        raise SerClassicError(f"{first}: a run does not differ from itself; name two runs")
    pair = compare(*runs, lambda corpus: store.read_clips(results, corpus), metric)
    corpus = runs[0].record["corpus"]
    if runs[0].record["digests"]["clips"] != store.clips_digest(results, corpus):
        raise SerClassicError(
            f"{first} and {second} were made on another version of the clips of {corpus} than "
            f"{results / 'clips'} holds; repeat them with: ser-classic bench SUITE"
        )
    return pair


def as_text(pair: Pair, width: int = 80) -> str:
    """A comparison for the terminal: both runs, difference, test and verdict.

    Where there are too few speakers for an interval, each of them is shown instead.
    """
    found, gap, record = pair.found, pair.found.difference, pair.runs[0].record
    kind = "leaky" if record["leaky"] else track_of(record["track"]).label
    each = pair.speakers if not gap.trusted else pair.speakers.iloc[:0]
    each = each.assign(difference=each.iloc[:, 0] - each.iloc[:, 1])
    rows = [
        (name, *(Cell(words(figure), figure) for figure in (value, *each[name])))
        for name, value, words in zip(
            each.columns, (found.first, found.second, gap.value), (share, share, signed), strict=True
        )
    ]
    names = (str(name).partition("/")[2] or str(name) for name in each.index)
    table = Table(("", METRICS[pair.metric].word, *names), tuple(rows)).lines()
    if gap.trusted:
        table.append(f"95 % interval, speakers resampled  {signed(gap.low)} to {signed(gap.high)}")
        table.append(f"permutation test over speakers  p = {found.p_value:.2g}")
    sentences = [
        textwrap.fill(sentence, width, break_long_words=False, break_on_hyphens=False)
        for sentence in (found.verdict, *pair.notes)
    ]
    clips, speakers = counted(pair.clips, "clip"), counted(gap.speakers, "speaker")
    return "\n".join([f"{record['corpus']}, {kind}: {clips} of {speakers}", "", *table, "", *sentences])


def as_facts(pair: Pair) -> dict[str, Any]:
    """A comparison ready for JSON; `low` and `high` are null where one speaker leaves nothing to resample."""
    found, gap = pair.found, pair.found.difference
    first, second = (run.record["id"] for run in pair.runs)
    low, high = (None if math.isnan(end) else end for end in (gap.low, gap.high))
    return {
        "first": first,
        "second": second,
        "corpus": pair.runs[0].record["corpus"],
        "clips": pair.clips,
        "speakers": gap.speakers,
        "metric": pair.metric,
        "values": [found.first, found.second],
        "difference": gap.value,
        "low": low,
        "high": high,
        "trusted": gap.trusted,
        "p_value": found.p_value,
        "exact": found.exact,
        "verdict": found.verdict,
        "notes": pair.notes,
    }
