"""Gradient-boosted trees by XGBoost: for labels that are words, saved without pickle; and for numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_classic.estimators.folds import weigh


class BoostedTrees(ClassifierMixin, BaseEstimator):
    """XGBoost's histogram trees with a softmax over the classes.

    `xgboost.XGBClassifier` takes codes 0..k-1 only, and skops cannot save it. Here labels are what they
    are, and the fitted trees are kept as the bytes of XGBoost's own portable format. XGBoost is imported
    on fitting and predicting.

    Parameters
    ----------
    n_estimators : int > 0
        Boosting rounds; each grows one tree per class.
    max_depth, learning_rate, subsample, colsample_bytree, min_child_weight, reg_lambda
        As in XGBoost.
    max_bin : int
        Bins of a feature's histogram; 64 take a third of the time of XGBoost's 256.
    class_weight : "balanced", dict or None
    n_jobs : int
        Threads.
    random_state : int
        Seed of the subsampling.

    Attributes
    ----------
    classes_ : np.ndarray [shape=(classes,)]
    booster_ : np.ndarray [dtype=uint8]
        The trees, in XGBoost's UBJSON format.
    """

    def __init__(
        self,
        n_estimators: int = 200,
        *,
        max_depth: int = 4,
        learning_rate: float = 0.1,
        subsample: float = 0.8,
        colsample_bytree: float = 0.5,
        min_child_weight: float = 1.0,
        reg_lambda: float = 1.0,
        max_bin: int = 64,
        class_weight: Literal["balanced"] | Mapping | None = "balanced",
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.min_child_weight = min_child_weight
        self.reg_lambda = reg_lambda
        self.max_bin = max_bin
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Sequence[float] | None = None) -> BoostedTrees:
        """Grow the trees.

        Parameters
        ----------
        X : array-like [shape=(n, d)]
        y : array-like [shape=(n,)]
        sample_weight : array-like [shape=(n,)], optional

        Raises
        ------
        ValueError
            An unknown class weight, or fewer than two classes.
        """
        import xgboost

        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"BoostedTrees needs two classes to tell apart; there is one class in y: '{self.classes_[0]}'"
            )
        weight = weigh(self.class_weight, y, weight)
        parameters = {
            "objective": "multi:softprob",
            "num_class": len(self.classes_),
            "tree_method": "hist",
            "max_depth": self.max_depth,
            "learning_rate": self.learning_rate,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "min_child_weight": self.min_child_weight,
            "reg_lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "nthread": self.n_jobs,
            "seed": self.random_state,
        }
        data = xgboost.QuantileDMatrix(X, codes, weight=weight, max_bin=self.max_bin, nthread=self.n_jobs)
        booster = xgboost.train(parameters, data, num_boost_round=self.n_estimators)
        self.booster_ = np.frombuffer(booster.save_raw("ubj"), dtype=np.uint8).copy()
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [shape=(n, classes), dtype=float32] of clips [shape=(n, d)]."""
        import xgboost

        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        booster = xgboost.Booster({"nthread": self.n_jobs})
        booster.load_model(bytearray(self.booster_))
        booster.set_param({"nthread": self.n_jobs})  # not part of the saved form
        return booster.inplace_predict(X)

    def predict(self, X: Any) -> np.ndarray:
        """Class of every clip [shape=(n,)]."""
        codes = self.predict_proba(X).argmax(axis=1)
        return self.classes_[codes]


class BoostedRegression(RegressorMixin, BaseEstimator):
    """XGBoost's histogram trees under squared error, with the settings of `BoostedTrees`.

    `xgboost.XGBRegressor` has parameters without a value, which no record can hold. XGBoost is imported on
    fitting and predicting.

    Parameters
    ----------
    n_estimators, max_depth, learning_rate, subsample, colsample_bytree, max_bin, n_jobs, random_state
        As `BoostedTrees`.

    Attributes
    ----------
    booster_ : xgboost.Booster
    """

    def __init__(
        self,
        n_estimators: int = 200,
        *,
        max_depth: int = 4,
        learning_rate: float = 0.1,
        subsample: float = 0.8,
        colsample_bytree: float = 0.5,
        max_bin: int = 64,
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.max_bin = max_bin
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BoostedRegression:
        """Grow the trees.

        Parameters
        ----------
        X : array-like [shape=(n, d)]
        y : array-like [shape=(n,)]
        """
        import xgboost

        X, y = validate_data(self, X, y, dtype=np.float32, y_numeric=True)
        parameters = self.get_params()
        rounds, threads, seed = (parameters.pop(name) for name in ("n_estimators", "n_jobs", "random_state"))
        parameters |= {"objective": "reg:squarederror", "tree_method": "hist"}
        parameters |= {"nthread": threads, "seed": seed}
        data = xgboost.QuantileDMatrix(X, y, max_bin=self.max_bin, nthread=threads)
        self.booster_ = xgboost.train(parameters, data, num_boost_round=rounds)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """A number for every clip [shape=(n,), dtype=float32]."""
        check_is_fitted(self)
        return self.booster_.inplace_predict(validate_data(self, X, dtype=np.float32, reset=False))
