"""`ser-classic report`, `compare` and `results`: show, compare, merge and remove stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.commands import Group
from ser_classic.cli.options import option
from ser_classic.cli.printing import show, tell
from ser_classic.errors import SerClassicError, counted

app = Group(
    "results merge parts/* --into results", help="Merge results folders of several machines, or remove runs."
)

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Id of a run: corpus--protocol--features--model--seed.",
        autocompletion=options.runs,
    ),
]


def report(
    results: options.Results = Path("results"),
    readme: Annotated[
        Path | None, option("--readme FILE", "Also update the table of the best systems in this file.")
    ] = None,
    cache: options.Cache = None,
) -> None:
    """Redraw the leaderboard and its figures from the stored runs, and show it."""
    from ser_classic import store
    from ser_classic.report import systems, terminal, write
    from ser_classic.report.dimensions import dimension_tables
    from ser_classic.report.text import put_into

    if not any(map(store.folders, store.homes(results))):
        raise SerClassicError(
            f"{results}: no runs found; make some with `ser-classic bench`, or name another folder with "
            "--results"
        )
    board, dimensions = write(results, tell, cache=cache)
    table = systems(board)
    if readme:
        put_into(readme, table)
    numbers = list(dimension_tables(dimensions))
    if len(table):
        show(terminal(table))
    for each in numbers:
        show(each)
    if not len(table) and not numbers:
        print(
            f"{results / 'leaderboard.md'} has the tests that are shown there alone, such as across corpora"
        )


def compare(
    first: Run,
    second: Run,
    metric: Annotated[str, option("--metric NAME", "Metric, such as accuracy or macro_f1.")] = "uar",
    results: options.Results = Path("results"),
    as_json: options.Json = False,
) -> None:
    """Compare two runs on the same clips: difference, interval, test over speakers, conclusion."""
    from ser_classic.report.comparison import compare_stored

    pair = compare_stored(results, first, second, metric)
    show(pair.text(), pair.facts(), as_json)


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Results folders, as written by `bench --results`.")],
    into: Annotated[Path, option("--into FOLDER", "Results folder to copy the runs into.")],
    cache: options.Cache = None,
) -> None:
    """Merge results folders that agree with each other, and write the report."""
    from ser_classic.experiment import merging
    from ser_classic.report import write

    copied, kept = merging.merge(folders, into)
    write(into, tell, cache=cache)
    print(f"{into}: {counted(len(copied), 'run')} copied, {len(kept)} kept")


def remove(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Ids of runs, which are the names of their folders.", autocompletion=options.runs
        ),
    ],
    results: options.Results = Path("results"),
    cache: options.Cache = None,
) -> None:
    """Delete runs, such as external ones, and write the report."""
    from ser_classic import store
    from ser_classic.report import write

    found = [store.find_run(results, name) for name in dict.fromkeys(runs)]
    with store.writing_runs(results):
        for run in found:
            store.remove_run(run)
    write(results, tell, cache=cache)
    print(f"{results}: {counted(len(found), 'run')} removed")


app.add(merge, "results merge parts/* --into results")
app.add(remove, "results remove ravdess--emobox--external--my_cnn--0")
