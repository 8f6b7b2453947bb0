"""Correlations inside the clip: how tracks of a voice move together, whatever channel, level or speaker."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ser_classic.features.voice.frames import limited

TRACKS = (
    *(f"mfcc_{n:02d}" for n in range(13)),
    *("alpha_00", "sharpness_00", "f0_00", "strength_00", "hnr_00", "cpp_00"),
    *("h1h2_00", "h1h3_00", "h1a1_00", "h1a3_00"),
)
REACH = 2  # [frames] on each side of a delta
LAG = 3  # [frames] by which one track goes before the other
LIMIT = 0.99  # of a correlation, so that its Fisher transform stays below 2.65


def deltas(tracks: np.ndarray) -> np.ndarray:
    """Slope of the line through `REACH` frames on each side [shape=(d, t)], end values repeated (HTK)."""
    count = tracks.shape[1]
    padded = tracks.take(np.arange(-REACH, count + REACH), axis=1, mode="clip")
    total = sum(
        n * (padded[:, REACH + n : REACH + n + count] - padded[:, REACH - n : REACH - n + count])
        for n in range(1, REACH + 1)
    )
    return total / (2 * sum(n * n for n in range(1, REACH + 1)))


def correlations(tracks: np.ndarray) -> np.ndarray:
    """Pearson's correlation of every pair of rows among tracks and their deltas, as Fisher's z.

    Parameters
    ----------
    tracks : np.ndarray [shape=(d, t)]

    Returns
    -------
    np.ndarray [shape=(d * (2 d - 1),), dtype=float32]
        Upper triangle, row by row; the deltas follow the tracks. A track that does not move correlates with
        none.
    """
    rows = _unit(np.vstack([tracks, deltas(tracks)]))
    return _fisher((rows @ rows.T)[_upper(len(rows))])


def lagged(tracks: np.ndarray) -> np.ndarray:
    """Pearson's correlation of every track with every track three frames later, as Fisher's z.

    Parameters
    ----------
    tracks : np.ndarray [shape=(d, t)]

    Returns
    -------
    np.ndarray [shape=(d * d,), dtype=float32]
        Row by row, the earlier track first; zeros where there are no four frames.
    """
    if tracks.shape[1] <= LAG:
        return np.zeros(len(tracks) ** 2, np.float32)
    return _fisher(_unit(tracks[:, :-LAG]) @ _unit(tracks[:, LAG:]).T).ravel()


def pairs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the correlations of named tracks, in their order."""
    both = (*names, *(f"{name}_delta" for name in names))
    return tuple(f"{a}_{b}" for i, a in enumerate(both) for b in both[i + 1 :])


def lagged_pairs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the lagged correlations of named tracks, in their order."""
    return tuple(f"{earlier}_before_{later}" for earlier in names for later in names)


@lru_cache(maxsize=8)
def _upper(count: int) -> np.ndarray:
    """Which cells of a square lie above its diagonal [shape=(count, count), dtype=bool]."""
    return np.triu(np.ones((count, count), dtype=bool), k=1)


def _unit(tracks: np.ndarray) -> np.ndarray:
    """Rows without their mean, of unit norm; zeros where a row does not move."""
    rows = tracks.astype(float)
    mean = rows.mean(axis=1, keepdims=True)
    rows -= mean
    norm = np.sqrt(np.vecdot(rows, rows))
    still = norm <= 1e-6 * np.sqrt(rows.shape[1]) * (1 + np.abs(mean[:, 0]))
    return rows / np.where(still, np.inf, norm)[:, None]


def _fisher(correlation: np.ndarray) -> np.ndarray:
    return np.arctanh(limited(correlation, -LIMIT, LIMIT)).astype(np.float32)
