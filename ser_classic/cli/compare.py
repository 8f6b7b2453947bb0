"""`ser-classic compare`: two stored runs on the same clips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.printing import show

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Id of a run: corpus--protocol--features--model--seed.",
        autocompletion=options.runs,
    ),
]


def compare(
    first: Run,
    second: Run,
    metric: Annotated[str, options.option("--metric NAME", "Metric, such as accuracy or macro_f1.")] = "uar",
    results: options.Results = Path("results"),
    as_json: options.Json = False,
) -> None:
    """Compare two runs on the same clips: difference, interval, test over speakers, conclusion."""
    import shutil

    from ser_classic.errors import SerClassicError
    from ser_classic.metrics import COUNT_METRICS
    from ser_classic.registry import unknown
    from ser_classic.report.comparison import as_facts, as_text, compare_stored

    if metric not in COUNT_METRICS:
        raise SerClassicError(unknown("metrics", metric, COUNT_METRICS))
    pair = compare_stored(results, first, second, metric)
    show(as_text(pair, shutil.get_terminal_size().columns), as_facts(pair), as_json)
