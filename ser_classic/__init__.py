"""Speech emotion recognition with classical machine learning, evaluated speaker-independently.

The names below are the public interface. Each is imported on first use, so that `import ser_classic` is
cheap.

- `load_predictor`, `fit`, `Predictor`: load or fit a predictor, and recognise emotions in recordings
- `load_pipeline`: the scikit-learn pipeline that was saved with a predictor
- `load`, `extract`, `evaluate`, `score`: a corpus, its features, predictions under a protocol, their scores
- `Reading`: how to read a corpus of your own
- `CORPORA`, `FEATURES`, `MODELS`, `PROTOCOLS`, `METRICS`: the tables of named entries
- `SerClassicError`: raised for everything that a user can fix

Examples
--------
From a corpus to a score on unseen speakers:

>>> from ser_classic import FEATURES, evaluate, extract, load, score
>>> root, clips, corpus = load("synthetic")
>>> features = extract(clips, root, FEATURES["mfcc13"])
>>> predictions = evaluate(clips, features, "lda", "speakers5")
>>> score(predictions, clips)["speakers"]
12

The tables, by name:

>>> from ser_classic import CORPORA, METRICS, MODELS, PROTOCOLS
>>> CORPORA["emodb"].licence
'CC0 1.0'
>>> FEATURES["mfcc13"].columns[:2]
('mfcc_00_mean', 'mfcc_01_mean')
>>> MODELS["lda"].pipeline(seed=0).steps[0][0]
'scale'
>>> len(PROTOCOLS["speakers5"].folds(clips))
5
>>> METRICS["uar"](["sad", "sad", "angry"], ["sad", "angry", "angry"])
0.75
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ser_classic.corpora import CORPORA, Reading, load
    from ser_classic.errors import SerClassicError
    from ser_classic.experiment.evaluation import evaluate
    from ser_classic.features import FEATURES
    from ser_classic.features.extraction import extract
    from ser_classic.metrics import METRICS
    from ser_classic.models import MODELS
    from ser_classic.predictor import Predictor, load_pipeline, load_predictor
    from ser_classic.predictor.fitting import fit
    from ser_classic.protocols import PROTOCOLS
    from ser_classic.report import score

# The only copy: the wheel reads it from here, and a test compares CITATION.cff with it
__version__ = "0.1.0"

__all__ = [
    "CORPORA",
    "FEATURES",
    "METRICS",
    "MODELS",
    "PROTOCOLS",
    "Predictor",
    "Reading",
    "SerClassicError",
    "evaluate",
    "extract",
    "fit",
    "load",
    "load_pipeline",
    "load_predictor",
    "score",
]

_HOMES = {
    "CORPORA": "corpora",
    "FEATURES": "features",
    "METRICS": "metrics",
    "MODELS": "models",
    "PROTOCOLS": "protocols",
    "Predictor": "predictor",
    "Reading": "corpora",
    "SerClassicError": "errors",
    "evaluate": "experiment.evaluation",
    "extract": "features.extraction",
    "fit": "predictor.fitting",
    "load": "corpora",
    "load_pipeline": "predictor",
    "load_predictor": "predictor",
    "score": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ser_classic' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ser_classic.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
