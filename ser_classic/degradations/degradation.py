"""What a degradation is: a named way of spoiling a recording, the same for the same clip."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RATE = 16_000  # [Hz]

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Degradation:
    """A named way of spoiling a recording.

    Attributes
    ----------
    name : str
    kind, level : str
        What is done, and how much of it, for tables and figures.
    change : callable (waveform [shape=(n,)] at 16 kHz, generator) -> waveform [shape=(m,)]
    version : int
        Raised whenever it does something else, so that no features of old audio are used.
    coder : bool
        Whether libsndfile has a part in it.
    """

    name: str
    kind: str
    level: str
    change: Change
    version: int = 1
    coder: bool = False

    @property
    def key(self) -> str:
        """All that the degraded waveform of a clip depends on: for the cache, and for the record of a run."""
        if not self.coder:
            return f"{self.name}.{self.version}"
        import soundfile

        return f"{self.name}.{self.version}.libsndfile-{soundfile.__libsndfile_version__}"

    def __call__(self, waveform: np.ndarray, clip: str) -> np.ndarray:
        """The degraded waveform [shape=(m,), dtype=float32] of one at 16 kHz [shape=(n,)].

        Raises
        ------
        SerClassicError
            The coder is lacking here.
        """
        random = np.random.default_rng(zlib.crc32(f"{self.name}:{clip}".encode()))
        return self.change(np.asarray(waveform, dtype=np.float64), random).astype(np.float32)
