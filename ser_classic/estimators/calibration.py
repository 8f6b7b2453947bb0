"""Probabilities from decision values by one temperature, which never changes the first choice."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax


def fit_sharpness(scores: np.ndarray, truth: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Factor on the scores (one over the temperature) whose softmax has the smallest log-loss.

    Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"), on decision
    values of clips that the classifier was not trained on.

    Parameters
    ----------
    scores : np.ndarray [shape=(n, classes)]
    truth : np.ndarray [shape=(n,), dtype=int]
        Column of the right class.
    sample_weight : np.ndarray [shape=(n,)], optional

    Returns
    -------
    float > 0
    """
    rows = np.arange(len(truth))
    scale = np.abs(scores - scores.mean(axis=1, keepdims=True)).mean() or 1.0

    def loss(logarithm: float) -> float:
        right = log_softmax(np.exp(logarithm) / scale * scores, axis=1)[rows, truth]
        return float(-np.average(right, weights=sample_weight))

    # The log-loss is convex in the factor, hence has one valley in its logarithm too.
    best = minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x) / scale)


def probabilities(scores: np.ndarray, sharpness: float) -> np.ndarray:
    """Softmax of the sharpened scores [shape=(n, classes)]; its largest entry is theirs, always.

    Scores closer than the resolution of a float64 near 1 would round to equal probabilities; the
    better one is then raised by one unit in the last place.
    """
    p = softmax(sharpness * scores, axis=1)
    rows, best = np.arange(len(p)), scores.argmax(axis=1)
    tied = p.argmax(axis=1) != best
    p[rows[tied], best[tied]] = np.nextafter(p[tied].max(axis=1), np.inf)
    return p


def two_columns(decision: np.ndarray) -> np.ndarray:
    """Scores [shape=(n, classes)] of a decision function, which for two classes is [shape=(n,)]."""
    return np.column_stack([-decision / 2, decision / 2]) if decision.ndim == 1 else decision
