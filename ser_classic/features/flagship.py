"""The flagship features: what 94 voice descriptors do in a clip, in eight groups of columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np

from ser_classic.features.voice import DESCRIPTORS, FRAME, Voice, analyse, kernels
from ser_classic.features.voice.contours import FUNCTIONALS, functionals
from ser_classic.features.voice.correlations import TRACKS, correlations, lagged, lagged_pairs, pairs
from ser_classic.features.voice.prosody import PROSODY, prosody
from ser_classic.features.voice.spectral import MELS

FEWEST_VOICED = 8  # frames; where fewer are voiced, all stand in for them
LEAST_SCALED = 0.05  # spread of a channel in units of the table of channels
LEAST = 1e-3  # spread of a contour in its own unit
KINDS = {  # what each functional tells of a contour
    "levels": ("mean", "p01", "p05", "p25", "p50", "p75", "p95", "p99", "peakmean"),
    "spreads": ("sd", "iqr13", "iqr23", "iqr12", "range", "residual", "peakrise"),
    "shapes": ("skewness", "kurtosis", "above25", "above50", "above75", "above90"),
    "courses": ("slope", "curvature", "argmax", "argmin", "rising", "crossings", "peaks"),
}


class Group(ABC):
    """An extractor that describes an analysed recording; its columns are `<name>/<one of its names>`."""

    name: str
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every feature."""
        return _columns(self.name, self.names)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,), dtype=float32] of a waveform [shape=(n,)] at a sample rate [Hz].

        Raises
        ------
        AudioError
            The waveform is shorter than 10 ms, silent, constant or not finite.
        """
        return self.of(analyse(waveform, sample_rate))

    @abstractmethod
    def of(self, voice: Voice) -> np.ndarray:
        """Features [shape=(d,), dtype=float32] of an analysed recording."""


@dataclass(frozen=True)
class Functionals(Group):
    """29 functionals of each of the 94 descriptors (2726 columns)."""

    name = "functionals"
    names = tuple(f"{row}_{functional}" for row in DESCRIPTORS for functional in FUNCTIONALS)

    def of(self, voice: Voice) -> np.ndarray:
        return functionals(voice.descriptors, FRAME).ravel()


@dataclass(frozen=True)
class Prosody(Group):
    """Melody, voice quality, rhythm and length of the utterance (45 columns)."""

    name = "prosody"
    names = PROSODY

    def of(self, voice: Voice) -> np.ndarray:
        return prosody(voice)


@dataclass(frozen=True)
class Correlations(Group):
    """Correlations of 23 tracks and their deltas inside the clip (1035 columns)."""

    name = "correlations"
    names = pairs(TRACKS)

    def of(self, voice: Voice) -> np.ndarray:
        return correlations(voice.rows(TRACKS))


@dataclass(frozen=True)
class LaggedCorrelations(Group):
    """Correlations of each of 23 tracks with each of them 30 ms later (529 columns)."""

    name = "lagged_correlations"
    names = lagged_pairs(TRACKS)

    def of(self, voice: Voice) -> np.ndarray:
        return lagged(voice.rows(TRACKS))


@dataclass(frozen=True)
class RandomKernels(Group):
    """Pooled responses of random convolution kernels to 23 channels (20 columns for a kernel per dilation).

    Attributes
    ----------
    per_dilation : int
        Kernels for each of the dilations 1, 2, 4 and 8.
    seed : int
        Of the kernels.
    """

    per_dilation: int = 400
    seed: int = 0

    name = "random_kernels"

    @property
    def names(self) -> tuple[str, ...]:
        """`d<dilation>_<kernel>_<pool>`."""
        return kernels.names(self.per_dilation)

    def of(self, voice: Voice) -> np.ndarray:
        contours = self.contours(voice)
        bank = kernels.cut(self.make, len(contours), self.per_dilation, self.seed)
        return kernels.responses(contours, bank)

    make = staticmethod(kernels.mixtures)

    def contours(self, voice: Voice) -> np.ndarray:
        """What the kernels see [shape=(c, t), dtype=float32]."""
        return kernels.scaled(kernels.channels(voice))


@dataclass(frozen=True)
class VoicedKernels(RandomKernels):
    """The same for voiced frames alone, joined, every channel in units of its own spread in the clip."""

    per_dilation: int = 200
    seed: int = 1

    name = "voiced_kernels"

    def contours(self, voice: Voice) -> np.ndarray:
        """All channels but the one that tells what is voiced [shape=(22, t), dtype=float32]."""
        kept = voice.voiced if voice.voiced.sum() >= FEWEST_VOICED else slice(None)
        return kernels.standardised(super().contours(voice)[:-1, kept], LEAST_SCALED)


@dataclass(frozen=True)
class PatchKernels(RandomKernels):
    """The same for patches of ten bands of the mel spectrum, every band in units of its own spread."""

    per_dilation: int = 200
    seed: int = 2

    name = "patch_kernels"
    make = staticmethod(kernels.patches)

    def contours(self, voice: Voice) -> np.ndarray:
        """Mel bands [shape=(40, t), dtype=float32]."""
        return kernels.standardised(voice.rows(f"mel_{band:02d}" for band in range(MELS)), LEAST)


@dataclass(frozen=True)
class SourceKernels(RandomKernels):
    """The same for contours of the voice source and the spectrum's tilt, each in units of its own spread."""

    per_dilation: int = 200
    seed: int = 3

    name = "source_kernels"

    def contours(self, voice: Voice) -> np.ndarray:
        """The contours that `kernels.SOURCE` names [shape=(19, t), dtype=float32]."""
        return kernels.standardised(voice.rows(kernels.SOURCE), LEAST)


class Several(Group):
    """Several groups, from one analysis of the recording: the columns of one after those of the other."""

    @property
    @abstractmethod
    def groups(self) -> tuple[Group, ...]:
        """The extractors of the groups, in their order."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for group in self.groups for column in group.columns)

    def of(self, voice: Voice) -> np.ndarray:
        return np.concatenate([group.of(voice) for group in self.groups])


@dataclass(frozen=True)
class Kinds(Functionals):
    """The functionals in four groups: of the level, the spread, the shape and the course of a contour."""

    @property
    def columns(self) -> tuple[str, ...]:
        """`<kind>/<descriptor>_<functional>`, in the order of the functionals."""
        kinds = {functional: kind for kind, functionals in KINDS.items() for functional in functionals}
        return tuple(f"{kinds[name.rpartition('_')[2]]}/{name}" for name in self.names)


@dataclass(frozen=True)
class Portable(Several):
    """The groups whose columns mean much the same in recordings of another kind."""

    @property
    def groups(self) -> tuple[Group, ...]:
        return Kinds(), Prosody(), Correlations()


@dataclass(frozen=True)
class Flagship(Several):
    """All eight groups.

    Attributes
    ----------
    per_dilation : int
        Random kernels of the first bank for each of the dilations 1, 2, 4 and 8; the others have half.
    seed : int
        Of the first bank; the others take the next ones.
    """

    per_dilation: int = 400
    seed: int = 0

    @property
    def groups(self) -> tuple[Group, ...]:
        half = self.per_dilation // 2
        return (
            Functionals(),
            Prosody(),
            Correlations(),
            LaggedCorrelations(),
            RandomKernels(self.per_dilation, self.seed),
            VoicedKernels(half, self.seed + 1),
            PatchKernels(half, self.seed + 2),
            SourceKernels(half, self.seed + 3),
        )


@cache
def _columns(group: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{group}/{name}" for name in names)
