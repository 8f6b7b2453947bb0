"""Decision trees, of a forest or boosted, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

DEEPEST = 1000  # levels; a forest of ours has some twenty


@dataclass(frozen=True, eq=False)
class Trees:
    """Sums of what the leaves say to which trees lead.

    Attributes
    ----------
    roots : np.ndarray [shape=(trees,), dtype=int]
        First node of each tree.
    column : np.ndarray [shape=(nodes,), dtype=int]
        Which a node asks for.
    threshold : np.ndarray [shape=(nodes,), dtype=float32]
        Up to it, the way goes to the left.
    left, right : np.ndarray [shape=(nodes,), dtype=int]
        How many nodes further that is; 0 at a leaf.
    depth : int
        Steps to the last leaf.
    leaves : np.ndarray [shape=(leaves, k), or (leaves, 1)]
        What each leaf says, in the order of the nodes: of all classes, or of the one whose turn it is, tree
        by tree.
    base : np.ndarray [shape=(k,)]
        To which it is added ...
    divisor : float
        ... over this.
    """

    roots: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    depth: int
    leaves: np.ndarray
    base: np.ndarray
    divisor: float

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
