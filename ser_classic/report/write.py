"""Write everything that is derived from the stored runs of a results folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.plots.style import svg
from ser_classic.report import dimensions, leak
from ser_classic.report.board import OBJECTS, read, systems, to_csv
from ser_classic.report.conditions import cross_chapter, degraded_chapter, few_chapter, speakers_chapter
from ser_classic.report.dimensions import dimension_board, dimensions_chapter
from ser_classic.report.leak import leak_chapter, leak_premium
from ser_classic.report.literature import folds_chapter, networks_pictures, published_chapter, recipes_chapter
from ser_classic.report.overview import networks_chapter, systems_chapter
from ser_classic.report.page import page
from ser_classic.report.text import INTRODUCTION, best_chapter, markdown
from ser_classic.runtime.files import cache_folder, replacing
from ser_classic.runtime.provenance import versions

# Functions that make a chapter from scored runs
CHAPTERS = (
    *(published_chapter, recipes_chapter, systems_chapter, networks_chapter),
    *(cross_chapter, few_chapter, degraded_chapter, speakers_chapter, folds_chapter),
)


def write(
    results: Path,
    problem: Callable[[str], None] | None = None,
    figures: bool = True,
    cache: Path | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write leaderboard.csv and .md and leak_premium.csv, and with `figures` leaderboard.html and figures/.

    Runs that predict dimensions have their own dimensions/leaderboard.csv and chapter. Stale runs are marked
    in the leaderboard and appear nowhere else. If runs, code and written files are unchanged since the last
    report, which `cache` remembers (see `files.cache_folder`), nothing is done. `problem` as in `read`.

    Returns the leaderboards of emotions and of dimensions.

    Raises
    ------
    SerClassicError
        The folder cannot be written, or none of its runs (without `problem`: one of them) can be scored.
    """
    name = hashlib.sha256(str(results.absolute()).encode()).hexdigest()[:16]
    kept = cache_folder(cache) / "reports" / f"{name}.pickle"
    sources, problems = _sources(results, figures), []
    with contextlib.suppress(Exception):  # it only saves time, so any fault is ignored
        *made, reported, boards = pickle.loads(kept.read_bytes())
        if made == [sources, _outputs(results)]:
            if problem:
                for words in reported:
                    problem(words)
            return boards

    def report(words: str) -> None:
        problems.append(words)
        problem(words)

    # Many small computations, which threads slow down
    with store.writing_report(results), threadpool_limits(1):
        boards = _write(results, report if problem else None, figures)
    with contextlib.suppress(OSError, SerClassicError):
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(kept) as draft:
            draft.write_bytes(pickle.dumps((sources, _outputs(results), problems, boards)))
    return boards


def _sources(results: Path, figures: bool) -> tuple[object, ...]:
    """What a report of this folder depends on: its runs, the code and the plug-ins."""
    homes = store.homes(results)
    folders = (home / part for home in homes for part in ("clips", "folds", "runs"))
    points = (point for installed in distributions() for point in installed.entry_points)
    plug_ins = sorted({str(point) for point in points if point.group.startswith("ser_classic.")})
    return _digest(Path(__file__).parents[1], *folders), versions(), plug_ins, figures


def _outputs(results: Path) -> str:
    """Digest of the files that a report writes into this folder."""
    return _digest(results, results / store.DIMENSIONS, results / "figures", below=False)


def _digest(*folders: Path, below: bool = True) -> str:
    """Digest of names, sizes and times of files in folders (and `below`), except hidden and compiled ones."""
    found = []
    for folder in folders:
        for home, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if below and not name.startswith((".", "__pycache__"))]
            found.append((home, 0, 0))
            for name in names:
                if not name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):  # of a run that is replaced meanwhile
                        status = Path(home, name).stat()
                        found.append((f"{home}/{name}", status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()


def _write(
    results: Path, problem: Callable[[str], None] | None, figures: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    every = read(results, problem)
    if not len(every) and store.folders(results):
        raise SerClassicError(f"{results}: none of its runs can be reported; nothing was written")
    board, runs = every.drop(columns=OBJECTS), every[every["stale"] == ""]
    table, premium = systems(board), leak_premium(runs)
    numbers = dimension_board(results, problem)
    made = (
        *(best_chapter(table, *networks_pictures(board)), leak_chapter(premium)),
        *(make(runs) for make in CHAPTERS),
        dimensions_chapter(numbers),
    )
    chapters = [chapter for chapter in made if chapter]
    tables = "".join(chapter.markdown() for chapter in chapters if chapter.tables or chapter.remarks)
    if len(table) or not chapters:
        tables += markdown(table)
    store.write(results / "leaderboard.csv", to_csv(board))
    store.write(results / "leaderboard.md", f"# Leaderboard\n\n{INTRODUCTION}\n\n{tables}")
    store.write(results / "leak_premium.csv", to_csv(premium, leak.COLUMNS))
    by_number = results / store.DIMENSIONS / "leaderboard.csv"
    if len(numbers) or by_number.exists():  # of runs that may have been removed
        store.write(by_number, to_csv(numbers, dimensions.COLUMNS))
    if figures:
        folder, drawn = results / "figures", {}
        for picture in (picture for chapter in chapters for picture in chapter.pictures):
            drawn[picture.name] = svg(picture.draw())
            store.write(folder / f"{picture.name}.svg", drawn[picture.name])
        for old in folder.glob("*.svg"):
            if old.stem not in drawn:
                old.unlink()
        store.write(results / "leaderboard.html", page(every, table, chapters, drawn))
    return board, numbers
