"""Linear support vector machine in the primal: as many unknowns as features, whatever the number of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_classic.estimators import calibration
from ser_classic.estimators.folds import encoded, resolve, results, uar, weigh
from ser_classic.machines.formulas import probabilities


class PrimalSVCCV(ClassifierMixin, BaseEstimator):
    """Linear support vector classifier on standardised features, tuned by unweighted average recall.

    LIBLINEAR's trust-region Newton method in the primal (Fan et al. 2008): every class against the rest,
    squared hinge loss. Time and memory grow in a straight line with the number of clips, where `SVCCV` needs
    a matrix of clips by clips; the two are not the same machine, as that one sets pairs of classes apart, by
    the hinge loss itself.

    Parameters
    ----------
    Cs : sequence of float > 0
        Grid of penalties.
    C : float > 0
        Used where nothing can be tuned: without `cv`, or when it is a number and there is one speaker.
    class_weight : "balanced", dict or None
        Of a class's clips, whether they are the class or of the rest (LinearSVC's own count in the former).
    tol : float > 0
        As in LinearSVC.
    cv : None, int, splitter or iterable of (train, test)
        Inner folds. A number makes that many folds by speaker if `groups` are given to `fit`, else
        stratified ones.
    random_state : int
        Seed of the deal when `cv` is a number and there are speakers; nothing else is random.

    Attributes
    ----------
    tuned_ : bool
        Whether the penalty was chosen on folds; if not, it is `C`.
    best_params_ : dict
        "C".
    best_score_, best_index_, cv_results_
        As in GridSearchCV, if tuned.
    sharpness_ : float
        Factor on the decision values in `predict_proba`, if tuned.
    classes_ : np.ndarray [shape=(classes,)]
    scaler_ : StandardScaler
    svc_ : LinearSVC
        Fitted on all standardised clips, with integer codes of the classes.
    """

    def __init__(
        self,
        Cs: Sequence[float] = (1e-5, 1e-4, 1e-3, 1e-2),
        *,
        C: float = 1e-3,
        class_weight: Literal["balanced"] | Mapping | None = "balanced",
        tol: float = 1e-2,
        cv: Any = None,
        random_state: int = 0,
    ) -> None:
        self.Cs = Cs
        self.C = C
        self.class_weight = class_weight
        self.tol = tol
        self.cv = cv
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Sequence[float] | None = None,
        groups: Sequence | None = None,
    ) -> PrimalSVCCV:
        """Choose the penalty on the inner folds and fit all clips with it.

        Parameters
        ----------
        X : array-like [shape=(n, d)]
        y : array-like [shape=(n,)]
        sample_weight : array-like [shape=(n,)], optional
            A weight of 2 is as good as giving the clip twice, in standardising, fitting and scoring.
        groups : array-like [shape=(n,)], optional
            Speakers.

        Raises
        ------
        ValueError
            An unknown class weight, fewer than two classes, or a fold that trains without one of them.
        """
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        weight = np.ones(len(y)) if sample_weight is None else _check_sample_weight(sample_weight, X)
        self.classes_, codes = encoded(y, weight)
        self.best_params_ = {"C": self.C}
        splits = resolve(self.cv, y, groups, self.random_state)
        self.tuned_ = splits is not None
        if splits is not None:
            self._tune(X, codes, weight, splits)
        self.scaler_, (self.svc_,) = self._learn(X, codes, weight, [self.best_params_["C"]])
        return self

    def _learn(
        self, X: np.ndarray, codes: np.ndarray, weight: np.ndarray, Cs: Sequence[float]
    ) -> tuple[StandardScaler, list[LinearSVC]]:
        """The scaler that some clips give, and a machine for every penalty."""
        there = weight > 0
        if not there.all():
            X, codes, weight = X[there], codes[there], weight[there]
        scaler = StandardScaler().fit(X, sample_weight=weight)
        Z = scaler.transform(X)
        weighed = weigh(self.class_weight, self.classes_[codes], weight)
        with config_context(assume_finite=True):
            machines = [LinearSVC(C=C, dual=False, tol=self.tol).fit(Z, codes, weighed) for C in Cs]
        return scaler, machines

    def _tune(
        self,
        X: np.ndarray,
        codes: np.ndarray,
        weight: np.ndarray,
        splits: list[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        recalls = np.empty((len(self.Cs), len(splits)))
        outside: list[list[np.ndarray]] = [[] for _ in self.Cs]  # decision values of the clips left out
        for fold, (train, test) in enumerate(splits):
            present = np.unique(codes[train][weight[train] > 0])
            if len(present) < len(self.classes_):
                lacking = self.classes_[np.setdiff1d(np.arange(len(self.classes_)), present)[0]]
                raise ValueError(f"cv: fold {fold} trains without the class '{lacking}'; make fewer folds")
            scaler, machines = self._learn(X[train], codes[train], weight[train], self.Cs)
            Z = scaler.transform(X[test])
            for index, machine in enumerate(machines):
                scores = _scores(machine, Z)
                recalls[index, fold] = uar(codes[test], scores.argmax(axis=1), weight[test])
                outside[index].append(scores)
        grid = [{"C": C} for C in self.Cs]
        self.cv_results_, self.best_index_ = results(grid, recalls)
        self.best_params_ = grid[self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        rows = np.concatenate([test for _, test in splits])
        self.sharpness_ = calibration.fit_sharpness(
            np.concatenate(outside[self.best_index_]), codes[rows], weight[rows]
        )

    def _judge(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return _scores(self.svc_, self.scaler_.transform(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Distance from the rest, for every class [shape=(n, classes)]; of two, the second's [shape=(n,)]."""
        scores = self._judge(X)
        return scores[:, 1] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Class of every clip [shape=(n,)]."""
        codes = self._judge(X).argmax(axis=1)
        return self.classes_[codes]

    @available_if(calibration.possible)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [shape=(n, classes)], calibrated on the inner folds; their argmax is `predict`."""
        return probabilities(self._judge(X), self.sharpness_)


def _scores(machine: LinearSVC, Z: np.ndarray) -> np.ndarray:
    """Decision values [shape=(n, classes)] of standardised clips."""
    with config_context(assume_finite=True):
        scores = machine.decision_function(Z)
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
