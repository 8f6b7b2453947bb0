"""Engines run the calls of long work: processes of this machine, or the workers of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ser_classic.registry import Registry
from ser_classic.runtime.provenance import OPTIONAL, versions
from ser_classic.runtime.workers import THREADS, Local, Result

__all__ = ["ENGINES", "SERIAL", "THREADS", "Engine", "EngineKind", "Local", "Result", "libraries"]


class Engine(Protocol):
    """Calls a function many times, each call in a process with one thread."""

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], what: str
    ) -> Iterator[tuple[int, Result]]:
        """Yield the number of each call, from 0, and what it returned, as soon as it does.

        The function is of a module that every process can import. Of its arguments the first may be big:
        where calls that follow one another share it, it is sent to another machine once. Calls whose process
        dies are done again; if processes die again and again, that is a SerClassicError. What the function
        raises is raised.
        """
        ...


SERIAL = Local()


@dataclass(frozen=True)
class EngineKind:
    """An entry of `ENGINES`, which plug-ins add to through the entry-point group `ser_classic.engines`.

    `open` gets the feature cache and the folder of the corpora (both absolute), the number of processes on
    this machine, and the address of a scheduler, such as `tcp://10.0.0.1:8786`, or None. It may raise
    SerClassicError: a library is not installed, nobody answers, or workers cannot be used. A `remote` one
    works at the address, with as many jobs as there are workers.
    """

    name: str
    title: str
    open: Callable[[Path, Path, int, str | None], contextlib.AbstractContextManager[Engine]]
    remote: bool = False


def libraries() -> dict[str, str]:
    """Versions of all libraries that any prediction can depend on."""
    return {name: number for extra in (None, *OPTIONAL) for name, number in versions(extra).items()}


ENGINES = Registry(
    "engines",
    [
        EngineKind(
            "local",
            "processes of this machine",
            lambda cache, data, jobs, scheduler: contextlib.nullcontext(Local(jobs)),
        )
    ],
)
