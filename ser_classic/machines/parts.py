"""Parts of machines: arrays, and what is computed with them.

A part takes what the part before it gives. Where its arrays do not fit together, NumPy raises an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ser_classic.machines.formulas import gaussian, squares

BLOCK = 1024  # clips worked on at once


class Part(Protocol):
    """A step from columns to columns."""

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """What comes out [shape=(n, any)] of what goes in [shape=(n, columns)]."""
        ...


@dataclass(frozen=True, eq=False)
class Standardise:
    """Every column less its mean, over its scale, in their precision.

    Attributes
    ----------
    mean, scale : np.ndarray [shape=(d,), dtype=float32 or float64]
    limit : float, optional
        Hold the result within so many scales.
    """

    mean: np.ndarray
    scale: np.ndarray
    limit: float | None = None

    def __call__(self, X: np.ndarray) -> np.ndarray:
        Z = (X.astype(self.mean.dtype, copy=False) - self.mean) / self.scale
        return Z if self.limit is None else Z.clip(-self.limit, self.limit)


@dataclass(frozen=True, eq=False)
class Constant:
    """The same values whatever comes in.

    Attributes
    ----------
    values : np.ndarray [shape=(k,)]
    """

    values: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return np.tile(self.values, (len(X), 1))


@dataclass(frozen=True, eq=False)
class Linear:
    """`X @ weights + offset`.

    Attributes
    ----------
    weights : np.ndarray [shape=(d, k)]
    offset : np.ndarray [shape=(k,)]
    """

    weights: np.ndarray
    offset: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return X @ self.weights + self.offset


ACTIVATIONS = {
    "relu": lambda X: np.maximum(X, 0),
    "tanh": np.tanh,
    "logistic": lambda X: 0.5 + 0.5 * np.tanh(0.5 * X),
}


@dataclass(frozen=True, eq=False)
class Activation:
    """A function of every value: one of `ACTIVATIONS`."""

    function: str

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return ACTIVATIONS[self.function](X)


@dataclass(frozen=True, eq=False)
class Gaussians:
    """`exp(-gamma D²) @ weights + offset`, D the distances from some vectors.

    Attributes
    ----------
    scaler : Standardise or None
        What is done to all that comes in, and to the vectors.
    vectors : np.ndarray [shape=(m, d)]
    gamma : float > 0
    weights : np.ndarray [shape=(m, k)]
    offset : np.ndarray [shape=(k,)]
    """

    scaler: Standardise | None
    vectors: np.ndarray
    gamma: float
    weights: np.ndarray
    offset: np.ndarray

    @cached_property
    def places(self) -> np.ndarray:
        """The vectors, standardised [shape=(m, d), dtype=float64]."""
        return self._placed(self.vectors)

    def _placed(self, X: np.ndarray) -> np.ndarray:
        return (X if self.scaler is None else self.scaler(X)).astype(np.float64, copy=False)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        Z, V = self._placed(X), self.places
        K = gaussian(Z @ V.T, squares(Z), squares(V), 1, 0.5 / self.gamma)
        return K @ self.weights + self.offset


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Chances by the nearest of some vectors, each with the weight of one over its distance.

    Attributes
    ----------
    vectors : np.ndarray [shape=(m, d)]
    codes : np.ndarray [shape=(m,), dtype=int]
        Class of each.
    count : int
        How many are asked.
    classes : int
    """

    vectors: np.ndarray
    codes: np.ndarray
    count: int
    classes: int

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X, V = (np.asarray(each, dtype=np.float64) for each in (X, self.vectors))
        D = squares(X)[:, None] - 2 * X @ V.T + squares(V)
        nearest = np.argpartition(D, self.count - 1, axis=1)[:, : self.count]
        if self.classes > len(V):
            raise ValueError(f"{self.classes} classes of {len(V)} clips")
        chances = np.zeros((len(X), self.classes))
        for row, (clip, near) in enumerate(zip(X, nearest, strict=True)):
            distance = np.sqrt(squares(V[near] - clip))
            weight = (distance == 0) * 1.0 if (distance == 0).any() else 1 / distance
            chances[row] = np.bincount(self.codes[near], weight, self.classes)
        return chances / chances.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Ridges:
    """Kernel ridge regressions of groups of columns; every group's scores, side by side.

    Attributes
    ----------
    columns : tuple of np.ndarray of int
        Of each group.
    anchors : tuple of np.ndarray [shape=(m, d of the group)]
        Clips that the Gaussian kernel of a group compares with; none where no kernel is Gaussian. Those of
        a last group that is all of the others together are theirs.
    widths : np.ndarray [shape=(groups,)]
        Of the Gaussian kernels.
    gaussian, linear : tuple of np.ndarray [shape=(m, k), or (d, k)]
        Coefficients of each group, or none.
    offset : np.ndarray [shape=(groups, k)]
    """

    columns: tuple[np.ndarray, ...]
    anchors: tuple[np.ndarray, ...]
    widths: np.ndarray
    gaussian: tuple[np.ndarray, ...]
    linear: tuple[np.ndarray, ...]
    offset: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether the last group is all of the others together."""
        return len(self.columns) == len(self.anchors) + 1

    def __call__(self, X: np.ndarray) -> np.ndarray:
        inner = [X[:, group] @ rows.T for group, rows in zip(self.columns, self.anchors, strict=False)]
        lengths = [squares(rows) for rows in self.anchors]
        if self.gaussian and self.whole:
            inner.append(sum(inner))
            lengths.append(sum(lengths))
        scores: list[Any] = []
        for place, group in enumerate(self.columns):
            features, score = X[:, group], self.offset[place]
            if self.linear:
                score = score + features @ self.linear[place]
            if self.gaussian:
                own = squares(features), lengths[place]
                kernel = gaussian(inner[place], *own, len(group), float(self.widths[place]))
                score = score + kernel @ self.gaussian[place]
            scores.append(score)
        return np.concatenate(scores, axis=1)
