"""`ser-classic bench --check`: stored runs compared with the same runs repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ser_classic.experiment.cells import Cell
    from ser_classic.experiment.checking import Compared
    from ser_classic.runtime.engines import Engine

VERDICTS = {
    "same": "same",
    "libraries": "different, explained by libraries",
    "machine": "different, explained by the machine",
    "differs": "DIFFERS",
}


def check(
    listed: list[Cell] | None,
    only: dict[str, list[str] | None],
    number: int,
    seed: int,
    results: Path,
    data: Path | None,
    cache: Path | None,
    engine: Engine,
) -> None:
    """Check a sample of the finished runs among those listed, and print the outcome; exit code 1 if bad."""
    from ser_classic.experiment import checking

    found = checking.check(results, listed, only, number, seed, data, cache, engine)
    for each in found.compared:
        print(f"{each.id}: {_outcome(each)}")
    for reason, count in found.unchecked.items():
        print(f"not checked: {count} runs: {reason}")
    counts = [
        f"{sum(each.verdict == verdict for each in found.compared)} {shown}"
        for verdict, shown in VERDICTS.items()
    ]
    print(f"{len(found.compared)} of {found.checkable} runs checked: {'; '.join(counts)}")
    if not found.passed:
        raise typer.Exit(1)


def _outcome(each: Compared) -> str:
    if not each.tested:
        return f"{VERDICTS[each.verdict]}: {each.why}"
    apart = "" if each.apart is None else f", probabilities within {each.apart:.3f}"
    why = f" ({each.why})" if each.why else ""
    return f"{VERDICTS[each.verdict]}: {each.turned} of {each.tested} predictions differ{apart}{why}"
