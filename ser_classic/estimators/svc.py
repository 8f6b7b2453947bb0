"""Support vector machine tuned over speaker folds at the price of one kernel matrix per fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_classic.errors import SerClassicError
from ser_classic.estimators import calibration
from ser_classic.estimators.folds import encoded, resolve, results, uar, weigh
from ser_classic.estimators.kernels import GIB
from ser_classic.machines.formulas import coupled, led_by, rated, votes

MEMORY_LIMIT = 8.0  # [GiB] that the kernel matrices of tuning may take


class SVCCV(ClassifierMixin, BaseEstimator):
    """Support vector classifier on standardised features, tuned by unweighted average recall.

    It chooses and predicts as
    `GridSearchCV(make_pipeline(StandardScaler(), SVC(class_weight="balanced", break_ties=True)), ...,
    scoring="balanced_accuracy")` does, ties included, but standardises once per fold and takes every
    kernel matrix of the grid from the fold's one matrix of inner products or squared distances.

    Standardisation is part of the estimator because each inner fold needs its own. A StandardScaler in
    front is harmless and changes nothing.

    Parameters
    ----------
    kernel : {"linear", "rbf"}
    Cs : sequence of float > 0
        Grid of penalties.
    gammas : sequence of float > 0
        Grid of RBF widths as multiples of `1 / n_features`, which is scikit-learn's "auto" and, on
        standardised features, its "scale". The linear kernel has none.
    C, gamma : float > 0
        Used where nothing can be tuned: without `cv`, or when it is a number and there is one speaker.
    class_weight : "balanced", dict or None
    break_ties : bool
        As in SVC. If true, `predict` is the argmax of `decision_function`; if false, equal votes go to the
        first class.
    tol : float > 0
        As in SVC.
    cv : None, int, splitter or iterable of (train, test)
        Inner folds. A number makes that many folds by speaker if `groups` are given to `fit`, else
        stratified ones.
    random_state : int
        Seed of the deal when `cv` is a number and there are speakers; nothing else is random.

    Attributes
    ----------
    tuned_ : bool
        Whether the parameters were chosen on folds; if not, they are `C` and `gamma`.
    best_params_ : dict
        "C" and, for "rbf", "gamma" (a multiple, as in `gammas`).
    best_score_, best_index_, cv_results_
        As in GridSearchCV, if tuned.
    sharpness_ : float
        Factor on the margins between pairs of classes in `predict_proba`, if tuned.
    classes_ : np.ndarray [shape=(classes,)]
    scaler_ : StandardScaler
    svc_ : SVC
        Fitted on all standardised clips, with integer codes of the classes; gives margins of pairs.
    """

    def __init__(
        self,
        kernel: Literal["linear", "rbf"] = "rbf",
        *,
        Cs: Sequence[float] = (0.1, 1.0, 10.0, 100.0),
        gammas: Sequence[float] = (0.25, 1.0, 4.0),
        C: float = 1.0,
        gamma: float = 1.0,
        class_weight: Literal["balanced"] | Mapping | None = "balanced",
        break_ties: bool = True,
        tol: float = 1e-3,
        cv: Any = None,
        random_state: int = 0,
    ) -> None:
        self.kernel = kernel
        self.Cs = Cs
        self.gammas = gammas
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight
        self.break_ties = break_ties
        self.tol = tol
        self.cv = cv
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Sequence[float] | None = None,
        groups: Sequence | None = None,
    ) -> SVCCV:
        """Choose the parameters on the inner folds and fit all clips with them.

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
            An unknown kernel or class weight, fewer than two classes, or a fold that trains on one class.
        SerClassicError
            The kernel matrices of an inner fold need more than `MEMORY_LIMIT`.
        """
        if self.kernel not in ("linear", "rbf"):
            raise ValueError(f"kernel: {self.kernel!r} is not known; expected 'linear' or 'rbf'")
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        self.classes_, codes = encoded(y, weight)
        self.best_params_ = {"C": self.C} if self.kernel == "linear" else {"C": self.C, "gamma": self.gamma}
        splits = resolve(self.cv, y, groups, self.random_state)
        self.tuned_ = splits is not None
        if splits is not None:
            self._refuse_too_large(*X.shape, max(len(train) for train, _ in splits))
            self._tune(X, codes, weight, splits)
        self.scaler_ = StandardScaler().fit(X, sample_weight=weight)
        self.svc_ = self._machine(self.best_params_, self.kernel, X.shape[1])
        with config_context(assume_finite=True):
            self.svc_.fit(self.scaler_.transform(X), codes, self._weigh(codes, weight))
        return self

    def _refuse_too_large(self, n: int, d: int, trained: int) -> None:
        # Of all clips with those of the fold's training part: the inner products; for RBF the distances and
        # the kernels of two widths, the next one being made while the last one is still there. And the
        # features in double precision: as they come, those of a fold, and both standardised.
        matrices = 1 if self.kernel == "linear" else 3
        needed = (matrices * 8 * n * trained + 4 * 8 * n * d) / GIB
        if needed > MEMORY_LIMIT:
            raise SerClassicError(
                f"tuning a support vector machine on {n} clips needs {needed:.3g} GiB for kernel matrices, "
                f"and the limit is {MEMORY_LIMIT:g}: use svm_primal (linear, in as many unknowns as there "
                "are features) or xgboost, whose memory grows with the clips and not with their square"
            )

    def _tune(self, X: np.ndarray, codes: np.ndarray, weight: np.ndarray | None, splits: list[tuple]) -> None:
        grid = [{"C": C, "gamma": gamma} for C in self.Cs for gamma in self.gammas]
        if self.kernel == "linear":
            grid = [{"C": C} for C in self.Cs]
        scores = np.empty((len(grid), len(splits)))
        outside: list[list[np.ndarray]] = [[] for _ in grid]  # margins of the clips left out ...
        whole: list[np.ndarray] = []  # ... and their rows, of the folds that train on every class
        for fold, (train, test) in enumerate(splits):
            if weight is not None:
                # libsvm confuses the rows of a precomputed kernel if some have no weight.
                train = train[weight[train] > 0]
            part = None if weight is None else weight[train]
            present = np.unique(codes[train])
            if len(present) < 2:
                raise ValueError(
                    f"cv: fold {fold} trains on one class, '{self.classes_[present[0]]}'; make fewer folds"
                )
            complete = len(present) == len(self.classes_)
            if complete:
                whole.append(test)
            weighed = self._weigh(codes[train], part)
            for index, fitted, kernel in self._machines(grid, X[train], codes[train], part, weighed, X[test]):
                margins = self._margins(fitted, kernel)
                guess = fitted.classes_[self._choice(margins)]
                scores[index, fold] = uar(codes[test], guess, None if weight is None else weight[test])
                if complete:
                    outside[index].append(margins)
        self.cv_results_, self.best_index_ = results(grid, scores)
        self.best_params_ = grid[self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        self.sharpness_ = 1.0
        if whole:
            rows = np.concatenate(whole)
            self.sharpness_ = calibration.fit_coupling(
                np.concatenate(outside[self.best_index_]),
                codes[rows],
                None if weight is None else weight[rows],
            )

    def _machines(
        self,
        grid: list[dict],
        X: np.ndarray,
        codes: np.ndarray,
        weight: np.ndarray | None,
        weighed: np.ndarray | None,
        X_test: np.ndarray,
    ) -> Iterable[tuple[int, SVC, np.ndarray]]:
        """Number, fitted machine and test kernel of every candidate of the grid."""
        scaler = StandardScaler().fit(X, sample_weight=weight)
        Z, Z_test = scaler.transform(X), scaler.transform(X_test)
        if self.kernel == "linear":
            inner, inner_test = Z @ Z.T, Z_test @ Z.T
        else:
            inner, inner_test = cdist(Z, Z, "sqeuclidean"), cdist(Z_test, Z, "sqeuclidean")
        for gamma in dict.fromkeys(candidate.get("gamma") for candidate in grid):
            kernel, kernel_test = inner, inner_test
            if gamma is not None:
                kernel, kernel_test = (_shrunk(-gamma / X.shape[1], part) for part in (inner, inner_test))
            for index, candidate in enumerate(grid):
                if candidate.get("gamma") == gamma:
                    machine = self._machine(candidate, "precomputed", X.shape[1])
                    with config_context(assume_finite=True):
                        yield index, machine.fit(kernel, codes, weighed), kernel_test

    def _machine(self, params: dict, kernel: str, dimensions: int) -> SVC:
        gamma = params["gamma"] / dimensions if "gamma" in params else "scale"
        return SVC(C=params["C"], kernel=kernel, gamma=gamma, tol=self.tol, decision_function_shape="ovo")

    def _weigh(self, codes: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        return weigh(self.class_weight, self.classes_[codes], weight)

    def _margins(self, machine: SVC, X: np.ndarray) -> np.ndarray:
        """Margins [shape=(n, pairs)] of the pairs of classes, positive in favour of the first."""
        with config_context(assume_finite=True):
            margins = machine.decision_function(X)
        return -margins[:, None] if margins.ndim == 1 else margins

    def _choice(self, margins: np.ndarray) -> np.ndarray:
        """Number of the class that SVC predicts [shape=(n,)]."""
        if self.break_ties:
            return rated(margins).argmax(axis=1)
        return votes(margins).argmax(axis=1)

    def _judge(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._margins(self.svc_, self.scaler_.transform(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Decision values [shape=(n, classes), or (n,) for two classes] of clips [shape=(n, d)], as SVC's.

        Of more than two classes these are votes of pairs and a fraction below one half that breaks ties.
        """
        margins = self._judge(X)
        return -margins[:, 0] if len(self.classes_) == 2 else rated(margins)

    def predict(self, X: Any) -> np.ndarray:
        """Class of every clip [shape=(n,)]."""
        margins = self._judge(X)
        return self.classes_[self._choice(margins)]

    @available_if(calibration.possible)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [shape=(n, classes)], calibrated on the inner folds; their argmax is `predict`.

        They are coupled from the margins of pairs. Where the votes of the pairs choose another class than
        the coupled probabilities do, the probabilities of these two are exchanged.
        """
        margins = self._judge(X)
        return led_by(coupled(margins, self.sharpness_), self._choice(margins))


def _shrunk(factor: float, distances: np.ndarray) -> np.ndarray:
    """`exp(factor * distances)`, with one matrix more at a time and not two."""
    kernel = factor * distances
    return np.exp(kernel, out=kernel)
