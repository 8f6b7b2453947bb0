"""Functionals of openSMILE, which is free for research and education only; its only importer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ser_classic.registry import need

SHORTEST = 0.06  # [s]; the longest frame, that of the pitch: for less openSMILE gives NaN
LOUDEST = 1 - 2**-15  # openSMILE takes 16 bits, and anything louder would wrap around


@dataclass(frozen=True)
class OpenSmile:
    """Extractor: the functionals of a set of openSMILE (the extra `opensmile`).

    openSMILE is free for research, teaching and personal use. A product needs a commercial licence from its
    makers, even if it only uses models or features made with it.

    Attributes
    ----------
    feature_set : str
        As `opensmile.FeatureSet` names it: `eGeMAPSv02` (88; Eyben et al., "The Geneva Minimalistic Acoustic
        Parameter Set", IEEE Transactions on Affective Computing 7, 2016), `ComParE_2016` (6373; Schuller et
        al., "The INTERSPEECH 2016 Computational Paralinguistics Challenge"), or another.
    """

    feature_set: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every feature, as in openSMILE."""
        return tuple(_smile(self.feature_set).feature_names)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,), dtype=float32] of a waveform [shape=(n,)] at a sample rate [Hz].

        Equal to `opensmile.Smile(feature_set, "func").process_signal(waveform, sample_rate)` for a waveform
        clipped at full scale and padded with zeros to at least 60 ms.
        """
        missing = max(0, round(SHORTEST * sample_rate) - len(waveform))
        waveform = np.pad(np.clip(waveform, -1, LOUDEST).astype(np.float32), (0, missing))
        return _smile(self.feature_set)(waveform, sample_rate)[0, :, 0]


@lru_cache(maxsize=8)
def _smile(feature_set: str) -> Any:
    library = need("opensmile", extra="opensmile")
    return library.Smile(library.FeatureSet[feature_set], library.FeatureLevel.Functionals, num_workers=1)
