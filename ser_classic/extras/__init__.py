"""Plug-ins that come with the package; each needs optional libraries, and imports them when it is used.

They enter the tables like those of other packages, and use the same modules (`tests/test_floors.py`). They
are listed here because a development installation does not update its metadata.
"""

from __future__ import annotations

ENTRY_POINTS = {
    "commands": ("ser_classic.extras.listen.command:LISTEN", "ser_classic.extras.app.command:APP"),
    "features": tuple(
        f"ser_classic.extras.deep.features:{name}"
        for name in ("MFCC_SEQUENCE", "MFCC_RMS_ZCR_SEQUENCE", "LOGMEL_SEQUENCE", "CLEAN_SEQUENCE")
    ),
    "models": tuple(
        f"ser_classic.extras.deep.models:{name}"
        for name in ("LSTM", "BILSTM", "GRU", "CNN1D_FRAMES", "CNN_BIGRU_ATTENTION", "LSTM_VECTOR", "CNN1D")
    ),
    "parts": ("ser_classic.extras.deep.estimator:Network",),
    "engines": ("ser_classic.extras.cluster:DASK",),
}
