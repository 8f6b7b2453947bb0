"""Extraction: feature sets of clips, in parallel; cached features are not extracted again."""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ser_classic import audio
from ser_classic.degradations import RATE, Degradation
from ser_classic.errors import SerClassicError, some
from ser_classic.features.inputs import Features
from ser_classic.features.sets import FeatureSet
from ser_classic.features.shards import assemble, index, keep, locked, shards_of, write_shard
from ser_classic.runtime.engines import SERIAL, Engine
from ser_classic.runtime.progress import track

if TYPE_CHECKING:
    import pandas as pd

BATCH = 32  # clips per task and shard; sending a task costs .35 ms, a clip some 3 ms


def extract(
    clips: pd.DataFrame,
    root: Path,
    feature_set: FeatureSet,
    cache: Path | None = None,
    engine: Engine = SERIAL,
    channel: int | None = None,
    degradation: Degradation | None = None,
) -> Features:
    """Features of every clip, from the cache or from the audio.

    Parameters
    ----------
    clips : pd.DataFrame
        A clips table; `file` is relative to `root`.
    root : Path
    feature_set : FeatureSet
    cache : Path, optional
        Cache folder; see `files.cache_folder`.
    engine : Engine
        What runs the extraction; see `engines`.
    channel : int, optional
        Channel to take from files with several; by default that of the corpus that the clips were loaded
        from (`clips.attrs["channel"]`), or their mean if it states none.
    degradation : Degradation, optional
        Applied to every clip, at 16 kHz, before extraction: one of `DEGRADATIONS`, or a `training_copy`.

    Raises
    ------
    SerClassicError
        Some clips cannot be read (the others are in the cache by then; the message names them with the
        reasons), or the extractor gives other columns than it lists. A user's table lacks a clip or has it
        twice, or its degraded clips are requested. The cache cannot be written, or a library is missing.

    Examples
    --------
    >>> from ser_classic import FEATURES, load
    >>> root, clips, corpus = load("synthetic")
    >>> extract(clips, root, FEATURES["mfcc13"]).frame.shape
    (504, 13)
    """
    feature_set.require()
    channel = clips.attrs.get("channel") if channel is None else channel
    if len(feature_set.parts) > 1:
        columns = feature_set.columns  # raises an error at once if two sets have a column in common
        rest = (cache, engine, channel, degradation)
        side_by_side = [extract(clips, root, part, *rest) for part in feature_set.parts]
        return _beside(feature_set, columns, side_by_side, cache)
    if feature_set.brought:
        return _looked_up(clips, feature_set, cache, degradation)
    shards = shards_of(feature_set, cache).absolute()
    keys, known = _in_shards(clips, _Job(feature_set, root.absolute(), shards, channel, degradation), engine)
    columns = feature_set.columns
    try:
        values, lengths = assemble(keys, known, shards)
        several = feature_set.gives.dimensions > 1
        alike = values.shape[1] == len(columns) and (several or len(values) == len(clips))
    except ValueError:  # shards of several widths
        alike = False
    if not alike:
        raise SerClassicError(
            f"{shards}: has other columns than {feature_set.name} has now; raise its `version` whenever "
            "its values change, or remove this folder"
        )
    return Features(clips.index, columns, values, lengths, feature_set.gives)


def _beside(
    feature_set: FeatureSet, columns: tuple[str, ...], parts: list[Features], cache: Path | None
) -> Features:
    """Features of the same clips side by side."""
    ends = np.cumsum([len(part.columns) for part in parts])
    pieces = (
        ((slice(None), slice(end - len(part.columns), end)), part.values)
        for part, end in zip(parts, ends, strict=True)
    )
    key = [" ".join(part.digest for part in parts)]
    shape = len(parts[0].clips), len(columns)
    return Features(parts[0].clips, columns, keep(shards_of(feature_set, cache), key, shape, pieces))


def _looked_up(
    clips: pd.DataFrame, feature_set: FeatureSet, cache: Path | None, degradation: Degradation | None
) -> Features:
    """Features of clips from a user's table."""
    table: Any = feature_set.extractor
    if degradation is not None:
        raise SerClassicError(f"{table.path}: has features of clean clips; give a table of degraded ones")
    values = table.values[table.rows_of(clips)]
    matrix = keep(shards_of(feature_set, cache), clips.index, values.shape, [(slice(None), values)])
    return Features(clips.index, table.columns, matrix)


_digests: dict[str, str] = {}  # of files, by their state, so that each is read once


class _Source(NamedTuple):
    """A clip to extract: its segment of a file, and the state of the file when its digest was taken.

    The key, by which the cache knows it, has this digest and all else that the samples depend on.
    """

    file: str
    clip: str
    segment: Any
    state: str
    key: str


@dataclass(frozen=True)
class _Job:
    """How clips become features, and the folder of their shards."""

    feature_set: FeatureSet
    root: Path
    shards: Path
    channel: int | None
    degradation: Degradation | None

    def key(self, file: str, clip: str, segment: Any, state: str) -> str:
        """A clip's key in the cache."""
        if state not in _digests:
            _digests[state] = audio.digest(self.root / file)
        key = _digests[state]
        if self.channel is not None:
            key += f":{self.channel}"
        if segment is not None:
            key += f":@{segment}"
        if self.degradation is not None:
            key += f":{self.degradation.key}:{clip}"
        return key

    def compute(self, sources: Sequence[_Source]) -> list[np.ndarray]:
        """Features [shape=(d,) or (rows, d)] of clips, in one batch; raises errors of any kind."""
        paths = [self.root / source.file for source in sources]
        rate = self.feature_set.sample_rate if self.degradation is None else RATE
        recordings = []
        for path, source in zip(paths, sources, strict=True):
            waveform, own = audio.read(path, rate, self.channel, source.segment)
            if self.degradation is not None:
                waveform = self.degradation(waveform, source.clip)
            recordings.append((waveform, own, str(path)))
        vectors = _computed(self.feature_set, recordings)
        width, dimensions = len(self.feature_set.columns), self.feature_set.gives.dimensions
        for path, source, vector in zip(paths, sources, vectors, strict=True):
            if _state(path) != source.state:
                raise SerClassicError(f"{path}: changed during extraction; run the same command again")
            if vector.ndim != dimensions or vector.shape[-1] != width:
                raise SerClassicError(f"{path}: values of shape {vector.shape}, expected {width} columns")
        return vectors


def _state(path: Path) -> str:
    """What changes with a file's content, without reading it; "" if the file is gone."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _in_shards(clips: pd.DataFrame, job: _Job, engine: Engine) -> tuple[list[str], dict[str, Path | None]]:
    """The key of every clip, and the shard of each key; clips that are in none are extracted."""
    from ser_classic.corpora.clips import segments  # here: a prediction needs no corpora

    keys: list[str] = []
    states: list[str] = []
    for file, clip, segment in zip(clips["file"], clips.index, segments(clips), strict=True):
        states.append(_state(job.root / file))
        keys.append(job.key(file, clip, segment, states[-1]))
    known = index(job.shards, keys)
    if None in known.values():
        with locked(job.shards, f"extracting {job.feature_set.name}"):
            parameters = json.dumps(job.feature_set.parameters, indent=1)
            (job.shards / "parameters.json").write_text(f"{parameters}\n")
            known = index(job.shards, keys)
            # Of clips with the same key, the last
            last = {key: row for row, key in enumerate(keys) if known[key] is None}
            sources = map(_Source, clips["file"], clips.index, segments(clips), states, keys)
            missing = (source for row, source in enumerate(sources) if last.get(source.key) == row)
            batches, calls = [], []
            while batch := [*islice(missing, BATCH)]:
                batches.append([source.key for source in batch])
                # As objects, a million clips need a gigabyte, and once more in forked workers, which copy it.
                calls.append((job, zlib.compress(pickle.dumps(batch))))
            shards = _extract_missing(calls, len(clips), job, engine)
            for number, batch in enumerate(batches):
                known |= dict.fromkeys(batch, shards[number])
    return keys, known


def _extract_missing(
    calls: list[tuple[_Job, bytes]], total: int, job: _Job, engine: Engine
) -> dict[int, Path | None]:
    """Extract batches of clips into new shards, and return the shard of each batch, by its number.

    The workers report the shards, as a shared folder may list its files late.
    """
    name = job.feature_set.name
    done = engine.run(_extract_batch, calls, "batches of clips")
    answers = dict(track(done, len(calls), f"extracting {name}"))
    failures = [message for _, failed in answers.values() for message in failed]
    if failures and not job.root.is_dir():
        gone = "the folder of the corpus is gone; put it back and repeat the command to continue"
        raise SerClassicError(f"{job.root}: {gone}")
    if failures:
        shown = some(sorted(failures), apart="\n  ")
        raise SerClassicError(f"{name}: {len(failures)} of {total} clips cannot be used:\n  {shown}")
    return {number: shard for number, (shard, _) in answers.items()}


def _extract_batch(job: _Job, batch: bytes) -> tuple[Path | None, list[str]]:
    """Extract some clips into one shard; return it, and a message for each that failed."""
    sources: list[_Source] = pickle.loads(zlib.decompress(batch))
    vectors: dict[str, np.ndarray] = {}
    failed: list[str] = []
    if hasattr(job.feature_set.extractor, "together"):
        with suppress(Exception, SystemExit):  # which clip it was is found below
            vectors = dict(zip([source.key for source in sources], job.compute(sources), strict=True))
    for source in sources:
        try:
            if source.key not in vectors:
                [vectors[source.key]] = job.compute([source])
        except (Exception, SystemExit) as error:  # a plug-in may raise anything
            about = f"{job.root / source.file}: {type(error).__name__}: "
            failed.append(f"{'' if isinstance(error, SerClassicError) else about}{error}")
    if not vectors:
        return None, failed
    return write_shard(job.shards, list(vectors), list(map(np.atleast_2d, vectors.values()))), failed


def compute(
    feature_set: FeatureSet, waveform: np.ndarray, sample_rate: int, name: str = "waveform"
) -> np.ndarray:
    """Features [shape=(d,) or (rows, d), dtype=float32] of one waveform, at the set's own rate.

    AudioError says that it has nothing to analyse, or that they are not finite.
    """
    return _computed(feature_set, [(waveform, sample_rate, name)])[0]


def _computed(feature_set: FeatureSet, recordings: list[tuple[np.ndarray, int, str]]) -> list[np.ndarray]:
    """Features of waveforms, each with its sample rate and name; several go to the extractor at once."""
    ready = []
    for waveform, sample_rate, name in recordings:
        rate = feature_set.sample_rate or sample_rate
        ready.append(audio.resample(audio.check(waveform, sample_rate, name), sample_rate, rate))
    extractor: Any = feature_set.extractor
    try:
        given = [extractor(ready[0], rate)] if len(ready) == 1 else extractor.together(ready, rate)
    except audio.AudioError as error:
        raise audio.AudioError(f"{name}: {error}") from error
    vectors = [np.asarray(each, dtype=np.float32) for each in given]
    for vector, (_, _, name) in zip(vectors, recordings, strict=True):
        if not np.isfinite(vector).all():
            lost = np.flatnonzero(~np.isfinite(np.atleast_2d(vector)).all(axis=0))
            raise audio.AudioError(
                f"{name}: {feature_set.name} is not finite in {feature_set.columns[lost[0]]}"
            )
    return vectors
