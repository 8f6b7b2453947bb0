"""Formants by Burg's linear prediction, all frames at once.

Burg 1975; Childers 1978 pp. 252-255; the settings are those of Praat's "To Formant (burg)" with five formants
below 5300 Hz: Gaussian window of 50 ms, pre-emphasis from 50 Hz, and the roots of the prediction polynomial.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ser_classic.features.voice.frames import BLOCK, HOP, RATE, Frames, blocks, limited

CEILING = 5300.0  # [Hz]
FORMANTS = 5
ORDER = 2 * FORMANTS
SAMPLES = 530  # 50 ms at twice the ceiling
TRACKED = 3
# Where a clip shows no formant at all: a neutral tube of 17 cm.
USUAL_FREQUENCY = (500.0, 1500.0, 2500.0)  # [Hz]
USUAL_BANDWIDTH = (80.0, 90.0, 120.0)  # [Hz]
NARROWEST = 10.0  # [Hz], floor of a bandwidth: a pure tone has none
SPENT = 0.003  # of a frame's energy: where the last stage is left less, rounding decides
STEPS = 4  # of the root finder; the convergence is cubic
MORE_STEPS = 3  # where several roots have not settled by then
SETTLED = 1e-4  # a root that has moved by less is within 1e-12 of where it ends
NEAR = 0.01  # to the real axis: 17 Hz from 0 or from the ceiling
EDGE = 50.0  # [Hz] from 0 and from the ceiling, within which a root is no formant


def track(frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """The first three formants of every frame.

    Returns
    -------
    frequency, bandwidth : np.ndarray [shape=(3, t)] [Hz]
        Where a frame has fewer formants, the missing ones are interpolated between the frames around.
    """
    import soxr

    rate = 2 * CEILING
    begin = max(frames.first - 4, 0)  # a window on each side
    end = frames.first + frames.count + 4
    signal = soxr.resample(frames.waveform[begin * HOP : end * HOP], RATE, rate, quality="HQ")
    emphasis = np.float32(np.exp(-2 * np.pi * 50 / rate))
    signal[1:] -= emphasis * signal[:-1]
    polynomial = np.empty((frames.count, ORDER + 1))
    hop = round(HOP * rate / RATE)
    for block, samples in blocks(signal, SAMPLES, frames.first - begin, frames.count, hop, 4 * BLOCK):
        samples = samples * _gaussian()
        polynomial[block] = burg(samples, ORDER)
    if frames.count % BLOCK == 1:
        polynomial[-1:] = lattice(samples[-1:], ORDER, apart=False)
    frequency, bandwidth = _lowest(upper_roots(polynomial), rate)
    return _filled(frequency, USUAL_FREQUENCY), _filled(bandwidth, USUAL_BANDWIDTH)


def burg(samples: np.ndarray, order: int) -> np.ndarray:
    """Prediction-error polynomials of frames by Burg's method, from the frames' autocorrelation.

    Vos 2013, "A Fast Implementation of Burg's Method". Frames of which next to nothing is left, as of what a
    resampler leaves in digital silence, are filtered stage by stage: their roots follow the rounding.

    Parameters
    ----------
    samples : np.ndarray [shape=(t, n)]
    order : int

    Returns
    -------
    polynomial : np.ndarray [shape=(t, order + 1), dtype=float64]
        1, a_1, ..., a_order: the frame is predicted by -a_1 x[i-1] - ... - a_order x[i-order].
    """
    x = np.ascontiguousarray(samples, dtype=float)
    frames, count = x.shape
    lagged = np.stack([np.vecdot(x[:, : count - lag], x[:, lag:]) for lag in range(order + 1)])
    first, last = np.ascontiguousarray(x[:, :order].T), np.ascontiguousarray(x[:, : -order - 1 : -1].T)
    tiny = 1e-12 * lagged[0] + 1e-30
    # g = R a, where R [shape=(m + 1, m + 1)] holds the products of the samples that stage m sees, forwards
    # and backwards; r is the last row of the next R. Both are kept up without R itself.
    stages = np.zeros((2, order + 1, frames))
    a, g = stages
    r = np.zeros_like(a)
    a[0] = 1
    g[0] = 2 * lagged[0] - first[0] ** 2 - last[0] ** 2
    r[0] = g[1] = 2 * lagged[1]
    for m in range(1, order + 1):
        k = -_dot(a[:m], g[m:0:-1]) / np.maximum(_dot(a[:m], g[:m]), tiny)
        k = limited(k, -1, 1)
        turned = stages if m < order else stages[:1]
        turned[:, : m + 1] += k * turned[:, m::-1]
        if m < order:
            for edge in (first[m::-1], last[m::-1]):
                g[: m + 1] -= edge * _dot(edge, a[: m + 1])
            r[1 : m + 1] = r[:m] - first[:m] * first[m] - last[:m] * last[m]
            r[0] = 2 * lagged[m + 1]
            g[m + 1] = _dot(r[: m + 1], a[: m + 1])
    polynomial = np.ascontiguousarray(a.T)
    spent = _dot(a[:order], g[:order]) < SPENT * 2 * lagged[0]
    if spent.any():
        polynomial[spent] = lattice(samples[spent], order)
    return polynomial


def lattice(samples: np.ndarray, order: int, *, apart: bool = True) -> np.ndarray:
    """Burg's method as he gave it [shape=(t, order + 1), dtype=float64], in the precision of the samples.

    Not `apart`, what is filtered forwards and backwards overwrites each other. That is an error of version 2
    of the features, in the last frame where it is the first of a block: mend it with the next version.
    """
    forward, backward = samples[:, 1:], samples[:, :-1]
    if apart:
        forward, backward = forward.copy(), backward.copy()
    spare, other = np.empty_like(forward), np.empty_like(forward)
    energy = np.einsum("ti,ti->t", samples, samples).astype(float)
    tiny = 1e-12 * energy + 1e-30
    both = 2 * energy - samples[:, 0].astype(float) ** 2 - samples[:, -1].astype(float) ** 2
    polynomial = np.zeros((len(samples), order + 1))
    polynomial[:, 0] = 1
    for m in range(1, order + 1):
        product = np.einsum("ti,ti->t", forward, backward)
        reflection = np.clip(-2 * product / np.maximum(both, tiny), -1, 1)
        polynomial[:, 1 : m + 1] += reflection[:, None] * polynomial[:, m - 1 :: -1][:, :m]
        k = reflection[:, None].astype(samples.dtype)
        np.multiply(backward, k, out=spare)
        np.multiply(forward, k, out=other)
        forward += spare
        backward += other
        # Andersen 1978: the denominator of the next stage from that of this one.
        ends = forward[:, 0].astype(float) ** 2 + backward[:, -1].astype(float) ** 2
        both = (1 - reflection**2) * both - ends
        forward, backward, spare, other = forward[:, 1:], backward[:, :-1], spare[:, 1:], other[:, 1:]
    return polynomial


def _dot(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Dot products [shape=(t,)] of columns [shape=(m, t)]."""
    return np.vecdot(rows, others, axis=0)


def upper_roots(polynomial: np.ndarray) -> np.ndarray:
    """Roots above the real axis of real polynomials of even degree.

    Ehrlich's and Aberth's simultaneous iteration, from starts that are symmetric about the real axis: the
    estimates below then mirror those above at every step and need not be computed. A pair of real roots
    cannot be reached so; where all other pairs are, the last one solves the quadratic that they leave.

    Parameters
    ----------
    polynomial : np.ndarray [shape=(t, 2 n + 1)]
        Coefficients, the highest power first, which must be 1.

    Returns
    -------
    np.ndarray [shape=(t, n), dtype=complex128]
        NaN in the place of each pair of real roots.
    """
    half = (polynomial.shape[1] - 1) // 2
    coefficients = np.repeat(polynomial.T.astype(complex)[:, None], half, axis=1)
    start = 0.9 * np.exp(1j * np.pi * (np.arange(half) + 0.5) / half)
    z = np.repeat(start[:, None], len(polynomial), axis=1)
    for _ in range(STEPS):
        z, moved = _step(z, coefficients)
    lost = _lost(z, moved)
    rest = np.flatnonzero(lost.sum(axis=0) > 1)
    moving, coefficients = z[:, rest], coefficients[:, :, rest]
    for _ in range(MORE_STEPS):
        moving, moved = _step(moving, coefficients)
        lost[:, rest] = _lost(moving, moved)
    z[:, rest] = moving
    z, lost = np.ascontiguousarray(z.T), lost.T
    missing = lost.sum(axis=1)
    for pairs in range(1, half + 1):
        at = np.flatnonzero(missing == pairs)
        if len(at):
            gone, some = lost[at], z[at]
            known = some[~gone].reshape(len(at), half - pairs)
            some[gone] = _solved(_without(polynomial[at], known)).ravel()
            z[at] = some
    return z


def _without(polynomial: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Real polynomials [shape=(t, n + 1)] divided by some of their roots above the real axis and below."""
    quotient = polynomial[:, : polynomial.shape[1] - 2 * roots.shape[1]].T.copy()
    for root in roots.T:
        twice, square = 2 * root.real, root.real**2 + root.imag**2
        quotient[1] += twice * quotient[0]
        for power in range(2, len(quotient)):
            quotient[power] += twice * quotient[power - 1] - square * quotient[power - 2]
    return quotient.T


def _solved(polynomial: np.ndarray) -> np.ndarray:
    """Roots above the real axis of a few real polynomials, NaN in the place of each pair of real roots."""
    degree = polynomial.shape[1] - 1
    if degree == 2:
        middle = -0.5 * polynomial[:, 1:2]
        height = np.sqrt(np.maximum(polynomial[:, 2:] - middle**2, 0))
        return np.where(height > 0, middle + 1j * height, np.nan)
    companion = np.zeros((len(polynomial), degree, degree))
    companion[:, 0] = -polynomial[:, 1:]
    companion[:, np.arange(1, degree), np.arange(degree - 1)] = 1
    roots = np.linalg.eigvals(companion).astype(complex)
    highest = np.take_along_axis(roots, np.argsort(-roots.imag, axis=1)[:, : degree // 2], axis=1)
    return np.where(highest.imag > 0, highest, np.nan)


def _lost(z: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Which estimates are not roots above the real axis, or have not settled."""
    return (moved > SETTLED) | (z.imag <= 1.01 * NEAR)


def _step(z: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimates [shape=(n, t)] of roots after one step, not below `NEAR`, and how far each has moved."""
    value, slope = z + coefficients[1], np.ones_like(z)
    for coefficient in coefficients[2:]:
        slope *= z
        slope += value
        value *= z
        value += coefficient
    # Each root is repelled by the others and by all mirror images: the sum of 1 / (z - r) + 1 / (z - r*).
    apart, repelled = _pairs(len(z))
    x, y = z.real.copy(), z.imag.copy()
    across, both = apart[: len(apart) // 2] @ x, apart @ y  # to the other, and to the mirror image
    distance = both * both
    distance.reshape(2, *across.shape)[:] += across * across
    np.divide(1, distance, out=distance)
    both *= distance
    across *= distance[: len(across)] + distance[len(across) :]
    repulsion = np.empty_like(z)
    repulsion.real = repelled[:, : len(across)] @ across
    repulsion.imag = -0.5 / y - repelled @ both
    move = value / (slope - value * repulsion)
    z = z - move
    np.maximum(z.imag, NEAR, out=z.imag)
    return z, np.abs(move)


@lru_cache(maxsize=8)
def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Matrices from `count` numbers to the differences, then the sums, of all pairs, and back."""
    first, second = (np.eye(count)[side] for side in np.triu_indices(count, 1))
    apart = np.concatenate([first - second, first + second])
    return apart, np.ascontiguousarray(apart.T)


def _lowest(roots: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and bandwidth [shape=(3, t)] [Hz] of the lowest resonances, NaN where there are fewer."""
    frequency = np.angle(roots) * rate / (2 * np.pi)
    bandwidth = np.maximum(np.abs(np.log(np.maximum(np.abs(roots), 1e-6))) * rate / np.pi, NARROWEST)
    frequency[~((frequency > EDGE) & (frequency < rate / 2 - EDGE))] = np.nan
    order = np.argsort(frequency, axis=1)[:, :TRACKED]  # NaN sorts last
    at = np.arange(len(order)), order.T
    frequency, bandwidth = frequency[at], bandwidth[at]
    return frequency, np.where(np.isnan(frequency), np.nan, bandwidth)


def _filled(tracks: np.ndarray, usual: tuple[float, ...]) -> np.ndarray:
    """Tracks [shape=(3, t)] with the gaps interpolated, or the usual value where nothing was found."""
    frame = np.arange(tracks.shape[1])
    filled = tracks.copy()
    for values, value in zip(filled, usual, strict=True):
        known = np.isfinite(values)
        if not known.all():
            values[:] = np.interp(frame, frame[known], values[known]) if known.any() else value
    return filled


@lru_cache(maxsize=1)
def _gaussian() -> np.ndarray:
    """Praat's Gaussian window, zero at both ends [shape=(530,), dtype=float32]."""
    middle = 0.5 * (SAMPLES + 1)
    position = np.arange(1, SAMPLES + 1) - middle
    edge = np.exp(-12.0)
    return ((np.exp(-48 * (position / (SAMPLES + 1)) ** 2) - edge) / (1 - edge)).astype(np.float32)
