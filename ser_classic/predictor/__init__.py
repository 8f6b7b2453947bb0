"""Predictor: a fitted pipeline with all that a prediction needs, from recordings to emotions.

`saving` puts one into a single file and reads it back, `reader` is the only way in for what such a file
holds, `fitting` makes one from corpora, `cards` tells what it is, `windows` cuts long recordings.
"""

from ser_classic.predictor.core import Predictor, load_predictor
from ser_classic.predictor.errors import PredictorError
from ser_classic.predictor.saving import read_card

__all__ = ["Predictor", "PredictorError", "load_predictor", "read_card"]
