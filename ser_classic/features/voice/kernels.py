"""Random convolution kernels over the contours, after ROCKET (Dempster, Petitjean and Webb 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
AT_ONCE = 50  # kernels in a piece: fewer see fewer channels, but make more calls
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
    centred /= np.maximum(centred.std(axis=1, keepdims=True), least)
    return centred.astype(np.float32, copy=False)


class Piece(NamedTuple):
    """Kernels of one dilation that look at the same neighbouring channels, to be multiplied at once."""

    kernels: np.ndarray  # which of the dilation's they are [shape=(k,)]
    channels: slice
    weights: np.ndarray  # [shape=(k, LENGTH * c), dtype=float32]


def responses(contours: np.ndarray, bank: Sequence[Sequence[Piece]]) -> np.ndarray:
    """Pooled responses of a bank of kernels.

    Parameters
    ----------
    contours : np.ndarray [shape=(c, t)]
        Contours, scaled to about unit spread; their end values are repeated beyond the clip.
    bank : sequence of sequences of Piece
        Kernels for each of the dilations 1, 2, 4 and 8: see `pieces`.

    Returns
    -------
    np.ndarray [shape=(4 * k * 5,), dtype=float32]
        For every kernel the share of frames above 0, mean, standard deviation and percentiles 95 and 5.
    """
    count = contours.shape[1]
    size = max(1, MOST_CELLS // count)
    most = max(DILATIONS) * (LENGTH // 2)
    padded = contours.take(np.clip(np.arange(-most, count + most), 0, count - 1), axis=1)  # row by row
    ones = np.ones(count, np.float32)  # products with it and with themselves are the fastest sums
    position = np.array([0.95, 0.05]) * (count - 1)
    ranks = np.concatenate([position, np.minimum(position + 1, count - 1)]).astype(int)
    of_all = sum(len(piece.kernels) for piece in bank[0])
    found = np.empty((3 + len(ranks), len(bank), of_all), np.float32)
    for row, (dilation, some) in enumerate(zip(DILATIONS, bank, strict=True)):
        shifts = [most + dilation * (n - LENGTH // 2) for n in range(LENGTH)]
        for kernels, channels, weights in some:
            shifted = np.concatenate([padded[channels, n : n + count] for n in shifts])
            for start in range(0, len(kernels), size):
                at = kernels[start : start + size]
                response = weights[start : start + size] @ shifted
                found[0, row, at] = (response > 0).astype(np.float32) @ ones
                found[1, row, at] = response @ ones
                found[2, row, at] = np.vecdot(response, response)
                response.sort(axis=1)  # a twelfth of the time of a partition at the four ranks
                found[3:, row, at] = response[:, ranks].T
    above, mean, power = found[:3] / np.float32(count)
    lower, upper = found[3:5], found[5:]
    percentiles = lower + (upper - lower) * (position % 1).astype(np.float32)[:, None, None]
    return np.stack([above, mean, np.sqrt(np.maximum(power - mean**2, 0)), *percentiles], axis=2).ravel()


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
def pieces(
    make: Callable[[int, int, int], np.ndarray], channels: int, per_dilation: int, seed: int
) -> list[list[Piece]]:
    """The bank that `mixtures` or `patches` makes, cut where most channels would be multiplied by zero."""
    bank = make(channels, per_dilation, seed).reshape(len(DILATIONS), per_dilation, LENGTH, channels)
    used = (bank != 0).any(axis=2)
    first, last = used.argmax(axis=2), channels - 1 - used[:, :, ::-1].argmax(axis=2)
    narrow = np.mean(last - first) < channels / 3
    cuts = max(per_dilation // AT_ONCE, 1) if narrow else 1
    cut = []
    for weights, low, high in zip(bank, first, last, strict=True):
        cut.append([])
        order = low.argsort(kind="stable") if narrow else np.arange(per_dilation)
        for kernels in np.array_split(order, cuts):
            seen = slice(low[kernels].min(), high[kernels].max() + 1)
            rows = weights[kernels, :, seen].reshape(len(kernels), -1)
            cut[-1].append(Piece(kernels, seen, np.ascontiguousarray(rows)))
    return cut


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
