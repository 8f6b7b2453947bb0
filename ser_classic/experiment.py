"""The loop: a run is one cell of corpus x features x model x protocol x seed; it writes predictions."""

from __future__ import annotations

import functools
import logging
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.adaptation import adapt, adapt_few, drawn
from ser_classic.cells import Cell, Refused, Shelf, Work, labels_of, prepare
from ser_classic.corpora import Loaded, load, shortfall
from ser_classic.degradations import DEGRADATIONS
from ser_classic.errors import SerClassicError
from ser_classic.extraction import Features, cache_folder
from ser_classic.features import FEATURES
from ser_classic.models import MODELS, Model, fit
from ser_classic.progress import track, working
from ser_classic.protocols import PROTOCOLS, Fold, Protocol
from ser_classic.provenance import machine, versions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a call of `bench` did, as run ids; `problems` are whole messages."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave: guesses for its test clips, and how they were reached."""

    guess: np.ndarray
    probabilities: pd.DataFrame | None
    chosen: dict[str, Any]
    tuned: bool
    fit_seconds: float
    predict_seconds: float
    size: int
    curves: pd.DataFrame | None


def bench(
    cells: Iterable[Cell],
    results: Path,
    data: Path = Path("data"),
    cache: Path | None = None,
    jobs: int = 1,
    again: bool = False,
    own: Mapping[str, Loaded] | None = None,
) -> Outcome:
    """Run the cells that have no finished run yet, and store each as soon as its last fold is done.

    Parameters
    ----------
    cells : iterable of Cell
    results : Path
        Results folder; see `store`.
    data, cache : Path, optional
        Folder with the corpora and feature cache; see `corpora.load` and `extraction.cache_folder`.
    jobs : int
        Processes, each with one thread.
    again : bool
        Repeat finished runs too.
    own : mapping of corpus name to Loaded, optional
        Corpora of one's own that cells name.

    Returns
    -------
    Outcome
        A cell that fails becomes a run with status `failed`; the others go on.
    """
    outcome = Outcome()
    # A manifest may have been edited since its runs; the clips of the others are published.
    stated = {name: store.digest(store.clips_text(loaded.clips)) for name, loaded in (own or {}).items()}
    finished = {
        run.id
        for run in store.runs(results, outcome.problems.append)
        if run.ok and not again and stated.get(run.record["corpus"]) in (None, run.record["digests"]["clips"])
    }
    pending: dict[str, list[Cell]] = {}
    for cell in dict.fromkeys(cells):
        if cell.id in finished:
            outcome.kept.append(cell.id)
        else:
            pending.setdefault(cell.corpus, []).append(cell)

    @functools.cache
    def find(corpus: str) -> Loaded:
        return (own or {}).get(corpus) or load(corpus, data, cache_folder(cache))

    shelf = Shelf(cache, jobs)
    prepared: list[Work] = []
    for corpus, wanted in pending.items():
        try:
            loaded = find(corpus)
            store.write_clips(results, corpus, loaded.clips)
        except SerClassicError as error:
            outcome.problems.append(str(error))
            outcome.failed.extend(cell.id for cell in wanted)
            continue
        if lacking := shortfall(loaded.corpus, loaded.clips):
            outcome.problems.append(lacking)
        for ready in prepare(loaded, wanted, find, shelf):
            if isinstance(ready, Refused):
                _record_failure(ready.cell, ready.error, ready.digests, results, outcome)
            else:
                prepared.append(ready)
    for work, done in _run_all(prepared, jobs):
        _record(work, done, results, outcome)
    return outcome


def evaluate(
    clips: pd.DataFrame,
    features: Features,
    model: Model,
    protocol: Protocol,
    seed: int = 0,
    degraded: Features | None = None,
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

    Raises
    ------
    SerClassicError
        The clips cannot be dealt so, or the protocol degrades them and `degraded` is absent.

    Returns
    -------
    pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where the model has probabilities.
    """
    if (protocol.degradation is None) != (degraded is None):
        raise SerClassicError(
            f"{protocol.name} tests on {protocol.degradation or 'the clips as they are'}; give `degraded`, "
            "the features of the clips so degraded, with a protocol that degrades them, and with no other"
        )
    folds = protocol.folds(clips, seed)
    labels = labels_of(clips)
    done = [
        run_fold(
            features, labels, model, fold, protocol.track, seed, protocol.leaky, protocol.heard, degraded
        )
        for fold in folds
    ]
    return _predictions(clips.index, folds, done)


def _run_all(prepared: list[Work], jobs: int) -> Iterator[tuple[Work, list[FoldResult | str]]]:
    """Run every fold of every cell; yield each cell when its last fold is done."""
    from joblib import Parallel, delayed, parallel_config

    tasks = [(number, fold) for number, work in enumerate(prepared) for fold in range(len(work.folds))]
    results: dict[int, dict[int, FoldResult | str]] = {number: {} for number in range(len(prepared))}
    if not tasks:
        return
    with (
        tempfile.TemporaryDirectory(prefix="ser-classic-") as news,
        parallel_config(backend="loky", inner_max_num_threads=1),
    ):
        done = Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered")(
            delayed(_attempt)(number, fold, prepared[number], Path(news)) for number, fold in tasks
        )
        for number, fold, result in track(done, len(tasks), "folds", Path(news)):
            _log(prepared[number], fold, result)
            results[number][fold] = result
            if len(results[number]) == len(prepared[number].folds):
                by_fold = results.pop(number)
                yield prepared[number], [by_fold[position] for position in sorted(by_fold)]


def _attempt(number: int, fold: int, work: Work, news: Path) -> tuple[int, int, FoldResult | str]:
    """Run one fold; a failure is a value, so that it is recorded and the other cells go on."""
    cell, protocol = work.cell, PROTOCOLS[work.cell.protocol]
    try:
        with working(news):
            result: FoldResult | str = run_fold(
                work.features,
                work.labels,
                MODELS[cell.model],
                work.folds[fold],
                protocol.track,
                cell.seed,
                protocol.leaky,
                protocol.heard,
                work.degraded,
            )
    except Exception as error:
        result = f"fold {work.folds[fold].name}: {type(error).__name__}: {error}"
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


def run_fold(
    features: Features,
    labels: pd.DataFrame,
    model: Model,
    fold: Fold,
    track: str,
    seed: int,
    leaky: bool = False,
    heard: int | None = None,
    degraded: Features | None = None,
) -> FoldResult:
    """Fit on the training clips of a fold, tuned within them, and predict its test clips.

    Parameters
    ----------
    features, labels, model, fold
    track : {"blind", "adapted"}
    seed : int
    leaky : bool
        See `models.fit`.
    heard : int, optional
        Unlabelled clips of a test speaker that may be used on the adapted track; all by default.
    degraded : Features, optional
        Of the clips to be tested, where those are not `features` themselves.
    """
    emotions = labels["emotion"].to_numpy(dtype=str)
    speakers = None if labels["speaker"].isna().any() else labels["speaker"].to_numpy(dtype=str)
    own = speakers if track == "adapted" else None
    if own is None or heard is None:
        X = _inputs(features, own)
    else:
        X = _inputs_few(features, own, fold, drawn(own, heard, seed))
    model.pipeline(seed)  # so that the seconds below hold no imports
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an optimiser at its iteration limit is a stated setting here
        fitted = fit(
            model,
            _rows(X, fold.train),
            emotions[fold.train],
            None if speakers is None else speakers[fold.train],
            seed,
            leaky,
        )
        fitted_at = time.process_time()
        tested = _rows(X if degraded is None else _inputs(degraded, own), fold.test)
        guess = fitted.estimator.predict(tested)
        probabilities = fitted.probabilities(tested)
    return FoldResult(
        guess,
        probabilities,
        fitted.chosen,
        fitted.tuned,
        fitted_at - started,
        time.process_time() - fitted_at,
        fitted.size,
        fitted.curves,
    )


def _inputs(features: Features, speakers: np.ndarray | None) -> pd.DataFrame | np.ndarray:
    """A DataFrame of vectors or an object array of sequences, z-scored by speaker where they are given."""
    if speakers is None:
        return features.table
    owners = speakers if features.lengths is None else np.repeat(speakers, features.lengths)
    return replace(features, values=adapt(features.values, owners)).table


def _inputs_few(
    features: Features, speakers: np.ndarray, fold: Fold, heard: np.ndarray
) -> pd.DataFrame | np.ndarray:
    """As `_inputs`, the test speakers z-scored by the clips of theirs that were heard."""
    values = adapt_few(features.values, speakers, fold.train, heard, features.lengths)
    return replace(features, values=values).table


def _rows(X: pd.DataFrame | np.ndarray, rows: np.ndarray) -> pd.DataFrame | np.ndarray:
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


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
        _record_failure(work.cell, errors[0], work.digests, results, outcome)
        return
    done = [result for result in done if isinstance(result, FoldResult)]
    record = _new_record(work.cell, "ok", work.digests) | {
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
    }
    predictions = _predictions(work.labels.index, work.folds, done)
    store.write_run(results, record, predictions, _curves(work.folds, done))
    outcome.done.append(work.cell.id)


def _record_failure(cell: Cell, error: str, digests: dict[str, str], results: Path, outcome: Outcome) -> None:
    store.write_run(results, _new_record(cell, "failed", digests) | {"error": error}, None)
    outcome.failed.append(cell.id)
    outcome.problems.append(f"{cell.id}: {error}")


def _new_record(cell: Cell, status: str, digests: dict[str, str]) -> dict[str, Any]:
    protocol = PROTOCOLS[cell.protocol]
    return {
        "schema": store.SCHEMA,
        "id": cell.id,
        **asdict(cell),
        "status": status,
        "track": protocol.track,
        "leaky": protocol.leaky,
        **_particulars(protocol),
        "parameters": parameters(cell),
        "digests": digests,
        "versions": versions(MODELS[cell.model].extra) | versions(FEATURES[cell.features].extra),
        "machine": machine(),
    }


def _particulars(protocol: Protocol) -> dict[str, Any]:
    """What a protocol does beyond dealing clips, where it does."""
    names = ("trained_on", "heard", "degradation")
    return {name: getattr(protocol, name) for name in names if getattr(protocol, name) is not None}


def parameters(cell: Cell) -> dict[str, Any]:
    """What today's tables say of a cell's features, model and protocol: all its predictions depend on."""
    protocol = PROTOCOLS[cell.protocol]
    return {
        "features": FEATURES[cell.features].parameters,
        "model": MODELS[cell.model].parameters(cell.seed),
        "protocol": {"title": protocol.title, "unit": protocol.unit, "track": protocol.track}
        | _particulars(protocol)
        | ({"degraded_by": DEGRADATIONS[protocol.degradation].key} if protocol.degradation else {}),
    }
