"""Predictor: a fitted model as plain arrays, with all that it needs to go from recordings to emotions.

`fitting` makes one from corpora, `freezing` turns its fitted pipeline into plain arrays, `saving` writes it
to a file and reads it back, `familiarity` measures how far a recording is from the training clips, `cards`
describes the predictor, and `cutting` cuts long recordings into windows or utterances.
"""

from ser_classic.predictor.core import BUILT_IN, BUILT_IN_NOTICE, Predictor, load_predictor
from ser_classic.predictor.saving import how_to_make, load_pipeline, read_card

__all__ = [
    "BUILT_IN",
    "BUILT_IN_NOTICE",
    "Predictor",
    "how_to_make",
    "load_pipeline",
    "load_predictor",
    "read_card",
]
