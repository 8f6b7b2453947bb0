"""What tuned classifiers share: class codes, folds by speaker, balanced weights, average recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, check_cv

Split = tuple[np.ndarray, np.ndarray]
GIB = 2**30
FEWEST_SPEAKERS = 4  # so that holding out one loses no more than a quarter of the training part


def inner_folds(y: Sequence, groups: Sequence, n_splits: int = 4, seed: int = 0) -> list[Split] | None:
    """Row numbers (train, test) of folds that keep every speaker whole and the classes balanced.

    Parameters
    ----------
    y, groups : array-like [shape=(n,)]
        Class and speaker of every clip.
    n_splits : int > 1
        At most as many as there are speakers.
    seed : int
        Decides between equally good folds.

    Returns
    -------
    list of (train, test) or None
        None if nothing can be tuned by speaker: there are fewer than two, or every fold would train without
        some class.
    """
    y, groups = np.asarray(y), np.asarray(groups)
    n_splits = min(n_splits, len(np.unique(groups)), int(np.unique(y, return_counts=True)[1].max()))
    if n_splits < 2:
        return None
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    classes = len(np.unique(y))
    splits = [
        (train, test)
        for train, test in splitter.split(y, y, groups)
        if len(test) and len(np.unique(y[train])) == classes
    ]
    return splits or None


def held_out(
    codes: np.ndarray, groups: Sequence | None, one_in: int = 5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray] | None:
    """Row numbers for training and validation, with no speaker in both.

    Parameters
    ----------
    codes, groups : array-like [shape=(n,)]
        Class and speaker of every clip; without speakers, clips are drawn.
    one_in : int
        One in this number of speakers is held out, as far as classes stay balanced.

    Returns
    -------
    (train, valid), each np.ndarray, or None
        None if there are fewer than four speakers, or if training would lack some class.
    """
    units = np.arange(len(codes)) if groups is None else np.asarray(groups)
    if len(np.unique(units)) < FEWEST_SPEAKERS:
        return None
    folds = inner_folds(codes, units, max(2, one_in), seed)
    return folds[0] if folds else None


def resolve(cv: Any, y: np.ndarray, groups: np.ndarray | None) -> list[Split] | None:
    """Folds of a `cv` parameter: None, a number, a splitter or an iterable of (train, test).

    With speakers, a number means speaker folds (None for a single speaker), else stratified folds.
    """
    if cv is None:
        return None
    if isinstance(cv, int) and groups is not None:
        return inner_folds(y, groups, cv)
    splitter = check_cv(cv, y, classifier=True)
    return list(splitter.split(y, y, groups))


def encoded(y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes of the clips whose weight is above 0, and the number of every clip's class among them.

    A clip of weight 0 may be of another class; its number has no meaning. A single class is a ValueError.
    """
    classes = np.unique(y[weight > 0])
    if len(classes) < 2:
        raise ValueError(f"all clips are of one class, '{classes[0]}'; two classes are needed")
    return classes, np.searchsorted(classes, y).clip(max=len(classes) - 1)


def balanced_weights(y: Sequence, sample_weight: Sequence | None = None) -> np.ndarray:
    """Weights [shape=(n,)] with which every class counts the same, of the same total.

    `w * sum(w) / (classes * sum of w over the clip's class)`, scikit-learn's "balanced"; w is 1 by default.
    """
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    _, codes = np.unique(np.asarray(y), return_inverse=True)
    totals = np.bincount(codes, weight)
    share = weight.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1))
    return weight * share[codes]


def uar(truth: np.ndarray, guess: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Unweighted average recall of integer codes [shape=(n,)] over the classes present in the truth.

    Equal to `sklearn.metrics.balanced_accuracy_score` to the last bit, so that ties are the same.
    """
    weight = np.ones(len(truth)) if sample_weight is None else sample_weight
    total, hits = np.bincount(truth, weight), np.bincount(truth, weight * (truth == guess))
    present = total > 0
    return float(np.mean(hits[present] / total[present]))
