"""From recordings, or pieces of them, to features or to the reason why there are none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.features import FeatureSet
from ser_classic.features.extraction import BATCH, compute
from ser_classic.predictor.utterances import Utterances
from ser_classic.predictor.windows import Span, Stream
from ser_classic.runtime import workers
from ser_classic.runtime.progress import track

LONG = 600.0  # [s]; a single answer for a longer recording says little
PIECES = 64  # passed to `settle` at a time
WORTH_PROCESSES = 128  # recordings; starting processes costs about as much as extracting these

logger = logging.getLogger(__name__)

Source = str | Path | tuple[np.ndarray, int]

EACH = "each"  # instead of a channel: every channel separately

Channel = int | Literal["each"] | None
# Emotion, probabilities [shape=(classes,)] or None, and distance from the training clips
Judged = tuple[str, np.ndarray | None, float]
Cutter = Callable[[int], Stream | Utterances]  # from a sample rate [Hz] to what cuts a recording


@dataclass(frozen=True)
class Described:
    """One recording, or a piece of it, with its features or the reason why there are none.

    `judged` is the answer, once the features are dropped. `channel` is set if the channels of a recording are
    taken separately.
    """

    name: str
    span: Span
    vector: np.ndarray | None = None
    problem: str = ""
    channel: str = ""
    judged: Judged | None = None


Settle = Callable[[list[Described]], list[Described]]


def describe(
    sources: Source | Iterable[Source] | Mapping[str, Source],
    features: FeatureSet,
    channel: Channel = None,
    cutter: Cutter | None = None,
    jobs: int = 1,
    settle: Settle = list,
) -> list[Described]:
    """Features of recordings, or of the pieces that a cutter makes of them, in order.

    `settle` gets the pieces in batches and returns what is to be kept of each.
    """
    if isinstance(sources, str | Path | tuple):
        sources = [sources]
    named = (
        list(sources.items())
        if isinstance(sources, Mapping)
        else [
            (f"array {number}" if isinstance(source, tuple) else str(source), source)
            for number, source in enumerate(sources, start=1)
        ]
    )
    work = (features, channel, cutter, settle)
    calls = [
        (number, named[start : start + BATCH], *work)
        for number, start in enumerate(range(0, len(named), BATCH))
    ]
    done = workers.run(
        _describe_batch, calls, jobs if len(named) >= WORTH_PROCESSES else 1, "batches of recordings"
    )
    if len(calls) > 1:
        done = track(done, len(calls), "recordings")
    described = dict(done)
    return [item for number in range(len(calls)) for item in described[number]]


def _describe_batch(
    number: int,
    batch: list[tuple[str, Source]],
    features: FeatureSet,
    channel: Channel,
    cutter: Cutter | None,
    settle: Settle,
) -> tuple[int, list[Described]]:
    return number, [
        item for name, source in batch for item in _channels(name, source, features, channel, cutter, settle)
    ]


def _channels(
    name: str,
    source: Source,
    features: FeatureSet,
    channel: Channel,
    cutter: Cutter | None,
    settle: Settle,
) -> list[Described]:
    """A recording, or each of its channels separately."""
    if channel != EACH:
        return _describe(name, source, features, channel, cutter, settle)
    try:
        count = 1 if isinstance(source, tuple) else audio.shape(source).channels
    except SerClassicError as error:
        return [Described(name, Span(0.0, 0.0), problem=str(error).replace(str(source), name))]
    words = ("left", "right") if count == 2 else tuple(map(str, range(count)))
    return [
        replace(item, channel=words[place] if count > 1 else "")
        for place in range(count)
        for item in _describe(name, source, features, place if count > 1 else None, cutter, settle)
    ]


def _describe(
    name: str,
    source: Source,
    features: FeatureSet,
    channel: int | None,
    cutter: Cutter | None,
    settle: Settle,
) -> list[Described]:
    try:
        if cutter is not None:
            found: list[Described] = []
            pieces = _pieces(name, source, features, channel, cutter)
            while some := list(islice(pieces, PIECES)):
                found += settle(some)
            if not found and cutter is Utterances:
                raise audio.AudioError(f"{name}: no speech found; leave out --segments to answer anyway")
            if all(item.problem for item in found):
                raise audio.AudioError(found[0].problem if found else f"{name}: holds no samples")
            return found
        if isinstance(source, tuple):
            waveform, rate = audio.check(*source, name=name), source[1]
        else:
            waveform, rate = audio.read(source, features.sample_rate, channel)
        seconds = len(waveform) / rate
        if seconds >= LONG:
            logger.warning(
                f"{name}: one answer for {seconds / 60:.0f} minutes; --segments gives one per utterance, "
                "in constant memory"
            )
        return [describe_span(name, waveform, rate, Span(0.0, seconds), features)]
    except (SerClassicError, MemoryError) as error:
        problem = f"{name}: too long for this machine's memory; --window 3 needs only constant memory"
        if isinstance(error, SerClassicError):
            # The message names the file, which for standard input is a temporary one.
            problem = str(error) if isinstance(source, tuple) else str(error).replace(str(source), name)
        return [Described(name, Span(0.0, 0.0), problem=problem)]


def _pieces(
    name: str, source: Source, features: FeatureSet, channel: int | None, cutter: Cutter
) -> Iterator[Described]:
    """Pieces at the recording's own rate, as from a microphone, while it is decoded."""
    if isinstance(source, tuple):
        blocks: Iterable[tuple[np.ndarray, int]] = [(audio.check(*source, name=name), source[1])]
    else:
        blocks = audio.stream(source, channel)
    stream = None
    for block, rate in blocks:
        if stream is None:
            audio.check(np.ones(rate, dtype=np.float32), rate, name)  # refuses an invalid rate
            stream = cutter(rate)
        for span, waveform in stream.push(block):
            yield describe_span(name, waveform, rate, span, features)
    for span, waveform in stream.close() if stream else ():
        yield describe_span(name, waveform, rate, span, features)


def describe_span(name: str, waveform: np.ndarray, rate: int, span: Span, features: FeatureSet) -> Described:
    """Features of a piece [shape=(n,)] of a recording, or the reason why there are none."""
    try:
        return Described(name, span, compute(features, waveform, rate, name))
    except SerClassicError as error:
        return Described(name, span, problem=str(error))
