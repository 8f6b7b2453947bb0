"""The leaderboard of dimensions: runs that predict arousal, valence or dominance, apart from emotions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.metrics import AGREEMENT, agreement_terms, ccc_of
from ser_classic.report.scoring import group_of, places_of_tracks, system_of, to_csv, ways_stale
from ser_classic.report.text import Chapter, duration, share
from ser_classic.statistics import FEWEST_SPEAKERS, interval_of_sums
from ser_classic.tables import Cell, Table
from ser_classic.tracks import in_order, track_of

TITLE = "Dimensions: arousal and valence as numbers"
ABOUT = (
    "Arousal and valence predicted as numbers on the scale of each corpus. CCC is the concordance "
    "correlation coefficient over all test clips (Lin 1989): 1 is perfect agreement, a constant gets 0. The "
    "95 % interval comes from resampling speakers; with fewer than {few}, the CCC of each is shown instead. "
    "Pearson's r ignores a wrong mean or spread; RMSE is on the scale of the corpus."
)
CELL = ("corpus", "target", "protocol", "track", "leaky", "features", "model", "seed")
COLUMNS = (
    *(*CELL, "clips", "speakers", "ccc", "ccc_low", "ccc_high", "pearson", "rmse"),
    *("fit_seconds", "predict_seconds", "status", "speaker_ccc", "error", "stale"),
)
HEADINGS = ("system", "protocol", "CCC", "95 %", "r", "RMSE", "fit")


def score_dimension(
    predictions: pd.DataFrame, clips: pd.DataFrame, dimension: str, seed: int = 0
) -> dict[str, Any]:
    """The figures of one run that predicts a dimension.

    Parameters
    ----------
    predictions : pd.DataFrame
        Columns fold, clip and the dimension, as `evaluate` returns them.
    clips : pd.DataFrame
        Clips table, with the dimension as a column.
    dimension : str
    seed : int
        Of the resampling.

    Returns
    -------
    dict
        clips, speakers, ccc, pearson and rmse over all predictions; `ccc_low`, `ccc_high`: the 95 % interval
        from resampling speakers, NaN where fewer than two are known; `speaker_ccc`: where there are too few
        speakers for an interval, the CCC of each by name, else None.

    Raises
    ------
    SerClassicError
        Predictions of something else, or of clips that the table does not hold.
        A true or a predicted value is no number.
    """
    for table, what in ((predictions, "predictions"), (clips, "clips")):
        if dimension not in table:
            raise SerClassicError(
                f"the {what} have no column {dimension}; they have {', '.join(table.columns)}"
            )
    rows = clips.index.get_indexer(predictions["clip"])
    if not len(rows) or (rows < 0).any():
        raise SerClassicError(f"predictions of {(rows < 0).sum()} clips that are not in the clips table")
    truth = pd.to_numeric(clips[dimension].iloc[rows], errors="coerce").to_numpy(dtype=float)
    terms = agreement_terms(truth, predictions[dimension].to_numpy(dtype=float))
    speakers = clips["speaker"].iloc[rows].to_numpy(dtype=object)
    known = not pd.isna(speakers).any()
    names = np.unique(speakers.astype(str)) if known else ()
    range_ = interval_of_sums(terms, speakers, ccc_of, seed=seed) if known else None
    each = None
    if known and len(names) < FEWEST_SPEAKERS:
        each = {name.partition("/")[2]: float(ccc_of(terms[speakers == name].sum(axis=0))) for name in names}
    return {
        "clips": len(np.unique(rows)),
        "speakers": len(names),
        **{name: float(of(terms.sum(axis=0))) for name, of in AGREEMENT.items()},
        "ccc_low": range_.low if range_ else float("nan"),
        "ccc_high": range_.high if range_ else float("nan"),
        "speaker_ccc": each,
    }


def dimension_board(results: Path, problem: Callable[[str], None] | None = None) -> pd.DataFrame:
    """One row for each stored run that predicts a dimension; arguments as `ser_classic.report.read`.

    By corpus, dimension, group (see `group_of`) and CCC; stale and failed runs come last in their
    group, and failed ones have no figures.
    """
    from ser_classic.experiment.stale import differences

    home = results / store.DIMENSIONS
    clips_of, digest_of = (cache(partial(read, home)) for read in (store.read_clips, store.clips_digest))
    rows = []
    for run in store.runs(home, problem):
        record = run.record
        row = {name: record.get(name) for name in (*CELL, "status", "error")} | {
            "stale": ways_stale(differences(record, digest_of))
        }
        if run.ok and "clips: " not in (row["stale"] or ""):
            try:
                found = score_dimension(run.predictions(), clips_of(record["corpus"]), record["target"])
            except SerClassicError as error:
                if problem is None:
                    raise
                problem(f"{run.id}: {error}")
                continue
            row |= found | {name: record[name] for name in ("fit_seconds", "predict_seconds")}
        rows.append(row)
    board = pd.DataFrame(rows, columns=list(COLUMNS))
    keys = {
        "_place": places_of_tracks(group_of(board)),
        "_late": board["stale"].notna().astype(int).mask(board["status"] != "ok", 2),
        "_minus": -board["ccc"].astype(float),
    }
    order = ["corpus", "target", *keys, *CELL[2:]]
    return board.loc[board.assign(**keys).sort_values(order, kind="stable").index].reset_index(drop=True)


def write_dimensions(results: Path, board: pd.DataFrame) -> None:
    """Write dimensions/leaderboard.csv, where there is any run; errors as `store.write_text`."""
    if len(board):
        each = [
            " ".join(f"{name}={value:.4f}" for name, value in own.items()) if isinstance(own, dict) else ""
            for own in board["speaker_ccc"]
        ]
        path = results / store.DIMENSIONS / "leaderboard.csv"
        store.write_text(path, to_csv(board.assign(speaker_ccc=each)))


def dimensions_chapter(board: pd.DataFrame) -> Chapter | None:
    """What `dimension_board` returns as a chapter; None where there is no run."""
    if not len(board):
        return None
    failed = board[board["status"] != "ok"]
    return Chapter(
        "dimensions",
        TITLE,
        ABOUT.format(few=FEWEST_SPEAKERS),
        tuple(tables_of(board)),
        tuple((_id(row), str(row["error"])) for row in failed.to_dict("records")),
    )


def tables_of(board: pd.DataFrame) -> Iterator[Table]:
    """A table for each corpus, dimension and group of current runs."""
    current = board[board["status"].eq("ok") & board["stale"].isna()]
    for (corpus, target), part in current.groupby(["corpus", "target"], sort=False):
        for group in in_order(group_of(part)):
            rows = part[group_of(part) == group]
            title = f"{corpus}, {target}: {track_of(group).label}"
            best = ("best", *[""] * (len(rows) - 1))
            yield Table(HEADINGS, tuple(map(_row, rows.to_dict("records"))), title, best)


def _row(row: dict[str, Any]) -> tuple[Cell | str, ...]:
    seed = f", seed {row['seed']}" if row["seed"] else ""
    return (
        system_of(row) + seed,
        row["protocol"],
        Cell(_signed(row["ccc"]), row["ccc"]),
        Cell(_range(row), row["ccc_low"]),
        Cell(_signed(row["pearson"]), row["pearson"]),
        Cell(f"{row['rmse']:.3f}", row["rmse"]),
        Cell(duration(row["fit_seconds"]), row["fit_seconds"]),
    )


def _signed(value: float) -> str:
    return share(round(value, 3) + 0.0).replace("-", "−")  # no minus before 0


def _range(row: dict[str, Any]) -> str:
    if isinstance(row["speaker_ccc"], dict):
        return "/".join(_signed(value) for value in row["speaker_ccc"].values())
    return "–" if pd.isna(row["ccc_low"]) else f"{_signed(row['ccc_low'])} to {_signed(row['ccc_high'])}"


def _id(row: dict[str, Any]) -> str:
    return "--".join(str(row[name]) for name in (*store.NAMES, "target"))
