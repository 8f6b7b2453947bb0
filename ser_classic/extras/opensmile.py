"""Functionals of openSMILE, free for research and education only; its only importer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ser_classic.registry import need

SHORTEST = 0.06  # [s]; the longest frame of both sets, that of the pitch: of less openSMILE makes NaN
LOUDEST = 1 - 2**-15  # openSMILE is given 16 bits, and what exceeds them would wrap around


def columns(feature_set: str) -> tuple[str, ...]:
    """Names of the functionals of a set, openSMILE's own.

    Raises
    ------
    SerClassicError
        openSMILE is not installed.
    """
    return tuple(_smile(feature_set).feature_names)


def functionals(feature_set: str, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Functionals [shape=(d,), dtype=float32] of a waveform [shape=(n,)] at a sample rate [Hz].

    Equal to `opensmile.Smile(feature_set, "func").process_signal(waveform, sample_rate)`, of a waveform
    that is clipped at full scale and, if shorter than 60 ms, followed by zeros up to there.

    Raises
    ------
    SerClassicError
        openSMILE is not installed.
    """
    missing = max(0, round(SHORTEST * sample_rate) - len(waveform))
    waveform = np.pad(np.clip(waveform, -1, LOUDEST).astype(np.float32), (0, missing))
    return _smile(feature_set)(waveform, sample_rate)[0, :, 0]


@lru_cache(maxsize=8)
def _smile(feature_set: str) -> Any:
    library = need("opensmile", extra="opensmile")
    return library.Smile(library.FeatureSet[feature_set], library.FeatureLevel.Functionals, num_workers=1)
