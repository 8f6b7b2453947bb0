"""Machines: what a fitted model computes to predict, as plain arrays and a few lines of NumPy.

A machine is a chain of parts, from features to a decision. It needs no scikit-learn and consists of numbers
alone; a saved predictor is a machine and its card. A part takes what the part before it gives; if its arrays
do not fit together, NumPy raises an error. `ser_classic.predictor.freezing` turns fitted pipelines into
machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ser_classic.machines.formulas import agreed, coupled, gaussian, ovr, smallest, softmax, squares, votes
from ser_classic.registry import Registry

BLOCK = 1024  # clips at a time
DEEPEST = 1000  # levels of a tree; our forests have some twenty
ACTIVATIONS = {
    "relu": lambda X: np.maximum(X, 0),
    "tanh": np.tanh,
    "logistic": lambda X: 0.5 + 0.5 * np.tanh(0.5 * X),
}
# Number of the class chosen [shape=(n,)], and probabilities [shape=(n, classes)] or None.
Classified = tuple[np.ndarray, np.ndarray | None]


class Part(Protocol):
    """A step from columns to columns."""

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Output [shape=(n, any)] for input [shape=(n, columns)]."""
        ...


# Parts of plug-ins: frozen dataclasses with a `name`, whose fields are numbers, words and arrays
PARTS: Registry[type[Part]] = Registry("parts", (), wanted=type)


@dataclass(frozen=True, eq=False)
class Standardise:
    """Every column minus its mean, divided by its scale, in their precision."""

    mean: np.ndarray  # [shape=(d,), dtype=float32 or float64]
    scale: np.ndarray  # the same
    limit: float | None = None  # to which the result is clipped

    def __call__(self, X: np.ndarray) -> np.ndarray:
        Z = X.astype(self.mean.dtype, copy=False) - self.mean
        Z /= self.scale
        return Z if self.limit is None else Z.clip(-self.limit, self.limit, out=Z)


@dataclass(frozen=True, eq=False)
class Constant:
    """The same values for any input."""

    values: np.ndarray  # [shape=(k,)]

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return np.tile(self.values, (len(X), 1))


@dataclass(frozen=True, eq=False)
class Linear:
    """`X @ weights + offset`."""

    weights: np.ndarray  # [shape=(d, k)]
    offset: np.ndarray  # [shape=(k,)]

    @classmethod
    def of(cls, coefficients: np.ndarray, offset: np.ndarray, both: bool = False) -> Linear:
        """Scores of the classes, from the `coef_` and `intercept_` of a scikit-learn estimator.

        A single score is that of the second of two classes; the first gets 0, or with `both` its negative.
        """
        if len(offset) == 1:
            other = -1 if both else 0
            coefficients = np.concatenate([other * coefficients, coefficients])
            offset = np.concatenate([other * offset, offset])
        return cls(np.ascontiguousarray(coefficients.T), np.asarray(offset))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return X @ self.weights + self.offset


@dataclass(frozen=True, eq=False)
class Activation:
    """A function of every value: one of `ACTIVATIONS`."""

    function: str

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return ACTIVATIONS[self.function](X)


@dataclass(frozen=True, eq=False)
class Gaussians:
    """`exp(-gamma D²) @ weights + offset`, D the distances from some vectors."""

    scaler: Standardise | None  # for the input and the vectors
    vectors: np.ndarray  # [shape=(m, d)]
    gamma: float  # > 0
    weights: np.ndarray  # [shape=(m, k)]
    offset: np.ndarray  # [shape=(k,)]

    @cached_property
    def scaled(self) -> np.ndarray:
        """The vectors, standardised [shape=(m, d), dtype=float64]."""
        return self._standardised(self.vectors)

    def _standardised(self, X: np.ndarray) -> np.ndarray:
        return (X if self.scaler is None else self.scaler(X)).astype(np.float64, copy=False)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        Z, V = self._standardised(X), self.scaled
        K = gaussian(Z @ V.T, squares(Z), squares(V), 1, 0.5 / self.gamma)
        return K @ self.weights + self.offset


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Probabilities by the nearest of some vectors, each weighted by one over its distance."""

    vectors: np.ndarray  # [shape=(m, d)]
    codes: np.ndarray  # class of each [shape=(m,), dtype=int]
    count: int  # of neighbours
    classes: int

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X, V = (np.asarray(each, dtype=np.float64) for each in (X, self.vectors))
        D = squares(X)[:, None] - 2 * X @ V.T + squares(V)
        nearest = np.argpartition(D, self.count - 1, axis=1)[:, : self.count]
        if self.classes > len(V):
            raise ValueError(f"{self.classes} classes of {len(V)} clips")
        probabilities = np.zeros((len(X), self.classes))
        for row, (clip, near) in enumerate(zip(X, nearest, strict=True)):
            distance = np.sqrt(squares(V[near] - clip))
            weight = (distance == 0) * 1.0 if (distance == 0).any() else 1 / distance
            probabilities[row] = np.bincount(self.codes[near], weight, self.classes)
        return probabilities / probabilities.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Ridges:
    """Kernel ridge regressions of groups of columns; every group's scores, side by side."""

    columns: tuple[np.ndarray, ...]  # of each group [dtype=int]
    # Clips for the Gaussian kernel of a group [shape=(m, d of the group)]; none if no kernel is Gaussian. If
    # the last group is all others together, so are its clips, which are not repeated.
    anchors: tuple[np.ndarray, ...]
    widths: np.ndarray  # of the Gaussian kernels [shape=(groups,)]
    gaussian: tuple[np.ndarray, ...]  # coefficients of each group [shape=(m, k)], or none
    linear: tuple[np.ndarray, ...]  # the same [shape=(d, k)]
    offset: np.ndarray  # [shape=(groups, k)]

    @property
    def whole(self) -> bool:
        """Whether the last group is all others together."""
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
        return np.concatenate(scores, axis=-1)


@dataclass(frozen=True, eq=False)
class Trees:
    """Sums over decision trees, of a forest or boosted, of the values in their leaves."""

    roots: np.ndarray  # first node of each tree [shape=(trees,), dtype=int]
    column: np.ndarray  # that a node compares [shape=(nodes,), dtype=int]
    threshold: np.ndarray  # up to which the left child is next [shape=(nodes,), dtype=float32]
    left: np.ndarray  # how many nodes further that child is; 0 for a leaf [shape=(nodes,), dtype=int]
    right: np.ndarray  # the same
    depth: int  # steps to the last leaf
    # Values of each leaf, in the order of the nodes: for all classes [shape=(leaves, k)], or for one class,
    # which changes from tree to tree [shape=(leaves, 1)]
    leaves: np.ndarray
    base: np.ndarray  # added to their sum [shape=(k,)]
    divisor: float  # by which the total is divided

    @classmethod
    def of(
        cls,
        column: Sequence[np.ndarray],
        threshold: Sequence[np.ndarray],
        left: Sequence[np.ndarray],
        right: Sequence[np.ndarray],
        leaves: np.ndarray,
        base: np.ndarray,
        divisor: float,
    ) -> Trees:
        """From the nodes of each tree, with children as node numbers; a left child of -1 marks a leaf."""
        sizes = [len(each) for each in left]
        roots, own = np.cumsum([0, *sizes[:-1]]), np.concatenate([np.arange(size) for size in sizes])
        ends = np.concatenate(left) == -1
        further = [np.where(ends, 0, np.concatenate(each) - own) for each in (left, right)]
        columns, thresholds = (np.where(ends, 0, np.concatenate(each)) for each in (column, threshold))
        depth, at = 0, roots
        while len(at := at[~ends[at]]):
            at, depth = np.concatenate([at + each[at] for each in further]), depth + 1
        roots, columns, *further = map(smallest, (roots, columns, *further))
        return cls(roots, columns, thresholds.astype(np.float32), *further, depth, leaves, base, divisor)

    @cached_property
    def leaf(self) -> np.ndarray:
        """Row in `leaves` of every node; -1 if it is not a leaf."""
        ends = self.left == 0
        return np.where(ends, np.cumsum(ends) - 1, -1)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X, dtype=np.float32)
        block = max(1, 2**19 // (len(self.roots) * self.leaves.shape[1]))
        return np.concatenate([self._answer(X[start : start + block]) for start in range(0, len(X), block)])

    def _answer(self, X: np.ndarray) -> np.ndarray:
        rows = np.arange(len(X))[:, None]
        node = np.tile(self.roots.astype(np.int64), (len(X), 1))
        for _ in range(min(self.depth, DEEPEST)):
            low = X[rows, self.column[node]] <= self.threshold[node]
            node += np.where(low, self.left[node], self.right[node])
        leaf = self.leaf[node]
        if (leaf < 0).any():
            raise ValueError("trees deeper than they say")
        answers = self.leaves[leaf].reshape(len(X), -1, len(self.base))
        # One after the other, in the precision of the leaves, as in the libraries
        total = np.broadcast_to(self.base.astype(answers.dtype), answers.shape[::2])
        for turn in range(answers.shape[1]):
            total = total + answers[:, turn]
        return total / self.divisor


@dataclass(frozen=True)
class Probabilities:
    """Decision by probabilities of the classes."""

    sharpness = 1.0

    def __call__(self, X: np.ndarray) -> Classified:
        return X.argmax(axis=1), X


@dataclass(frozen=True)
class Scores:
    """Decision by scores of the classes; probabilities are their softmax, sharpened by this factor."""

    sharpness: float | None  # None: there are no probabilities

    def rate(self, X: np.ndarray) -> np.ndarray:
        """Scores of the classes, of which the largest wins [shape=(n, classes)]."""
        return X

    def __call__(self, X: np.ndarray) -> Classified:
        choice = X.argmax(axis=1)
        return choice, None if self.sharpness is None else agreed(softmax(self.sharpness * X), choice)


@dataclass(frozen=True)
class Pairs:
    """Decision by margins of pairs of classes, positive in favour of the first.

    Probabilities are coupled from the margins times `sharpness`. Of classes with equal votes, the one with
    the larger margins is chosen with `break_ties`, else the first.
    """

    sharpness: float | None  # None: there are no probabilities
    break_ties: bool

    def rate(self, X: np.ndarray) -> np.ndarray:
        """Scores of the classes, of which the largest wins [shape=(n, classes)]."""
        return ovr(X) if self.break_ties else votes(X)

    def __call__(self, X: np.ndarray) -> Classified:
        choice = self.rate(X).argmax(axis=1)
        return choice, None if self.sharpness is None else agreed(coupled(X, self.sharpness), choice)


Decision = Probabilities | Scores | Pairs


@dataclass(frozen=True, eq=False)
class Machine:
    """A chain of parts and a decision."""

    parts: tuple[Part, ...]
    decision: Decision

    @property
    def has_probabilities(self) -> bool:
        """Whether it gives probabilities."""
        return self.decision.sharpness is not None

    def outputs(self, X: np.ndarray | Any) -> np.ndarray:
        """Output of the last part for clips [shape=(n, any)].

        X is an array [shape=(n, d), dtype=float32], or [shape=(n,)] of what the first part takes for a clip.
        """
        blocks = []
        for start in range(0, len(X), BLOCK):
            given = X[start : start + BLOCK]
            for part in self.parts:
                given = part(given)
            blocks.append(given)
        return np.concatenate(blocks)

    def classify(self, X: np.ndarray | Any) -> Classified:
        """Number of the class [shape=(n,)] and probabilities [shape=(n, classes)] or None, for clips."""
        return self.decision(self.outputs(X))
