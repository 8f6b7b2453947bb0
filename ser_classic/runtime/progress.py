"""Progress of long work: a bar or a spinner on a terminal, silence anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items; on a terminal, stderr shows what part of the total is done and the time left."""
    if not total or not sys.stderr.isatty():
        yield from items
        return
    from rich import progress
    from rich.console import Console

    yield from progress.track(items, f"{total} {what}", total, console=Console(stderr=True))


def busy(what: str) -> contextlib.AbstractContextManager[object]:
    """On a terminal, show a spinner while the block runs."""
    if not sys.stderr.isatty():
        return contextlib.nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(what)
