"""Kernel ridge regression on standardised features: a whole grid of penalties for one eigendecomposition."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

Kernel = Literal["linear", "rbf"]
KERNELS = ("linear", "rbf")
BIAS = 0.1  # added to every entry of a kernel, in units of its mean diagonal: an intercept, lightly penalised

# Coefficients [shape=(d or anchors, classes)] and offset [shape=(classes,)] of one penalty.
Solution = tuple[np.ndarray, np.ndarray]


class Part:
    """One feature group of some training clips, and the ridge solutions on it.

    Scores are `Z @ coefficients + offset` for the linear kernel, and
    `rbf(Z, anchors, width) @ coefficients + offset` for the Gaussian one.

    Parameters
    ----------
    Z : np.ndarray [shape=(n, d)]
        Standardised features.
    weight : np.ndarray [shape=(n,)]
        Weights of the clips, by which means are taken.
    landmarks : np.ndarray of int, optional
        Rows on which Nyström's approximation is built (Williams and Seeger 2001); exact by default.
    """

    def __init__(self, Z: np.ndarray, weight: np.ndarray, landmarks: np.ndarray | None = None) -> None:
        self.Z = np.asarray(Z, dtype=np.float64)
        self.landmarks = landmarks
        self.anchors = self.Z if landmarks is None else self.Z[landmarks]
        share = weight / weight.sum()
        mean = share @ self.Z
        square = float(share @ squares(self.Z)) / self.Z.shape[1]
        self.diagonal = square or 1.0  # mean of the linear kernel's
        # Mean squared distance of two clips, per dimension: the width that the median distance is elsewhere,
        # but in closed form, and near 2 on standardised features.
        self.width = 2 * (square - float(mean @ mean) / self.Z.shape[1])
        if self.width <= 1e-12 * self.diagonal:
            self.width = 1.0

    @cached_property
    def _inner(self) -> np.ndarray:
        return self.Z @ self.anchors.T

    def solve(
        self, kernel: Kernel, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
    ) -> list[Solution]:
        """Ridge solutions for every penalty, in units of the kernel's mean diagonal.

        Parameters
        ----------
        kernel : {"linear", "rbf"}
        weight : np.ndarray [shape=(n,)]
            Of the clips' squared errors.
        targets : np.ndarray [shape=(n, classes)]
        alphas : sequence of float > 0
        """
        d = self.Z.shape[1]
        if kernel == "linear" and d < len(self.anchors):
            solved = _primal(self.Z / np.sqrt(d), self.diagonal, weight, targets, alphas)
            return [(coefficients / np.sqrt(d), offset) for coefficients, offset in solved]
        if kernel == "linear":
            K, diagonal = self._inner / d, self.diagonal
        else:
            norms = squares(self.Z)[:, None], squares(self.anchors)[None, :]
            K, diagonal = gaussian(self._inner, *norms, d, self.width), 1.0
        if self.landmarks is None:
            solved = _dual(K, diagonal, weight, targets, alphas)
        else:
            root = _inverse_root(K[self.landmarks])
            solved = [
                (root @ c, offset) for c, offset in _primal(K @ root, diagonal, weight, targets, alphas)
            ]
        if kernel == "linear":
            return [(self.anchors.T @ coefficients / d, offset) for coefficients, offset in solved]
        return solved


def squares(Z: np.ndarray) -> np.ndarray:
    """Squared length of every row."""
    return np.einsum("ij,ij->i", Z, Z)


def gaussian(inner: np.ndarray, left: np.ndarray, right: np.ndarray, d: int, width: float) -> np.ndarray:
    """`exp(-D / (2 width))` from inner products and squared lengths; D is the mean squared difference."""
    D = np.maximum(left + right - 2 * inner, 0)
    return np.exp(-0.5 / (width * d) * D)


def rbf(Z: np.ndarray, anchors: np.ndarray, width: float) -> np.ndarray:
    """Gaussian kernel [shape=(n, m)] of rows of Z [shape=(n, d)] and anchors [shape=(m, d)]."""
    return gaussian(Z @ anchors.T, squares(Z)[:, None], squares(anchors)[None, :], Z.shape[1], width)


def _dual(
    K: np.ndarray, diagonal: float, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
) -> list[Solution]:
    """`√W (√W K √W + a t I)⁻¹ √W Y`, K with its bias, t its mean diagonal, for every a."""
    bias, root = BIAS * diagonal, np.sqrt(weight)[:, None]
    solved = _solve_shifted(root * (K + bias) * root.T, root * targets, [a * diagonal for a in alphas])
    return [(root * x, bias * (root * x).sum(axis=0)) for x in solved]


def _primal(
    F: np.ndarray, diagonal: float, weight: np.ndarray, targets: np.ndarray, alphas: Sequence[float]
) -> list[Solution]:
    """`(FᵀWF + a t I)⁻¹ FᵀWY`: the same on features with `K = FFᵀ`, in a matrix of their number."""
    bias = np.sqrt(BIAS * diagonal)
    F = np.column_stack([F, np.full(len(F), bias)])
    weighted = weight[:, None] * F
    solved = _solve_shifted(F.T @ weighted, weighted.T @ targets, [a * diagonal for a in alphas])
    return [(x[:-1], bias * x[-1]) for x in solved]


def _solve_shifted(A: np.ndarray, B: np.ndarray, shifts: Sequence[float]) -> list[np.ndarray]:
    """`(A + s I)⁻¹ B` for every shift s, of a positive semi-definite A, which is overwritten."""
    if len(shifts) == 1:
        A.flat[:: len(A) + 1] += shifts[0]
        return [cho_solve(cho_factor(A, overwrite_a=True, check_finite=False), B, check_finite=False)]
    values, vectors = eigh(A, overwrite_a=True, check_finite=False, driver="evd")
    turned, values = vectors.T @ B, values.clip(min=0)
    return [vectors @ (turned / (values + shift)[:, None]) for shift in shifts]


def _inverse_root(K: np.ndarray) -> np.ndarray:
    """Pseudo-inverse of the square root of a positive semi-definite matrix [shape=(m, m)]."""
    values, vectors = eigh(K, check_finite=False)
    kept = values > values[-1] * len(K) * np.finfo(K.dtype).eps
    return vectors[:, kept] / np.sqrt(values[kept]) @ vectors[:, kept].T
