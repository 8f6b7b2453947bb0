"""Prosody: 45 numbers on the melody, the voice quality, the rhythm and the length of an utterance."""

from __future__ import annotations

import numpy as np

from ser_classic.features.functionals import percentiles
from ser_classic.features.voice import FRAME, Voice

JITTER = ("local", "rap", "ppq5")
SHIMMER = ("local", "apq3", "apq5")
RUN_STATISTICS = ("rate", "mean", "sd", "max", "median")
SLOPE_STATISTICS = ("mean", "sd", "magnitude", "max", "min", "first", "last")

PROSODY = (
    *(f"f0_{name}" for name in ("p05", "p25", "p50", "p75", "p95", "mean", "sd", "range", "step")),
    "voiced_share",
    *(f"jitter_{name}" for name in JITTER),
    *(f"shimmer_{name}" for name in SHIMMER),
    *(f"jitter_{name}_log" for name in JITTER),
    *(f"shimmer_{name}_log" for name in SHIMMER),
    *(f"voiced_run_{name}" for name in RUN_STATISTICS),
    *(f"unvoiced_run_{name}" for name in RUN_STATISTICS),
    "loudness_peak_rate",
    *(f"f0_slope_{name}" for name in SLOPE_STATISTICS),
    "f0_start",
    "f0_end",
    "f0_fall",
    "duration",
    "duration_log",
)
SHORTEST_SLOPE = 5  # [frames]; the slope of a shorter voiced stretch says nothing
LOG_FLOOR = 1e-4


def prosody(voice: Voice) -> np.ndarray:
    """Prosody of an utterance [shape=(45,), dtype=float32], in the order of `PROSODY`.

    F0 is in semitones, runs and duration in seconds, rates per second, slopes in semitones per second. Jitter
    and shimmer compare neighbouring FRAMES of voiced stretches (10 ms apart), with Praat's formulas: the mean
    distance of a period, or of an amplitude, from its neighbour (`local`) or from the mean of the three or
    five around it, over the mean. A clip without voiced frames has zeros there.
    """
    voiced = voice.voiced
    seconds = len(voiced) * FRAME
    f0 = voice["f0_00"].astype(float)
    kept = voiced if voiced.any() else slice(1)
    spoken = f0[kept]
    runs = _runs(voiced)
    levels = percentiles(np.sort(spoken)[None], (5, 25, 50, 75, 95))[0]
    inside = voiced[1:] & voiced[:-1]
    step = _mean(np.abs(np.diff(f0))[inside])

    period, amplitude = 2 ** (-f0 / 12), 10 ** (voice["level_00"].astype(float) / 20)
    perturbed = np.stack([period, amplitude])
    distances = np.stack([_perturbation(perturbed, voiced, width) for width in (2, 3, 5)], axis=1)
    jitter, shimmer = distances / perturbed[:, kept].mean(axis=1, keepdims=True)

    loudness = voice["loudness_00"].astype(float)
    padded = loudness.take(np.arange(-3, len(loudness) + 3), mode="clip")
    smooth = np.convolve(padded, np.hanning(9)[1:-1] / 4, mode="valid")
    middle = smooth[1:-1]
    peaks = (middle > smooth[:-2]) & (middle >= smooth[2:]) & (middle > 0.3 * smooth.max())

    edge = max(len(spoken) // 5, 1)
    start, end = spoken[:edge].mean() - spoken.mean(), spoken[-edge:].mean() - spoken.mean()
    values = np.concatenate(
        [
            levels,
            [spoken.mean(), spoken.std(), levels[-1] - levels[0], step, voiced.mean()],
            jitter,
            shimmer,
            np.log(np.maximum([*jitter, *shimmer], LOG_FLOOR)),
            _run_statistics(runs, seconds),
            _run_statistics(_runs(~voiced), seconds),
            [peaks.sum() / seconds],
            _slopes(f0, runs),
            [start, end, end - start, seconds, np.log(seconds)],
        ]
    )
    return values.astype(np.float32)


def _mean(values: np.ndarray) -> float:
    """Mean, 0 of nothing."""
    return float(values.mean()) if len(values) else 0.0


def _runs(flag: np.ndarray) -> np.ndarray:
    """First frame of every stretch in which a flag holds, and the frame after its last [shape=(n, 2)]."""
    between = np.zeros(len(flag) + 2, bool)
    between[1:-1] = flag
    return np.flatnonzero(between[1:] != between[:-1]).reshape(-1, 2)


def _run_statistics(runs: np.ndarray, seconds: float) -> list[float]:
    """Number a second, and mean, standard deviation, maximum and median of the lengths [s]."""
    if not len(runs):
        return [0.0] * len(RUN_STATISTICS)
    length = sorted(((runs[:, 1] - runs[:, 0]) * FRAME).tolist())  # of so few, lists are faster than arrays
    count = len(length)
    mean = sum(length) / count
    sd = (sum((each - mean) ** 2 for each in length) / count) ** 0.5
    return [count / seconds, mean, sd, length[-1], (length[count // 2] + length[(count - 1) // 2]) / 2]


def _perturbation(values: np.ndarray, voiced: np.ndarray, width: int) -> np.ndarray:
    """Mean distance of values [shape=(n, t)] from their neighbour (2) or the mean around them (3, 5)."""
    if len(voiced) < width:
        return np.zeros(len(values))
    starts = range(width)
    count = len(voiced) - width + 1
    whole = np.logical_and.reduce([voiced[start : start + count] for start in starts])
    around = [values[:, start : start + count] for start in starts]
    away = around[1] - around[0] if width == 2 else around[width // 2] - sum(around) / width
    return np.abs(away[:, whole]).sum(axis=1) / max(whole.sum(), 1)


def _slopes(f0: np.ndarray, runs: np.ndarray) -> list[float]:
    """Statistics of the slopes of the voiced stretches [semitones/s]: those of `SLOPE_STATISTICS`."""
    first, after = runs[runs[:, 1] - runs[:, 0] >= SHORTEST_SLOPE].T
    if not len(first):
        return [0.0] * len(SLOPE_STATISTICS)
    running = np.zeros((2, len(f0) + 1))
    np.cumsum([f0, f0 * np.arange(len(f0))], axis=1, out=running[:, 1:])
    total, moment = running[:, after] - running[:, first]
    count = after - first
    slope = (moment - total * (first + after - 1) / 2) / (count * (count**2 - 1) / 12) / FRAME
    return [slope.mean(), slope.std(), np.abs(slope).mean(), slope.max(), slope.min(), slope[0], slope[-1]]
