"""Progress of long work: a bar with an estimate on a terminal, silence anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import current_process
from typing import TypeVar

Item = TypeVar("Item")

_bars: list[Callable[[str], None]] = []  # of this process, the innermost last: what sets a bar's description


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items; on a terminal, stderr shows how many of the total are done and what the rest takes."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        _bars.append(lambda text: progress.update(task, description=f"{what} ({text})"))
        try:
            for item in items:
                yield item
                progress.update(task, advance=1, description=what)
        finally:
            _bars.pop()


def tell(text: str) -> None:
    """Say how far the item at hand is: on this process's bar, or on a line of its own where there is none.

    Only on a terminal, and not in worker processes, whose lines would mix.
    """
    if _bars:
        _bars[-1](text)
    elif sys.stderr.isatty() and current_process().name == "MainProcess":
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
