"""Engines: who does the parts of long work, processes of this machine or the workers of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ser_classic.registry import need
from ser_classic.runtime import workers
from ser_classic.runtime.workers import Result


class Engine(Protocol):
    """Calls a function many times, each call in a process with one thread."""

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], what: str
    ) -> Iterator[Result]:
        """Yield what the function returns for each tuple of arguments, as soon as it does, in any order.

        Calls whose process dies are done again.

        Parameters
        ----------
        function : callable
            Of a module that every process can import.
        calls : sequence of tuple
            Its arguments. The first may be big: where calls that follow one another share it, it is sent to
            another machine once.
        what : str
            The calls are, for messages.

        Raises
        ------
        SerClassicError
            Processes die again and again.
        Exception
            What the function raises.
        """
        ...


@dataclass(frozen=True)
class Local:
    """Processes of this machine; with one job, this process alone."""

    jobs: int = 1

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], what: str
    ) -> Iterator[Result]:
        """See `Engine.run`."""
        return workers.run(function, calls, self.jobs, what)


ALONE = Local()


@contextlib.contextmanager
def on_cluster(scheduler: str, cache: Path, data: Path) -> Iterator[Engine]:
    """The workers of a Dask cluster, which see the feature cache and the corpora under the same paths.

    Parameters
    ----------
    scheduler : str
        Address of the scheduler, such as `tcp://10.0.0.1:8786`.
    cache, data : Path
        Feature cache, where workers put features and read them, and folder with the corpora; absolute.

    Raises
    ------
    SerClassicError
        Dask is not installed; nobody answers; there is no worker; or a worker does not see these folders,
        has other versions of the libraries or more than one thread.
    """
    need("distributed", extra="cluster")
    from ser_classic.extras.cluster import connected

    with connected(scheduler, cache, data) as engine:
        yield engine
