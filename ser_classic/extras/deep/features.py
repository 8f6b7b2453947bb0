"""Feature sets: sequences of frames, some of a prepared waveform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ser_classic import audio
from ser_classic.features import RATE, Extractor, FeatureSet
from ser_classic.features.descriptors import Descriptor, Framing, describe, rows_of
from ser_classic.features.inputs import VECTORS, Inputs
from ser_classic.registry import need


def _split(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """An object array of the clips [shape=(frames, d)]."""
    clips = np.empty(len(lengths), dtype=object)
    clips[:] = np.split(values, np.cumsum(lengths)[:-1])
    return clips


SEQUENCES = Inputs("a sequence of frames", 2, _split)


@dataclass(frozen=True)
class Frames:
    """Extractor: a row of descriptors for every frame of a clip; each family once.

    Examples
    --------
    >>> frames = Frames((Descriptor("mfcc", 2), Descriptor("zcr")))
    >>> frames.columns, frames(np.sin(np.arange(16000)), 16000).shape
    (('mfcc_00', 'mfcc_01', 'zcr'), (32, 3))
    """

    descriptors: tuple[Descriptor, ...]
    framing: Framing = Framing()  # noqa: RUF009 (frozen)

    gives: ClassVar[Inputs] = SEQUENCES

    def __post_init__(self) -> None:
        rows_of(self.descriptors)  # checks them

    @property
    def columns(self) -> tuple[str, ...]:
        return rows_of(self.descriptors)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Descriptors [shape=(1 + n // hop, d), dtype=float32]; raises as `describe`."""
        tracks = describe(waveform, sample_rate, self.descriptors, self.framing)
        return np.ascontiguousarray(np.concatenate(list(tracks.values())).T)


@dataclass(frozen=True)
class Preparation:
    """Changes to a waveform before its features, in the order of the fields; all off by default.

    Attributes
    ----------
    level : {"peak", "rms"}, optional
        Scale the largest magnitude or the root mean square to `target`.
    target : float [dB re full scale]
        The level. A waveform that would exceed full scale is scaled down to it.
    trim : float, optional [dB]
        Cut off both ends where they are more than this below the loudest frame, as
        `librosa.effects.trim(top_db=...)`.
    denoise : bool
        Non-stationary spectral gating (Sainburg & Zorea 2024, `noisereduce.reduce_noise`).
    seconds : float, optional [s]
        Cut or pad the end with zeros to this length.
    """

    level: Literal["peak", "rms"] | None = None
    target: float = -1.0
    trim: float | None = None
    denoise: bool = False
    seconds: float | None = None

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """The waveform [shape=(m,)] of one [shape=(n,)] at a sample rate [Hz]."""
        waveform = audio.check(waveform, sample_rate)
        if self.level is not None:
            samples = waveform.astype(np.float64)
            peak = np.abs(samples).max()
            reference = {"peak": peak, "rms": np.sqrt(np.mean(samples**2))}[self.level]
            waveform = (samples * min(10 ** (self.target / 20) / reference, 1 / peak)).astype(np.float32)
        if self.trim is not None:
            waveform = need("librosa", extra="deep").effects.trim(waveform, top_db=self.trim)[0]
        if self.denoise:
            library = need("noisereduce", extra="deep")
            waveform = library.reduce_noise(y=waveform, sr=sample_rate).astype(np.float32)
        if self.seconds is not None:
            wanted = max(1, round(self.seconds * sample_rate))
            waveform = np.pad(waveform[:wanted], (0, max(0, wanted - len(waveform))))
        return waveform


@dataclass(frozen=True)
class Prepared:
    """Extractor: another extractor over a prepared waveform."""

    preparation: Preparation
    then: Extractor

    @property
    def columns(self) -> tuple[str, ...]:
        return self.then.columns

    @property
    def gives(self) -> Inputs:
        return getattr(self.then, "gives", VECTORS)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return self.then(self.preparation(waveform, sample_rate), sample_rate)


_DYNAMICS = Frames((Descriptor("mfcc", 13), Descriptor("rms"), Descriptor("zcr")))
# As in a widely copied TESS project: peak at -5 dB, 30 dB of silence, padded, noise reduced.
_CLEAN = Preparation(level="peak", target=-5.0, trim=30.0, denoise=True, seconds=3.0)

MFCC_SEQUENCE = FeatureSet("mfcc_sequence", RATE, Frames((Descriptor("mfcc", 40),)))
MFCC_RMS_ZCR_SEQUENCE = FeatureSet("mfcc_rms_zcr_sequence", RATE, _DYNAMICS)
LOGMEL_SEQUENCE = FeatureSet("logmel_sequence", RATE, Frames((Descriptor("logmel", 64),), Framing(1024, 512)))
CLEAN_SEQUENCE = FeatureSet(
    "clean_sequence", RATE, Prepared(_CLEAN, _DYNAMICS), library="noisereduce", extra="deep"
)
