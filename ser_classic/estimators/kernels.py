"""Kernel ridge regression on standardised features, for a whole grid of penalties at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from ser_classic.machines.formulas import gaussian, squares

Kernel = Literal["linear", "rbf"]
KERNELS = ("linear", "rbf")
BIAS = 0.1  # added to every entry of a kernel, in units of its mean diagonal: an intercept, lightly penalised
GIB = 2**30
FEW = 10  # penalties for which factorising anew costs less than one eigendecomposition

# Coefficients [shape=(d or n, classes)] and offset [shape=(classes,)] of one penalty.
Solution = tuple[np.ndarray, np.ndarray]


class Part:
    """One feature group Z [shape=(n, d)] of training clips, standardised, and the ridge solutions on it.

    Scores are `Z @ coefficients + offset` for the linear kernel, and
    `gaussian(Z @ Z.T, ...) @ coefficients + offset` for the Gaussian one. Inner products, unless known, are
    taken in the precision of Z, equations solved in float64; means are weighted.
    """

    def __init__(self, Z: np.ndarray, weight: np.ndarray, inner: np.ndarray | None = None) -> None:
        self.Z = Z
        if inner is not None:
            self.inner = inner
        share = weight / weight.sum()
        mean = share @ Z
        square = float(share @ squares(Z)) / Z.shape[1]
        self.diagonal = square or 1.0  # mean of the linear kernel's
        # Mean squared distance of two clips, per dimension: the width that the median distance is elsewhere,
        # but in closed form, and near 2 on standardised features.
        self.width = 2 * (square - float(mean @ mean) / Z.shape[1])
        if self.width <= 1e-12 * self.diagonal:
            self.width = 1.0

    @cached_property
    def inner(self) -> np.ndarray:
        """Inner products [shape=(n, n)] of the clips."""
        return self.Z @ self.Z.T

    def solve(
        self, kernel: Kernel, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
    ) -> list[Solution]:
        """Ridge solutions for every penalty, in units of the kernel's mean diagonal.

        The weights [shape=(n,)] are of the squared errors, from targets [shape=(n, classes)].
        """
        d = self.Z.shape[1]
        if kernel == "linear" and d < len(self.Z):
            solved = _primal(self.Z / np.sqrt(d), self.diagonal, weight, targets, alphas)
            return [(coefficients / np.sqrt(d), offset) for coefficients, offset in solved]
        if kernel == "linear":
            K, diagonal = np.divide(self.inner, d, dtype=np.float64), self.diagonal
        else:
            K, diagonal = gaussian(self.inner, squares(self.Z), squares(self.Z), d, self.width), 1.0
        solved = _dual(K, diagonal, weight, targets, alphas)
        if kernel == "rbf":
            return solved
        stacked = self.Z.T @ np.hstack([coefficients for coefficients, _ in solved]) / d
        pieces = np.hsplit(stacked, len(solved))
        return [(piece, offset) for piece, (_, offset) in zip(pieces, solved, strict=True)]


def _dual(
    K: np.ndarray, diagonal: float, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
) -> list[Solution]:
    """`√W (√W K √W + a t I)⁻¹ √W Y`, K with its bias, t its mean diagonal, for every a; K is overwritten."""
    bias, root = BIAS * diagonal, np.sqrt(weight)[:, None]
    K += bias
    K *= root
    K *= root.T
    solved = _solve_shifted(K, root * targets, [alpha * diagonal for alpha in alphas])
    return [(root * x, bias * (root * x).sum(axis=0)) for x in solved]


def _primal(
    F: np.ndarray, diagonal: float, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
) -> list[Solution]:
    """`(FᵀWF + a t I)⁻¹ FᵀWY`: the same on features with `K = FFᵀ`, in a matrix of their number."""
    bias = np.sqrt(BIAS * diagonal)
    F = np.column_stack([F, np.full(len(F), bias)])
    weighted = weight[:, None] * F
    solved = _solve_shifted(F.T @ weighted, weighted.T @ targets, [alpha * diagonal for alpha in alphas])
    return [(x[:-1], bias * x[-1]) for x in solved]


def _solve_shifted(A: np.ndarray, B: np.ndarray, shifts: Sequence[float]) -> list[np.ndarray]:
    """`(A + s I)⁻¹ B` for every shift s, of a positive semi-definite A, which is overwritten."""
    if len(shifts) <= FEW:
        with suppress(LinAlgError):  # a penalty below the rounding of A, which clipping its values survives
            return [_solve(A, B, shift) for shift in shifts]
    values, vectors = eigh(A, overwrite_a=True, check_finite=False, driver="evd")
    turned, values = vectors.T @ B, values.clip(min=0)
    return [vectors @ (turned / (values + shift)[:, None]) for shift in shifts]


def _solve(A: np.ndarray, B: np.ndarray, shift: float) -> np.ndarray:
    shifted = A.T.copy(order="F")  # in the order in which it can be factorised in place
    shifted.flat[:: len(A) + 1] += shift
    factor = cho_factor(shifted, overwrite_a=True, check_finite=False)
    return cho_solve(factor, B, check_finite=False)
