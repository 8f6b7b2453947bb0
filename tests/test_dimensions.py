"""Dimensions: arousal and valence are predicted as numbers, scored by CCC, and kept apart from emotions."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import make_scorer, root_mean_squared_error
from sklearn.model_selection import cross_val_score

from ser_classic import store
from ser_classic.corpora import CORPORA, CorpusError, Loaded
from ser_classic.corpora.dimensions import rated, values_of
from ser_classic.corpora.synthetic import ACTED, SPEAKERS, rating
from ser_classic.errors import SerClassicError
from ser_classic.estimators import inner_folds
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.checking import check, finished
from ser_classic.experiment.evaluation import evaluate
from ser_classic.experiment.merging import merge
from ser_classic.experiment.suites import read_suite
from ser_classic.features.extraction import Features
from ser_classic.metrics import agreement_terms, ccc_of, concordance, pearson_of, rmse_of
from ser_classic.models import REGRESSORS, model_for
from ser_classic.models.tuning import fit
from ser_classic.report import write
from ser_classic.report.comparison import compare_stored
from ser_classic.report.dimensions import dimension_board, score_dimension
from ser_classic.statistics import interval, sums_of

CELLS = [Cell("tiny", "loso", "mfcc13", model, target="arousal") for model in ("mean", "ridge")]


def with_arousal(tiny: Loaded) -> Loaded:
    """The tiny corpus, whose voices are synthetic ones, with the arousal that they play."""
    return tiny._replace(clips=tiny.clips.assign(arousal=rating(tiny.clips, "arousal").round(3).astype(str)))


@pytest.fixture(scope="module")
def results(tiny, cache, tmp_path_factory) -> Path:
    """Runs that predict arousal, and one of emotions."""
    folder = tmp_path_factory.mktemp("results")
    cells = [*CELLS, Cell("tiny", "loso", "mfcc13", "prior")]
    outcome = bench(cells, folder, cache=cache, own={"tiny": with_arousal(tiny)})
    assert sorted(outcome.done) == sorted(cell.id for cell in cells)
    return folder


# The metric

numbers = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=30).map(np.array)


@given(numbers)
def test_ccc_is_lins(pairs):
    truth, guess = pairs.T.round(3)
    spread = truth.var() + guess.var() + (truth.mean() - guess.mean()) ** 2
    if spread > 1e-6:
        expected = 2 * np.mean((truth - truth.mean()) * (guess - guess.mean())) / spread
        assert concordance(truth, guess) == pytest.approx(expected, abs=1e-6)
        assert concordance(guess, truth) == pytest.approx(expected, abs=1e-6)


def test_agreement_that_can_be_told_beforehand():
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    assert concordance(truth, truth) == 1
    assert concordance(truth, -truth + 5) == -1
    assert concordance(truth, np.full(4, 2.5)) == 0
    assert concordance(truth, truth + 1) == pytest.approx(2.5 / 3.5)  # variances 1.25, means 1 apart
    guess = np.array([1.0, 3.0, 2.0, 7.0])
    sums = agreement_terms(truth, guess).sum(axis=0)
    assert pearson_of(sums) == pytest.approx(np.corrcoef(truth, guess)[0, 1])
    assert rmse_of(sums) == pytest.approx(root_mean_squared_error(truth, guess))
    truth, guess = np.random.default_rng(0).normal(size=(2, 50))
    assert concordance(truth + 1e6, guess + 1e6) == pytest.approx(concordance(truth, guess))


# Where the numbers come from


def test_the_synthesiser_knows_arousal_and_valence_of_every_clip():
    clips = pd.DataFrame(
        [(f"synthetic/{who}", word) for who in SPEAKERS for word in ACTED], columns=["speaker", "emotion"]
    )
    for dimension in ("arousal", "valence"):
        clips[dimension] = rating(clips, dimension)
        assert (clips[dimension][clips["emotion"] == "neutral"] == 0).all()
    means = clips.groupby("emotion")[["arousal", "valence"]].mean()
    assert (means.loc[["angry", "fear"], "arousal"] > 0).all()
    assert means.at["sad", "arousal"] < 0
    assert (means["valence"] > 0).to_dict() == {word: word in ("happy", "surprise") for word in ACTED}
    angry = clips["arousal"][clips["emotion"] == "angry"]
    assert angry.nunique() == len(SPEAKERS)  # each shows it as strongly as he does


def test_the_clips_table_of_the_voices_stays_as_it_is_where_emotions_are_told_apart(tiny):
    voices = Loaded(tiny.root, tiny.clips, replace(CORPORA["synthetic"]))
    assert {"arousal", "valence"} <= set(rated(voices).clips)
    assert not {"arousal", "valence"} & set(voices.clips)
    assert rated(tiny) is tiny


def test_corpora_that_have_dimensions_say_so():
    """As their pages do, which are tested with those of all corpora."""
    rated_by_people = {name for name, corpus in CORPORA.items() if corpus.dimensions[:3]} - {"synthetic"}
    assert rated_by_people == {"iemocap", "iemocap6", "msp_improv", "msp_podcast"}
    assert {CORPORA[name].dimensions for name in rated_by_people} == {("arousal", "valence", "dominance")}


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (None, "`arousal`"),
        (["1", ""], "mine/b"),
        (["1", None], "missing"),
        (["1", "nan"], "mine/b"),
        (["high", "2"], "'high'"),
        (["1", "inf"], "not a number"),
        (["3", "3.0"], "nothing to predict"),
    ],
)
def test_what_cannot_be_predicted_is_refused(values, what):
    clips = pd.DataFrame({"corpus": "mine"}, index=["mine/a", "mine/b"])
    if values:
        clips["arousal"] = values
    with pytest.raises(CorpusError, match="mine") as error:
        values_of(clips, "arousal")
    assert what in str(error.value)


# Models


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_keeps_its_promises(name):
    model = REGRESSORS[name]
    json.dumps(model.parameters(3), allow_nan=False)
    assert json.loads(json.dumps(model.parameters(3))) == model.parameters(3)
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(60, 8)), columns=[f"mfcc_{n}_mean" for n in range(8)], dtype="f4")
    y = 3 + X.to_numpy(dtype=float) @ random.normal(size=8)
    speakers = np.repeat(list("abcdef"), 10)
    one, two = (fit(model, X, y, speakers, seed=3).estimator.predict(X) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (60,)
    assert name == "mean" or concordance(y, one) > 0.8


def test_penalties_are_tuned_by_ccc_in_inner_folds_that_keep_speakers_apart():
    random = np.random.default_rng(1)
    speakers = np.repeat(list("abcdef"), 8)
    X = pd.DataFrame(random.normal(size=(48, 20)) + np.repeat(random.normal(size=(6, 20)), 8, axis=0))
    y = X[0].to_numpy() + random.normal(size=48)
    model = REGRESSORS["ridge"]
    fitted = fit(model, X, y, speakers)
    folds = inner_folds(np.zeros(48), speakers, seed=0)
    assert all(not set(speakers[train]) & set(speakers[test]) for train, test in folds)
    scores = {
        alpha: cross_val_score(
            model.pipeline().set_params(model__alpha=alpha), X, y, cv=folds, scoring=make_scorer(concordance)
        ).mean()
        for alpha in model.grid["alpha"]
    }
    assert fitted.tuned
    assert fitted.chosen == {"alpha": max(scores, key=scores.get)}
    assert not fit(model, X, y, np.repeat("a", 48)).tuned


def test_a_classifier_is_refused_on_a_dimension_and_a_regressor_on_emotions(tiny):
    with pytest.raises(SerClassicError, match="mean, ridge, svr, xgboost"):
        model_for("arousal", "svm_linear")
    with pytest.raises(SerClassicError, match="svm_linear"):
        model_for("emotion", "svr")
    with pytest.raises(SerClassicError, match="'ridge'"):
        model_for("arousal", "rigde")
    features = Features(tiny.clips.index, ("a",), np.zeros((len(tiny.clips), 1), np.float32))
    with pytest.raises(SerClassicError):
        evaluate(with_arousal(tiny).clips, features, "lda", "loso", target="arousal")


# Runs


def test_runs_are_stored_apart_with_ids_of_their_own_and_kept(results, tiny, cache):
    home = results / store.DIMENSIONS
    assert {run.id for run in store.runs(results)} == {"tiny--loso--mfcc13--prior--0"}
    assert {run.id for run in store.runs(home)} == {cell.id for cell in CELLS}
    run = store.find_run(results, "tiny--loso--mfcc13--ridge--0--arousal")
    assert run.record["target"] == "arousal"
    assert "target" not in store.find_run(results, "tiny--loso--mfcc13--prior--0").record
    assert Cell.of(run.record) == CELLS[1]
    predictions = run.predictions()
    assert list(predictions) == ["fold", "clip", "arousal"]
    assert predictions["arousal"].dtype == float
    assert "arousal" in store.read_clips(home, "tiny")
    outcome = bench(CELLS, results, cache=cache, own={"tiny": with_arousal(tiny)})
    assert not outcome.done
    assert sorted(outcome.kept) == sorted(cell.id for cell in CELLS)


def test_what_a_run_stores_is_what_evaluate_predicts(results, tiny, mfcc13):
    clips = with_arousal(tiny).clips
    predictions = evaluate(clips, mfcc13, "ridge", "loso", target="arousal")
    stored = store.find_run(results, CELLS[1].id).predictions()
    np.testing.assert_allclose(stored["arousal"], predictions["arousal"], atol=0.0006)
    assert score_dimension(predictions, clips, "arousal")["ccc"] > 0.3


def test_on_the_adapted_track_a_voice_may_lie_anywhere(tiny, mfcc13):
    clips = with_arousal(tiny).clips
    moved = mfcc13.values + 7 * clips["speaker"].eq(clips["speaker"].iloc[0]).to_numpy()[:, None]
    one, two = (
        evaluate(clips, replace(mfcc13, values=values), "ridge", "loso_adapted", target="arousal")
        for values in (mfcc13.values, moved.astype(np.float32))
    )
    np.testing.assert_allclose(one["arousal"], two["arousal"], atol=1e-3)


def test_sessions_and_official_parts_hold_for_dimensions_too():
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(6), 8)
    clips = pd.DataFrame(
        {
            "corpus": "c",
            "speaker": [f"c/{n}" for n in who],
            "emotion": np.resize(["angry", "sad"], 48),
            "session": (who // 2).astype(str),
            "partition": np.array(["train", "train", "train", "dev", "test", "test"])[who],
            "valence": random.normal(3, 1, 48).round(2).astype(str),
        },
        index=[f"c/{n:02d}" for n in range(48)],
    )
    features = pd.DataFrame(random.normal(size=(48, 3)), clips.index, dtype="f4").add_prefix("mfcc_")
    official = evaluate(clips, features, "ridge", "official", target="valence")
    assert official["clip"].tolist() == clips.index[clips["partition"] == "test"].tolist()
    sessions = evaluate(clips, features, "svr", "sessions", target="valence")
    assert sessions.groupby("fold").size().tolist() == [16, 16, 16]
    assert sorted(sessions["clip"]) == clips.index.tolist()


def test_two_corpora_have_two_scales(tiny):
    other = tiny.clips.assign(corpus="other", arousal="1")
    with pytest.raises(CorpusError, match="scale"):
        evaluate(
            pd.concat([other, with_arousal(tiny).clips]),
            Features(tiny.clips.index.append(tiny.clips.index), ("a",), np.zeros((96, 1), np.float32)),
            "ridge",
            "random5",
            target="arousal",
        )


def test_runs_can_be_checked_merged_and_removed(results, tmp_path, ser):
    copied, _ = merge([results], tmp_path / "all")
    assert {cell.id for cell in CELLS} < set(copied)
    assert {run.id for run in store.runs(tmp_path / "all" / store.DIMENSIONS)} == {c.id for c in CELLS}
    ser("results", "remove", CELLS[0].id, "--results", "all").said()
    assert [run.id for run in store.runs(tmp_path / "all" / store.DIMENSIONS)] == [CELLS[1].id]
    others = [path.name for home in store.homes(tmp_path / "all") for path in store.folders(home)]
    ser("results", "remove", *others, "--results", "all").said()
    for name in ("leaderboard.csv", "dimensions/leaderboard.csv"):  # which had these runs
        assert len((tmp_path / "all" / name).read_text().splitlines()) == 1
    found = check(finished(results, CELLS))
    assert found.unchecked  # a corpus of one's own is not at hand; yet the runs were found
    with pytest.raises(SerClassicError, match="arousal"):
        compare_stored(results, CELLS[0].id, CELLS[1].id)


# Reports


def test_the_leaderboards_stay_apart(results, ser):
    write(results, figures=False)
    emotions = pd.read_csv(results / "leaderboard.csv")
    assert emotions["model"].tolist() == ["prior"]
    assert "ccc" not in emotions
    numbers = pd.read_csv(results / store.DIMENSIONS / "leaderboard.csv")
    assert numbers["model"].tolist() == ["ridge", "mean"]
    assert "uar" not in numbers
    text = (results / "leaderboard.md").read_text()
    assert "### tiny, arousal: blind" in text
    assert "mfcc13 + ridge" in ser("report", "--results", results).said()


def test_few_speakers_are_shown_one_by_one(results):
    best = dimension_board(results).iloc[0]
    assert best["speakers"] == 4
    assert set(best["speaker_ccc"]) == {"s01", "s02", "s03", "s04"}


def test_the_interval_is_over_speakers():
    random = np.random.default_rng(0)
    clips = pd.DataFrame(
        {
            "corpus": "c",
            "speaker": np.repeat([f"c/{n}" for n in range(8)], 10),
            "valence": random.normal(size=80).round(3).astype(str),
        },
        index=[f"c/{n}" for n in range(80)],
    )
    truth = clips["valence"].astype(float).to_numpy()
    guess = truth + np.repeat(random.normal(size=8), 10)
    predictions = pd.DataFrame({"fold": "1", "clip": clips.index, "valence": guess})
    found = score_dimension(predictions, clips, "valence")
    expected = interval(sums_of(agreement_terms(truth, guess), clips["speaker"])[1], ccc_of)
    assert (found["ccc"], found["ccc_low"], found["ccc_high"]) == (
        expected.value,
        expected.low,
        expected.high,
    )
    assert found["ccc_low"] < found["ccc"] < found["ccc_high"]
    assert found["speaker_ccc"] == {}
    with pytest.raises(SerClassicError, match="arousal"):
        score_dimension(predictions, clips, "arousal")


# The command line


@pytest.mark.drawn
def test_bench_dimensions_on_a_manifest_of_ones_own(tiny, tmp_path, ser):
    _, clips, _ = with_arousal(tiny)
    table = clips.assign(file=[tiny.root / file for file in clips["file"]], valence="2")
    table.to_csv(
        tmp_path / "mine.csv", index=False, columns=["file", "emotion", "speaker", "arousal", "valence"]
    )
    words = ("--features", "mfcc13", "--model", "ridge", "--protocol", "loso", "--jobs", "1")
    told = ser("bench", "dimensions", "--own", "mine.csv", *words, "--results", "r")
    board = dimension_board(tmp_path / "r").set_index("target")
    assert told.returncode == 1  # of one value for all there is nothing to predict
    assert board["status"].to_dict() == {"arousal": "ok", "valence": "failed"}
    assert "nothing to predict" in board.at["valence", "error"]
    assert "<h3>mine, arousal: blind</h3>" in (tmp_path / "r" / "leaderboard.html").read_text()
    assert "No run" not in (tmp_path / "r" / "leaderboard.md").read_text()
    assert not store.folders(tmp_path / "r")


def test_a_corpus_without_dimensions_fails_with_a_remedy(tiny, cache, tmp_path):
    outcome = bench([CELLS[1]], tmp_path, cache=cache, own={"tiny": tiny})
    assert outcome.failed == [CELLS[1].id]
    assert "`arousal`" in outcome.problems[0]


@pytest.mark.parametrize(
    ("targets", "model"), [('["arousal"]', "svm_linear"), ('["emotion"]', "svr"), ('["anger"]', "ridge")]
)
def test_a_suite_that_mixes_words_and_numbers_is_refused(targets, model, tmp_path):
    suite = tmp_path / "s.toml"
    suite.write_text(
        f'title = ""\n[[grid]]\ncorpora = ["synthetic"]\nprotocols = ["loso"]\nfeatures = ["mfcc13"]\n'
        f'models = ["{model}"]\ntargets = {targets}\n'
    )
    with pytest.raises(SerClassicError):
        read_suite(str(suite))


def test_the_suite_lists_what_has_dimensions():
    cells = read_suite("dimensions")
    assert {cell.target for cell in cells} == {"arousal", "valence"}
    for cell in cells:
        assert cell.target in CORPORA[cell.corpus].dimensions
