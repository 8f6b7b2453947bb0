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
from ser_classic.errors import SerClassicError
from ser_classic.metrics import METRICS, classes_of, grouped_confusion, places_of
from ser_classic.statistics import FEWEST_SPEAKERS, SpeakerCounts, count, interval, per_speaker
from ser_classic.vocabulary import CONDITIONS, ordered

CELL = ("corpus", "protocol", "track", "leaky", "features", "model", "seed")
_FIRST = ("clips", "speakers", "classes", "uar", "uar_low", "uar_high", "accuracy", "macro_f1")
_COST = ("fit_seconds", "predict_seconds")
_FURTHER = tuple(name for name in METRICS if name not in _FIRST)
FACTS = ("base", "independent")  # of its protocol
SOURCES = "external", "brought"  # predictions or features from elsewhere; nothing where all is computed here
COLUMNS = (
    *CELL,
    *_FIRST,
    *_COST,
    "status",
    *_FURTHER,
    "speaker_uar",
    "error",
    "test",
    "stale",
    *FACTS,
    "source",
)
GROUPS = ("blind", "adapted", "leaky")
FLOOR = "prior"  # the model that knows nothing of the recording; it is no contestant


class Run(Protocol):
    """What is asked of a stored run."""

    record: dict[str, Any]

    def predictions(self) -> pd.DataFrame: ...

    def answers(self) -> tuple[pd.DataFrame, dict[str, Any]]: ...


Figures = tuple[dict[str, Any], SpeakerCounts]  # of a run: what `score` returns, and its counts


@dataclass(frozen=True)
class Tested:
    """What is known of the clips that a run tests: their truth, and the place of their speakers among all."""

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
    """Predictions beside what is known of their clips.

    Parameters
    ----------
    predictions : pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where there are probabilities.
    clips : pd.DataFrame
        Clips table, indexed by clip.

    Returns
    -------
    pd.DataFrame
        The predictions with a column `truth` and the columns of the clips table; where a manifest brings
        a column of its own under a name that predictions have, theirs stands.

    Raises
    ------
    SerClassicError
        No predictions, a clip predicted twice in one fold, or one that the clips table does not hold.
    """
    if "guess" not in predictions:
        raise SerClassicError(
            f"these are no emotions but {', '.join(predictions.columns.difference(['fold', 'clip']))} in "
            "numbers, for which there is a leaderboard of its own: ser-classic report"
        )
    rows = _rows(predictions, clips)
    taken = [
        name for name in clips.columns if name in predictions or name == "truth" or name.startswith("p_")
    ]
    known = clips.drop(columns=taken).rename(columns={"emotion": "truth"}).iloc[rows].reset_index(drop=True)
    return pd.concat([predictions.reset_index(drop=True), known], axis=1)


def _rows(predictions: pd.DataFrame, clips: pd.DataFrame) -> np.ndarray:
    """Where in the clips table the predicted clips stand; errors as `judged`."""
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


def probabilities(table: pd.DataFrame) -> pd.DataFrame | None:
    """The columns `p_<emotion>` under the emotions' names; None where there are none."""
    places = [place for place, name in enumerate(table.columns) if name.startswith("p_")]
    if not places:
        return None
    return table.iloc[:, places].rename(columns=lambda name: name.removeprefix("p_"))


def speaker_counts(table: pd.DataFrame) -> SpeakerCounts:
    """Confusion counts per speaker of judged predictions; clips without a speaker count as one speaker's."""
    truth, guess = table["truth"].to_numpy(), table["guess"].to_numpy()
    return count(truth, guess, table["speaker"].fillna("").to_numpy(), ordered(classes_of(truth, guess)))


def score(
    predictions: pd.DataFrame, clips: pd.DataFrame, seed: int = 0, protocol: str | None = None
) -> dict[str, Any]:
    """The figures of one run.

    Parameters
    ----------
    predictions, clips : pd.DataFrame
        As `judged`.
    seed : int
        Of the resampling, and of the folds of `protocol`.
    protocol : str, optional
        Of `PROTOCOLS`, where it does not test all of the clips: exactly those that it tests are expected.

    Returns
    -------
    dict
        clips, speakers, classes (tested), every metric of `METRICS`, and
        `uar_low`, `uar_high`: the 95 % interval from resampling speakers, NaN where fewer than two are known;
        `speaker_uar`: where there are too few speakers for an interval, the UAR of each by name, else None.

    Raises
    ------
    SerClassicError
        Predictions that do not fit the clips: a column or clips are missing, or there are others.

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
        from ser_classic.protocols import PROTOCOLS  # who reads results alone does without

        wanted = clips.index[[row for fold in PROTOCOLS[protocol].folds(clips, seed) for row in fold.test]]
    missing = wanted.difference(predictions["clip"])
    if len(missing):
        raise SerClassicError(
            f"{len(missing)} of {len(wanted)} clips are not predicted, such as {missing[0]}; predict them, "
            "or say with `protocol` which are tested"
        )
    return score_of(predictions, clips, seed)[0]


def score_of(predictions: pd.DataFrame, clips: pd.DataFrame, seed: int = 0) -> Figures:
    """The figures of one run, and its confusion counts by speaker; arguments and errors as `score`."""
    answers = {
        name: predictions[name].to_numpy() for name in predictions.columns.difference(["fold", "clip"])
    }
    return _score(_tested(predictions, clips), answers, seed)


def _tested(predictions: pd.DataFrame, clips: pd.DataFrame) -> Tested:
    """Of the columns fold and clip; errors as `judged`."""
    rows = _rows(predictions, clips)
    truth, speakers = (clips[name].to_numpy(dtype=object)[rows] for name in ("emotion", "speaker"))
    unknown = pd.isna(speakers)
    speakers = np.where(unknown, "", speakers)
    names = classes_of(speakers)
    return Tested(truth, places_of(speakers, names), names, len(np.unique(rows)), not unknown.any())


def guesses(answers: Mapping[str, Any]) -> tuple[np.ndarray, pd.DataFrame | None]:
    """The emotions guessed [shape=(n,)] and their probabilities, if there are any; a column an emotion."""
    chances = {name.removeprefix("p_"): column for name, column in answers.items() if name.startswith("p_")}
    given = pd.DataFrame(np.stack([*chances.values()], axis=1), columns=[*chances]) if chances else None
    return np.asarray(answers["guess"], dtype=object), given


def _score(tested: Tested, answers: Mapping[str, Any], seed: int = 0) -> Figures:
    truth, (guess, given) = tested.truth, guesses(answers)
    classes = ordered(classes_of(truth, guess))
    counts = SpeakerCounts(tested.speakers, classes, grouped_confusion(truth, guess, tested.speaker, classes))
    few = tested.known and len(counts.speakers) < FEWEST_SPEAKERS
    range_ = interval(counts.counts, seed=seed) if tested.known else None
    by_name = np.argsort(counts.classes)  # as a metric counts by itself: sums are equal to the last bit
    total = counts.counts.sum(axis=0)[np.ix_(by_name, by_name)]
    row = {
        "clips": tested.clips,
        "speakers": len(counts.speakers) if tested.known else 0,
        "classes": int(total.any(axis=1).sum()),
        **{
            name: metric(truth, guess, given) if metric.terms else float(metric.of(total))
            for name, metric in METRICS.items()
        },
        "uar_low": range_.low if range_ else float("nan"),
        "uar_high": range_.high if range_ else float("nan"),
        "speaker_uar": {name.partition("/")[2]: value for name, value in per_speaker(counts).items()}
        if few
        else None,
    }
    return row, counts


def system_of(row: Mapping[str, Any] | pd.Series) -> str:
    """What readers call the system of a row: `pooled + svm_rbf`."""
    return f"{row['features']} + {row['model']}"


def each_speaker(row: Mapping[str, Any]) -> dict[str, float]:
    """The UAR of each speaker of a row; empty where an interval is given, or nothing."""
    return row["speaker_uar"] if isinstance(row["speaker_uar"], dict) else {}


def scored(
    runs: Iterable[Run],
    clips_of: Callable[[str], pd.DataFrame],
    problem: Callable[[str], None] | None = None,
    differ: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
) -> list[Scored]:
    """Read the predictions of every run once, and keep what all tables are made of.

    Parameters
    ----------
    runs : iterable of Run
    clips_of : callable (corpus) -> pd.DataFrame
        Clips table of a corpus; asked once for each.
    problem : callable (str), optional
        Told of runs that cannot be scored, once for each reason; they are left out. Without it the error is
        raised.
    differ : callable (record) -> mapping of str, optional
        In what a run differs from what would be run today, see `ser_classic.experiment.stale.differences`;
        without it no run is stale. One that differs in `clips` has no figures: the table at hand is not its
        own.

    Raises
    ------
    SerClassicError
        A run that cannot be scored, where there is no `problem`.
    """
    clips_of, every = cache(clips_of), []
    known: dict[int, tuple[pd.DataFrame, Tested]] = {}  # by identity of the table, which is kept for that
    left_out: dict[str, list[str]] = {}
    for run in runs:
        record = run.record
        row = {name: record[name] for name in (*CELL, "status", *FACTS)}
        row["test"] = next((test for key, test in CONDITIONS.items() if key in record), "")
        row["source"] = next((kind for kind in SOURCES if kind in record), "")
        counts = tested = None
        other = differ(record) if differ else {}
        row["stale"] = ways_stale(other)
        try:
            if record["status"] == "ok" and "clips" in other:
                row |= {name: record[name] for name in _COST}
            elif record["status"] == "ok":
                folds, answers = run.answers()
                if id(folds) not in known:
                    known[id(folds)] = folds, _tested(folds, clips_of(record["corpus"]))
                tested = known[id(folds)][1]
                figures, counts = _score(tested, answers)
                row |= figures | {name: record[name] for name in _COST}
            else:
                row["error"] = record.get("error")
        except SerClassicError as error:
            if problem is None:
                raise
            left_out.setdefault(str(error), []).append(record["id"])
            continue
        every.append(Scored(run, row, counts, tested))
    for why, (first, *more) in left_out.items():
        problem(f"{first}{f' and {len(more)} more' if more else ''}: {why}")
    return every


def read(results: Path, problem: Callable[[str], None] | None = None) -> list[Scored]:
    """The stored runs, scored, and marked where they are stale.

    Parameters
    ----------
    results : Path
        Results folder.
    problem : callable (str), optional
        Told of each run that is broken or foreign, and how many are stale; the report goes on with the
        rest. Without it the first that cannot be scored raises.
    """
    from ser_classic.experiment.stale import differences, summary

    differ = partial(differences, clips=cache(partial(store.clips_digest, results)))
    stored = store.runs(results, problem)
    runs = scored(stored, partial(store.read_clips, results), problem, differ)
    stale = [differ(run.run.record) for run in runs if run.row["stale"]]
    if stale and problem:
        problem(
            f"{len(stale)} of {len(runs)} runs are stale, made otherwise than they would be today "
            f"({summary(stale)}): they are marked and not ranked. `ser-classic bench SUITE` runs them again"
        )
    return runs


def ways_stale(differences: Mapping[str, str]) -> str | None:
    """In which ways a run is stale, in words; None of one that is not."""
    return "; ".join(f"{what}: {how}" for what, how in differences.items()) or None


def leaderboard(
    runs: Iterable[Run],
    clips_of: Callable[[str], pd.DataFrame],
    problem: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """One row per run, by corpus, group (blind, adapted, leaky) and UAR; arguments as `scored`.

    Returns
    -------
    pd.DataFrame
        With the columns `COLUMNS`. A failed run has its `error` and no figures.
    """
    return tabulated(scored(runs, clips_of, problem))


def tabulated(runs: Iterable[Scored]) -> pd.DataFrame:
    """The leaderboard of scored runs."""
    return arranged(pd.DataFrame([run.row for run in runs], columns=list(COLUMNS)))


def arranged(board: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard's rows by corpus, group, UAR, and cell; tests of their own last.

    Within a group stale runs stand after current ones, and failed ones last.
    """
    place = group_of(board).map({name: number for number, name in enumerate(GROUPS)})
    keys = {
        "_own": ~ordinary(board),
        "_place": place,
        "_late": lateness(board),
        "_minus": -board["uar"].astype(float),
    }
    order = ["corpus", *keys, *CELL[1:]]
    keys = board.assign(**keys).sort_values(order, kind="stable", na_position="last")
    return board.loc[keys.index].reset_index(drop=True)


def group_of(board: pd.DataFrame) -> pd.Series:
    """The group in which a run is ranked: `leaky`, else its track."""
    return board["track"].mask(board["leaky"].astype(bool), "leaky")


def ordinary(board: pd.DataFrame) -> pd.Series:
    """Whether a run is trained and tested on one corpus as it is, and no test of its own."""
    return board["test"].eq("")


def rankings(of_corpus: pd.DataFrame, usual: bool = False) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """What may be ranked together among the systems of one corpus: of one protocol, on the same emotions.

    Parameters
    ----------
    of_corpus : pd.DataFrame
        Rows of `systems` of one corpus.
    usual : bool
        Of each group only the protocol under which most systems ran.

    Yields
    ------
    group : str
        Of `GROUPS`.
    protocol : str
        Of a group, that first under which most systems ran.
    emotions : str
        `4 of 8 emotions` where not all emotions of the corpus were tested, else nothing: such runs
        have an easier task and are ranked on their own.
    part : pd.DataFrame
        The systems, failed ones with the first part of their protocol.
    """
    group, most = group_of(of_corpus), of_corpus["classes"].max()
    for name in GROUPS:
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
    """Of runs that differ in nothing but the seed, that of the lowest seed; failed ones come last."""
    first: dict[tuple, Scored] = {}
    for run in runs:
        cell = tuple(run.row[name] for name in CELL[:-1])
        best = first.setdefault(cell, run)
        if (run.counts is None, run.row["seed"]) < (best.counts is None, best.row["seed"]):
            first[cell] = run
    return list(first.values())


def standing(table: pd.DataFrame) -> pd.Series:
    """How a row's folds stand among those that keep speakers apart, on its corpus: 0 are to be shown.

    Of several, those come first under which most systems ran; NaN where speakers are not kept apart, or the
    run is a test of its own. Columns corpus, base, independent, test, features and model are read.
    """
    chosen = table[table["independent"].astype(bool) & ordinary(table)]
    sizes = chosen.drop_duplicates(["corpus", "base", "features", "model"]).value_counts(["corpus", "base"])
    order = sizes.reset_index().sort_values(["corpus", "count", "base"], ascending=[True, False, True])
    places = order.assign(place=order.groupby("corpus").cumcount()).set_index(["corpus", "base"])["place"]
    keys = pd.MultiIndex.from_frame(chosen[["corpus", "base"]])
    return pd.Series(places.reindex(keys).to_numpy(), chosen.index).reindex(table.index)


def shown(runs: Iterable[Scored], track: str) -> list[Scored]:
    """The finished runs of a track whose folds are those shown of their corpus; see `standing`."""
    finished = [run for run in runs if run.counts is not None and run.row["track"] == track]
    if not finished:
        return []
    first = standing(pd.DataFrame([run.row for run in finished])) == 0
    return [run for run, kept in zip(finished, first, strict=True) if kept]


def aligned(first: SpeakerCounts, second: SpeakerCounts) -> tuple[SpeakerCounts, SpeakerCounts]:
    """Both among the same speakers and emotions: all that either has, zeros where one has none."""
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
    """The leaderboard with the seeds of one system taken together, and without the tests of their own.

    Figures are means over the finished seeds; `seeds` counts them, and `spread` is the standard deviation of
    their UAR (NaN with one seed). A system is failed where all of its seeds are, and stale where all that
    have finished are; else those that are stale count for nothing.
    """
    cell, board = list(CELL[:-1]), board[ordinary(board)]
    late = lateness(board)
    board = board[late == late.groupby([board[name] for name in cell]).transform("min")].astype(
        {"uar": float}
    )
    groups = board.groupby(cell, sort=False)
    rows = groups.head(1).set_index(cell)
    rows["seeds"] = groups.size().where(rows["status"] == "ok", 0)
    rows["spread"] = groups["uar"].std()
    figures = board.select_dtypes("number").columns.difference(["seed"], sort=False)
    rows[figures] = rows[figures].astype(float)
    several = {system: groups.get_group(system) for system in rows.index[rows["seeds"] > 1]}
    if several:
        rows.loc[[*several], figures] = [
            same[figures].to_numpy(float).mean(axis=0) for same in several.values()
        ]
    for system, same in several.items():
        if isinstance(same["speaker_uar"].iloc[0], dict):
            each = pd.DataFrame(list(same["speaker_uar"]))
            rows.at[system, "speaker_uar"] = each.mean().to_dict()
    return arranged(rows.reset_index()[[*COLUMNS, "seeds", "spread"]])


def lateness(board: pd.DataFrame) -> pd.Series:
    """0 for a current run, 1 for a stale one, 2 for one that failed."""
    return board["stale"].notna().astype(int).mask(board["status"] != "ok", 2)


def to_csv(table: pd.DataFrame) -> str:
    """A table as CSV, equal bytes for equal tables: four decimals, two for seconds, none for counts.

    The UAR of speakers is set as `OAF=0.6143 YAF=0.7571`.
    """
    shown = table.copy()
    for name in shown.columns.intersection(_COST):
        shown[name] = [f"{value:.2f}" if pd.notna(value) else "" for value in shown[name]]
    for name in shown.columns.intersection(["clips", "speakers", "classes"]):
        shown[name] = shown[name].astype("Int64")
    for name in shown.columns.intersection(["speaker_uar"]):
        each = [each_speaker({name: value}) for value in shown[name]]
        shown[name] = [" ".join(f"{who}={value:.4f}" for who, value in one.items()) for one in each]
    return shown.to_csv(index=False, float_format="%.4f", lineterminator="\n")
