"""Adaptation to the unlabelled clips of a speaker: z-scores, probabilities evened out or self-taught."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from ser_classic.machines.formulas import sampled, softmax

WEIGHT = 4  # clips that the training speakers count as ...
ENOUGH = 8  # ... for a speaker with fewer clips heard than this
LEAST = 1e-9  # smallest probability
ROUNDS = 50  # iterations of `evened`

# What speaks for clips of several emotions: none of it below the first value, all of it from the second on.
VARIANCE = (0.7, 2.5)  # of a speaker's log probabilities, summed over emotions
SHARE = (0.12, 0.2)  # of the variance of a speaker's features, along the direction in which the answers vary
RATIO = (3.0, 5.0)  # of that share to the share of a direction like others

# Of `self_taught`; docs/what-helped.md has what other choices give.
MOST_CLIPS = 1000  # that the ridge is fitted to
PENALTY = 10.0  # in units of its kernel's mean diagonal
FITS = 5  # one after the other
SHARPNESS = 6.0  # by which its scores are multiplied to be log probabilities
RARE = 1e-3  # added to the spread of an emotion's probability, so that a rare emotion is not amplified


def adapt(values: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Z-score every feature [shape=(clips, d)] over its speaker's clips.

    This is the `adapted` track: no label is used, but the clips of a test speaker are seen together. With
    corpora in the place of speakers, it is `adapted_corpus`. A feature that is constant over a speaker's
    clips becomes 0.
    """
    adapted = np.empty(values.shape, dtype=np.float32)
    for _, rows in _by_speaker(speakers):
        own = values[rows]
        adapted[rows] = _z_scores(own, *_moments(own))
    return adapted


def drawn(speakers: np.ndarray, heard: int, seed: int) -> np.ndarray:
    """Mark `heard` random clips of each speaker, or all if there are fewer.

    With the same seed, the clips for a smaller number are a subset of those for a larger one.
    """
    marked = np.zeros(len(speakers), dtype=bool)
    for name, rows in _by_speaker(speakers):
        random = np.random.default_rng([seed, zlib.crc32(str(name).encode())])
        marked[random.permutation(rows)[:heard]] = True
    return marked


def adapt_few(
    values: np.ndarray,
    speakers: np.ndarray,
    train: np.ndarray,
    heard: np.ndarray,
    lengths: np.ndarray | None = None,
) -> np.ndarray:
    """Z-score training speakers with all their clips, others with their clips that were heard.

    `train` are row numbers of clips, `heard` marks clips [shape=(clips,)]; with `lengths`, values has so many
    rows for each clip. If fewer than 8 clips of a speaker were heard, their mean and variance are mixed with
    those of the training speakers (their average mean and average variance), which count as 4 clips.
    """
    rows_of = np.ones(len(speakers), dtype=int) if lengths is None else lengths
    owners = np.repeat(speakers, rows_of)
    usable = np.repeat(heard, rows_of)
    adapted = adapt(values, owners)
    learned = sorted(set(speakers[train]))
    mean, variance = np.mean([_moments(values[owners == name]) for name in learned], axis=0)
    for name in sorted(set(speakers) - set(learned)):
        clips = int(np.sum(heard & (speakers == name)))
        share = 1.0 if clips >= ENOUGH else clips / (clips + WEIGHT)
        centre, spread = (1 - share) * mean, (1 - share) * variance
        if clips:
            own = _moments(values[(owners == name) & usable])
            centre, spread = centre + share * own[0], spread + share * own[1]
        adapted[owners == name] = _z_scores(values[owners == name], centre, spread)
    return adapted


def evened(probabilities: np.ndarray, share: float | None = None) -> np.ndarray:
    """Probabilities [shape=(clips, emotions)] of one unknown speaker, shared out more evenly.

    An unknown voice and microphone favour the same emotions in every clip. One factor per emotion makes the
    mean probabilities equal, to the degree that the clips differ: the clips of a speaker who expresses a
    single emotion differ little, and keep it. This degree is `share`, by default the `variety`.
    """
    share = variety(probabilities) if share is None else share
    probabilities = np.maximum(probabilities, LEAST)
    mean = probabilities.mean(axis=0)
    wanted = (1 - share) * mean + share / len(mean)
    factors = np.ones(len(mean))
    for _ in range(ROUNDS):
        shared = probabilities * factors
        shared /= shared.sum(axis=1, keepdims=True)
        factors *= wanted / shared.mean(axis=0)
    return shared


def self_taught(probabilities: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Probabilities [shape=(clips, emotions)] of one unknown speaker, after learning from these clips.

    Self-training: the probabilities, evened out, are the targets of a ridge regression on the features
    [shape=(clips, d)] of the same clips, z-scored over them. Its scores are mixed with the evened-out log
    probabilities, which gives the targets of the next fit. So clips that sound alike in this voice get like
    answers. How far all this is done depends on `variety` or `structure`, whichever is more: clips of one
    emotion have nothing to teach.
    """
    Z = adapt(values, np.zeros(len(values), dtype=int)).astype(np.float64)
    fitted = sampled(len(Z), MOST_CLIPS)
    kernel = Z @ Z[fitted].T / Z.shape[1]
    own = kernel[fitted]
    share = max(variety(probabilities), structure(probabilities[fitted], own))
    weight = share**2 / 2
    penalty = PENALTY * (own.trace() / len(own) or 1.0)
    smoother = np.linalg.solve(own + penalty * np.eye(len(own)), kernel.T).T  # from targets to scores
    taught = evened(probabilities, share)
    before = np.log(np.maximum(taught, LEAST))
    for _ in range(FITS):
        targets = taught[fitted]
        targets = (targets - targets.mean(axis=0)) / (targets.std(axis=0) + RARE)
        logs = (1 - weight) * before + weight * SHARPNESS * (smoother @ targets)
        taught = softmax(logs)
    return taught


def variety(probabilities: np.ndarray) -> float:
    """How far the answers for a speaker's clips differ, from 0, as for one emotion, to 1, as for several."""
    return _degree(_centred_logs(probabilities).var(axis=0).sum(), VARIANCE)


def structure(probabilities: np.ndarray, kernel: np.ndarray) -> float:
    """The same by the inner products [shape=(clips, clips)] of the clips' features, z-scored.

    Where several emotions make the clips differ, the direction in which the answers vary has a large share
    of the variance of the features; with one emotion it is a direction like others. To see this takes some
    25 clips, but the model need not be as sure as on the corpora that it was trained on.
    """
    logs = _centred_logs(probabilities)
    logs = logs - logs.mean(axis=0)
    total = np.square(logs).sum() * kernel.trace()
    share = (logs * (kernel @ logs)).sum() / total if total else 0.0
    return min(_degree(share, SHARE), _degree(share * (len(logs) - 1), RATIO))


def _degree(value: float, bounds: tuple[float, float]) -> float:
    """Where a value lies between two bounds, from 0 to 1."""
    return float(np.interp(value, bounds, (0, 1)))


def _centred_logs(probabilities: np.ndarray) -> np.ndarray:
    """Log probabilities less their mean over the emotions."""
    logs = np.log(np.maximum(probabilities, LEAST))
    return logs - logs.mean(axis=1, keepdims=True)


def _by_speaker(speakers: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each speaker with the row numbers of the speaker's clips, in order."""
    names, owners, counts = np.unique(np.asarray(speakers), return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(owners, kind="stable"), np.cumsum(counts)[:-1])
    return zip(names, rows, strict=True)


def _z_scores(values: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Every column less its mean, by its standard deviation; 0 where that is only rounding."""
    deviation = np.sqrt(variance)
    deviation[deviation <= 1e-9 * np.abs(mean)] = np.inf
    return (values - mean) / deviation


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of every column, in double precision."""
    values = np.asarray(values, dtype=np.float64)
    return values.mean(axis=0), values.var(axis=0)
