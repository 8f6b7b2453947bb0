"""From recordings, or pieces of them, to features or to the reason why there are none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.features import FeatureSet
from ser_classic.features.extraction import BATCH, compute
from ser_classic.predictor.cutting import Cutter, Utterances
from ser_classic.runtime.progress import track
from ser_classic.runtime.workers import Local

LONG = 600.0  # [s]; a single answer for a longer recording says little
PIECES = 64  # features kept at a time, where answers are kept
WORTH_PROCESSES = 128  # recordings; starting processes costs about as much as extracting these

logger = logging.getLogger(__name__)

Recording = str | Path | tuple[np.ndarray, int]

EACH = "each"  # instead of a channel: every channel separately

Channel = int | Literal["each"] | None
NOWHERE = audio.Segment(np.nan, np.nan)  # of what is no recording


@dataclass(frozen=True)
class Described:
    """One recording, or a piece of it, with its features or the reason why there are none.

    `channel` is set if the channels of a recording are taken separately.
    """

    name: str
    segment: audio.Segment = NOWHERE
    vector: np.ndarray | None = None
    problem: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Describer:
    """What is computed of recordings, or of the pieces that a cutter makes of them.

    `keep` gets the pieces of a recording in batches and returns what is to be kept of each. `label` is the
    name of the channel where channels are taken separately.
    """

    features: FeatureSet
    channel: Channel = None
    cutter: Cutter | None = None
    keep: Callable[[list[Described]], list[Any]] = list
    label: str = ""

    def describe(
        self, sources: Recording | Iterable[Recording] | Mapping[str, Recording], jobs: int = 1
    ) -> list[Any | str]:
        """What is kept of all recordings, in order, or the reason why one cannot be used."""
        if isinstance(sources, Mapping):
            named = list(sources.items())
        else:
            each = sources if isinstance(sources, Iterable) and not _is_recording(sources) else [sources]
            named = [
                (f"array {number}" if isinstance(source, tuple) else str(source), source)
                for number, source in enumerate(each, start=1)
            ]
        for _, source in named:
            if not _is_recording(source):
                raise SerClassicError(
                    f"recordings: found {type(source).__name__}; expected paths, or arrays with their sample "
                    "rates [Hz], as in ['a.wav', (waveform, 16000)]"
                )
        calls = [(named[start : start + BATCH],) for start in range(0, len(named), BATCH)]
        engine = Local(jobs if len(named) >= WORTH_PROCESSES else 1)
        done = engine.run(self._batch, calls, "batches of recordings")
        if len(calls) > 1:
            done = track(done, len(calls), "recordings")
        return [item for _, items in sorted(done) for item in items]

    def _batch(self, batch: list[tuple[str, Recording]]) -> list[Any | str]:
        return [item for name, source in batch for item in self._recording(name, source)]

    def _recording(self, name: str, source: Recording) -> list[Any | str]:
        """A recording, or each of its channels separately; problems name it, not its file.

        For standard input, that is a temporary one.
        """
        try:
            if self.channel != EACH:
                return self._kept(name, source)
            count = 1 if isinstance(source, tuple) else audio.info(source).channels
        except (SerClassicError, MemoryError) as error:
            problem = f"{name}: too long for this machine's memory; --window 3 needs only constant memory"
            if isinstance(error, SerClassicError):
                problem = str(error) if isinstance(source, tuple) else str(error).replace(str(source), name)
            return [problem.replace(name, f"{name}, channel {self.label}", 1) if self.label else problem]
        if count == 1:
            return replace(self, channel=None)._recording(name, source)
        words = ("left", "right") if count == 2 else map(str, range(count))
        each = [replace(self, channel=place, label=word) for place, word in enumerate(words)]
        return [item for one in each for item in one._recording(name, source)]

    def _kept(self, name: str, source: Recording) -> list[Any]:
        kept: list[Any] = []
        problems: list[str] = []
        pieces = self._whole(name, source) if self.cutter is None else self._pieces(name, source)
        while some := list(islice(pieces, PIECES)):
            problems += [item.problem for item in some]
            kept += self.keep(some)
        if not kept and self.cutter is Utterances:
            raise audio.AudioError(f"{name}: no speech found; leave out --segments to answer anyway")
        if all(problems):
            raise audio.AudioError(problems[0] if problems else f"{name}: holds no samples")
        return kept

    def _whole(self, name: str, source: Recording) -> Iterator[Described]:
        if isinstance(source, tuple):
            waveform, rate = audio.as_read(*source, name=name), source[1]
        else:
            waveform, rate = audio.read(source, self.features.sample_rate, self.channel)
        seconds = len(waveform) / rate
        if seconds >= LONG:
            logger.warning(
                f"{name}: one answer for {seconds / 60:.0f} minutes; --segments gives one per utterance, "
                "in constant memory"
            )
        yield self.piece(name, waveform, rate, audio.Segment(0.0, seconds))

    def _pieces(self, name: str, source: Recording) -> Iterator[Described]:
        """Pieces at the recording's own rate, as from a microphone, while it is decoded."""
        if isinstance(source, tuple):
            blocks: Iterator[tuple[np.ndarray, int]] = iter([(audio.as_read(*source, name=name), source[1])])
        else:
            blocks = audio.stream(source, self.channel)
        for first, rate in islice(blocks, 1):
            audio.check(np.ones(round(rate), dtype=np.float32), rate, name)  # refuses an invalid rate
            for segment, waveform in self.cutter(chain([first], (block for block, _ in blocks)), rate):
                yield self.piece(name, waveform, rate, segment)

    def piece(self, name: str, waveform: np.ndarray, rate: int, segment: audio.Segment) -> Described:
        """A piece [shape=(n,)] of a recording."""
        try:
            vector = compute(self.features, waveform, rate, name)
            return Described(name, segment, vector, channel=self.label)
        except SerClassicError as error:
            return Described(name, segment, problem=str(error), channel=self.label)


def _is_recording(source: object) -> bool:
    """Whether it is a path, or a waveform with its sample rate."""
    if isinstance(source, tuple):
        return len(source) == 2 and isinstance(source[1], Real)
    return isinstance(source, str | Path)
