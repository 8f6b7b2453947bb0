"""Frames of a waveform: where they lie, their short-time spectra, and which of them hold speech.

Every analysis of this package looks at the same instants, one each 10 ms, through a window of its own length
around them; so the contours of all descriptors line up frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ser_classic.features.functionals import percentiles

RATE = 16_000  # [Hz]
HOP = 160  # [samples], 10 ms
WINDOW = 400  # [samples], 25 ms
FFT = 512
BLOCK = 128  # [frames] analysed at a time: bounds the memory of long recordings and stays within the cache
POWER_FLOOR = 1e-9  # -90 dB of full scale

FREQUENCIES = np.arange(FFT // 2 + 1) * (RATE / FFT)  # [Hz]


@dataclass(frozen=True)
class Frames:
    """The speech of a recording as frames.

    Attributes
    ----------
    waveform : np.ndarray [shape=(n,), dtype=float32]
        The whole recording at 16 kHz, its mean removed.
    first : int
        Index of the first frame of speech; frame i is centred on sample `HOP * i`.
    count : int
        Number of frames, both ends trimmed.
    level : np.ndarray [shape=(count,), dtype=float32] [dB re full scale]
        Mean power of every frame under the Hamming window.
    """

    waveform: np.ndarray
    first: int
    count: int
    level: np.ndarray

    def blocks(self, length: int, most: int = BLOCK) -> Iterator[tuple[slice, np.ndarray]]:
        """Frames of a length [samples], so many at a time: indices and a view [shape=(<= most, length)]."""
        yield from blocks(self.waveform, length, self.first, self.count, most=most)

    def power(self) -> np.ndarray:
        """Power spectra [shape=(count, 257), dtype=float32], divided by the energy of the window."""
        window = hamming(WINDOW)
        power = np.empty((self.count, FFT // 2 + 1), dtype=np.float32)
        for block, squares in self.spectra(window, FFT):
            power[block] = squares
        power *= 1 / np.sum(window.astype(float) ** 2)
        return power

    def spectra(self, window: np.ndarray, points: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Squared magnitudes of the transforms of frames under a window [shape=(<= 128, points // 2 + 1)]."""
        from scipy import fft

        padded = np.zeros((min(BLOCK, self.count), points), np.float32)
        for block, samples in self.blocks(len(window)):
            frames = padded[: len(samples)]
            np.multiply(samples, window, out=frames[:, : len(window)])
            yield block, squared(fft.rfft(frames, workers=1))


def cut(waveform: np.ndarray) -> Frames:
    """Frames of a recording at 16 kHz, without the silence before and after its speech.

    A frame counts as speech where its level, averaged over five frames, is above both the 99th percentile of
    the clip minus 38 dB and 22 % of the way from the 5th to the 99th; two frames on each side are kept.
    """
    waveform = np.asarray(waveform, dtype=np.float32) - np.float32(np.mean(waveform, dtype=float))
    count = 1 + len(waveform) // HOP
    weight = hamming(WINDOW).astype(float) ** 2
    weight /= weight.sum()
    power = np.empty(count, dtype=np.float32)
    for block, squares in blocks(waveform * waveform, WINDOW, 0, count):
        power[block] = np.vecdot(squares, weight.astype(np.float32))
    level = 10 * np.log10(power.astype(float) + POWER_FLOOR)
    # Beyond the ends their values are repeated: zeros would be full scale in dB.
    smooth = np.convolve(level.take(np.arange(-2, count + 2), mode="clip"), np.full(5, 0.2), mode="valid")
    low, high = percentiles(np.sort(smooth)[None], (5, 99))[0]
    speech = np.flatnonzero(smooth >= max(high - 38, low + 0.22 * (high - low)))
    first, last = max(speech[0] - 2, 0), min(speech[-1] + 2, count - 1)
    return Frames(waveform, int(first), int(last - first + 1), level[first : last + 1].astype(np.float32))


def blocks(
    waveform: np.ndarray, length: int, first: int, count: int, hop: int = HOP, most: int = BLOCK
) -> Iterator[tuple[slice, np.ndarray]]:
    """Frames `first` to `first + count` of a length [samples], zeros beyond both ends of the recording.

    Frame i is centred on sample `hop * i`; at most `most` come at a time: indices and a view.
    """
    before = length // 2
    for start in range(0, count, most):
        size = min(most, count - start)
        begin = (first + start) * hop - before
        end = begin + (size - 1) * hop + length
        inside = slice(max(begin, 0), min(end, len(waveform)))
        piece = waveform[inside]
        if len(piece) < end - begin:
            piece = np.zeros(end - begin, waveform.dtype)
            piece[inside.start - begin : inside.stop - begin] = waveform[inside]
        strides = (hop * piece.itemsize, piece.itemsize)
        yield slice(start, start + size), np.ndarray((size, length), piece.dtype, piece, strides=strides)


def limited(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values [any shape] no lower and no higher than two bounds, in half the time of `numpy.clip`."""
    return np.minimum(np.maximum(values, low), high)


def squared(spectrum: np.ndarray) -> np.ndarray:
    """Squared magnitude of a complex array, without the square root in between."""
    power = spectrum.real**2
    power += spectrum.imag**2
    return power


@lru_cache(maxsize=8)
def hamming(length: int) -> np.ndarray:
    """Periodic Hamming window [shape=(length,), dtype=float32]."""
    return (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


@lru_cache(maxsize=8)
def hann(length: int) -> np.ndarray:
    """Periodic Hann window [shape=(length,), dtype=float32]."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
