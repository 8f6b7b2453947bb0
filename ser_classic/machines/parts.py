"""Parts of machines, and the decision at their end: arrays, and what is computed with them.

A part takes what the part before it gives. Where its arrays do not fit together, NumPy raises an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ser_classic.machines.formulas import coupled, gaussian, led_by, rated, softmax, squares, votes

DEEPEST = 1000  # levels of a tree; a forest of ours has some twenty
ACTIVATIONS = {
    "relu": lambda X: np.maximum(X, 0),
    "tanh": np.tanh,
    "logistic": lambda X: 0.5 + 0.5 * np.tanh(0.5 * X),
}
# Number of the class chosen [shape=(n,)], and probabilities [shape=(n, classes)] or None.
Judged = tuple[np.ndarray, np.ndarray | None]


class Part(Protocol):
    """A step from columns to columns."""

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """What comes out [shape=(n, any)] of what goes in [shape=(n, columns)]."""
        ...


@dataclass(frozen=True, eq=False)
class Standardise:
    """Every column less its mean, over its scale, in their precision."""

    mean: np.ndarray  # [shape=(d,), dtype=float32 or float64]
    scale: np.ndarray  # the same
    limit: float | None = None  # hold the result within so many scales

    def __call__(self, X: np.ndarray) -> np.ndarray:
        Z = (X.astype(self.mean.dtype, copy=False) - self.mean) / self.scale
        return Z if self.limit is None else Z.clip(-self.limit, self.limit)


@dataclass(frozen=True, eq=False)
class Constant:
    """The same values whatever comes in."""

    values: np.ndarray  # [shape=(k,)]

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return np.tile(self.values, (len(X), 1))


@dataclass(frozen=True, eq=False)
class Linear:
    """`X @ weights + offset`."""

    weights: np.ndarray  # [shape=(d, k)]
    offset: np.ndarray  # [shape=(k,)]

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

    scaler: Standardise | None  # what is done to all that comes in, and to the vectors
    vectors: np.ndarray  # [shape=(m, d)]
    gamma: float  # > 0
    weights: np.ndarray  # [shape=(m, k)]
    offset: np.ndarray  # [shape=(k,)]

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
    """Probabilities by the nearest of some vectors, each with the weight of one over its distance."""

    vectors: np.ndarray  # [shape=(m, d)]
    codes: np.ndarray  # class of each [shape=(m,), dtype=int]
    count: int  # of those that are asked
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
    # Clips that the Gaussian kernel of a group compares with [shape=(m, d of the group)]; none where no
    # kernel is Gaussian. Those of a last group that is all of the others together are theirs.
    anchors: tuple[np.ndarray, ...]
    widths: np.ndarray  # of the Gaussian kernels [shape=(groups,)]
    gaussian: tuple[np.ndarray, ...]  # coefficients of each group [shape=(m, k)], or none
    linear: tuple[np.ndarray, ...]  # the same [shape=(d, k)]
    offset: np.ndarray  # [shape=(groups, k)]

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
        return np.concatenate(scores, axis=-1)


@dataclass(frozen=True, eq=False)
class Trees:
    """Sums of what the leaves say to which decision trees lead, of a forest or boosted."""

    roots: np.ndarray  # first node of each tree [shape=(trees,), dtype=int]
    column: np.ndarray  # which a node asks for [shape=(nodes,), dtype=int]
    threshold: np.ndarray  # up to it, the way goes to the left [shape=(nodes,), dtype=float32]
    left: np.ndarray  # how many nodes further that is; 0 at a leaf [shape=(nodes,), dtype=int]
    right: np.ndarray  # the same
    depth: int  # steps to the last leaf
    # What each leaf says, in the order of the nodes: of all classes [shape=(leaves, k)], or of the one whose
    # turn it is, tree by tree [shape=(leaves, 1)]
    leaves: np.ndarray
    base: np.ndarray  # to which it is added [shape=(k,)] ...
    divisor: float  # ... over this

    @cached_property
    def leaf(self) -> np.ndarray:
        """Row in `leaves` of every node; -1 where it is none."""
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
        # One after the other, in the precision of the leaves, as the libraries do.
        total = np.broadcast_to(self.base.astype(answers.dtype), answers.shape[::2])
        for turn in range(answers.shape[1]):
            total = total + answers[:, turn]
        return total / self.divisor


@dataclass(frozen=True)
class Probabilities:
    """Decision by probabilities of the classes."""

    sharpness = 1.0

    def __call__(self, X: np.ndarray) -> Judged:
        return X.argmax(axis=1), X


@dataclass(frozen=True)
class Scores:
    """Decision by scores of the classes; probabilities are their softmax, sharpened by this factor."""

    sharpness: float | None  # None: there are no probabilities

    def __call__(self, X: np.ndarray) -> Judged:
        choice = X.argmax(axis=1)
        return choice, None if self.sharpness is None else led_by(softmax(self.sharpness * X), choice)


@dataclass(frozen=True)
class Pairs:
    """Decision by margins of pairs of classes, positive in favour of the first.

    Probabilities are coupled from the margins times `sharpness`. Of classes with equal votes, the one with
    the larger margins is chosen with `break_ties`, else the first.
    """

    sharpness: float | None  # None: there are no probabilities
    break_ties: bool

    def __call__(self, X: np.ndarray) -> Judged:
        choice = (rated(X) if self.break_ties else votes(X)).argmax(axis=1)
        return choice, None if self.sharpness is None else led_by(coupled(X, self.sharpness), choice)


Decision = Probabilities | Scores | Pairs
