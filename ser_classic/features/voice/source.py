"""The voice source in the narrow-band spectrum: cepstral peak prominence and differences of harmonics.

Hillenbrand, Cleveland and Erickson 1994 (prominence); Hanson 1997 (H1-H2, H1-A1, H1-A3, here as measured: not
corrected for the formants).
"""

from __future__ import annotations

import numpy as np

from ser_classic.features.voice.frames import RATE, Frames, hann
from ser_classic.features.voice.pitch import CEILING, FLOOR

WINDOW = 800  # [samples], 50 ms
FFT = 2048
BIN = RATE / FFT  # [Hz]
SHORTEST, LONGEST = int(np.ceil(RATE / CEILING)), int(RATE / FLOOR)  # [samples], periods looked at
LINE_START = RATE // 1000  # [samples]: the vocal tract dominates the cepstrum below 1 ms
LAG = np.arange(LINE_START, LONGEST + 1) - (LINE_START + LONGEST) / 2  # around the middle of the line
# To the mean and the slope of the line.
LINE = np.stack([np.full(len(LAG), 1 / len(LAG)), LAG / np.sum(LAG**2)], axis=1, dtype=np.float32)
REACH = 0.2  # of F0, on each side of a multiple of F0 where its harmonic is looked for
HARMONICS = [n + np.linspace(-REACH, REACH, 9) for n in (1, 2, 3)]  # of F0
HALF = np.linspace(-0.5, 0.5, 21)  # of F0: a harmonic lies within
OFFSETS = np.concatenate([*HARMONICS, HALF, HALF])  # of F0; the last two from the first and third formant
STARTS = np.array([0, 9, 18, 27, 48])  # of the groups of offsets


def describe(frames: Frames, fundamental: np.ndarray, formants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cepstral peak prominence and harmonic differences of every frame.

    Parameters
    ----------
    fundamental : np.ndarray [shape=(t,)] [Hz]
    formants : np.ndarray [shape=(3, t)] [Hz]

    Returns
    -------
    prominence : np.ndarray [shape=(t,)] [dB]
        Height of the cepstrum's peak between 1/650 and 1/65 s above the line through the cepstrum from 1 ms
        on.
    differences : np.ndarray [shape=(4, t)] [dB]
        H1-H2, H1-H3, H1-A1, H1-A3: level of the first harmonic above that of the second, of the third, and of
        the strongest harmonic near the first and the third formant.
    """
    from scipy import fft

    prominence = np.empty(frames.count)
    differences = np.empty((4, frames.count))
    for block, power in frames.spectra(hann(WINDOW), FFT):
        power += np.float32(1e-9)
        level = np.log10(power, out=power)
        level *= 10
        prominence[block] = _prominence(fft.dct(level, type=1, norm="forward", workers=1))
        hertz = fundamental[block, None] * OFFSETS
        hertz[:, STARTS[3] : STARTS[4]] += formants[0, block, None]
        hertz[:, STARTS[4] :] += formants[2, block, None]
        first, second, third, a1, a3 = _highest(level, hertz)
        differences[:, block] = first - second, first - third, first - a1, first - a3
    return prominence, differences


def _prominence(cepstrum: np.ndarray) -> np.ndarray:
    """Peak of cepstra [shape=(t, FFT // 2 + 1)] above their regression line [dB]."""
    height = np.log10(np.square(cepstrum[:, LINE_START : LONGEST + 1]) + np.float32(1e-12))
    height *= 10
    mean, slope = (height @ LINE).T
    searched = height[:, SHORTEST - LINE_START :]
    at = searched.argmax(axis=1)
    return searched[np.arange(len(at)), at] - mean - slope * LAG[SHORTEST - LINE_START + at]


def _highest(level: np.ndarray, hertz: np.ndarray) -> np.ndarray:
    """Highest of the levels [shape=(t, bins)] at the frequencies [shape=(t, m)] of every group."""
    bins = np.rint(hertz / BIN)
    np.maximum(bins, 0, out=bins)
    np.minimum(bins, level.shape[1] - 1, out=bins)
    bins += level.shape[1] * np.arange(len(level))[:, None]
    return np.maximum.reduceat(level.take(bins.astype(int)), STARTS, axis=1).T
