"""Kernel ridges of feature groups whose scores are weighed by a second classifier instead of summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import log_softmax

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
    kernels, feature_groups, whole, alphas, alpha, memory_limit, cv, random_state
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


class ShrunkStackingCV(KernelRidgeClassifierCV):
    """`KernelRidgeClassifierCV` that weighs the scores of groups as far from adding them as it pays.

    The weights are those of a logistic regression on scores of clips left out in the inner folds, as in
    `StackedKernelRidgeCV`. But its penalty draws them towards the same weight for every group, which is the
    sum, instead of towards nothing: a Gaussian prior around the sum. How wide it is, is chosen among the same
    scores: each inner fold is judged by a regression on the others, by log-loss. Of few speakers, whose folds
    contradict each other, the narrowest is chosen, and the scores are summed.

    Parameters
    ----------
    kernels, feature_groups, whole, alphas, alpha, memory_limit, cv, random_state
        As in `KernelRidgeClassifierCV`.
    widths : sequence of float >= 0
        Grid of variances of the prior, in units in which the scores have a mean square of 1; 0 is the sum.

    Attributes
    ----------
    best_params_ : dict
        "alpha", and "width" of the prior.
    weights_ : np.ndarray [shape=(groups * classes, classes)] or None
        Coefficients on the groups' scores; None where nothing could be tuned, and these are summed.
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
        memory_limit: float = 8.0,
        widths: Sequence[float] = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1),
        cv: Any = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            kernels,
            feature_groups=feature_groups,
            whole=whole,
            alphas=alphas,
            alpha=alpha,
            memory_limit=memory_limit,
            cv=cv,
            random_state=random_state,
        )
        self.widths = widths

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Sequence[float] | None = None,
        groups: Sequence | None = None,
    ) -> ShrunkStackingCV:
        """As `KernelRidgeClassifierCV.fit`, and the weights of the groups from the inner folds."""
        self.weights_ = self.bias_ = None
        super().fit(X, y, sample_weight, groups)
        return self

    def _calibrate(
        self, scores: np.ndarray, codes: np.ndarray, weight: np.ndarray, folds: np.ndarray
    ) -> None:
        balanced = balanced_weights(codes, weight)
        crossed = np.empty((len(self.widths), *scores.shape[1:]))
        for fold in np.unique(folds):
            out = folds == fold
            for place, width in enumerate(self.widths):
                learned = _near_the_sum(scores[:, ~out], codes[~out], weight[~out], width)
                crossed[place, out] = _weighed(scores[:, out], *learned)
        sharpness = [calibration.fit_sharpness(each, codes, weight) for each in crossed]
        losses = [
            _log_loss(each * factor, codes, balanced) for each, factor in zip(crossed, sharpness, strict=True)
        ]
        best = int(np.argmin(losses))
        self.best_params_ = {**self.best_params_, "width": self.widths[best]}
        self.sharpness_ = sharpness[best]
        self.weights_, self.bias_ = _near_the_sum(scores, codes, weight, self.widths[best])

    def _combined(self, scores: np.ndarray) -> np.ndarray:
        if self.weights_ is None:
            return super()._combined(scores)
        return _weighed(scores, self.weights_, self.bias_)


def _near_the_sum(
    scores: np.ndarray, codes: np.ndarray, weight: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a logistic regression whose prior, of this variance, is around the plain sum.

    Parameters
    ----------
    scores : np.ndarray [shape=(groups, n, classes)]
    codes : np.ndarray [shape=(n,), dtype=int]
    weight : np.ndarray [shape=(n,)]
    width : float >= 0
    """
    from scipy.optimize import minimize

    groups, _, classes = scores.shape
    there = weight > 0
    scores, codes, weight = scores[:, there], codes[there], weight[there]
    features = _side_by_side(scores)
    scale = np.sqrt(np.average(np.mean(features**2, axis=1), weights=weight)) or 1.0
    weight = balanced_weights(codes, weight)
    sharpness = calibration.fit_sharpness(scores.sum(axis=0), codes, weight)
    summed = np.tile(np.eye(classes), (groups, 1))
    if width == 0:
        return summed, np.zeros(classes)
    features = np.column_stack([features / scale, np.ones(len(codes))])
    ahead = sharpness * scores.sum(axis=0)
    truth = np.eye(classes)[codes]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        moved = flat.reshape(-1, classes)
        logarithms = log_softmax(ahead + features @ moved, axis=1)
        slope = features.T @ (weight[:, None] * (np.exp(logarithms) - truth)) + moved / width
        return float(np.sum(flat**2) / (2 * width) - weight @ logarithms[truth > 0]), slope.ravel()

    start = np.zeros(features.shape[1] * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-10})
    moved = found.x.reshape(-1, classes)
    return summed + moved[:-1] / (scale * sharpness), moved[-1] / sharpness


def _log_loss(scores: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> float:
    chosen = log_softmax(scores, axis=1)[np.arange(len(codes)), codes]
    return -float(np.average(chosen, weights=weight))


def _side_by_side(scores: np.ndarray) -> np.ndarray:
    groups, n, classes = scores.shape
    return scores.transpose(1, 0, 2).reshape(n, groups * classes)


def _weighed(scores: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return _side_by_side(scores) @ weights + bias
