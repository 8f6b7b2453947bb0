"""Functionals: 29 numbers that describe a contour, whatever its length."""

from __future__ import annotations

import numpy as np

from ser_classic.features.functionals import percentiles

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
RANGE_SHARES = (25, 50, 75, 90)

FUNCTIONALS = (
    "mean",
    "sd",
    "skewness",
    "kurtosis",
    *(f"p{percent:02d}" for percent in PERCENTILES),
    "iqr13",
    "iqr23",
    "iqr12",
    "range",
    "slope",
    "curvature",
    "residual",
    "argmax",
    "argmin",
    *(f"above{share}" for share in RANGE_SHARES),
    "rising",
    "crossings",
    "peaks",
    "peakmean",
    "peakrise",
)


def functionals(contours: np.ndarray, seconds: float) -> np.ndarray:
    """Functionals of contours.

    Parameters
    ----------
    contours : np.ndarray [shape=(d, t)]
        t >= 1, finite.
    seconds : float [s]
        Time from one frame to the next.

    Returns
    -------
    np.ndarray [shape=(d, 29), dtype=float32]
        In the order of `FUNCTIONALS`: mean, standard deviation, skewness and kurtosis (of the population, 0
        for a constant); percentiles (linear between ranks) and the distances between the quartiles; the
        coefficients of the contour on the orthonormal straight line and parabola, per root of t, and the
        standard deviation of what they leave; relative positions of the maximum and the minimum; shares of
        frames above 25, 50, 75 and 90 % of the way from minimum to maximum; share of rising steps; mean
        crossings a step; peaks [1/s], their mean, and their mean above the mean of the contour.
    """
    x = np.asarray(contours, dtype=np.float32)
    count = x.shape[1]
    mean = x.mean(axis=1, dtype=float)
    centred = x - mean[:, None].astype(np.float32)
    square = centred * centred
    variance = square.mean(axis=1, dtype=float)
    sd = np.sqrt(variance)
    level = sd <= 1e-6 * (1 + np.abs(mean))  # a constant, but for rounding
    scale = np.where(level, np.inf, sd)
    skewness = np.vecdot(square, centred) / count / scale**3
    kurtosis = np.vecdot(square, square) / count / scale**4

    ranked = np.sort(x, axis=1)
    quantile = dict(zip(PERCENTILES, percentiles(ranked, PERCENTILES).T, strict=True))
    low, high = ranked[:, :1], ranked[:, -1:]

    line, parabola = _polynomials(count)
    slope, curvature = centred @ line / np.sqrt(count), centred @ parabola / np.sqrt(count)
    residual = np.sqrt(np.maximum(variance - slope**2 - curvature**2, 0))

    last = max(count - 1, 1)
    shares = [_number(x > low + np.float32(share / 100) * (high - low)) / count for share in RANGE_SHARES]
    above = centred > 0
    crossings = _number(above[:, 1:] != above[:, :-1]) / last
    up = x[:, 1:] > x[:, :-1]
    peak = np.zeros(x.shape, dtype=np.float32)
    peak[:, 1:-1] = up[:, :-1] & ~up[:, 1:]
    peaks = _number(peak)
    rise = np.vecdot(peak, centred) / np.maximum(peaks, 1)

    columns = (
        mean,
        sd,
        skewness,
        kurtosis,
        *quantile.values(),
        quantile[75] - quantile[25],
        quantile[75] - quantile[50],
        quantile[50] - quantile[25],
        quantile[99] - quantile[1],
        slope,
        curvature,
        residual,
        x.argmax(axis=1) / last,
        x.argmin(axis=1) / last,
        *shares,
        _number(up) / last,
        crossings,
        peaks / (count * seconds),
        mean + rise,
        rise,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _number(true: np.ndarray) -> np.ndarray:
    """Number of true values in each row [shape=(d,)]; the product takes a third of the time of a sum."""
    return true.astype(np.float32) @ np.ones(true.shape[1], np.float32)


def _polynomials(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Straight line and parabola, orthonormal to each other and to a constant; zeros where t is too short."""
    time = (2 * np.arange(count) - (count - 1)) / max(count - 1, 1)
    line = time / max(np.sqrt(time @ time), 1e-9)
    square = time**2 - time @ time / count
    norm = np.sqrt(square @ square)
    parabola = square / norm if norm > 1e-6 else np.zeros(count)
    return line.astype(np.float32), parabola.astype(np.float32)
