"""The committed leaderboard says what the committed predictions say, recomputed with scikit-learn alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from ser_classic import store
from ser_classic.protocols import PROTOCOLS
from ser_classic.report import leaderboard, to_csv

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(RESULTS / "leaderboard.csv")


def test_there_are_runs_of_every_corpus_at_hand_and_every_track(committed):
    assert {"ravdess", "emodb", "tess", "synthetic"} <= set(committed["corpus"])
    assert set(committed["track"]) == {"blind", "adapted"}
    assert committed["leaky"].any()
    assert set(committed["status"]) == {"ok"}


def test_every_figure_follows_from_the_predictions(committed):
    truths = {
        corpus: pd.read_csv(RESULTS / "clips" / f"{corpus}.csv", index_col="clip", dtype=str)
        for corpus in committed["corpus"].unique()
    }
    for row in committed.itertuples():
        folder = RESULTS / "runs" / f"{row.corpus}--{row.protocol}--{row.features}--{row.model}--{row.seed}"
        digests = json.loads((folder / "run.json").read_text())["digests"]
        table = pd.read_csv(RESULTS / "folds" / f"{digests['folds'][:16]}.csv.bz2", dtype=str)
        table["guess"] = pd.read_csv(folder / "predictions.csv.bz2", dtype={"guess": str})["guess"]
        clips = truths[row.corpus].loc[table["clip"]]
        truth, guess = clips["emotion"].to_numpy(), table["guess"].to_numpy()
        assert row.clips == len(table)
        assert row.speakers == clips["speaker"].nunique()
        assert row.classes == clips["emotion"].nunique()
        assert row.uar == pytest.approx(balanced_accuracy_score(truth, guess), abs=6e-5), folder.name
        assert row.accuracy == pytest.approx(accuracy_score(truth, guess), abs=6e-5), folder.name
        f1 = f1_score(truth, guess, labels=sorted(set(truth)), average="macro", zero_division=0)
        assert row.macro_f1 == pytest.approx(f1, abs=6e-5), folder.name
        assert row.uar_low <= row.uar <= row.uar_high or row.speakers < 5, folder.name


def test_the_table_is_the_one_that_the_runs_give(committed):
    board = leaderboard(store.runs(RESULTS), lambda corpus: store.read_clips(RESULTS, corpus))
    assert to_csv(board) == (RESULTS / "leaderboard.csv").read_text()


def test_speaker_disjoint_runs_test_every_clip_once_and_no_speaker_in_two_folds(committed):
    for row in committed[~committed["leaky"]].itertuples():
        folder = f"{row.corpus}--{row.protocol}--{row.features}--{row.model}--{row.seed}"
        run = store.read_run(RESULTS / "runs" / folder)
        predictions, clips = run.predictions(), store.read_clips(RESULTS, row.corpus)
        if sources := run.record.get("trained_on"):
            known = {word for name in sources for word in store.read_clips(RESULTS, name)["emotion"]}
            deal = getattr(PROTOCOLS[row.protocol].deal, "keywords", {})
            clips = clips[clips["emotion"].isin(known.intersection(deal.get("among") or known))]
        assert sorted(predictions["clip"]) == sorted(clips.index), folder
        if run.record["independent"]:  # unseen_text tests a speaker once for each group of sentences
            owners = clips.loc[predictions["clip"], "speaker"].to_numpy()
            assert (predictions["fold"].groupby(owners).nunique() == 1).all(), folder


def test_committed_results_are_small_and_hold_no_path_of_a_machine():
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 30e6
    for path in RESULTS.glob("runs/*/run.json"):
        record = json.loads(path.read_text())
        assert "/home/" not in path.read_text()
        assert set(record["digests"]) >= {"clips", "features", "folds", "predictions"}
