"""The models of the plug-in: networks trained from scratch, most of them on sequences of frames."""

from __future__ import annotations

from functools import partial
from typing import Any

from ser_classic.extras.deep.features import SEQUENCES
from ser_classic.models import Model


def _network(seed: int, network: str, sequence: bool = True, **options: Any) -> Any:
    from ser_classic.extras.deep.estimator import DeepClassifier

    return DeepClassifier(network, options, sequence, random_state=seed)


_MODEL = partial(Model, scale=False, search="early", library="torch", extra="deep")
_OF_SEQUENCES = partial(_MODEL, takes=SEQUENCES)

LSTM = _OF_SEQUENCES("lstm", "two LSTM layers", partial(_network, network="lstm"))
BILSTM = _OF_SEQUENCES(
    "bilstm",
    "two bidirectional LSTM layers",
    partial(_network, network="lstm", bidirectional=True, units=64, dropout=0.3),
)
GRU = _OF_SEQUENCES("gru", "two GRU layers", partial(_network, network="gru"))
CNN1D_FRAMES = _OF_SEQUENCES(
    "cnn1d_frames", "convolutions over time", partial(_network, network="convolutional")
)
CNN_BIGRU_ATTENTION = _OF_SEQUENCES(
    "cnn_bigru_attention",
    "convolutions, bidirectional GRU, attention over time",
    partial(_network, network="attention"),
)
LSTM_VECTOR = _MODEL(
    "lstm_vector",
    "two LSTM layers that read a vector feature by feature",
    partial(_network, network="lstm", sequence=False),
)
CNN1D = _MODEL(
    "cnn1d",
    "convolutions over the features of a vector",
    partial(_network, network="convolutional", sequence=False, flatten=True),
)
