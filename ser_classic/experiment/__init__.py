"""The benchmark: a run is one cell of corpus x features x model x protocol x seed, and stores predictions."""

from __future__ import annotations

import functools
import logging
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ser_classic import store
from ser_classic.corpora import CORPORA, Loaded, shortfall
from ser_classic.corpora.warnings import warnings_of
from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.copies import shared_by_speakers
from ser_classic.experiment.fold import FoldResult, Trial, run_alike, run_folds
from ser_classic.experiment.preparation import Sources, Work, prepare_cells
from ser_classic.experiment.records import failed, finished
from ser_classic.experiment.stale import clips_today, differences, summary
from ser_classic.runtime.engines import ALONE, Engine
from ser_classic.vocabulary import EMOTION

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a call of `bench` did, as run ids; `stale` are the ones in `kept` that differ from today's tables.

    `notices` are messages; `errors` maps each error message to the ids of the cells that failed with it.
    """

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """Notices and errors, each once."""
        more = {
            error: f" and {len(ids) - 1} more" if len(ids) > 1 else "" for error, ids in self.errors.items()
        }
        return [*self.notices, *(f"{self.errors[error][0]}{more[error]}: {error}" for error in self.errors)]

    def fail(self, name: str, error: str) -> None:
        """Note that a cell failed, by its id, and why."""
        self.failed.append(name)
        self.errors.setdefault(error, []).append(name)


def bench(
    cells: Iterable[Cell],
    results: Path,
    data: Path | None = None,
    cache: Path | None = None,
    engine: Engine = ALONE,
    again: bool = False,
    own: Mapping[str, Loaded] | None = None,
    keep_stale: bool = False,
) -> Outcome:
    """Run the cells that have no finished and current run yet; store each as soon as its last fold is done.

    Parameters
    ----------
    cells : iterable of Cell
    results : Path
        Results folder; see `store`. Runs that predict a dimension go into a subfolder.
    data, cache : Path, optional
        Folders of the corpora and of the feature cache; see `corpora.load`.
    engine : Engine
        What extracts features and runs folds; see `engines`.
    again : bool
        Also repeat finished runs.
    own : mapping of corpus name to Loaded, optional
        Corpora that cells name and that are loaded already, such as your own.
    keep_stale : bool
        Do not repeat finished runs that differ from today's tables; see `stale.differences`.

    Returns
    -------
    Outcome
        A cell that fails is stored as a run with status `failed`, and the others go on. A cell that cannot
        even be started never replaces a finished run.

    Raises
    ------
    StoreError
        The results folder cannot be written.
    """
    outcome = Outcome()
    by_home: dict[Path, list[Cell]] = {}
    for cell in dict.fromkeys(cells):
        by_home.setdefault(store.home_of(results, cell.target), []).append(cell)
    for home, of_home in by_home.items():
        sources = Sources(data, cache, engine, own, dimensions=of_home[0].target != EMOTION)
        _bench(of_home, home, sources, again, keep_stale, outcome)
    return outcome


def _bench(
    cells: list[Cell], results: Path, sources: Sources, again: bool, keep_stale: bool, outcome: Outcome
) -> None:
    """As `bench`, for cells that are stored in one folder."""
    clips = functools.cache(partial(clips_today, sources.corpus, sources.own))
    known = {run.id: run for run in store.runs(results, outcome.notices.append) if run.ok}
    pending: list[Cell] = []
    old: dict[str, dict[str, str]] = {}
    for cell in cells:
        keep = cell.id in known and not again
        if keep and (found := differences(known[cell.id].record, clips)):
            old[cell.id] = found
            keep = keep_stale
        if keep:
            outcome.kept.append(cell.id)
        else:
            pending.append(cell)
    if old:
        outcome.stale.extend(old if keep_stale else ())
        fate = "kept" if keep_stale else "run again (--keep-stale keeps them)"
        logger.warning(
            f"{len(old)} finished runs are stale: today their parameters or data would differ "
            f"({summary(old.values())}); they are {fate}"
        )
    if not pending:
        return
    with store.at_work(results):
        wanted: dict[str, list[Cell]] = {}
        for cell in pending:
            if _done_meanwhile(results, cell, known.get(cell.id)):
                outcome.kept.append(cell.id)
            else:
                wanted.setdefault(cell.corpus, []).append(cell)
        for corpus, its_cells in wanted.items():  # one corpus at a time, so that folds start soon
            alike: dict[Hashable, list[Work]] = {}  # cells that differ only in what is tested share one fit
            for work in _prepared(corpus, its_cells, sources, results, keep_stale, outcome):
                if work.trial is None:
                    _fail(work, results, outcome, keep=work.cell.id in known)
                else:
                    alike.setdefault(work.training, []).append(work)
            groups = list(alike.values())
            trials = [[work.trial for work in works] for works in groups]
            for number, folds in run_folds(_attempt, trials, sources.engine):
                for work, *done in zip(groups[number], *folds, strict=True):
                    _finish(work, done, results, outcome)


def _done_meanwhile(results: Path, cell: Cell, known: store.Run | None) -> bool:
    """Whether another process has finished a cell since its stored run, if any, was read."""
    try:
        run = store.read_run(results / "runs" / cell.id)
    except store.StoreError:
        return False
    return run.ok and (known is None or run.record != known.record)


def _prepared(
    corpus: str, cells: list[Cell], sources: Sources, results: Path, keep_stale: bool, outcome: Outcome
) -> list[Work]:
    """Prepare the cells of a corpus; if it cannot be loaded, they all fail."""
    try:
        loaded = sources.corpus(corpus)
        lacking = shortfall(loaded.corpus, loaded.clips)
        store.write_clips(results, corpus, loaded.clips, replace=not (keep_stale or lacking))
    except SerClassicError as error:
        for cell in cells:
            outcome.fail(cell.id, str(error))
        return []
    works = list(prepare_cells(loaded, cells, sources))
    # For a corpus of your own, reading it gives these warnings.
    beware = warnings_of(loaded.clips) if corpus in CORPORA else []
    for notice in filter(None, (lacking, *beware, *_shared(works, sources))):
        if notice not in outcome.notices:
            outcome.notices.append(notice)
    return works


def _shared(works: list[Work], sources: Sources) -> Iterator[str | None]:
    """Notices of duplicate recordings within the test corpus and within each corpus trained on instead."""
    looked = set()
    for work in (work for work in works if work.trial):
        cell = work.cell
        for name, features in zip((*cell.corpora[1:], cell.corpus), work.trial.features, strict=True):
            if name not in looked:
                looked.add(name)
                yield shared_by_speakers(sources.corpus(name), features, tested=name == cell.corpus)


def _attempt(trials: Sequence[Trial], number: int) -> list[FoldResult] | list[str]:
    """Run one fold of trials that share a fit; a failure is returned as a message, so that others go on."""
    try:
        return run_alike(trials, number)
    except (Exception, SystemExit) as error:
        kind = "" if isinstance(error, SerClassicError) else f"{type(error).__name__}: "
        return [f"{kind}{error}"] * len(trials)


def _finish(work: Work, done: list[FoldResult | str], results: Path, outcome: Outcome) -> None:
    """Store the results of a cell's folds; if one fold failed, the cell failed."""
    errors = (
        f"fold {fold.name}: {each}"
        for fold, each in zip(work.trial.folds, done, strict=True)
        if isinstance(each, str)
    )
    if error := next(errors, ""):
        work.error = error
        _fail(work, results, outcome)
        return
    store.write_run(results, *finished(work, done))
    outcome.done.append(work.cell.id)


def _fail(work: Work, results: Path, outcome: Outcome, keep: bool = False) -> None:
    """Store a failure, unless a stored run is to be kept."""
    if not keep:
        store.write_run(results, failed(work), None)
    outcome.fail(work.cell.id, work.error)
