"""The flagship features: functionals, prosody, correlations and random kernels of 94 voice descriptors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ser_classic.voice import DESCRIPTORS, FRAME, Voice, analyse
from ser_classic.voice.contours import FUNCTIONALS, functionals
from ser_classic.voice.correlations import TRACKS, correlations, pairs
from ser_classic.voice.kernels import channels, responses, scaled
from ser_classic.voice.kernels import names as kernel_names
from ser_classic.voice.prosody import PROSODY, prosody


@dataclass(frozen=True)
class Functionals:
    """29 functionals of each of the 94 descriptors (2726 columns)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """`functionals/<descriptor>_<functional>`."""
        return _functional_columns()

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(2726,), dtype=float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        return self.of(analyse(waveform, sample_rate))

    def of(self, voice: Voice) -> np.ndarray:
        """Features of an analysed recording."""
        return functionals(voice.descriptors, FRAME).ravel()


@dataclass(frozen=True)
class Prosody:
    """Melody, voice quality, rhythm and length of the utterance (45 columns)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """`prosody/<quantity>`."""
        return tuple(f"prosody/{name}" for name in PROSODY)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(45,), dtype=float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        return self.of(analyse(waveform, sample_rate))

    def of(self, voice: Voice) -> np.ndarray:
        """Features of an analysed recording."""
        return prosody(voice)


@dataclass(frozen=True)
class Correlations:
    """Correlations of 23 tracks and their deltas inside the clip (1035 columns)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """`correlations/<track>_<track>`."""
        return _correlation_columns()

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(1035,), dtype=float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        return self.of(analyse(waveform, sample_rate))

    def of(self, voice: Voice) -> np.ndarray:
        """Features of an analysed recording."""
        return correlations(np.stack([voice[name] for name in TRACKS]))


@dataclass(frozen=True)
class RandomKernels:
    """Pooled responses of random convolution kernels (20 columns for each kernel of a dilation).

    Attributes
    ----------
    per_dilation : int
        Kernels for each of the dilations 1, 2, 4 and 8.
    seed : int
        Of the kernels.
    """

    per_dilation: int = 400
    seed: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """`random_kernels/d<dilation>_<kernel>_<pool>`."""
        return _kernel_columns(self.per_dilation)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(20 * per_dilation,), dtype=float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        return self.of(analyse(waveform, sample_rate))

    def of(self, voice: Voice) -> np.ndarray:
        """Features of an analysed recording."""
        return responses(scaled(channels(voice)), self.per_dilation, self.seed)


@dataclass(frozen=True)
class Flagship:
    """All four groups, from one analysis of the recording.

    Attributes
    ----------
    per_dilation : int
        Random kernels for each of the dilations 1, 2, 4 and 8.
    seed : int
        Of the kernels.
    """

    per_dilation: int = 400
    seed: int = 0

    @property
    def _groups(self) -> tuple[Functionals, Prosody, Correlations, RandomKernels]:
        return Functionals(), Prosody(), Correlations(), RandomKernels(self.per_dilation, self.seed)

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the groups, one group after the other."""
        return tuple(column for group in self._groups for column in group.columns)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(3806 + 20 * per_dilation,), float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        voice = analyse(waveform, sample_rate)
        return np.concatenate([group.of(voice) for group in self._groups])


@cache
def _functional_columns() -> tuple[str, ...]:
    return tuple(f"functionals/{name}_{functional}" for name in DESCRIPTORS for functional in FUNCTIONALS)


@cache
def _correlation_columns() -> tuple[str, ...]:
    return tuple(f"correlations/{name}" for name in pairs(TRACKS))


@cache
def _kernel_columns(per_dilation: int) -> tuple[str, ...]:
    return tuple(f"random_kernels/{name}" for name in kernel_names(per_dilation))
