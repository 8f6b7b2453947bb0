"""Windows of a recording, the same whether it is cut whole or comes in blocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from ser_classic.audio import Segment
from ser_classic.errors import SerClassicError

SHORTEST = 0.1  # [s]; less holds no syllable


def hop_of(window: float, hop: float | None) -> float:
    """The hop [s], by default half a window [s]; a SerClassicError if either is too short or too long."""
    hop = window / 2 if hop is None else hop
    if not SHORTEST <= window < math.inf:
        raise SerClassicError(f"a window of {window:g} s; expected at least {SHORTEST:g} s")
    if not SHORTEST / 10 <= hop <= window:
        raise SerClassicError(
            f"a hop of {hop:g} s; expected {SHORTEST / 10:g} s to the window's {window:g} s"
        )
    return hop


def windows(
    blocks: Iterable[np.ndarray], rate: int, window: float, hop: float | None = None
) -> Iterator[tuple[Segment, np.ndarray]]:
    """Windows of a recording that comes in blocks [shape=(n,)] of any size, each as soon as it is whole.

    They lie within the recording, one every hop; where they leave its end uncovered, one more ends with it. A
    recording shorter than a window is one window.

    Examples
    --------
    >>> for segment, waveform in windows(np.split(np.arange(10), 5), 10, window=0.4, hop=0.4):
    ...     print(segment, waveform)
    0-0.4 [0. 1. 2. 3.]
    0.4-0.8 [4. 5. 6. 7.]
    0.6-1 [6. 7. 8. 9.]
    """
    hop = hop_of(window, hop)
    size, step = round(window * rate), round(hop * rate)
    held = np.empty(0, dtype=np.float32)  # the last samples, at least a window of them
    begins = following = covered = 0  # where these and the next window begin; up to where windows reach
    for block in blocks:
        held = np.concatenate([held, np.asarray(block, dtype=np.float32)])
        end = begins + len(held)
        while following + size <= end:
            first, covered = following, following + size
            yield Segment(first / rate, covered / rate), held[first - begins : covered - begins]
            following += step
        keep = min(following, end - size)
        if keep > begins:
            held, begins = held[keep - begins :], keep
    end = begins + len(held)
    if end > covered:
        first = max(0, end - size)
        yield Segment(first / rate, end / rate), held[first - begins :]
