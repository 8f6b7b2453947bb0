"""`ser-classic results`: merge results folders, remove runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.commands import Group
from ser_classic.cli.printing import tell

app = Group(
    "results merge parts/* --into results", help="Merge results folders of several machines, or remove runs."
)


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Results folders, as written by `bench --results`.")],
    into: Annotated[Path, options.option("--into FOLDER", "Results folder to copy the runs into.")],
    cache: options.Cache = None,
) -> None:
    """Merge results folders that agree with each other, and write the report."""
    from ser_classic.report import write
    from ser_classic.store import merging

    copied, kept = merging.merge(folders, into)
    write(into, tell, cache=cache)
    print(f"{into}: {len(copied)} runs copied, {len(kept)} kept")


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
    with store.at_work(results):
        for run in found:
            store.remove_run(run)
    if store.folders(results) or store.folders(results / store.DIMENSIONS):
        write(results, tell, cache=cache)
    print(f"{results}: {len(found)} removed")


app.add(merge, "results merge parts/* --into results")
app.add(remove, "results remove ravdess--emobox--external--my_cnn--0")
