"""Sequences: descriptors frame by frame, for models that read a clip in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ser_classic.errors import SerClassicError
from ser_classic.features.descriptors import Descriptor, Framing, describe
from ser_classic.features.inputs import Inputs

STANDARD = Framing()


def _split(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """An object array of the clips [shape=(frames, d)]."""
    clips = np.empty(len(lengths), dtype=object)
    clips[:] = np.split(values, np.cumsum(lengths)[:-1])
    return clips


SEQUENCES = Inputs("a sequence of frames", 2, _split)


@dataclass(frozen=True)
class Frames:
    """Extractor: a row of descriptors for every frame of a clip.

    Attributes
    ----------
    descriptors : tuple of Descriptor
        Families, each once.
    framing : Framing

    Raises
    ------
    SerClassicError
        A descriptor family stands twice.

    Examples
    --------
    >>> frames = Frames((Descriptor("mfcc", 2), Descriptor("zcr")))
    >>> frames.columns, frames(np.sin(np.arange(16000)), 16000).shape
    (('mfcc_00', 'mfcc_01', 'zcr'), (32, 3))
    """

    descriptors: tuple[Descriptor, ...]
    framing: Framing = STANDARD

    gives: ClassVar[Inputs] = SEQUENCES

    def __post_init__(self) -> None:
        families = [descriptor.family for descriptor in self.descriptors]
        if len(set(families)) < len(families):
            raise SerClassicError(f"descriptors: a family stands twice: {', '.join(families)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every row of the descriptors."""
        return tuple(row for descriptor in self.descriptors for row in descriptor.rows)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Descriptors [shape=(1 + n // hop, d), dtype=float32] of a waveform [shape=(n,)] at a rate [Hz].

        A clip shorter than a frame is one frame, with zeros beyond its ends.

        Raises
        ------
        AudioError
            The waveform is shorter than 10 ms, silent, or not finite.
        SerClassicError
            A descriptor cannot be had at this sample rate.
        """
        tracks = describe(waveform, sample_rate, self.descriptors, self.framing)
        return np.ascontiguousarray(np.concatenate(list(tracks.values())).T)
