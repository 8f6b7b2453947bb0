"""The predictor that comes with the package: four emotions, for real voices from outside its corpora.

It was fitted on RAVDESS and EMO-DB by `benchmarks/built_in.py`, and its licence is not that of the code.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path

from ser_classic.predictor.core import Predictor, load_predictor

NAME = "voices.skops"
NOTICE = (
    "no model named, so the built-in one answers: four emotions, fitted on RAVDESS and EMO-DB (actors), not "
    "for commercial use"
)


def load() -> Predictor:
    """Load the predictor."""
    with file() as path:
        return load_predictor(path)


def file() -> AbstractContextManager[Path]:
    """Context manager for the path of its file."""
    return as_file(files("ser_classic") / "data" / NAME)
