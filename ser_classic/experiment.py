"""The loop: a run is one cell of corpus x features x model x protocol x seed; it writes predictions."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.adaptation import adapt
from ser_classic.corpora import Loaded, load, shortfall
from ser_classic.errors import SerClassicError
from ser_classic.extraction import Features, cache_folder, extract
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.models import MODELS, Model, fit
from ser_classic.progress import track
from ser_classic.protocols import PROTOCOLS, Fold, Protocol
from ser_classic.provenance import machine, versions


@dataclass(frozen=True, order=True)
class Cell:
    """The five names that determine a run."""

    corpus: str
    protocol: str
    features: str
    model: str
    seed: int = 0

    @property
    def id(self) -> str:
        """Name of the run's folder; names hold no double hyphen, so no two cells share one."""
        return "--".join(map(str, (self.corpus, self.protocol, self.features, self.model, self.seed)))


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
    prepared: list[_Work] = []
    for corpus, wanted in pending.items():
        try:
            loaded = (own or {}).get(corpus) or load(corpus, data, cache_folder(cache))
            store.write_clips(results, corpus, loaded.clips)
        except SerClassicError as error:
            outcome.problems.append(str(error))
            outcome.failed.extend(cell.id for cell in wanted)
            continue
        if lacking := shortfall(loaded.corpus, loaded.clips):
            outcome.problems.append(lacking)
        prepared += _prepare(loaded, wanted, results, cache, jobs, outcome)
    for work, done in _run_all(prepared, jobs):
        _record(work, done, results, outcome)
    return outcome


def evaluate(
    clips: pd.DataFrame, features: Features, model: Model, protocol: Protocol, seed: int = 0
) -> pd.DataFrame:
    """Predictions of one model under one protocol, without a store.

    Parameters
    ----------
    clips : pd.DataFrame
        A clips table.
    features : Features
        Of the same clips, in the same order.
    model, protocol, seed
        Entries of MODELS and PROTOCOLS, and the seed of everything random in them.

    Returns
    -------
    pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where the model has probabilities.
    """
    folds = protocol.folds(clips, seed)
    labels = _labels(clips)
    done = [run_fold(features, labels, model, fold, protocol.track, seed, protocol.leaky) for fold in folds]
    return _predictions(clips.index, folds, done)


@dataclass
class _Work:
    """A cell made ready: what its folds need, and what the record will say of it."""

    cell: Cell
    features: Features
    labels: pd.DataFrame
    folds: list[Fold]
    digests: dict[str, str]


def _prepare(
    loaded: Loaded,
    cells: list[Cell],
    results: Path,
    cache: Path | None,
    jobs: int,
    outcome: Outcome,
) -> Iterator[_Work]:
    root, clips, corpus = loaded
    digest = store.digest(store.clips_text(clips))
    extracted: dict[str, Features | SerClassicError] = {}
    for cell in cells:
        try:
            folds = PROTOCOLS[cell.protocol].folds(clips, cell.seed)
            MODELS[cell.model].accept(FEATURES[cell.features])
            MODELS[cell.model].require()
            if cell.features not in extracted:
                extracted[cell.features] = _extract_or_error(
                    clips, root, FEATURES[cell.features], cache, jobs, corpus.channel
                )
            features = extracted[cell.features]
            if isinstance(features, SerClassicError):
                raise features
        except SerClassicError as error:
            _record_failure(cell, str(error), {"clips": digest}, results, outcome)
            continue
        yield _Work(cell, features, _labels(clips), folds, {"clips": digest, "features": features.digest})


def _extract_or_error(
    clips: pd.DataFrame,
    root: Path,
    feature_set: FeatureSet,
    cache: Path | None,
    jobs: int,
    channel: int | None,
) -> Features | SerClassicError:
    """An error is kept as a value, so that every cell that needs these features tells it."""
    try:
        return extract(clips, root, feature_set, cache, jobs, channel)
    except SerClassicError as error:
        return error


def _labels(clips: pd.DataFrame) -> pd.DataFrame:
    return clips[["speaker", "emotion"]]


def _run_all(prepared: list[_Work], jobs: int) -> Iterator[tuple[_Work, list[FoldResult | str]]]:
    """Run every fold of every cell; yield each cell when its last fold is done."""
    from joblib import Parallel, delayed, parallel_config

    tasks = [(number, fold) for number, work in enumerate(prepared) for fold in range(len(work.folds))]
    results: dict[int, dict[int, FoldResult | str]] = {number: {} for number in range(len(prepared))}
    if not tasks:
        return
    with parallel_config(backend="loky", inner_max_num_threads=1):
        done = Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered")(
            delayed(_attempt)(number, fold, prepared[number]) for number, fold in tasks
        )
        for number, fold, result in track(done, len(tasks), "folds"):
            results[number][fold] = result
            if len(results[number]) == len(prepared[number].folds):
                by_fold = results.pop(number)
                yield prepared[number], [by_fold[position] for position in sorted(by_fold)]


def _attempt(number: int, fold: int, work: _Work) -> tuple[int, int, FoldResult | str]:
    """Run one fold; a failure is a value, so that it is recorded and the other cells go on."""
    cell = work.cell
    try:
        result: FoldResult | str = run_fold(
            work.features,
            work.labels,
            MODELS[cell.model],
            work.folds[fold],
            PROTOCOLS[cell.protocol].track,
            cell.seed,
            PROTOCOLS[cell.protocol].leaky,
        )
    except Exception as error:
        result = f"fold {work.folds[fold].name}: {type(error).__name__}: {error}"
    return number, fold, result


def run_fold(
    features: Features,
    labels: pd.DataFrame,
    model: Model,
    fold: Fold,
    track: str,
    seed: int,
    leaky: bool = False,
) -> FoldResult:
    """Fit on the training clips of a fold, tuned within them, and predict its test clips."""
    emotions = labels["emotion"].to_numpy(dtype=str)
    speakers = None if labels["speaker"].isna().any() else labels["speaker"].to_numpy(dtype=str)
    X = _inputs(features, speakers if track == "adapted" else None)
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
        tested = _rows(X, fold.test)
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
    if features.lengths is not None:
        if speakers is None:
            return features.sequences
        of_frames = np.repeat(speakers, features.lengths)
        return Features(
            features.clips, features.columns, adapt(features.values, of_frames), features.lengths
        ).sequences
    if speakers is None:
        return features.frame
    return Features(features.clips, features.columns, adapt(features.values, speakers)).frame


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


def _record(work: _Work, done: list[FoldResult | str], results: Path, outcome: Outcome) -> None:
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
    predictions = _predictions(work.features.clips, work.folds, done)
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
        "parameters": parameters(cell),
        "digests": digests,
        "versions": versions(MODELS[cell.model].extra) | versions(FEATURES[cell.features].extra),
        "machine": machine(),
    }


def parameters(cell: Cell) -> dict[str, Any]:
    """What today's tables say of a cell's features, model and protocol: all its predictions depend on."""
    protocol = PROTOCOLS[cell.protocol]
    return {
        "features": FEATURES[cell.features].parameters,
        "model": MODELS[cell.model].parameters(cell.seed),
        "protocol": {"title": protocol.title, "unit": protocol.unit, "track": protocol.track},
    }
