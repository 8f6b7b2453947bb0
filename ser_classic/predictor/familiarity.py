"""How far a recording is from the training clips of a model; beyond a limit, its answer means little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_classic.machines import Standardise
from ser_classic.machines.formulas import sampled

DIRECTIONS = 20  # principal directions whose spread is kept
FURTHEST = 10.0  # standard deviations at which a feature is clipped
MOST = 1000  # clips to measure
FOLDS = 5
SHARE = 0.99  # of left-out clips that lie within the limit


@dataclass(frozen=True, eq=False)
class Familiarity:
    """A distance in standardised features, and the limit that clips of new speakers rarely exceed.

    The Mahalanobis distance under a Gaussian with the principal directions of the training clips and one
    variance for all other directions (Tipping and Bishop 1999, "Probabilistic principal component analysis"),
    with equal weight on the principal and the other directions.
    """

    mean: np.ndarray  # of the features [shape=(d,), dtype=float32]
    scale: np.ndarray  # the same
    directions: np.ndarray  # orthonormal [shape=(d, r), dtype=float32]
    spread: np.ndarray  # variance along each [shape=(r,)]
    rest: float  # mean variance along the other directions; > 0
    limit: float  # the distance that `SHARE` of the clips of left-out speakers do not exceed; > 0

    def distance(self, X: np.ndarray) -> np.ndarray:
        """Distance of clips [shape=(n, d)]; above 1, the limit, a clip is unlike the training clips."""
        Z = Standardise(self.mean, self.scale, FURTHEST)(X)
        along = Z @ self.directions
        inside = (np.square(along) / self.spread).mean(axis=1)
        others = Z.shape[1] - len(self.spread)
        if not others:
            return np.sqrt(inside) / self.limit
        beyond = np.square(Z).sum(axis=1) - np.square(along).sum(axis=1)
        return np.sqrt((inside + beyond.clip(0) / (others * self.rest)) / 2) / self.limit


def measure(X: np.ndarray, speakers: np.ndarray | None, seed: int = 0) -> Familiarity:
    """Fit the distance to training clips [shape=(n, d)], and its limit to left-out speakers or clips."""
    rows = sampled(len(X), MOST)
    X = np.asarray(X)[rows]
    units = np.arange(len(X)) if speakers is None or len(set(speakers)) < 2 else speakers[rows]
    dealt = np.random.default_rng(seed).permutation(np.unique(units))
    outside = []
    for unheard in np.array_split(dealt, min(FOLDS, len(dealt))):
        out = np.isin(units, unheard)
        if (~out).any() and out.any():
            outside.append(_learned(X[~out], 1.0).distance(X[out]))
    limit = float(np.quantile(np.concatenate(outside), SHARE)) if outside else 1.0
    return _learned(X, max(limit, 1e-6))


def _learned(X: np.ndarray, limit: float) -> Familiarity:
    mean, scale = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
    scale[scale <= 1e-6 * np.abs(mean) + 1e-30] = 1.0  # constant: any other value is then far away
    mean, scale = mean.astype(np.float32), scale.astype(np.float32)
    Z = Standardise(mean, scale, FURTHEST)(X)
    n, d = Z.shape
    count = max(1, min(DIRECTIONS, d, n // 5))
    if n < d:
        values, vectors = np.linalg.eigh((Z @ Z.T).astype(np.float64))
        directions = Z.T @ vectors[:, -count:].astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0) + 1e-30
    else:
        values, directions = np.linalg.eigh((Z.T @ Z).astype(np.float64))
        directions = directions[:, -count:].astype(np.float32)
    spread = np.maximum(values[-count:] / n, 1e-6)
    rest = max(float(np.square(Z).sum() / n - spread.sum()) / max(d - count, 1), 1e-6)
    return Familiarity(mean, scale, directions, spread, rest, limit)
