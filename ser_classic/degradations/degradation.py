"""What a degradation is: a named change of a recording, always the same for the same clip."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RATE = 16_000  # [Hz]

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Degradation:
    """A named change of a recording."""

    name: str
    kind: str  # what is done, for tables and figures ...
    level: str  # ... and how much of it
    change: Change  # of a waveform at 16 kHz
    version: int = 1  # raised whenever it changes, so that features of older audio are not used
    coder: bool = False  # whether it depends on libsndfile

    @property
    def key(self) -> str:
        """What the degraded waveform of a clip depends on, for the cache and the record of a run."""
        if not self.coder:
            return f"{self.name}.{self.version}"
        import soundfile

        return f"{self.name}.{self.version}.libsndfile-{soundfile.__libsndfile_version__}"

    def __call__(self, waveform: np.ndarray, clip: str) -> np.ndarray:
        """The degraded waveform [shape=(m,), dtype=float32] of one at 16 kHz [shape=(n,)]."""
        random = np.random.default_rng(zlib.crc32(f"{self.name}:{clip}".encode()))
        return self.change(np.asarray(waveform, dtype=np.float64), random).astype(np.float32)
