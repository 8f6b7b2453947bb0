"""Progress of long work: a bar with an estimate on a terminal, silence anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from multiprocessing import current_process
from typing import TypeVar

Item = TypeVar("Item")

_bars = 0  # that this process shows


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items; on a terminal, stderr shows how many of the total are done and what the rest takes.

    Parameters
    ----------
    items : iterable
    total : int
    what : str
        They are.
    """
    if not total or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    global _bars
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        _bars += 1
        try:
            for item in items:
                yield item
                progress.update(task, advance=1)
        finally:
            _bars -= 1


def tell(done: int, total: int, left: float) -> None:
    """Say how far a long fit is: rounds done, of how many at most, and the seconds that are left.

    It is a line of its own, on a terminal, in the main process and where no bar is shown.
    """
    _line(f"epoch {done}/{total}, {left:.0f} s left at most")


def finished() -> None:
    """Clear the line of a fit that is done."""
    _line("")


def _line(text: str) -> None:
    if not _bars and sys.stderr.isatty() and current_process().name == "MainProcess":
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
