"""The voice source in the narrow-band spectrum: cepstral peak prominence and differences of harmonics.

Hillenbrand, Cleveland and Erickson 1994 (prominence); Hanson 1997 (H1-H2, H1-A1, H1-A3, here as measured: not
corrected for the formants).
"""

from __future__ import annotations

import numpy as np
from scipy import fft as _fft

from ser_classic.features.voice.frames import RATE, Frames, hann, squared
from ser_classic.features.voice.pitch import CEILING, FLOOR

WINDOW = 800  # [samples], 50 ms
FFT = 2048
BIN = RATE / FFT  # [Hz]
SHORTEST, LONGEST = int(np.ceil(RATE / CEILING)), int(RATE / FLOOR)  # [samples], periods looked at
LINE_START = RATE // 1000  # [samples]: the vocal tract dominates the cepstrum below 1 ms
REACH = 0.2  # of F0, on each side of a multiple of F0 where its harmonic is looked for


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
    window = hann(WINDOW)
    prominence = np.empty(frames.count)
    differences = np.empty((4, frames.count))
    for block, samples in frames.blocks(WINDOW):
        power = squared(_fft.rfft(samples * window, FFT, workers=1))
        level = np.log10(power + np.float32(1e-9))
        level *= 10
        prominence[block] = _prominence(_fft.irfft(level, FFT, workers=1))
        f0 = fundamental[block]
        near = np.linspace(-REACH, REACH, 9)
        first, second, third = (_highest(level, f0[:, None] * (n + near)) for n in (1, 2, 3))
        half = np.linspace(-0.5, 0.5, 21)
        a1, a3 = (_highest(level, formants[n, block][:, None] + f0[:, None] * half) for n in (0, 2))
        differences[:, block] = first - second, first - third, first - a1, first - a3
    return prominence, differences


def _prominence(cepstrum: np.ndarray) -> np.ndarray:
    """Peak of cepstra [shape=(t, FFT)] above their regression line [dB]."""
    height = 10 * np.log10(cepstrum[:, LINE_START : LONGEST + 1].astype(float) ** 2 + 1e-12)
    lag = np.arange(LINE_START, LONGEST + 1)
    centred = lag - lag.mean()
    slope = height @ centred / np.sum(centred**2)
    searched = height[:, SHORTEST - LINE_START :]
    at = searched.argmax(axis=1)
    peak = np.take_along_axis(searched, at[:, None], axis=1)[:, 0]
    return peak - height.mean(axis=1) - slope * centred[SHORTEST - LINE_START + at]


def _highest(level: np.ndarray, hertz: np.ndarray) -> np.ndarray:
    """Highest of the levels [shape=(t, bins)] at frequencies [shape=(t, m)]."""
    bins = np.clip(np.rint(hertz / BIN).astype(int), 0, level.shape[1] - 1)
    return np.take_along_axis(level, bins, axis=1).max(axis=1)
