"""The predictor that comes with the package: four emotions, for real voices from outside its corpora.

It was fitted on RAVDESS and EMO-DB by `benchmarks/built_in.py`, and its licence is not that of the code.
"""

from __future__ import annotations

from pathlib import Path

from ser_classic.predictor.core import Predictor, load_predictor

NAME = "voices.skops"
FILE = Path(__file__).parent.parent / "data" / NAME
NOTICE = (
    "no model named, so the built-in one answers: four emotions, fitted on RAVDESS and EMO-DB (actors), not "
    "for commercial use"
)


def load() -> Predictor:
    """Load the predictor."""
    return load_predictor(FILE)
