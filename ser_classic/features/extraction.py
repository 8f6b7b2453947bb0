"""Extraction: feature sets over clips, in parallel; what is in the cache is not extracted again."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_classic import audio
from ser_classic.degradations import RATE, Degradation
from ser_classic.errors import SerClassicError
from ser_classic.features.sets import FeatureSet
from ser_classic.features.shards import alone, assemble, index, keep, shards_of, write_shard
from ser_classic.runtime.engines import ALONE, Engine
from ser_classic.runtime.progress import track

if TYPE_CHECKING:
    import pandas as pd

BATCH = 32  # clips a task and a shard; handing over a task costs .35 ms, a clip some 3 ms


class ExtractionError(SerClassicError):
    """Clips whose features cannot be had, named with their reasons."""


@dataclass(frozen=True)
class Features:
    """Features of a clips table, in its order.

    Attributes
    ----------
    clips : pd.Index
    columns : tuple of str
    values : np.ndarray [shape=(n, d), dtype=float32], memory-mapped
        A row a clip, or for a sequence a row a frame, clip after clip. A process that is sent the features
        maps the same file.
    lengths : np.ndarray [shape=(clips,)] or None
        Frames of each clip of a sequence; None for vectors.
    """

    clips: pd.Index
    columns: tuple[str, ...]
    values: np.ndarray
    lengths: np.ndarray | None = None

    def __getstate__(self) -> dict[str, Any]:
        if isinstance(getattr(self.values, "base", None), mmap.mmap):  # a whole file, not a part of it
            return self.__dict__ | {"values": Path(self.values.filename)}
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(path := state["values"], Path):
            try:
                state = state | {"values": np.load(path, mmap_mode="r")}
            except (OSError, ValueError) as error:
                raise ExtractionError(
                    f"{path}: cannot be read by another process ({error}); all need to see the feature cache "
                    "under one path"
                ) from error
        self.__dict__.update(state)

    @property
    def frame(self) -> pd.DataFrame:
        """The vectors as a DataFrame, clips x columns.

        Raises
        ------
        ExtractionError
            These are sequences.
        """
        if self.lengths is not None:
            raise ExtractionError("sequences have no single table; use `sequences`")
        import pandas as pd  # not needed to predict, which shall begin soon

        return pd.DataFrame(np.asarray(self.values), index=self.clips, columns=list(self.columns), copy=False)

    @property
    def sequences(self) -> np.ndarray:
        """The clips as an object array [shape=(clips,)] of arrays [shape=(frames, d)].

        Raises
        ------
        ExtractionError
            These are vectors.
        """
        if self.lengths is None:
            raise ExtractionError("vectors are no sequences; use `frame`")
        table = np.empty(len(self.lengths), dtype=object)
        table[:] = np.split(np.asarray(self.values), np.cumsum(self.lengths)[:-1])
        return table

    @property
    def table(self) -> pd.DataFrame | np.ndarray:
        """`frame` of vectors, `sequences` of sequences: what a model takes."""
        return self.frame if self.lengths is None else self.sequences

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the values and lengths."""
        sha = hashlib.sha256(np.ascontiguousarray(self.values).data)
        if self.lengths is not None:
            sha.update(self.lengths.tobytes())
        return sha.hexdigest()


def extract(
    clips: pd.DataFrame,
    root: Path,
    feature_set: FeatureSet,
    cache: Path | None = None,
    engine: Engine = ALONE,
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
        Cache folder; see `places.cache_folder`.
    engine : Engine
        Who extracts; see `engines`.
    channel : int, optional
        Channel to take from files with several; their mean by default.
    degradation : Degradation, optional
        What is done to every clip, at 16 kHz, before its features are taken: one of `DEGRADATIONS`, or a
        `training_copy`.

    Raises
    ------
    AudioError
        A file of a clip is gone.
    ExtractionError
        Some clips cannot be read. Those that can are in the cache by then. Or the extractor gives other
        columns than it says; or degraded clips are asked for of a table that was brought.
    TableError
        Such a table lacks some of the clips, or holds one of them twice.
    CacheError
        The cache cannot be written.
    SerClassicError
        The feature set needs a library that is not installed.
    """
    from ser_classic.corpora.clips import parts  # here: a prediction needs no corpora

    feature_set.require()
    if len(feature_set.parts) > 1:
        columns = feature_set.columns  # tells at once where two of them hold the same
        rest = (cache, engine, channel, degradation)
        side_by_side = [extract(clips, root, part, *rest) for part in feature_set.parts]
        return _beside(feature_set, columns, side_by_side, cache)
    if feature_set.brought:
        return _looked_up(clips, feature_set, cache, degradation)
    shards = shards_of(feature_set, cache)
    # Nothing is kept of a clip but short texts: of a million clips, a path object each would be a gigabyte.
    digests = [audio.digest(root / file) for file in clips["file"]]
    if channel is not None:
        digests = [f"{digest}:{channel}" for digest in digests]
    sections = parts(clips)
    digests = [
        digest if part is None else f"{digest}:@{part}"
        for digest, part in zip(digests, sections, strict=True)
    ]
    if degradation is not None:
        digests = [
            f"{digest}:{degradation.key}:{clip}" for digest, clip in zip(digests, clips.index, strict=True)
        ]
    held = index(shards)
    sources = zip(digests, clips["file"], clips.index, sections, strict=True)
    missing = {digest: source for digest, *source in sources if digest not in held}
    if missing:
        with alone(shards, f"extracting {feature_set.name}"):
            (shards / "parameters.json").write_text(json.dumps(feature_set.parameters, indent=1) + "\n")
            held = index(shards)
            missing = {digest: source for digest, source in missing.items() if digest not in held}
            try:
                held |= _extract_missing(
                    missing, len(clips), root, feature_set, shards, engine, channel, degradation
                )
            except ExtractionError as error:
                if root.is_dir():
                    raise
                raise ExtractionError(
                    f"{root}: this folder of the corpus is gone; put it back. What was extracted from it is "
                    "kept, the same command goes on from there"
                ) from error
    columns = feature_set.columns
    try:
        values, lengths = assemble(digests, held, shards)
        alike = values.shape[1] == len(columns) and (feature_set.sequence or len(values) == len(clips))
    except ValueError:  # shards of several widths
        alike = False
    if not alike:
        raise ExtractionError(
            f"{shards}: holds features of other columns than {feature_set.name} has by now; give it another "
            "`version` whenever its values change, or remove this folder"
        )
    return Features(clips.index, columns, values, lengths if feature_set.sequence else None)


def _beside(
    feature_set: FeatureSet, columns: tuple[str, ...], parts: list[Features], cache: Path | None
) -> Features:
    """Features of the same clips side by side."""

    def fill(values: np.ndarray) -> None:
        start = 0
        for part in parts:
            values[:, start : start + part.values.shape[1]] = part.values
            start += part.values.shape[1]

    key = " ".join(part.digest for part in parts)
    shape = (len(parts[0].clips), len(columns))
    return Features(parts[0].clips, columns, keep(feature_set, cache, key, shape, fill))


def _looked_up(
    clips: pd.DataFrame, feature_set: Any, cache: Path | None, degradation: str | None
) -> Features:
    """Features of clips from a table that was brought."""
    if degradation is not None:
        raise ExtractionError(
            f"{feature_set.table.path}: holds features of clips as they are, and not degraded; extract those "
            "of degraded clips where the table was made"
        )
    rows = feature_set.table.rows_of(clips)

    def fill(values: np.ndarray) -> None:
        values[:] = feature_set.table.values[rows]

    key = "\n".join(clips.index)
    shape = (len(clips), len(feature_set.columns))
    return Features(clips.index, feature_set.columns, keep(feature_set, cache, key, shape, fill))


def _extract_missing(
    missing: dict[str, Sequence[Any]],
    of: int,
    root: Path,
    feature_set: FeatureSet,
    shards: Path,
    engine: Engine,
    channel: int | None,
    degradation: Degradation | None,
) -> dict[str, Path]:
    """Extract clips into new shards, and return which of these holds which of them."""
    work = list(missing.items())
    rest = (root.absolute(), shards.absolute(), channel, degradation)
    batches = [(feature_set, work[start : start + BATCH], *rest) for start in range(0, len(work), BATCH)]
    done = engine.run(_extract_batch, batches, "batches of clips")
    found: dict[str, Path] = {}  # by those who wrote: what a folder on another machine lists may be old
    failures: list[str] = []
    for written, failed in track(done, len(batches), f"extracting {feature_set.name}"):
        found |= written
        failures += failed
    if failures:
        shown = "\n  ".join(sorted(failures)[:5])
        more = f"\n  and {len(failures) - 5} more" if len(failures) > 5 else ""
        raise ExtractionError(
            f"{feature_set.name}: {len(failures)} of {of} clips cannot be used:\n  {shown}{more}"
        )
    return found


def _extract_batch(
    feature_set: FeatureSet,
    batch: list[tuple[str, Sequence[Any]]],
    root: Path,
    shards: Path,
    channel: int | None,
    degradation: Degradation | None,
) -> tuple[dict[str, Path], list[str]]:
    """Extract some clips into one shard; return where they are, and a message for each that failed."""
    digests, vectors, failures = [], [], []
    width, dimensions = len(feature_set.columns), 1 + feature_set.sequence
    for digest, (file, clip, part) in batch:
        path = root / file
        try:
            if degradation is None:
                waveform, rate = audio.read(path, feature_set.sample_rate, channel, part)
            else:
                waveform, rate = audio.read(path, RATE, channel, part)
                waveform = degradation(waveform, clip)
            vector = compute(feature_set, waveform, rate, name=str(path))
            if audio.digest(path) != digest.partition(":")[0]:  # kept, it would pass for the older file's
                raise ExtractionError(f"{path}: was replaced meanwhile; give the same command again")
            if vector.ndim != dimensions or vector.shape[-1] != width:
                raise ExtractionError(f"{path}: values of shape {vector.shape}, expected {width} columns")
        except (Exception, SystemExit) as error:  # a plug-in may raise anything; it is told of this clip
            about = "" if isinstance(error, SerClassicError) else f"{path}: {type(error).__name__}: "
            failures.append(f"{about}{error}")
            continue
        digests.append(digest)
        vectors.append(np.atleast_2d(vector))
    if not digests:
        return {}, failures
    return dict.fromkeys(digests, write_shard(shards, digests, vectors)), failures


def compute(
    feature_set: FeatureSet, waveform: np.ndarray, sample_rate: int, name: str = "waveform"
) -> np.ndarray:
    """Features [shape=(d,) or (frames, d), dtype=float32] of one waveform, at the set's own rate.

    Raises
    ------
    AudioError
        The waveform holds nothing to analyse, or its features are not finite.
    """
    rate = feature_set.sample_rate or sample_rate
    waveform = audio.resample(audio.check(waveform, sample_rate, name), sample_rate, rate)
    try:
        vector = np.asarray(feature_set.extractor(waveform, rate), dtype=np.float32)
    except audio.AudioError as error:
        raise audio.AudioError(f"{name}: {error}") from error
    if not np.isfinite(vector).all():
        lost = np.flatnonzero(~np.isfinite(np.atleast_2d(vector)).all(axis=0))
        raise audio.AudioError(f"{name}: {feature_set.name} is not finite in {feature_set.columns[lost[0]]}")
    return vector
