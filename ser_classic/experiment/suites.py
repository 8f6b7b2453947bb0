"""Suites: TOML lists of names whose products are the cells to run."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from ser_classic.corpora import CORPORA, at_hand
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.preparation import require_match
from ser_classic.features import FEATURES
from ser_classic.models import model_for
from ser_classic.protocols import PROTOCOLS, families
from ser_classic.registry import unknown
from ser_classic.vocabulary import DIMENSIONS, EMOTION

EMBEDDED = "synthetic"
# The content of the suites that come with the package, by name
SUITES: dict[str, dict[str, Any]] = {
    file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
    for file in sorted((files("ser_classic") / "data" / "suites").iterdir(), key=lambda file: file.name)
    if file.name.endswith(".toml")
}
AXES = ("corpora", "protocols", "features", "models", "targets", "seeds")


def read_suite(suite: str) -> list[Cell]:
    """Cells of a suite (a name in `SUITES`, or a TOML file), in its order.

    Each of its `[[grid]]` tables lists `corpora`, `protocols`, `features` and `models`, `seeds` if not only
    0, and `targets` (of `DIMENSIONS`) if not emotions are predicted; its cells are their product. The
    features of its `[tables]` are there once they were brought; see `tables_of`. The name of a family of
    protocols, such as `cross` or `emobox_degraded`, stands for all of them; of those that train on other
    corpora, for those that train on corpora of the grid.
    """
    content = _content(suite)
    grids = content.get("grid")
    extra = sorted(set(content) - {"title", "grid", "tables"})
    if extra or not isinstance(grids, list) or not grids:
        raise SerClassicError(
            f"{suite}: expected a title and [[grid]] tables"
            + (f", found {', '.join(extra)}" if extra else "")
        )
    return list(dict.fromkeys(cell for grid in grids for cell in _cells(suite, grid)))


def tables_of(suites: Iterable[str]) -> dict[str, Path]:
    """The tables of features that suites bring: their `[tables]` list names and files beside them.

    They are feature sets within `ser_classic.features.tables.bring` alone.
    """
    found: dict[str, Path] = {}
    for suite in suites:
        tables = _content(suite).get("tables", {})
        if not isinstance(tables, dict) or not all(isinstance(file, str) for file in tables.values()):
            raise SerClassicError(f'{suite}: [tables] lists names and files: hubert = "hubert.npz"')
        for name, file in tables.items():
            path = Path(suite).parent / file
            if found.setdefault(name, path).resolve() != path.resolve():
                raise SerClassicError(
                    f"{suite}: the table {name} is {path}, but {found[name]} in another suite; rename "
                    "one, or run these suites one at a time"
                )
    return found


def _content(suite: str) -> dict[str, Any]:
    """The content of a suite."""
    if suite in SUITES:
        return SUITES[suite]
    if not suite.endswith(".toml"):
        raise SerClassicError(f"{unknown('suites', suite, SUITES)}; or name a TOML file")
    with wrap_errors(f"{suite}: not readable as TOML", f"name such a file, or one of {', '.join(SUITES)}"):
        return tomllib.loads(Path(suite).read_text(encoding="utf-8"))


def _cells(suite: str, grid: dict[str, list]) -> list[Cell]:
    if not isinstance(grid, dict):
        raise SerClassicError(f"{suite}: expected [[grid]] tables, found {grid!r}")
    grid = {"seeds": [0], "targets": [EMOTION], **grid}
    for axis in sorted({*AXES, *grid}):
        names, kind = grid.get(axis), int if axis == "seeds" else str
        if axis not in AXES or not (
            isinstance(names, list) and names and all(type(n) is kind for n in names)
        ):
            raise SerClassicError(
                f"{suite}: check {axis} = {names!r}; a grid lists names of {', '.join(AXES[:4])}, and may "
                "list targets, and whole numbers as seeds"
            )
    if min(grid["seeds"]) < 0 or max(grid["seeds"]) >= 2**32:
        raise SerClassicError(f"{suite}: check seeds = {grid['seeds']}; expected 0 to 2**32 - 1")
    for axis, known in (
        ("corpora", CORPORA),
        ("targets", (EMOTION, *DIMENSIONS)),
        ("protocols", (*families(), *PROTOCOLS)),
    ):
        for name in grid[axis]:
            if name not in known:
                raise SerClassicError(f"{suite}: {unknown(axis, name, known)}")
    for features, model, target in itertools.product(grid["features"], grid["models"], grid["targets"]):
        require_match(model_for(target, model), FEATURES[features])
    protocols = [each for name in grid["protocols"] for each in _members(suite, name, grid["corpora"])]
    axes = (grid["corpora"], grid["targets"], grid["features"], grid["models"], protocols, grid["seeds"])
    cells = [
        Cell(corpus, protocol, features, model, seed, target)
        for corpus, target, features, model, protocol, seed in itertools.product(*axes)
        if not (trained_on := PROTOCOLS[protocol].trained_on) or set(trained_on) - {corpus}
    ]
    if not cells:
        raise SerClassicError(
            f"{suite}: {', '.join(grid['protocols'])} with {grid['corpora'][0]} alone: list a second corpus, "
            "as cross protocols train on one corpus and test on another"
        )
    return cells


def _members(suite: str, name: str, corpora: list[str]) -> list[str]:
    """A protocol, or those of a family; of such as train on other corpora, those on corpora of the grid."""
    family = families().get(name)
    if family is None:
        return [name]
    known = {source for protocol in family for source in protocol.trained_on}
    if known and (strange := sorted(set(corpora) - known)):
        raise SerClassicError(
            f"{suite}: {name} trains on each of the corpora, but no protocol trains on {strange[0]}; there "
            f"are protocols that train on {', '.join(sorted(known))}"
        )
    return [protocol.name for protocol in family if set(protocol.trained_on) <= set(corpora)]


def select(cells: list[Cell], **only: list[str] | None) -> list[Cell]:
    """Cells whose `corpus`, `protocol`, `features` and `model` are among the names given for each."""
    for axis, names in only.items():
        listed = list(dict.fromkeys(getattr(cell, axis) for cell in cells))
        for name in names or ():
            if name not in listed:  # in no cell, or in none that has the names given before
                raise SerClassicError(unknown(axis, name, listed))
        cells = [cell for cell in cells if getattr(cell, axis) in (names or listed)]
    return cells


def parse_shard(text: str) -> tuple[int, int]:
    """Which part of how many `2/8` stands for."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise SerClassicError(f"the shard {text!r}; expected K/N, such as 1/8 to 8/8 for eight shards")
    return number, count


def shard_of(cells: list[Cell], number: int, count: int) -> list[Cell]:
    """One of `count` parts of the cells, in their order; `number` counts from 1, every cell is in one part.

    What a cell takes depends on its model and its corpus most of all, so the cells are dealt by these, there
    and back: each part has its share of the expensive ones. The parts follow from the names alone, whatever
    is at hand or finished already.
    """
    alike = sorted(cells, key=lambda cell: (cell.model, cell.corpus, cell.features, cell.protocol, cell.seed))
    places = {number - 1, 2 * count - number}  # of every 2 * count cells: on the way there, and back
    dealt = {cell for place, cell in enumerate(alike) if place % (2 * count) in places}
    return [cell for cell in cells if cell in dealt]


def on_own_corpus(cells: list[Cell], corpus: str, protocols: Sequence[str] | None = None) -> list[Cell]:
    """What is listed for the embedded corpus, on a corpus of one's own, under these protocols if given.

    So folds of one's own (`sessions`, `official`) need no suite of one's own.
    """
    chosen = dict.fromkeys(
        replace(cell, corpus=corpus, protocol=PROTOCOLS[protocol].name)
        for cell in cells
        if cell.corpus == EMBEDDED
        for protocol in protocols or (cell.protocol,)
    )
    if not chosen:
        raise SerClassicError(
            f"none of the suites uses {EMBEDDED}, which {corpus} would replace; name one that does, such as "
            "quick"
        )
    return list(chosen)


def runnable(
    cells: list[Cell], own: Collection[str] = (), data: Path | None = None
) -> tuple[list[Cell], list[str]]:
    """Cells whose corpora are at hand or your own, and a notice for each corpus that is not."""
    others = dict.fromkeys(name for cell in cells for name in cell.corpora if name not in own)
    # A name that is in no table, as a protocol may have it, fails its cells.
    absent = [name for name in others if name in CORPORA and not at_hand(name, data)]
    notices = [f"{corpus}: not found, its runs are left out. {CORPORA[corpus].remedy()}" for corpus in absent]
    return [cell for cell in cells if set(absent).isdisjoint(cell.corpora)], notices
