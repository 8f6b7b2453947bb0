"""Class-balanced kernel ridge classifier: one ridge per feature group and kernel, their scores summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ser_classic.estimators.folds import Split, balanced_weights
from ser_classic.estimators.tuned import Clips, Grid, Outputs, TunedClassifier
from ser_classic.machines import Linear, Machine, Part, Ridges, Scores, Standardise
from ser_classic.machines.formulas import gaussian, smallest, squares

WHOLE = "whole"
Kernel = Literal["linear", "rbf"]
KERNELS = ("linear", "rbf")
BIAS = 0.1  # added to a kernel, in units of its mean diagonal: an intercept with a small penalty


@dataclass(eq=False, repr=False)
class KernelRidgeClassifierCV(TunedClassifier):
    """Kernel ridge regression onto the classes, all with the same weight, tuned by average recall.

    Features are standardised by the training clips and clipped to ±5. Each feature group and kernel has a
    ridge regression of its own onto one-hot targets less `1 / classes`, with balanced weights; the largest
    sum of their scores wins. The kernels are `ZZᵀ / d` and `exp(-D / (2 mean D))`, D the mean squared
    difference per dimension, each with a tenth of its mean diagonal added as an intercept. All have the same
    penalty; its whole grid costs one kernel per group and inner fold, and a factorisation per penalty.

    Parameters
    ----------
    feature_groups : None or "names"
        None has one group; "names" takes the groups from the names of the features, the text before "/",
        or else before the first "_" (one group if they have no names).
    whole : bool
        Add one more group, "whole", with the columns of all groups if there are several.
    alphas : sequence of float > 0
        Grid of penalties in units of a kernel's mean diagonal.
    alpha : float > 0
        Used if nothing can be tuned.
    cv
        As in `TunedClassifier`, like the attributes that are not listed here.

    Attributes
    ----------
    groups_ : dict of str to np.ndarray
        Columns of every feature group.
    together_ : Linear or None
        Weights of the groups' scores; None if these are summed.
    """

    kernels: Sequence[Kernel] = KERNELS
    _: KW_ONLY
    feature_groups: Literal["names"] | None = None
    whole: bool = True
    alphas: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0)
    alpha: float = 0.1

    _limit = 5.0

    def _grid(self) -> Grid:
        if not self.kernels or not set(self.kernels) <= set(KERNELS):
            raise ValueError(f"kernels: expected one or more of {KERNELS}, found {self.kernels!r}")
        if self.feature_groups not in (None, "names"):
            raise ValueError(f"feature_groups: {self.feature_groups!r}; expected None or 'names'")
        return [{"alpha": alpha} for alpha in self.alphas]

    def _prepare(self, X: np.ndarray, splits: list[Split] | None) -> int:
        self.together_ = None
        names = getattr(self, "feature_names_in_", None)
        self.groups_ = {"features": np.arange(self.n_features_in_)}
        if self.feature_groups == "names" and names is not None:
            group_of = np.array([name.split("/" if "/" in name else "_")[0] for name in names])
            self.groups_ = {
                group: np.flatnonzero(group_of == group) for group in dict.fromkeys(group_of.tolist())
            }
        widest = max(map(len, self.groups_.values()))
        if self.whole and len(self.groups_) > 1:
            self.groups_[WHOLE] = np.concatenate(list(self.groups_.values()))
            widest = len(self.groups_[WHOLE])
        n = len(X)
        unknowns = n if "rbf" in self.kernels else min(n, widest)
        # A group's inner products, their sum, the kernel, its factor; and the features as given,
        # standardised (twice while they are clipped) and by groups (twice, as the whole is one, too).
        return 4 * 8 * unknowns**2 + 5 * X.nbytes

    def _ridges(self, clips: Clips, alphas: Sequence[float]) -> Ridges:
        """Ridges fitted to clips, their coefficients and offsets with one more axis, for the alphas."""
        present, codes = np.unique(clips.codes, return_inverse=True)
        targets = np.eye(len(present))[codes] - 1 / len(present)
        balanced = balanced_weights(codes, clips.weight)
        distant = "rbf" in self.kernels
        anchors, widths, offsets, inner = [], [], [], 0.0
        coefficients: dict[Kernel, list[np.ndarray]] = {"rbf": [], "linear": []}
        for group, columns in self.groups_.items():
            # The inner products of the whole are the sums of those of its groups.
            part = Group(clips.X[:, columns], clips.weight, inner if distant and group == WHOLE else None)
            if distant and group != WHOLE:
                anchors.append(part.Z)
                inner = inner + part.inner
            widths.append(part.width)
            solved = [part.solve(kernel, balanced, targets, alphas) for kernel in self.kernels]
            for kernel, (each, _) in zip(self.kernels, solved, strict=True):
                coefficients[kernel].append(each)
            offsets.append(sum(offset for _, offset in solved))
        solutions = map(tuple, coefficients.values())
        groups = tuple(map(smallest, self.groups_.values()))
        return Ridges(groups, tuple(anchors), np.array(widths), *solutions, np.stack(offsets))

    def _left_out(self, clips: Clips, T: np.ndarray, grid: Grid) -> Outputs:
        ridges = self._ridges(clips, [candidate["alpha"] for candidate in grid])
        return enumerate(ridges(T).reshape(len(grid), len(T), -1))

    def _learn(self, X: np.ndarray, scaler: Standardise, clips: Clips) -> tuple[Part, ...]:
        ridges = self._ridges(clips, [self.best_params_["alpha"]])
        rbf, linear = (tuple(each[0] for each in of) for of in (ridges.gaussian, ridges.linear))
        return scaler, replace(ridges, gaussian=rbf, linear=linear, offset=ridges.offset[:, 0, 0])

    def _end(self, classes: int) -> Machine:
        return Machine((self.together_ or summed(len(self.groups_), classes),), Scores(self.sharpness_))


def summed(groups: int, classes: int) -> Linear:
    """The part that adds the scores of all groups."""
    return Linear(np.tile(np.eye(classes), (groups, 1)), np.zeros(classes))


class Group:
    """One standardised feature group Z [shape=(n, d)] of the training clips, and its ridge solutions.

    Scores are `Z @ coefficients + offset` for the linear kernel, and
    `gaussian(Z @ Z.T, ...) @ coefficients + offset` for the Gaussian one. Inner products, unless given, have
    the precision of Z; equations are solved in float64; means are weighted.
    """

    def __init__(self, Z: np.ndarray, weight: np.ndarray, inner: np.ndarray | None = None) -> None:
        self.Z = Z
        if inner is not None:
            self.inner = inner
        share = weight / weight.sum()
        mean = share @ Z
        square = float(share @ squares(Z)) / Z.shape[1]
        self.diagonal = square or 1.0  # mean of the linear kernel's
        # Mean squared distance of two clips, per dimension: like the usual median distance, but in closed
        # form; near 2 on standardised features.
        self.width = 2 * (square - float(mean @ mean) / Z.shape[1])
        if self.width <= 1e-12 * self.diagonal:
            self.width = 1.0

    @cached_property
    def inner(self) -> np.ndarray:
        """Inner products [shape=(n, n)] of the clips."""
        return self.Z @ self.Z.T

    def solve(
        self, kernel: Kernel, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients [shape=(alphas, d or n, classes)] and offsets [shape=(alphas, 1, classes)].

        Penalties are in units of the kernel's mean diagonal. The weights [shape=(n,)] are those of the
        squared errors from the targets [shape=(n, classes)].
        """
        n, d = self.Z.shape
        diagonal = 1.0 if kernel == "rbf" else self.diagonal
        shifts = [alpha * diagonal for alpha in alphas]
        if kernel == "linear" and d < n:
            # (FᵀWF + a t I)⁻¹ FᵀWY on features F with K = FFᵀ, with a column for the bias; t is the diagonal
            bias = np.sqrt(BIAS * diagonal)
            F = np.column_stack([self.Z / np.sqrt(d), np.full(n, bias)])
            weighted = weight[:, None] * F
            A, B = F.T @ weighted, weighted.T @ targets
            solved = np.stack([_solve(A, B, shift) for shift in shifts])
            return solved[:, :-1] / np.sqrt(d), bias * solved[:, -1:]
        # √W (√W K √W + a t I)⁻¹ √W Y, K with its bias
        if kernel == "linear":
            K = np.divide(self.inner, d, dtype=np.float64)
        else:
            K = gaussian(self.inner, squares(self.Z), squares(self.Z), d, self.width)
        root = np.sqrt(weight)[:, None]
        K += BIAS * diagonal
        K *= root
        K *= root.T
        coefficients = root * np.stack([_solve(K, root * targets, shift) for shift in shifts])
        offsets = BIAS * diagonal * coefficients.sum(axis=1, keepdims=True)
        return (coefficients if kernel == "rbf" else self.Z.T @ coefficients / d), offsets


def _solve(A: np.ndarray, B: np.ndarray, shift: float) -> np.ndarray:
    """`(A + shift I)⁻¹ B` for a positive semi-definite A."""
    shifted = A.T.copy(order="F")  # in the order in which it can be factorised in place
    shifted.flat[:: len(A) + 1] += shift
    factor = cho_factor(shifted, overwrite_a=True, check_finite=False)
    return cho_solve(factor, B, check_finite=False)
