"""Two stored runs on the same clips: the difference, its interval, a test, and a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError, counted
from ser_classic.metrics import COUNT_METRICS, METRICS
from ser_classic.registry import unknown
from ser_classic.report.scoring import aligned, speaker_counts, with_truth
from ser_classic.statistics import FEWEST_SPEAKERS, Interval, difference, per_speaker, swap_test
from ser_classic.tables import Table, TableCell, share, signed
from ser_classic.tracks import track_of


class Predicted(Protocol):
    """What is compared: a stored run, or predictions that were made elsewhere."""

    record: dict[str, Any]

    def predictions(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Comparison:
    """Two comparable runs and what they were found to differ in.

    Attributes
    ----------
    runs : tuple of Predicted
    metric : str
    values : tuple of float
        The metric of each run.
    difference : Interval
        Of the first less the second.
    p_value : float
        Of the two-sided permutation test over speakers; `exact` if every swap was tried.
    exact : bool
    clips : int
    speakers : pd.DataFrame [shape=(speakers, 2)]
        The metric of each speaker under each run; index speaker, columns the ids.
    """

    runs: tuple[Predicted, Predicted]
    metric: str
    values: tuple[float, float]
    difference: Interval
    p_value: float
    exact: bool
    clips: int
    speakers: pd.DataFrame

    def _repr_html_(self) -> str:
        """What a notebook shows: the same as the terminal."""
        return f"<pre style='white-space: pre-wrap'>{escape(self.text())}</pre>"

    @property
    def verdict(self) -> str:
        """What may be said of the difference, in a sentence."""
        gap, word = self.difference, METRICS[self.metric].label
        names = [run.record["id"] for run in self.runs]
        better, worse = names if gap.value >= 0 else names[::-1]
        low, high = (gap.low, gap.high) if gap.value >= 0 else (-gap.high, -gap.low)
        if gap.value == 0:
            found = f"{names[0]} and {names[1]} score the same {word}"
        else:
            found = f"{better} scores {share(abs(gap.value))} {word} above {worse}"
        if not gap.trusted:
            few = f"fewer than {FEWEST_SPEAKERS} say nothing about others"
            return f"{found} on these {gap.speakers} speakers; {few}."
        interval = f"95 % interval {signed(low)} to {signed(high)}"
        found += f" ({interval}, p = {self.p_value:.2g}, {gap.speakers} speakers)"
        apart = (low > 0 or high < 0, self.p_value < 0.05)
        if all(apart):
            return f"{found}: a difference that other speakers can be expected to show."
        if any(apart):
            return f"{found}: interval and test disagree; take it as a hint, not as a finding."
        return f"{found}: the two cannot be told apart with these speakers."

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
                "Both runs heard the test speakers in training: they say nothing about unknown speakers."
            )
        return notes

    def text(self) -> str:
        """The comparison, for the terminal: both runs, difference, test and verdict.

        Where there are too few speakers for an interval, each of them is shown instead.
        """
        gap, record = self.difference, self.runs[0].record
        kind = "leaky" if record["leaky"] else track_of(record["track"]).label
        each = self.speakers if not gap.trusted else self.speakers.iloc[:0]
        each = each.assign(difference=each.iloc[:, 0] - each.iloc[:, 1])
        rows = [
            (name, *(TableCell(words(figure), figure) for figure in (value, *each[name])))
            for name, value, words in zip(
                each.columns, (*self.values, gap.value), (share, share, signed), strict=True
            )
        ]
        names = (str(name).partition("/")[2] or str(name) for name in each.index)
        table = Table(("", METRICS[self.metric].label, *names), tuple(rows)).lines()
        if gap.trusted:
            table.append(f"95 % interval, speakers resampled  {signed(gap.low)} to {signed(gap.high)}")
            table.append(f"permutation test over speakers  p = {self.p_value:.2g}")
        clips, speakers = counted(self.clips, "clip"), counted(gap.speakers, "speaker")
        return "\n".join(
            [f"{record['corpus']}, {kind}: {clips} of {speakers}", "", *table, "", self.verdict, *self.notes]
        )

    def facts(self) -> dict[str, Any]:
        """The comparison, ready for JSON; `low` and `high` are null with one speaker, who has no interval."""
        gap = self.difference
        first, second = (run.record["id"] for run in self.runs)
        low, high = (None if math.isnan(end) else end for end in (gap.low, gap.high))
        return {
            "first": first,
            "second": second,
            "corpus": self.runs[0].record["corpus"],
            "clips": self.clips,
            "speakers": gap.speakers,
            "metric": self.metric,
            "values": list(self.values),
            "difference": gap.value,
            "low": low,
            "high": high,
            "trusted": gap.trusted,
            "p_value": self.p_value,
            "exact": self.exact,
            "verdict": self.verdict,
            "notes": self.notes,
        }


def compare(first: Predicted, second: Predicted, clips: pd.DataFrame, metric: str = "uar") -> Comparison:
    """Compare two runs on the same clips of a clips table, in a metric of `metrics.COUNT_METRICS`.

    Raises
    ------
    SerClassicError
        A failed run, or runs of different corpora, tracks or clips: the difference would mean nothing.
        There is no such metric.
    """
    if metric not in COUNT_METRICS:
        raise SerClassicError(unknown("metrics", metric, COUNT_METRICS))
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
        kinds = [record[what] for record in records]
        if kinds[0] != kinds[1]:
            if what == "leaky":
                kinds = ["leaky" if leaky else "with speakers kept apart" for leaky in kinds]
            raise SerClassicError(
                f"{names[0]} is {kinds[0]}, {names[1]} is {kinds[1]}; only runs of one corpus and one track "
                "can be compared"
            )
    tables = [with_truth(run.predictions(), clips) for run in (first, second)]
    tested = [table["clip"].sort_values().tolist() for table in tables]
    if tested[0] != tested[1]:
        shared = len(set(tested[0]) & set(tested[1]))
        raise SerClassicError(
            f"{names[0]} tested {len(tested[0])} clips, {names[1]} {len(tested[1])}; {shared} are the same. "
            "Only runs on the same clips can be compared"
        )
    if tables[0]["speaker"].isna().any():
        raise SerClassicError(f"{names[0]}: its clips have no speakers, and a comparison resamples speakers")
    counts = aligned(*map(speaker_counts, tables))
    both, of = [table.counts for table in counts], COUNT_METRICS[metric].of
    each = pd.concat([per_speaker(table, of) for table in counts], axis=1, keys=names)
    values = tuple(float(of(table.sum(axis=0))) for table in both)
    test = swap_test(*both, of)
    return Comparison((first, second), metric, values, difference(*both, of), *test, len(tested[0]), each)


def compare_stored(results: Path, first: str, second: str, metric: str = "uar") -> Comparison:
    """Compare two runs of a results folder, named by their ids.

    Raises
    ------
    SerClassicError
        As `compare`; or there is no such run (the message has the nearest ids), it is damaged, both are one
        run, or they were made on clips other than those in the folder's clips table.
    """
    runs = store.find_run(results, first), store.find_run(results, second)
    if first == second:
        raise SerClassicError(f"{first}: a run does not differ from itself; name two runs")
    pair = compare(*runs, store.read_clips(results, runs[0].record["corpus"]), metric)
    for run in runs:
        if run.record["digests"]["clips"] != store.clips_digest(results, run.record["corpus"]):
            raise SerClassicError(
                f"{run.record['id']} was made on another version of the clips of {run.record['corpus']} than "
                f"{results / 'clips'} holds; repeat it with: ser-classic bench SUITE"
            )
    return pair
