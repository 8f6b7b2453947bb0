"""Levels, rooms and silence: what a microphone, its place and its amplifier do to a recording."""

from __future__ import annotations

import numpy as np

from ser_classic.degradations.degradation import RATE

SILENCE = 1.0  # [s]
EARLIEST = 0.005  # [s], of the first reflection after the direct sound


def gain(waveform: np.ndarray, random: np.random.Generator, level: float) -> np.ndarray:
    """Louder or fainter by a level [dB]."""
    return waveform * 10 ** (level / 20)


def levelled(waveform: np.ndarray, level: float) -> np.ndarray:
    """So loud or faint that the largest sample is at a level [dB] of full scale; silence stays silent."""
    peak = np.abs(waveform).max(initial=0.0)
    return waveform * (10 ** (level / 20) / peak) if peak > 0 else waveform


def clipped(waveform: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    """Amplified until this share of the samples exceeds full scale, and cut off there."""
    scale = np.quantile(np.abs(waveform), 1 - share)
    return np.clip(waveform / scale, -1, 1) if scale > 0 else np.sign(waveform)


def silence(waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A second of silence before and one after it."""
    return np.pad(waveform, int(SILENCE * RATE))


def room(waveform: np.ndarray, random: np.random.Generator, decay: float) -> np.ndarray:
    """The room around a distant microphone: the direct sound, then as much energy of noise that fades.

    Polack's model of late reverberation (1988): within the `decay` [s], the level falls by 60 dB.
    """
    from scipy.signal import fftconvolve

    length = int(decay * RATE)
    tail = random.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    tail[: int(EARLIEST * RATE)] = 0
    response = tail / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    return fftconvolve(waveform, response)
