"""BoostedTrees is XGBoost's classifier with words for labels, and is saved without pickle."""

import numpy as np
from sklearn.datasets import make_classification

from ser_classic.estimators import BoostedTrees, balanced_weights

X, CODES = make_classification(300, 20, n_informative=8, n_classes=4, weights=[0.5, 0.2, 0.2], random_state=0)
Y = np.array(["sad", "happy", "angry", "fear"])[CODES]


def test_equals_xgboosts_own_classifier():
    import xgboost

    theirs = xgboost.XGBClassifier(
        n_estimators=20,
        max_depth=4,
        learning_rate=0.1,
        max_bin=64,
        tree_method="hist",
        n_jobs=1,
        random_state=0,
    )
    names, codes = np.unique(Y, return_inverse=True)
    theirs.fit(X, codes, sample_weight=balanced_weights(codes))
    ours = BoostedTrees(20, subsample=1.0, colsample_bytree=1.0).fit(X, Y)
    np.testing.assert_array_equal(ours.classes_, names)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), names[theirs.predict(X)])


def test_two_fits_are_equal_to_the_last_bit_and_the_seed_matters():
    first, again, other = (
        BoostedTrees(10, random_state=seed).fit(X, Y).predict_proba(X) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_xgboost_is_imported_on_use_only(python):
    python("import sys, ser_classic.estimators; assert 'xgboost' not in sys.modules").said()
