"""The workers of a Dask cluster as an engine; the only importer of distributed.

It uses plain futures because joblib's Dask backend scatters arguments, which are lost with the worker that
has them (dask/distributed#3149), gives up all calls if one of them cannot be finished, and limits no threads.
Here, what calls share is the result of a task, which Dask repeats if it is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import queue
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import CancelledError, Client, Future, KilledWorker, Worker, get_worker
from distributed.comm import CommClosedError
from distributed.core import rpc
from distributed.security import Security
from threadpoolctl import threadpool_limits

from ser_classic.errors import SerClassicError
from ser_classic.runtime.engines import THREADS, Result, libraries
from ser_classic.runtime.files import writing

CONNECT = 10  # [s] to wait for the scheduler, and for a first worker
PATIENCE = 60  # [s] to wait for another worker when none is left
FETCH = 5  # [s] to wait for a result that the scheduler has announced
AHEAD = 3  # calls submitted per worker: one runs, two wait


@dataclass(frozen=True)
class Terms:
    """What a worker needs so that its results equal those of this process."""

    token: Path  # a file in the feature cache while the cluster is used
    data: Path | None  # folder with the corpora, if there is one
    versions: dict[str, str]  # of libraries

    def broken(self, dask_worker: Worker) -> str | None:
        """What is wrong with a worker, and what to do; Dask requires the argument's name."""
        if (threads := dask_worker.state.nthreads) != 1:
            return f"has {threads} threads; start workers with --nthreads 1, and more of them"
        if not self.token.exists():
            return f"does not see {self.token.parent}; give a folder that all machines share: --cache"
        if self.data and not self.data.exists():
            return f"does not see {self.data}; give a folder that all machines share: --data"
        own = libraries()
        apart = [
            f"{name} {own.get(name)} instead of {version}"
            for name, version in self.versions.items()
            if own.get(name) != version
        ]
        return f"has {', '.join(apart)}; install the same versions there" if apart else None


@dataclass(frozen=True)
class Cluster:
    """The workers of a scheduler as an `engines.Engine`."""

    client: Client
    address: str
    terms: Terms

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], what: str
    ) -> Iterator[tuple[int, Result]]:
        """See `engines.Engine.run`.

        A few calls per worker are submitted at a time. A call that kills one worker after another is given
        up, and reported when all others are done.
        """
        finished: queue.SimpleQueue[Future] = queue.SimpleQueue()
        waiting = self._handed_over(function, calls)
        running: dict[Future, Future] = {}  # calls, and what they share
        fatal = 0
        seen = time.monotonic()
        try:
            while True:
                workers = self._workers()
                if workers:
                    seen = time.monotonic()
                elif time.monotonic() - seen > PATIENCE:
                    raise SerClassicError(
                        f"{self.address}: there has been no worker for {PATIENCE} s; finished work is kept. "
                        f"Start workers ({start(self.address)}) and repeat the command"
                    )
                room = max(1, AHEAD * workers) - len(running)
                for future, shared in itertools.islice(waiting, max(0, room)):
                    running[future] = shared
                    future.add_done_callback(finished.put)
                if not running:
                    break
                try:
                    future = finished.get(timeout=1)
                    result = future.result(timeout=FETCH)
                except queue.Empty:
                    continue
                except KilledWorker:
                    del running[future]
                    fatal += 1
                    continue
                except (OSError, CancelledError) as error:
                    if isinstance(error, TimeoutError) and future.status != "error":
                        future.add_done_callback(finished.put)  # lost with its worker, it is repeated
                        continue
                    if isinstance(error, CommClosedError | CancelledError) or self.client.status != "running":
                        raise self._lost(running[future]) from None
                    raise
                del running[future]
                yield result
        finally:
            for future in running:
                future.release()
        if fatal:
            raise SerClassicError(
                f"{self.address}: one worker after another died in {fatal} of {len(calls)} {what}, probably "
                "out of memory; all others are done and kept. Repeat the command with more memory per worker"
            )

    def _handed_over(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[Future, Future]]:
        """Submit calls one by one, each with the task whose result is its first argument."""
        shared, sent = None, None
        for number, call in enumerate(calls):
            if sent is None or call[0] is not shared:
                shared = call[0]
                sent = self.client.submit(itself, shared, pure=False)
            made = self.client.submit(on_worker, self.terms, number, function, sent, *call[1:], pure=False)
            yield made, sent

    def _workers(self) -> int:
        try:
            return len(self.client.nthreads())
        except (OSError, CommClosedError):
            raise self._gone() from None

    def _lost(self, shared: Future) -> SerClassicError:
        """Why the scheduler gave up a call: it cannot read what the call shares, or is gone."""
        if shared.status != "error":
            return self._gone()
        error = shared.exception()
        return SerClassicError(
            f"{self.address}: the scheduler cannot read what workers need ({error.__cause__ or error}); "
            "install the packages of this environment there, too, plug-ins included, and start it again"
        )

    def _gone(self) -> SerClassicError:
        return SerClassicError(
            f"{self.address}: the scheduler is gone; finished work is kept. Repeat the command when it runs"
        )


@contextlib.contextmanager
def connected(address: str, cache: Path, data: Path) -> Iterator[Cluster]:
    """The workers of a scheduler.

    Raises SerClassicError if nothing answers, there is no worker, or one does not meet the `Terms`.
    """
    try:
        kind = asyncio.run(_kind(address))
    except (OSError, ValueError) as error:
        raise SerClassicError(
            f"{address}: no Dask scheduler answers ({str(error) or f'silent for {CONNECT} s'}); give the "
            "address that `dask scheduler` prints when it starts"
        ) from error
    if kind != "Scheduler":
        raise SerClassicError(f"{address}: a {kind.lower()}; give the address of the scheduler")
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # errors are raised, once
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(address, timeout=CONNECT, set_as_default=False))
        token = cache / f".cluster-{uuid.uuid4().hex}"
        with writing(cache, "--cache"):
            cache.mkdir(parents=True, exist_ok=True)
            token.touch()
        stack.callback(token.unlink, missing_ok=True)
        terms = Terms(token, data if data.is_dir() else None, libraries())
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError:
            raise SerClassicError(f"{address}: there are no workers; start them: {start(address)}") from None
        for worker, wrong in client.run(terms.broken).items():
            if wrong:
                raise SerClassicError(f"{address}: the worker {worker} {wrong}")
        yield Cluster(client, address, terms)


async def _kind(address: str) -> str:
    """What answers at an address; a client would wait forever for something that is not Dask."""
    arguments = Security().get_connection_args("client")
    async with rpc(address, timeout=CONNECT, connection_args=arguments) as there:
        return (await asyncio.wait_for(there.identity(), CONNECT))["type"]


def start(address: str) -> str:
    """The command that starts workers."""
    return f"dask worker {address} --nworkers 4 --nthreads 1"


def itself(shared: Any) -> Any:
    """The argument, as the result of a task that several calls share."""
    return shared


def on_worker(
    terms: Terms, number: int, function: Callable[..., Result], *arguments: Any
) -> tuple[int, Result]:
    """Call a function in this worker with one thread; workers that came later are checked here."""
    worker = get_worker()
    if wrong := terms.broken(worker):
        raise SerClassicError(f"the worker {worker.address} {wrong}")
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for libraries that are loaded later
    with threadpool_limits(1):
        return number, function(*arguments)
