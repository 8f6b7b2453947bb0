"""PrimalSVCCV is LIBLINEAR's machine, tuned as a grid search tunes it; and every kernel names its limit."""

import numpy as np
import pytest
import skops.io
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import parametrize_with_checks

from ser_classic.errors import SerClassicError
from ser_classic.estimators import SVCCV, KernelRidgeClassifierCV, PrimalSVCCV, inner_folds, svc

CS = (1e-4, 1e-3, 1e-2, 1e-1)


@parametrize_with_checks([PrimalSVCCV(tol=1e-8), PrimalSVCCV(cv=3, tol=1e-8)])
def test_follows_the_convention_of_scikit_learn(estimator, check):
    check(estimator)


def corpus(classes=4, seed=0):
    """Unbalanced classes, speakers with offsets, features of unlike scale."""
    weights = [0.4] + [0.6 / (classes - 1)] * (classes - 1)
    X, y = make_classification(
        240, 30, n_informative=8, n_classes=classes, class_sep=0.7, weights=weights, random_state=seed
    )
    generator = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(6), 40)
    X = (X + generator.normal(size=(6, 30))[speaker]) * np.logspace(-3, 3, 30) + 5
    return X, np.array(["sad", "angry", "happy", "fear"])[y], speaker


def plain(X, y, C):
    """scikit-learn's pipeline with balanced clips; its own class weights would leave out the "rest"."""
    pipeline = make_pipeline(StandardScaler(), LinearSVC(dual=False, tol=1e-6, C=C))
    return pipeline.fit(X, y, linearsvc__sample_weight=compute_sample_weight("balanced", y))


@pytest.mark.parametrize("classes", [2, 4])
def test_same_choice_and_same_predictions_as_a_search_with_scikit_learn_alone(classes):
    for seed in range(3):
        X, y, speaker = corpus(classes, seed)
        train, test = speaker > 0, speaker == 0
        splits = inner_folds(y[train], speaker[train], 4, seed)
        ours = PrimalSVCCV(CS, cv=splits, tol=1e-6).fit(X[train], y[train])
        recalls = [
            [
                balanced_accuracy_score(
                    y[train][held], plain(X[train][rest], y[train][rest], C).predict(X[train][held])
                )
                for rest, held in splits
            ]
            for C in CS
        ]
        means = np.mean(recalls, axis=1)
        np.testing.assert_allclose(ours.cv_results_["mean_test_score"], means, atol=1e-12)
        assert ours.best_params_ == {"C": CS[means.argmax()]}
        theirs = plain(X[train], y[train], CS[means.argmax()])
        np.testing.assert_array_equal(ours.predict(X[test]), theirs.predict(X[test]))
        np.testing.assert_allclose(
            ours.decision_function(X[test]), theirs.decision_function(X[test]), atol=1e-6
        )


@pytest.mark.parametrize("classes", [2, 4])
def test_the_most_probable_class_is_the_predicted_one(classes):
    X, y, speaker = corpus(classes)
    model = PrimalSVCCV(CS, cv=4).fit(X, y, groups=speaker)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))
    assert 0.3 < np.max(probabilities, axis=1).mean() < 0.95


def test_a_fold_that_trains_without_a_class_is_scored_all_the_same():
    X, y, speaker = corpus()
    lacking = np.flatnonzero(y == "fear")
    folds = [(np.setdiff1d(np.arange(len(y)), lacking), lacking), *inner_folds(y, speaker)]
    for estimator in (PrimalSVCCV, SVCCV, KernelRidgeClassifierCV):
        model = estimator(cv=folds).fit(X, y)
        assert set(model.cv_results_["split0_test_score"]) == {0.0}
        np.testing.assert_array_equal(model.classes_[model.predict_proba(X).argmax(axis=1)], model.predict(X))


def test_a_saved_machine_predicts_the_same():
    X, y, speaker = corpus()
    model = PrimalSVCCV(cv=inner_folds(y, speaker)).fit(X, y).set_params(cv=None)
    content = skops.io.dumps(model)
    back = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(("kernel", "needed"), [("linear", 1), ("rbf", 3)])
def test_more_clips_than_a_kernel_has_room_for_are_refused_with_the_way_out(kernel, needed, monkeypatch):
    X, y, speaker = corpus()
    splits = inner_folds(y, speaker)
    trained = max(len(train) for train, _ in splits)
    matrices = (needed * 8 * len(X) * trained + 4 * 8 * X.size) / 2**30
    monkeypatch.setattr(svc, "MEMORY_LIMIT", 1.01 * matrices)
    SVCCV(kernel, cv=splits).fit(X, y)
    monkeypatch.setattr(svc, "MEMORY_LIMIT", 0.99 * matrices)
    with pytest.raises(SerClassicError, match=r"240 clips.* use svm_primal .* or xgboost"):
        SVCCV(kernel, cv=splits).fit(X, y)
    SVCCV(kernel).fit(X, y)  # untuned, no matrix is made


def test_the_kernel_ridge_names_what_has_no_such_limit():
    X, y, _ = corpus()
    with pytest.raises(SerClassicError, match=r"the models svm_primal .* xgboost"):
        KernelRidgeClassifierCV(memory_limit=1e-6).fit(X, y)
