"""Voice: 94 low-level descriptors of a recording, each a contour over the same 10 ms frames.

`frames` cuts the recording, `spectral` describes its spectrum, `pitch`, `formants` and `source` its voice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ser_classic.audio import check, resample
from ser_classic.features.voice import formants, pitch, source, spectral
from ser_classic.features.voice.frames import HOP, RATE, cut, limited

VOICE = ("f0", "strength", "hnr", "cpp", "h1h2", "h1h3", "h1a1", "h1a3", "f1", "f2", "f3", "b1", "b2")
DESCRIPTORS = (
    *(f"mfcc_{n:02d}" for n in range(spectral.MFCCS)),
    *(f"mel_{n:02d}" for n in range(spectral.MELS)),
    *(f"{name}_00" for name in spectral.SHAPES),
    *(f"{name}_00" for name in VOICE),
)
ROWS = {name: row for row, name in enumerate(DESCRIPTORS)}
FRAME = HOP / RATE  # [s]
PERIODIC = (1 / 11, 1 - 1e-4)  # harmonics-to-noise ratios stay between -10 and 40 dB


@dataclass(frozen=True)
class Voice:
    """The descriptors of a recording.

    Attributes
    ----------
    descriptors : np.ndarray [shape=(94, t), dtype=float32]
        One row for every name in `DESCRIPTORS`; finite everywhere.
    voiced : np.ndarray [shape=(t,), dtype=bool]
    """

    descriptors: np.ndarray
    voiced: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """Contour [shape=(t,)] of a descriptor."""
        return self.descriptors[ROWS[name]]

    def rows(self, names: Iterable[str]) -> np.ndarray:
        """Contours [shape=(n, t)] of descriptors."""
        return self.descriptors[[ROWS[name] for name in names]]


def analyse(waveform: np.ndarray, sample_rate: int) -> Voice:
    """Descriptors of a recording [shape=(n,)] at any sample rate [Hz].

    Raises
    ------
    AudioError
        Nothing to analyse: shorter than 10 ms, constant, NaN or infinite, or an unusable sample rate.
    """
    waveform = resample(check(waveform, sample_rate), sample_rate, RATE)
    frames = cut(waveform)
    check(frames.waveform, RATE, name="waveform without its mean")
    mfcc, mel, shape = spectral.describe(frames)
    tone = pitch.track(frames)
    frequency, bandwidth = formants.track(frames)
    prominence, differences = source.describe(frames, tone.frequency, frequency)
    periodic = limited(tone.strength, *PERIODIC)
    descriptors = np.vstack(
        [
            mfcc,
            mel,
            shape,
            12 * np.log2(tone.frequency / 55),
            tone.strength,
            10 * np.log10(periodic / (1 - periodic)),
            prominence,
            differences,
            np.log(frequency),
            np.log(bandwidth[:2]),
        ],
        dtype=np.float32,
        casting="same_kind",
    )
    return Voice(descriptors, tone.voiced)
