"""Windows of a recording, the same whether it is cut whole or comes in blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ser_classic.errors import SerClassicError

SHORTEST = 0.1  # [s]; less holds no syllable


class Span(NamedTuple):
    """Where a piece of a recording begins and ends [s]."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length [s], to the microsecond."""
        return round(self.end - self.start, 6)


def lengths(rate: int, window: float, hop: float | None) -> tuple[int, int]:
    """Window and hop in samples; the hop is half a window by default."""
    hop = window / 2 if hop is None else hop
    if not SHORTEST <= window < math.inf:
        raise SerClassicError(f"a window of {window:g} s; expected at least {SHORTEST:g} s")
    if not SHORTEST / 10 <= hop <= window:
        raise SerClassicError(
            f"a hop of {hop:g} s; expected {SHORTEST / 10:g} s to the window's {window:g} s"
        )
    return round(window * rate), round(hop * rate)


class Stream:
    """Windows of a recording that comes in blocks of any size, as soon as they are whole.

    They lie within the recording, one every hop; where they leave its end uncovered, one more ends with it. A
    recording shorter than a window is one window.

    Examples
    --------
    >>> stream = Stream(10, 0.4, 0.4)
    >>> [span for block in np.split(np.arange(10), 5) for span, _ in stream.push(block)]
    [Span(start=0.0, end=0.4), Span(start=0.4, end=0.8)]
    >>> [(span, waveform.tolist()) for span, waveform in stream.close()]
    [(Span(start=0.6, end=1.0), [6.0, 7.0, 8.0, 9.0])]
    """

    def __init__(self, rate: int, window: float, hop: float | None = None) -> None:
        self.rate = rate
        self._size, self._step = lengths(rate, window, hop)
        self._held = np.empty(0, dtype=np.float32)  # the last samples, at least a window of them
        self._begins = 0  # sample of the recording at which they begin
        self._next = 0  # sample at which the next window begins
        self._covered = 0  # sample up to which windows reach

    def push(self, block: np.ndarray) -> Iterator[tuple[Span, np.ndarray]]:
        """Take a block [shape=(n,)]; yield the windows that it completes, each with its waveform."""
        self._held = np.concatenate([self._held, np.asarray(block, dtype=np.float32)])
        end = self._begins + len(self._held)
        while self._next + self._size <= end:
            yield self._cut(self._next, self._next + self._size)
            self._next += self._step
        keep = min(self._next, end - self._size)
        if keep > self._begins:
            self._held = self._held[keep - self._begins :]
            self._begins = keep

    def close(self) -> Iterator[tuple[Span, np.ndarray]]:
        """Yield the window at the end, where the others leave it uncovered."""
        end = self._begins + len(self._held)
        if end > self._covered:
            yield self._cut(max(0, end - self._size), end)

    def _cut(self, first: int, last: int) -> tuple[Span, np.ndarray]:
        self._covered = last
        piece = self._held[first - self._begins : last - self._begins]
        return Span(first / self.rate, last / self.rate), piece
