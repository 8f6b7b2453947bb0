"""Progress of long work: a bar or a spinner on a terminal, silence anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_display: Callable[[str], None] | None = None  # puts a note beside the bar or spinner that is shown


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items; on a terminal, stderr shows how many of the total are done and the time left."""
    if not total or not sys.stderr.isatty():
        yield from items
        return
    with _shown(what, total) as advance:
        for item in items:
            yield item
            advance()


@contextlib.contextmanager
def busy(what: str) -> Iterator[None]:
    """On a terminal, show a spinner and the time elapsed while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    with _shown(what, None):
        yield


@contextlib.contextmanager
def _shown(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A bar, or a spinner where there is no total; gives what to call when an item is done."""
    global _display
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) if total else ()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), *bar, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=not total) as progress:
        task = progress.add_task(what, total=total)

        def display(text: str) -> None:
            progress.update(task, description=f"{what}, {text}" if text else what)

        before, _display = _display, display
        try:
            yield lambda: progress.advance(task)
        finally:
            _display = before


def note(text: str) -> None:
    """Show how far a long fit is beside the bar or spinner of this process, if there is one."""
    from multiprocessing import current_process

    if _display and current_process().name == "MainProcess":  # a copy of it has its display, too
        _display(text)
