"""The command line: parses, calls one function of the library, prints."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from ser_classic import __version__
from ser_classic.cli import (
    bench,
    compare,
    corpora,
    explore,
    export,
    features,
    folds,
    interrupts,
    predict,
    results,
    score,
)
from ser_classic.cli.commands import Commands
from ser_classic.errors import SerClassicError
from ser_classic.runtime.workers import THREADS

MENDABLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
)

app = typer.Typer(
    name="ser-classic",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(corpora.app, name="corpora")
app.add_typer(features.app, name="features")
app.command("bench")(bench.bench)
app.command("report")(bench.report)
app.command("compare")(compare.compare)
app.add_typer(results.app, name="results")
app.command("folds")(folds.folds)
app.command("score")(score.score)
app.command("fit")(predict.fit)
app.command("predict")(predict.predict)
app.command("card")(predict.card)
app.command("export")(export.export)
app.command("explore")(explore.explore)


def _show(version: bool) -> None:
    if version:
        print(f"ser-classic {__version__}")
        raise typer.Exit


@app.callback()
def first(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show)
    ] = False,
) -> None:
    """Speech emotion recognition with classical machine learning, evaluated speaker-independently."""


def main() -> None:
    """Run the command line; an error that a user can mend is one message on stderr and exit code 1."""
    for name in THREADS:  # before any command imports NumPy, which reads them once
        os.environ.setdefault(name, "1")
    if sys.stdout:  # none where it is closed; a file's name may hold what its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except SerClassicError as error:
        print(f"ser-classic: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in MENDABLE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        print(f"ser-classic: {place}{error.strerror}; what was finished is kept", file=sys.stderr)
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == interrupts.INTERRUPTED:
            interrupts.say()
        raise
    finally:
        interrupts.leave()
