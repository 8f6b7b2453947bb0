"""Pitch after Boersma (1993): peaks of the window-corrected autocorrelation, and the best path through them.

"Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound", IFA Proceedings 17. All frames are correlated, and all candidates scored, at once; only the path is
walked frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ser_classic.features.voice.frames import BLOCK, RATE, Frames, limited, squared

FLOOR, CEILING = 65.0, 650.0  # [Hz]
WINDOW = 738  # [samples]: three periods of the lowest pitch
FFT = 1024  # WINDOW and the longest lag together: no lag in use wraps around
FINER = 2  # points of the autocorrelation for each sample
SILENCE = 0.03  # of the clip's peak: Praat's default, like the two that follow
VOICING = 0.45
OCTAVE_COST = 0.01
JUMP_COST = 0.5  # per octave and frame
SWITCH_COST = 0.2  # between voiced and unvoiced
CANDIDATES = 8  # kept in a frame, besides the unvoiced one


@dataclass(frozen=True)
class Pitch:
    """The pitch of a recording.

    Attributes
    ----------
    frequency : np.ndarray [shape=(t,)] [Hz]
        Fundamental frequency, in unvoiced frames interpolated in octaves between the voiced ones around.
    strength : np.ndarray [shape=(t,)]
        Normalised autocorrelation at the period, the share of power that is periodic; 0 in unvoiced frames.
    voiced : np.ndarray [shape=(t,), dtype=bool]
    """

    frequency: np.ndarray
    strength: np.ndarray
    voiced: np.ndarray


def track(frames: Frames) -> Pitch:
    """Pitch of every frame between 65 and 650 Hz."""
    frequency, strength, loudness = _candidates(frames)
    # Praat: a frame that is quiet against the clip's peak is unvoiced even where it is periodic.
    silent = np.maximum(0, 2 - loudness * (1 + VOICING) / SILENCE)
    unvoiced = VOICING + silent
    score = np.where(strength > 0, strength - OCTAVE_COST * np.log2(CEILING / frequency), -np.inf)
    path = _path(np.log2(frequency), np.column_stack([unvoiced, score]))
    voiced = path > 0
    frame = np.arange(len(voiced))
    chosen = frame, np.maximum(path - 1, 0)
    octaves = np.log2(frequency[chosen])
    periodic = np.where(voiced, strength[chosen], 0)
    if voiced.any():
        octaves = np.interp(frame, frame[voiced], octaves[voiced])
    else:
        octaves = np.full(len(voiced), np.log2(FLOOR * CEILING) / 2)
    return Pitch(2**octaves, periodic, voiced)


def _candidates(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The highest peaks of the autocorrelation of every frame.

    Returns
    -------
    frequency, strength : np.ndarray [shape=(t, CANDIDATES)]
        Frequency [Hz] and height; strength 0 where there are fewer peaks.
    loudness : np.ndarray [shape=(t,)]
        Largest sample of the period in the middle of the frame, relative to the clip's.
    """
    from scipy import fft

    window, own = _window()
    first, last = int(FINER * RATE / CEILING) - 1, int(np.ceil(FINER * RATE / FLOOR)) + 1
    lags = slice(first // FINER, last // FINER + 1)  # [samples]
    own, ones = own[first : last + 1], np.ones(WINDOW, np.float32)
    peaks = []
    loudness = np.empty(frames.count)
    padded = np.zeros((min(2 * BLOCK, frames.count), FFT), np.float32)
    for block, samples in frames.blocks(WINDOW, 2 * BLOCK):
        centred = samples - np.vecdot(samples, ones)[:, None] / np.float32(WINDOW)
        loudness[block] = np.abs(centred[:, WINDOW // 3 : 2 * WINDOW // 3]).max(axis=1)
        np.multiply(centred, window, out=padded[: len(centred), :WINDOW])
        power = squared(fft.rfft(padded[: len(centred)], workers=1))
        # The inverse of twice the length, in half the time: at whole samples, and half-way between them.
        power[:, -1] *= 2  # no longer the last bin
        whole, between = fft.dct(power, type=1, workers=1), fft.dct(power[:, :-1], type=3, workers=1)
        both = np.empty((len(power), lags.stop - lags.start, 2), np.float32)
        both[:, :, 0], both[:, :, 1] = whole[:, lags], between[:, lags]
        correlation = both.reshape(len(power), -1)[:, : len(own)] / np.maximum(whole[:, :1], 1e-20)
        correlation /= own
        row, column, *heights = _peaks(correlation)
        peaks.append((row + block.start, column + first, *heights))
    row, lag, left, top, right = (np.concatenate(parts) for parts in zip(*peaks, strict=True))
    bend = np.minimum(left - 2 * top + right, -1e-9)
    shift = limited(0.5 * (left - right) / bend, -0.5, 0.5)
    height = top - 0.25 * (left - right) * shift
    height = np.where(height > 1, 1 / height, height)
    hertz = FINER * RATE / (lag + shift)
    # Best first in every frame; one key, nearly sorted, takes a fifth of the time of two.
    order = np.argsort(OCTAVE_COST * np.log2(CEILING / hertz) - height + 8 * row, kind="stable")
    row = row[order]
    number = np.bincount(row, minlength=frames.count)
    rank = np.arange(len(row)) - (np.cumsum(number) - number)[row]
    kept = rank < CANDIDATES
    at = row[kept], rank[kept]
    frequency = np.full((frames.count, CANDIDATES), np.sqrt(FLOOR * CEILING))
    strength = np.zeros((frames.count, CANDIDATES))
    frequency[at], strength[at] = hertz[order][kept], height[order][kept]
    return frequency, strength, loudness / max(loudness.max(), 1e-20)


def _peaks(correlation: np.ndarray) -> tuple[np.ndarray, ...]:
    """Row and column of the peaks of rows, and the heights to the left of them, there and to the right."""
    flat = correlation.ravel()  # as one row, in half the time
    up = flat[1:] > flat[:-1]
    here = flat > 0.5 * VOICING
    here[1:-1] &= up[:-1] > up[1:]
    here.reshape(correlation.shape)[:, [0, -1]] = False
    found = np.flatnonzero(here)
    row = found // correlation.shape[1]  # with the subtraction below, an eighth of the time of np.nonzero
    heights = (flat.take(found + i).astype(float) for i in (-1, 0, 1))
    return row, found - row * correlation.shape[1], *heights


def _path(octaves: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Viterbi: the candidate of every frame on the path of the highest score.

    Walked from both ends at once, a step of each half in one call, to the step in the middle.

    Parameters
    ----------
    octaves : np.ndarray [shape=(t, k)]
        Logarithm to base 2 of the frequency of every voiced candidate.
    score : np.ndarray [shape=(t, k + 1)]
        Local scores, the unvoiced candidate first.
    """
    frames, width = score.shape
    cost = np.zeros((frames - 1 + frames % 2, width, width))  # to, from; a free step makes their number odd
    step = cost[: frames - 1]
    step[:, 1:, 0] = step[:, 0, 1:] = SWITCH_COST
    step[:, 1:, 1:] = JUMP_COST * np.abs(octaves[1:, :, None] - octaves[:-1, None, :])
    step -= score[1:, :, None]
    half = len(cost) // 2
    halves = np.stack([cost[:half], cost[:half:-1].transpose(0, 2, 1)], axis=1)  # half, to, from
    total = np.zeros((half + 1, 2, width))
    total[0, 0] = score[0]
    reached_from = total[:-1, :, None]
    reached = np.empty((2, width, width))
    for before, now, costs in zip(reached_from, total[1:], halves, strict=True):
        np.subtract(before, costs, reached)  # names of arguments would take a tenth of the time
        np.maximum.reduce(reached, 2, None, now)
    origin = (reached_from - halves).argmax(axis=3).tolist()
    first, last = total[-1]
    after, before = divmod(int((first - cost[half] + last[:, None]).argmax()), width)
    first, last = [before], [after]
    for came_from, goes_to in reversed(origin):
        first.append(came_from[first[-1]])
        last.append(goes_to[last[-1]])
    return np.array(first[::-1] + last)[:frames]


@lru_cache(maxsize=1)
def _window() -> tuple[np.ndarray, np.ndarray]:
    """Hann window of the frames [dtype=float32] and its own normalised autocorrelation at the fine lags."""
    from scipy import fft

    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    own = fft.irfft(np.abs(fft.rfft(window, FFT)) ** 2, FINER * FFT)
    return window.astype(np.float32), (own / own[0]).astype(np.float32)
