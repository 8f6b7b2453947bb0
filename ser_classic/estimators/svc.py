"""Support vector machines tuned over speaker folds: by kernels, or in the primal for any number of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.svm import SVC, LinearSVC

from ser_classic.errors import SerClassicError
from ser_classic.estimators.folds import GIB, Split, weigh
from ser_classic.estimators.tuned import Clips, Grid, Outputs, TunedClassifier, fit_coupling
from ser_classic.machines import Pairs
from ser_classic.machines.formulas import rated
from ser_classic.machines.parts import Judged

MEMORY_LIMIT = 8.0  # [GiB] that the kernel matrices of tuning may take


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
    class_weight, break_ties, tol
        As in SVC. Without `break_ties`, equal votes go to the first class.
    cv, random_state
        As in `TunedClassifier`, like the attributes that are not listed here.

    Attributes
    ----------
    svc_ : SVC
        Fitted on all standardised clips, with integer codes as classes; gives margins of pairs.
    """

    kernel: Literal["linear", "rbf"] = "rbf"
    _: KW_ONLY
    Cs: Sequence[float] = (0.1, 1.0, 10.0, 100.0)
    gammas: Sequence[float] = (0.25, 1.0, 4.0)
    C: float = 1.0
    gamma: float = 1.0
    class_weight: Literal["balanced"] | Mapping | None = "balanced"
    break_ties: bool = True
    tol: float = 1e-3

    _dtype = np.float64

    def _grid(self) -> Grid:
        if self.kernel not in ("linear", "rbf"):
            raise ValueError(f"kernel: {self.kernel!r} is not known; expected 'linear' or 'rbf'")
        if self.kernel == "linear":
            return [{"C": C} for C in self.Cs]
        return [{"C": C, "gamma": gamma} for C in self.Cs for gamma in self.gammas]

    def _prepare(self, X: np.ndarray, splits: list[Split] | None) -> None:
        if splits is None:
            return
        # Between all clips and the fold's training part: inner products; for RBF distances, and kernels of
        # two widths, as one is made while the last one still exists. And features in double precision: as
        # given, those of a fold, and both standardised.
        n, d = X.shape
        matrices = 1 if self.kernel == "linear" else 3
        needed = (matrices * 8 * n * max(len(train) for train, _ in splits) + 4 * 8 * n * d) / GIB
        if needed > MEMORY_LIMIT:
            raise SerClassicError(
                f"tuning a support vector machine on {n} clips needs {needed:.3g} GiB for kernels, of "
                f"{MEMORY_LIMIT:g} allowed: use svm_primal (linear) or xgboost, which need far less"
            )

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
                    yield index, _margins(self._fitted(candidate, "precomputed", kernel, clips), kernel_test)

    def _fit_best(self, clips: Clips) -> None:
        self.svc_ = self._fitted(self.best_params_, self.kernel, clips.X, clips)

    def _fitted(self, params: dict[str, Any], kernel: str, K: np.ndarray, clips: Clips) -> SVC:
        gamma = params["gamma"] / self.n_features_in_ if "gamma" in params else "scale"
        machine = SVC(C=params["C"], kernel=kernel, gamma=gamma, tol=self.tol, decision_function_shape="ovo")
        with config_context(assume_finite=True):
            weight = weigh(self.class_weight, self.classes_[clips.codes], clips.weight)
            return machine.fit(K, clips.codes, weight)

    def _outputs(self, Z: np.ndarray) -> np.ndarray:
        return _margins(self.svc_, Z)

    def _scores(self, outputs: np.ndarray) -> np.ndarray:
        return rated(outputs)

    def _decide(self, outputs: np.ndarray) -> Judged:
        return Pairs(self.sharpness_, self.break_ties)(outputs)

    def _calibrate(self, left_out: Clips, folds: np.ndarray) -> None:
        self.sharpness_ = fit_coupling(*left_out)

    def _lead(self, outputs: np.ndarray) -> np.ndarray:
        return -outputs[:, 0]


def _margins(machine: SVC, X: np.ndarray) -> np.ndarray:
    """Margins [shape=(n, pairs)] between pairs of classes, positive for the first."""
    with config_context(assume_finite=True):
        margins = machine.decision_function(X)
    return -margins[:, None] if margins.ndim == 1 else margins


@dataclass(eq=False, repr=False)
class PrimalSVCCV(TunedClassifier):
    """Linear support vector classifier on standardised features, tuned by unweighted average recall.

    LIBLINEAR's trust-region Newton method in the primal (Fan et al. 2008): every class against the rest,
    squared hinge loss. Time and memory grow linearly with the number of clips, where `SVCCV` needs a matrix
    of clips by clips. The two differ: `SVCCV` compares pairs of classes, and uses the hinge loss.

    Parameters
    ----------
    Cs : sequence of float > 0
        Grid of penalties.
    C : float > 0
        Used if nothing can be tuned.
    class_weight : "balanced", dict or None
        Weights of a class's clips, also when they are part of the rest (unlike in LinearSVC).
    cv, random_state
        As in `TunedClassifier`, like the attributes that are not listed here.

    Attributes
    ----------
    svc_ : LinearSVC
        Fitted on all standardised clips, with integer codes as classes.
    """

    Cs: Sequence[float] = (1e-5, 1e-4, 1e-3, 1e-2)
    _: KW_ONLY
    C: float = 1e-3
    class_weight: Literal["balanced"] | Mapping | None = "balanced"
    tol: float = 1e-2

    def _grid(self) -> Grid:
        return [{"C": C} for C in self.Cs]

    def _left_out(self, clips: Clips, T: np.ndarray, grid: Grid) -> Outputs:
        for index, candidate in enumerate(grid):
            yield index, _scores(self._fitted(candidate, clips), T)

    def _fit_best(self, clips: Clips) -> None:
        self.svc_ = self._fitted(self.best_params_, clips)

    def _fitted(self, params: dict[str, Any], clips: Clips) -> LinearSVC:
        weight = weigh(self.class_weight, self.classes_[clips.codes], clips.weight)
        with config_context(assume_finite=True):
            return LinearSVC(C=params["C"], dual=False, tol=self.tol).fit(clips.X, clips.codes, weight)

    def _outputs(self, Z: np.ndarray) -> np.ndarray:
        return _scores(self.svc_, Z)

    def _lead(self, outputs: np.ndarray) -> np.ndarray:
        return outputs[:, 1]


def _scores(machine: LinearSVC, Z: np.ndarray) -> np.ndarray:
    """Decision values [shape=(n, classes)] of standardised clips."""
    with config_context(assume_finite=True):
        scores = machine.decision_function(Z)
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
