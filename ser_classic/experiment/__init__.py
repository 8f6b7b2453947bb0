"""The loop: a run is one cell of corpus x features x model x protocol x seed; it writes predictions."""

from __future__ import annotations

import functools
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ser_classic import store
from ser_classic.corpora import Loaded, load, shortfall
from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import Cell, Refused, Shelf, Work, labels_of, particulars, prepare
from ser_classic.experiment.copies import shared_by_speakers
from ser_classic.experiment.folds import FoldResult, run_fold
from ser_classic.experiment.stale import clips_today, differences, summary
from ser_classic.features import FEATURES
from ser_classic.features.extraction import Features
from ser_classic.models import MODELS, Model
from ser_classic.protocols import PROTOCOLS, Fold, Protocol
from ser_classic.runtime.claims import AGAIN, Claims, by_whom
from ser_classic.runtime.engines import ALONE, Engine
from ser_classic.runtime.files import DRAFT
from ser_classic.runtime.progress import track, working
from ser_classic.runtime.provenance import machine, versions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a call of `bench` did, as run ids; `stale` are those of `kept` that differ from today's tables.

    `notices` are whole messages, `errors` those of cells that failed, each with the ids of its cells.
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

    def fail(self, cells: Iterable[Cell], error: str) -> None:
        """Note that cells failed, and why."""
        ids = [cell.id for cell in cells]
        self.failed.extend(ids)
        self.errors.setdefault(error, []).extend(ids)


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
        Results folder; see `store`.
    data, cache : Path, optional
        Folder with the corpora and feature cache; see `corpora.load`.
    engine : Engine
        Who extracts features and runs folds; see `engines`.
    again : bool
        Repeat finished runs too.
    own : mapping of corpus name to Loaded, optional
        Corpora of one's own that cells name.
    keep_stale : bool
        Do not repeat finished runs that differ from today's tables; see `stale.differences`.

    Returns
    -------
    Outcome
        A cell that fails becomes a run with status `failed`; the others go on. One that cannot even be
        started does not take the place of a finished run.

    Raises
    ------
    StoreError
        The results folder cannot be written.
    """
    outcome = Outcome()
    own = own or {}

    @functools.cache
    def find(corpus: str) -> Loaded:
        return own.get(corpus) or load(corpus, data, cache)

    clips = functools.cache(partial(clips_today, find, own))
    finished = {run.id: run for run in store.runs(results, outcome.notices.append) if run.ok}
    pending: list[Cell] = []
    old: dict[str, dict[str, str]] = {}
    for cell in dict.fromkeys(cells):
        keep = cell.id in finished and not again
        if keep and (found := differences(finished[cell.id].record, clips)):
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
            f"finished runs that are stale, made otherwise than they would be today: {len(old)} "
            f"({summary(old.values())}); they are {fate}"
        )
    if not pending:
        return outcome
    shelf = Shelf(cache, engine)
    with store.at_work(results) as claims:
        for mine in _claimed(pending, claims, results):
            wanted: dict[str, list[Cell]] = {}
            for cell in mine:
                if _done_meanwhile(results, cell, finished.get(cell.id)):
                    outcome.kept.append(cell.id)
                else:
                    wanted.setdefault(cell.corpus, []).append(cell)
            prepared = []
            for ready in _prepared(wanted, find, shelf, results, keep_stale, outcome):
                if isinstance(ready, Refused):
                    _record_failure(ready, ready.error, results, outcome, ready.cell.id in finished)
                else:
                    prepared.append(ready)
            for work, done in _run_all(prepared, engine, results / "runs"):
                _record(work, done, results, outcome)
                claims.release(work.cell.id)
    return outcome


def _claimed(cells: list[Cell], claims: Claims, results: Path) -> Iterator[list[Cell]]:
    """The cells at which no other process works; then, as it comes to its end, those that it had."""
    told: list[int] | None = None
    while cells:
        mine = {cell: None for cell in cells if claims.take(cell.id)}
        cells = [cell for cell in cells if cell not in mine]
        if mine:
            yield list(mine)
            for cell in mine:
                claims.release(cell.id)
            continue
        others = claims.holders(cell.id for cell in cells)
        if others != told:
            told = others
            logger.warning(
                f"waiting for another bench{by_whom(others)} that works at {len(cells)} of these cells in "
                f"{results}"
            )
        time.sleep(AGAIN)


def _done_meanwhile(results: Path, cell: Cell, known: store.Run | None) -> bool:
    """Whether another process has finished a cell since its stored run was looked at, if there was one."""
    try:
        run = store.read_run(results / "runs" / cell.id)
    except store.StoreError:
        return False
    return run.ok and (known is None or run.record != known.record)


def _prepared(
    wanted: dict[str, list[Cell]],
    find: Callable[[str], Loaded],
    shelf: Shelf,
    results: Path,
    keep_stale: bool,
    outcome: Outcome,
) -> Iterator[Work | Refused]:
    """Make the cells of each corpus ready; those of one that is not at hand fail."""
    for corpus, cells in wanted.items():
        try:
            loaded = find(corpus)
            lacking = shortfall(loaded.corpus, loaded.clips)
            store.write_clips(results, corpus, loaded.clips, replace=not (keep_stale or lacking))
        except SerClassicError as error:
            outcome.fail(cells, str(error))
            continue
        ready = list(prepare(loaded, cells, find, shelf))
        at_work = [each for each in ready if isinstance(each, Work)]
        shared = shared_by_speakers(loaded, at_work[0].parts[-1]) if at_work else None
        for notice in filter(None, (lacking, shared)):
            if notice not in outcome.notices:
                outcome.notices.append(notice)
        yield from ready


def evaluate(
    clips: pd.DataFrame,
    features: Features,
    model: Model,
    protocol: Protocol,
    seed: int = 0,
    degraded: Features | None = None,
    engine: Engine = ALONE,
) -> pd.DataFrame:
    """Predictions of one model under one protocol, without a store.

    Parameters
    ----------
    clips : pd.DataFrame
        A clips table; where the protocol trains on another corpus, the clips of both.
    features : Features
        Of the same clips, in the same order.
    model, protocol, seed
        Entries of MODELS and PROTOCOLS, and the seed of everything random in them.
    degraded : Features, optional
        Of the same clips as the protocol degrades them: what is tested.
    engine : Engine
        Who runs the folds; see `engines`.

    Returns
    -------
    pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where the model has probabilities.

    Raises
    ------
    SerClassicError
        The clips cannot be dealt so, the features are not of these clips in this order, or the protocol
        degrades them and `degraded` is absent.
    """
    if (protocol.degradation is None) != (degraded is None):
        raise SerClassicError(
            f"{protocol.name} tests on {protocol.degradation or 'the clips as they are'}; give `degraded`, "
            "the features of the clips so degraded, with a protocol that degrades them, and with no other"
        )
    for part in (features, degraded):
        if part is not None and not part.clips.equals(clips.index):
            raise SerClassicError("the features are not of these clips in this order; extract them anew")
    folds = protocol.folds(clips, seed)
    labels = labels_of(clips)
    with tempfile.TemporaryDirectory(prefix=DRAFT) as folder:
        news = Path(folder)
        tasks = [
            (features, number, news, labels, model, protocol, fold, seed, degraded)
            for number, fold in enumerate(folds)
        ]
        done = dict(track(engine.run(_fold, tasks, "folds"), len(tasks), "folds", news))
    return _predictions(clips.index, folds, [done[number] for number in range(len(folds))])


def _fold(features: Features, number: int, news: Path, *rest: Any) -> tuple[int, FoldResult]:
    with working(news):
        return number, run_fold(features, *rest)


def _run_all(
    prepared: list[Work], engine: Engine, home: Path
) -> Iterator[tuple[Work, list[FoldResult | str]]]:
    """Run every fold of every cell; yield each cell when its last fold is done. `home` is for their news."""
    results: dict[int, dict[int, FoldResult | str]] = {number: {} for number in range(len(prepared))}
    with tempfile.TemporaryDirectory(prefix=DRAFT, dir=home) as folder:
        news = Path(folder)
        tasks = [
            (work, number, fold, news)
            for number, work in enumerate(prepared)
            for fold in range(len(work.folds))
        ]
        done = engine.run(_attempt, tasks, "folds")
        for number, fold, result in track(done, len(tasks), "folds", news):
            _log(prepared[number], fold, result)
            results[number][fold] = result
            if len(results[number]) == len(prepared[number].folds):
                by_fold = results.pop(number)
                yield prepared[number], [by_fold[position] for position in sorted(by_fold)]


def _attempt(work: Work, number: int, fold: int, news: Path) -> tuple[int, int, FoldResult | str]:
    """Run one fold; a failure is a value, so that it is recorded and the other cells go on."""
    cell = work.cell
    try:
        with working(news):
            result: FoldResult | str = run_fold(
                work.features,
                work.labels,
                MODELS[cell.model],
                PROTOCOLS[cell.protocol],
                work.folds[fold],
                cell.seed,
                work.degraded,
            )
    except Exception as error:
        kind = "" if isinstance(error, SerClassicError) else f"{type(error).__name__}: "
        result = f"fold {work.folds[fold].name}: {kind}{error}"
    return number, fold, result


def _log(work: Work, fold: int, result: FoldResult | str) -> None:
    """What a fold took: all of it, and each epoch where there were any."""
    if isinstance(result, str):
        logger.info(f"{work.cell.id}: failed: {result}")
        return
    curves = result.curves
    epochs = "" if curves is None else f", {len(curves)} epochs of {curves['seconds'].mean():.2f} s"
    chosen = ", ".join(f"{name} {value}" for name, value in result.chosen.items()) or "nothing to choose"
    name = f"{work.cell.id}: fold {work.folds[fold].name}"
    logger.info(f"{name}: fitted in {result.fit_seconds:.1f} s{epochs}; {chosen}")


def _predictions(clips: pd.Index, folds: list[Fold], done: list[FoldResult]) -> pd.DataFrame:
    parts = []
    for fold, result in zip(folds, done, strict=True):
        part = pd.DataFrame({"fold": fold.name, "clip": clips[fold.test], "guess": result.guess})
        if result.probabilities is not None:
            chances = result.probabilities.add_prefix("p_")
            part = pd.concat([part, chances.set_axis(part.index)], axis=1)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _curves(folds: list[Fold], done: list[FoldResult]) -> pd.DataFrame | None:
    parts = {fold.name: result.curves for fold, result in zip(folds, done, strict=True)}
    if any(curves is None for curves in parts.values()):
        return None
    return pd.concat(parts, names=["fold"]).reset_index("fold").reset_index(drop=True)


def _record(work: Work, done: list[FoldResult | str], results: Path, outcome: Outcome) -> None:
    errors = [result for result in done if isinstance(result, str)]
    if errors:
        _record_failure(work, errors[0], results, outcome)
        return
    done = [result for result in done if isinstance(result, FoldResult)]
    record = _new_record(work, "ok") | {
        "folds": [
            {
                "fold": fold.name,
                "train": len(fold.train),
                "test": len(fold.test),
                "tuned": result.tuned,
                "chosen": result.chosen,
            }
            for fold, result in zip(work.folds, done, strict=True)
        ],
        "fit_seconds": round(sum(result.fit_seconds for result in done), 3),
        "predict_seconds": round(sum(result.predict_seconds for result in done), 3),
        "size": max(result.size for result in done),
        "machine": done[0].machine,
    }
    if any(result.machine != done[0].machine for result in done):
        record["machines"] = [result.machine for result in done]  # in the order of the folds
    predictions = _predictions(work.labels.index, work.folds, done)
    store.write_run(results, record, predictions, _curves(work.folds, done))
    outcome.done.append(work.cell.id)


def _record_failure(
    ready: Work | Refused, error: str, results: Path, outcome: Outcome, keep: bool = False
) -> None:
    """Store a failure, unless what is there is to be kept."""
    if not keep:
        store.write_run(results, _new_record(ready, "failed") | {"error": error}, None)
    outcome.fail([ready.cell], error)


def _new_record(ready: Work | Refused, status: str) -> dict[str, Any]:
    cell, protocol = ready.cell, PROTOCOLS[ready.cell.protocol]
    return {
        "schema": store.SCHEMA,
        "id": cell.id,
        **asdict(cell),
        "status": status,
        "track": protocol.track,
        "leaky": protocol.leaky,
        **particulars(protocol),
        "parameters": ready.parameters,
        "digests": ready.digests,
        "versions": versions(MODELS[cell.model].extra) | versions(FEATURES[cell.features].extra),
        "machine": machine(),
    }
