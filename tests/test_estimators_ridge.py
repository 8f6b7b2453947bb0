"""The kernel ridge classifier against its definition, its approximations, and scikit-learn's contract."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.special import log_softmax
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut
from test_estimators import named_corpus

from ser_classic.errors import SerClassicError
from ser_classic.estimators import (
    KernelRidgeClassifierCV,
    ShrunkStackingCV,
    StackedKernelRidgeCV,
    balanced_weights,
    inner_folds,
    tuned,
)
from ser_classic.estimators.stacking import _near_the_sum
from ser_classic.estimators.tuned import Clips, fit_sharpness

Ridge = KernelRidgeClassifierCV
corpus = partial(named_corpus, clips=30, columns=24, apart=1.0)


def by_definition(X, y, T, kernel, alpha):
    """Scores of one ridge by its definition, with scikit-learn's KernelRidge on a ready-made kernel."""
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    Z, T = (((part - mean) / deviation).clip(-5, 5) for part in (X, T))
    n, d = Z.shape

    def compare(A, B):
        if kernel == "linear":
            return A @ B.T / d
        D = ((A[:, None] - B[None, :]) ** 2).mean(axis=2)
        return np.exp(-0.5 * D / ((Z[:, None] - Z[None, :]) ** 2).mean())

    K, K_test = compare(Z, Z), compare(T, Z)
    t = np.trace(K) / n
    classes = np.unique(y)
    targets = (y[:, None] == classes) - 1 / len(classes)
    machine = KernelRidge(kernel="precomputed", alpha=alpha * t)
    machine.fit(K + 0.1 * t, targets, sample_weight=balanced_weights(y))
    return machine.predict(K_test + 0.1 * t)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("columns", [12, 300])
def test_scores_are_those_of_the_definition(kernel, columns):
    X, y, _ = corpus(columns=columns)
    X = X.to_numpy()
    model = Ridge((kernel,), alpha=0.2).fit(X[:150], y[:150])
    expected = by_definition(X[:150], y[:150], X[150:], kernel, 0.2)
    np.testing.assert_allclose(model.decision_function(X[150:]), expected, atol=1e-9)


def test_fusion_is_the_sum_over_groups_and_kernels():
    X, y, _ = corpus()
    model = Ridge(feature_groups="names").fit(X[:150], y[:150])
    assert list(model.groups_) == ["tone", "beat", "voice", "whole"]
    assert len(model.groups_["whole"]) == X.shape[1]
    expected = sum(
        by_definition(X.to_numpy()[:150, columns], y[:150], X.to_numpy()[150:, columns], kernel, 0.1)
        for columns in model.groups_.values()
        for kernel in ("linear", "rbf")
    )
    np.testing.assert_allclose(model.decision_function(X[150:]), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"feature_groups": "families"}, "'families'.*'names'"),
        ({"kernels": ("cubic",)}, "'linear', 'rbf'.*'cubic'"),
        ({"kernels": ()}, "'linear', 'rbf'"),
    ],
)
def test_a_wrong_parameter_is_named(wrong, message):
    X, y, _ = corpus()
    with pytest.raises(ValueError, match=message):
        Ridge(**wrong).fit(X, y)


def test_the_grid_is_scored_as_if_every_penalty_were_fitted_alone():
    X, y, speaker = corpus()
    alphas, splits = (0.01, 0.1, 1.0), inner_folds(y, speaker, 3)
    model = Ridge(feature_groups="names", alphas=alphas, cv=splits).fit(X, y)
    for params, score in zip(model.cv_results_["params"], model.cv_results_["mean_test_score"], strict=True):
        alone = Ridge(feature_groups="names", **params)
        recalls = [
            balanced_accuracy_score(y[test], alone.fit(X.iloc[train], y[train]).predict(X.iloc[test]))
            for train, test in splits
        ]
        assert score == pytest.approx(np.mean(recalls), abs=1e-12)
    assert model.best_score_ == max(model.cv_results_["mean_test_score"])
    again = Ridge(feature_groups="names", **model.best_params_).fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), again.decision_function(X), atol=1e-12)


def test_linear_primal_equals_dual():
    """With fewer features than clips the solution is found among the features, else among the clips."""
    X, y, _ = corpus(columns=24)
    primal = Ridge(("linear",)).fit(X, y)
    # Every feature nine times is the same kernel, in more dimensions than there are clips.
    many = np.tile(X.to_numpy(), 9)
    dual = Ridge(("linear",)).fit(many, y)
    np.testing.assert_allclose(primal.decision_function(X), dual.decision_function(many), atol=1e-9)


def test_too_many_clips_are_refused_with_the_way_out(monkeypatch):
    X, y, _ = corpus()
    monkeypatch.setattr(tuned, "MEMORY_LIMIT", 5e-4)
    with pytest.raises(SerClassicError, match=r"kernels of 180 clips .*svm_primal"):
        Ridge().fit(X, y)
    Ridge(("linear",)).fit(X, y)
    with pytest.raises(SerClassicError, match=r"svm_primal"):
        Ridge(("linear",)).fit(np.tile(X, 9), y)
    single = np.tile(X, 9).astype(np.float32)
    with pytest.raises(SerClassicError, match=f"need {(4 * 8 * 180**2 + 5 * single.nbytes) / 2**30:.3g} GiB"):
        Ridge().fit(single, y)


def test_constant_features_and_single_features_are_no_trouble():
    X, y, speaker = corpus()
    X = X.assign(flat_00=1.0, flat_01=-2.0, lone_00=X.iloc[:, 0])
    model = Ridge(feature_groups="names", cv=3).fit(X, y, groups=speaker)
    assert np.isfinite(model.decision_function(X)).all()


def test_stacking_is_a_logistic_regression_on_scores_of_unheard_speakers():
    X, y, speaker = corpus()
    folds = list(LeaveOneGroupOut().split(X, y, speaker))
    model = StackedKernelRidgeCV(feature_groups="names", cv=folds).fit(X, y)
    groups = [X.columns[columns] for columns in model.groups_.values()]

    def scores(train, test):
        return np.hstack(
            [
                Ridge(alpha=model.best_params_["alpha"])
                .fit(X.loc[train, names], y[train])
                .decision_function(X.loc[test, names])
                for names in groups
            ]
        )

    left_out = np.empty((len(X), 4 * len(groups)))
    for train, test in folds:
        left_out[test] = scores(train, test)
    top = LogisticRegression(C=0.02, class_weight="balanced", tol=1e-6, max_iter=2000).fit(left_out, y)
    expected = top.decision_function(scores(X.index, X.index))
    np.testing.assert_allclose(model.decision_function(X), expected, atol=1e-4)
    assert model.best_params_ == Ridge(feature_groups="names", cv=folds).fit(X, y).best_params_
    np.testing.assert_array_equal(model.classes_[model.predict_proba(X).argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("stacked", [StackedKernelRidgeCV, ShrunkStackingCV])
def test_stacking_turns_from_a_group_that_misleads(stacked):
    X, y, speaker = corpus(clips=60)
    noise = np.random.default_rng(1).normal(size=(len(X), 6 * 12))
    X[[f"{name}/{i}" for name in ("hum", "hiss", "buzz", "rumble", "click", "echo") for i in range(12)]] = (
        noise
    )
    heard = speaker < 4
    unheard = []
    for estimator in (Ridge, stacked):
        model = estimator(feature_groups="names", whole=False, cv=4)
        model.fit(X[heard], y[heard], groups=speaker[heard])
        unheard.append(balanced_accuracy_score(y[~heard], model.predict(X[~heard])))
    assert unheard[1] > unheard[0]


@pytest.mark.parametrize("kind", [StackedKernelRidgeCV, ShrunkStackingCV])
def test_stacking_sums_where_there_are_no_folds(kind):
    X, y, _ = corpus()
    summed, stacked = (each(feature_groups="names").fit(X, y) for each in (Ridge, kind))
    assert stacked.together_ is None
    np.testing.assert_array_equal(stacked.decision_function(X), summed.decision_function(X))


def test_the_narrowest_prior_is_the_sum():
    X, y, speaker = corpus()
    summed = Ridge(feature_groups="names", cv=4).fit(X, y, groups=speaker)
    expected = summed.decision_function(X)
    for width, apart in ((0.0, 1e-9), (1e-6, 1e-2), (1.0, 0.2)):
        model = ShrunkStackingCV(feature_groups="names", cv=4, widths=(width,)).fit(X, y, groups=speaker)
        assert model.best_params_ == {**summed.best_params_, "width": width}
        scores = model.decision_function(X)
        difference = np.abs(scores / np.abs(scores).max() - expected / np.abs(expected).max()).max()
        assert difference < apart if width < 1 else difference > apart


def test_the_weights_are_the_most_probable_under_their_prior():
    """By the gradient of its definition, taken numerically."""
    generator = np.random.default_rng(0)
    scores, codes = generator.normal(size=(40, 3, 3)), generator.integers(0, 3, 40)
    scores[np.arange(40), 0, codes] += 1
    weight = balanced_weights(codes)
    found = _near_the_sum(Clips(scores, codes, np.ones(40)), 0.05)
    centre = np.tile(np.eye(3), (3, 1))
    sharpness = fit_sharpness(scores.sum(axis=1), codes, weight)
    flat = scores.reshape(40, 9)
    scale = np.sqrt(np.mean(flat**2))

    def posterior(moved):
        moved = moved.reshape(10, 3)
        probabilities = log_softmax(sharpness * flat @ centre + flat @ moved[:9] / scale + moved[9], axis=1)
        return np.sum(moved**2) / 0.1 - weight @ probabilities[np.arange(40), codes]

    best = sharpness * np.vstack([(found.weights - centre) * scale, found.offset]).ravel()
    slope = approx_fprime(best, posterior, 1e-6)
    assert np.abs(slope).max() < 0.01 * np.abs(approx_fprime(np.zeros(30), posterior, 1e-6)).max()


def test_speakers_that_contradict_each_other_leave_the_sum():
    """Two groups of equal worth: what the one speaker's errors say of them, another's do not."""
    generator = np.random.default_rng(0)
    speaker, y = np.repeat(np.arange(4), 30), np.tile(["happy", "sad", "fear"], 40)
    good = np.eye(3)[np.unique(y, return_inverse=True)[1]]
    tone, beat = (good + generator.normal(0, 0.7, size=good.shape) for _ in range(2))
    X = pd.DataFrame(
        np.hstack([tone, beat]), columns=[f"{n}_{i}" for n in ("tone", "beat") for i in range(3)]
    )
    model = ShrunkStackingCV(feature_groups="names", whole=False, cv=4).fit(X, y, groups=speaker)
    assert model.best_params_["width"] <= 0.01


@pytest.mark.parametrize("kind", [StackedKernelRidgeCV, ShrunkStackingCV])
def test_stacking_sums_where_a_single_fold_is_held_out(kind):
    """As with a published validation part: no other fold tells how far its weights carry."""
    X, y, speaker = corpus()
    fold = [(np.flatnonzero(speaker > 1), np.flatnonzero(speaker <= 1))]
    summed, stacked = (each(feature_groups="names", cv=fold).fit(X, y) for each in (Ridge, kind))
    assert stacked.best_params_["alpha"] == summed.best_params_["alpha"]
    assert stacked.sharpness_ == pytest.approx(summed.sharpness_)
    if kind is ShrunkStackingCV:
        np.testing.assert_allclose(stacked.decision_function(X), summed.decision_function(X), atol=1e-12)
