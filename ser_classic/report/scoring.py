"""Scores: the figures of one run, computed from its predictions and the clips table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.metrics import METRICS, uar_of
from ser_classic.statistics import FEWEST_SPEAKERS, CountMetric, SpeakerCounts, count, interval
from ser_classic.store import Run
from ser_classic.vocabulary import ordered


def with_truth(predictions: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    """Predictions joined with the clips table: a column `truth`, and all of its columns that they lack.

    Raises
    ------
    SerClassicError
        There are no predictions, a clip is predicted twice in one fold, or it is not in the clips table.
    """
    if not len(predictions):
        raise SerClassicError("there are no predictions to score; run it again")
    rows = clips.index.get_indexer(predictions["clip"])
    foreign = rows < 0
    if foreign.any() or len(np.unique(rows)) < len(rows):
        twice = predictions.duplicated(["fold", "clip"])
        if twice.any():
            raise SerClassicError(
                f"{predictions['clip'][twice].iloc[0]} is predicted twice in one fold; run it again"
            )
    if foreign.any():
        raise SerClassicError(
            f"{foreign.sum()} predicted clips, such as {predictions['clip'][foreign].iloc[0]}, are not in "
            "the clips table; run it again over the corpus as it is"
        )
    taken = [
        name for name in clips.columns if name in predictions or name == "truth" or name.startswith("p_")
    ]
    known = clips.drop(columns=taken).rename(columns={"emotion": "truth"}).iloc[rows].reset_index(drop=True)
    return pd.concat([predictions.reset_index(drop=True), known], axis=1)


def speaker_counts(table: pd.DataFrame) -> SpeakerCounts:
    """Confusion counts per speaker of predictions `with_truth`; clips without one count as one speaker."""
    return count(table["truth"], table["guess"], table["speaker"].fillna(""))


def score(
    predictions: pd.DataFrame, clips: pd.DataFrame, seed: int = 0, protocol: str | None = None
) -> dict[str, Any]:
    """The figures of one run.

    Parameters
    ----------
    predictions : pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where there are probabilities.
    clips : pd.DataFrame
        Clips table, indexed by clip.
    seed : int
        For the resampling and for the folds of `protocol`.
    protocol : str, optional
        Name in `PROTOCOLS`, if only the clips that it tests are to be predicted; by default all clips are.

    Returns
    -------
    dict
        clips, speakers, classes (tested), every metric of `METRICS`, and
        `uar_low`, `uar_high`: the 95 % interval from resampling speakers, NaN if fewer than two are known;
        `speaker_uar`: if there are too few speakers for an interval, the UAR of each by name, else empty.

    Raises
    ------
    SerClassicError
        The predictions do not fit the clips: a column or clips are missing, or there are unknown clips.

    Examples
    --------
    >>> from ser_classic import load
    >>> clips = load("synthetic").clips
    >>> guesses = pd.DataFrame({"fold": "1", "clip": clips.index, "guess": "sad"})
    >>> figures = score(guesses, clips)
    >>> round(figures["uar"], 3), figures["clips"]
    (0.143, 504)
    """
    if absent := [name for name in ("fold", "clip", "guess") if name not in predictions]:
        raise SerClassicError(
            f"predictions lack the column {', '.join(absent)}; expected fold, clip and guess"
        )
    if protocol is None:
        wanted = clips.index
    else:
        from ser_classic.protocols import PROTOCOLS  # not needed to read results

        wanted = clips.index[[row for fold in PROTOCOLS[protocol].folds(clips, seed) for row in fold.test]]
    missing = wanted.difference(predictions["clip"])
    if len(missing):
        raise SerClassicError(
            f"{len(missing)} of {len(wanted)} clips are not predicted, such as {missing[0]}; predict them, "
            "or say with `protocol` which are tested"
        )
    return _score(with_truth(predictions[["fold", "clip"]], clips), predictions, seed)[0]


def guesses(answers: Mapping[str, Any]) -> tuple[np.ndarray, pd.DataFrame | None]:
    """The guessed emotions [shape=(n,)], and their probabilities, if any, one column per emotion."""
    given = {name.removeprefix("p_"): answers[name] for name in answers if name.startswith("p_")}
    guess = np.asarray(answers["guess"], dtype=object)
    return guess, pd.DataFrame(np.stack([*given.values()], axis=1), columns=[*given]) if given else None


def _score(
    tested: pd.DataFrame, answers: Mapping[str, Any], seed: int = 0
) -> tuple[dict[str, Any], SpeakerCounts]:
    """The figures of answers for clips `with_truth`, and their confusion counts by speaker."""
    (guess, given), truth = guesses(answers), tested["truth"].to_numpy(dtype=object)
    counts = count(truth, guess, tested["speaker"].fillna(""))
    # In the order in which a metric counts by itself, so that sums are equal to the last bit, and ties stay
    by_name = np.argsort(counts.classes)
    total = counts.counts.sum(axis=0)[np.ix_(by_name, by_name)]
    figures = {
        "clips": tested["clip"].nunique(),
        "classes": int(total.any(axis=1).sum()),
        **{
            name: metric(truth, guess, given) if metric.terms else float(metric.of(total))
            for name, metric in METRICS.items()
        },
        **over_speakers("uar", () if "" in counts.speakers else counts.speakers, counts.counts, uar_of, seed),
    }
    return figures, counts


def over_speakers(
    name: str, speakers: Sequence[str], sums: np.ndarray, metric: CountMetric, seed: int = 0
) -> dict[str, Any]:
    """The number of speakers, the ends of a metric's interval, and its value for each speaker of few.

    Without `speakers` they are unknown; `sums` as for `statistics.interval`.
    """
    range_ = interval(sums, metric, seed=seed) if speakers else None
    few = zip(speakers, metric(sums), strict=True) if len(speakers) < FEWEST_SPEAKERS and speakers else ()
    return {
        "speakers": len(speakers),
        f"{name}_low": range_.low if range_ else float("nan"),
        f"{name}_high": range_.high if range_ else float("nan"),
        f"speaker_{name}": {speaker.partition("/")[2]: float(value) for speaker, value in few},
    }


def score_run(run: Run, clips: pd.DataFrame, known: dict[int, tuple]) -> dict[str, Any]:
    """What a run adds to the table of runs: its figures, its `counts` by speaker, and the `truth`.

    `known` keeps each table of folds and its clips `with_truth` by the table's id, as many runs share one.
    """
    folds, answers = run.answers()
    if id(folds) not in known:
        known[id(folds)] = folds, with_truth(folds, clips)
    figures, counts = _score(known[id(folds)][1], answers)
    return figures | {"counts": counts, "truth": known[id(folds)][1]["truth"]}


def aligned(first: SpeakerCounts, second: SpeakerCounts) -> tuple[SpeakerCounts, SpeakerCounts]:
    """Both counts over the union of their speakers and emotions, filled up with zeros."""
    speakers = tuple(sorted({*first.speakers, *second.speakers}))
    classes = ordered({*first.classes, *second.classes})

    def spread(table: SpeakerCounts) -> SpeakerCounts:
        counts = np.zeros((len(speakers), len(classes), len(classes)), dtype=table.counts.dtype)
        rows = [speakers.index(name) for name in table.speakers]
        places = [classes.index(name) for name in table.classes]
        counts[np.ix_(rows, places, places)] = table.counts
        return SpeakerCounts(speakers, classes, counts)

    return spread(first), spread(second)
