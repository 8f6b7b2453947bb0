"""Probabilities from decision values by one temperature, which never changes the first choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax


def possible(estimator: Any) -> bool:
    """Whether a `...CV` estimator has, or will have when fitted, folds to calibrate its probabilities on.

    Raises
    ------
    AttributeError
        It has none; what `sklearn.utils.metaestimators.available_if` passes on.
    """
    if not getattr(estimator, "tuned_", estimator.cv is not None):
        raise AttributeError("predict_proba is calibrated on the folds of cv, and there are none")
    return True


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
    scale = np.abs(scores - scores.mean(axis=1, keepdims=True)).mean() or 1.0
    return _smallest_loss(lambda factor: log_softmax(factor * scores, axis=1), scale, truth, sample_weight)


def fit_coupling(margins: np.ndarray, truth: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Factor on the margins of pairs whose `coupled` probabilities have the smallest log-loss.

    Parameters
    ----------
    margins : np.ndarray [shape=(n, pairs)]
        As in `coupled`, of clips that the classifier was not trained on.
    truth : np.ndarray [shape=(n,), dtype=int]
        Number of the right class.
    sample_weight : np.ndarray [shape=(n,)], optional

    Returns
    -------
    float > 0
    """
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


def coupled(margins: np.ndarray, sharpness: float) -> np.ndarray:
    """Probabilities of classes from classifiers of pairs.

    A margin m says that of its two classes the first has the probability 1 / (1 + exp(-sharpness * m)). All
    pairs seldom agree; the probabilities p are those with the least sum of (r_ji p_i - r_ij p_j)^2 (Wu, Lin
    and Weng 2004, "Probability estimates for multi-class classification by pairwise coupling", second
    approach; libsvm's).

    Parameters
    ----------
    margins : np.ndarray [shape=(n, k * (k - 1) / 2)]
        Of the classes (0, 1), (0, 2), ..., (1, 2), ...; positive in favour of the first.
    sharpness : float

    Returns
    -------
    np.ndarray [shape=(n, k), dtype=float64]
        Above 0; rows sum to 1.
    """
    count, pairs = margins.shape
    k = round((1 + np.sqrt(1 + 8 * pairs)) / 2)
    first, second = np.triu_indices(k, 1)
    # Kept off 0 and 1, as in libsvm, so that the system below has one solution.
    favour = np.clip(expit(sharpness * margins), 1e-7, 1 - 1e-7)
    r = np.zeros((count, k, k))
    r[:, first, second], r[:, second, first] = favour, 1 - favour
    system = np.ones((count, k + 1, k + 1))
    system[:, :k, :k] = -r * r.transpose(0, 2, 1)
    system[:, np.arange(k), np.arange(k)] = np.square(r).sum(axis=1)
    system[:, k, k] = 0
    target = np.zeros((count, k + 1, 1))
    target[:, k] = 1
    p = np.maximum(np.linalg.solve(system, target)[:, :k, 0], 1e-12)
    return p / p.sum(axis=1, keepdims=True)


def led_by(p: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Probabilities [shape=(n, k)] whose largest belongs to the choice [shape=(n,)].

    Where it does not, the two are exchanged; where it is not alone, it is raised by one unit in the last
    place.
    """
    rows, best = np.arange(len(p)), p.argmax(axis=1)
    p = p.copy()
    p[rows, choice], p[rows, best] = p[rows, best], p[rows, choice]
    tied = p.argmax(axis=1) != choice
    p[rows[tied], choice[tied]] = np.nextafter(p[tied].max(axis=1), np.inf)
    return p
