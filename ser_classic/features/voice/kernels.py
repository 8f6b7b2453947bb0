"""Random convolution kernels over the contours, after ROCKET (Dempster, Petitjean and Webb 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ser_classic.features.functionals import percentiles
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
PART = 50  # kernels multiplied at once: few enough to see few channels, enough to pay for a call
WORTHWHILE = 0.6  # of all products: above, one multiplication of all kernels is faster
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


@dataclass(frozen=True)
class Bank:
    """Kernels for each of the dilations 1, 2, 4 and 8: see `mixtures` and `patches`.

    Attributes
    ----------
    weights : np.ndarray [shape=(4, k, LENGTH, c), dtype=float32]
    order : np.ndarray [shape=(4, k)]
        The kernels of every dilation, those beside each other that see much the same channels.
    parts : tuple of list of Part
        The kernels of every dilation in this order.
    """

    weights: np.ndarray
    order: np.ndarray
    parts: tuple[list[Part], ...]


class Part(NamedTuple):
    """Kernels that see neighbouring channels alone: the others need not be multiplied by their zeros.

    Attributes
    ----------
    start, stop : int
        Where they stand in the order.
    channels : slice
    weights : np.ndarray [shape=(stop - start, LENGTH * channels), dtype=float32]
    """

    start: int
    stop: int
    channels: slice
    weights: np.ndarray


def responses(contours: np.ndarray, bank: Bank) -> np.ndarray:
    """Pooled responses of a bank of kernels.

    Parameters
    ----------
    contours : np.ndarray [shape=(c, t)]
        Contours, scaled to about unit spread; their end values are repeated beyond the clip.
    bank : Bank

    Returns
    -------
    np.ndarray [shape=(4 * k * 5,), dtype=float32]
        For every kernel the share of frames above 0, mean, standard deviation and percentiles 95 and 5.
    """
    count = contours.shape[1]
    kernels = bank.weights.shape[1]
    size = max(1, min(kernels, MOST_CELLS // count))
    most = max(DILATIONS) * (LENGTH // 2)
    padded = contours[:, np.clip(np.arange(-most, count + most), 0, count - 1)]
    response = np.empty((size, count), np.float32)
    pooled = np.empty((len(DILATIONS), kernels, len(POOLS)), np.float32)
    for dilation, order, parts, pools in zip(DILATIONS, bank.order, bank.parts, pooled, strict=True):
        shifts = [most + dilation * (n - LENGTH // 2) for n in range(LENGTH)]
        for first in range(0, kernels, size):
            last = min(first + size, kernels)
            for part in parts:
                start, stop = max(part.start, first), min(part.stop, last)
                if start < stop:
                    shifted = np.concatenate([padded[part.channels, n : n + count] for n in shifts])
                    weights = part.weights[start - part.start : stop - part.start]
                    np.matmul(weights, shifted, out=response[start - first : stop - first])
            pools[order[first:last]] = _pool(response[: last - first])
    return pooled.ravel()


def names(per_dilation: int) -> tuple[str, ...]:
    """Names of the responses, in their order."""
    return tuple(
        f"d{dilation}_{kernel:03d}_{pool}"
        for dilation in DILATIONS
        for kernel in range(per_dilation)
        for pool in POOLS
    )


def _pool(response: np.ndarray) -> np.ndarray:
    """Pools [shape=(k, 5)] of responses [shape=(k, t)], which are sorted in place."""
    count = response.shape[1]
    ones = np.ones(count, np.float32)  # products with it and with themselves are the fastest sums
    above = (response > 0).astype(np.float32) @ ones / float(count)
    mean = response @ ones / np.float32(count)
    sd = np.sqrt(np.maximum(np.vecdot(response, response) / np.float32(count) - mean**2, 0))
    response.sort(axis=1)  # a twelfth of the time of a partition at the four ranks
    high, low = percentiles(response, (95, 5)).T
    return np.stack([above, mean, sd, high, low], axis=1)


@lru_cache(maxsize=8)
def mixtures(channels: int, per_dilation: int, seed: int) -> Bank:
    """Kernels that each look at one to six random channels, with Gaussian weights of unit norm in all."""
    # The stream of RandomState is frozen for good; that of default_rng may change with NumPy's version.
    random = np.random.RandomState(seed)
    shape = (len(DILATIONS) * per_dilation, channels)
    wanted = random.randint(1, MOST_CHANNELS + 1, size=shape[0])
    rank = random.random_sample(shape).argsort(axis=1).argsort(axis=1)
    balanced = random.random_sample(shape[0]) < BALANCED
    weights = random.standard_normal((shape[0], LENGTH, channels)) * (rank < wanted[:, None])[:, None, :]
    return _bank(weights, balanced, per_dilation)


@lru_cache(maxsize=8)
def patches(bands: int, per_dilation: int, seed: int) -> Bank:
    """Kernels that each look at ten neighbouring bands, with Gaussian weights of unit norm in all."""
    random = np.random.RandomState(seed)
    count = len(DILATIONS) * per_dilation
    lowest = random.randint(0, bands - PATCH + 1, size=count)
    balanced = random.random_sample(count) < BALANCED
    under = np.arange(bands) - lowest[:, None]
    inside = (under >= 0) & (under < PATCH)
    weights = random.standard_normal((count, LENGTH, bands)) * inside[:, None, :]
    return _bank(weights, balanced, per_dilation)


def _bank(weights: np.ndarray, balanced: np.ndarray, per_dilation: int) -> Bank:
    """Weights [shape=(4 * per_dilation, LENGTH, c)] of unit norm; the balanced sum to zero over time."""
    weights -= np.where(balanced[:, None, None], weights.mean(axis=1, keepdims=True), 0)
    weights /= np.linalg.norm(weights, axis=(1, 2), keepdims=True)
    weights = weights.astype(np.float32).reshape(len(DILATIONS), per_dilation, LENGTH, -1)
    order = (weights != 0).any(axis=2).argmax(axis=2).argsort(axis=1, kind="stable")
    ordered = np.take_along_axis(weights, order[:, :, None, None], axis=1)
    return Bank(weights, order, tuple(_parts(kernels) for kernels in ordered))


def _parts(weights: np.ndarray) -> list[Part]:
    """Kernels [shape=(k, LENGTH, c)], ordered by the lowest channel that they see, in parts."""
    count = len(weights)
    parts = []
    for start in range(0, count, PART):
        stop = min(start + PART, count)
        used = np.flatnonzero(weights[start:stop].any(axis=(0, 1)))
        channels = slice(int(used[0]), int(used[-1]) + 1)
        parts.append(Part(start, stop, channels, weights[start:stop, :, channels].reshape(stop - start, -1)))
    if sum(part.weights.size for part in parts) > WORTHWHILE * weights.size:
        return [Part(0, count, slice(None), weights.reshape(count, -1))]
    return parts
