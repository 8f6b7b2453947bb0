"""Write all that is derived from the stored runs of a results folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pandas as pd

from ser_classic import store
from ser_classic.report import views
from ser_classic.report.adaptation import adaptation_chapter, adaptation_pictures
from ser_classic.report.board import ReportError, Scored, scored, tabulated, to_csv
from ser_classic.report.cross import cross_chapter, cross_pictures
from ser_classic.report.degraded import degraded_chapter, degraded_pictures
from ser_classic.report.networks import effort_picture, network_pictures, networks_part
from ser_classic.report.recipes import recipes_markdown, recipes_part, reproduced
from ser_classic.report.seeds import seeds_chapter, seeds_pictures
from ser_classic.report.text import INTRODUCTION, markdown, premium_markdown

# Tests of their own: what makes a chapter of scored runs, and what draws its figures.
CHAPTERS = (
    (cross_chapter, cross_pictures),
    (adaptation_chapter, adaptation_pictures),
    (degraded_chapter, degraded_pictures),
    (seeds_chapter, seeds_pictures),
)


def current(results: Path) -> bool:
    """Whether all that is derived was written after the newest of the runs."""
    page = results / "leaderboard.html"
    newest = max((path.stat().st_mtime for path in results.glob("runs/*/run.json")), default=0.0)
    return page.is_file() and page.stat().st_mtime >= newest


def read(results: Path, problem: Callable[[str], None] | None = None) -> list[Scored]:
    """The stored runs, scored, and marked where they are stale; arguments as `write`."""
    from ser_classic.stale import differences, summary

    differ = partial(differences, clips=cache(partial(store.clips_digest, results)))
    runs = scored(store.runs(results, problem), cache(partial(store.read_clips, results)), problem, differ)
    stale = [differ(run.run.record) for run in runs if run.row["stale"]]
    if stale and problem:
        problem(
            f"{len(stale)} of {len(runs)} runs are stale, made otherwise than they would be today "
            f"({summary(stale)}): they are marked and not ranked. `ser-classic bench SUITE` runs them again"
        )
    return runs


def write(results: Path, problem: Callable[[str], None] | None = None, figures: bool = True) -> pd.DataFrame:
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

    Returns
    -------
    pd.DataFrame
        The leaderboard.

    Raises
    ------
    SerClassicError
        The folder cannot be written, or without `problem` a run cannot be scored.
    """
    with store.at_work(results):
        return _write(results, problem, figures)


def _write(results: Path, problem: Callable[[str], None] | None, figures: bool) -> pd.DataFrame:
    every = read(results, problem)
    clips_of = cache(partial(store.read_clips, results))
    board = tabulated(every)
    runs = [run for run in every if run.row["stale"] is None]
    premium = views.leak_premium(runs)
    recipes = reproduced(runs)
    chapters = [(make(runs), draw) for make, draw in CHAPTERS]
    own = "".join(chapter.markdown() for chapter, _ in chapters if chapter)
    tables = premium_markdown(premium) + recipes_markdown(recipes) + own + markdown(board)
    text = f"# Leaderboard\n\n{INTRODUCTION}\n\n{tables}"
    store.write_text(results / "leaderboard.csv", to_csv(board))
    store.write_text(results / "leaderboard.md", text)
    store.write_text(results / "leak_premium.csv", to_csv(premium))
    if figures:
        from ser_classic.plots.style import save_all
        from ser_classic.report.gallery import pictures
        from ser_classic.report.page import page

        drawn = list(pictures(runs, clips_of))
        effort = effort_picture(runs)
        beside = [*filter(None, [effort]), *network_pictures(runs, clips_of, problem)]
        parts = [recipes_part(recipes), networks_part(runs, clips_of, effort, problem)]
        for chapter, draw in chapters:
            if chapter:
                drawings = list(draw(runs))
                parts.append(chapter.part(drawings))
                beside += drawings
        try:
            save_all({one.name: one.figure for one in [*drawn, *beside]}, results / "figures")
        except OSError as error:
            raise ReportError(
                f"{results / 'figures'}: a figure cannot be written ({error.strerror}); "
                "free some space or choose another folder with --results"
            ) from error
        store.write_text(results / "leaderboard.html", page(board, premium, drawn, filter(None, parts)))
    return board
