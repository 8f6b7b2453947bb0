"""`ser-classic bench` and `ser-classic report`: run suites, and read the leaderboard off the stored runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser_classic.cli import checks, completion, interrupts, options

if TYPE_CHECKING:
    from ser_classic.corpora import Reading
    from ser_classic.experiment import Outcome

WHICH = "Which of the suites' runs"  # panels of the help
CHECK = "Check finished runs"
CLUSTER = "Several machines"


def _only(complete: completion.Complete) -> Any:
    return typer.Option(
        metavar="NAME", help="Only this; repeatable.", rich_help_panel=WHICH, autocompletion=complete
    )


@options.of_own_corpus
def bench(
    context: typer.Context,
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            help="Suites: names of those that come with the package, or TOML files.",
            show_default="with --check: all runs",
            autocompletion=completion.suites,
        ),
    ] = None,
    jobs: options.Jobs = options.CORES,
    tables: options.Tables = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Log what each fold took; with one job, each epoch of a network, too."
        ),
    ] = False,
    corpus: Annotated[list[str] | None, _only(completion.corpora)] = None,
    protocol: Annotated[list[str] | None, _only(completion.protocols)] = None,
    features: Annotated[list[str] | None, _only(completion.features)] = None,
    model: Annotated[list[str] | None, _only(completion.models)] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Repeat finished runs too.", rich_help_panel=WHICH)
    ] = False,
    keep_stale: Annotated[
        bool,
        typer.Option(
            "--keep-stale",
            help="Do not repeat finished runs whose parameters are not today's any more.",
            rich_help_panel=WHICH,
        ),
    ] = False,
    results: options.Results = Path("results"),
    data: options.Data = None,
    cache: options.Cache = None,
    own: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Run what the suites list for `synthetic` on this corpus of your own: manifest or folder.",
            rich_help_panel=options.OWN,
        ),
    ] = None,
    reading: Reading = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Run a sample of the finished runs again, elsewhere, and compare the predictions.",
            rich_help_panel=CHECK,
        ),
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Runs to check.",
            show_default="12; quick ones more often",
            rich_help_panel=CHECK,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Seed of the sample.", show_default="0", rich_help_panel=CHECK),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="Run only the Kth of N equal parts: 2/8.", rich_help_panel=CLUSTER),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who does it: local (this machine), dask (a cluster) or a plug-in's.",
            rich_help_panel=CLUSTER,
        ),
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The cluster's scheduler: tcp://10.0.0.1:8786.",
            rich_help_panel=CLUSTER,
        ),
    ] = None,
) -> None:
    """Run the cells of suites that have no finished and current run yet, then rebuild the leaderboard."""
    from ser_classic import experiment
    from ser_classic.corpora import Reading, load
    from ser_classic.errors import SerClassicError
    from ser_classic.experiment.suites import (
        on_own,
        parse_shard,
        present,
        read_suite,
        select,
        shard_of,
        tables_of,
    )
    from ser_classic.runtime.engines import ENGINES, Request
    from ser_classic.runtime.places import cache_folder, data_folder

    interrupts.stop_soon()
    if verbose:
        _log_to_stderr()
    with options.value_of("--engine"):
        kind = ENGINES[engine]
    for wrong, what in (
        (kind.remote and not scheduler, f"--engine {engine} needs --scheduler ADDRESS"),
        (scheduler and not kind.remote, f"--engine {engine} has no scheduler; another has: --engine dask"),
        (
            scheduler and context.get_parameter_source("jobs").name == "COMMANDLINE",
            "--jobs is for this machine; a cluster has as many as it has workers",
        ),
        (
            check and (own is not None or reading != Reading() or shard or again or keep_stale),
            "--check goes with suites, --corpus, --protocol, --features, --model, --sample and --seed",
        ),
        (not check and (sample is not None or seed is not None), "--sample and --seed go with --check"),
        (again and keep_stale, "give --again or --keep-stale, not both"),
        (
            own is None and reading != Reading(),
            "--map, --drop, --speaker, --map-speaker, --channel and --labels go with --own",
        ),
        (not check and not suites, "name one or more suites"),
    ):
        if wrong:
            raise typer.BadParameter(what)
    with options.value_of("--shard"):
        part = parse_shard(shard or "1/1")
    only = {"corpus": corpus, "protocol": protocol, "features": features, "model": model}
    listed = {name: file for suite in suites or () for name, file in tables_of(suite).items()}
    context.with_resource(options.brought(tables, listed))
    cells = [cell for suite in suites or () for cell in read_suite(suite)]
    cache = cache_folder(cache).absolute()
    opened = kind.open(Request(cache, data_folder(data).absolute(), jobs, scheduler))
    if check:
        with opened as workers:
            return checks.check(cells or None, only, sample or 12, seed or 0, results, data, cache, workers)
    brought = {}
    if own is not None:
        loaded = load(own, data, cache, reading)
        brought = {loaded.corpus.name: loaded}
        cells = on_own(cells, loaded.corpus.name)
    options.require_used(tables, (cell.features for cell in cells))
    with options.value_of("--corpus, --protocol, --features or --model"):
        cells = select(cells, **only)
    cells, notices = present(shard_of(cells, *part), data, set(brought))
    for notice in notices:
        _tell(notice)
    if corpus and notices and not cells:
        raise SerClassicError("nothing was done: of the corpora named with --corpus none is at hand")
    with opened as workers:
        outcome = experiment.bench(cells, results, data, cache, workers, again, brought, keep_stale)
    _conclude(outcome, results, cache)


def _conclude(outcome: Outcome, results: Path, cache: Path) -> None:
    """Say what was done, bring the leaderboard up to date and show the best; exit code 1 if a run failed."""
    from rich.console import Console

    from ser_classic.report import write
    from ser_classic.report.text import best_in_terminal, counted

    for problem in outcome.problems:
        _tell(problem)
    kept = f"{len(outcome.kept)} kept" + (f" ({len(outcome.stale)} of them stale)" if outcome.stale else "")
    print(f"{counted(len(outcome.done), 'run')} done, {kept}, {len(outcome.failed)} failed")
    best = best_in_terminal(write(results, _tell, cache=cache))
    if best:
        Console().print(best)
    print(f"leaderboard: {results / 'leaderboard.md'}")
    if outcome.failed:
        raise typer.Exit(1)


def report(
    results: options.Results = Path("results"),
    readme: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also put the best systems between the marks in this file."),
    ] = None,
    cache: options.Cache = None,
) -> None:
    """Rebuild the leaderboard and the figures from the stored runs, and show the leaderboard."""
    from rich.console import Console

    from ser_classic import store
    from ser_classic.errors import SerClassicError
    from ser_classic.report import terminal, write
    from ser_classic.report.dimensions import dimension_board, tables_of
    from ser_classic.report.text import best_in_terminal, put_into

    if not store.folders(results) and not store.folders(results / store.DIMENSIONS):
        raise SerClassicError(
            f"{results}: there are no results; bench makes them, or name another with --results"
        )
    board = write(results, _tell, cache=cache)
    if readme:
        put_into(readme, board)
    numbers = [table.terminal() for table in tables_of(dimension_board(results))]
    if len(board) or not numbers:
        Console().print(terminal(board), best_in_terminal(board) or "")
    for table in numbers:
        Console().print(table)


def _log_to_stderr() -> None:
    import logging

    class Lines(logging.Handler):
        """To stderr as it is when a line comes: a progress bar moves out of the way."""

        def emit(self, record: logging.LogRecord) -> None:
            print(self.format(record), file=sys.stderr)

    lines = Lines()
    lines.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("ser_classic")
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)


def _tell(problem: str) -> None:
    print(problem, file=sys.stderr)
