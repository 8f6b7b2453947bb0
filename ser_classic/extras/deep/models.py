"""Models: networks trained from scratch, most of them on sequences of frames."""

from __future__ import annotations

from functools import partial
from typing import Any

from ser_classic.extras.deep.features import SEQUENCES
from ser_classic.models import Estimator, Model


def _network(network: str, sequence: bool = True, **options: Any) -> Estimator:
    path = "ser_classic.extras.deep.estimator.DeepClassifier"
    return Estimator(path, seeded=True, network=network, options=options, sequence=sequence)


_MODEL = partial(Model, scale=False, library="torch", extra="deep")
_OF_SEQUENCES = partial(_MODEL, takes=SEQUENCES)

LSTM = _OF_SEQUENCES("lstm", "two LSTM layers", _network("lstm"))
BILSTM = _OF_SEQUENCES(
    "bilstm", "two bidirectional LSTM layers", _network("lstm", bidirectional=True, units=64, dropout=0.3)
)
GRU = _OF_SEQUENCES("gru", "two GRU layers", _network("gru"))
CNN1D_FRAMES = _OF_SEQUENCES("cnn1d_frames", "convolutions over time", _network("convolutional"))
CNN_BIGRU_ATTENTION = _OF_SEQUENCES(
    "cnn_bigru_attention", "convolutions, bidirectional GRU, attention over time", _network("attention")
)
LSTM_VECTOR = _MODEL(
    "lstm_vector",
    "two LSTM layers that read a vector feature by feature",
    _network("lstm", sequence=False),
)
CNN1D = _MODEL(
    "cnn1d",
    "convolutions over the features of a vector",
    _network("convolutional", sequence=False, flatten=True),
)
