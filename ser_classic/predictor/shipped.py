"""The predictors that come with the package: four emotions, for real voices that it has never heard.

They were fitted on RAVDESS and EMO-DB, degraded copies included, and tested on corpora that took no part.
`python -m ser_classic.predictor.shipped FOLDER` fits them again, to the byte with the same versions.
"""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path

from ser_classic.predictor.core import Predictor, load_predictor

CORPORA = ("ravdess", "emodb")
EMOTIONS = ("angry", "happy", "neutral", "sad")
FEATURES, MODEL, COPIES = "functionals", "ridge_linear", 2
NAMES = {False: "voices.skops", True: "voices_adapted.skops"}  # by whether it is adapted
LICENCE = (
    "CC BY-NC-SA 4.0, as RAVDESS (Livingstone and Russo 2018), on which it was fitted: not for commercial "
    "use. EMO-DB is CC0. The licence of the code is another, MIT"
)
PURPOSE = "a first answer on recordings of any kind; for your own kind of recordings, fit one on such"
NOTICE = (
    "no model named, so the package's own answers: four emotions, fitted on RAVDESS and EMO-DB (actors), not "
    "for commercial use"
)
MADE = "2026-11-28"  # the same for whoever makes them again


def load(adapted: bool = False) -> Predictor:
    """The predictor for single recordings, or the one for several of one speaker."""
    with as_file(files("ser_classic") / "data" / NAMES[adapted]) as path:
        return load_predictor(path)


def make(folder: Path, data: Path | None = None, cache: Path | None = None, jobs: int = 1) -> None:
    """Fit both on the corpora under `data` and write them into a folder.

    Raises
    ------
    SerClassicError
        A corpus is not there, or the folder cannot be written.
    """
    from ser_classic.predictor.fitting import fit

    for adapted, name in NAMES.items():
        predictor = fit(
            CORPORA,
            FEATURES,
            MODEL,
            adapted=adapted,
            evaluate=False,
            copies=COPIES,
            emotions=EMOTIONS,
            across=True,
            facts={"Licence": LICENCE, "Purpose": PURPOSE},
            data=data,
            cache=cache,
            jobs=jobs,
        )
        predictor.card["created"] = MADE
        predictor.save(folder / name)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
