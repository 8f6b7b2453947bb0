"""Low-level descriptors, frame by frame, all from one short-time Fourier transform of a clip.

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

import numpy as np

from ser_classic import audio, filters
from ser_classic.filters import DescriptorError
from ser_classic.registry import unknown

MFCC_BANDS = 128  # mel bands behind the MFCCs, librosa's default
SMALLEST = 1e-10  # power below which librosa's decibels and flatness see nothing
DYNAMIC_RANGE = 80.0  # [dB] below the clip's maximum, where librosa's power_to_db cuts
ROLLOFF_SHARE = 0.85  # of a frame's summed magnitude that lies below the roll-off
STRETCH = 32  # bins that the roll-off adds up at once
TINY = np.finfo(np.float32).tiny  # librosa leaves a frame whose norm is below this as it is
BLOCK = 16  # frames transformed at once, so that they stay in the cache from window to magnitude


@dataclass(frozen=True)
class Framing:
    """How a clip is cut: centred frames under a Hann window, zeros beyond both ends.

    Attributes
    ----------
    n_fft : int
        Samples in a frame and points of its transform; even.
    hop : int
        Samples from one frame to the next. A clip of n samples has 1 + n // hop frames.
    """

    n_fft: int = 2048
    hop: int = 512

    def __post_init__(self) -> None:
        if self.n_fft < 16 or self.n_fft % 2 or self.hop < 1:
            raise DescriptorError(
                f"a frame of {self.n_fft} samples every {self.hop}; expected an even number, "
                "at least 16, every 1 or more"
            )


@dataclass(frozen=True)
class Descriptor:
    """One family of descriptors.

    Attributes
    ----------
    family : str
        A key of `FAMILIES`.
    size : int
        How many of them: coefficients, pitch classes or bands.

    Raises
    ------
    DescriptorError
        There is no such family, or it cannot have this size.
    """

    family: str
    size: int = 1

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise DescriptorError(unknown("descriptors", self.family, FAMILIES))
        _, least, most = FAMILIES[self.family]
        if not least <= self.size <= most:
            expected = str(least) if least == most else f"{least} to {most}"
            raise DescriptorError(f"{self.family}: a size of {self.size}; expected {expected}")

    @property
    def rows(self) -> tuple[str, ...]:
        """Name of every row: `mfcc_00`, `mfcc_01`, ... as librosa counts them, or `zcr` alone.

        >>> Descriptor("tonnetz", 6).rows[-1], Descriptor("mel", 128).rows[3], Descriptor("zcr").rows
        ('tonnetz_05', 'mel_003', ('zcr',))
        """
        if FAMILIES[self.family][2] == 1:
            return (self.family,)
        digits = max(2, len(str(self.size - 1)))
        return tuple(f"{self.family}_{index:0{digits}d}" for index in range(self.size))


def describe(
    waveform: np.ndarray, sample_rate: int, descriptors: Iterable[Descriptor], framing: Framing | None = None
) -> dict[str, np.ndarray]:
    """Descriptors of a clip, frame by frame.

    Parameters
    ----------
    waveform : np.ndarray [shape=(n,)]
        Full scale is 1.
    sample_rate : int [Hz]
    descriptors : iterable of Descriptor
        Families, each once.
    framing : Framing, optional

    Returns
    -------
    tracks : dict of str to np.ndarray [shape=(size, 1 + n // hop), dtype=float32]
        By family. Frame t is centred on sample t * hop.

    Raises
    ------
    AudioError
        The waveform is shorter than 10 ms, silent, or not finite.
    DescriptorError
        A descriptor cannot be had at this sample rate and frame length.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> tracks = describe(tone, 16000, [Descriptor("chroma", 12), Descriptor("centroid")])
    >>> tracks["chroma"].shape, int(tracks["chroma"][:, 15].argmax()), int(tracks["centroid"][0, 15].round())
    ((12, 32), 9, 440)
    """
    clip = Clip(audio.check(waveform, sample_rate), sample_rate, framing or Framing())
    tracks = {}
    for descriptor in descriptors:
        compute, _, _ = FAMILIES[descriptor.family]
        tracks[descriptor.family] = np.ascontiguousarray(compute(clip, descriptor.size).T, dtype=np.float32)
    return tracks


class Clip:
    """What the descriptors of a clip share; each part is computed when it is first asked for.

    Parameters
    ----------
    waveform : np.ndarray [shape=(n,), dtype=float32]
    sample_rate : int [Hz]
    framing : Framing
    """

    def __init__(self, waveform: np.ndarray, sample_rate: int, framing: Framing) -> None:
        self.waveform = waveform
        self.sample_rate = sample_rate
        self.framing = framing
        self._decibels: dict[int, np.ndarray] = {}

    @cached_property
    def frames(self) -> np.ndarray:
        """Frames without a window [shape=(t, n_fft), dtype=float64], zeros beyond the ends; a view."""
        half = self.framing.n_fft // 2
        padded = np.empty(len(self.waveform) + 2 * half)
        padded[:half] = 0
        padded[half:-half] = self.waveform
        padded[-half:] = 0
        return self.framed(padded)

    def framed(self, padded: np.ndarray) -> np.ndarray:
        """Frames [shape=(t, n_fft)] of values [shape=(n + n_fft,)], one for a sample; a view."""
        n_fft, hop = self.framing.n_fft, self.framing.hop
        shape = (1 + len(self.waveform) // hop, n_fft)
        strides = (hop * padded.itemsize, padded.itemsize)
        return np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Magnitude spectrum [shape=(t, 1 + n_fft / 2)], `abs(librosa.stft(y)).T`."""
        window = filters.hann(self.framing.n_fft)
        magnitude = np.empty((len(self.frames), self.framing.n_fft // 2 + 1), np.float32)
        windowed = np.empty((BLOCK, self.framing.n_fft))
        spectrum = np.empty((BLOCK, magnitude.shape[1]), np.complex128)
        rounded = np.empty(spectrum.shape, np.complex64)
        for start in range(0, len(magnitude), BLOCK):
            frames = self.frames[start : start + BLOCK]
            n = len(frames)
            np.multiply(frames, window, out=windowed[:n])
            np.fft.rfft(windowed[:n], out=spectrum[:n])
            rounded[:n] = spectrum[:n]
            np.abs(rounded[:n], out=magnitude[start : start + n])
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

    def mel_decibels(self, bands: int) -> np.ndarray:
        """Mel power spectrum [shape=(t, bands), dB]."""
        if bands not in self._decibels:
            self._decibels[bands] = decibels(self.mel(bands))
        return self._decibels[bands]


def decibels(power: np.ndarray) -> np.ndarray:
    """`librosa.power_to_db`: 10 log10, at least 1e-10, at most 80 dB below the largest of all values."""
    level = np.log10(np.maximum(power, SMALLEST))
    level *= 10
    return np.maximum(level, level.max() - DYNAMIC_RANGE, out=level)


def _sum(bins: np.ndarray) -> np.ndarray:
    return bins @ np.ones(bins.shape[-1], bins.dtype)  # a fifth of the time of bins.sum(axis=-1)


def _divisor(norm: np.ndarray) -> np.ndarray:
    return np.where(norm < TINY, np.float32(1), norm)


def mfcc(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.mfcc(n_mfcc=size)`: orthonormal DCT-II of 128 mel bands in dB."""
    return clip.mel_decibels(MFCC_BANDS) @ filters.dct_matrix(MFCC_BANDS)[:, :size]


def chroma(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.chroma_stft(tuning=0)`: power by pitch class, C first."""
    return clip.chroma


def mel(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.melspectrogram(n_mels=size)`: power in Slaney's mel bands, 0 Hz to half the rate."""
    return clip.mel(size)


def logmel(clip: Clip, size: int) -> np.ndarray:
    """`librosa.power_to_db(librosa.feature.melspectrogram(n_mels=size))` [dB]."""
    return clip.mel_decibels(size)


def contrast(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.spectral_contrast(n_bands=size - 1)`: peaks over valleys in octave bands [dB]."""
    bands = filters.contrast_bands(clip.sample_rate, clip.framing.n_fft, size)
    peak = np.empty((size, len(clip.magnitude)))
    valley = np.empty_like(peak)
    for band, (low, high, share) in enumerate(bands):
        ordered = np.sort(clip.magnitude[:, low:high], axis=1)
        np.add.reduce(ordered[:, :share], axis=1, out=valley[band])
        np.add.reduce(ordered[:, -share:], axis=1, out=peak[band])
    shares = np.array([[share] for _, _, share in bands])
    return (decibels(peak / shares) - decibels(valley / shares)).T


def tonnetz(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.tonnetz(chroma=...)` of this chroma: fifths, minor and major thirds (Harte 2006)."""
    total = _divisor(clip.chroma.sum(axis=1))
    return (clip.chroma / total[:, None]) @ filters.tonnetz_matrix()


def zcr(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.zero_crossing_rate`: share of a frame's samples before which the sign changes."""
    half = clip.framing.n_fft // 2
    negative = clip.waveform < -SMALLEST  # librosa takes what is within 1e-10 of 0 for 0
    changes = np.zeros(len(negative) + 2 * half, bool)  # from the sample before
    np.not_equal(negative[1:], negative[:-1], out=changes[half + 1 : half + len(negative)])
    inside = clip.framed(changes)[:, 1:]
    return np.add.reduce(inside, axis=1, dtype=np.int32)[:, None] / clip.framing.n_fft


def rms(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.rms(y=...)`: root mean square of a frame's samples; full scale is 1."""
    return np.sqrt(np.vecdot(clip.frames, clip.frames) / clip.framing.n_fft)[:, None]


def centroid(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.spectral_centroid` [Hz]: mean frequency, weighted by magnitude."""
    return clip.centroid[:, None]


def bandwidth(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.spectral_bandwidth` [Hz]: standard deviation about the centroid."""
    squares = clip.frequencies - clip.centroid[:, None]
    squares *= squares
    return np.sqrt(np.vecdot(clip.magnitude, squares) / clip.summed_magnitude)[:, None]


def rolloff(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.spectral_rolloff` [Hz]: below it lies 85 % of a frame's summed magnitude."""
    magnitude = clip.magnitude
    bins = magnitude.shape[1]
    whole = bins // STRETCH * STRETCH
    sums = np.zeros((len(magnitude), whole // STRETCH + 2))
    sums[:, 1:-1] = _sum(magnitude[:, :whole].reshape(len(magnitude), -1, STRETCH))
    sums[:, -1] = magnitude[:, whole:].sum(axis=1)
    np.cumsum(sums, axis=1, out=sums)
    total = sums[:, -1].copy()
    sums -= ROLLOFF_SHARE * total[:, None]
    stretch = np.maximum(np.count_nonzero(sums < 0, axis=1) - 1, 0)  # where the share is reached
    frame = np.arange(len(magnitude))
    running = np.empty((len(magnitude), STRETCH + 1))
    running[:, 0] = sums[frame, stretch]
    inside = np.minimum(STRETCH * stretch[:, None] + np.arange(STRETCH), bins - 1)
    running[:, 1:] = magnitude[frame[:, None], inside]
    np.cumsum(running, axis=1, out=running)
    reached = STRETCH * stretch + np.count_nonzero(running[:, 1:] < 0, axis=1)
    # librosa adds bin after bin in float32. Where the rounding of that may decide, the same sum is made; it
    # is at most bins * eps / 2 of the total, and stays below a fifth of this in speech.
    close = np.abs(running).min(axis=1) <= bins * np.finfo(np.float32).eps / 4 * total
    below = np.cumsum(magnitude[close], axis=1)
    reached[close] = np.count_nonzero(below < np.float32(ROLLOFF_SHARE) * below[:, -1:], axis=1)
    return clip.frequencies[reached][:, None]


def flatness(clip: Clip, size: int) -> np.ndarray:
    """`librosa.feature.spectral_flatness`: geometric over arithmetic mean of a frame's power."""
    power = np.maximum(clip.power, np.float32(SMALLEST))
    arithmetic = _sum(power) / power.shape[1]
    geometric = np.exp(np.log(power, out=power).mean(axis=1))
    return (geometric / arithmetic)[:, None]


# family: what computes it [shape=(t, size)], its least and its largest size
FAMILIES: dict[str, tuple[Callable[[Clip, int], np.ndarray], int, int]] = {
    "mfcc": (mfcc, 1, MFCC_BANDS),
    "chroma": (chroma, 12, 12),
    "mel": (mel, 1, 512),
    "logmel": (logmel, 1, 512),
    "contrast": (contrast, 2, 12),
    "tonnetz": (tonnetz, 6, 6),
    "zcr": (zcr, 1, 1),
    "rms": (rms, 1, 1),
    "centroid": (centroid, 1, 1),
    "bandwidth": (bandwidth, 1, 1),
    "rolloff": (rolloff, 1, 1),
    "flatness": (flatness, 1, 1),
}
