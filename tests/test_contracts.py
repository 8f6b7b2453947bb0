"""Every entry of every table, plug-ins included, keeps the table's promises."""

import json
import pickle
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score

from ser_classic.audio import AudioError
from ser_classic.corpora import CORPORA
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.extraction import compute
from ser_classic.features.inputs import VECTORS
from ser_classic.models import MODELS, Model
from ser_classic.models.tuning import fit
from ser_classic.protocols import PROTOCOLS

RATE = 16_000


def voice_like(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A harmonic tone with noise, gliding."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(3 * t)) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 15))
    return (0.1 * tone + 0.003 * random.normal(size=len(t))).astype(np.float32)


def at_hand(name: str) -> FeatureSet:
    """A feature set; skips where its optional library is absent."""
    feature_set = FEATURES[name]
    if feature_set.library:
        pytest.importorskip(feature_set.library, reason=f"the extra `{feature_set.extra}` is not installed")
    return feature_set


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_says_what_it_is(name):
    corpus = CORPORA[name]
    for fact in (corpus.title, corpus.licence, corpus.language):
        assert fact.strip()
    if name not in ("msp_podcast", "msp_improv", "shemo_corrected"):  # of which nobody states the counts
        assert corpus.clips > 0
        assert corpus.speakers > 0


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_set_keeps_its_promises(name):
    feature_set = at_hand(name)
    columns = feature_set.columns
    assert len(set(columns)) == len(columns)
    json.dumps(feature_set.parameters, allow_nan=False)
    assert pickle.loads(pickle.dumps(feature_set)) == feature_set
    vector = compute(feature_set, voice_like(1.5), RATE)
    assert vector.dtype == np.float32
    assert vector.shape[-1] == len(columns)
    assert vector.ndim == feature_set.gives.dimensions
    np.testing.assert_array_equal(vector, compute(feature_set, voice_like(1.5), RATE))


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(
    "waveform",
    [
        voice_like(0.011),
        voice_like(0.06),
        np.clip(20 * voice_like(0.7), -1, 1),
        1e-4 * voice_like(0.7),
        np.r_[np.zeros(RATE), voice_like(0.3), np.zeros(RATE)].astype(np.float32),
        np.random.default_rng(0).normal(size=RATE).astype(np.float32),
        np.eye(1, RATE, RATE // 2, dtype=np.float32)[0],
        np.full(RATE, 0.5, dtype=np.float32),
    ],
    ids=["11 ms", "60 ms", "clipped", "faint", "in silence", "noise", "a click", "constant"],
)
def test_a_feature_set_is_finite_in_every_corner_or_refuses(name, waveform):
    feature_set = at_hand(name)
    try:
        vector = compute(feature_set, waveform, RATE)
    except AudioError:
        vector = None
    if vector is None:
        assert np.ptp(waveform) == 0  # only what holds no sound at all is refused
    else:
        assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_a_feature_set_takes_any_rate(name, rate):
    assert np.isfinite(compute(at_hand(name), voice_like(0.8, rate), rate)).all()


def small_table(corpus: str = "ravdess", speakers: int = 24) -> pd.DataFrame:
    """Clips made up, under the names of a corpus for which folds are published."""
    return _small_table(corpus, speakers).copy()


@cache
def _small_table(corpus: str, speakers: int) -> pd.DataFrame:
    rows = [
        (f"{corpus}/{speaker:02d}", corpus, emotion, sentence)
        for speaker in range(1, speakers + 1)
        for emotion in ("angry", "happy", "sad")
        for sentence in ("t1", "t2")
    ]
    names = pd.Index([f"{corpus}/{number:03d}" for number in range(len(rows))], name="clip")
    return pd.DataFrame(rows, index=names, columns=["speaker", "corpus", "emotion", "sentence"])


def small_inputs(model: Model, clips: pd.DataFrame, seed: int = 0) -> pd.DataFrame | np.ndarray:
    """Five features that tell the emotions apart, or sequences of these."""
    random = np.random.default_rng(seed)
    places = 4 * np.eye(5)[pd.Categorical(clips["emotion"]).codes]
    if model.takes != VECTORS:
        X = np.empty(len(clips), dtype=object)
        X[:] = [(place + random.normal(size=(4 + row % 5, 5))) for row, place in enumerate(places)]
        return X
    columns = [f"{family}_00_mean" for family in ("mfcc", "chroma", "rms", "zcr", "contrast")]
    return pd.DataFrame(places + random.normal(size=(len(clips), 5)), clips.index, columns, np.float32)


@pytest.mark.filterwarnings("ignore::UserWarning")  # an optimiser at its iteration limit
@pytest.mark.usefixtures("brief_networks")
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_cloned_learns_chooses_of_its_grid_and_repeats_itself(name):
    model = MODELS[name]
    assert model.title.strip()
    if model.library:
        pytest.importorskip(model.library, reason=f"the extra `{model.extra}` is not installed")
    parameters = model.parameters(seed=1)
    json.dumps(parameters, allow_nan=False)
    assert parameters["parameters"].get("random_state") in (None, 1)
    pipeline = model.pipeline(seed=1)
    copy = clone(pipeline)
    assert repr(copy.get_params()["model"].get_params()) == repr(pipeline[-1].get_params())
    clips = small_table(speakers=8)
    X, y = small_inputs(model, clips), clips["emotion"].to_numpy(dtype=str)
    fitted, again = (fit(model, X, y, clips["speaker"].to_numpy(dtype=str), seed=1) for _ in range(2))
    assert model.parameters(seed=1) == parameters
    assert all(fitted.chosen[key] in values for key, values in (model.grid or {}).items())
    new = small_inputs(model, clips, seed=1)
    guess = fitted.estimator.predict(new)
    np.testing.assert_array_equal(guess, again.estimator.predict(new))
    assert guess.shape == y.shape
    assert set(guess) <= set(y) == set(fitted.estimator.classes_)
    if not model.extra:  # those train for a moment only
        assert fitted.tuned == (bool(model.grid) or "cv" in parameters["parameters"])
        assert balanced_accuracy_score(y, guess) > 0.8 or name == "prior"
    probabilities = fitted.probabilities(new)
    assert (probabilities is None) == (name == "svc_auto")  # as published: nothing of it is calibrated
    if probabilities is not None:
        assert np.isfinite(probabilities.to_numpy()).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(probabilities, again.probabilities(new))
        assert list(probabilities.columns) == ["angry", "happy", "sad"]
        if name != "knn":  # its equal probabilities are many
            best = probabilities.to_numpy().argmax(axis=1)
            np.testing.assert_array_equal(probabilities.columns[best], guess)
    json.dumps(fitted.chosen, allow_nan=False)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted.estimator)).predict(new), guess)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_keeps_train_and_test_apart(name):
    protocol = PROTOCOLS[name]
    assert protocol.title.strip()
    base = PROTOCOLS[protocol.base]
    assert (base.split, base.unit, base.apart) == (protocol.split, protocol.unit, protocol.apart)
    assert base.base == base.name
    clips = small_table()
    clips["session"] = clips["speaker"].str[-1]
    clips["partition"] = np.where(
        clips["sentence" if protocol.leaky else "session"].isin(["t1", "1", "2"]), "test", "train"
    )
    if protocol.trained_on:
        clips = pd.concat([small_table(name, 4) for name in (*protocol.trained_on, "elsewhere")])
    folds, again = (protocol.folds(clips, seed=1) for _ in range(2))
    assert len({fold.name for fold in folds}) == len(folds) > 0
    for fold, same in zip(folds, again, strict=True):
        np.testing.assert_array_equal(fold.train, same.train)
        np.testing.assert_array_equal(fold.test, same.test)
        dealt = np.concatenate([fold.train, fold.test])
        assert min(len(fold.train), len(fold.test)) > 0
        assert len(set(dealt)) == len(dealt)
        assert set(dealt) <= set(range(len(clips)))
        train, test = clips.iloc[fold.train], clips.iloc[fold.test]
        for unit in protocol.apart if protocol.leaky else (protocol.unit, *protocol.apart):
            assert not set(train[unit]) & set(test[unit])
        if protocol.leaky:
            assert set(train["speaker"]) & set(test["speaker"])
            assert "both sides" in protocol.title
        if protocol.trained_on:
            assert set(train["corpus"]) == set(protocol.trained_on)
            assert set(test["corpus"]) == {"elsewhere"}
