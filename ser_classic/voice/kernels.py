"""Random convolution kernels over the contours, after ROCKET (Dempster, Petitjean and Webb 2020)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

DILATIONS = (1, 2, 4, 8)
LENGTH = 9  # [frames at the dilation]
MOST_CHANNELS = 6
POOLS = ("above", "mean", "sd", "p95", "p05")
BALANCED = 0.75  # probability that a kernel sums to zero over time, and so does not see the level

# Centre and spread of every channel: see benchmarks/channel_scaling.py, which prints this table. Fixed
# numbers, so that the features of a clip never depend on other clips.
CHANNELS: dict[str, tuple[float, float]] = {
    "mfcc_00": (-400, 72),
    "mfcc_01": (45, 40),
    "mfcc_02": (5.9, 23),
    "mfcc_03": (7.6, 18),
    "mfcc_04": (-3.3, 15),
    "mfcc_05": (-2.5, 13),
    "mfcc_06": (-5.6, 11),
    "mfcc_07": (-5.2, 9.1),
    "mfcc_08": (-3.2, 8.7),
    "mfcc_09": (-2, 8.3),
    "mfcc_10": (-1.1, 7.5),
    "mfcc_11": (-2.4, 7.6),
    "mfcc_12": (-1.7, 7.1),
    "mfcc_13": (-0.66, 7.1),
    "f0_00": (23, 7.4),
    "strength_00": (0.71, 0.3),
    "cpp_00": (19, 5.3),
    "loudness_00": (1.5, 0.92),
    "centroid_00": (1100, 1500),
    "flux_00": (0.4, 0.23),
    "alpha_00": (9.5, 13),
    "sharpness_00": (1.6, 0.41),
    "voiced_00": (0.68, 0.46),
}
MOST_CELLS = 2**22  # responses held at a time: bounds the memory of long recordings


def responses(channels: np.ndarray, per_dilation: int, seed: int) -> np.ndarray:
    """Pooled responses of random kernels.

    Parameters
    ----------
    channels : np.ndarray [shape=(c, t)]
        Contours, scaled to about unit spread; their end values are repeated beyond the clip.
    per_dilation : int
        Kernels for each of the dilations 1, 2, 4 and 8.
    seed : int
        Of the kernels.

    Returns
    -------
    np.ndarray [shape=(4 * per_dilation * 5,), dtype=float32]
        For every kernel the share of frames above 0, mean, standard deviation and percentiles 95 and 5.
    """
    count = channels.shape[1]
    size = max(1, min(per_dilation, MOST_CELLS // count))
    pooled = []
    for dilation, kernels in zip(DILATIONS, _kernels(len(channels), per_dilation, seed), strict=True):
        reach = dilation * (LENGTH // 2)
        padded = np.pad(channels.astype(np.float32), ((0, 0), (reach, reach)), mode="edge")
        shifted = np.concatenate([padded[:, dilation * n : dilation * n + count] for n in range(LENGTH)])
        for start in range(0, per_dilation, size):
            pooled.append(_pool(kernels[start : start + size] @ shifted))
    return np.concatenate(pooled).ravel()


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
    response.sort(axis=1)
    above = (response > 0).sum(axis=1) / np.float32(count)
    mean = response.mean(axis=1)
    sd = np.sqrt(np.maximum(np.einsum("kt,kt->k", response, response) / count - mean**2, 0))
    tails = []
    for share in (0.95, 0.05):
        position = share * (count - 1)
        below = int(position)
        beyond = min(below + 1, count - 1)
        weight = np.float32(position - below)
        tails.append((1 - weight) * response[:, below] + weight * response[:, beyond])
    return np.stack([above, mean, sd, *tails], axis=1)


@lru_cache(maxsize=4)
def _kernels(channels: int, per_dilation: int, seed: int) -> np.ndarray:
    """Kernels as rows over (time, channel) [shape=(4, per_dilation, LENGTH * channels), dtype=float32].

    Each looks at one to six random channels with Gaussian weights of unit norm in all.
    """
    # The stream of RandomState is frozen for good; that of default_rng may change with NumPy's version.
    random = np.random.RandomState(seed)
    shape = (len(DILATIONS) * per_dilation, channels)
    wanted = random.randint(1, MOST_CHANNELS + 1, size=shape[0])
    rank = random.random_sample(shape).argsort(axis=1).argsort(axis=1)
    balanced = random.random_sample(shape[0]) < BALANCED
    weights = random.standard_normal((shape[0], LENGTH, channels)) * (rank < wanted[:, None])[:, None, :]
    weights -= np.where(balanced[:, None, None], weights.mean(axis=1, keepdims=True), 0)
    weights /= np.linalg.norm(weights, axis=(1, 2), keepdims=True)
    return weights.reshape(len(DILATIONS), per_dilation, -1).astype(np.float32)
