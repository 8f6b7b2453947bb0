"""`ser-classic bench`: run suites and draw the leaderboard, or check stored runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import interrupts, options
from ser_classic.cli.options import option
from ser_classic.cli.printing import show, tell
from ser_classic.errors import SerClassicError, counted
from ser_classic.runtime.files import cache_folder, data_folder
from ser_classic.runtime.progress import busy
from ser_classic.tables import share

if TYPE_CHECKING:
    from ser_classic.experiment.bench import Outcome
    from ser_classic.experiment.checking import Check

WHICH = "Which of the suites' runs"  # panels of the help
CHECK = "Check finished runs"
CLUSTER = "Several machines"
ONLY = "Run only this; repeatable."
NEEDS = {"--sample": ["--check"], "--seed": ["--check"]}
NEEDS |= {each.names.partition(" ")[0]: ["--own"] for each in options.READING.values()}
EXCLUSIVE = [["--again", "--keep-stale"], ["--scheduler", "--jobs"]]
EXCLUSIVE += [["--check", other] for other in ("--own", "--shard", "--again", "--keep-stale")]
VERDICTS = {
    "same": "same",
    "libraries": "different, with other libraries",
    "machine": "different, on another machine",
    "differs": "DIFFERS",
}


@options.reads_corpus
def bench(
    context: typer.Context,
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            help="Suites by name (`ser-classic list suites`), or TOML files.",
            show_default="with --check: all runs",
            autocompletion=options.SUITES,
        ),
    ] = None,
    jobs: options.Jobs = options.CORES,
    tables: options.Tables = None,
    verbose: Annotated[
        bool, option("--verbose -v", "Log every fold; with --jobs 1, also every epoch of a network.")
    ] = False,
    corpus: Annotated[list[str] | None, option("--corpus NAME", ONLY, WHICH)] = None,
    protocol: Annotated[
        list[str] | None, option("--protocol NAME", f"{ONLY} With --own, any protocol.", WHICH)
    ] = None,
    features: Annotated[list[str] | None, option("--features NAME", ONLY, WHICH)] = None,
    model: Annotated[list[str] | None, option("--model NAME", ONLY, WHICH)] = None,
    again: Annotated[bool, option("--again", "Also repeat finished runs.", WHICH)] = False,
    keep_stale: Annotated[
        bool, option("--keep-stale", "Keep finished runs whose parameters have changed since.", WHICH)
    ] = False,
    results: options.Results = Path("results"),
    own: Annotated[
        str | None,
        option("--own PATH", "Run what suites list for `synthetic` on this table or folder.", options.OWN),
    ] = None,
    access: options.Access = None,
    check: Annotated[
        bool, option("--check", "Repeat a sample of finished runs and compare the predictions.", CHECK)
    ] = False,
    sample: Annotated[
        int | None,
        option("--sample N", "Number of runs.", CHECK, min=1, show_default="12; quick ones more often"),
    ] = None,
    seed: Annotated[
        int | None, option("--seed N", "Seed of the sample.", CHECK, min=0, show_default="0")
    ] = None,
    shard: Annotated[
        str | None, option("--shard K/N", "Run only the Kth of N equal parts, as in 2/8.", CLUSTER)
    ] = None,
    engine: Annotated[
        str, option("--engine NAME", "local (this machine), dask (a cluster) or that of a plug-in.", CLUSTER)
    ] = "local",
    scheduler: Annotated[
        str | None,
        option("--scheduler ADDRESS", "Scheduler of the cluster, as in tcp://10.0.0.1:8786.", CLUSTER),
    ] = None,
) -> None:
    """Run benchmark suites and update the leaderboard.

    Finished runs are kept: after an interruption, the same command continues.
    """
    with busy("starting"):
        from ser_classic.experiment import checking
        from ser_classic.experiment import suites as known
        from ser_classic.experiment.bench import bench as run_cells
        from ser_classic.features.tables import bring
        from ser_classic.runtime.engines import ENGINES

    interrupts.stop_soon()
    if verbose:
        lines = logging.lastResort  # looks up stderr for each line: a progress bar replaces it
        lines.setLevel(logging.INFO)
        lines.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logging.getLogger("ser_classic").addHandler(lines)
        logging.getLogger("ser_classic").setLevel(logging.INFO)
    kind = ENGINES[engine]
    options.check(context, NEEDS, EXCLUSIVE)
    options.refuse(kind.remote and not scheduler, f"--engine {engine} needs --scheduler ADDRESS")
    options.refuse(
        scheduler and not kind.remote, f"--engine {engine} takes no --scheduler; use --engine dask"
    )
    options.refuse(
        not (check or suites), "name a suite, such as quick; list them with: ser-classic list suites"
    )
    part = known.parse_shard(shard or "1/1")
    files = options.named_files(tables)
    context.with_resource(bring(known.tables_of(suites or ()) | files))
    cells = [cell for suite in suites or () for cell in known.read_suite(suite)]
    yours = {}
    if own is not None:
        loaded = access.load(own)
        yours = {loaded.corpus.name: loaded}
        cells = known.on_own_corpus(cells, loaded.corpus.name, protocol)
    only = {"corpus": corpus, "protocol": protocol, "features": features, "model": model}
    data, cache = data_folder(access.data), cache_folder(access.cache).absolute()
    workers = kind.open(cache, data.absolute(), jobs, scheduler)
    if check:
        stored = checking.finished(results, cells)
        options.require_used(files, (cell.features for cell in stored))
        stored = {cell: stored[cell] for cell in known.select([*stored], **only)}
        with workers as running:
            found = checking.check(stored, sample or 12, seed or 0, data, cache, running)
        return _show_check(results, found)
    options.require_used(files, (cell.features for cell in cells))
    cells, notices = known.runnable(known.shard_of(known.select(cells, **only), *part), yours, data)
    for notice in notices:
        tell(notice)
    if corpus and notices and not cells:
        raise SerClassicError("nothing was done: none of the corpora named with --corpus was found")
    with workers as running:
        outcome = run_cells(cells, results, data, cache, running, again, yours, keep_stale)
    _show_outcome(results, cache, outcome)


def _show_outcome(results: Path, cache: Path, outcome: Outcome) -> None:
    """Say what was run, update the leaderboard and show the best runs; exit code 1 if a run failed."""
    from ser_classic.report import systems, write
    from ser_classic.report.text import BEST, best_systems

    for line in "\n".join(outcome.problems).splitlines():
        tell(line.strip())
    kept = f"{len(outcome.kept)} kept" + (f" ({len(outcome.stale)} of them stale)" if outcome.stale else "")
    print(f"{counted(len(outcome.done), 'run')} done, {kept}, {len(outcome.failed)} failed")
    board, _ = write(results, tell, cache=cache)
    best = best_systems(systems(board), BEST)
    if best.rows:
        show(best)
    print(f"leaderboard: {results / 'leaderboard.md'}")
    if outcome.failed:
        raise typer.Exit(1)


def _show_check(results: Path, found: Check) -> None:
    """Print how repeated runs compare with the stored ones; exit code 1 if one differs."""
    for each in found.compared:
        outcome = each.why
        if each.tested:
            outcome = f"{each.turned} of {each.tested} predictions differ"
            outcome += "" if each.apart is None else f", probabilities within {share(each.apart)}"
            outcome += f" ({each.why})" if each.why else ""
        print(f"{each.id}: {VERDICTS[each.verdict]}: {outcome}")
    for reason, count in found.unchecked.items():
        print(f"not checked: {counted(count, 'run')}: {reason}")
    if not found.compared:
        raise SerClassicError(
            f"{results}: nothing was checked, for the reasons above; repeat runs on a corpus of your "
            "own with: ser-classic bench SUITE --own PATH --again"
        )
    verdicts = [each.verdict for each in found.compared]
    counts = "; ".join(f"{verdicts.count(verdict)} {shown}" for verdict, shown in VERDICTS.items())
    print(f"{len(found.compared)} of {found.checkable} runs checked: {counts}")
    if not found.passed:
        raise typer.Exit(1)
