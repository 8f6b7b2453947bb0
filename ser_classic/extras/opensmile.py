"""Functionals of openSMILE, an optional library, free for research and education only; its only importer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ser_classic.registry import need

SHORTEST = 0.06  # [s]; the longest frame of both sets, that of the pitch: of less openSMILE makes NaN
LOUDEST = 1 - 2**-15  # openSMILE is given 16 bits, and what exceeds them would wrap around


@dataclass(frozen=True)
class OpenSmile:
    """Extractor: the functionals of a set of openSMILE, an optional library (the extra `opensmile`).

    openSMILE is free for research, teaching and personal use. A product needs a commercial licence of its
    makers, also one that only uses models or features that were made with it.

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
        """Name of every feature, openSMILE's own."""
        return tuple(_smile(self.feature_set).feature_names)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,), dtype=float32] of a waveform [shape=(n,)] at a sample rate [Hz].

        Equal to `opensmile.Smile(feature_set, "func").process_signal(waveform, sample_rate)`, of a waveform
        that is clipped at full scale and, if shorter than 60 ms, followed by zeros up to there.
        """
        missing = max(0, round(SHORTEST * sample_rate) - len(waveform))
        waveform = np.pad(np.clip(waveform, -1, LOUDEST).astype(np.float32), (0, missing))
        return _smile(self.feature_set)(waveform, sample_rate)[0, :, 0]


@lru_cache(maxsize=8)
def _smile(feature_set: str) -> Any:
    library = need("opensmile", extra="opensmile")
    return library.Smile(library.FeatureSet[feature_set], library.FeatureLevel.Functionals, num_workers=1)
