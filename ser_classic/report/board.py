"""The leaderboard as a table: one row per run with its figures, sorted into rankings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError, some
from ser_classic.metrics import METRICS
from ser_classic.report.scoring import score_run
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tracks import LEAKY, in_order
from ser_classic.vocabulary import CONDITIONS

# What runs that differ only in the seed have in common
SYSTEM = ["corpus", "protocol", "track", "leaky", "features", "model"]
# What systems that are ranked together have in common
RANKING = ["corpus", "group", "protocol", "emotions"]
_FIRST = ["clips", "speakers", "classes", "uar", "uar_low", "uar_high", "accuracy", "macro_f1"]
_COST = ["fit_seconds", "predict_seconds"]
COLUMNS = [*SYSTEM, "seed", *_FIRST, *_COST, "status", *(name for name in METRICS if name not in _FIRST)]
COLUMNS += ["speaker_uar", "error", "test", "stale", "base", "independent", "source"]
# Further columns of a table of runs, which no file has: what follows from the others, and objects
DERIVED = ["system", "group", "late", "low", "high"]
OBJECTS = ["run", "counts", "truth"]
RECORDED = [*SYSTEM, "seed", *_COST, "status", "error", "base", "independent", "target"]
FLOOR = "prior"  # the model that ignores the recording; it is not ranked


def scored(
    runs: Iterable[store.Run],
    clips_of: Callable[[str], pd.DataFrame],
    problem: Callable[[str], None] | None = None,
    differ: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
    score: Callable[[store.Run, pd.DataFrame], dict[str, Any]] | None = None,
    columns: Sequence[str] = (*COLUMNS, *OBJECTS),
) -> pd.DataFrame:
    """Runs as a table with the columns `COLUMNS`, `DERIVED` and `OBJECTS`.

    Derived are `system` (`pooled + svm_rbf`), `group` (in which it is ranked: `leaky`, else its track),
    `late` (0 for a current run, 1 for a stale one, 2 for a failed one), and `low` and `high`: the interval of
    the UAR if there are enough speakers, else NaN. Objects are the run, its confusion counts and the truth.

    `clips_of` gives the clips table of a corpus. `problem` is called once for each reason why runs cannot be
    scored, which are left out; without it, the error is raised. `differ` tells how a run's record differs
    from what would be run today (`ser_classic.experiment.stale.differences`); without it no run is stale. A
    run that differs in `clips` gets no figures, as its clips table is gone. `score` gives the figures of a
    run, by default `score_run`. The table is a `sorted_board`.
    """
    score = score or partial(score_run, known={})
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
                row |= score(run, clips_of(record["corpus"]))
        except SerClassicError as error:
            if problem is None:
                raise
            left_out.setdefault(str(error), []).append(record["id"])
            continue
        rows.append(row)
    for why, ids in left_out.items():
        problem(f"{some(ids, 1)}: {why}")
    board = pd.DataFrame(rows, columns=list(columns))
    late = board["stale"].ne("").astype(int).mask(board["status"] != "ok", 2)
    group = board["track"].mask(board["leaky"].astype(bool), LEAKY.name)
    board = board.assign(system=board["features"] + " + " + board["model"], group=group, late=late)
    if "uar" in board:
        enough = board["speakers"].astype(float) >= FEWEST_SPEAKERS
        board["low"], board["high"] = (
            board[name].astype(float).where(enough) for name in ("uar_low", "uar_high")
        )
    return sorted_board(board)


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


def sorted_board(board: pd.DataFrame, *within: str) -> pd.DataFrame:
    """A leaderboard sorted by corpus, dimension, group, UAR (or CCC) and cell; special tests come last.

    Within a group, and within the columns named, stale runs come after current ones, and failed ones last.
    """
    keys = {
        "_own": board["test"].ne("") if "test" in board else False,
        "_group": pd.Categorical(board["group"], in_order(board["group"])),
        **{name: board[name] for name in within},
        "_late": board["late"],
        "_minus": -board["uar" if "uar" in board else "ccc"].astype(float),
    }
    first = [name for name in ("corpus", "target") if name in board]
    order = [*first, *keys, *SYSTEM[1:], "seed"]
    return board.loc[board.assign(**keys).sort_values(order, kind="stable").index].reset_index(drop=True)


def is_ordinary(board: pd.DataFrame) -> pd.Series:
    """Whether a run sets none of the `CONDITIONS`: trained and tested on one corpus as it is."""
    return board["test"].eq("")


def with_places(board: pd.DataFrame) -> pd.DataFrame:
    """The ordinary rows of a board, with the `place` of their protocol in their group.

    The protocol under which most systems of a corpus and group ran has the place 0.
    """
    board, of = board[is_ordinary(board)], ["corpus", "group", "protocol"]
    sizes = board.drop_duplicates(SYSTEM).value_counts(of).reset_index()
    sizes = sizes.sort_values([*of[:2], "count", "protocol"], ascending=[True, True, False, True])
    sizes["place"] = sizes.groupby(of[:2]).cumcount()
    return board.join(sizes.set_index(of)["place"], on=of)


def under_usual_protocol(rows: pd.DataFrame, of: Sequence[str] = ("corpus", "group")) -> pd.DataFrame:
    """The rows `with_places` under the usual protocol of each corpus and group (or other columns `of`).

    That is the one with the lowest place among these rows.
    """
    return rows[rows["place"] == rows.groupby(list(of))["place"].transform("min")]


def first_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Of runs that differ only in the seed, the finished one with the lowest seed, else a failed one."""
    return runs.sort_values(["late", "seed"], kind="stable").drop_duplicates(SYSTEM)


def speaker_independent(runs: pd.DataFrame, track: str) -> pd.DataFrame:
    """The finished speaker-independent runs of a track, under the usual protocol of their corpus."""
    rows = with_places(runs)
    apart = rows["counts"].notna() & (rows["track"] == track) & rows["independent"].astype(bool)
    return under_usual_protocol(rows[apart])


def systems(board: pd.DataFrame) -> pd.DataFrame:
    """The rows of the leaderboard `with_places`, with the seeds of each system merged.

    Figures are means over the finished seeds; `seeds` counts them, and `spread` is the standard deviation of
    their UAR (NaN with one seed). A system is failed if all of its seeds are, and stale if all finished seeds
    are; otherwise stale seeds are ignored.

    Rows with equal `RANKING` may be ranked together, and stand together, best first; the usual protocol of a
    group comes first. `emotions` says `4 of 8 emotions` if not all of the corpus were tested, else nothing:
    that is an easier task. Failed systems are in the first ranking of their protocol.
    """
    board = board[is_ordinary(board)].astype({"uar": float})
    board = board[board["late"] == board.groupby(SYSTEM)["late"].transform("min")]
    groups = board.groupby(SYSTEM, sort=False)
    rows = groups.head(1).set_index(SYSTEM)
    rows["seeds"] = groups.size().where(rows["status"] == "ok", 0)
    rows["spread"] = groups["uar"].std()
    figures = board.select_dtypes("number").columns.difference(["seed", "late"], sort=False)
    rows[figures] = groups[list(figures)].mean()
    for system in rows.index[(rows["seeds"] > 1) & rows["speaker_uar"].astype(bool)]:
        each = pd.DataFrame(list(groups.get_group(system)["speaker_uar"]))
        rows.at[system, "speaker_uar"] = each.mean().to_dict()
    rows = with_places(rows.reset_index()[[*COLUMNS, *DERIVED, "seeds", "spread"]])
    most = rows.groupby("corpus")["classes"].transform("max")
    tested = rows["classes"].fillna(rows.groupby(RANKING[:3])["classes"].transform("max")).fillna(most)
    emotions = [
        f"{few:.0f} of {whole:.0f} emotions" if few < whole else ""
        for few, whole in zip(tested, most, strict=True)
    ]
    rows = rows.assign(emotions=emotions, fewer=-tested)
    return sorted_board(rows, "place", "fewer").drop(columns="fewer")


def to_csv(table: pd.DataFrame, columns: Sequence[str] = COLUMNS) -> str:
    """Columns of a table as CSV: four decimals, two for seconds, none for counts.

    Equal tables give equal bytes. The figures of speakers are written as `OAF=0.6143 YAF=0.7571`.
    """
    table = table[list(columns)]

    def seconds(value: float) -> str:
        return f"{value:.2f}" if pd.notna(value) else ""

    def by_speaker(each: Mapping[str, float]) -> str:
        return " ".join(f"{who}={value:.4f}" for who, value in each.items())

    forms = {"fit_seconds": seconds, "predict_seconds": seconds}
    forms |= {"speaker_uar": by_speaker, "speaker_ccc": by_speaker}
    table = table.astype(dict.fromkeys(table.columns.intersection(_FIRST[:3]), "Int64"))
    for name in table.columns.intersection([*forms]):
        table[name] = table[name].map(forms[name])
    return table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
