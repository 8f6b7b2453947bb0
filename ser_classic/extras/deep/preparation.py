"""Preparation of a waveform before its features: level, silence, noise, length; all off by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.features import Extractor
from ser_classic.features.inputs import VECTORS, Inputs

FRAME, HOP = 2048, 512  # samples of the frames in which silence is sought, librosa's default


@dataclass(frozen=True)
class Preparation:
    """What is done to a waveform, in the order of the fields.

    Attributes
    ----------
    level : {"peak", "rms"}, optional
        Bring the largest magnitude or the root mean square to `target`.
    target : float [dB re full scale]
        The level wanted. A waveform that would exceed full scale is scaled down to it.
    trim : float, optional [dB]
        Cut both ends off as far as they lie more than this below the loudest frame, as
        `librosa.effects.trim(top_db=...)`.
    denoise : bool
        Non-stationary spectral gating (Sainburg & Zorea 2024, `noisereduce.reduce_noise`).
    seconds : float, optional [s]
        Cut or pad with zeros, at the end, to this length.

    Raises
    ------
    SerClassicError
        A value that means nothing.
    """

    level: Literal["peak", "rms"] | None = None
    target: float = -1.0
    trim: float | None = None
    denoise: bool = False
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.level not in (None, "peak", "rms"):
            raise SerClassicError(f"level: {self.level!r} is not known; expected 'peak', 'rms' or None")
        if self.target > 0:
            raise SerClassicError(f"target: {self.target} dB lies above full scale; expected 0 or less")
        for name in ("trim", "seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SerClassicError(f"{name}: {value} means nothing; expected more than 0, or None")

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Prepare a waveform [shape=(n,)] at a sample rate [Hz]; never longer than it was, but for `seconds`.

        Raises
        ------
        AudioError
            The waveform is shorter than 10 ms, silent, or not finite.
        SerClassicError
            `denoise` is wanted and noisereduce is not installed.
        """
        waveform = audio.check(waveform, sample_rate)
        if self.level is not None:
            waveform = levelled(waveform, self.level, self.target)
        if self.trim is not None:
            waveform = trimmed(waveform, self.trim)
        if self.denoise:
            from ser_classic.extras.deep.noise import reduce

            waveform = reduce(waveform, sample_rate)
        if self.seconds is not None:
            wanted = max(1, round(self.seconds * sample_rate))
            waveform = np.pad(waveform[:wanted], (0, max(0, wanted - len(waveform))))
        return waveform


@dataclass(frozen=True)
class Prepared:
    """Extractor: another extractor over a prepared waveform.

    Attributes
    ----------
    preparation : Preparation
    then : Extractor
    """

    preparation: Preparation
    then: Extractor

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the extractor within."""
        return self.then.columns

    @property
    def gives(self) -> Inputs:
        """What the extractor within gives of a clip."""
        return getattr(self.then, "gives", VECTORS)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,) or (frames, d), dtype=float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        return self.then(self.preparation(waveform, sample_rate), sample_rate)


def levelled(waveform: np.ndarray, level: Literal["peak", "rms"], target: float) -> np.ndarray:
    """Scale [shape=(n,)] to a peak or root mean square of `target` [dB re full scale], never clipping."""
    samples = waveform.astype(np.float64)
    peak = np.abs(samples).max()
    reference = peak if level == "peak" else np.sqrt(np.mean(samples**2))
    gain = min(10 ** (target / 20) / reference, 1 / peak)
    return (samples * gain).astype(np.float32)


def trimmed(waveform: np.ndarray, below: float) -> np.ndarray:
    """`librosa.effects.trim(waveform, top_db=below)[0]` [shape=(m,)], m <= n."""
    padded = np.pad(waveform.astype(np.float64), FRAME // 2)
    sums = np.concatenate(([0.0], np.cumsum(padded**2)))
    starts = np.arange(0, len(waveform) + 1, HOP)
    power = np.maximum(sums[starts + FRAME] - sums[starts], 0)
    loud = np.flatnonzero(power > power.max() * 10 ** (-below / 10))
    return waveform[loud[0] * HOP : min(len(waveform), (loud[-1] + 1) * HOP)]
