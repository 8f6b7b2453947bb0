"""The leaderboard of dimensions: runs that predict arousal, valence or dominance, apart from emotions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.metrics import AGREEMENT, agreement_terms, ccc_of
from ser_classic.report.board import read
from ser_classic.report.scoring import over_speakers, with_truth
from ser_classic.report.text import Chapter, duration, remark
from ser_classic.statistics import FEWEST_SPEAKERS, sums_of
from ser_classic.tables import Table, TableCell, of_share, share
from ser_classic.tracks import track_of

TITLE = "Dimensions: arousal and valence as numbers"
ABOUT = (
    "Arousal and valence predicted as numbers on the scale of each corpus. CCC is the concordance "
    "correlation coefficient over all test clips (Lin 1989): 1 is perfect agreement, a constant gets 0. The "
    f"95 % interval comes from resampling speakers; with fewer than {FEWEST_SPEAKERS}, the CCC of each is "
    "shown instead. Pearson's r ignores a wrong mean or spread; RMSE is on the scale of the corpus."
)
COLUMNS = ["corpus", "target", "protocol", "track", "leaky", "features", "model", "seed"]
COLUMNS += ["clips", "speakers", "ccc", "ccc_low", "ccc_high", "pearson", "rmse"]
COLUMNS += ["fit_seconds", "predict_seconds", "status", "speaker_ccc", "error", "stale"]


def score_dimension(predictions: pd.DataFrame, clips: pd.DataFrame, dimension: str) -> dict[str, Any]:
    """The figures of one run that predicts a dimension, a column of its predictions and of the clips table.

    clips, speakers, ccc, pearson and rmse over all predictions; `ccc_low`, `ccc_high`: the 95 % interval from
    resampling speakers, NaN where fewer than two are known; `speaker_ccc`: where there are too few speakers
    for an interval, the CCC of each by name, else empty.

    Raises
    ------
    SerClassicError
        Predictions of something else, or of clips that the table does not hold.
        A true or a predicted value is not a number.
    """
    for table, what in ((predictions, "predictions"), (clips, "clips")):
        if dimension not in table:
            raise SerClassicError(
                f"the {what} have no column {dimension}; they have {', '.join(table.columns)}"
            )
    tested = with_truth(predictions[["fold", "clip"]], clips)
    truth = pd.to_numeric(tested[dimension], errors="coerce").to_numpy(dtype=float)
    terms = agreement_terms(truth, predictions[dimension].to_numpy(dtype=float))
    speakers, sums = sums_of(terms, tested["speaker"].fillna(""))
    return {
        "clips": tested["clip"].nunique(),
        **{name: float(of(terms.sum(axis=0))) for name, of in AGREEMENT.items()},
        **over_speakers("ccc", () if tested["speaker"].isna().any() else speakers, sums, ccc_of),
    }


def dimension_board(results: Path, problem: Callable[[str], None] | None = None) -> pd.DataFrame:
    """One row for each stored run that predicts a dimension; arguments as `ser_classic.report.read`.

    By corpus, dimension, group and CCC; stale and failed runs come last in their group, and failed ones have
    no figures.
    """

    def score(run: store.Run, clips: pd.DataFrame) -> dict[str, Any]:
        return score_dimension(run.predictions(), clips, run.record["target"])

    board = read(results / store.DIMENSIONS, problem, score=score, columns=(*COLUMNS, "run"))
    return board.drop(columns="run")


def dimensions_chapter(board: pd.DataFrame) -> Chapter:
    """What `dimension_board` returns as a chapter."""
    failed = tuple(
        remark("failed", store.id_of(row), str(row["error"]))
        for row in board[board["status"] != "ok"].to_dict("records")
    )
    return Chapter("dimensions", TITLE, ABOUT, tuple(dimension_tables(board)), remarks=failed)


def dimension_tables(board: pd.DataFrame) -> Iterator[Table]:
    """A table for each corpus, dimension and group of current runs."""
    current = board[board["late"] == 0]
    for (corpus, target, group), part in current.groupby(["corpus", "target", "group"], sort=False):
        rows = []
        for row in part.to_dict("records"):
            low, high = map(share, (row["ccc_low"], row["ccc_high"]))
            each = "/".join(map(share, row["speaker_ccc"].values()))
            rows.append(
                {
                    "system": row["system"] + (f", seed {row['seed']}" if row["seed"] else ""),
                    "protocol": row["protocol"],
                    "CCC": of_share(row["ccc"]),
                    "95 %": TableCell(each or (low if low == "–" else f"{low} to {high}"), row["ccc_low"]),
                    "r": of_share(row["pearson"]),
                    "RMSE": TableCell(f"{row['rmse']:.3f}", row["rmse"]),
                    "fit": TableCell(duration(row["fit_seconds"]), row["fit_seconds"]),
                }
            )
        kinds = ("best", *[""] * (len(rows) - 1))
        yield Table.of(rows, f"{corpus}, {target}: {track_of(group).label}", kinds=kinds)
