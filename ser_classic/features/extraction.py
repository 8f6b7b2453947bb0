"""Extraction: feature sets over clips, in parallel, through a cache that never gives half or wrong values.

The cache holds, for each feature set and its exact parameters, a folder of shards. A shard is one `.npz`
with the features of some clips, keyed by the digest of each clip's file content: a renamed clip costs
nothing, a new one costs one extraction. A shard is written beside and moved into place, so what is there is
whole, and any number of processes may share the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import audio
from ser_classic.degradations import DEGRADATIONS, RATE
from ser_classic.errors import SerClassicError
from ser_classic.features import FeatureSet
from ser_classic.runtime import claims
from ser_classic.runtime.engines import ALONE, Engine
from ser_classic.runtime.files import DRAFT, replacing
from ser_classic.runtime.places import cache_folder
from ser_classic.runtime.progress import track

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
    degradation: str | None = None,
) -> Features:
    """Features of every clip, from the cache or from the audio.

    Parameters
    ----------
    clips : pd.DataFrame
        A clips table; `file` is relative to `root`.
    root : Path
    feature_set : FeatureSet
    cache : Path, optional
        Cache folder; see `cache_folder`.
    engine : Engine
        Who extracts; see `engines`.
    channel : int, optional
        Channel to take from files with several; their mean by default.
    degradation : str, optional
        Of `DEGRADATIONS`: what is done to every clip, at 16 kHz, before its features are taken.

    Raises
    ------
    AudioError
        A file of a clip is gone.
    ExtractionError
        Some clips cannot be read. Those that can are in the cache by then. Or the extractor gives other
        columns than it says.
    SerClassicError
        The feature set needs a library that is not installed.
    """
    feature_set.require()
    shards = cache_folder(cache) / "features" / f"{feature_set.name}-{_key(feature_set)}"
    try:
        shards.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExtractionError(
            f"{shards}: the cache cannot be written ({error}); choose another with --cache"
        ) from error
    # Nothing is kept of a clip but short texts: of a million clips, a path object each would be a gigabyte.
    digests = [audio.digest(root / file) for file in clips["file"]]
    if channel is not None:
        digests = [f"{digest}:{channel}" for digest in digests]
    if degradation is not None:
        spoilt = DEGRADATIONS[degradation].key
        digests = [f"{digest}:{spoilt}:{clip}" for digest, clip in zip(digests, clips.index, strict=True)]
    held = _index(shards)
    sources = zip(digests, clips["file"], clips.index, strict=True)
    missing = {digest: (file, clip) for digest, file, clip in sources if digest not in held}
    if missing:
        with _alone(shards, f"extracting {feature_set.name}"):
            (shards / "parameters.json").write_text(json.dumps(feature_set.parameters, indent=1) + "\n")
            held = _index(shards)
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
        values, lengths = _assemble(digests, held, shards)
        alike = values.shape[1] == len(columns) and (feature_set.sequence or len(values) == len(clips))
    except ValueError:  # shards of several widths
        alike = False
    if not alike:
        raise ExtractionError(
            f"{shards}: holds features of other columns than {feature_set.name} has by now; give it another "
            "`version` whenever its values change, or remove this folder"
        )
    return Features(clips.index, columns, values, lengths if feature_set.sequence else None)


@contextlib.contextmanager
def _alone(shards: Path, what: str) -> Iterator[None]:
    """Be the only process that writes shards here; what a killed one was writing is removed."""
    try:
        with claims.alone(shards, what):
            for draft in shards.glob(f"{DRAFT}*"):
                draft.unlink(missing_ok=True)
            yield
    except OSError as error:
        raise ExtractionError(
            f"{shards}: the cache cannot be written ({error.strerror}); choose another with --cache"
        ) from error


def _key(feature_set: FeatureSet) -> str:
    text = json.dumps(feature_set.parameters, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _extract_missing(
    missing: dict[str, tuple[str, str]],
    of: int,
    root: Path,
    feature_set: FeatureSet,
    shards: Path,
    engine: Engine,
    channel: int | None,
    degradation: str | None,
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
    batch: list[tuple[str, tuple[str, str]]],
    root: Path,
    shards: Path,
    channel: int | None,
    degradation: str | None,
) -> tuple[dict[str, Path], list[str]]:
    """Extract some clips into one shard; return where they are, and a message for each that failed."""
    digests, vectors, failures = [], [], []
    width, dimensions = len(feature_set.columns), 1 + feature_set.sequence
    for digest, (file, clip) in batch:
        path = root / file
        try:
            if degradation is None:
                waveform, rate = audio.read(path, feature_set.sample_rate, channel)
            else:
                waveform, rate = audio.read(path, RATE, channel)
                waveform = DEGRADATIONS[degradation](waveform, clip)
            vector = compute(feature_set, waveform, rate, name=str(path))
            if vector.ndim != dimensions or vector.shape[-1] != width:
                raise ExtractionError(f"{path}: values of shape {vector.shape}, expected {width} columns")
        except Exception as error:  # a plug-in's extractor may raise anything; it is told of this clip
            about = "" if isinstance(error, SerClassicError) else f"{path}: {type(error).__name__}: "
            failures.append(f"{about}{error}")
            continue
        digests.append(digest)
        vectors.append(np.atleast_2d(vector))
    if not digests:
        return {}, failures
    return dict.fromkeys(digests, _write_shard(shards, digests, vectors)), failures


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


def _write_shard(shards: Path, digests: list[str], vectors: list[np.ndarray]) -> Path:
    path = shards / f"{uuid.uuid4().hex}.npz"
    try:
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez(
                file,
                digests=np.array(digests),
                lengths=np.array([len(vector) for vector in vectors]),
                values=np.concatenate(vectors),
            )
    except OSError as error:
        raise ExtractionError(
            f"{shards}: a shard cannot be written ({error.strerror}); free some space"
        ) from error
    return path


def _index(shards: Path) -> dict[str, Path]:
    """Which shard holds which clip. A shard that cannot be read (a failing disk) counts as absent."""
    return {digest: path for path, digests in _readable(shards) for digest in digests}


def _readable(shards: Path) -> Iterator[tuple[Path, list[str]]]:
    for path in sorted(shards.glob("*.npz")):
        try:
            with np.load(path) as shard:
                yield path, shard["digests"].tolist()
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)


def _assemble(digests: Iterable[str], held: dict[str, Path], shards: Path) -> tuple[np.ndarray, np.ndarray]:
    """Bring the clips into one memory-mapped matrix [n, d], a shard at a time, and give each clip's rows."""
    digests = list(digests)
    matrix = shards / f"matrix-{hashlib.sha256(chr(10).join(digests).encode()).hexdigest()[:16]}.npy"
    wanted: dict[Path, list[int]] = {}
    for position, digest in enumerate(digests):
        wanted.setdefault(held[digest], []).append(position)
    lengths = np.empty(len(digests), dtype=np.int64)
    width = 0
    for path, positions in wanted.items():
        with np.load(path) as shard:
            sizes = dict(zip(shard["digests"].tolist(), shard["lengths"].tolist(), strict=True))
            width = width or shard["values"].shape[1]
        lengths[positions] = [sizes[digests[position]] for position in positions]
    ends = np.cumsum(lengths)
    if not _whole(matrix, (int(ends[-1]), width)):
        with _alone(shards, f"putting together {shards.name}"):
            if not _whole(matrix, (int(ends[-1]), width)):
                with replacing(matrix) as draft:
                    _write_matrix(draft, digests, wanted, ends, width)
    return np.load(matrix, mmap_mode="r"), lengths


def _write_matrix(
    draft: Path, digests: list[str], wanted: dict[Path, list[int]], ends: np.ndarray, width: int
) -> None:
    """Write the matrix of the clips wanted of each shard; `ends` are the numbers of rows up to each clip."""
    _reserve(draft, (int(ends[-1]), width))
    for path, positions in wanted.items():
        # Mapped anew for each shard: what was written is the system's to keep in memory or not.
        values = np.lib.format.open_memmap(draft, mode="r+")
        with np.load(path) as shard:
            stops = np.cumsum(shard["lengths"])
            places = zip(stops.tolist(), shard["lengths"].tolist(), strict=True)
            place_of = dict(zip(shard["digests"].tolist(), places, strict=True))
            rows = shard["values"]
        for position in positions:
            stop, size = place_of[digests[position]]
            values[ends[position] - size : ends[position]] = rows[stop - size : stop]
        del values


def _whole(matrix: Path, shape: tuple[int, int]) -> bool:
    """Whether the matrix is there, uncut."""
    try:
        return np.load(matrix, mmap_mode="r").shape == shape
    except (OSError, ValueError, EOFError):
        return False


def _reserve(draft: Path, shape: tuple[int, int]) -> None:
    """An empty matrix on disk whose space is taken now: a full disk is an error here, not a crash later."""
    np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)
    if hasattr(os, "posix_fallocate"):
        try:
            with draft.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, draft.stat().st_size)
        except OSError as error:
            raise ExtractionError(
                f"{draft.parent}: no room for the features ({error.strerror}); free some space"
            ) from error
