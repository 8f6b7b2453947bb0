"""Extractors: what a feature set computes, whatever computes it."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Extractor(Protocol):
    """What a feature set computes: a frozen dataclass, so that its fields are all of its parameters.

    An attribute `gives`, an `Inputs`, says what it gives of a clip where that is not a vector.
    One of a feature set with a `batch` has a method `together`, too: from several waveforms and their sample
    rate to the features of each.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every feature: `<family>_<index>_<functional>`, behind `<group>/` if there are groups.

        Those of an optional library may be its own, and not to be had where it is absent.
        """
        ...

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,) of vectors, float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        ...
