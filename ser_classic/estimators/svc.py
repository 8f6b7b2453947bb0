"""Support vector machines tuned over speaker folds: by kernels, or in the primal for any number of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.svm import SVC, LinearSVC

from ser_classic.estimators.folds import Split, balanced_weights
from ser_classic.estimators.tuned import Clips, Grid, Outputs, TunedClassifier, fit_coupling
from ser_classic.machines import Gaussians, Linear, Machine, Pairs, Part, Standardise
from ser_classic.machines.formulas import exact


@dataclass(eq=False, repr=False)
class SVCCV(TunedClassifier):
    """Support vector classifier on standardised features, tuned by unweighted average recall.

    It chooses and predicts exactly as
    `GridSearchCV(make_pipeline(StandardScaler(), SVC(class_weight="balanced", break_ties=True)), ...,
    scoring="balanced_accuracy")`, but standardises once per fold and computes every kernel matrix of the grid
    from one matrix of inner products or squared distances.

    Parameters
    ----------
    Cs : sequence of float > 0
        Grid of penalties.
    gammas : sequence of float > 0
        Grid of RBF widths as multiples of `1 / n_features`, which is scikit-learn's "auto" and, on
        standardised features, its "scale". The linear kernel has none.
    C, gamma : float > 0
        Used if nothing can be tuned.
    tol : float > 0
        As in SVC.
    cv
        As in `TunedClassifier`, like the attributes.
    """

    kernel: Literal["linear", "rbf"] = "rbf"
    _: KW_ONLY
    Cs: Sequence[float] = (0.1, 1.0, 10.0, 100.0)
    gammas: Sequence[float] = (0.25, 1.0, 4.0)
    C: float = 1.0
    gamma: float = 1.0
    tol: float = 1e-3

    _dtype = np.float64

    def _grid(self) -> Grid:
        if self.kernel not in ("linear", "rbf"):
            raise ValueError(f"kernel: {self.kernel!r} is not known; expected 'linear' or 'rbf'")
        if self.kernel == "linear":
            return [{"C": C} for C in self.Cs]
        return [{"C": C, "gamma": gamma} for C in self.Cs for gamma in self.gammas]

    def _prepare(self, X: np.ndarray, splits: list[Split] | None) -> int:
        if splits is None:
            return 0
        # Between all clips and the fold's training part: inner products, those of left-out clips again with
        # the support vectors, and libsvm's cache of them in single precision, 200 MiB at most; for RBF
        # distances, and kernels of two widths, as one is made while the last one still exists, when there is
        # no cache. And features in double precision: as given, those of a fold, and both standardised.
        fitted = max(len(train) for train, _ in splits)
        kernels = 8 * len(X) * fitted
        if self.kernel == "linear":
            kernels += 8 * (len(X) - fitted) * fitted + min(4 * fitted**2, 200 << 20)
        else:
            kernels *= 3
        return kernels + 4 * 8 * X.size

    def _left_out(self, clips: Clips, T: np.ndarray, grid: Grid) -> Outputs:
        Z = clips.X
        if self.kernel == "linear":
            inner, inner_test = Z @ Z.T, T @ Z.T
        else:
            inner, inner_test = cdist(Z, Z, "sqeuclidean"), cdist(T, Z, "sqeuclidean")
        for gamma in dict.fromkeys(candidate.get("gamma") for candidate in grid):
            kernel, kernel_test = inner, inner_test
            if gamma is not None:
                scaled = [-gamma / Z.shape[1] * part for part in (inner, inner_test)]
                kernel, kernel_test = (np.exp(part, out=part) for part in scaled)  # in place: they are large
            for index, candidate in enumerate(grid):
                if candidate.get("gamma") == gamma:
                    svc = self._fitted(candidate, "precomputed", kernel, clips)
                    yield index, margins(svc)(kernel_test[:, svc.support_])

    def _learn(self, X: np.ndarray, scaler: Standardise, clips: Clips) -> tuple[Part, ...]:
        svc = self._fitted(self.best_params_, self.kernel, clips.X, clips)
        if self.kernel == "linear":
            return scaler, kernel_machine(svc, clips.X[svc.support_])
        return (kernel_machine(svc, X[svc.support_], scaler),)

    def _fitted(self, params: dict[str, Any], kernel: str, K: np.ndarray, clips: Clips) -> SVC:
        gamma = params["gamma"] / self.n_features_in_ if "gamma" in params else "scale"
        with config_context(assume_finite=True):
            weight = balanced_weights(clips.codes, clips.weight)
            return SVC(C=params["C"], kernel=kernel, gamma=gamma, tol=self.tol).fit(K, clips.codes, weight)

    def _end(self, classes: int) -> Machine:
        return Machine((), Pairs(self.sharpness_, break_ties=True))

    def _calibrate(self, left_out: Clips, folds: np.ndarray) -> None:
        self.sharpness_ = fit_coupling(*left_out)


def margins(svc: SVC) -> Linear:
    """The part from kernels with the support vectors to margins of pairs, positive for the first class."""
    dual, offset = svc.dual_coef_, svc.intercept_
    if len(svc.classes_) == 2:  # scikit-learn's sign favours the second
        dual, offset = -dual, -offset
    ends = np.cumsum(svc.n_support_)
    own = [slice(end - count, end) for end, count in zip(ends, svc.n_support_, strict=True)]
    weights = np.zeros((dual.shape[1], len(offset)))
    for pair, (first, second) in enumerate(zip(*np.triu_indices(len(svc.classes_), 1), strict=True)):
        weights[own[first], pair] = dual[second - 1, own[first]]
        weights[own[second], pair] = dual[first, own[second]]
    return Linear(weights, offset)


def kernel_machine(svc: SVC, vectors: np.ndarray, scaler: Standardise | None = None) -> Linear | Gaussians:
    """The part from features to margins; `vectors` are the support vectors, not yet scaled.

    Raises
    ------
    ValueError
        The kernel is neither linear nor RBF, or its gamma is "scale".
    """
    last = margins(svc)
    if svc.kernel == "linear":
        return Linear(vectors.T.astype(np.float64) @ last.weights, last.offset)
    if svc.kernel != "rbf" or svc.gamma == "scale":
        raise ValueError(
            f"kernel {svc.kernel!r}, gamma {svc.gamma!r}; expected 'linear' or 'rbf', and a number or 'auto'"
        )
    gamma = 1 / svc.n_features_in_ if svc.gamma == "auto" else svc.gamma
    return Gaussians(scaler, exact(vectors), float(gamma), last.weights, last.offset)


@dataclass(eq=False, repr=False)
class PrimalSVCCV(TunedClassifier):
    """Linear support vector classifier on standardised features, tuned by unweighted average recall.

    LIBLINEAR's trust-region Newton method in the primal (Fan et al. 2008): every class against the rest,
    squared hinge loss. Time and memory grow linearly with the number of clips, where `SVCCV` needs a matrix
    of clips by clips. The two differ: `SVCCV` compares pairs of classes, and uses the hinge loss. Clips keep
    the weight of their class also when they are part of the rest (unlike in LinearSVC).

    Parameters
    ----------
    Cs : sequence of float > 0
        Grid of penalties.
    C : float > 0
        Used if nothing can be tuned.
    tol : float > 0
        As in LinearSVC.
    cv
        As in `TunedClassifier`, like the attributes.
    """

    Cs: Sequence[float] = (1e-5, 1e-4, 1e-3, 1e-2)
    _: KW_ONLY
    C: float = 1e-3
    tol: float = 1e-2

    def _grid(self) -> Grid:
        return [{"C": C} for C in self.Cs]

    def _left_out(self, clips: Clips, T: np.ndarray, grid: Grid) -> Outputs:
        for index, candidate in enumerate(grid):
            yield index, self._fitted(candidate, clips)(T)

    def _learn(self, X: np.ndarray, scaler: Standardise, clips: Clips) -> tuple[Part, ...]:
        return scaler, self._fitted(self.best_params_, clips)

    def _fitted(self, params: dict[str, Any], clips: Clips) -> Linear:
        weight = balanced_weights(clips.codes, clips.weight)
        with config_context(assume_finite=True):
            svc = LinearSVC(C=params["C"], dual=False, tol=self.tol).fit(clips.X, clips.codes, weight)
        return Linear.of(svc.coef_, svc.intercept_, both=True)
