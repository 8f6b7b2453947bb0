"""Copies: degraded training clips, from which a model learns what recordings in the field are like.

A copy goes through a random chain of changes that differs from every tested degradation: it has no coder,
voices, music or lost packets, and its room, band, noise, clipping and level are not the tested ones.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ser_classic.degradations.backgrounds import noise, tones
from ser_classic.degradations.channel import clipped, levelled, narrowed, reflections
from ser_classic.degradations.degradation import Degradation

COPIES = 2  # of every clip, for a model that is meant for the field
# Chances of a room, of other sounds with pitch, a band, noise and clipping
SCENE = (0.5, 0.4, 0.0, 0.75, 0.4)
LINE = (0.0, 0.0, 0.6, 0.75, 0.4)


class Chain(NamedTuple):
    """What is done to one copy, in this order; what is None is left out."""

    # Time in which echoes fade by 60 dB [s]; how far the direct sound is above all of them [dB]
    room: tuple[float, float] | None
    tones: float | None  # ratio of mean powers of clip and other sounds with pitch [dB]
    band: tuple[float, float] | None  # [Hz] that passes
    # Ratio of mean powers of clip and noise [dB]; exponent by which the noise falls with frequency
    noise: tuple[float, float] | None
    clipped: float | None  # share of the samples that is cut off
    level: float  # [dB] of the largest sample: others record at any level, and what is cut off is loud

    @classmethod
    def drawn(cls, random: np.random.Generator, scene: bool) -> Chain:
        """A random chain: of a scene, with a room and other sounds, or of a line, with a band and noise."""
        room = random.uniform(0.1, 0.8), random.uniform(0, 15)
        band = random.uniform(60, 400), random.uniform(2500, 7500)
        ratio, exponent = random.uniform(0, 25), random.uniform(-1, 2)
        share, level = random.uniform(0.005, 0.08), random.uniform(-1, 0)
        chances = SCENE if scene else LINE
        reverberant, pitched, narrow, noisy, loud = random.random(5) < chances
        if loud:  # and so nearer than the noise
            ratio += 10
        return cls(
            room if reverberant else None,
            ratio if pitched else None,
            band if narrow else None,
            (ratio, exponent) if noisy and not pitched else None,
            share if loud else None,
            (20 if loud else 50) * level,
        )

    def __call__(self, waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The waveform [shape=(n,)] at 16 kHz after these changes; `random` makes echoes and backgrounds.

        A room lengthens it.
        """
        if self.room:
            waveform = reflections(waveform, random, *self.room)
        if self.tones is not None:
            waveform = tones(waveform, random, self.tones)
        if self.band:
            waveform = narrowed(waveform, *self.band)
        if self.noise:
            waveform = noise(waveform, random, *self.noise)
        if self.clipped:
            waveform = clipped(waveform, random, self.clipped)
        return levelled(waveform, self.level)


def training_copy(number: int, seed: int = 0) -> Degradation:
    """The degradation that makes the copy with this number, from 1, of every training clip.

    Odd ones come over lines, even ones from scenes. The chain differs by clip, number and seed.
    """
    change = partial(_copied, scene=number % 2 == 0)
    return Degradation(f"copy{number}.seed{seed}", "a training copy", "a random chain", change, version=5)


def _copied(waveform: np.ndarray, random: np.random.Generator, scene: bool) -> np.ndarray:
    return Chain.drawn(random, scene)(waveform, random)
