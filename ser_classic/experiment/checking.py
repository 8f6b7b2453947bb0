"""Checking stored runs: some are run again, and their predictions compared with those that are stored."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ser_classic import store
from ser_classic.corpora import CORPORA, available
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.preparation import Sources
from ser_classic.experiment.stale import differences
from ser_classic.features import FEATURES
from ser_classic.runtime.engines import SERIAL, Engine
from ser_classic.runtime.files import temporary

ROUNDING = 1.5 * 10**-store.DECIMALS  # one unit of the last decimal may part rounded probabilities
TIES = 0.02  # share of guesses that the last digits of another processor may turn over
# Libraries that explain nothing where the features are equal, and those that do for some estimators alone.
OF_FEATURES = {"soxr", "soundfile", "opensmile", "noisereduce"}
OF_MODELS = {"xgboost": ("BoostedTrees",), "xgboost-cpu": ("BoostedTrees",)}
EVEN = 10.0  # [s]; a run that takes this much longer has half the chance to be drawn


@dataclass(frozen=True)
class Compared:
    """A stored run and its repetition.

    The verdict is `same` where every guess is equal, and every probability but for rounding; `libraries` or
    `machine` where it may come from other versions of libraries, or for a few guesses from another processor;
    and `differs` where there is no such reason.
    """

    id: str
    verdict: str
    tested: int = 0  # guesses
    turned: int = 0  # those that differ
    apart: float | None = None  # largest difference of two probabilities, or predictions of a dimension
    why: str = ""  # what a difference may come from, or where it begins


@dataclass(frozen=True)
class Check:
    """What a check found; `unchecked` counts the runs that could not be compared, by reason."""

    compared: list[Compared] = field(default_factory=list)
    unchecked: dict[str, int] = field(default_factory=dict)
    checkable: int = 0

    @property
    def passed(self) -> bool:
        """Whether no run differs for no known reason."""
        return all(each.verdict != "differs" for each in self.compared)


def finished(results: Path, cells: Collection[Cell] = ()) -> dict[Cell, store.Run]:
    """The finished runs of a results folder that this package made: of these cells, or all.

    Raises
    ------
    SerClassicError
        There are none.
    """
    runs = (run for run in _runs(results) if run.ok and "external" not in run.record)
    found = {cell: run for run in runs if (cell := Cell.of(run.record)) in (cells or [cell])}
    if not found:
        raise SerClassicError(
            f"{results}: there is no finished run of these to check; make some with: ser-classic bench SUITE"
        )
    return found


def check(
    stored: Mapping[Cell, store.Run],
    number: int = 12,
    seed: int = 0,
    data: Path | None = None,
    cache: Path | None = None,
    engine: Engine = SERIAL,
) -> Check:
    """Run a sample of `finished` runs again, in a temporary folder, and compare the predictions.

    The seed draws the sample. The chance of a run falls with the seconds it took, so most are quick and every
    run can be drawn.
    """
    clips, at_hand = Sources(data, cache).clips_today, set(available(data))
    reasons = {cell: _why_not(cell, run.record, at_hand, clips) for cell, run in stored.items()}
    unchecked = Counter(filter(None, reasons.values()))
    checkable = [cell for cell, reason in reasons.items() if not reason]
    seconds = {
        cell: sum(stored[cell].record.get(name, 0.0) for name in ("fit_seconds", "predict_seconds"))
        for cell in checkable
    }
    drawn = _drawn(checkable, seconds, number, seed)
    with temporary() as folder:
        outcome = bench(drawn, Path(folder), data, cache, engine)
        again = {Cell.of(run.record): run for run in _runs(Path(folder))}
        compared = [compare_again(stored[cell], again.get(cell), outcome.problems) for cell in drawn]
    return Check(compared, unchecked, len(checkable))


def compare_again(stored: store.Run, again: store.Run | None, problems: Collection[str] = ()) -> Compared:
    """What a repetition says of a stored run; it is None where it could not be started, for `problems`."""
    if again is None or not again.ok:
        reason = again.record["error"] if again else "; ".join(problems)
        return Compared(stored.id, "differs", why=f"it can no longer be run: {reason}")
    try:
        then, now = (run.predictions().set_index(["fold", "clip"]).sort_index() for run in (stored, again))
    except SerClassicError as error:
        return Compared(stored.id, "differs", why=str(error))
    if not then.index.equals(now.index) or set(then.columns) != set(now.columns):
        return Compared(stored.id, "differs", why="the clips, folds or emotions are not the same")
    numbers = [column for column in then.columns if column != "guess"]
    gaps = np.abs(then[numbers] - now[numbers]).to_numpy()
    apart = float(np.nanmax(gaps)) if numbers else None
    if "guess" in then:
        turned = int((then["guess"] != now["guess"]).sum())
    else:
        turned = int((gaps > ROUNDING).any(axis=1).sum())
    found = partial(Compared, stored.id, tested=len(then), turned=turned, apart=apart)
    if not turned and (apart or 0) <= ROUNDING:
        return found("same")
    same_features = _features(stored.record) == _features(again.record)
    where = "the features are equal, the model differs" if same_features else "the features differ already"
    if other := explaining(stored.record, again.record):
        versions = ", ".join(f"{name} {before}, now {after}" for name, (before, after) in other.items())
        return found("libraries", why=f"{where}; {versions}")
    before, after = (_processor(run.record["machine"]) for run in (stored, again))
    if before != after and turned <= TIES * len(then):
        return found("machine", why=f"{where}; it was run on {before}, now on {after}")
    return found("differs", why=where)


def explaining(stored: Mapping[str, Any], again: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Versions of libraries, then and now, that differ and that the predictions of a run depend on."""
    before, after = stored["versions"], again["versions"]
    estimator = again["parameters"]["model"]["estimator"]
    unlike = {}
    for name in sorted((before.keys() | after.keys()) - {"ser-classic"}):
        idle = name in OF_FEATURES and _features(stored) == _features(again)
        idle |= estimator not in OF_MODELS.get(name, (estimator,))
        if before.get(name) != after.get(name) and not idle:
            unlike[name] = (before.get(name, "none"), after.get(name, "none"))
    return unlike


def _processor(machine: Mapping[str, Any]) -> str:
    """What of a machine the last digits depend on; each process has one thread, however many cores."""
    return ", ".join(str(machine.get(name)) for name in ("processor", "architecture", "system"))


def _runs(results: Path) -> Iterator[store.Run]:
    """Runs of emotions and of dimensions."""
    return itertools.chain(*map(store.runs, store.homes(results)))


def _features(record: Mapping[str, Any]) -> list[str | None]:
    return [record["digests"].get(name) for name in store.FEATURES_OF]


def _why_not(
    cell: Cell, record: Mapping[str, Any], at_hand: set[str], clips: Callable[[str], str | None]
) -> str | None:
    """Why a run cannot be compared; None where it can."""
    if differences(record, clips):
        return "stale: their parameters or data have changed (run them again with `ser-classic bench`)"
    for name in cell.corpora:
        if name not in at_hand:
            return f"the corpus {name} is not available" + (
                f". {CORPORA[name].remedy()}" if name in CORPORA else ""
            )
    try:
        cell.entry.require()
        FEATURES[cell.features].require()
    except SerClassicError as error:
        return str(error)
    return None


def _drawn(cells: list[Cell], seconds: Mapping[Cell, float], number: int, seed: int) -> list[Cell]:
    """A seeded sample of cells, the quickest first."""
    if number < len(cells):
        chance = np.array([1 / (seconds[cell] + EVEN) for cell in cells])
        rows = np.random.default_rng(seed).choice(len(cells), number, replace=False, p=chance / chance.sum())
        cells = [cells[row] for row in rows]
    return sorted(cells, key=lambda cell: (seconds[cell], cell))
