"""The cache of features: complete, and only of this feature set and these recordings.

Each feature set with its exact parameters has a folder of shards. A shard is one `.npz` with the features of
some clips, keyed by the digest of each clip's file: a renamed clip costs nothing, a new one costs one
extraction. A shard is written elsewhere and moved into place, and any number of processes may share the
folder, which also has a matrix for each list of clips that was requested.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ser_classic.errors import SerClassicError
from ser_classic.features.inputs import row_numbers
from ser_classic.features.sets import FeatureSet
from ser_classic.runtime import files
from ser_classic.runtime.files import cache_folder, replacing, writing

Pieces = Iterable[tuple[Any, np.ndarray]]

DAMAGED = (OSError, ValueError, KeyError, zipfile.BadZipFile)  # raised on reading a damaged shard


def shards_of(feature_set: FeatureSet, cache: Path | None) -> Path:
    """The folder of a feature set's shards, made if it is missing."""
    text = json.dumps(feature_set.parameters, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    shards = cache_folder(cache) / "features" / f"{feature_set.name}-{key}"
    with writing(shards, "--cache"):
        shards.mkdir(parents=True, exist_ok=True)
    return shards


@contextlib.contextmanager
def locked(shards: Path, what: str) -> Iterator[None]:
    """Be the only process that writes shards here; what a killed one was writing is removed."""
    with writing(shards, "--cache"), files.locked(shards / files.LOCK, what, shards):
        yield


def write_shard(shards: Path, digests: list[str], vectors: list[np.ndarray]) -> Path:
    """Write the features of some clips, each [shape=(rows, d)], and return the path."""
    path = shards / f"{uuid.uuid4().hex}.npz"
    lengths, values = np.array([len(vector) for vector in vectors]), np.concatenate(vectors)
    with replacing(path, "--cache") as draft, draft.open("wb") as file:
        np.savez(file, digests=np.array(digests), lengths=lengths, values=values)
    return path


def index(shards: Path, digests: Iterable[str]) -> dict[str, Path | None]:
    """The shard of each clip, if any. One that cannot be read (a failing disk) is removed."""
    found: dict[str, Path | None] = dict.fromkeys(digests)
    for path in sorted(filter(Path.is_file, shards.glob("*.npz"))):
        try:
            with np.load(path) as shard:
                found |= dict.fromkeys(found.keys() & shard["digests"].tolist(), path)
        except DAMAGED:
            path.unlink(missing_ok=True)
    return found


def assemble(
    digests: list[str], known: dict[str, Path | None], shards: Path
) -> tuple[np.ndarray, np.ndarray]:
    """One memory-mapped matrix [n, d] of the clips, made shard by shard, and the number of each clip's rows.

    Shards of several widths are a ValueError.
    """
    wanted: dict[Path, list[int]] = {}
    for position, digest in enumerate(digests):
        wanted.setdefault(known[digest], []).append(position)
    lengths = np.empty(len(digests), dtype=np.int64)
    width = 0
    for path, positions in wanted.items():
        with _opened(path) as shard:
            sizes = dict(zip(shard["digests"].tolist(), shard["lengths"].tolist(), strict=True))
            width = width or shard["values"].shape[1]
        lengths[positions] = [sizes[digests[position]] for position in positions]
    ends = np.cumsum(lengths)

    def pieces() -> Pieces:
        for path, positions in wanted.items():
            with _opened(path) as shard:
                stops = dict(zip(shard["digests"].tolist(), np.cumsum(shard["lengths"]), strict=True))
                rows = shard["values"]
            sizes = lengths[positions]
            ends_here = np.array([stops[digests[position]] for position in positions])
            yield row_numbers(ends[positions], sizes), rows[row_numbers(ends_here, sizes)]

    return keep(shards, digests, (int(ends[-1]), width), pieces()), lengths


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A shard to read; one that cannot be read in the block is removed, and its clips are missing then."""
    try:
        with np.load(path) as shard:
            yield shard
    except DAMAGED as error:
        path.unlink(missing_ok=True)
        raise SerClassicError(f"{path}: damaged, and removed; run the same command again") from error


def keep(shards: Path, key: Iterable[str], shape: tuple[int, int], pieces: Pieces) -> np.ndarray:
    """A memory-mapped matrix in the folder of the shards, made if it is missing.

    The lines of its key distinguish it from others. A piece is a place in it, and the values to write there.
    """
    sha = hashlib.sha256()
    for number, line in enumerate(key):
        sha.update(f"\n{line}".encode() if number else line.encode())
    matrix = shards / f"matrix-{sha.hexdigest()[:16]}.npy"
    if not _whole(matrix, shape):
        with locked(shards, f"putting together {shards.name}"):
            if not _whole(matrix, shape):
                with replacing(matrix, "--cache") as draft:
                    _reserve(draft, shape)
                    for place, values in pieces:  # mapped again each time, so that memory is freed
                        np.lib.format.open_memmap(draft, mode="r+")[place] = values
    return np.load(matrix, mmap_mode="r")


def _whole(matrix: Path, shape: tuple[int, int]) -> bool:
    """Whether the matrix is there and complete."""
    try:
        return np.load(matrix, mmap_mode="r").shape == shape
    except (OSError, ValueError, EOFError):
        return False


def _reserve(draft: Path, shape: tuple[int, int]) -> None:
    """An empty matrix whose space on disk is reserved: a full disk is an error here, not a crash later."""
    np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with draft.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, draft.stat().st_size)
