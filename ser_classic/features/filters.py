"""Filter banks and transforms of the descriptors, equal to librosa's, each built once."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

from ser_classic.errors import SerClassicError

CONTRAST_LOWEST = 200.0  # [Hz] upper edge of the lowest band of the spectral contrast
CONTRAST_SHARE = 0.02  # of a band's bins that make up its peak, and its valley
# Mel bands per multiplication: few enough to skip most of a bank's zeros, enough to be worth a call.
GROUP = 16


@lru_cache
def bin_frequencies(sample_rate: int, n_fft: int) -> np.ndarray:
    """Frequencies of the bins of a transform [shape=(1 + n_fft / 2,), Hz, dtype=float64]."""
    return np.fft.rfftfreq(n_fft, 1 / sample_rate)


@lru_cache
def hann(n: int) -> np.ndarray:
    """Periodic Hann window [shape=(n,), dtype=float64]."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


@lru_cache
def mel_bank(sample_rate: int, n_fft: int, bands: int) -> np.ndarray:
    """`librosa.filters.mel(n_mels=bands).T` [shape=(1 + n_fft / 2, bands), dtype=float32].

    Slaney's scale (Auditory Toolbox, 1998): linear with 3 mel in 200 Hz below 1 kHz, then 27 mel for a
    factor of 6.4; triangles of unit area. A band narrower than the distance of two bins may be empty.
    """
    corner, step = 15.0, np.log(6.4) / 27
    highest = sample_rate / 2
    top = highest * 3 / 200 if highest < 1000 else corner + np.log(highest / 1000) / step
    mels = np.linspace(0, top, bands + 2)
    edges = np.where(mels < corner, mels * 200 / 3, 1000 * np.exp(step * (mels - corner)))
    ramps = bin_frequencies(sample_rate, n_fft)[:, None] - edges
    rising = ramps[:, :-2] / np.diff(edges)[:-1]
    falling = -ramps[:, 2:] / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))).astype(np.float32)


@lru_cache
def _mel_groups(sample_rate: int, n_fft: int, bands: int) -> list[tuple[slice, slice, np.ndarray]]:
    bank = mel_bank(sample_rate, n_fft, bands)
    groups = []
    for start in range(0, bands, GROUP):
        columns = slice(start, min(start + GROUP, bands))
        used = np.flatnonzero(bank[:, columns].any(axis=1))
        rows = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        groups.append((rows, columns, np.ascontiguousarray(bank[rows, columns])))
    return groups


def to_mel(power: np.ndarray, sample_rate: int, n_fft: int, bands: int) -> np.ndarray:
    """`power @ mel_bank(...)` [shape=(t, bands), dtype=float32], without most of the zeros."""
    mel = np.empty((len(power), bands), np.float32)
    for rows, columns, weights in _mel_groups(sample_rate, n_fft, bands):
        np.matmul(power[:, rows], weights, out=mel[:, columns])
    return mel


@lru_cache
def chroma_bank(sample_rate: int, n_fft: int) -> np.ndarray:
    """`librosa.filters.chroma(tuning=0).T` [shape=(1 + n_fft / 2, 12), dtype=float32].

    Gaussian bumps about the twelve pitch classes, a bin's weights of unit length, weighted over the octaves
    by a Gaussian about the fifth (Ellis 2007, Chroma feature analysis and synthesis).
    """
    semitones = 12 * np.log2(np.arange(1, n_fft) * (sample_rate / n_fft) / 27.5)
    semitones = np.concatenate(([semitones[0] - 18], semitones))  # 0 Hz: an octave and a half below the first
    width = np.concatenate((np.maximum(np.diff(semitones), 1), [1]))[:, None]
    distance = np.remainder(semitones[:, None] - np.arange(12) + 6, 12) - 6
    weights = np.exp(-0.5 * (2 * distance / width) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights *= np.exp(-0.5 * ((semitones / 12 - 5) / 2) ** 2)[:, None]
    return np.roll(weights, -3, axis=1)[: n_fft // 2 + 1].astype(np.float32)  # from A first to C first


@lru_cache
def dct_matrix(bands: int) -> np.ndarray:
    """Orthonormal DCT-II as a matrix [shape=(bands, bands), dtype=float32]; a column is a coefficient."""
    angles = np.pi / bands * np.outer(np.arange(bands) + 0.5, np.arange(bands))
    matrix = np.sqrt(2 / bands) * np.cos(angles)
    matrix[:, 0] /= np.sqrt(2)
    return matrix.astype(np.float32)


@lru_cache
def tonnetz_matrix() -> np.ndarray:
    """From pitch classes to the tonal centroid [shape=(12, 6), dtype=float32]."""
    radius = np.array([1, 1, 1, 1, 0.5, 0.5])
    turns = np.outer(np.arange(12), [7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])
    turns[:, ::2] -= 0.5  # the sines
    return (radius * np.cos(np.pi * turns)).astype(np.float32)


@lru_cache
def contrast_bands(sample_rate: int, n_fft: int, size: int) -> tuple[tuple[int, int, int], ...]:
    """For every band of the spectral contrast its bins low:high, and how many make up a peak or a valley.

    0-200 Hz, 200-400 Hz, and so on by octaves; the highest band ends at half the sample rate. As in librosa,
    a band includes the bin below its lower edge, and all but the highest count their last bin but leave it
    out.
    """
    frequencies = bin_frequencies(sample_rate, n_fft)
    edges = np.concatenate(([0], CONTRAST_LOWEST * 2.0 ** np.arange(size)))
    if edges[-2] >= sample_rate / 2:
        raise SerClassicError(
            f"contrast: the highest of {size} bands starts at {edges[-2]:.0f} Hz, but the spectrum ends "
            f"at {sample_rate / 2:.0f} Hz; resample to a higher rate or use fewer bands"
        )
    bands = []
    for band, (bottom, top) in enumerate(itertools.pairwise(edges)):
        inside = np.flatnonzero((frequencies >= bottom) & (frequencies <= top))
        last = band == size - 1
        low = inside[0] - (band > 0) if len(inside) else 0
        high = len(frequencies) if last else inside[-1] if len(inside) else 0
        if high <= low:
            empty = f"no bin of {n_fft} samples at {sample_rate} Hz is between {bottom:.0f} and {top:.0f} Hz"
            raise SerClassicError(f"contrast: {empty}; use longer frames")
        bins = high - low + (not last)
        bands.append((int(low), int(high), max(1, int(np.rint(CONTRAST_SHARE * bins)))))
    return tuple(bands)
