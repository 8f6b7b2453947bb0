"""The benchmark: a run is one cell of corpus x features x model x protocol x seed, and stores predictions."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ser_classic import store
from ser_classic.corpora import CORPORA, Loaded, shortfall
from ser_classic.corpora.warnings import warnings_of
from ser_classic.errors import SerClassicError, some
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.copies import shared_by_speakers
from ser_classic.experiment.fold import FoldResult, Trial, predictions_of, results_of, run_alike, run_folds
from ser_classic.experiment.preparation import Sources, Work, prepare_cells
from ser_classic.experiment.stale import differences, summary
from ser_classic.runtime.engines import SERIAL, Engine
from ser_classic.vocabulary import EMOTION

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a call of `bench` did, as run ids; `stale` are the ones in `kept` that differ from today's tables.

    `notices` are messages, `errors` maps the message of each error to the ids of the cells that it failed.
    """

    done: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        """Ids of the cells that failed."""
        return [name for names in self.errors.values() for name in names]

    @property
    def problems(self) -> list[str]:
        """Notices and errors, each once."""
        return [*self.notices, *(f"{some(names, 1)}: {error}" for error, names in self.errors.items())]


def bench(
    cells: Iterable[Cell],
    results: Path,
    data: Path | None = None,
    cache: Path | None = None,
    engine: Engine = SERIAL,
    again: bool = False,
    own: Mapping[str, Loaded] | None = None,
    keep_stale: bool = False,
) -> Outcome:
    """Run the cells that have no finished and current run yet; store each when its last fold is done.

    `results` is a folder as in `store`; `data` and `cache` are as in `corpora.load`; the engine extracts
    features and runs folds. With `again`, finished runs are repeated, too; with `keep_stale`, those that
    differ from today's tables are not (see `stale.differences`). `own` are corpora that cells name and that
    are loaded already.

    A cell that fails is stored as a run with status `failed`, and the others go on. A cell that cannot even
    be started never replaces a finished run. A results folder that cannot be written is an error.
    """
    outcome = Outcome()
    by_home: dict[Path, list[Cell]] = {}
    for cell in dict.fromkeys(cells):
        by_home.setdefault(store.home_of(results, cell.target), []).append(cell)
    for home, of_home in by_home.items():
        sources = Sources(data, cache, engine, own, dimensions=of_home[0].target != EMOTION)
        _Bench(home, sources, keep_stale, outcome).run(of_home, again)
    return outcome


@dataclass(frozen=True)
class _Bench:
    """A bench of cells that are stored in one folder."""

    results: Path
    sources: Sources
    keep_stale: bool
    outcome: Outcome

    def run(self, cells: list[Cell], again: bool) -> None:
        known = {run.id: run for run in store.runs(self.results, self.outcome.notices.append) if run.ok}
        kept = {} if again else self._kept([known[cell.id] for cell in cells if cell.id in known])
        if not (pending := [cell for cell in cells if cell.id not in kept]):
            return
        with store.at_work(self.results):
            wanted: dict[str, list[Cell]] = {}
            for cell in pending:
                if self._done_meanwhile(cell, known.get(cell.id)):
                    self.outcome.kept.append(cell.id)
                else:
                    wanted.setdefault(cell.corpus, []).append(cell)
            for corpus, its_cells in wanted.items():  # one corpus at a time, so that folds start soon
                alike: dict[Hashable, list[Work]] = {}  # differing only in what is tested, they share one fit
                for work in self._prepared(corpus, its_cells):
                    if work.trial is None:
                        self._fail(work, work.error, keep=work.cell.id in known)
                    else:
                        alike.setdefault(work.training, []).append(work)
                groups = list(alike.values())
                trials = [[work.trial for work in works] for works in groups]
                for number, folds in run_folds(_attempt, trials, self.sources.engine):
                    for work, *done in zip(groups[number], *folds, strict=True):
                        self._finish(work, done)

    def _kept(self, known: Sequence[store.Run]) -> set[str]:
        """Ids of the finished runs that stay; says how many are stale."""
        today = self.sources.clips_today
        stale = {run.id: other for run in known if (other := differences(run.record, today))}
        if stale:
            fate = "are kept" if self.keep_stale else "will be run again (--keep-stale keeps them)"
            logger.warning(
                f"{len(stale)} finished runs are stale: their parameters or data have changed "
                f"({summary(stale.values())}); they {fate}"
            )
        kept = [run.id for run in known if self.keep_stale or run.id not in stale]
        self.outcome.kept.extend(kept)
        self.outcome.stale.extend(name for name in kept if name in stale)
        return set(kept)

    def _done_meanwhile(self, cell: Cell, known: store.Run | None) -> bool:
        """Whether another process has finished a cell since its stored run, if any, was read."""
        try:
            run = store.read_run(self.results / "runs" / cell.id)
        except SerClassicError:
            return False
        return run.ok and (known is None or run.record != known.record)

    def _prepared(self, corpus: str, cells: list[Cell]) -> list[Work]:
        """Prepare the cells of a corpus; if it cannot be loaded, they all fail."""
        try:
            loaded = self.sources.corpus(corpus)
            lacking = shortfall(loaded.corpus, loaded.clips)
            replace = not (self.keep_stale or lacking)
            store.write_clips(self.results, corpus, loaded.clips, replace)
        except SerClassicError as error:
            self.outcome.errors.setdefault(str(error), []).extend(cell.id for cell in cells)
            return []
        works = list(prepare_cells(cells, self.sources))
        # For a corpus of your own, reading it gives these warnings.
        beware = warnings_of(loaded.clips) if corpus in CORPORA else []
        for notice in filter(None, (lacking, *beware, *self._shared(works))):
            if notice not in self.outcome.notices:
                self.outcome.notices.append(notice)
        return works

    def _shared(self, works: list[Work]) -> Iterator[str | None]:
        """Notices of duplicate recordings within each corpus that is tested or trained on."""
        looked = set()
        for work in (work for work in works if work.trial):
            tested, *trained = work.cell.corpora
            for name, features in zip((*trained, tested), work.trial.features, strict=True):
                if name not in looked:
                    looked.add(name)
                    yield shared_by_speakers(self.sources.corpus(name), features, tested=name == tested)

    def _finish(self, work: Work, done: list[FoldResult | str]) -> None:
        """Store the results of a cell's folds; if one fold failed, the cell failed."""
        for fold, result in zip(work.trial.folds, done, strict=True):
            if isinstance(result, str):
                return self._fail(work, f"fold {fold.name}: {result}")
        results, curves = results_of(work.trial, done)
        store.write_run(self.results, work.record | results, predictions_of(work.trial, done), curves)
        self.outcome.done.append(work.cell.id)

    def _fail(self, work: Work, error: str, keep: bool = False) -> None:
        """Store a failure, unless a stored run is to be kept."""
        if not keep:
            store.write_run(self.results, work.record | {"status": "failed", "error": error}, None)
        self.outcome.errors.setdefault(error, []).append(work.cell.id)


def _attempt(trials: Sequence[Trial], number: int) -> list[FoldResult] | list[str]:
    """Run one fold of trials that share a fit; a failure is returned as a message, so that others go on."""
    try:
        return run_alike(trials, number)
    except (Exception, SystemExit) as error:
        kind = "" if isinstance(error, SerClassicError) else f"{type(error).__name__}: "
        return [f"{kind}{error}"] * len(trials)
