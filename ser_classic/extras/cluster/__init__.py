"""The engine `dask`: the workers of a Dask cluster, which see the same feature cache and corpora."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ser_classic.registry import need
from ser_classic.runtime.engines import Engine, EngineKind


@contextlib.contextmanager
def on_cluster(cache: Path, data: Path, jobs: int, scheduler: str) -> Iterator[Engine]:
    """The workers of a Dask cluster, of which each is known to fit."""
    need("distributed", extra="cluster")
    from ser_classic.extras.cluster.workers import connected

    with connected(scheduler, cache, data) as engine:
        yield engine


DASK = EngineKind("dask", "the workers of a Dask cluster", on_cluster, remote=True)
