"""Kernel ridges of feature groups whose scores are weighted by a second classifier instead of summed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import log_softmax

from ser_classic.estimators.folds import balanced_weights
from ser_classic.estimators.ridge import KernelRidgeClassifierCV, summed
from ser_classic.estimators.tuned import Clips, fit_sharpness
from ser_classic.machines import Linear


@dataclass(eq=False, repr=False)
class StackedKernelRidgeCV(KernelRidgeClassifierCV):
    """`KernelRidgeClassifierCV` that weights the scores of groups instead of adding them.

    A logistic regression takes the groups' scores (Wolpert 1992, "Stacked generalization"). It is fitted with
    balanced weights on the clips that inner folds left out, so on speakers that were new to the ridges, and
    learns which group to trust for which class. If nothing can be tuned, there are no such scores, and they
    are summed.

    Parameters
    ----------
    kernels, feature_groups, whole, alphas, alpha, cv
        As in `KernelRidgeClassifierCV`, like the attributes.
    stack_C : float > 0
        Inverse strength of the logistic regression's penalty, like scikit-learn's `C`.
    """

    stack_C: float = field(default=0.02, kw_only=True)

    def _calibrate(self, left_out: Clips, folds: np.ndarray) -> None:
        clips = _by_group(left_out, len(self.classes_))
        crossed = _crossed(clips, folds, self._stack)
        self.sharpness_ = fit_sharpness(crossed, clips.codes, clips.weight)
        self.together_ = self._stack(clips)

    def _stack(self, clips: Clips) -> Linear:
        """Weights of a logistic regression."""
        from sklearn.linear_model import LogisticRegression

        scores, codes, weight = clips
        n, groups, classes = scores.shape
        if len(np.unique(codes)) < 2:  # nothing to learn from
            return summed(groups, classes)
        model = LogisticRegression(C=self.stack_C, tol=1e-6, max_iter=2000)
        model.fit(scores.reshape(n, -1), codes, sample_weight=balanced_weights(codes, weight))
        coefficients, offset = model.coef_, model.intercept_
        if len(model.classes_) == 2:
            coefficients, offset = np.vstack([-coefficients, coefficients]) / 2, np.r_[-offset, offset] / 2
        # A class without clips is never the first choice.
        weights = np.zeros((groups * classes, classes))
        bias = np.full(classes, offset.min() - 1e3)
        weights[:, model.classes_], bias[model.classes_] = coefficients.T, offset
        return Linear(weights, bias)


@dataclass(eq=False, repr=False)
class ShrunkStackingCV(KernelRidgeClassifierCV):
    """`KernelRidgeClassifierCV` with weights for the scores of groups that are shrunk towards their sum.

    The weights come from a logistic regression on scores of clips left out in the inner folds, as in
    `StackedKernelRidgeCV`, but its penalty shrinks them towards equal weights for all groups instead of zero:
    a Gaussian prior around the sum. Its width is chosen by log-loss on the same scores, those of each inner
    fold weighted by a regression on the others. With few speakers, whose folds contradict each other, the
    narrowest is chosen, and the scores are summed.

    Parameters
    ----------
    kernels, feature_groups, whole, alphas, alpha, cv
        As in `KernelRidgeClassifierCV`, like the attributes; `best_params_` also has the prior's "width".
    widths : sequence of float >= 0
        Grid of variances of the prior, relative to the mean square of the scores; 0 is the sum.
    """

    widths: Sequence[float] = field(default=(0.0, 0.001, 0.003, 0.01, 0.03, 0.1), kw_only=True)

    def _calibrate(self, left_out: Clips, folds: np.ndarray) -> None:
        clips = _by_group(left_out, len(self.classes_))
        _, codes, weight = clips
        balanced, rows = balanced_weights(codes, weight), np.arange(len(codes))
        sharpness, losses = [], []
        for width in self.widths:
            crossed = _crossed(clips, folds, partial(_near_the_sum, width=width))
            sharpness.append(fit_sharpness(crossed, codes, weight))
            right = log_softmax(crossed * sharpness[-1], axis=1)[rows, codes]
            losses.append(-float(np.average(right, weights=balanced)))
        best = int(np.argmin(losses))
        self.best_params_ = {**self.best_params_, "width": self.widths[best]}
        self.sharpness_ = sharpness[best]
        self.together_ = _near_the_sum(clips, self.widths[best])


def _by_group(left_out: Clips, classes: int) -> Clips:
    """Clips whose X are scores [shape=(n, groups, classes)]."""
    return left_out._replace(X=left_out.X.reshape(len(left_out.X), -1, classes))


def _crossed(clips: Clips, folds: np.ndarray, stack: Callable[[Clips], Linear]) -> np.ndarray:
    """Scores [shape=(n, classes)], those of each fold with weights from the others, so other speakers."""
    crossed = np.empty(clips.X[:, 0].shape)
    for fold in np.unique(folds):
        out = folds == fold
        crossed[out] = stack(clips.take(~out))(clips.X[out].reshape(out.sum(), -1))
    return crossed


def _near_the_sum(clips: Clips, width: float) -> Linear:
    """Weights of a logistic regression with a prior of this variance around the plain sum."""
    from scipy.optimize import minimize

    scores, codes, weight = clips
    n, groups, classes = scores.shape
    equal = summed(groups, classes)
    if width == 0 or n == 0:  # with one inner fold there are no others to learn from
        return equal
    features, total = scores.reshape(n, -1), scores.sum(axis=1)
    scale = np.sqrt(np.average(np.mean(features**2, axis=1), weights=weight)) or 1.0
    weight = balanced_weights(codes, weight)
    sharpness = fit_sharpness(total, codes, weight)
    features = np.column_stack([features / scale, np.ones(n)])
    ahead = sharpness * total
    truth = np.eye(classes)[codes]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        moved = flat.reshape(-1, classes)
        logarithms = log_softmax(ahead + features @ moved, axis=1)
        slope = features.T @ (weight[:, None] * (np.exp(logarithms) - truth)) + moved / width
        return float(np.sum(flat**2) / (2 * width) - weight @ logarithms[truth > 0]), slope.ravel()

    start = np.zeros(features.shape[1] * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-10})
    moved = found.x.reshape(-1, classes)
    return Linear(equal.weights + moved[:-1] / (scale * sharpness), moved[-1] / sharpness)
