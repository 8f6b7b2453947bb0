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
from ser_classic.report import conditions
from ser_classic.report.dimensions import dimension_board, dimensions_chapter
from ser_classic.report.leak import leak_chapter, leak_premium, leaky_alone
from ser_classic.report.literature import folds_chapter, networks_picture, published_chapter, recipes_chapter
from ser_classic.report.overview import networks_chapter, systems_chapter
from ser_classic.report.page import figure_of, page, section_of
from ser_classic.report.scoring import COLUMNS, read, to_csv
from ser_classic.report.text import INTRODUCTION, best_chapter, markdown
from ser_classic.runtime.files import cache_folder, replacing
from ser_classic.runtime.provenance import versions

# Functions that make a chapter from scored runs
CHAPTERS = (
    *(published_chapter, recipes_chapter, systems_chapter, networks_chapter),
    *conditions.CHAPTERS,
    folds_chapter,
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
    with contextlib.suppress(Exception):  # it only saves time, so any fault is ignored
        made_from, problems, boards = pickle.loads(kept.read_bytes())
        if made_from == state(results, figures):
            for words in problems if problem else ():
                problem(words)
            return boards
    problems: list[str] = []

    def report(words: str) -> None:
        problems.append(words)
        problem(words)

    with store.reporting(results), threadpool_limits(1):  # many small computations, which threads slow down
        before = state(results, figures)
        boards = _write(results, report if problem else None, figures)
    now = state(results, figures)
    if now["made from"] == before["made from"]:
        with contextlib.suppress(OSError):
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(kept) as draft:
                draft.write_bytes(pickle.dumps((now, problems, boards)))
    return boards


def state(results: Path, figures: bool) -> dict[str, object]:
    """What a report of this folder is made from, and what it wrote: digests of file sizes and times."""
    homes = results, results / store.DIMENSIONS
    sources = [
        Path(__file__).parents[1],
        *(home / part for home in homes for part in ("clips", "folds", "runs")),
    ]
    points = (point for installed in distributions() for point in installed.entry_points)
    plug_ins = sorted({str(point) for point in points if point.group.startswith("ser_classic.")})
    written = [path for home in homes for path in home.glob("lea[dk]*")]
    written = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(written)]
    made_from = (_files(sources), versions(), plug_ins, figures)
    return {"made from": made_from, "written": (written, _files([results / "figures"]))}


def _files(folders: list[Path]) -> str:
    """A digest of the sizes and times of all files in folders, without hidden and compiled ones."""
    found, left = [], [str(folder) for folder in folders if folder.is_dir()]
    while left:
        home = left.pop()
        found.append((home, 0, 0))
        with os.scandir(home) as inside:
            for entry in inside:
                if entry.name.startswith(".") or entry.name.endswith(".pyc"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                else:
                    status = entry.stat()
                    found.append((entry.path, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()


def _write(
    results: Path, problem: Callable[[str], None] | None, figures: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    from ser_classic.plots.style import svg

    every = read(results, problem)
    if not len(every) and store.folders(results):
        raise SerClassicError(f"{results}: none of its runs can be reported; nothing was written")
    board, runs = every[list(COLUMNS)], every[every["stale"] == ""]
    premium = leak_premium(runs)
    numbers = dimension_board(results, problem)
    made = (
        *(best_chapter(board), leak_chapter(premium, leaky_alone(board, premium))),
        *(make(runs) for make in CHAPTERS),
        dimensions_chapter(numbers),
    )
    chapters = [chapter for chapter in made if chapter]
    tables = "".join(chapter.markdown() for chapter in chapters if chapter.tables or chapter.remarks)
    if len(board) or not chapters:
        tables += markdown(board)
    store.write(results / "leaderboard.csv", to_csv(board))
    store.write(results / "leaderboard.md", f"# Leaderboard\n\n{INTRODUCTION}\n\n{tables}")
    store.write(results / "leak_premium.csv", to_csv(premium))
    if len(numbers):
        store.write(results / store.DIMENSIONS / "leaderboard.csv", to_csv(numbers))
    if figures:
        folder, drawn = results / "figures", {}
        story = networks_picture(board)
        for picture in [*(picture for chapter in chapters for picture in chapter.pictures), story]:
            if picture:
                text = svg(picture.draw())
                store.write(folder / f"{picture.name}.svg", text)
                drawn[picture.name] = figure_of(picture, text)
        for old in folder.glob("*.svg"):
            if old.stem not in drawn:
                old.unlink()
        sections = [section_of(one, [drawn[picture.name] for picture in one.pictures]) for one in chapters]
        text = page(every, sections, drawn[story.name] if story else "")
        store.write(results / "leaderboard.html", text)
    return board, numbers
