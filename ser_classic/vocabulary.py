"""Words that clips tables, records and reports share."""

from __future__ import annotations

from collections.abc import Iterable

EMOTIONS = (
    *("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise", "boredom"),
    *("contempt", "excited", "amused", "sleepiness", "frustrated", "other"),
)

EMOTION = "emotion"  # the target of a run that does not predict a dimension
DIMENSIONS = ("arousal", "valence", "dominance")  # columns of numbers that a clips table may have
LISTED = "listed_as"  # column of a clips table: what a manifest calls each file, where that is not `file`

# Fields of a protocol that make it a special test, not an ordinary one, and the name of that test.
CONDITIONS = {
    "trained_on": "cross",
    "heard": "few",
    "copies": "multi",
    "speakers": "speakers",
    "degradation": "degraded",
}


def ordered(emotions: Iterable[str]) -> tuple[str, ...]:
    """Emotions, each once, in the order of `EMOTIONS`, others after them by name."""
    found = set(emotions)
    return tuple(word for word in EMOTIONS if word in found) + tuple(sorted(found.difference(EMOTIONS)))
