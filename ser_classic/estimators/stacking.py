"""Kernel ridges of feature groups whose scores are weighed by a second classifier instead of summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ser_classic.estimators import calibration
from ser_classic.estimators.folds import balanced_weights
from ser_classic.estimators.kernels import KERNELS, Kernel
from ser_classic.estimators.ridge import KernelRidgeClassifierCV


class StackedKernelRidgeCV(KernelRidgeClassifierCV):
    """`KernelRidgeClassifierCV` that weighs the scores of groups instead of adding them.

    A logistic regression takes the groups' scores (Wolpert 1992, "Stacked generalization"). It is fitted,
    every class weighing the same, on clips that were left out in the inner folds, so of speakers whom the
    ridges had not heard, and learns which group to believe on which class. Where nothing can be tuned, there
    are no such scores; they are summed.

    Parameters
    ----------
    kernels, feature_groups, whole, alphas, alpha, solver, n_landmarks, memory_limit, cv, random_state
        As in `KernelRidgeClassifierCV`.
    stack_C : float > 0
        Inverse strength of the logistic regression's penalty, as `C` of scikit-learn's.

    Attributes
    ----------
    weights_ : np.ndarray [shape=(groups * classes, classes)] or None
        Coefficients on the groups' scores; None where these are summed.
    bias_ : np.ndarray [shape=(classes,)] or None
    """

    def __init__(
        self,
        kernels: Sequence[Kernel] = KERNELS,
        *,
        feature_groups: Literal["names"] | Mapping[str, Sequence] | None = None,
        whole: bool = True,
        alphas: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0),
        alpha: float = 0.1,
        solver: Literal["exact", "nystroem"] = "exact",
        n_landmarks: int = 2000,
        memory_limit: float = 8.0,
        stack_C: float = 0.02,
        cv: Any = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            kernels,
            feature_groups=feature_groups,
            whole=whole,
            alphas=alphas,
            alpha=alpha,
            solver=solver,
            n_landmarks=n_landmarks,
            memory_limit=memory_limit,
            cv=cv,
            random_state=random_state,
        )
        self.stack_C = stack_C

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Sequence[float] | None = None,
        groups: Sequence | None = None,
    ) -> StackedKernelRidgeCV:
        """As `KernelRidgeClassifierCV.fit`, and the weights of the groups from the inner folds."""
        self.weights_ = self.bias_ = None
        super().fit(X, y, sample_weight, groups)
        return self

    def _calibrate(
        self, scores: np.ndarray, codes: np.ndarray, weight: np.ndarray, folds: np.ndarray
    ) -> None:
        # Each fold is judged by a regression on the others, for the sharpness is one of unheard speakers.
        crossed = np.empty(scores.shape[1:])
        for fold in np.unique(folds):
            out = folds == fold
            learned = self._stack(scores[:, ~out], codes[~out], weight[~out])
            crossed[out] = _weighed(scores[:, out], *learned)
        self.sharpness_ = calibration.fit_sharpness(crossed, codes, weight)
        self.weights_, self.bias_ = self._stack(scores, codes, weight)

    def _stack(
        self, scores: np.ndarray, codes: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias of a logistic regression on the scores of the groups."""
        from sklearn.linear_model import LogisticRegression

        there = weight > 0
        if len(np.unique(codes[there])) < 2:  # nothing to tell apart: summed
            return np.tile(np.eye(scores.shape[2]), (len(scores), 1)), np.zeros(scores.shape[2])
        model = LogisticRegression(C=self.stack_C, tol=1e-6, max_iter=2000).fit(
            _side_by_side(scores[:, there]),
            codes[there],
            sample_weight=balanced_weights(codes[there], weight[there]),
        )
        coefficients, offset = model.coef_, model.intercept_
        if len(model.classes_) == 2:
            coefficients, offset = np.vstack([-coefficients, coefficients]) / 2, np.r_[-offset, offset] / 2
        # A class that none of these clips is of is never the first choice.
        weights = np.zeros((coefficients.shape[1], scores.shape[2]))
        bias = np.full(scores.shape[2], offset.min() - 1e3)
        weights[:, model.classes_], bias[model.classes_] = coefficients.T, offset
        return weights, bias

    def _combined(self, scores: np.ndarray) -> np.ndarray:
        if self.weights_ is None:
            return super()._combined(scores)
        return _weighed(scores, self.weights_, self.bias_)


def _side_by_side(scores: np.ndarray) -> np.ndarray:
    groups, n, classes = scores.shape
    return scores.transpose(1, 0, 2).reshape(n, groups * classes)


def _weighed(scores: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return _side_by_side(scores) @ weights + bias
