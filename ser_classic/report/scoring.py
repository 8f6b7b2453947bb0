"""The leaderboard as a table: one row per run, computed from its predictions and the clips table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError, some
from ser_classic.metrics import METRICS, classes_of, confusion, places_of, uar_of
from ser_classic.statistics import FEWEST_SPEAKERS, CountMetric, SpeakerCounts, count, interval
from ser_classic.tracks import LEAKY, in_order
from ser_classic.vocabulary import CONDITIONS, ordered

# What runs that differ only in the seed have in common
SYSTEM = ["corpus", "protocol", "track", "leaky", "features", "model"]
_FIRST = ("clips", "speakers", "classes", "uar", "uar_low", "uar_high", "accuracy", "macro_f1")
_COST = ("fit_seconds", "predict_seconds")
RANKING = ["corpus", "group", "protocol", "emotions"]  # and those that are ranked together
COLUMNS = (
    *(*SYSTEM, "seed", *_FIRST, *_COST, "status", *(name for name in METRICS if name not in _FIRST)),
    *("speaker_uar", "error", "test", "stale", "base", "independent", "source"),
)
OBJECTS = ("run", "counts", "truth")  # further columns of a table of runs, which no file has
RECORDED = (*SYSTEM, "seed", *_COST, "status", "error", "base", "independent", "target")
FLOOR = "prior"  # the model that ignores the recording; it is not ranked


class Run(Protocol):
    """The interface of a stored run."""

    record: dict[str, Any]

    def predictions(self) -> pd.DataFrame: ...

    def answers(self) -> tuple[pd.DataFrame, dict[str, Any]]: ...


def judged(predictions: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
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
    """Confusion counts per speaker of judged predictions; clips without a speaker count as one speaker."""
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
    return _score(_tested(judged(predictions[["fold", "clip"]], clips)), predictions, seed)[0]


def guesses(answers: Mapping[str, Any]) -> tuple[np.ndarray, pd.DataFrame | None]:
    """The guessed emotions [shape=(n,)], and their probabilities, if any, one column per emotion."""
    given = {name.removeprefix("p_"): answers[name] for name in answers if name.startswith("p_")}
    guess = np.asarray(answers["guess"], dtype=object)
    return guess, pd.DataFrame(np.stack([*given.values()], axis=1), columns=[*given]) if given else None


@dataclass(frozen=True)
class _Tested:
    """What figures need of the clips tested: their number and truth, all speakers, and the place of each."""

    clips: int
    truth: np.ndarray
    speakers: tuple[str, ...]
    places: np.ndarray


def _tested(table: pd.DataFrame) -> _Tested:
    """Of clips that are `judged`."""
    speakers = classes_of(table["speaker"].fillna(""))
    places = places_of(table["speaker"].fillna(""), speakers)
    return _Tested(table["clip"].nunique(), table["truth"].to_numpy(dtype=object), speakers, places)


def _score(
    tested: _Tested, answers: Mapping[str, Any], seed: int = 0
) -> tuple[dict[str, Any], SpeakerCounts]:
    """The figures of answers, and their confusion counts by speaker."""
    (guess, given), truth = guesses(answers), tested.truth
    classes = ordered(classes_of(truth, guess))
    counts = SpeakerCounts(tested.speakers, classes, confusion(truth, guess, classes, tested.places))
    # In the order in which a metric counts by itself, so that sums are equal to the last bit, and ties stay
    by_name = np.argsort(counts.classes)
    total = counts.counts.sum(axis=0)[np.ix_(by_name, by_name)]
    figures = {
        "clips": tested.clips,
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


def figures_of(run: Run, clips: pd.DataFrame, known: dict[int, tuple]) -> dict[str, Any]:
    """What a run adds to the table of runs: its figures, its `counts` by speaker, and the `truth`.

    `known` keeps each table of folds and the clips it tests by the table's id, as many runs share one.
    """
    folds, answers = run.answers()
    if id(folds) not in known:
        known[id(folds)] = folds, _tested(judged(folds, clips))
    tested = known[id(folds)][1]
    figures, counts = _score(tested, answers)
    return figures | {"counts": counts, "truth": tested.truth}


def scored(
    runs: Iterable[Run],
    clips_of: Callable[[str], pd.DataFrame],
    problem: Callable[[str], None] | None = None,
    differ: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
    figures: Callable[[Run, pd.DataFrame], dict[str, Any]] | None = None,
    columns: tuple[str, ...] = (*COLUMNS, *OBJECTS),
) -> pd.DataFrame:
    """Runs as a table with the columns `COLUMNS`, and `OBJECTS`: the run, its confusion counts, the truth.

    `clips_of` gives the clips table of a corpus. `problem` is called once for each reason why runs cannot be
    scored, which are left out; without it, the error is raised. `differ` tells how a run's record differs
    from what would be run today (`ser_classic.experiment.stale.differences`); without it no run is stale. A
    run that differs in `clips` gets no figures, as its clips table is gone. Sorted as `arranged`.
    """
    figures = figures or partial(figures_of, known={})
    clips_of, rows, left_out = cache(clips_of), [], {}
    for run in runs:
        record = run.record
        other = differ(record) if differ else {}
        row = {name: record.get(name) for name in RECORDED}
        row |= {"run": run, "speaker_uar": {}, "speaker_ccc": {}}
        row["test"] = next((test for key, test in CONDITIONS.items() if key in record), "")
        row["source"] = next((kind for kind in ("external", "brought") if kind in record), "")
        row["stale"] = "; ".join(f"{what}: {how}" for what, how in other.items())
        try:
            if record["status"] == "ok" and "clips" not in other:
                row |= figures(run, clips_of(record["corpus"]))
        except SerClassicError as error:
            if problem is None:
                raise
            left_out.setdefault(str(error), []).append(record["id"])
            continue
        rows.append(row)
    for why, ids in left_out.items():
        problem(f"{some(ids, 1)}: {why}")
    return arranged(pd.DataFrame(rows, columns=list(columns)))


def read(results: Path, problem: Callable[[str], None] | None = None, **kind: Any) -> pd.DataFrame:
    """The stored runs of a results folder as the table that `scored` gives; stale runs are marked.

    `problem` is called with a message for each broken or foreign run, and with the number of stale runs; the
    report goes on with the rest. Without it, the first run that cannot be scored raises an error. `kind` is
    passed on to `scored`.
    """
    from ser_classic.experiment.stale import differences, summary

    differ = partial(differences, clips=cache(partial(store.clips_digest, results)))
    runs = scored(store.runs(results, problem), partial(store.read_clips, results), problem, differ, **kind)
    stale = [differ(run.record) for run in runs["run"][runs["stale"] != ""]]
    if stale and problem:
        problem(
            f"{len(stale)} of {len(runs)} runs are stale, as their parameters or data have changed "
            f"({summary(stale)}): they are marked and not ranked. `ser-classic bench SUITE` runs them again"
        )
    return runs


def arranged(board: pd.DataFrame, *within: str) -> pd.DataFrame:
    """A leaderboard sorted by corpus, dimension, group, UAR (or CCC) and cell; special tests come last.

    Within a group, and within the columns named, stale runs come after current ones, and failed ones last.
    """
    keys = {
        "_own": ~ordinary(board) if "test" in board else False,
        "_group": places_of_tracks(group_of(board)),
        **{name: board[name] for name in within},
        "_late": lateness(board),
        "_minus": -board["uar" if "uar" in board else "ccc"].astype(float),
    }
    first = [name for name in ("corpus", "target") if name in board]
    order = [*first, *keys, *SYSTEM[1:], "seed"]
    return board.loc[board.assign(**keys).sort_values(order, kind="stable").index].reset_index(drop=True)


def system_of(row: Mapping[str, Any] | pd.DataFrame) -> Any:
    """The system of a row, or of each row of a table, as tables name it: `pooled + svm_rbf`."""
    return row["features"] + " + " + row["model"]


def trusted(board: pd.DataFrame) -> pd.DataFrame:
    """The board with `system`, and with `low` and `high`: the UAR interval of enough speakers, else NaN."""
    enough = board["speakers"].astype(float) >= FEWEST_SPEAKERS
    low, high = (board[name].astype(float).where(enough) for name in ("uar_low", "uar_high"))
    return board.assign(system=system_of(board), low=low, high=high)


def group_of(board: pd.DataFrame) -> pd.Series:
    """The group in which a run is ranked: `leaky`, else its track."""
    return board["track"].mask(board["leaky"].astype(bool), LEAKY.name)


def places_of_tracks(names: pd.Series) -> pd.Series:
    """The place of each track or group among all of them, as `in_order` has them."""
    return names.map({name: place for place, name in enumerate(in_order(names))})


def ordinary(board: pd.DataFrame) -> pd.Series:
    """Whether a run sets none of the `CONDITIONS`: trained and tested on one corpus as it is."""
    return board["test"].eq("")


def lateness(board: pd.DataFrame) -> pd.Series:
    """0 for a current run, 1 for a stale one, 2 for a failed one."""
    return board["stale"].ne("").astype(int).mask(board["status"] != "ok", 2)


def placed(board: pd.DataFrame) -> pd.DataFrame:
    """The `ordinary` rows of a board, with `group` (see `group_of`) and the `place` of their protocol in it.

    The protocol under which most systems of a corpus and group ran has the place 0.
    """
    board = board[ordinary(board)]
    board, of = board.assign(group=group_of(board)), ["corpus", "group", "protocol"]
    sizes = board.drop_duplicates(SYSTEM).value_counts(of).reset_index()
    sizes = sizes.sort_values([*of[:2], "count", "protocol"], ascending=[True, True, False, True])
    sizes["place"] = sizes.groupby(of[:2]).cumcount()
    return board.join(sizes.set_index(of)["place"], on=of)


def usual(rows: pd.DataFrame, of: Sequence[str] = ("corpus", "group")) -> pd.DataFrame:
    """The `placed` rows under the usual protocol of each corpus and group, or of each set of values of `of`.

    The usual protocol is the one with the lowest place among these rows.
    """
    return rows[rows["place"] == rows.groupby(list(of))["place"].transform("min")]


def first_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Of runs that differ only in the seed, the finished one with the lowest seed, else a failed one."""
    order = runs.assign(failed=runs["status"] != "ok").sort_values(["failed", "seed"], kind="stable").index
    return runs.loc[order].drop_duplicates(SYSTEM)


def shown(runs: pd.DataFrame, track: str) -> pd.DataFrame:
    """The finished speaker-independent runs of a track, under the `usual` protocol of their corpus."""
    rows = placed(runs)
    apart = rows["counts"].notna() & (rows["track"] == track) & rows["independent"].astype(bool)
    return usual(rows[apart])


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


def systems(board: pd.DataFrame) -> pd.DataFrame:
    """The `placed` rows of the leaderboard, with the seeds of each system merged.

    Figures are means over the finished seeds; `seeds` counts them, and `spread` is the standard deviation of
    their UAR (NaN with one seed). A system is failed if all of its seeds are, and stale if all finished seeds
    are; otherwise stale seeds are ignored.

    Rows with equal `RANKING` may be ranked together, and stand together, best first; the usual protocol of a
    group comes first. `emotions` says `4 of 8 emotions` if not all of the corpus were tested, else nothing:
    that is an easier task. Failed systems are in the first ranking of their protocol.
    """
    board = board[ordinary(board)].astype({"uar": float})
    late = lateness(board)
    board = board[late == late.groupby([board[name] for name in SYSTEM]).transform("min")]
    groups = board.groupby(SYSTEM, sort=False)
    rows = groups.head(1).set_index(SYSTEM)
    rows["seeds"] = groups.size().where(rows["status"] == "ok", 0)
    rows["spread"] = groups["uar"].std()
    figures = board.select_dtypes("number").columns.difference(["seed"], sort=False)
    rows[figures] = groups[list(figures)].mean()
    for system in rows.index[(rows["seeds"] > 1) & rows["speaker_uar"].astype(bool)]:
        each = pd.DataFrame(list(groups.get_group(system)["speaker_uar"]))
        rows.at[system, "speaker_uar"] = each.mean().to_dict()
    rows = placed(rows.reset_index()[[*COLUMNS, "seeds", "spread"]])
    most = rows.groupby("corpus")["classes"].transform("max")
    tested = rows["classes"].fillna(rows.groupby(RANKING[:3])["classes"].transform("max")).fillna(most)
    emotions = [
        f"{few:.0f} of {whole:.0f} emotions" if few < whole else ""
        for few, whole in zip(tested, most, strict=True)
    ]
    rows = rows.assign(emotions=emotions, fewer=-tested)
    return arranged(rows, "place", "fewer").drop(columns="fewer")


def to_csv(table: pd.DataFrame) -> str:
    """A table as CSV: four decimals, two for seconds, none for counts; equal tables give equal bytes.

    The figures of speakers are written as `OAF=0.6143 YAF=0.7571`. `OBJECTS` are left out.
    """
    table = table.drop(columns=list(OBJECTS), errors="ignore")
    forms = {
        **dict.fromkeys(_COST, lambda value: f"{value:.2f}" if pd.notna(value) else ""),
        **dict.fromkeys(
            ("speaker_uar", "speaker_ccc"),
            lambda each: " ".join(f"{who}={value:.4f}" for who, value in each.items()),
        ),
    }
    counts = table.columns.intersection(["clips", "speakers", "classes"])
    shown = table.astype(dict.fromkeys(counts, "Int64"))
    for name in table.columns.intersection(list(forms)):
        shown[name] = list(map(forms[name], table[name]))
    return shown.to_csv(index=False, float_format="%.4f", lineterminator="\n")
