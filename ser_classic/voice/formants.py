"""Formants by Burg's linear prediction, all frames at once.

Burg 1975; Childers 1978 pp. 252-255; the settings are those of Praat's "To Formant (burg)" with five formants
below 5300 Hz: Gaussian window of 50 ms, pre-emphasis from 50 Hz, and the roots of the prediction polynomial.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ser_classic.voice.frames import BLOCK, HOP, RATE, Frames

CEILING = 5300.0  # [Hz]
FORMANTS = 5
ORDER = 2 * FORMANTS
SAMPLES = 530  # 50 ms at twice the ceiling
TRACKED = 3
USUAL_FREQUENCY = (
    500.0,
    1500.0,
    2500.0,
)  # [Hz], a neutral tube of 17 cm: where a clip shows no formant at all
USUAL_BANDWIDTH = (80.0, 90.0, 120.0)  # [Hz]
NARROWEST = 10.0  # [Hz], floor of a bandwidth: a pure tone has none
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
    begin = max((frames.first - 4) * HOP, 0)  # a window on each side
    end = (frames.first + frames.count + 4) * HOP
    signal = soxr.resample(frames.waveform[begin:end], RATE, rate, quality="HQ")
    emphasis = np.float32(np.exp(-2 * np.pi * 50 / rate))
    signal = np.concatenate([signal[:1], signal[1:] - emphasis * signal[:-1]])
    signal = np.pad(signal, SAMPLES)
    centres = ((frames.first + np.arange(frames.count)) * HOP - begin) * (rate / RATE)
    starts = np.rint(centres).astype(int) + SAMPLES - SAMPLES // 2
    starts = np.minimum(starts, len(signal) - SAMPLES)
    view = np.lib.stride_tricks.sliding_window_view(signal, SAMPLES)
    frequency = np.full((TRACKED, frames.count), np.nan)
    bandwidth = np.full((TRACKED, frames.count), np.nan)
    for start in range(0, frames.count, BLOCK):
        block = slice(start, start + BLOCK)
        polynomial = burg(view[starts[block]] * _gaussian(), ORDER)
        frequency[:, block], bandwidth[:, block] = _lowest(upper_roots(polynomial), rate)
    return _filled(frequency, USUAL_FREQUENCY), _filled(bandwidth, USUAL_BANDWIDTH)


def burg(samples: np.ndarray, order: int) -> np.ndarray:
    """Prediction-error polynomials of frames by Burg's method.

    Parameters
    ----------
    samples : np.ndarray [shape=(t, n)]
    order : int

    Returns
    -------
    polynomial : np.ndarray [shape=(t, order + 1), dtype=float64]
        1, a_1, ..., a_order: the frame is predicted by -a_1 x[i-1] - ... - a_order x[i-order].
    """
    forward, backward = samples[:, 1:].copy(), samples[:, :-1].copy()
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
        forward, backward = forward + k * backward, backward + k * forward
        # Andersen 1978: the denominator of the next stage from that of this one.
        both = (
            (1 - reflection**2) * both - forward[:, 0].astype(float) ** 2 - backward[:, -1].astype(float) ** 2
        )
        forward, backward = forward[:, 1:], backward[:, :-1]
    return polynomial


def upper_roots(polynomial: np.ndarray, steps: int = 12) -> np.ndarray:
    """Roots above the real axis of real polynomials of even degree [shape=(t, degree / 2)], NaN where fewer.

    Ehrlich's and Aberth's simultaneous iteration, from starts that are symmetric about the real axis: the
    estimates below then mirror those above at every step and need not be computed. Pairs of real roots cannot
    be reached so; they do not converge, and are left out.
    """
    half = (polynomial.shape[1] - 1) // 2
    angle = np.pi * (np.arange(half) + 0.5) / half
    z = np.tile(0.9 * np.exp(1j * angle), (len(polynomial), 1))
    ratio = np.zeros_like(z)
    others = ~np.eye(half, dtype=bool)
    for _ in range(steps):
        value = np.repeat(polynomial[:, :1].astype(complex), half, axis=1)
        slope = np.zeros_like(z)
        for coefficient in polynomial.T[1:]:
            slope = slope * z + value
            value = value * z + coefficient[:, None]
        ratio = value / np.where(slope == 0, 1e-30, slope)
        gap = np.where(others, z[:, :, None] - z[:, None, :], 1)
        mirror = z[:, :, None] - z[:, None, :].conj()
        repulsion = np.sum(np.where(others, 1 / np.where(gap == 0, 1e-12, gap), 0), axis=2)
        repulsion += np.sum(1 / np.where(mirror == 0, 1e-12, mirror), axis=2)
        move = ratio / (1 - ratio * repulsion)
        z = z - move
    converged = (np.abs(move) < 1e-6) & (z.imag > 1e-6)
    return np.where(converged, z, np.nan)


def _lowest(roots: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and bandwidth [shape=(3, t)] [Hz] of the lowest resonances, NaN where there are fewer."""
    frequency = np.angle(roots) * rate / (2 * np.pi)
    bandwidth = np.maximum(np.abs(np.log(np.maximum(np.abs(roots), 1e-6))) * rate / np.pi, NARROWEST)
    frequency[~((frequency > EDGE) & (frequency < rate / 2 - EDGE))] = np.nan
    order = np.argsort(frequency, axis=1)[:, :TRACKED]  # NaN sorts last
    frequency, bandwidth = (np.take_along_axis(a, order, axis=1).T for a in (frequency, bandwidth))
    return frequency, np.where(np.isnan(frequency), np.nan, bandwidth)


def _filled(tracks: np.ndarray, usual: tuple[float, ...]) -> np.ndarray:
    """Tracks [shape=(3, t)] with the gaps interpolated, or the usual value where nothing was found."""
    frame = np.arange(tracks.shape[1])
    filled = np.empty_like(tracks)
    for row, (values, value) in enumerate(zip(tracks, usual, strict=True)):
        known = np.isfinite(values)
        filled[row] = np.interp(frame, frame[known], values[known]) if known.any() else value
    return filled


@lru_cache(maxsize=1)
def _gaussian() -> np.ndarray:
    """Praat's Gaussian window, zero at both ends [shape=(530,), dtype=float32]."""
    middle = 0.5 * (SAMPLES + 1)
    position = np.arange(1, SAMPLES + 1) - middle
    edge = np.exp(-12.0)
    return ((np.exp(-48 * (position / (SAMPLES + 1)) ** 2) - edge) / (1 - edge)).astype(np.float32)
