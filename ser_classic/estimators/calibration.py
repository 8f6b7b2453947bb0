"""Probabilities from decision values by one temperature, which never changes the first choice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from ser_classic.machines.formulas import coupled


def fit_sharpness(scores: np.ndarray, truth: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Factor on the scores (one over the temperature) whose softmax has the smallest log-loss.

    Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"), on decision values
    [shape=(n, classes)] of clips that the classifier was not trained on; the truth is a column of them.
    """
    scale = np.abs(scores - scores.mean(axis=1, keepdims=True)).mean() or 1.0
    return _smallest_loss(lambda factor: log_softmax(factor * scores, axis=1), scale, truth, sample_weight)


def fit_coupling(margins: np.ndarray, truth: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """The same for margins [shape=(n, pairs)] of pairs of classes and their `coupled` probabilities."""
    scale = np.abs(margins).mean() or 1.0
    return _smallest_loss(lambda factor: np.log(coupled(margins, factor)), scale, truth, sample_weight)


def _smallest_loss(
    logarithms: Callable[[float], np.ndarray],
    scale: float,
    truth: np.ndarray,
    sample_weight: np.ndarray | None,
) -> float:
    """Factor, in units of 1 / scale, for which the log-probabilities [shape=(n, classes)] fit best."""
    rows = np.arange(len(truth))

    def loss(logarithm: float) -> float:
        right = logarithms(np.exp(logarithm) / scale)[rows, truth]
        return float(-np.average(right, weights=sample_weight))

    # The log-loss of a softmax is convex in the factor, hence has one valley in its logarithm too.
    best = minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x) / scale)
