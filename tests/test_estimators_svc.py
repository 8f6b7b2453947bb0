"""SVCCV chooses and predicts as a grid search over a pipeline does, and its probabilities agree with it."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from test_estimators import corpus

from ser_classic.estimators import SVCCV, inner_folds
from ser_classic.machines import formulas

CS, GAMMAS = (0.01, 0.1, 1.0, 10.0), (0.25, 1.0, 4.0)


def search(kernel, splits, d):
    grid = {"svc__C": CS}
    if kernel == "rbf":
        grid["svc__gamma"] = [gamma / d for gamma in GAMMAS]
    machine = SVC(kernel=kernel, class_weight="balanced", break_ties=True)
    return GridSearchCV(
        make_pipeline(StandardScaler(), machine), grid, cv=splits, scoring="balanced_accuracy", n_jobs=1
    )


@pytest.mark.parametrize("classes", [2, 4, 5])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_same_choice_and_same_predictions_as_a_grid_search(kernel, classes):
    X, y, speaker = corpus(classes, clips=25)
    train, test = speaker > 0, speaker == 0
    splits = inner_folds(y[train], speaker[train], 4)
    ours = SVCCV(kernel, Cs=CS, gammas=GAMMAS, cv=splits).fit(X[train], y[train])
    theirs = search(kernel, splits, X.shape[1]).fit(X[train], y[train])
    means = (each.cv_results_["mean_test_score"] for each in (ours, theirs))
    np.testing.assert_allclose(*means, atol=1e-12)
    assert list(ours.best_params_) == [name.removeprefix("svc__") for name in theirs.best_params_]
    assert ours.best_params_["C"] == theirs.best_params_["svc__C"]
    assert ours.best_score_ == theirs.best_score_
    np.testing.assert_array_equal(ours.predict(X[test]), theirs.predict(X[test]))
    if classes > 2:
        scores = (each.decision_function(X[test]) for each in (ours, theirs))
        np.testing.assert_allclose(*scores, atol=2e-3)


def test_a_tie_falls_to_the_first_candidate_as_in_a_grid_search():
    X, y, speaker = corpus(3, 1, columns=200)  # more features than clips: large C are all alike
    Cs = (1e3, 1e4, 1e-6, 1e5)
    splits = inner_folds(y, speaker, 3)
    ours = SVCCV("linear", Cs=Cs, cv=splits).fit(X, y)
    means = ours.cv_results_["mean_test_score"]
    assert (means == means.max()).sum() > 1
    assert ours.best_params_ == {"C": 1e3}
    theirs = GridSearchCV(
        make_pipeline(StandardScaler(), SVC(kernel="linear", class_weight="balanced")),
        {"svc__C": Cs},
        cv=splits,
        scoring="balanced_accuracy",
    ).fit(X, y)
    assert theirs.best_params_ == {"svc__C": 1e3}


def test_a_scaler_in_front_changes_nothing():
    X, y, speaker = corpus()
    alone = SVCCV(cv=LeaveOneGroupOut()).fit(X, y, groups=speaker)
    behind = SVCCV(cv=LeaveOneGroupOut()).fit(StandardScaler().fit_transform(X), y, groups=speaker)
    assert alone.best_params_ == behind.best_params_
    np.testing.assert_allclose(
        alone.decision_function(X), behind.decision_function(StandardScaler().fit_transform(X)), atol=2e-3
    )


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_weight_counts_as_repetition(kernel):
    X, y, speaker = corpus()
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    once = SVCCV(kernel, Cs=CS[1:3], cv=LeaveOneGroupOut(), tol=1e-6).fit(X, y, weight, speaker)
    twice = SVCCV(kernel, Cs=CS[1:3], cv=LeaveOneGroupOut(), tol=1e-6)
    twice.fit(*(part.repeat(weight, axis=0) for part in (X, y)), groups=speaker.repeat(weight))
    np.testing.assert_allclose(
        once.cv_results_["mean_test_score"], twice.cv_results_["mean_test_score"], atol=1e-9
    )
    np.testing.assert_allclose(once.predict_proba(X), twice.predict_proba(X), atol=1e-4)


def test_probabilities_tell_what_is_right():
    X, y, speaker = corpus(5, 4)
    test = speaker < 2
    model = SVCCV("linear", Cs=CS[:3], cv=4).fit(X[~test], y[~test], groups=speaker[~test])
    p, right = model.predict_proba(X[test]), model.predict(X[test]) == y[test]
    assert 0.2 < right.mean() < 0.9
    assert roc_auc_score(right, p.max(axis=1)) > 0.6
    own = p[np.arange(len(p)), np.searchsorted(model.classes_, y[test])]
    assert -np.log(own).mean() < np.log(5)


def test_coupled_probabilities_are_libsvms():
    generator = np.random.default_rng(0)
    margins = generator.normal(size=(50, 6))
    p = formulas.coupled(margins, 1.7)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    for row, ours in zip(margins, p, strict=True):
        r = np.zeros((4, 4))
        for m, (i, j) in zip(row, itertools.combinations(range(4), 2), strict=True):
            r[i, j], r[j, i] = 1 / (1 + np.exp(-1.7 * m)), 1 / (1 + np.exp(1.7 * m))
        least = minimize(
            lambda q, r=r: sum((r[j, i] * q[i] - r[i, j] * q[j]) ** 2 for i in range(4) for j in range(4)),
            np.full(4, 0.25),
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(ours, least.x, atol=1e-4)


def test_pairs_that_agree_give_their_classes_back():
    p = np.random.default_rng(1).dirichlet(np.ones(5), size=20)
    i, j = np.triu_indices(5, 1)
    np.testing.assert_allclose(formulas.coupled(np.log(p[:, i] / p[:, j]), 1.0), p, atol=1e-6)
    np.testing.assert_allclose(formulas.coupled(np.array([[0.4]]), 1.0), [[0.598688, 0.401312]], atol=1e-6)


def test_the_choice_leads():
    p = np.array([[0.2, 0.5, 0.3], [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]])
    led = formulas.agreed(p, np.array([2, 0, 1]))
    np.testing.assert_allclose(led[0], [0.2, 0.3, 0.5])
    np.testing.assert_array_equal(led[1], p[1])
    assert led[2].argmax() == 1
    np.testing.assert_allclose(led[2], p[2])


def test_a_fold_that_trains_on_one_class_is_named():
    X, y, _ = corpus(classes=2)
    splits = [(np.flatnonzero(y == "sad"), np.flatnonzero(y != "sad"))]
    with pytest.raises(ValueError, match=r"fold 0 .*'sad'"):
        SVCCV(cv=splits).fit(X, y)
