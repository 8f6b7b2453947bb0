"""The committed leaderboard says what scikit-learn's confusion matrices of the committed predictions say."""

import bz2
import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from ser_classic import store
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS
from ser_classic.report import read, systems, to_csv
from ser_classic.report.text import BEGIN, END, best_systems
from ser_classic.tracks import TRACKS

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
README = (ROOT / "README.md").read_text()


def name_of(row) -> str:
    """Of the run of a leaderboard's row."""
    return f"{row.corpus}--{row.protocol}--{row.features}--{row.model}--{row.seed}"


@cache
def record_of(name: str) -> dict:
    return json.loads((RESULTS / "runs" / name / "run.json").read_text())


def digest_of(row) -> str:
    """Of the folds of that run."""
    return record_of(name_of(row))["digests"]["folds"]


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(RESULTS / "leaderboard.csv")


def test_there_are_runs_of_every_corpus_at_hand_and_every_track(committed):
    assert {"ravdess", "emodb", "tess", "synthetic"} <= set(committed["corpus"])
    assert set(committed["track"]) == set(TRACKS)
    assert committed["leaky"].any()
    assert set(committed["status"]) == {"ok"}


@cache
def dealt(corpus: str, digest: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The folds of runs with this digest, and the clips of their rows."""
    folds = pd.read_csv(RESULTS / "folds" / f"{digest[:16]}.csv.bz2", dtype=str)
    clips = pd.read_csv(RESULTS / "clips" / f"{corpus}.csv", index_col="clip", dtype=str)
    return folds, clips.loc[folds["clip"]]


def test_figures_follow_from_the_predictions(committed):
    """Of every fourth run; that each has those of the package is tested below."""
    for row in committed.iloc[::4].itertuples():
        folder = RESULTS / "runs" / name_of(row)
        folds, clips = dealt(row.corpus, digest_of(row))
        heading, *lines = bz2.decompress((folder / "predictions.csv.bz2").read_bytes()).decode().splitlines()
        place = heading.split(",").index("guess")
        guesses = [line.split(",")[place] for line in lines]
        assert row.clips == len(folds) == len(guesses)
        assert row.speakers == clips["speaker"].nunique()
        assert row.classes == clips["emotion"].nunique()
        codes, words = pd.factorize(np.concatenate([clips["emotion"].to_numpy(), guesses]))
        table = confusion_matrix(*np.split(codes, 2), labels=range(len(words)))
        meant, guessed, right = table.sum(axis=1), table.sum(axis=0), table.diagonal()
        there = meant > 0
        uar = (right[there] / meant[there]).mean()
        macro_f1 = (2 * right[there] / (meant + guessed)[there]).mean()
        found = (row.uar, row.macro_f1, row.accuracy)
        assert found == pytest.approx((uar, macro_f1, right.sum() / len(guesses)), abs=6e-5), folder.name
        assert row.uar_low <= row.uar <= row.uar_high or row.speakers < 5, folder.name


def test_the_tables_are_those_that_the_runs_give():
    board = read(RESULTS)
    assert to_csv(board) == (RESULTS / "leaderboard.csv").read_text()
    assert README.partition(BEGIN)[2].partition(END)[0] == f"\n{best_systems(systems(board)).markdown()}\n"


def test_speaker_disjoint_runs_test_every_clip_once_and_no_speaker_in_two_folds(committed):
    seen = set()
    emotions = {name: store.read_clips(RESULTS, name)["emotion"] for name in committed["corpus"].unique()}
    for row in committed[~committed["leaky"]].itertuples():
        if (row.corpus, row.protocol, digest_of(row)) in seen:
            continue
        seen.add((row.corpus, row.protocol, digest_of(row)))
        record = record_of(name_of(row))
        folds, owners = dealt(row.corpus, digest_of(row))
        clips = emotions[row.corpus]
        if sources := record.get("trained_on"):
            known = {word for name in sources for word in emotions[name]}
            split = getattr(PROTOCOLS[row.protocol].split, "keywords", {})
            clips = clips[clips.isin(known.intersection(split.get("among") or known))]
        assert sorted(folds["clip"]) == sorted(clips.index), record["id"]
        if record["independent"]:  # unseen_text tests a speaker once for each group of sentences
            tested = folds["fold"].groupby(owners["speaker"].to_numpy())
            assert (tested.nunique() == 1).all(), record["id"]
    assert len(seen) > 20


def test_committed_results_are_small_and_hold_no_path_of_a_machine():
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 30e6
    for path in RESULTS.glob("runs/*/run.json"):
        assert "/home/" not in path.read_text()
        assert set(record_of(path.parent.name)["digests"]) >= {"clips", "features", "folds", "predictions"}


def test_our_own_estimators_have_the_defaults_of_the_committed_runs(committed):
    """Entries state few of their parameters, and a run is not stale for others: raise `version` then."""
    for model in committed["model"].unique():
        if MODELS[model].library or not type(MODELS[model].estimator(0)).__module__.startswith("ser_classic"):
            continue
        path = min(RESULTS.glob(f"runs/*--{model}--0"))
        recorded, today = record_of(path.name)["parameters"]["model"], MODELS[model].parameters(0)
        then, now = recorded["parameters"], today["parameters"]
        assert {name: now[name] for name in then.keys() & now.keys()} == {
            name: then[name] for name in then.keys() & now.keys()
        } or today["version"] != recorded.get("version", 1), model
