"""Read the stored runs of a results folder, scored; what was scored before is not scored again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.report.board import Figures, Scored, score_of, scored
from ser_classic.report.memory import Memory
from ser_classic.statistics import SpeakerCounts


def read(
    results: Path, problem: Callable[[str], None] | None = None, memory: Memory | None = None
) -> list[Scored]:
    """The stored runs, scored, and marked where they are stale.

    Parameters
    ----------
    results : Path
        Results folder.
    problem : callable (str), optional
        Told of each run that is broken or foreign, and how many are stale; the report goes on with the
        rest. Without it the first that cannot be scored raises.
    memory : Memory, optional
        Of what was scored before; with one, many runs are scored in several processes.
    """
    from ser_classic.experiment.stale import differences, summary

    differ = partial(differences, clips=cache(partial(store.clips_digest, results)))
    stored = list(store.runs(results, problem))
    known = _known(stored, results, memory) if memory else {}
    runs = scored(stored, cache(partial(store.read_clips, results)), problem, differ, known)
    stale = [differ(run.run.record) for run in runs if run.row["stale"]]
    if stale and problem:
        problem(
            f"{len(stale)} of {len(runs)} runs are stale, made otherwise than they would be today "
            f"({summary(stale)}): they are marked and not ranked. `ser-classic bench SUITE` runs them again"
        )
    return runs


def _known(runs: Sequence[store.Run], results: Path, memory: Memory) -> dict[str, Figures]:
    """The figures of the runs that can be scored, by id."""
    digest_of = cache(partial(store.clips_digest, results))
    whole = [run for run in runs if run.ok and _whole(run)]
    clips = [(run.record["corpus"], digest_of(run.record["corpus"])) for run in whole]
    calls = [
        (store.Run(run.path, {name: run.record[name] for name in ("id", "status", "digests")}), results, *of)
        for run, of in zip(whole, clips, strict=True)
    ]
    keys = [[run.record["digests"]["predictions"], of[1]] for run, of in zip(whole, clips, strict=True)]
    found = memory.computed(_figures, calls, keys, 0.005, "runs")
    return {
        run.id: (row, SpeakerCounts(tuple(speakers), tuple(classes), np.array(counts)))
        for run, result in zip(whole, found, strict=True)
        if result
        for row, speakers, classes, counts in [result]
    }


def _whole(run: store.Run) -> bool:
    """Whether the predictions are those of the record: what is known of others would hide the damage."""
    try:
        run.text()
    except SerClassicError:
        return False
    return True


def _figures(run: store.Run, results: Path, corpus: str, digest: str | None) -> list[Any] | None:
    """The figures of a run, ready for JSON; None where it cannot be scored, of which who asks is told."""
    try:
        row, counts = score_of(run.predictions(), _clips(results, corpus, digest))
    except SerClassicError:
        return None
    return [row, counts.speakers, counts.classes, counts.counts.tolist()]


@lru_cache(maxsize=8)
def _clips(results: Path, corpus: str, digest: str | None) -> pd.DataFrame:
    """The clips table of this digest."""
    table = store.read_clips(results, corpus)
    if store.clips_digest(results, corpus) != digest:
        raise store.StoreError(f"{corpus}: its clips table was changed")
    return table
