"""The leaderboard as a table: one row per run, computed from its predictions and the clips table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError, some
from ser_classic.metrics import METRICS, classes_of, grouped_confusion, places_of
from ser_classic.statistics import FEWEST_SPEAKERS, SpeakerCounts, count, interval, per_speaker
from ser_classic.tracks import LEAKY, in_order
from ser_classic.vocabulary import CONDITIONS, ordered

CELL = ("corpus", "protocol", "track", "leaky", "features", "model", "seed")
SYSTEM = list(CELL[:-1])  # runs that differ in the seed alone are of one system
_FIRST = ("clips", "speakers", "classes", "uar", "uar_low", "uar_high", "accuracy", "macro_f1")
_COST = ("fit_seconds", "predict_seconds")
FACTS = ("base", "independent")  # of the protocol
SOURCES = "external", "brought"  # predictions or features computed elsewhere
COLUMNS = (
    *(*CELL, *_FIRST, *_COST, "status", *(name for name in METRICS if name not in _FIRST)),
    *("speaker_uar", "error", "test", "stale", *FACTS, "source"),
)
FLOOR = "prior"  # the model that ignores the recording; it is not ranked


class Run(Protocol):
    """The interface of a stored run."""

    record: dict[str, Any]

    def predictions(self) -> pd.DataFrame: ...

    def answers(self) -> tuple[pd.DataFrame, dict[str, Any]]: ...


@dataclass(frozen=True)
class Tested:
    """The clips that a run tests: true emotions, and speakers as indices into `speakers`."""

    truth: np.ndarray
    speaker: np.ndarray
    speakers: tuple[str, ...]
    clips: int
    known: bool  # whether every clip has a speaker


@dataclass(frozen=True)
class Scored:
    """A run, its row of the leaderboard, and, unless it failed, its confusion counts and what it tested."""

    run: Run
    row: dict[str, Any]
    counts: SpeakerCounts | None
    tested: Tested | None = None


def judged(predictions: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    """Predictions joined with the clips table: a column `truth`, and all of its columns that they lack.

    Raises
    ------
    SerClassicError
        There are no predictions, a clip is predicted twice in one fold, or it is not in the clips table.
    """
    if "guess" not in predictions:
        raise SerClassicError(
            f"these are not emotions but values of "
            f"{', '.join(predictions.columns.difference(['fold', 'clip']))}, which have a separate "
            "leaderboard: ser-classic report"
        )
    rows = _rows(predictions, clips)
    taken = [
        name for name in clips.columns if name in predictions or name == "truth" or name.startswith("p_")
    ]
    known = clips.drop(columns=taken).rename(columns={"emotion": "truth"}).iloc[rows].reset_index(drop=True)
    return pd.concat([predictions.reset_index(drop=True), known], axis=1)


def _rows(predictions: pd.DataFrame, clips: pd.DataFrame) -> np.ndarray:
    """Row in the clips table of each predicted clip; errors as `judged`."""
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
    return rows


def speaker_counts(table: pd.DataFrame) -> SpeakerCounts:
    """Confusion counts per speaker of judged predictions; clips without a speaker count as one speaker."""
    truth, guess = table["truth"].to_numpy(), table["guess"].to_numpy()
    return count(truth, guess, table["speaker"].fillna("").to_numpy(), ordered(classes_of(truth, guess)))


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
        `speaker_uar`: if there are too few speakers for an interval, the UAR of each by name, else None.

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
    answers = predictions.drop(columns=["fold", "clip"]).items()
    return _score(_tested(predictions, clips), dict(answers), seed)[0]


def score_of(predictions: pd.DataFrame, clips: pd.DataFrame) -> tuple[dict[str, Any], SpeakerCounts]:
    """As `score`, with the confusion counts by speaker; does not check that all clips are predicted."""
    answers = predictions.drop(columns=["fold", "clip"]).items()
    return _score(_tested(predictions, clips), dict(answers))


def _tested(predictions: pd.DataFrame, clips: pd.DataFrame) -> Tested:
    """The clips that predictions test, from the columns fold and clip; errors as `judged`."""
    rows = _rows(predictions, clips)
    truth, speakers = (clips[name].to_numpy(dtype=object)[rows] for name in ("emotion", "speaker"))
    unknown = pd.isna(speakers)
    speakers = np.where(unknown, "", speakers)
    names = classes_of(speakers)
    return Tested(truth, places_of(speakers, names), names, len(np.unique(rows)), not unknown.any())


def guesses(answers: Mapping[str, Any]) -> tuple[np.ndarray, pd.DataFrame | None]:
    """The guessed emotions [shape=(n,)], and their probabilities, if any, one column per emotion."""
    probabilities = {
        name.removeprefix("p_"): column for name, column in answers.items() if name.startswith("p_")
    }
    guess = np.asarray(answers["guess"], dtype=object)
    if not probabilities:
        return guess, None
    return guess, pd.DataFrame(np.stack([*probabilities.values()], axis=1), columns=[*probabilities])


def _score(tested: Tested, answers: Mapping[str, Any], seed: int = 0) -> tuple[dict[str, Any], SpeakerCounts]:
    truth, (guess, given) = tested.truth, guesses(answers)
    classes = ordered(classes_of(truth, guess))
    counts = SpeakerCounts(tested.speakers, classes, grouped_confusion(truth, guess, tested.speaker, classes))
    speakers = len(counts.speakers) if tested.known else 0
    range_ = interval(counts.counts, seed=seed) if speakers else None
    # In the order in which a metric counts by itself, so that sums are equal to the last bit
    by_name = np.argsort(classes)
    total = counts.counts.sum(axis=0)[np.ix_(by_name, by_name)]
    figures = {
        name: metric(truth, guess, given) if metric.terms else float(metric.of(total))
        for name, metric in METRICS.items()
    }
    each = None
    if 0 < speakers < FEWEST_SPEAKERS:
        each = {name.partition("/")[2]: value for name, value in per_speaker(counts).items()}
    row = {
        "clips": tested.clips,
        "speakers": speakers,
        "classes": int(total.any(axis=1).sum()),
        **figures,
        "uar_low": range_.low if range_ else float("nan"),
        "uar_high": range_.high if range_ else float("nan"),
        "speaker_uar": each,
    }
    return row, counts


def system_of(row: Mapping[str, Any] | pd.Series) -> str:
    """The system of a row as tables name it: `pooled + svm_rbf`."""
    return f"{row['features']} + {row['model']}"


def scored(
    runs: Iterable[Run],
    clips_of: Callable[[str], pd.DataFrame],
    problem: Callable[[str], None] | None = None,
    differ: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
) -> list[Scored]:
    """Read the predictions of every run once, and keep what the tables need.

    `clips_of` gives the clips table of a corpus. `problem` is called once for each reason why runs cannot be
    scored, which are left out; without it, the error is raised. `differ` tells how a run's record differs
    from what would be run today (`ser_classic.experiment.stale.differences`); without it no run is stale. A
    run that differs in `clips` gets no figures, as its clips table is gone.
    """
    clips_of, every = cache(clips_of), []
    known: dict[int, tuple[pd.DataFrame, Tested]] = {}  # by id of the table, which is kept alive for that
    left_out: dict[str, list[str]] = {}
    for run in runs:
        record = run.record
        other = differ(record) if differ else {}
        row = {name: record[name] for name in (*CELL, "status", *FACTS)}
        row["test"] = next((test for key, test in CONDITIONS.items() if key in record), "")
        row["source"] = next((kind for kind in SOURCES if kind in record), "")
        row["stale"] = ways_stale(other)
        row |= {name: record.get(name) for name in (*_COST, "error")}
        counts = tested = None
        try:
            if record["status"] == "ok" and "clips" not in other:
                folds, answers = run.answers()
                if id(folds) not in known:
                    known[id(folds)] = folds, _tested(folds, clips_of(record["corpus"]))
                tested = known[id(folds)][1]
                figures, counts = _score(tested, answers)
                row |= figures
        except SerClassicError as error:
            if problem is None:
                raise
            left_out.setdefault(str(error), []).append(record["id"])
            continue
        every.append(Scored(run, row, counts, tested))
    for why, ids in left_out.items():
        problem(f"{some(ids, 1)}: {why}")
    return every


def read(results: Path, problem: Callable[[str], None] | None = None) -> list[Scored]:
    """The stored runs of a results folder, scored, and marked where they are stale.

    `problem` is called with a message for each broken or foreign run, and with the number of stale runs; the
    report goes on with the rest. Without it, the first run that cannot be scored raises an error.
    """
    from ser_classic.experiment.stale import differences, summary

    differ = partial(differences, clips=cache(partial(store.clips_digest, results)))
    stored = store.runs(results, problem)
    runs = scored(stored, partial(store.read_clips, results), problem, differ)
    stale = [differ(run.run.record) for run in runs if run.row["stale"]]
    if stale and problem:
        problem(
            f"{len(stale)} of {len(runs)} runs are stale, as their parameters or data have changed "
            f"({summary(stale)}): they are marked and not ranked. `ser-classic bench SUITE` runs them again"
        )
    return runs


def ways_stale(differences: Mapping[str, str]) -> str:
    """In which ways a run is stale, in words; empty if it is not."""
    return "; ".join(f"{what}: {how}" for what, how in differences.items())


def tabulated(runs: Iterable[Scored]) -> pd.DataFrame:
    """The leaderboard: one row per run with the columns `COLUMNS`, in the order of `arranged`."""
    board = pd.DataFrame([run.row for run in runs], columns=list(COLUMNS))
    each = [value if isinstance(value, dict) else {} for value in board["speaker_uar"]]
    return arranged(board.assign(speaker_uar=pd.Series(each, dtype=object)))


def arranged(board: pd.DataFrame, figure: str = "uar", cell: tuple[str, ...] = CELL) -> pd.DataFrame:
    """A leaderboard sorted by corpus, group, figure and cell; runs that are not `ordinary` come last.

    Within a group, stale runs come after current ones, and failed ones last.
    """
    keys = {
        "_own": ~ordinary(board) if "test" in board else False,
        "_place": places_of_tracks(group_of(board)),
        "_late": lateness(board),
        "_minus": -board[figure].astype(float),
    }
    place = cell.index("protocol")
    order = board.assign(**keys).sort_values([*cell[:place], *keys, *cell[place:]], kind="stable").index
    return board.loc[order].reset_index(drop=True)


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


def rankings(of_corpus: pd.DataFrame, usual: bool = False) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Split the `systems` of one corpus into what may be ranked together: one protocol, the same emotions.

    Yields group (see `group_of`), protocol, emotions and the systems. Within a group, the protocol under
    which most systems ran comes first; with `usual` it is the only one. `emotions` says `4 of 8 emotions` if
    not all of the corpus were tested, else nothing: such runs have an easier task and are ranked separately.
    Failed systems are in the first part of their protocol.
    """
    group, most = group_of(of_corpus), of_corpus["classes"].max()
    for name in in_order(group):
        of_group = of_corpus[group == name]
        sizes = of_group["protocol"].value_counts().sort_index()
        for protocol in sizes.sort_values(ascending=False, kind="stable").index[: 1 if usual else None]:
            part = of_group[of_group["protocol"] == protocol]
            tasks = sorted(part["classes"].dropna().unique(), reverse=True) or [most]
            for number, classes in enumerate(tasks):
                chosen = part["classes"].eq(classes) | (part["classes"].isna() & (number == 0))
                few = f"{int(classes)} of {int(most)} emotions" if classes < most else ""
                yield name, protocol, few, part[chosen]


def first_seeds(runs: Iterable[Scored]) -> list[Scored]:
    """Of runs that differ only in the seed, the finished one with the lowest seed, else a failed one."""
    first: dict[tuple, Scored] = {}
    for run in sorted(runs, key=lambda run: (run.counts is None, run.row["seed"])):
        first.setdefault(tuple(map(run.row.get, SYSTEM)), run)
    return list(first.values())


def standing(table: pd.DataFrame) -> pd.Series:
    """Rank of a row's folds among the speaker-independent folds of its corpus; 0 is shown.

    The folds with most systems come first; NaN if folds are not speaker-independent or the run is not
    `ordinary`. Reads the columns corpus, base, independent, test, features and model.
    """
    chosen = table[table["independent"].astype(bool) & ordinary(table)]
    sizes = chosen.drop_duplicates(["corpus", "base", "features", "model"]).value_counts(["corpus", "base"])
    order = sizes.reset_index().sort_values(["corpus", "count", "base"], ascending=[True, False, True])
    places = order.assign(place=order.groupby("corpus").cumcount()).set_index(["corpus", "base"])["place"]
    keys = pd.MultiIndex.from_frame(chosen[["corpus", "base"]])
    return pd.Series(places.reindex(keys).to_numpy(), chosen.index).reindex(table.index)


def shown(runs: Iterable[Scored], track: str) -> list[Scored]:
    """The finished runs of a track on the folds that are shown for their corpus; see `standing`."""
    finished = [run for run in runs if run.counts is not None and run.row["track"] == track]
    if not finished:
        return []
    first = standing(pd.DataFrame([run.row for run in finished])) == 0
    return [run for run, kept in zip(finished, first, strict=True) if kept]


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
    """The `ordinary` rows of the leaderboard, with the seeds of each system merged.

    Figures are means over the finished seeds; `seeds` counts them, and `spread` is the standard deviation of
    their UAR (NaN with one seed). A system is failed if all of its seeds are, and stale if all finished seeds
    are; otherwise stale seeds are ignored.
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
    return arranged(rows.reset_index()[[*COLUMNS, "seeds", "spread"]])


def to_csv(table: pd.DataFrame) -> str:
    """A table as CSV: four decimals, two for seconds, none for counts; equal tables give equal bytes.

    The figures of speakers are written as `OAF=0.6143 YAF=0.7571`.
    """
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
