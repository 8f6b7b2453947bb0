"""Models: ordinary pipelines, tuned in inner speaker folds, balanced, reproducible."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from ser_classic.errors import SerClassicError
from ser_classic.extras.deep.features import SEQUENCES
from ser_classic.features.inputs import VECTORS
from ser_classic.models import MODELS, Model, for_json
from ser_classic.models.tuning import fit

VECTOR = [name for name, model in MODELS.items() if model.takes == VECTORS and not model.extra]


def clips(
    speakers: int = 6, each: int = 12, seed: int = 0, apart: float = 1.5
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Three emotions at three places in 10 dimensions, on top of an offset for each speaker."""
    random = np.random.default_rng(seed)
    emotions = np.tile(np.repeat(["angry", "happy", "sad"], each // 3), speakers)
    owners = np.repeat([f"c/{number}" for number in range(speakers)], each)
    places = {word: apart * random.normal(size=10) for word in np.unique(emotions)}
    offsets = {who: random.normal(size=10) for who in np.unique(owners)}
    X = np.array([places[word] + offsets[who] for word, who in zip(emotions, owners, strict=True)])
    X = X + 0.5 * random.normal(size=X.shape)
    columns = [f"mfcc_{number:02d}_mean" for number in range(5)] + [f"chroma_{n:02d}_mean" for n in range(5)]
    return pd.DataFrame(X.astype(np.float32), columns=columns), emotions, owners


@pytest.mark.filterwarnings("ignore::UserWarning")  # an optimiser at its iteration limit
@pytest.mark.parametrize("name", VECTOR)
def test_one_speaker_means_stated_defaults(name):
    X, y, _ = clips()
    fitted = fit(MODELS[name], X, y, np.repeat("c/only", len(y)))
    assert not fitted.tuned
    assert fitted.chosen == {}


class Reporter(ClassifierMixin, BaseEstimator):
    """Writes down which speakers (the first column) it was fitted on and asked about."""

    seen: list[tuple[set, set]] = []  # noqa: RUF012 - shared on purpose: scikit-learn clones estimators

    def __init__(self, depth: int = 1) -> None:
        self.depth = depth

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.trained_ = set(np.asarray(X)[:, 0])
        return self

    def predict(self, X):
        Reporter.seen.append((self.trained_, set(np.asarray(X)[:, 0])))
        return np.repeat(self.classes_[0], len(X))


class Diverged(Reporter):
    """Comes to no solution."""

    def predict_proba(self, X):
        return np.where(np.arange(len(X))[:, None] < 2, np.nan, 1 / 3) * np.ones(3)


def test_probabilities_that_are_no_numbers_are_refused():
    X, y, speakers = clips()
    fitted = fit(Model("diverged", "", lambda seed: Diverged(), scale=False), X, y, speakers)
    with pytest.raises(SerClassicError, match=r"Diverged: .*2 of 72 clips"):
        fitted.probabilities(X)


@pytest.mark.parametrize("probabilities", [-0.1, 1.1, np.inf])
def test_probabilities_beyond_0_and_1_are_refused(monkeypatch, probabilities):
    X, y, speakers = clips()
    fitted = fit(Model("diverged", "", lambda seed: Diverged(), scale=False), X, y, speakers)
    monkeypatch.setattr(Diverged, "predict_proba", lambda self, X: np.full((len(X), 3), probabilities))
    with pytest.raises(SerClassicError, match=r"0 to 1 .*72 of 72 clips"):
        fitted.probabilities(X)


def test_inner_folds_keep_speakers_apart():
    X, y, speakers = clips()
    X["mfcc_00_mean"] = pd.factorize(speakers)[0]
    Reporter.seen.clear()
    fit(Model("reporter", "", lambda seed: Reporter(), {"depth": (1, 2)}, scale=False), X, y, speakers)
    assert len(Reporter.seen) == 8
    assert all(not trained & tested for trained, tested in Reporter.seen)


class Divided(Reporter):
    """Searches by itself, in the folds it is given."""

    given: list = []  # noqa: RUF012 - shared on purpose, too

    def __init__(self, cv: object = None) -> None:
        self.cv = cv

    def fit(self, X, y):
        Divided.given.append(self.cv)
        self.best_params_ = {"depth": 2}
        self.tuned_ = self.cv is not None
        return super().fit(X, y)


def test_a_search_of_its_own_is_in_folds_that_keep_speakers_apart():
    X, y, speakers = clips()
    model = Model("divided", "", lambda seed: Divided())
    fitted = fit(model, X, y, speakers)
    (inner,) = Divided.given
    assert len(inner) == 4
    assert all(not set(speakers[train]) & set(speakers[test]) for train, test in inner)
    assert (fitted.tuned, fitted.chosen) == (True, {"depth": 2})
    assert fitted.estimator[-1].cv is None
    alone = fit(model, X, y, np.repeat("c/only", len(y)))
    assert (alone.tuned, alone.chosen) == (False, {})


def test_scikit_learns_own_searches_are_given_speaker_folds():
    from sklearn.linear_model import LogisticRegressionCV, RidgeClassifierCV

    X, y, speakers = clips()
    logistic = LogisticRegressionCV(
        Cs=[0.01, 0.1], l1_ratios=(0,), scoring="balanced_accuracy", use_legacy_attributes=False
    )
    for estimator in (logistic, RidgeClassifierCV(alphas=[1.0, 10.0])):
        model = Model("m", "", lambda seed, estimator=estimator: estimator)
        assert fit(model, X, y, speakers).tuned
        with pytest.raises(SerClassicError, match=rf"m: .*{type(estimator).__name__} "):
            fit(model, X, y, np.repeat("c/only", len(y)))
        with pytest.raises(SerClassicError, match=rf"m: {type(estimator).__name__} .*grid"):
            fit(replace(model, grid={"fit_intercept": (True, False)}), X, y, speakers)


def test_an_estimator_that_takes_speakers_is_given_them_and_says_what_it_chose():
    class Stopping(Reporter):
        def fit(self, X, y, groups=None):
            self.chosen_, self.held_out_, self.groups_ = {"epochs": 3}, True, groups
            return super().fit(X, y)

    X, y, speakers = clips()
    model = Model("stopping", "", lambda seed: Stopping())
    fitted = fit(model, X, y, speakers)
    assert (fitted.tuned, fitted.chosen) == (True, {"epochs": 3})
    np.testing.assert_array_equal(fitted.estimator[-1].groups_, speakers)
    assert fit(model, X, y, speakers, leaky=True).estimator[-1].groups_ is None
    with pytest.raises(SerClassicError, match=r"stopping: Stopping .*grid"):
        fit(replace(model, grid={"depth": (1, 2)}), X, y, speakers)


def test_stated_priors_stay_and_equal_ones_are_set_where_they_are_asked_for():
    from sklearn.naive_bayes import GaussianNB

    stated = Model("bayes", "", lambda seed: GaussianNB(priors=[0.5, 0.25, 0.25]))
    np.testing.assert_array_equal(fit(stated, *clips()).estimator[-1].class_prior_, [0.5, 0.25, 0.25])
    equal = fit(replace(stated, balance="priors"), *clips()).estimator[-1].class_prior_
    np.testing.assert_allclose(equal, 1 / 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"balance": "classes"}, "m: balance 'classes'.*'weights', 'priors', None"),
        ({"takes": SEQUENCES}, "m: .*scale=False"),
        ({"extra": "deep"}, "m: .*`extra`.*`library`"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(SerClassicError, match=message):
        Model("m", "", lambda seed: None, **fields)


def test_the_scaler_sees_the_training_part_only():
    X, y, speakers = clips()
    pipeline = fit(MODELS["logistic"], X, y, speakers).estimator
    np.testing.assert_allclose(pipeline["scale"].mean_, X.mean(axis=0), rtol=1e-5)


UNWEIGHTED = ("prior", "knn", "mlp_recipe", "svc_auto")  # the last two are kept as published


@pytest.mark.parametrize("name", [name for name in VECTOR if name not in UNWEIGHTED])
def test_rare_emotions_count_as_much_as_frequent_ones(name):
    """With classes that overlap, a model without balanced weights hardly ever names the rare one."""
    random = np.random.default_rng(0)
    y = np.array(["neutral"] * 360 + ["angry"] * 40)
    X = pd.DataFrame(random.normal(size=(400, 3)) + 1.2 * (y == "angry")[:, None])
    X.columns = [f"mfcc_{number:02d}_mean" for number in range(3)]
    speakers = np.tile([f"c/{number}" for number in range(8)], 50)
    new = pd.DataFrame(random.normal(size=(400, 3)) + 1.2, columns=X.columns)
    recall = (fit(MODELS[name], X, y, speakers).estimator.predict(new) == "angry").mean()
    assert recall > (0.5 if name in ("random_forest", "xgboost", "mlp") else 0.7)


def test_the_multi_layer_perceptron_of_the_recipes_is_set_as_they_set_it():
    pipeline = MODELS["mlp_recipe"].pipeline(4)
    assert list(pipeline.named_steps) == ["model"]
    set_to = {"hidden_layer_sizes": (300,), "activation": "tanh", "alpha": 0.01, "batch_size": 256}
    assert pipeline[-1].get_params().items() >= (set_to | {"max_iter": 500, "random_state": 4}).items()


def test_the_published_support_vector_machine_is_scikit_learns_untuned():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    X, y, speakers = clips(apart=0.5)
    new, _, _ = clips(apart=0.5, seed=1)
    fitted = fit(MODELS["svc_auto"], X, y, speakers)
    assert not fitted.tuned
    published = make_pipeline(StandardScaler(), SVC(gamma="auto")).fit(X, y)
    np.testing.assert_array_equal(fitted.estimator.predict(new), published.predict(new))


def test_several_corpora_count_the_same_and_are_left_out_in_turn_to_tune():
    """A corpus of ten times the clips weighs no more, and no inner fold trains on what it is judged on."""
    seen = []

    class Watched(ClassifierMixin, BaseEstimator):
        def __init__(self, cv=None):
            self.cv = cv

        def fit(self, X, y, sample_weight=None):
            seen.append((self.cv, sample_weight))
            self.classes_, self.best_params_ = np.unique(y), {}
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    corpora = np.repeat(["a", "b", "c"], [80, 8, 8])
    y = np.tile(["angry", "sad"], 48)
    speakers = np.array([f"{corpus}/{row % 4}" for row, corpus in enumerate(corpora)])
    model = Model("watched", "", lambda seed: Watched(), scale=False)
    fit(model, pd.DataFrame(np.zeros((96, 1))), y, speakers, corpora=corpora)
    ((folds, weights),) = seen
    assert len(folds) == 3
    assert all(not set(corpora[train]) & set(corpora[test]) for train, test in folds)
    assert [weights[corpora == name].sum() for name in "abc"] == pytest.approx([32, 32, 32])


def test_neighbours_are_chosen_from_as_many_as_there_are_clips():
    """Two speakers of six clips: inner training parts have six, and the grid goes to 21."""
    X, y, speakers = clips(speakers=2, each=6)
    fitted = fit(MODELS["knn"], X, y, speakers)
    assert fitted.tuned
    assert fitted.chosen["n_neighbors"] in (1, 5)
    told = r"knn cannot be fitted to these 12 clips: ValueError: .* n_neighbors = 15.*; use more clips"
    with pytest.raises(SerClassicError, match=told):  # none of these can be had
        fit(replace(MODELS["knn"], grid={"n_neighbors": (15, 21)}), X, y, speakers)


def test_a_function_is_told_by_its_name_and_nothing_by_its_place():
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    def made(seed):
        return make_pipeline(FunctionTransformer(clips), KNeighborsClassifier(metric=clips))

    told = Model("own", "", made).parameters()["parameters"]
    assert told["kneighborsclassifier__metric"] == f"{clips.__module__}.clips"
    assert " at 0x" not in json.dumps(told)
    chosen = {"metric": clips, "C": np.float64(0.5)}
    assert for_json(chosen) == {"metric": f"{clips.__module__}.clips", "C": 0.5}
    # Equal to itself when read back, as a number that is none is not, and JSON all the same
    assert for_json({"missing": np.nan, "C": np.inf}) == {"missing": "NaN", "C": "Infinity"}
