"""The loop: cells become runs, failures are shown, nothing is repeated, and no leak comes through."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_classic import store
from ser_classic.corpora import CorpusError, Loaded
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import Outcome, bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.evaluation import evaluate
from ser_classic.experiment.fold import Trial, results_of, run_alike
from ser_classic.features.extraction import Features
from ser_classic.features.inputs import VECTORS
from ser_classic.models import MODELS, Model
from ser_classic.protocols import PROTOCOLS, Fold
from ser_classic.runtime.engines import Local

VECTOR = [name for name, model in MODELS.items() if model.takes == VECTORS and not model.extra]


def run(cells: list[Cell], tiny: Loaded, cache: Path, results: Path, **more) -> Outcome:
    return bench(cells, results, cache=cache, own={"tiny": tiny}, **more)


def cell(model: str = "ridge", protocol: str = "loso", features: str = "mfcc13", seed: int = 0) -> Cell:
    return Cell("tiny", protocol, features, model, seed)


def test_a_cell_becomes_a_run_that_says_how_it_was_made(tiny, cache, tmp_path):
    outcome = run([cell()], tiny, cache, tmp_path)
    assert outcome.done == ["tiny--loso--mfcc13--ridge--0"]
    (stored,) = store.runs(tmp_path)
    assert stored.record["track"] == "blind"
    assert not stored.record["leaky"]
    assert [fold["fold"] for fold in stored.record["folds"]] == ["s01", "s02", "s03", "s04"]
    assert all(fold["tuned"] and "alpha" in fold["chosen"] for fold in stored.record["folds"])
    assert stored.record["parameters"]["features"]["sample_rate"] == 16_000
    assert stored.record["versions"]["numpy"] == np.__version__
    predictions = stored.predictions()
    assert sorted(predictions["clip"]) == sorted(tiny.clips.index)
    assert store.read_clips(tmp_path, "tiny").index.tolist() == tiny.clips.index.tolist()


def test_a_finished_run_is_kept_and_a_failed_one_is_tried_again(tiny, cache, tmp_path, monkeypatch):
    cells = [cell("prior"), cell("knn")]
    monkeypatch.setitem(MODELS._built_in, "knn", Model("knn", "", lambda seed: Broken(), scale=False))
    first = run(cells, tiny, cache, tmp_path)
    assert first.done == [cells[0].id]
    assert first.failed == [cells[1].id]
    assert re.search(r"fold s01: knn .*36 clips: ZeroDivisionError: planted", first.problems[0])
    by_id = {stored.id: stored for stored in store.runs(tmp_path)}
    assert by_id[cells[1].id].record["status"] == "failed"
    monkeypatch.undo()
    second = run(cells, tiny, cache, tmp_path)
    assert second.kept == [cells[0].id]
    assert second.done == [cells[1].id]
    assert run(cells, tiny, cache, tmp_path, again=True).done == [each.id for each in cells]


class Broken:
    """An estimator that cannot be fitted."""

    def get_params(self, deep: bool = True) -> dict:
        return {}

    def fit(self, X, y):
        raise ZeroDivisionError("planted")


def test_the_same_cells_give_the_same_bytes_in_one_process_and_in_two(tiny, cache, tmp_path):
    cells = [cell(name, "holdout25") for name in ("ridge", "mlp", "random_forest", "xgboost", "fusion")]
    for results, jobs in (("one", 1), ("two", 2)):
        assert len(run(cells, tiny, cache, tmp_path / results, engine=Local(jobs)).done) == len(cells)
    for one, two in zip(*(store.runs(tmp_path / results) for results in ("one", "two")), strict=True):
        assert (one.id, one.record["digests"]) == (two.id, two.record["digests"])
        written = (run.path / "predictions.csv.bz2" for run in (one, two))
        assert len({path.read_bytes() for path in written}) == 1


def test_a_stochastic_model_follows_its_seed(tiny, cache, tmp_path):
    run([cell("mlp", seed=seed) for seed in (0, 1)], tiny, cache, tmp_path)
    one, two = (stored.predictions() for stored in store.runs(tmp_path))
    assert not one["p_angry"].equals(two["p_angry"])


def test_a_training_part_of_one_speaker_uses_stated_defaults_and_says_so(tiny, cache, tmp_path):
    pair = tiny.clips[tiny.clips["speaker"].isin(["tiny/s01", "tiny/s02"])]
    run([cell("svm_linear")], tiny._replace(clips=pair), cache, tmp_path)
    (stored,) = store.runs(tmp_path)
    assert [fold["tuned"] for fold in stored.record["folds"]] == [False, False]


def test_a_cell_that_cannot_be_dealt_fails_visibly_and_the_rest_goes_on(tiny, cache, tmp_path):
    outcome = run([cell(protocol="emobox"), cell()], tiny, cache, tmp_path)
    assert outcome.done == ["tiny--loso--mfcc13--ridge--0"]
    assert outcome.failed == ["tiny--emobox--mfcc13--ridge--0"]
    assert "tiny--emobox" in outcome.problems[0]


def test_a_bad_recording_fails_the_cells_that_need_it(tiny, own_folder, cache, tmp_path):
    (tmp_path / "bad.wav").write_text("no audio")
    clips = tiny.clips.copy()
    clips.iloc[0, clips.columns.get_loc("file")] = str(tmp_path / "bad.wav")
    outcome = run([cell(), cell("knn")], tiny._replace(clips=clips), cache, tmp_path / "results")
    assert len(outcome.failed) == 2
    assert all("bad.wav: " in problem for problem in outcome.problems)


def test_an_absent_corpus_is_a_problem_and_not_a_crash(tmp_path):
    outcome = bench([Cell("emodb", "loso", "mfcc13", "ridge")], tmp_path, data=tmp_path, cache=tmp_path)
    assert outcome.failed == ["emodb--loso--mfcc13--ridge--0"]
    assert "corpora fetch emodb" in outcome.problems[0]


def test_an_emotion_never_trained_where_it_is_tested_is_not_evaluated(tiny, mfcc13, caplog):
    sad = tiny.clips["emotion"] == "sad"
    first = tiny.clips["speaker"] == "tiny/s01"
    held = tiny.clips.assign(emotion=tiny.clips["emotion"].where(~(sad & first), "fear"))
    with pytest.raises(CorpusError, match=r"loso: .*fear"):
        evaluate(held, mfcc13, "ridge", "loso")
    assert len(evaluate(tiny.clips, mfcc13, "prior", "loso")) == len(tiny.clips)
    assert not caplog.records


def test_features_of_other_clips_are_not_evaluated(tiny, mfcc13):
    with pytest.raises(SerClassicError, match="order"):
        evaluate(tiny.clips.iloc[::-1], mfcc13, MODELS["ridge"], PROTOCOLS["loso"])


def test_without_speakers_a_leaky_protocol_runs(tiny, mfcc13):
    anonymous = tiny.clips.assign(speaker=pd.NA)
    predictions = evaluate(anonymous, mfcc13, MODELS["ridge"], PROTOCOLS["random5"])
    assert len(predictions) == len(tiny.clips)


def others_change(tiny: Loaded, features: Features, model: Model, protocol: str = "loso") -> bool:
    """Whether what is said of some test clips depends on what the other test clips are."""
    labels = tiny.clips[["speaker", "emotion"]]
    tested = (labels["speaker"] == "tiny/s01").to_numpy()
    fold = Fold("s01", np.flatnonzero(~tested), np.flatnonzero(tested))
    values = np.array(features.values)
    values[fold.test[6:]] += 3 * values.std(axis=0)
    moved = replace(features, values=values)
    trials = (Trial("", (each,), labels, [fold], model, PROTOCOLS[protocol]) for each in (features, moved))
    one, two = (run_alike([trial], 0)[0] for trial in trials)
    if one.probabilities is None:
        return not np.array_equal(one.guess[:6], two.guess[:6])
    return not np.array_equal(one.probabilities[:6], two.probabilities[:6])


def test_a_record_names_the_machines_of_its_folds_where_they_differ(tiny, mfcc13):
    labels, loso = tiny.clips[["corpus", "speaker", "emotion"]], PROTOCOLS["loso"]
    trial = Trial("", (mfcc13,), labels, loso.folds(tiny.clips)[:2], MODELS["prior"], loso)
    first, second = (run_alike([trial], number)[0] for number in range(2))
    assert "machines" not in results_of(trial, [first, second])[0]
    record, _ = results_of(trial, [first, replace(second, machine={"processor": "Z80"})])
    assert record["machines"] == [first.machine, {"processor": "Z80"}]


@pytest.mark.parametrize("name", VECTOR)
def test_no_model_sees_its_test_clips(tiny, mfcc13, name):
    assert not others_change(tiny, mfcc13, MODELS[name])


def test_adaptation_sees_the_test_speaker_and_is_therefore_a_track_of_its_own(tiny, mfcc13):
    assert others_change(tiny, mfcc13, MODELS["ridge"], "loso_adapted")


def test_a_planted_leak_is_caught(tiny, mfcc13, monkeypatch):
    """A scaler fitted on all clips, before the folds: what most public projects do."""

    def leaking(features: Features, speakers: np.ndarray | None) -> Features:
        X = features.values
        return replace(features, values=(X - X.mean(axis=0)) / X.std(axis=0))

    monkeypatch.setattr(Features, "adapted", leaking)
    assert others_change(tiny, mfcc13, MODELS["ridge"])
