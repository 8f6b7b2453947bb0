"""The engine `dask`: the workers of a Dask cluster, which see the same feature cache and corpora."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from ser_classic.registry import need
from ser_classic.runtime.engines import Engine, EngineKind


def on_cluster(cache: Path, data: Path, jobs: int, scheduler: str) -> AbstractContextManager[Engine]:
    """The workers of a Dask cluster, after a check of each."""
    need("distributed", extra="cluster")
    from ser_classic.extras.cluster.workers import connected

    return connected(scheduler, cache, data)


DASK = EngineKind("dask", "the workers of a Dask cluster", on_cluster, remote=True)
