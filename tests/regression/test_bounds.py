"""Accuracy bounds: UAR of some twenty cells, of the committed runs and of runs made now."""

import tomllib
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from ser_classic import store
from ser_classic.corpora import load
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell

RESULTS = Path(__file__).parents[2] / "results"
BOUNDS = tomllib.loads((Path(__file__).parent / "bounds.toml").read_text())["cell"]


def uar(results: Path, run: str) -> float:
    predictions = store.read_run(results / "runs" / run).predictions()
    clips = store.read_clips(results, run.partition("--")[0])
    return balanced_accuracy_score(clips.loc[predictions["clip"], "emotion"], predictions["guess"])


def check(bound: dict, value: float, within: list[float] | None = None) -> None:
    low, high = within or bound["uar"]
    assert low <= value <= high, f"{bound['id']}: UAR {value:.4f}, expected {low} to {high}: {bound['why']}"


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound["id"])
def test_a_committed_run_is_within_its_bounds(bound):
    check(bound, uar(RESULTS, bound["id"]))


def run_now(bound: dict, data: Path, cache: Path, results: Path) -> None:
    corpus, protocol, features, model, seed = bound["id"].split("--")
    part = bound["run"] if isinstance(bound["run"], dict) else {}
    own = {}
    if part:
        loaded = load(corpus, data)
        own = {corpus: loaded._replace(clips=loaded.clips.iloc[:: part["every"]])}
    outcome = bench([Cell(corpus, protocol, features, model, int(seed))], results, data, cache, own=own)
    assert outcome.done == [bound["id"]]
    check(bound, uar(results, bound["id"]), part.get("uar"))


def of(embedded: bool) -> list[dict]:
    return [bound for bound in BOUNDS if bound.get("run") and bound["id"].startswith("synthetic") == embedded]


@pytest.mark.corpus
@pytest.mark.parametrize("bound", of(embedded=False), ids=lambda bound: bound["id"])
def test_a_run_on_a_real_corpus_is_within_its_bounds(bound, corpora, tmp_path, cache):
    run_now(bound, corpora, cache, tmp_path)


@pytest.mark.corpus
def test_a_run_made_now_repeats_the_committed_predictions(corpora, tmp_path, cache):
    """To the last digit where the versions are the committed ones; else nearly all of them."""
    name = "emodb--loso--pooled--svm_linear--0"
    corpus, protocol, features, model, seed = name.split("--")
    bench([Cell(corpus, protocol, features, model, int(seed))], tmp_path, corpora, cache)
    check(next(bound for bound in BOUNDS if bound["id"] == name), uar(tmp_path, name))
    committed, now = (store.read_run(folder / "runs" / name) for folder in (RESULTS, tmp_path))
    guesses: list[pd.Series] = [run.predictions().set_index("clip")["guess"] for run in (committed, now)]
    if committed.record["versions"] == now.record["versions"]:
        assert guesses[0].equals(guesses[1])
    assert (guesses[0] == guesses[1]).mean() > 0.98


@pytest.mark.parametrize("bound", of(embedded=True), ids=lambda bound: bound["id"])
def test_a_run_on_the_embedded_voices_is_within_its_bounds(bound, tmp_path, cache):
    run_now(bound, tmp_path, cache, tmp_path)
