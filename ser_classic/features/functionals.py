"""Functionals: from descriptors over time [d, t] to a vector of fixed length; and sets of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser_classic.errors import SerClassicError
from ser_classic.features.descriptors import Descriptor, Framing, describe, rows_of
from ser_classic.registry import unknown

PERCENTILES = {"p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
STANDARD = Framing()
FUNCTIONALS = ("mean", "std", *PERCENTILES, "delta_std")


@dataclass(frozen=True)
class Pooled:
    """Extractor: some of `FUNCTIONALS` of descriptors over a clip; each family once.

    Examples
    --------
    >>> Pooled((Descriptor("mfcc", 2), Descriptor("zcr")), ("mean", "p95")).columns
    ('mfcc_00_mean', 'mfcc_00_p95', 'mfcc_01_mean', 'mfcc_01_p95', 'zcr_mean', 'zcr_p95')
    """

    descriptors: tuple[Descriptor, ...]
    functionals: tuple[str, ...] = ("mean",)
    framing: Framing = STANDARD

    def __post_init__(self) -> None:
        for name in self.functionals:
            if name not in FUNCTIONALS:
                raise SerClassicError(unknown("functionals", name, FUNCTIONALS))
        rows_of(self.descriptors)  # checks them

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every feature: descriptor, its row, functional."""
        return tuple(f"{row}_{name}" for row in rows_of(self.descriptors) for name in self.functionals)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,), dtype=float32] of a waveform [shape=(n,)] at a sample rate [Hz].

        Raises as `describe`.
        """
        tracks = describe(waveform, sample_rate, self.descriptors, self.framing)
        return pool(np.concatenate(list(tracks.values())), self.functionals).ravel()


def pool(tracks: np.ndarray, functionals: tuple[str, ...] = FUNCTIONALS) -> np.ndarray:
    """Functionals [shape=(d, len(functionals)), dtype=float32] over time, of tracks [shape=(d, t)], t > 0.

    `mean`; `std` (population, as `numpy.std`); `p05`, `p25`, `p50`, `p75`, `p95` (linear interpolation, as
    `numpy.percentile`); `delta_std`, the standard deviation of the differences from one frame to the next, 0
    for a single frame.
    """
    found = {"mean": tracks.mean(axis=1)}
    if "std" in functionals:
        found["std"] = deviation(tracks)
    if "delta_std" in functionals:
        found["delta_std"] = deviation(tracks[:, 1:] - tracks[:, :-1])
    if wanted := [name for name in PERCENTILES if name in functionals]:
        ranks = percentiles(np.sort(tracks, axis=1), [PERCENTILES[name] for name in wanted])
        found |= zip(wanted, ranks.T, strict=True)
    return np.stack([found[name] for name in functionals], axis=1).astype(np.float32, copy=False)


def deviation(tracks: np.ndarray) -> np.ndarray:
    """Population standard deviation of rows [shape=(d, t)], as `numpy.std`; 0 without columns."""
    centred = tracks - tracks.mean(axis=1, keepdims=True) if tracks.shape[1] else tracks
    return np.sqrt(np.vecdot(centred, centred) / max(1, tracks.shape[1]))


def percentiles(ordered: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Percentiles [shape=(d, len(percents))] of sorted rows [shape=(d, t)], as `numpy.percentile`."""
    position = np.asarray(percents) / 100 * (ordered.shape[1] - 1)
    low = position.astype(int)
    lower, upper = (ordered.take(rank, axis=1, mode="clip") for rank in (low, low + 1))
    return lower + (upper - lower) * (position - low).astype(ordered.dtype)


_HARMONY = (Descriptor("contrast", 7), Descriptor("tonnetz", 6))
_SCALARS = tuple(Descriptor(name) for name in ("zcr", "rms", "centroid", "bandwidth", "rolloff", "flatness"))
_CLASSIC = (Descriptor("mfcc", 40), Descriptor("chroma", 12), Descriptor("mel", 128))

MFCC13 = Pooled((Descriptor("mfcc", 13),))
MFCC_CHROMA_CONTRAST = Pooled((*_CLASSIC[:2], Descriptor("contrast", 7)))
CLASSIC67 = Pooled((*_CLASSIC[:2], *_HARMONY, *_SCALARS[:2]))
CLASSIC180 = Pooled(_CLASSIC)
CLASSIC193 = Pooled(_CLASSIC + _HARMONY)
POOLED = Pooled(
    (Descriptor("mfcc", 20), Descriptor("chroma", 12), Descriptor("logmel", 64), *_HARMONY, *_SCALARS),
    FUNCTIONALS,
)
