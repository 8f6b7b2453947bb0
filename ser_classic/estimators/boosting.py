"""Gradient-boosted trees by XGBoost, for classes with any names and for numbers, saved without pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_classic.estimators.folds import balanced_weights, encoded
from ser_classic.machines import Machine, Scores, Trees


@dataclass(eq=False, repr=False)
class _Boosted(BaseEstimator):
    """XGBoost's histogram trees, with the settings that `BoostedTrees` explains."""

    n_estimators: int = 200
    _: KW_ONLY
    max_depth: int = 4
    learning_rate: float = 0.1
    subsample: float = 0.8
    colsample_bytree: float = 0.5
    max_bin: int = 64
    n_jobs: int = 1
    random_state: int = 0

    def _grow(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, **objective: Any) -> None:
        import xgboost

        settings = self.get_params()
        rounds, threads, seed = (settings.pop(name) for name in ("n_estimators", "n_jobs", "random_state"))
        settings |= objective | {"tree_method": "hist", "nthread": threads, "seed": seed}
        data = xgboost.QuantileDMatrix(X, y, weight=weight, max_bin=self.max_bin, nthread=threads)
        booster = xgboost.train(settings, data, num_boost_round=rounds)
        self.booster_ = np.frombuffer(booster.save_raw("ubj"), dtype=np.uint8).copy()

    def _booster(self) -> Any:
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(self.booster_))
        booster.set_param({"nthread": self.n_jobs})  # not part of the saved form
        return booster

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._booster().inplace_predict(validate_data(self, X, dtype=np.float32, reset=False))


@dataclass(eq=False, repr=False)
class BoostedTrees(ClassifierMixin, _Boosted):
    """XGBoost's histogram trees with a softmax over the classes, which may have any names and weigh the same.

    `xgboost.XGBClassifier` only takes codes 0..k-1, and skops cannot save it. XGBoost is imported when it is
    needed.

    Parameters
    ----------
    n_estimators, max_depth, learning_rate, subsample, colsample_bytree, min_child_weight, reg_lambda
        As in XGBoost; each round grows one tree per class.
    max_bin : int
        Bins of a feature's histogram; 64 take a third of the time of XGBoost's default, 256.
    n_jobs : int
        Threads.

    Attributes
    ----------
    booster_ : np.ndarray [dtype=uint8]
        The trees, in XGBoost's portable format, UBJSON.
    """

    min_child_weight: float = field(default=1.0, kw_only=True)
    reg_lambda: float = field(default=1.0, kw_only=True)

    def fit(self, X: Any, y: Any, sample_weight: Sequence[float] | None = None) -> BoostedTrees:
        """Grow the trees for features [shape=(n, d)] and two or more classes [shape=(n,)]."""
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        self.classes_, codes = encoded(y, weight)
        weight = balanced_weights(y, weight)
        self._grow(X, codes, weight, objective="multi:softprob", num_class=len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [shape=(n, classes), dtype=float32] of clips [shape=(n, d)]."""
        return self._outputs(X)

    def predict(self, X: Any) -> np.ndarray:
        """Class of every clip [shape=(n,)]."""
        codes = self._outputs(X).argmax(axis=1)  # first, as it checks that this is fitted
        return self.classes_[codes]

    def machine(self, X: np.ndarray) -> Machine:
        """The trees as arrays, for a saved predictor."""
        # See XGBoost's documentation, "Introduction to Model IO"
        learner = json.loads(self._booster().save_raw("json"))["learner"]
        base = json.loads(f"[{learner['learner_model_param']['base_score'].strip('[]')}]")
        trees = learner["gradient_booster"]["model"]["trees"]
        left = [np.array(tree["left_children"]) for tree in trees]
        conditions = [np.array(tree["split_conditions"], dtype=np.float32) for tree in trees]
        grown = Trees.of(
            [np.array(tree["split_indices"]) for tree in trees],
            # XGBoost goes left only below the threshold, not at it
            [np.nextafter(each, np.float32(-np.inf)) for each in conditions],
            left,
            [np.array(tree["right_children"]) for tree in trees],
            np.concatenate([each[end == -1] for each, end in zip(conditions, left, strict=True)])[:, None],
            np.broadcast_to(np.array(base, np.float32), len(self.classes_)).copy(),
            1.0,
        )
        return Machine((grown,), Scores(1.0))


@dataclass(eq=False, repr=False)
class BoostedRegression(RegressorMixin, _Boosted):
    """XGBoost's histogram trees for squared error, with the parameters and attributes of `BoostedTrees`.

    `xgboost.XGBRegressor` has parameters that cannot be stored in a record.
    """

    def fit(self, X: Any, y: Any) -> BoostedRegression:
        """Grow the trees for features [shape=(n, d)] and numbers [shape=(n,)]."""
        X, y = validate_data(self, X, y, dtype=np.float32, y_numeric=True)
        self._grow(X, y, None, objective="reg:squarederror")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """A number for every clip [shape=(n,), dtype=float32]."""
        return self._outputs(X)
