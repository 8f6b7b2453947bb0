"""Noise reduction by spectral gating; the only importer of noisereduce."""

from __future__ import annotations

import numpy as np

from ser_classic.registry import need


def reduce(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """`noisereduce.reduce_noise(waveform, sample_rate)` [shape=(n,), dtype=float32], non-stationary.

    Raises
    ------
    SerClassicError
        noisereduce is not installed.
    """
    library = need("noisereduce", extra="deep")
    return library.reduce_noise(y=waveform, sr=sample_rate).astype(np.float32)
