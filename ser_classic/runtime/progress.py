"""Progress of long work: a bar with an estimate on a terminal, silence anywhere else."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Item = TypeVar("Item")

_news: list[Path] = []  # of this process, the innermost last: the file in which it says how far it is


def track(items: Iterable[Item], total: int, what: str, news: Path | None = None) -> Iterator[Item]:
    """Yield the items; on a terminal, stderr shows how many of the total are done and what the rest takes.

    Parameters
    ----------
    items : iterable
    total : int
    what : str
        They are.
    news : Path, optional
        Folder in which those who work on items say how far they are; see `working`.
    """
    if not total or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(20 if news else 40)]
    columns += [MofNCompleteColumn(), TimeRemainingColumn(), *([_column(news)] if news else [])]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        for item in items:
            yield item
            progress.update(task, advance=1)


@contextlib.contextmanager
def working(news: Path) -> Iterator[None]:
    """While this process works on an item, what it tells goes into a file of that folder."""
    _news.append(news / str(os.getpid()))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _news.pop().unlink(missing_ok=True)


def tell(done: int, total: int, left: float) -> None:
    """Say how far the item at hand is: rounds done, of how many at most, and the seconds that are left.

    It is shown on the bar of whoever tracks the items, in this process or another; where nobody does, on a
    line of its own, if this is the main process and on a terminal.
    """
    if _news:
        with contextlib.suppress(OSError):  # whoever tracked the items has gone; the work is worth more
            _news[-1].write_text(json.dumps([done, total, left]))
    else:
        _line(_said([(done, total, left)]))


def finished() -> None:
    """Say that the item at hand is done: its line is cleared. A bar clears what it shows by itself."""
    if not _news:
        _line("")


def _line(text: str) -> None:
    if sys.stderr.isatty() and current_process().name == "MainProcess":
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def latest(news: Path) -> str:
    """What all who work on items last said, in one line; nothing where nobody did."""
    states = []
    for path in sorted(news.iterdir()):
        with contextlib.suppress(OSError, ValueError):  # gone, or being written
            done, total, left = json.loads(path.read_text())
            states.append((done, total, left))
    return _said(states) if states else ""


def _said(states: list[tuple[int, int, float]]) -> str:
    rounds = " ".join(f"{done}/{total}" for done, total, _ in states)
    return f"epoch {rounds}, {max(left for *_, left in states):.0f} s left at most"


def _column(news: Path) -> ProgressColumn:
    from rich.progress import ProgressColumn
    from rich.text import Text

    class News(ProgressColumn):
        """What is told in the folder, read twice a second."""

        max_refresh = 0.5

        def render(self, task: object) -> Text:
            return Text(latest(news))

    return News()
