"""Listening: emotions of a recording while it comes in, the same as of its windows afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ser_classic import audio
from ser_classic.predictor.core import Predictor, tabled
from ser_classic.predictor.describing import Describer
from ser_classic.predictor.windows import Span, Stream

if TYPE_CHECKING:
    import pandas as pd

NAME = "microphone"  # of the recording, in answers
FLOOR = -60.0  # [dB re full scale]; where a level meter begins


class Listener:
    """Answers window by window to a recording that comes in blocks of any size.

    The predictor has to be of the blind track: an adapted one needs all recordings of a speaker first.
    `window` and `hop` [s] and `min_confidence` are as in `Predictor.predict`.
    """

    def __init__(
        self,
        predictor: Predictor,
        rate: int,
        window: float = 3.0,
        hop: float | None = None,
        min_confidence: float = 0.0,
    ) -> None:
        predictor.require(min_confidence=min_confidence)
        self.predictor = predictor
        self.rate = rate
        self.min_confidence = min_confidence
        self.level = FLOOR  # [dB re full scale] of the last block
        self.seconds = 0.0  # heard so far
        self._describer = Describer(predictor.features)
        self._stream = Stream(rate, window, hop)

    def push(self, block: np.ndarray) -> pd.DataFrame:
        """Answers to the windows that a block [shape=(n,) or (n, channels)] completes; often none."""
        block = np.asarray(block, dtype=np.float32)
        if block.ndim > 1:
            block = audio.mono(block, self.predictor.channel, NAME)
        self.seconds += len(block) / self.rate
        self.level = level(block)
        return self._answers(self._stream.push(block))

    def close(self) -> pd.DataFrame:
        """The answer to what the windows so far left over at the end; none where nothing is left."""
        return self._answers(self._stream.close())

    def _answers(self, windows: Iterable[tuple[Span, np.ndarray]]) -> pd.DataFrame:
        described = [self._describer.piece(NAME, waveform, self.rate, span) for span, waveform in windows]
        return tabled(self.predictor.answer(described, min_confidence=self.min_confidence))


def level(block: np.ndarray) -> float:
    """Root mean square of a block [shape=(n,)], in dB re full scale; no lower than -60."""
    power = float(np.mean(np.square(block, dtype=np.float64))) if len(block) else 0.0
    return max(FLOOR, 10 * np.log10(power)) if power > 0 else FLOOR
