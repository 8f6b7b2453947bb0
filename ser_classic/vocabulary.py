"""Words that clips tables, records and reports share."""

from __future__ import annotations

from collections.abc import Iterable

EMOTIONS = (
    *("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise", "boredom"),
    *("contempt", "excited", "amused", "sleepiness", "frustrated", "other"),
)

EMOTION = "emotion"  # what a run predicts, where it is no dimension
DIMENSIONS = ("arousal", "valence", "dominance")  # columns of numbers that a clips table may have

# Fields of a protocol that set it apart from ordinary ones, and the test of its own that each makes.
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
