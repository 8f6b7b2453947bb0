"""Write all that is derived from the stored runs of a results folder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from ser_classic import store
from ser_classic.report.adaptation import adaptation_chapter
from ser_classic.report.board import ReportError, tabulated, to_csv
from ser_classic.report.cross import cross_chapter
from ser_classic.report.degraded import degraded_chapter
from ser_classic.report.glance import glance_chapter
from ser_classic.report.leak import leak_chapter, leak_premium
from ser_classic.report.memory import Memory
from ser_classic.report.networks import effort_picture, network_pictures, networks_section
from ser_classic.report.reading import read
from ser_classic.report.recipes import recipes_chapter
from ser_classic.report.seeds import seeds_chapter
from ser_classic.report.text import INTRODUCTION, markdown

# What makes chapters of scored runs.
CHAPTERS = (recipes_chapter, cross_chapter, adaptation_chapter, degraded_chapter, seeds_chapter)


def current(results: Path) -> bool:
    """Whether all that is derived was written after the newest of the runs."""
    page = results / "leaderboard.html"
    newest = max((path.stat().st_mtime for path in results.glob("runs/*/run.json")), default=0.0)
    return page.is_file() and page.stat().st_mtime >= newest


def write(
    results: Path,
    problem: Callable[[str], None] | None = None,
    figures: bool = True,
    cache: Path | None = None,
) -> pd.DataFrame:
    """Write leaderboard.csv and .md and leak_premium.csv, and with figures leaderboard.html and figures/.

    Runs that differ from today's tables are in the leaderboard, marked as stale, and in nothing else.

    Parameters
    ----------
    results : Path
        Results folder.
    problem : callable (str), optional
        Told of each run that is broken or foreign, and how many are stale; the report goes on with the
        rest. Without it the first that cannot be scored raises.
    figures : bool
        Draw, too (some seconds).
    cache : Path, optional
        Where is kept what the next report need not compute again; see `places.cache_folder`.

    Returns
    -------
    pd.DataFrame
        The leaderboard.

    Raises
    ------
    SerClassicError
        The folder cannot be written, none of its runs can be scored, or without `problem` one cannot.
    """
    memory = Memory(results, cache)
    try:
        with store.at_work(results), threadpool_limits(1):  # much is computed, but nothing that is big
            board = _write(results, problem, figures, memory)
        if figures:
            memory.forget()
        return board
    finally:
        memory.save()


def _write(
    results: Path, problem: Callable[[str], None] | None, figures: bool, memory: Memory
) -> pd.DataFrame:
    every = read(results, problem, memory)
    if not every and store.folders(results):
        raise ReportError(f"{results}: none of its runs can be reported; what was there is left as it was")
    clips_of = functools.cache(partial(store.read_clips, results))
    board = tabulated(every)
    runs = [run for run in every if run.row["stale"] is None]
    premium = leak_premium(runs)
    made = glance_chapter(board), leak_chapter(premium), *(make(runs) for make in CHAPTERS)
    chapters = [chapter for chapter in made if chapter]
    tables = "".join(chapter.markdown() for chapter in chapters) + markdown(board)
    text = f"# Leaderboard\n\n{INTRODUCTION}\n\n{tables}"
    store.write_text(results / "leaderboard.csv", to_csv(board))
    store.write_text(results / "leaderboard.md", text)
    store.write_text(results / "leak_premium.csv", to_csv(premium))
    if figures:
        from ser_classic.report.gallery import pictures
        from ser_classic.report.page import page
        from ser_classic.report.press import printed

        effort, of_networks = effort_picture(runs), network_pictures(runs, clips_of, problem)
        groups = [pictures(runs, clips_of), filter(None, [effort]), of_networks]
        groups += [chapter.pictures for chapter in chapters]
        own, efforts, _, *drawn = printed(groups, results / "figures", memory)
        illustrated = [replace(one, pictures=tuple(each)) for one, each in zip(chapters, drawn, strict=True)]
        sections = [chapter.section() for chapter in illustrated]
        networks = networks_section(runs, clips_of, next(iter(efforts), None), problem)
        sections += [networks] if networks else []
        store.write_text(results / "leaderboard.html", page(board, own, sections))
    return board
