"""Random convolution kernels over the contours, after ROCKET (Dempster, Petitjean and Webb 2020)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ser_classic.features.voice import Voice

DILATIONS = (1, 2, 4, 8)
LENGTH = 9  # [frames at the dilation]
MOST_CHANNELS = 6
PATCH = 10  # neighbouring mel bands under a kernel of `patches`
POOLS = ("above", "mean", "sd", "p95", "p05")
BALANCED = 0.75  # probability that a kernel sums to zero over time, and so does not see the level

# Centre and spread of every channel: python benchmarks/channel_scaling.py $SER_DATA/tess prints this table.
# Fixed numbers, so that the features of a clip never depend on other clips.
CHANNELS: dict[str, tuple[float, float]] = {
    "mfcc_00": (-410, 67),
    "mfcc_01": (47, 44),
    "mfcc_02": (11, 22),
    "mfcc_03": (2.9, 20),
    "mfcc_04": (-4.2, 16),
    "mfcc_05": (-3.5, 14),
    "mfcc_06": (-7.5, 12),
    "mfcc_07": (-6.6, 9.8),
    "mfcc_08": (-2.8, 9.3),
    "mfcc_09": (-4.5, 8.3),
    "mfcc_10": (-1, 8),
    "mfcc_11": (-3.3, 7.9),
    "mfcc_12": (-0.98, 7),
    "mfcc_13": (-1.7, 7.8),
    "f0_00": (25, 5.7),
    "strength_00": (0.69, 0.42),
    "cpp_00": (21, 6),
    "loudness_00": (1.2, 0.78),
    "centroid_00": (1300, 1800),
    "flux_00": (0.34, 0.23),
    "alpha_00": (11, 14),
    "sharpness_00": (1.6, 0.48),
    "voiced_00": (0.73, 0.44),
}
# Contours of the voice alone and of its spectrum's balance: what a change of channel hardly moves.
SOURCE = (
    *("f0_00", "strength_00", "cpp_00", "loudness_00", "h1h2_00", "h1h3_00", "h1a1_00", "h1a3_00"),
    *("f1_00", "f2_00", "f3_00", "b1_00", "level_00", "alpha_00", "hammarberg_00"),
    *("slope500_00", "slope1500_00", "sharpness_00", "flux_00"),
)
TOGETHER = 4  # channels in a block: fewer spare more products with zero, but make more calls
MOST_CELLS = 2**22  # responses held at a time: bounds the memory of long recordings


def channels(voice: Voice) -> np.ndarray:
    """The channels of a recording [shape=(23, t), dtype=float32], in the order of `CHANNELS`, unscaled."""
    *described, _ = CHANNELS  # the last tells what is voiced
    return np.vstack([voice.rows(described), voice.voiced.astype(np.float32)])


def scaled(contours: np.ndarray) -> np.ndarray:
    """Channels [shape=(23, t)] in units of their usual spread around their usual value."""
    centre, spread = _scaling()
    return (contours - centre) / spread


@lru_cache(maxsize=1)
def _scaling() -> np.ndarray:
    """Centre and spread of the channels [shape=(2, 23, 1), dtype=float32]."""
    return np.array(list(CHANNELS.values()), dtype=np.float32).T[:, :, None]


def standardised(contours: np.ndarray, least: float) -> np.ndarray:
    """Contours [shape=(c, t)] in units of their own spread around their own mean within the clip.

    Spreads below `least` count as `least`, so that a contour that stands still is not blown up.
    """
    centred = contours - contours.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.vecdot(centred, centred) / contours.shape[1])
    centred /= np.maximum(spread, least)[:, None]
    return centred.astype(np.float32, copy=False)


class Piece(NamedTuple):
    """Kernels of one dilation that look at the same neighbouring channels, to be multiplied at once."""

    places: slice  # of the kernels among those of the dilation, piece after piece
    rows: slice  # of the shifted channels
    weights: np.ndarray  # [shape=(k, rows), dtype=float32]


class Bank(NamedTuple):
    """Kernels in pieces."""

    channels: np.ndarray  # in the order in which they are shifted, some twice [shape=(c,)]
    pieces: Sequence[Sequence[Piece]]  # for each dilation
    places: np.ndarray  # of each kernel among all, piece after piece [shape=(dilations * k,)]


def responses(contours: np.ndarray, bank: Bank) -> np.ndarray:
    """Pooled responses of a bank of kernels.

    Parameters
    ----------
    contours : np.ndarray [shape=(c, t), dtype=float32]
        Contours, scaled to about unit spread; their end values are repeated beyond the clip.
    bank : Bank
        Kernels for each of the dilations 1, 2, 4 and 8: see `cut`.

    Returns
    -------
    np.ndarray [shape=(4 * k * 5,), dtype=float32]
        For every kernel the share of frames above 0, mean, standard deviation and percentiles 95 and 5.
    """
    count = contours.shape[1]
    most = max(DILATIONS) * (LENGTH // 2)
    padded = contours[bank.channels].take(np.arange(-most, count + most), axis=1, mode="clip")
    shifted = np.empty((len(padded) * LENGTH, count), np.float32)
    of_all = len(bank.places) // len(DILATIONS)
    size = min(max(1, MOST_CELLS // count), of_all)
    response = np.empty((size, count), np.float32)
    ones = np.ones(count, np.float32)  # products with it and with themselves are the fastest sums
    position = 0.95 * (count - 1), 0.05 * (count - 1)
    upper, lower = (slice(int(at), int(at) + 2) for at in position)
    found = np.empty((7, len(DILATIONS), of_all), np.float32)
    for row, (dilation, pieces) in enumerate(zip(DILATIONS, bank.pieces, strict=True)):
        offset = (most - dilation * (LENGTH // 2)) * padded.itemsize
        strides = padded.strides[0], dilation * padded.itemsize, padded.itemsize
        cells = shifted.reshape(len(padded), LENGTH, count)
        cells[:] = np.ndarray(cells.shape, padded.dtype, padded, offset, strides)
        for first in range(0, of_all, size):
            block = response[: of_all - first]
            for places, rows, weights in _within(pieces, first, size) if size < of_all else pieces:
                weights.dot(shifted[rows], block[places])  # np.matmul takes longer to begin
            pools = found[:, row, first : first + size]
            pools[0] = (block > 0).astype(np.float32) @ ones
            pools[1] = block @ ones
            pools[2] = np.vecdot(block, block)
            block.sort(axis=1)  # a twelfth of the time of a partition at the four ranks
            pools[3:5] = block[:, upper].T
            pools[5:] = block[:, lower].T
    found = found.reshape(7, -1)
    found[:3] /= count
    power = found[2]
    power -= found[1] ** 2
    np.sqrt(np.maximum(power, 0, out=power), out=power)
    for pool, (low, high), at in zip((3, 4), (found[3:5], found[5:]), position, strict=True):
        found[pool] = low + (high - low) * np.float32(at % 1)
    return found[: len(POOLS)].T.take(bank.places, axis=0).ravel()


def _within(pieces: Sequence[Piece], first: int, size: int) -> Iterator[Piece]:
    """The parts of pieces that hold `size` kernels from the place `first` on."""
    for places, rows, weights in pieces:
        begin, end = max(places.start, first), min(places.stop, first + size)
        if begin < end:
            part = weights[begin - places.start : end - places.start]
            yield Piece(slice(begin - first, end - first), rows, part)


@lru_cache(maxsize=8)
def names(per_dilation: int) -> tuple[str, ...]:
    """Names of the responses, in their order."""
    return tuple(
        f"d{dilation}_{kernel:03d}_{pool}"
        for dilation in DILATIONS
        for kernel in range(per_dilation)
        for pool in POOLS
    )


@lru_cache(maxsize=8)
def cut(make: Callable[[int, int, int], np.ndarray], channels: int, per_dilation: int, seed: int) -> Bank:
    """The bank that `mixtures` or `patches` makes, cut where most channels would be multiplied by zero.

    The channels form a ring of blocks; the kernels of a piece see the same few blocks beside each other.
    """
    bank = make(channels, per_dilation, seed).reshape(len(DILATIONS), per_dilation, LENGTH, channels)
    count = -(-channels // TOGETHER)
    edges = np.arange(2 * count + 1) * channels // count  # of the blocks, twice around the ring
    seen = np.logical_or.reduceat((bank != 0).any(axis=2), edges[:count], axis=2)
    block = np.arange(count)
    widths = (seen[:, :, None] * ((block - block[:, None]) % count + 1)).max(axis=3)  # from each block on
    first, width = widths.argmin(axis=2), widths.min(axis=2)
    order = (first * count + width).argsort(axis=1, kind="stable")
    pieces = []
    for weights, start, wide, kernels in zip(bank, first, width, order, strict=True):
        windows = np.stack([start[kernels], wide[kernels]])
        cuts = np.flatnonzero((windows[:, 1:] != windows[:, :-1]).any(axis=0)) + 1
        pieces.append([])
        for places in np.array_split(np.arange(per_dilation), cuts):
            at, blocks = windows[:, places[0]]
            under = np.arange(edges[at], edges[at + blocks])
            flat = weights[kernels[places]][:, :, under % channels].transpose(0, 2, 1)
            rows = slice(LENGTH * under[0], LENGTH * (under[-1] + 1))
            pieces[-1].append(Piece(slice(places[0], places[-1] + 1), rows, flat.reshape(len(places), -1)))
    last = max(piece.rows.stop for some in pieces for piece in some)
    order += per_dilation * np.arange(len(bank))[:, None]
    return Bank(np.arange(last // LENGTH) % channels, pieces, order.ravel().argsort())


def mixtures(channels: int, per_dilation: int, seed: int) -> np.ndarray:
    """Kernels that each look at one to six random channels, with Gaussian weights of unit norm in all.

    Returns
    -------
    np.ndarray [shape=(4, per_dilation, LENGTH * channels), dtype=float32]
        Kernels as rows over (time, channel).
    """
    # The stream of RandomState is frozen for good; that of default_rng may change with NumPy's version.
    random = np.random.RandomState(seed)
    shape = (len(DILATIONS) * per_dilation, channels)
    wanted = random.randint(1, MOST_CHANNELS + 1, size=shape[0])
    rank = random.random_sample(shape).argsort(axis=1).argsort(axis=1)
    balanced = random.random_sample(shape[0]) < BALANCED
    weights = random.standard_normal((shape[0], LENGTH, channels)) * (rank < wanted[:, None])[:, None, :]
    return _bank(weights, balanced, per_dilation)


def patches(bands: int, per_dilation: int, seed: int) -> np.ndarray:
    """Kernels that each look at ten neighbouring bands somewhere, with Gaussian weights of unit norm in all.

    Returns
    -------
    np.ndarray [shape=(4, per_dilation, LENGTH * bands), dtype=float32]
        Kernels as rows over (time, band).
    """
    random = np.random.RandomState(seed)
    count = len(DILATIONS) * per_dilation
    lowest = random.randint(0, bands - PATCH + 1, size=count)
    balanced = random.random_sample(count) < BALANCED
    under = np.arange(bands) - lowest[:, None]
    inside = (under >= 0) & (under < PATCH)
    weights = random.standard_normal((count, LENGTH, bands)) * inside[:, None, :]
    return _bank(weights, balanced, per_dilation)


def _bank(weights: np.ndarray, balanced: np.ndarray, per_dilation: int) -> np.ndarray:
    """Weights [shape=(4 * per_dilation, LENGTH, c)] of unit norm; the balanced sum to zero over time."""
    weights -= np.where(balanced[:, None, None], weights.mean(axis=1, keepdims=True), 0)
    weights /= np.linalg.norm(weights, axis=(1, 2), keepdims=True)
    return weights.reshape(len(DILATIONS), per_dilation, -1).astype(np.float32)
