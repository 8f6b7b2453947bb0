"""Speaker adaptation without labels: features z-scored with a speaker's own statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd


def adapt(values: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Z-score every feature with the mean and standard deviation over its speaker's clips.

    No label is used, but the clips of a test speaker are seen together: the `adapted` track.

    Parameters
    ----------
    values : np.ndarray [shape=(clips, d)]
    speakers : np.ndarray [shape=(clips,)]

    Returns
    -------
    np.ndarray [shape=(clips, d), dtype=float32]
        A feature that is constant over a speaker's clips becomes 0.
    """
    adapted = np.empty(values.shape, dtype=np.float32)
    for rows in pd.Series(range(len(speakers))).groupby(np.asarray(speakers)).indices.values():
        own = np.asarray(values[rows], dtype=np.float64)
        spread = own.std(axis=0)
        spread[spread <= 1e-9 * np.abs(own).max(axis=0)] = np.inf
        adapted[rows] = (own - own.mean(axis=0)) / spread
    return adapted
