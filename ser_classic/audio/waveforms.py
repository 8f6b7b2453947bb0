"""Waveforms: one channel, full scale 1, at a wanted rate; and notices of odd ones."""

from __future__ import annotations

import logging
import shlex
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ser_classic.errors import SerClassicError

SHORTEST = 0.01  # [s]; a single short analysis frame
LOUDEST = 1e10  # the powers of anything louder overflow
LOWEST_RATE = 1000  # [Hz]; a header that states less is broken
OVERSHOT = 16.0  # peak [full scales] above which floats are taken for integers
RANGES = (2.0**15, 2.0**23, 2.0**31)  # full scales of integers that were written as floats
OFFSET = 0.075  # [full scales]; a larger constant offset is removed. URDU has up to .06
SMALL_OFFSET = 0.01  # [full scales]; a larger one is reported. RAVDESS, EMO-DB, TESS: up to .0062
CANCELLED = 1e-3  # power of the mean of channels over that of the channels, below which they cancel
DEAD = 1e-6  # power of a channel over that of another, below which it counts as silent
APART = 30.0  # ratio of powers at which only one channel is heard
FRAME = 0.05  # [s] in which channels are compared
TURNS = 0.1  # share of the frames with sound in which each channel is heard alone, in a conversation
TOLERANCE = 0.05  # [s] by which a segment may end after its file, as times are rounded
MOST_NOTICES = 5  # of one kind, in one process

logger = logging.getLogger(__name__)
_noticed: defaultdict[str, set[str]] = defaultdict(set)  # messages logged, by kind


class AudioError(SerClassicError):
    """A recording that cannot be used; the message names the file, the fault and the remedy."""


class Segment(NamedTuple):
    """Where a piece of a recording begins and ends [s]; None is the end of the recording."""

    start: float
    end: float | None = None

    @property
    def seconds(self) -> float:
        """Its length [s], to the microsecond; its end must be known."""
        return round(self.end - self.start, 6)

    def cut(self, samples: np.ndarray, sample_rate: int, name: str) -> np.ndarray:
        """Cut it out of a recording [shape=(n, ...)]; an AudioError if the recording ends before."""
        first = round(self.start * sample_rate)
        last = len(samples) if self.end is None else round(self.end * sample_rate)
        if last > len(samples) + TOLERANCE * sample_rate or first >= len(samples):
            length = f"{len(samples) / sample_rate:.2f} s"
            raise AudioError(
                f"{name}: ends after {length}, its part is {self} s; are these seconds of this file?"
            )
        return samples[first:last]

    def __str__(self) -> str:
        return "-".join("" if time is None else seconds(time) for time in (self.start, self.end))


def seconds(time: float) -> str:
    """A time [s] to the microsecond, without needless digits.

    >>> seconds(0.40), seconds(12345.678901)
    ('0.4', '12345.678901')
    """
    return f"{time:.6f}".rstrip("0").rstrip(".")


def mono(samples: np.ndarray, channel: int | None, name: str) -> np.ndarray:
    """One channel [shape=(n,)] of samples [shape=(n, channels)], or their mean.

    The one channel of a mono recording counts as left (0) and as right (1).
    """
    channels = samples.shape[1]
    if channel is not None and not 0 <= channel < max(channels, 2):
        has = "is mono" if channels == 1 else f"has {channels}, counted from 0"
        raise AudioError(f"{name}: there is no channel {channel}, it {has}; choose another --channel, or mix")
    if channels == 1:
        return samples[:, 0]
    return samples.mean(axis=1) if channel is None else samples[:, channel]


class Downmix:
    """Takes one channel of a recording, or the mean, block by block, and finds what its waveform needs."""

    def __init__(self, channel: int | None, name: str) -> None:
        self._channel, self._name = channel, name
        self._frames, self._sum, self._peak, self._mixed = 0, 0.0, 0.0, 0.0
        self._power: np.ndarray | float = 0.0  # of each channel
        self._turns = np.zeros(3)  # frames with only the one channel, with only the other, with sound

    @np.errstate(invalid="ignore", over="ignore")  # `check` reports NaN and infinite samples
    def take(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """The mono of samples [shape=(n, channels)]."""
        waveform = mono(samples, self._channel, self._name)
        self._frames += len(waveform)
        self._sum += float(waveform.sum(dtype=np.float64))
        self._peak = max(self._peak, peak(waveform))
        if self._channel is None and samples.shape[1] > 1:
            self._power += np.square(samples, dtype=np.float64).sum(axis=0)
            self._mixed += float(np.square(waveform, dtype=np.float64).sum())
            if samples.shape[1] == 2:
                self._turns += _turns(samples, sample_rate)
        return waveform

    def correction(self) -> Callable[[np.ndarray], np.ndarray]:
        """A function that brings samples to full scale 1 without offset; notices report what is odd."""
        self._compare(np.atleast_1d(self._power))
        scale = full_scale_of(self._peak)
        if scale != 1:
            self._notice("scale", f"floats in the range of integers; {scale:.0f} counts as full scale")
        middle = self._sum / self._frames / scale if self._frames else 0.0
        offset = _to_remove(middle, self._name)
        if not offset and SMALL_OFFSET < abs(middle) < np.inf:
            remedy = f"ffmpeg -i {shlex.quote(self._name)} -af dcshift={-middle:.3f} corrected.wav"
            kept = f"a constant offset of {middle:.3f} of full scale is kept"
            self._notice("small offset", f"{kept}; remove it with: {remedy}")
        return partial(_scaled, scale=scale, offset=offset)

    def _compare(self, power: np.ndarray) -> None:
        """Report channels whose mean is not what a person would hear."""
        if len(power) < 2 or not np.isfinite(power).all() or not power.any():
            return  # `check` reports NaN and silence
        sounding = np.flatnonzero(power > DEAD * power.max())
        if len(sounding) < len(power):
            dead = ", ".join(str(number) for number in range(len(power)) if number not in sounding)
            self._notice("dead", f"channel {dead} is silent; for full level use --channel {sounding[0]}")
        elif self._mixed < CANCELLED * power.mean():
            cancelled = "its channels cancel each other (opposite phase)"
            raise AudioError(f"{self._name}: {cancelled}; choose one with --channel left (or right)")
        elif len(power) == 2 and min(self._turns[:2]) > TURNS * self._turns[2]:
            mixed = "its two channels speak in turn, like two parties of a call, and were mixed"
            self._notice("parties", f"{mixed}; --channel left takes one, `predict --channel each` both")

    def _notice(self, kind: str, message: str) -> None:
        notice(kind, f"{self._name}: {message}")


def _scaled(waveform: np.ndarray, scale: float, offset: float = 0.0) -> np.ndarray:
    """A waveform [shape=(n,)] by its full scale, less an offset [full scales]."""
    if scale != 1:
        waveform = waveform / np.float32(scale)
    return waveform - np.float32(offset) if offset else waveform


def _to_remove(middle: float, name: str) -> float:
    """The constant offset [full scales] if it is a large one, which is reported; else 0.

    `check` reports NaN and infinite samples.
    """
    if not OFFSET < abs(middle) < np.inf:
        return 0.0
    notice("offset", f"{name}: a constant offset of {middle:.2f} of full scale was removed")
    return middle


def peak(waveform: np.ndarray) -> float:
    """Largest magnitude of samples [shape=(n,)]; NaN if there is one."""
    return float(np.maximum(waveform.max(), -waveform.min())) if len(waveform) else 0.0


def full_scale_of(loudest: float) -> float:
    """Full scale of samples with this peak: 1, or that of integers that were written as floats."""
    if not OVERSHOT < loudest <= RANGES[-1]:
        return 1.0
    return next(scale for scale in RANGES if loudest <= scale)


def notice(kind: str, message: str) -> None:
    """Log a warning, once; after a few of a kind, say that further ones are not listed."""
    listed = _noticed[kind]
    if message in listed or len(listed) >= MOST_NOTICES:
        return
    listed.add(message)
    logger.warning(message)
    if len(listed) == MOST_NOTICES:
        logger.warning("further recordings like this are not listed")


def _turns(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """How many frames of two channels [shape=(n, 2)] have only the one, only the other, and any sound."""
    size = max(1, int(FRAME * sample_rate))
    whole = samples[: len(samples) // size * size]
    left, right = np.square(whole.reshape(-1, size, 2), dtype=np.float64).mean(axis=1).T
    heard = left + right > np.max(left + right, initial=0) / 1000
    alone = [((one > APART * other) & heard).sum() for one, other in ((left, right), (right, left))]
    return np.array([*alone, heard.sum()], dtype=np.float64)


def floats(waveform: np.ndarray, name: str = "waveform") -> np.ndarray:
    """Samples [shape=(n,)] as floats.

    Integers are scaled by their type, unsigned ones around its middle. No audio has 64 bits: such integers
    are in the range of others, which `check` finds as it does for floats.

    Raises
    ------
    AudioError
        They are not one-dimensional, or not numbers.
    """
    waveform = np.asarray(waveform)
    if waveform.dtype.kind not in "iuf":
        raise AudioError(f"{name}: expected samples, integers or floats; found an array of {waveform.dtype}")
    if waveform.ndim != 1:
        raise AudioError(f"{name}: expected one channel, found an array of shape {waveform.shape}")
    if waveform.dtype.kind == "f" or waveform.dtype.itemsize == 8:
        return waveform
    limits = np.iinfo(waveform.dtype)
    half = 2.0 ** (limits.bits - 1)
    return (waveform - (limits.min + half)) / half


def as_read(waveform: np.ndarray, sample_rate: int, name: str = "waveform") -> np.ndarray:
    """A waveform [shape=(n,)] as `read` returns it from a file: checked, and without a large offset."""
    waveform = check(waveform, sample_rate, name)
    return _scaled(waveform, 1.0, _to_remove(float(waveform.mean(dtype=np.float64)), name))


def check(waveform: np.ndarray, sample_rate: int, name: str = "waveform") -> np.ndarray:
    """A waveform [shape=(n,)] as contiguous float32 of full scale 1.

    Integers are scaled by their type (see `floats`), and floats in the range of integers like these. The name
    is for messages.

    Raises
    ------
    AudioError
        It is not one-dimensional, not numbers, shorter than 10 ms, silent, NaN, infinite or absurdly loud, or
        the sample rate [Hz] is unusable.
    """
    waveform = np.ascontiguousarray(floats(waveform, name), dtype=np.float32)
    if not sample_rate >= LOWEST_RATE:  # nor is NaN a rate
        raise AudioError(f"{name}: a sample rate of {sample_rate} Hz; at least {LOWEST_RATE} Hz is needed")
    if len(waveform) < SHORTEST * sample_rate:
        length = f"{len(waveform)} samples at {sample_rate} Hz"
        raise AudioError(f"{name}: {length}, but at least {1000 * SHORTEST:.0f} ms are needed")
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.dot(waveform, waveform)
    if 0 < energy < OVERSHOT**2:  # one pass, and none of the checks below can fail
        return waveform
    loudest = peak(waveform)
    if not np.isfinite(loudest):
        raise AudioError(f"{name}: has NaN or infinite samples; export it again")
    if loudest > LOUDEST:
        raise AudioError(f"{name}: samples as large as {loudest:.0e}, full scale is 1; export it again")
    if loudest == 0:
        raise AudioError(f"{name}: silent, every sample is zero; record it again or leave it out")
    return _scaled(waveform, full_scale_of(loudest))


def resample(waveform: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """Resample [shape=(n,)] from one rate to another [Hz] with soxr's high quality."""
    if sample_rate == wanted:
        return waveform
    import soxr

    return soxr.resample(waveform, sample_rate, wanted, quality="HQ")
