"""Descriptors of the short-time spectrum: mel bands, cepstrum, loudness and the shape of the spectrum.

Sources: HTK book (mel scale, equal loudness), Hermansky 1990 (perceptual loudness), Peeters 2004 (spectral
moments, flatness, roll-off, flux), Eyben et al. 2016 (GeMAPS: alpha ratio, Hammarberg index, spectral
slopes), Zwicker and Fastl 1990 (sharpness).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ser_classic.features.voice.frames import FFT, FREQUENCIES, HOP, POWER_FLOOR, RATE, WINDOW, Frames

MELS = 40
MFCCS = 20
LOWEST, HIGHEST = 50.0, 7800.0  # [Hz], edges of the mel bank
MEL_RANGE = 75.0  # [dB] below the loudest band of the clip
DECIBELS = 10 / np.log(10)  # in a natural logarithm of power
ROLL_OFFS = (0.25, 0.5, 0.75, 0.9)

SHAPES = (
    "level",
    "loudness",
    "zcr",
    "centroid",
    "spread",
    "skewness",
    "kurtosis",
    "entropy",
    "flatness",
    *(f"rolloff{round(100 * share)}" for share in ROLL_OFFS),
    "flux",
    "alpha",
    "hammarberg",
    "high",
    "slope500",
    "slope1500",
    "slope6000",
    "sharpness",
)


def describe(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cepstrum, mel bands and spectral shape of every frame.

    Returns
    -------
    mfcc : np.ndarray [shape=(20, t), dtype=float32]
        Orthonormal DCT-II of the mel bands, the zeroth coefficient included.
    mel : np.ndarray [shape=(40, t), dtype=float32] [dB]
        Mel bands, none more than 75 dB below the loudest of the clip.
    shape : np.ndarray [shape=(21, t), dtype=float32]
        The descriptors named in `SHAPES`.
    """
    power = frames.power()
    energies = power @ mel_bank().T
    mel = 10 * np.log10(energies + np.float32(POWER_FLOOR))
    np.maximum(mel, mel.max() - MEL_RANGE, out=mel)
    mfcc = mel @ cosines().T
    return mfcc.T, mel.T, _shape(frames, power, energies)


def _shape(frames: Frames, power: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """The descriptors named in `SHAPES` [shape=(21, t), dtype=float32]."""
    tracks = dict.fromkeys(SHAPES)
    tracks["level"] = frames.level
    heard = (energies * equal_loudness()) ** np.float32(0.23)
    tracks["loudness"] = loudness = heard.sum(axis=1)
    tracks["sharpness"] = 0.11 * (heard @ sharpness()) / np.maximum(loudness, 1e-9)
    tracks["zcr"] = _zero_crossings(frames)

    safe = power + np.float32(1e-3 * POWER_FLOOR)
    ones = np.ones(len(FREQUENCIES), np.float32)  # products with it are the fastest sums
    total = safe @ ones
    for_sums, for_slopes = _weights()
    sums = (safe @ for_sums).astype(float).T
    first, second, third, fourth = sums[:4] / total.astype(float)
    variance = np.maximum(second - first**2, 1e-6)
    tracks["centroid"] = 1000 * first
    tracks["spread"] = 1000 * np.sqrt(variance)
    tracks["skewness"] = (third - 3 * first * second + 2 * first**3) / variance**1.5
    tracks["kurtosis"] = (fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4) / variance**2

    logs = np.log(safe)
    bins = len(ones)
    tracks["entropy"] = (np.log(total) - np.vecdot(safe, logs) / total) / np.log(bins)
    tracks["flatness"] = logs @ ones / bins - np.log(total / bins)
    cumulative = np.cumsum(safe, axis=1)
    for share in ROLL_OFFS:
        reached = (cumulative >= np.float32(share) * cumulative[:, -1:]).argmax(axis=1)
        tracks[f"rolloff{round(100 * share)}"] = FREQUENCIES[reached]

    magnitude = np.sqrt(safe)
    likeness = np.vecdot(magnitude[1:], magnitude[:-1]) / np.sqrt(total[1:] * total[:-1])
    flux = np.sqrt(np.maximum(2 - 2 * likeness, 0))
    tracks["flux"] = np.concatenate([flux[:1] if len(flux) else np.zeros(1), flux])

    tracks["alpha"] = 10 * np.log10(sums[4] / sums[5])
    tracks["high"] = 10 * np.log10(sums[7] / sums[6])
    two, five = (round(hertz * FFT / RATE) for hertz in (2000, 5000))
    tracks["hammarberg"] = DECIBELS * (logs[:, :two].max(axis=1) - logs[:, two:five].max(axis=1))
    tracks["slope500"], tracks["slope1500"], tracks["slope6000"] = (logs @ for_slopes).T
    return np.array(list(tracks.values()), dtype=np.float32)


@lru_cache(maxsize=1)
def _weights() -> tuple[np.ndarray, np.ndarray]:
    """Columns for f to f^4 [kHz] and sums of four bands; from logarithms, for slopes of three [dB/kHz]."""
    kilohertz = FREQUENCIES / 1000
    bands = [(kilohertz >= low) & (kilohertz < high) for low, high in ((0.05, 1), (1, 5), (0, 4), (4, 8.001))]
    slopes = []
    for low, high in ((0, 0.5), (0.5, 1.5), (1.5, 6)):
        inside = (kilohertz >= low) & (kilohertz < high)
        centred = np.where(inside, kilohertz - kilohertz[inside].mean(), 0)
        slopes.append(DECIBELS * centred / np.sum(centred**2))
    sums = [*(kilohertz**n for n in range(1, 5)), *bands]
    return np.stack(sums, axis=1).astype(np.float32), np.stack(slopes, axis=1).astype(np.float32)


def _zero_crossings(frames: Frames) -> np.ndarray:
    """Share of neighbouring samples of a frame whose signs differ."""
    waveform = frames.waveform
    negative = np.signbit(waveform)
    changes = np.zeros(len(waveform), np.int32)
    np.cumsum(negative[1:] != negative[:-1], out=changes[1:])
    centres = (frames.first + np.arange(frames.count)) * HOP
    last = len(changes) - 1
    begin = np.maximum(centres - WINDOW // 2, 0)
    end = np.minimum(centres + WINDOW // 2 - 1, last)
    return (changes[end] - changes[begin]) / (WINDOW - 1)


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    """HTK's mel scale."""
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


@lru_cache(maxsize=1)
def _edges() -> np.ndarray:
    """Corners of the mel triangles [shape=(42,)] [Hz]."""
    mels = np.linspace(_mel(LOWEST), _mel(HIGHEST), MELS + 2)
    return 700 * (10 ** (mels / 2595) - 1)


@lru_cache(maxsize=1)
def mel_bank() -> np.ndarray:
    """Triangular mel filters of area one [shape=(40, 257), dtype=float32] [1/Hz]."""
    low, centre, high = (_edges()[i : i + MELS, None] for i in range(3))
    rising, falling = (FREQUENCIES - low) / (centre - low), (high - FREQUENCIES) / (high - centre)
    return (np.maximum(np.minimum(rising, falling), 0) * 2 / (high - low)).astype(np.float32)


@lru_cache(maxsize=1)
def cosines() -> np.ndarray:
    """First rows of the orthonormal DCT-II of the mel bands [shape=(20, 40), dtype=float32]."""
    rows = np.cos(np.pi / MELS * np.outer(np.arange(MFCCS), np.arange(MELS) + 0.5)) * np.sqrt(2 / MELS)
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


@lru_cache(maxsize=1)
def equal_loudness() -> np.ndarray:
    """Hermansky's approximation of the ear's sensitivity at the centres of the mel bands [shape=(40,)]."""
    square = _edges()[1:-1] ** 2
    return ((square / (square + 1.6e5)) ** 2 * (square + 1.44e6) / (square + 9.61e6)).astype(np.float32)


@lru_cache(maxsize=1)
def barks() -> np.ndarray:
    """Critical-band rate of the centres of the mel bands [shape=(40,)] [Bark] (Traunmüller 1990)."""
    centres = _edges()[1:-1]
    return 26.81 * centres / (1960 + centres) - 0.53


@lru_cache(maxsize=1)
def sharpness() -> np.ndarray:
    """Weight of the mel bands in Zwicker's sharpness [shape=(40,), dtype=float32]."""
    return (barks() * np.where(barks() < 16, 1, 0.066 * np.exp(0.171 * barks()))).astype(np.float32)
