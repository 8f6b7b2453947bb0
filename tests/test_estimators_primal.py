"""PrimalSVCCV is LIBLINEAR's machine, tuned as a grid search tunes it; and a kernel names its limit."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight
from test_estimators import corpus

from ser_classic.errors import SerClassicError
from ser_classic.estimators import SVCCV, PrimalSVCCV, inner_folds, tuned

CS = (1e-4, 1e-3, 1e-2, 1e-1)


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
        scores = (each.decision_function(X[test]) for each in (ours, theirs))
        ahead = 2 if classes == 2 else 1  # the lead of one over the other
        np.testing.assert_allclose(next(scores), ahead * next(scores), atol=1e-6)


@pytest.mark.parametrize(("kernel", "needed", "copied"), [("linear", 1, True), ("rbf", 3, False)])
def test_more_clips_than_a_kernel_has_room_for_are_refused_with_the_way_out(
    kernel, needed, copied, monkeypatch
):
    X, y, speaker = corpus()
    splits = inner_folds(y, speaker)
    trained = max(len(train) for train, _ in splits)
    copies = copied * (4 * trained**2 + 8 * (len(X) - trained) * trained)
    matrices = (needed * 8 * len(X) * trained + copies + 4 * 8 * X.size) / 2**30
    monkeypatch.setattr(tuned, "MEMORY_LIMIT", 1.01 * matrices)
    SVCCV(kernel, cv=splits).fit(X, y)
    monkeypatch.setattr(tuned, "MEMORY_LIMIT", 0.99 * matrices)
    with pytest.raises(SerClassicError, match=r"240 clips.* svm_primal.* or xgboost"):
        SVCCV(kernel, cv=splits).fit(X, y)
    SVCCV(kernel).fit(X, y)  # untuned, no matrix is made
