"""Stored runs are checked by running them again: what is the same, what is explained, and what is not."""

import bz2
import copy
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.experiment import checking
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell

CELLS = [Cell("synthetic", "speakers5", "mfcc13", model) for model in ("prior", "ridge", "ridge_linear")]


@pytest.fixture(autouse=True)
def no_other_corpora(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real ones would be looked for and listed by every check."""
    monkeypatch.setenv("SER_DATA", str(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A results folder with three finished runs."""
    results = tmp_path_factory.mktemp("results")
    outcome = bench(CELLS, results, cache=cache)
    assert len(outcome.done) == 3
    return results


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def rewrite(results: Path, model: str, change=None, **record) -> None:
    """Alter a stored run, as if it had been made so."""
    run = store.read_run(results / "runs" / f"synthetic--speakers5--mfcc13--{model}--0")
    predictions = run.predictions()
    if change:
        change(predictions)
    store.write_run(results, copy.deepcopy(run.record) | record, predictions)


def turn(count: int):
    """Let so many guesses be other ones."""

    def change(predictions: pd.DataFrame) -> None:
        predictions.loc[: count - 1, "guess"] = [
            "sad" if guess != "sad" else "fear" for guess in predictions["guess"][:count]
        ]

    return change


def shift(by: float):
    """Let a probability be another."""

    def change(predictions: pd.DataFrame) -> None:
        predictions["p_sad"] += by

    return change


def verdict(results: Path, cache: Path, model: str) -> checking.Compared:
    cells = [cell for cell in CELLS if cell.model == model]
    (found,) = checking.check(checking.finished(results, cells), cache=cache).compared
    return found


def test_runs_of_now_are_the_same_and_nothing_is_written(made, cache):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    found = checking.check(checking.finished(made), cache=cache)
    assert [each.verdict for each in found.compared] == ["same"] * 3
    assert [each.turned for each in found.compared] == [0] * 3
    assert {each.apart for each in found.compared} == {0.0}
    assert found.passed
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_a_difference_that_nothing_explains_is_told_with_its_size(results, cache):
    rewrite(results, "ridge", turn(20))
    found = verdict(results, cache, "ridge")
    assert (found.verdict, found.turned, found.tested) == ("differs", 20, 504)
    assert "the model" in found.why

    rewrite(results, "ridge_linear", shift(0.25))
    found = verdict(results, cache, "ridge_linear")
    assert (found.verdict, found.turned) == ("differs", 0)
    assert found.apart == pytest.approx(0.25)


def test_rounding_is_no_difference(results, cache):
    rewrite(results, "ridge", shift(0.001))
    assert verdict(results, cache, "ridge").verdict == "same"


def test_other_features_are_where_a_difference_begins(results, cache):
    record = store.read_run(results / "runs" / CELLS[1].id).record
    rewrite(results, "ridge", turn(5), digests=record["digests"] | {"features": "other"})
    assert "the features" in verdict(results, cache, "ridge").why


@pytest.mark.parametrize(
    ("library", "features", "expected"),
    [
        ("scikit-learn", None, "libraries"),
        ("xgboost", None, "differs"),  # ridge has no trees
        ("soxr", None, "differs"),  # the features are equal, so it is not the resampling
        ("soxr", "other", "libraries"),
        ("ser-classic", None, "differs"),  # ours is what is checked
    ],
)
def test_only_a_library_that_a_run_depends_on_explains_a_difference(
    results, cache, library, features, expected
):
    record = store.read_run(results / "runs" / CELLS[1].id).record
    digests = record["digests"] | ({"features": features} if features else {})
    rewrite(results, "ridge", turn(20), versions=record["versions"] | {library: "0.1"}, digests=digests)
    found = verdict(results, cache, "ridge")
    assert found.verdict == expected
    assert (f"{library} 0.1, now" in found.why) == (expected == "libraries")


@pytest.mark.parametrize(("turned", "expected"), [(10, "machine"), (11, "differs")])
def test_another_processor_explains_a_few_guesses(results, cache, turned, expected):
    record = store.read_run(results / "runs" / CELLS[1].id).record
    rewrite(results, "ridge", turn(turned), machine=record["machine"] | {"processor": "Z80"})
    found = verdict(results, cache, "ridge")
    assert found.verdict == expected
    assert ("Z80" in found.why) == (expected == "machine")
    rewrite(results, "ridge", turn(turned), machine=record["machine"] | {"cores": 99})
    assert verdict(results, cache, "ridge").verdict == "differs"


def test_what_cannot_be_checked_is_counted_with_the_reason(results, cache, tmp_path):
    rewrite(results, "prior", parameters={"features": {"name": "mfcc13", "version": 99}})
    record = store.read_run(results / "runs" / CELLS[1].id).record
    for protocol, corpus in (("speakers5", "savee"), ("cross_from_savee", "synthetic")):
        named = {"corpus": corpus, "protocol": protocol, "id": f"{corpus}--{protocol}--mfcc13--ridge--0"}
        alone = pd.DataFrame({"fold": ["1"], "clip": ["savee/1"], "guess": ["sad"]})
        store.write_run(results, record | named | {"parameters": {}}, alone)
    found = checking.check(checking.finished(results), data=tmp_path / "none", cache=cache)
    assert len(found.compared) == found.checkable == 2
    assert sorted(found.unchecked.values()) == [1, 2]
    assert any("corpora fetch savee" in reason for reason in found.unchecked)
    assert any(reason.startswith("stale") for reason in found.unchecked)


def test_a_sample_is_drawn_by_its_seed_and_quick_runs_more_often():
    cells = [Cell("synthetic", "loso", "mfcc13", "ridge", seed) for seed in range(40)]
    seconds = {cell: 1.0 if cell.seed < 20 else 500.0 for cell in cells}
    draws = [checking._drawn(cells, seconds, 10, seed) for seed in range(30)]
    assert draws[0] == checking._drawn(cells, seconds, 10, 0) != draws[1]
    slow = sum(seconds[cell] > 1 for draw in draws for cell in draw)
    assert 0 < slow < 60
    assert all(seconds[draw[0]] <= seconds[draw[-1]] for draw in draws)
    assert checking._drawn(cells, seconds, 99, 0) == cells


def test_no_runs_are_no_success(tmp_path):
    with pytest.raises(SerClassicError, match="no finished run"):
        checking.finished(tmp_path)


def test_on_the_command_line(results, ser):
    def bench(*words):
        return ser("bench", *words, "--results", results)

    good = bench("--check", "--model", "ridge", "--model", "ridge_linear", "--sample", "1", "--jobs", "1")
    assert (good.returncode, good.stderr) == (0, "")
    assert "same: 0 of 504" in good.stdout.splitlines()[0]
    assert good.stdout.splitlines()[1].startswith("1 of 2 runs checked: 1 same; 0 ")
    rewrite(results, "ridge", turn(20))
    bad = bench("--check", "--model", "ridge", "--jobs", "1")
    assert bad.returncode == 1
    assert "DIFFERS: 20 of 504" in bad.stdout
    unused = bench("--check", "--table", "hubert=hubert.npz")
    assert unused.returncode == 1
    assert "hubert" in unused.stderr
    for words in (("--check", "--again"), ("quick", "--sample", "3")):
        assert bench(*words).returncode == 2
    run = store.read_run(results / "runs" / CELLS[1].id)
    mine = {"corpus": "mine", "id": "mine--speakers5--mfcc13--ridge--0"}  # of somebody's own
    store.write_run(results, run.record | mine, run.predictions())
    nothing = bench("--check", "--corpus", "mine", "--jobs", "1")
    assert nothing.returncode == 1
    assert nothing.stdout.startswith("not checked: 1 run:")
    assert "--own PATH --again" in nothing.stderr


def test_predictions_that_were_changed_after_the_run_are_named(results, cache):
    path = results / "runs" / CELLS[1].id / "predictions.csv.bz2"
    path.write_bytes(bz2.compress(bz2.decompress(path.read_bytes()).replace(b"sad", b"fear")))
    assert json.loads((path.parent / "run.json").read_text())["status"] == "ok"
    found = verdict(results, cache, "ridge")
    assert found.verdict == "differs"
    assert "changed" in found.why
