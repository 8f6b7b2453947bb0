"""Machines: every built-in model as plain arrays answers as its fitted pipeline does."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from ser_classic.errors import SerClassicError
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.features.inputs import Features
from ser_classic.machines import Linear, Machine, Scores, formulas
from ser_classic.models import MODELS
from ser_classic.models.tuning import fit
from ser_classic.predictor.freezing import EQUAL, freeze

# Networks need PyTorch to answer, too; tests/test_predictor.py has them.
OF_ARRAYS = [name for name, model in MODELS.items() if model.extra is None]
MOST = 60  # clips of a real corpus to fit, and as many that are unheard


def of(X: pd.DataFrame) -> Features:
    return Features(X.index, tuple(X.columns), X.to_numpy())


def require_equal(model: str, X, y, speakers, train: np.ndarray) -> None:
    """Fit to some clips; pipeline and machine answer alike to all, these and the others.

    `knn` is held to the others: scikit-learn rounds the distance of a clip to itself, by which it weighs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an optimiser at its iteration limit is a stated setting here
        pipeline = fit(MODELS[model], X[train], y[train], speakers[train]).estimator
    machine = freeze(pipeline, of(X[train]), model)
    if model == "knn":
        X = X[~train]
    codes, probabilities = machine.classify(X.to_numpy())
    if probabilities is None:
        assert not hasattr(pipeline, "predict_proba")
        np.testing.assert_array_equal(pipeline.classes_[codes], pipeline.predict(X))
        return
    told = pipeline.predict_proba(X)
    np.testing.assert_allclose(probabilities, told, rtol=0, atol=EQUAL)
    best = np.sort(told, axis=1)
    sure = best[:, -1] - best[:, -2] > 2 * EQUAL
    assert sure.mean() > 0.9 or model == "prior"
    np.testing.assert_array_equal(pipeline.classes_[codes[sure]], pipeline.predict(X)[sure])


@pytest.mark.parametrize("model", OF_ARRAYS)
def test_the_arrays_of_a_model_answer_as_its_pipeline_does(model, tiny, mfcc13):
    """Of two emotions; of all three in tests/test_predictor.py."""
    y, speakers = (tiny.clips[column].to_numpy(dtype=str) for column in ("emotion", "speaker"))
    X, y, speakers = (each[np.isin(y, ["angry", "sad"])] for each in (mfcc13.frame, y, speakers))
    require_equal(model, X, y, speakers, np.isin(speakers, np.unique(speakers)[:3]))


@pytest.fixture(scope="module")
def acted(real, cache):
    root, clips, corpus = real("emodb")
    clips = clips.iloc[np.unique(np.linspace(0, len(clips) - 1, 2 * MOST).astype(int))]
    X = extract(clips, root, FEATURES["pooled"], cache, channel=corpus.channel).frame.iloc[:, ::4]
    return X, *(clips[column].to_numpy(dtype=str) for column in ("emotion", "speaker"))


@pytest.mark.corpus
@pytest.mark.parametrize("model", OF_ARRAYS)
def test_so_do_they_on_a_real_corpus(model, acted):
    require_equal(model, *acted, np.arange(len(acted[0])) % 2 == 0)


def small() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    y = np.repeat(["angry", "sad"], 20)
    X = random.normal(size=(40, 3)) + (y == "sad")[:, None]
    return pd.DataFrame(X.astype(np.float32), columns=list("abc")), y


class Brought(SGDClassifier):
    """An estimator of somebody's own, which tells its form as arrays; wrongly, if it is to."""

    wrong = False

    def machine(self, X: np.ndarray) -> Machine:
        weights, offset = self.coef_.T, self.intercept_
        both = np.hstack([np.zeros_like(weights), -weights if self.wrong else weights])
        return Machine((Linear(both, np.r_[0.0, offset]),), Scores(None))


def test_an_estimator_of_ones_own_brings_its_form_and_is_held_to_it():
    X, y = small()
    with pytest.raises(SerClassicError, match=r"SGDClassifier.*machine\(X\)"):
        freeze(make_pipeline(SGDClassifier(random_state=0)).fit(X, y), of(X), "sgd")
    pipeline = make_pipeline(Brought(random_state=0)).fit(X, y)
    codes, probabilities = freeze(pipeline, of(X), "brought").classify(X.to_numpy())
    assert probabilities is None
    np.testing.assert_array_equal(pipeline.classes_[codes], pipeline.predict(X))
    pipeline[-1].wrong = True
    with pytest.raises(SerClassicError, match="brought"):
        freeze(pipeline, of(X), "brought")


def test_a_softmax_survives_large_scores_and_a_coupling_large_margins():
    np.testing.assert_allclose(formulas.softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1, 0], [0.5, 0.5]])
    p = formulas.coupled(np.array([[1e9, 1e9, 0.0]]), 1.0)
    assert np.isfinite(p).all()
    assert p[0, 0] > 0.99
