"""Predictor: a fitted model as plain arrays with all that a prediction needs, from recordings to emotions.

`saving` puts one into a single file and reads it back, `freezing` makes its machine of a fitted pipeline,
`familiarity` tells what is unlike all that it was fitted on, `fitting` makes one from corpora, `cards` tells
what it is, `windows` cuts long recordings.
"""

from ser_classic.predictor.core import Predictor, load_predictor
from ser_classic.predictor.saving import how_to_make, load_pipeline, read_card

__all__ = ["Predictor", "how_to_make", "load_pipeline", "load_predictor", "read_card"]
