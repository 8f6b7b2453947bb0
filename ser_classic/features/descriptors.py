"""Low-level descriptors, frame by frame, all from one short-time Fourier transform of a span.

Every descriptor equals the librosa 0.11 function that its docstring names, on the same parameters, without
importing librosa. Two things decide whether it does: librosa transforms in float64 and then rounds to
float32 (a float32 transform leaves rounding noise where voices leave nothing, which the valleys of the
spectral contrast and the roll-off show), and its chroma guesses a tuning from the clip, which is
ill-conditioned on near-silent frames; here the tuning is that of A4 = 440 Hz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.features import filters
from ser_classic.registry import unknown

MFCC_BANDS = 128  # mel bands behind the MFCCs, librosa's default
SMALLEST = 1e-10  # power below which librosa's decibels and flatness see nothing
DYNAMIC_RANGE = 80.0  # [dB] below the clip's maximum, where librosa's power_to_db cuts
ROLLOFF_SHARE = 0.85  # of a frame's summed magnitude that lies below the roll-off
STRETCH = 32  # bins that the roll-off adds up at once
TINY = np.finfo(np.float32).tiny  # librosa leaves a frame whose norm is below this as it is
SPAN = 128  # frames described at once, so that memory is bounded and the spectrum stays in the cache
BLOCK = 16  # frames transformed at once, so that they stay in the cache from window to magnitude


@dataclass(frozen=True)
class Framing:
    """How a clip is cut: centred frames under a Hann window, zeros beyond both ends.

    A clip of n samples has 1 + n // hop frames.
    """

    n_fft: int = 2048  # samples in a frame and points of its transform; even
    hop: int = 512  # samples from one frame to the next

    def __post_init__(self) -> None:
        if self.n_fft < 16 or self.n_fft % 2 or self.hop < 1:
            frame = f"a frame of {self.n_fft} samples every {self.hop}"
            raise SerClassicError(f"{frame}; expected an even number, at least 16, every 1 or more")


@dataclass(frozen=True)
class Descriptor:
    """One family of descriptors, a key of `FAMILIES`, and how many: coefficients, pitch classes or bands."""

    family: str
    size: int = 1

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise SerClassicError(unknown("descriptors", self.family, FAMILIES))
        least, most = FAMILIES[self.family].least, FAMILIES[self.family].most
        if not least <= self.size <= most:
            expected = str(least) if least == most else f"{least} to {most}"
            raise SerClassicError(f"{self.family}: a size of {self.size}; expected {expected}")

    @property
    def rows(self) -> tuple[str, ...]:
        """Name of every row: `mfcc_00`, `mfcc_01`, ... as librosa counts them, or `zcr` alone.

        >>> Descriptor("tonnetz", 6).rows[-1], Descriptor("mel", 128).rows[3], Descriptor("zcr").rows
        ('tonnetz_05', 'mel_003', ('zcr',))
        """
        if FAMILIES[self.family].most == 1:
            return (self.family,)
        digits = max(2, len(str(self.size - 1)))
        return tuple(f"{self.family}_{index:0{digits}d}" for index in range(self.size))


def rows_of(descriptors: Iterable[Descriptor]) -> tuple[str, ...]:
    """Names of the rows of descriptors; a SerClassicError if a family is listed twice."""
    descriptors = tuple(descriptors)
    families = [descriptor.family for descriptor in descriptors]
    if len(set(families)) < len(families):
        raise SerClassicError(f"descriptors: a family is listed twice: {', '.join(families)}")
    return tuple(row for descriptor in descriptors for row in descriptor.rows)


def describe(
    waveform: np.ndarray, sample_rate: int, descriptors: Iterable[Descriptor], framing: Framing | None = None
) -> dict[str, np.ndarray]:
    """Descriptors of a clip [shape=(n,)], frame by frame; each family once.

    Returns
    -------
    tracks : dict of str to np.ndarray [shape=(size, 1 + n // hop), dtype=float32]
        By family. Frame t is centred on sample t * hop.

    Raises
    ------
    AudioError
        The waveform is shorter than 10 ms, silent, or not finite.
    SerClassicError
        A descriptor cannot be had at this sample rate and frame length.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> tracks = describe(tone, 16000, [Descriptor("chroma", 12), Descriptor("centroid")])
    >>> tracks["chroma"].shape, int(tracks["chroma"][:, 15].argmax()), int(tracks["centroid"][0, 15].round())
    ((12, 32), 9, 440)
    """
    waveform, framing = audio.check(waveform, sample_rate), framing or Framing()
    wanted = [(descriptor, FAMILIES[descriptor.family], []) for descriptor in descriptors]
    count = 1 + len(waveform) // framing.hop
    for start in range(0, count, SPAN):
        span = Span(waveform, sample_rate, framing, start, min(start + SPAN, count))
        for descriptor, family, parts in wanted:
            parts.append(family.compute(span, descriptor.size))
    tracks = {}
    for descriptor, family, parts in wanted:
        track = np.concatenate(parts) if len(parts) > 1 else parts[0]
        if family.finish is not None:
            track = family.finish(track, descriptor.size)
        tracks[descriptor.family] = np.ascontiguousarray(track.T, dtype=np.float32)
    return tracks


class Span:
    """Successive frames of a clip and what their descriptors share, computed when it is asked for."""

    def __init__(
        self, waveform: np.ndarray, sample_rate: int, framing: Framing, start: int, stop: int
    ) -> None:
        self.sample_rate = sample_rate
        self.framing = framing
        self.count = stop - start
        first = start * framing.hop - framing.n_fft // 2
        length = (self.count - 1) * framing.hop + framing.n_fft
        low, high = max(first, 0), min(first + length, len(waveform))
        self.inside = slice(low - first, high - first)  # the samples that are the clip's
        self.samples = np.empty(length, np.float32)
        self.samples[: self.inside.start] = 0
        self.samples[self.inside] = waveform[low:high]
        self.samples[self.inside.stop :] = 0

    def framed(self, values: np.ndarray, width: int) -> np.ndarray:
        """The first `width` of every frame's values [shape=(t, width)], one value for a sample; a view."""
        strides = (self.framing.hop * values.itemsize, values.itemsize)
        return np.ndarray((self.count, width), values.dtype, values, strides=strides)

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Magnitude spectrum [shape=(t, 1 + n_fft / 2)], `abs(librosa.stft(y)).T`."""
        window, frames = filters.hann(self.framing.n_fft), self.framed(self.samples, self.framing.n_fft)
        magnitude = np.empty((self.count, self.framing.n_fft // 2 + 1), np.float32)
        windowed = np.empty((BLOCK, self.framing.n_fft))
        spectrum = np.empty((BLOCK, magnitude.shape[1]), np.complex64)  # of a transform in float64
        for start in range(0, len(magnitude), BLOCK):
            block = slice(0, min(BLOCK, len(magnitude) - start))
            windowed[block] = frames[start : start + BLOCK]  # a product of two types at once is slower
            windowed[block] *= window
            np.fft.rfft(windowed[block], out=spectrum[block])
            np.abs(spectrum[block], out=magnitude[start : start + BLOCK])
        return magnitude

    @cached_property
    def power(self) -> np.ndarray:
        """Power spectrum [shape=(t, 1 + n_fft / 2)]."""
        return np.square(self.magnitude)

    @cached_property
    def frequencies(self) -> np.ndarray:
        """Frequency of every bin [shape=(1 + n_fft / 2,), Hz]."""
        return filters.bin_frequencies(self.sample_rate, self.framing.n_fft).astype(np.float32)

    @cached_property
    def summed_magnitude(self) -> np.ndarray:
        """Sum of every frame's magnitudes [shape=(t,)], 1 where there is none to divide by."""
        return _divisor(_sum(self.magnitude))

    @cached_property
    def chroma(self) -> np.ndarray:
        """Pitch classes [shape=(t, 12)], the strongest of every frame 1."""
        raw = self.power @ filters.chroma_bank(self.sample_rate, self.framing.n_fft)
        return raw / _divisor(raw.max(axis=1))[:, None]

    @cached_property
    def centroid(self) -> np.ndarray:
        """Spectral centroid [shape=(t,), Hz]."""
        return self.magnitude @ self.frequencies / self.summed_magnitude

    def mel(self, bands: int) -> np.ndarray:
        """Mel power spectrum [shape=(t, bands)]."""
        return filters.to_mel(self.power, self.sample_rate, self.framing.n_fft, bands)


def decibels(power: np.ndarray) -> np.ndarray:
    """`librosa.power_to_db`: 10 log10, at least 1e-10, at most 80 dB below the largest of all values."""
    level = np.log10(np.maximum(power, SMALLEST))
    level *= 10
    return np.maximum(level, level.max() - DYNAMIC_RANGE, out=level)


def _sum(bins: np.ndarray) -> np.ndarray:
    return bins @ np.ones(bins.shape[-1], bins.dtype)  # a fifth of the time of bins.sum(axis=-1)


def _divisor(norm: np.ndarray) -> np.ndarray:
    return np.where(norm < TINY, np.float32(1), norm)


def mfcc(mel_power: np.ndarray, size: int) -> np.ndarray:
    """`librosa.feature.mfcc(n_mfcc=size)`: orthonormal DCT-II of 128 mel bands in dB."""
    return decibels(mel_power) @ filters.dct_matrix(MFCC_BANDS)[:, :size]


def mfcc_bands(span: Span, size: int) -> np.ndarray:
    """Mel power behind the MFCCs [shape=(t, 128)]."""
    return span.mel(MFCC_BANDS)


def chroma(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.chroma_stft(tuning=0)`: power by pitch class, C first."""
    return span.chroma


def mel(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.melspectrogram(n_mels=size)`: power in Slaney's mel bands, 0 Hz to half the rate."""
    return span.mel(size)


def logmel(mel_power: np.ndarray, size: int) -> np.ndarray:
    """`librosa.power_to_db(librosa.feature.melspectrogram(n_mels=size))` [dB]."""
    return decibels(mel_power)


def extremes(span: Span, size: int) -> np.ndarray:
    """Mean of the largest, then of the smallest magnitudes of every band [shape=(t, 2 * size)]."""
    bands = filters.contrast_bands(span.sample_rate, span.framing.n_fft, size)
    means = np.empty((2 * size, span.count))
    for band, (low, high, share) in enumerate(bands):
        ordered = np.sort(span.magnitude[:, low:high], axis=1)
        np.add.reduce(ordered[:, -share:], axis=1, out=means[band])
        np.add.reduce(ordered[:, :share], axis=1, out=means[size + band])
    return means.T / [share for _, _, share in bands + bands]


def contrast(means: np.ndarray, size: int) -> np.ndarray:
    """`librosa.feature.spectral_contrast(n_bands=size - 1)`: peaks over valleys in octave bands [dB]."""
    return decibels(means[:, :size]) - decibels(means[:, size:])


def tonnetz(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.tonnetz(chroma=...)` of this chroma: fifths, minor and major thirds (Harte 2006)."""
    total = _divisor(span.chroma.sum(axis=1))
    return (span.chroma / total[:, None]) @ filters.tonnetz_matrix()


def zcr(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.zero_crossing_rate`: share of a frame's samples before which the sign changes."""
    n_fft = span.framing.n_fft
    negative = span.samples < -SMALLEST  # librosa takes what is within 1e-10 of 0 for 0
    negative[: span.inside.start] = negative[span.inside.start]  # and continues a clip's ends
    negative[span.inside.stop :] = negative[span.inside.stop - 1]
    changes = span.framed((negative[1:] != negative[:-1]).astype(np.float32), n_fft - 1)
    return np.vecdot(changes, changes)[:, None] / n_fft  # their sum, for they are 0 or 1


def rms(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.rms(y=...)`: root mean square of a frame's samples; full scale is 1."""
    frames = span.framed(span.samples.astype(np.float64), span.framing.n_fft)
    return np.sqrt(np.vecdot(frames, frames) / span.framing.n_fft)[:, None]


def centroid(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.spectral_centroid` [Hz]: mean frequency, weighted by magnitude."""
    return span.centroid[:, None]


def bandwidth(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.spectral_bandwidth` [Hz]: standard deviation about the centroid."""
    squares = span.frequencies - span.centroid[:, None]
    squares *= squares
    return np.sqrt(np.vecdot(span.magnitude, squares) / span.summed_magnitude)[:, None]


def rolloff(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.spectral_rolloff` [Hz]: below it lies 85 % of a frame's summed magnitude."""
    magnitude = span.magnitude
    bins = magnitude.shape[1]
    whole = bins // STRETCH * STRETCH
    stretches = magnitude[:, :whole].reshape(len(magnitude), -1, STRETCH)
    sums = np.zeros((len(magnitude), whole // STRETCH + 2))
    sums[:, 1:-1] = _sum(stretches)
    sums[:, -1] = _sum(magnitude[:, whole:])
    np.cumsum(sums, axis=1, out=sums)
    total = sums[:, -1].copy()
    sums -= ROLLOFF_SHARE * total[:, None]
    stretch = np.maximum(np.argmax(sums >= 0, axis=1) - 1, 0)  # where the share is reached
    rest = stretch == stretches.shape[1]  # or in the bins beyond the stretches, as of a whistle
    stretch[rest] = 0
    frame = np.arange(len(magnitude))
    running = np.empty((len(magnitude), STRETCH + 1))
    running[:, 0] = sums[frame, stretch]
    running[:, 1:] = stretches[frame, stretch]
    np.cumsum(running, axis=1, out=running)
    reached = STRETCH * stretch + np.argmax(running[:, 1:] >= 0, axis=1)
    # librosa adds bin after bin in float32. Where the rounding of that may decide, the same sum is made; it
    # is at most bins * eps / 2 of the total, and stays below a fifth of this in speech.
    close = rest | (np.abs(running).min(axis=1) <= bins * np.finfo(np.float32).eps / 4 * total)
    below = np.cumsum(magnitude[close], axis=1)
    reached[close] = np.argmax(below >= np.float32(ROLLOFF_SHARE) * below[:, -1:], axis=1)
    return span.frequencies[reached][:, None]


def flatness(span: Span, size: int) -> np.ndarray:
    """`librosa.feature.spectral_flatness`: geometric over arithmetic mean of a frame's power."""
    power = np.maximum(span.power, np.float32(SMALLEST))
    arithmetic = _sum(power) / power.shape[1]
    geometric = np.exp(np.log(power, out=power).mean(axis=1))
    return (geometric / arithmetic)[:, None]


class Family(NamedTuple):
    """How a family of descriptors is had.

    `compute` takes the frames of a span to an array [shape=(t, any)]. `finish`, if there is one, takes what
    was computed of all spans to [shape=(t, size)]: decibels refer to the clip's maximum.
    """

    compute: Callable[[Span, int], np.ndarray]
    least: int  # possible sizes
    most: int
    finish: Callable[[np.ndarray, int], np.ndarray] | None = None


FAMILIES = {
    "mfcc": Family(mfcc_bands, 1, MFCC_BANDS, mfcc),
    "chroma": Family(chroma, 12, 12),
    "mel": Family(mel, 1, 512),
    "logmel": Family(mel, 1, 512, logmel),
    "contrast": Family(extremes, 2, 12, contrast),
    "tonnetz": Family(tonnetz, 6, 6),
    "zcr": Family(zcr, 1, 1),
    "rms": Family(rms, 1, 1),
    "centroid": Family(centroid, 1, 1),
    "bandwidth": Family(bandwidth, 1, 1),
    "rolloff": Family(rolloff, 1, 1),
    "flatness": Family(flatness, 1, 1),
}
