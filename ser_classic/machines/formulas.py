"""Formulas for both fitting and predicting, in NumPy alone: kernels, votes of pairs, probabilities."""

from __future__ import annotations

import numpy as np


def exact(values: np.ndarray) -> np.ndarray:
    """In single precision, if that loses nothing."""
    single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values


def smallest(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers from 0, in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def sampled(count: int, most: int) -> np.ndarray:
    """Row numbers of `count` rows, or of `most` of them that lie evenly apart."""
    return np.unique(np.linspace(0, count - 1, most).astype(int))


def squares(Z: np.ndarray) -> np.ndarray:
    """Squared length [shape=(n,), dtype=float64] of every row."""
    return np.einsum("ij,ij->i", Z, Z, dtype=np.float64)


def gaussian(inner: np.ndarray, left: np.ndarray, right: np.ndarray, d: int, width: float) -> np.ndarray:
    """Kernel [shape=(n, m)] `exp(-D / (2 width))`, D the mean squared difference over `d` dimensions.

    From inner products [shape=(n, m)] of clips and anchors, and their squared lengths [shape=(n,) and (m,)].
    """
    D = np.multiply(inner, -2.0, dtype=np.float64)  # changed in place, as it may be large
    D += left[:, None]
    D += right
    np.maximum(D, 0, out=D)
    D *= -0.5 / (width * d)
    return np.exp(D, out=D)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities [shape=(n, k)] proportional to the exponentials of the scores."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def coupled(margins: np.ndarray, sharpness: float) -> np.ndarray:
    """Probabilities of k classes [shape=(n, k)], all above 0, from classifiers of pairs.

    A margin m gives the first of its two classes the probability 1 / (1 + exp(-sharpness * m)); margins
    [shape=(n, k * (k - 1) / 2)] are those of the classes (0, 1), (0, 2), ..., (1, 2), ... As pairs seldom
    agree, the probabilities p have the least sum of (r_ji p_i - r_ij p_j)^2 (Wu, Lin and Weng 2004,
    "Probability estimates for multi-class classification by pairwise coupling", second approach; libsvm's).
    """
    count, k = len(margins), _classes_of(margins.shape[1])
    first, second = np.triu_indices(k, 1)
    # Not 0 or 1, as in libsvm, so that the system below has one solution. Up to 700, exp is finite.
    favour = 1 / (1 + np.exp(np.clip(-sharpness * margins, -700, 700)))
    favour = np.clip(favour, 1e-7, 1 - 1e-7)
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


def agreed(p: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Probabilities [shape=(n, k)], changed so that the largest is that of the choice [shape=(n,)].

    If another is larger, the two are exchanged. If another is equal, because the scores differ by less than a
    float64 resolves, that of the choice is raised by one unit in the last place.
    """
    rows, best = np.arange(len(p)), p.argmax(axis=1)
    p = p.copy()
    p[rows, choice], p[rows, best] = p[rows, best], p[rows, choice]
    tied = p.argmax(axis=1) != choice
    p[rows[tied], choice[tied]] = np.nextafter(p[tied].max(axis=1), np.inf)
    return p


def votes(margins: np.ndarray) -> np.ndarray:
    """How many pairs vote for each class [shape=(n, k)]; a margin of 0 is for the first."""
    return _sums(np.where(margins < 0, 0.0, 1.0), np.where(margins < 0, 1.0, 0.0))


def ovr(margins: np.ndarray) -> np.ndarray:
    """Votes plus the sum of a class's margins, squashed below one half [shape=(n, k)]: SVC's "ovr"."""
    total = _sums(margins, -margins)
    return votes(margins) + total / (3 * (np.abs(total) + 1))


def _classes_of(pairs: int) -> int:
    """Number of classes with this number of pairs."""
    return round((1 + np.sqrt(1 + 8 * pairs)) / 2)


def _sums(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sum for each class over the pairs in which it is first, and those in which it is second."""
    k = _classes_of(first.shape[1])
    pairs = np.triu_indices(k, 1)
    return first @ np.eye(k)[pairs[0]] + second @ np.eye(k)[pairs[1]]
