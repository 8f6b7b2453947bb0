"""Copies: degraded training clips, from which a model learns what recordings in the field are like.

A copy goes through a random chain of changes that differs from every tested degradation: it has no coder,
room, voices, music or lost packets, and its band, noise, clipping and level are not the tested ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ser_classic.degradations.backgrounds import noise
from ser_classic.degradations.channel import band_passed, clipped, levelled
from ser_classic.degradations.degradation import Degradation

COPIES = 2  # of every clip, for a model that is meant for the field


class Chain(NamedTuple):
    """What is done to one copy, in this order; what is None is left out."""

    band: tuple[float, float] | None  # [Hz] that passes
    # Ratio of mean powers of clip and noise [dB]; exponent by which the noise falls with frequency
    noise: tuple[float, float] | None
    clipped: float | None  # share of the samples that is cut off
    level: float  # [dB] of the largest sample: others record at any level

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Chain:
        """A random chain."""
        happens = random.random(3) < (0.5, 0.75, 0.35)
        band = random.uniform(60, 400), random.uniform(2500, 7500)
        ratio, exponent = random.uniform(0, 25), random.uniform(-1, 2)
        share, level = random.uniform(0.005, 0.08), random.uniform(-50, 0)
        return cls(
            band if happens[0] else None,
            (ratio, exponent) if happens[1] else None,
            share if happens[2] else None,
            level,
        )

    def __call__(self, waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The waveform [shape=(n,)] at 16 kHz after these changes; `random` makes the noise."""
        if self.band:
            waveform = band_passed(waveform, *self.band)
        if self.noise:
            waveform = noise(waveform, random, *self.noise)
        if self.clipped:
            waveform = clipped(waveform, random, self.clipped)
        return levelled(waveform, self.level)


def training_copy(number: int, seed: int = 0) -> Degradation:
    """The degradation that makes the copy with this number, from 1, of every training clip.

    The chain differs by clip, number and seed.
    """
    return Degradation(f"copy{number}.seed{seed}", "a training copy", "a random chain", _copied, version=3)


def _copied(waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return Chain.drawn(random)(waveform, random)
