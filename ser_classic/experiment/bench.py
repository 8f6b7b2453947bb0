"""Run cells that have no finished and current run yet, one corpus at a time, and store the runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ser_classic import store
from ser_classic.corpora import CORPORA, Loaded, shortfall
from ser_classic.corpora.warnings import warnings_of
from ser_classic.errors import SerClassicError, counted, some
from ser_classic.experiment.cells import Cell, new_record
from ser_classic.experiment.duplicates import shared_by_speakers
from ser_classic.experiment.fold import Done, Trial, predictions_of, results_of, run_folds
from ser_classic.experiment.preparation import Sources, prepare_cell
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

    A cell that fails is stored as a run with status `failed`, unless it has a finished one, and the others go
    on. A results folder that cannot be written is an error.
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
        with contextlib.ExitStack() as stack:
            kept, stale = self._kept([] if again else cells)
            if len(kept) < len(cells) or self._unlisted(kept, stale):
                stack.enter_context(store.writing_runs(self.results))
                # Anew, as another process may have finished some
                kept, stale = self._kept([] if again else cells)
            for corpus in self._unlisted(kept, stale):
                store.write_clips(self.results, corpus, self.sources.corpus(corpus).clips, replace=True)
            self._note_kept(kept, stale)
            pending: dict[str, list[Cell]] = {}
            done = set(kept)
            for cell in cells:
                if cell not in done:
                    pending.setdefault(cell.corpus, []).append(cell)
            for corpus, its_cells in pending.items():  # one corpus at a time, so that folds start soon
                self._run_corpus(corpus, its_cells)

    def _note_kept(self, kept: Sequence[Cell], stale: Mapping[Cell, Mapping[str, str]]) -> None:
        """Add kept runs to the outcome, and warn of stale ones."""
        if stale:
            fate = "kept" if self.keep_stale else "to be run again (--keep-stale keeps them)"
            logger.warning(
                f"stale, as parameters or data have changed ({summary(stale.values())}): "
                f"{counted(len(stale), 'finished run')}, {fate}"
            )
        self.outcome.kept.extend(cell.id for cell in kept)
        self.outcome.stale.extend(cell.id for cell in kept if cell in stale)

    def _run_corpus(self, corpus: str, cells: list[Cell]) -> None:
        """Run cells that test on a corpus; trials that are fitted alike share each fit."""
        alike: dict[Hashable, list[Trial]] = {}
        for trial in self._prepared(corpus, cells):
            alike.setdefault(trial.training, []).append(trial)
        groups = list(alike.values())
        for number, folds in run_folds(groups, self.sources.engine):
            for trial, *done in zip(groups[number], *folds, strict=True):
                self._finish(trial, done)

    def _finished(self, cell: Cell) -> store.Run | None:
        """The finished run of a cell."""
        try:
            run = store.read_run(self.results / "runs" / cell.id)
        except SerClassicError:
            return None
        return run if run.ok else None

    def _kept(self, cells: Sequence[Cell]) -> tuple[list[Cell], dict[Cell, Mapping[str, str]]]:
        """Cells whose finished runs are kept, and how those of stale cells differ from today's tables."""
        known = {cell: run for cell in cells if (run := self._finished(cell))}
        today = self.sources.clips_today
        stale = {cell: other for cell, run in known.items() if (other := differences(run.record, today))}
        return [cell for cell in known if self.keep_stale or cell not in stale], stale

    def _unlisted(self, kept: Sequence[Cell], stale: Collection[Cell]) -> list[str]:
        """Corpora of current runs whose stored clips are others: they were read otherwise in between.

        None where stale runs are to be kept, as they may refer to those.
        """
        corpora = {} if self.keep_stale else dict.fromkeys(cell.corpus for cell in kept if cell not in stale)
        today = {corpus: self.sources.clips_today(corpus) for corpus in corpora}
        return [name for name in today if today[name] not in (None, store.clips_digest(self.results, name))]

    def _prepared(self, corpus: str, cells: list[Cell]) -> list[Trial]:
        """Trials of cells that test on a corpus; those that cannot be prepared fail, and the others go on."""
        try:
            loaded = self.sources.corpus(corpus)
            if self.keep_stale or shortfall(loaded.corpus, loaded.clips):
                store.require_same_clips(self.results, corpus, loaded.clips)
        except SerClassicError as error:
            self.outcome.errors.setdefault(str(error), []).extend(cell.id for cell in cells)
            return []
        trials = []
        for cell in cells:
            try:
                trials.append(prepare_cell(cell, self.sources))
            except SerClassicError as error:
                self._fail(new_record(cell), str(error))
        if trials:  # else other runs stay current: a wrong option may be why none could be prepared
            store.write_clips(self.results, corpus, loaded.clips, replace=True)
        # For a corpus of your own, reading it gives these warnings.
        beware = warnings_of(loaded.clips) if corpus in CORPORA else []
        for notice in filter(None, (*beware, *self._shared(trials))):
            if notice not in self.outcome.notices:
                self.outcome.notices.append(notice)
        return trials

    def _shared(self, trials: list[Trial]) -> Iterator[str | None]:
        """Notices of duplicate recordings within each corpus that is tested or trained on."""
        looked = set()
        for trial in trials:
            tested = trial.record["corpus"]
            for name, features in zip((*trial.protocol.sources(tested), tested), trial.features, strict=True):
                if name not in looked:
                    looked.add(name)
                    yield shared_by_speakers(self.sources.corpus(name), features)

    def _finish(self, trial: Trial, done: list[Done]) -> None:
        """Store the results of a cell's folds; if one fold failed, the cell failed."""
        for fold, result in zip(trial.folds, done, strict=True):
            if isinstance(result, SerClassicError):
                return self._fail(trial.record, f"fold {fold.name}: {result}")
        record, curves = results_of(trial, done)
        store.write_run(self.results, record, predictions_of(trial, done), curves)
        self.outcome.done.append(trial.name)

    def _fail(self, record: Mapping[str, Any], error: str) -> None:
        """Store a failure, unless that would take the place of a finished run."""
        if self._finished(Cell.of(record)) is None:
            store.write_run(self.results, {**record, "status": "failed", "error": error}, None)
        self.outcome.errors.setdefault(error, []).append(record["id"])
