"""The command line: parses, calls one function of the library, prints."""

from __future__ import annotations

import errno
import logging
import os
import sys
from typing import Annotated

import typer

from ser_classic import __version__
from ser_classic.cli import (
    bench,
    corpora,
    explore,
    external,
    features,
    installation,
    interrupts,
    listing,
    predict,
    predictors,
    runs,
)
from ser_classic.cli.commands import Commands, Group
from ser_classic.cli.printing import tell, without_controls
from ser_classic.errors import SerClassicError
from ser_classic.runtime.workers import THREADS

MENDABLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
)

app = Group(
    "bench quick --results quick",
    "predict a.wav",
    "fit synthetic --features pooled --model svm_rbf -o m.skops",
    name="ser-classic",
    cls=Commands,
)
app.add_typer(corpora.app, name="corpora")
app.add_typer(features.app, name="features")
app.add(
    bench.bench,
    "bench quick --results quick",
    "bench classic flagship --corpus ravdess --model svm_rbf",
    "bench quick --own mine.csv --results mine",
)
app.add(runs.report, "report", "report --results mine")
app.add(
    runs.compare,
    "compare ravdess--emobox--flagship--fusion--0 ravdess--emobox--classic193--svm_rbf--0",
)
app.add_typer(runs.app, name="results")
app.add(external.folds, "folds ravdess emobox --output folds.csv", "folds mine.csv loso --output folds.csv")
app.add(external.score, "score cnn.csv --corpus ravdess --protocol emobox --name 'my CNN'")
app.add(
    predictors.fit,
    "fit synthetic --features pooled --model svm_rbf -o m.skops",
    "fit mine.csv --features flagship --model fusion -o mine.skops",
)
app.add(
    predict.predict,
    "predict a.wav",
    "predict m.skops a.wav b.flac --json",
    "predict m.skops 'calls/**/*.wav' > emotions.txt",
    "predict call.wav --segments --channel each",
)
app.add(predictors.card, "card", "card m.skops --json")
app.add(predictors.export, "export m.skops --output m.onnx")
app.add(explore.explore, "explore ravdess", "explore a.wav --output a")
app.add(listing.list_names, "list", "list suites", "list models --json", name="list")
app.add(installation.cache, "cache", "cache --clear")
app.add(installation.doctor, "doctor", "doctor --json > doctor.json")


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
    interrupts.interrupt_on_sigterm()
    for name in THREADS:  # before any command imports NumPy, which reads them once
        os.environ.setdefault(name, "1")
    if sys.stdout:  # none where it is closed; a file's name may hold what its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.lastResort.setFormatter(logging.Formatter("ser-classic: %(message)s"))  # like `tell`
    try:
        app()
    except SerClassicError as error:
        print(f"ser-classic: {without_controls(str(error))}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in MENDABLE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        tell(f"{place}{error.strerror}; what was finished is kept")
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == interrupts.INTERRUPTED:
            interrupts.tell_once()
        raise
    finally:
        interrupts.end_on_second_interrupt()
