"""Cutting a recording of any length: windows, or utterances, found by energy and voicing.

The pieces are the same whether the recording comes whole or in blocks of any size. Only a window of it is
held at a time, or two minutes for utterances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ser_classic.audio import Segment
from ser_classic.errors import SerClassicError

# From the blocks of a recording [shape=(n,)] and its sample rate [Hz] to its pieces
Cutter = Callable[[Iterable[np.ndarray], int], Iterable[tuple[Segment, np.ndarray]]]

SHORTEST_WINDOW = 0.1  # [s]; less holds no syllable

# Of utterances
HOP = 0.01  # [s] from frame to frame
SHORTEST, LONGEST = 100, 1500  # frames of an utterance; the longest is at least twice the shortest
CHUNK = 1000  # frames decided on at a time
REMEMBERED = 6000  # frames whose levels tell the noise floor from the speech
QUIET, LOUD = 10, 95  # percentiles of these levels
ABOVE = 0.35  # of the way from the quiet level to the loud one: speech
LEAST_RANGE = 4.0  # [dB] from quiet to speech
HUM = 100.0  # [Hz]; what is below, such as mains hum, counts little
SILENCE = -70.0  # [dB re full scale]; never speech
PAUSE = 40  # frames; a shorter one does not end an utterance
MARGIN = 0.1  # [s] kept before and after the speech
LEAST_SPEECH = 0.25  # [s] of an utterance; less is a click or a cough
VOICED = 0.15  # share of an utterance's speech that must be periodic
PERIODIC = 0.5  # normalised autocorrelation at the best lag
PITCH = (65.0, 400.0)  # [Hz]
PITCH_WINDOW = 0.04  # [s]


def hop_of(window: float, hop: float | None) -> float:
    """The hop [s], by default half a window [s]; a SerClassicError if either is too short or too long."""
    hop = window / 2 if hop is None else hop
    if not SHORTEST_WINDOW <= window < math.inf:
        raise SerClassicError(f"a window of {window:g} s; expected at least {SHORTEST_WINDOW:g} s")
    if not SHORTEST_WINDOW / 10 <= hop <= window:
        raise SerClassicError(
            f"a hop of {hop:g} s; expected {SHORTEST_WINDOW / 10:g} s to the window's {window:g} s"
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


class Utterances:
    """Speech of a recording that comes in blocks, an utterance of 1 to 15 s at a time.

    A frame is speech where its level is well above the noise of the last minute. Pauses shorter than 0.4 s
    belong to an utterance; what has no voice (typing, breath, music of a queue without melody) is none. More
    than 15 s are split where they are quietest, and less than 1 s is given with what surrounds it, at the
    edges of a recording, too; utterances that would then overlap are joined.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 150 * np.arange(2 * 8000) / 8000)
    >>> quiet = np.zeros(2 * 8000)
    >>> [segment for segment, _ in Utterances([quiet, tone, quiet], 8000)]
    [Segment(start=1.91, end=4.11)]
    """

    def __init__(self, blocks: Iterable[np.ndarray], rate: int) -> None:
        self.blocks, self.rate = blocks, rate
        self._hop = max(1, round(HOP * rate))
        self._samples = np.empty(0, dtype=np.float32)  # from the sample of frame `_first`
        self._first = 0  # frame at which the samples held begin
        self._frames = 0  # frames decided on
        self._levels = np.empty(0, dtype=np.float32)  # of the frames held, then those before for the floor
        self._history = np.empty(0, dtype=np.float32)
        self._speech = np.empty(0, dtype=bool)  # of the frames held
        self._periodic = np.empty(0, dtype=bool)
        self._high_pass: Any = None  # its state
        self._given = 0  # of the frames held, the first that no utterance has

    def __iter__(self) -> Iterator[tuple[Segment, np.ndarray]]:
        """Yield the utterances, each with its waveform, as soon as the blocks [shape=(n,)] end them."""
        for block in self.blocks:
            self._samples = np.concatenate([self._samples, np.asarray(block, dtype=np.float32)])
            while self._undecided() >= CHUNK * self._hop:
                self._decide(CHUNK)
                yield from self._ended(last=False)
        if rest := self._undecided() // self._hop:
            self._decide(rest)
        yield from self._ended(last=True)

    def _undecided(self) -> int:
        """Samples held that are not yet known to be speech or not."""
        return len(self._samples) - (self._frames - self._first) * self._hop

    def _decide(self, count: int) -> None:
        """Tell speech in the next frames, by the levels of the last minute."""
        from scipy import signal

        begin = (self._frames - self._first) * self._hop
        piece = self._samples[begin : begin + count * self._hop]
        sections = signal.butter(2, HUM, "highpass", fs=self.rate, output="sos")
        if self._high_pass is None:
            self._high_pass = signal.sosfilt_zi(sections) * piece[0]
        piece, self._high_pass = signal.sosfilt(sections, piece, zi=self._high_pass)
        level = 10 * np.log10(np.mean(np.square(piece.reshape(count, self._hop)), axis=1) + 1e-12)
        self._history = np.concatenate([self._history, level])[-REMEMBERED:]
        audible = self._history[self._history > SILENCE]
        if len(audible):
            smooth = np.convolve(np.pad(level, 2, mode="edge"), np.full(5, 0.2), mode="valid")
            # Digital silence between the words is no noise floor, but nor is speech without a pause
            quiet, loud = np.percentile(self._history, QUIET), np.percentile(audible, LOUD)
            quiet = max(quiet, SILENCE, loud - 60)
            speech = smooth >= quiet + max(LEAST_RANGE, ABOVE * (loud - quiet))
        else:
            speech = np.zeros(count, dtype=bool)
        self._levels = np.concatenate([self._levels, level])
        self._speech = np.concatenate([self._speech, speech])
        self._periodic = np.concatenate([self._periodic, speech & _periodic(piece, self.rate, count)])
        self._frames += count

    def _ended(self, last: bool) -> Iterator[tuple[Segment, np.ndarray]]:
        """Yield what no later frame can change, and let go of it."""
        most = LONGEST - 2 * _around(LONGEST)
        known = len(self._speech)
        ready = known if last else known - 2 * SHORTEST - PAUSE  # what ends later may still be joined
        done = 0
        for start, end in self._found(known if last else known - PAUSE):
            if end > ready and end - start <= most:
                break
            while end - start > most:
                low, high = start + LONGEST // 3, min(start + most, end - SHORTEST)
                smooth = np.convolve(self._levels[low:high], np.full(9, 1 / 9), mode="same")
                cut = low + int(np.argmin(smooth[4:-4])) + 4  # where it is quietest
                if self._is_utterance(start, cut):
                    yield self._utterance(start, cut, split=True)
                start = done = self._given = cut
            if end > ready:
                break
            if self._is_utterance(start, end):
                yield self._utterance(start, end)
            done = end
        else:
            done = max(done, known - 2 * SHORTEST)
        keep = max(0, done - SHORTEST)
        self._speech[:done] = False  # used up
        self._samples = self._samples[keep * self._hop :]
        self._levels, self._speech = self._levels[keep:], self._speech[keep:]
        self._periodic = self._periodic[keep:]
        self._first += keep
        self._given = max(0, self._given - keep)

    def _found(self, final: int) -> list[tuple[int, int]]:
        """First and last frame (exclusive) of every utterance, those joined that would overlap.

        What ends after the frame `final` may become one.
        """
        found: list[tuple[int, int]] = []
        for start, end in _runs(self._speech):
            if end <= final and not self._is_utterance(start, end):
                continue
            if found and start - found[-1][1] < self._margins(*found[-1])[1] + self._margins(start, end)[0]:
                start = found.pop()[0]
            found.append((start, end))
        return found

    def _is_utterance(self, start: int, end: int) -> bool:
        """Whether there is enough speech between two frames, and enough of it voiced."""
        speech = self._speech[start:end].sum()
        return speech * HOP >= LEAST_SPEECH and self._periodic[start:end].sum() >= VOICED * speech

    def _margins(self, start: int, end: int) -> tuple[int, int]:
        """Frames kept before and after two; where the recording has too few, the other side may have more."""
        around, lacking = _around(end - start), SHORTEST - (end - start)
        most_before, most_after = self._first + start, len(self._speech) - end
        before = min(most_before, max(around, lacking - most_after))
        after = min(most_after, max(around, lacking - most_before))
        return before, after

    def _utterance(self, start: int, end: int, split: bool = False) -> tuple[Segment, np.ndarray]:
        """What lies between two frames, and around them; nothing after them where a longer one is split."""
        before, after = self._margins(start, end)
        start = max(self._given, start - before)
        end = self._given = end if split else end + after
        piece = self._samples[start * self._hop : end * self._hop]
        seconds = self._hop / self.rate
        first, last = (round((self._first + frame) * seconds, 6) for frame in (start, end))
        return Segment(first, last), piece


def _around(frames: int) -> int:
    """Frames kept on either side of so many of speech: a margin, or what makes it the shortest utterance."""
    return max(round(MARGIN / HOP), (SHORTEST - frames + 1) // 2)


def _runs(speech: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame (exclusive) of every run of speech; pauses shorter than `PAUSE` lie within."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speech, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] < PAUSE:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _periodic(piece: np.ndarray, rate: int, count: int) -> np.ndarray:
    """Whether the waveform [shape=(n,)] around each of `count` frames repeats itself at a pitch of speech."""
    from scipy import fft

    step = max(1, rate // 8000)  # a pitch needs no more than 4 kHz
    low = piece[: len(piece) // step * step].reshape(-1, step).mean(axis=1)
    rate = rate // step
    size = round(PITCH_WINDOW * rate)
    hop = len(low) / count
    if len(low) < size:
        return np.zeros(count, dtype=bool)
    starts = np.clip((np.arange(0, count, 2) * hop - size / 2).astype(int), 0, len(low) - size)
    windows = low[starts[:, None] + np.arange(size)]
    windows = (windows - windows.mean(axis=1, keepdims=True)) * np.hanning(size)
    points = fft.next_fast_len(2 * size, real=True)
    correlation = fft.irfft(np.abs(fft.rfft(windows, points)) ** 2, points)
    taper = fft.irfft(np.abs(fft.rfft(np.hanning(size), points)) ** 2, points)
    lags = slice(int(rate / PITCH[1]), int(rate / PITCH[0]) + 1)
    energy = correlation[:, :1] + 1e-12
    best = (correlation[:, lags] / energy / (taper[lags] / taper[0])).max(axis=1)
    return np.repeat(best > PERIODIC, 2)[:count]
