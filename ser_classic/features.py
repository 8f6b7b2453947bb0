"""Feature sets: names for recipes that turn a recording into a fixed-length vector (or a sequence)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np


class Extractor(Protocol):
    """What a feature set computes: a frozen dataclass, so that its fields are all of its parameters."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every feature, `<family>_<index>_<functional>`, behind `<group>/` where there are groups."""
        ...

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,), or (frames, d) for a sequence; float32] of a waveform [shape=(n,)]."""
        ...


@dataclass(frozen=True)
class FeatureSet:
    """A named extractor.

    Attributes
    ----------
    name : str
    sample_rate : int or None [Hz]
        Rate to which recordings are brought; None leaves them at their own.
    extractor : Extractor
        A frozen dataclass; two sets with equal fields and version give equal features.
    version : int
        Raised whenever the same parameters give other values, so that no old cache or model is used.
    """

    name: str
    sample_rate: int | None
    extractor: Extractor
    version: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features, in their order."""
        return self.extractor.columns

    @property
    def parameters(self) -> dict[str, Any]:
        """All that the values depend on, ready for JSON."""
        return {
            "name": self.name,
            "version": self.version,
            "sample_rate": self.sample_rate,
            "extractor": type(self.extractor).__name__,
            **asdict(self.extractor),  # type: ignore[call-overload]
        }
