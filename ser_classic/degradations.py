"""Degradations: what happens to a recording on its way, to test on what a system was not trained on.

Each acts on a waveform at 16 kHz, the rate of all feature sets here, and is the same for the same clip: what
is random is drawn from the clip's name. What a coder leaves depends on the version of libsndfile as well.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.registry import Registry

RATE = 16_000  # [Hz]
TELEPHONE = (300, 3400)  # [Hz], ITU-T G.712
SILENCE = 1.0  # [s]

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Degradation:
    """A named way of spoiling a recording.

    Attributes
    ----------
    name : str
    kind, level : str
        What is done, and how much of it, for tables and figures.
    change : callable (waveform [shape=(n,)] at 16 kHz, generator) -> waveform [shape=(m,)]
    version : int
        Raised whenever it does something else, so that no features of old audio are used.
    coder : bool
        Whether libsndfile has a part in it.
    """

    name: str
    kind: str
    level: str
    change: Change
    version: int = 1
    coder: bool = False

    @property
    def key(self) -> str:
        """All that the degraded waveform of a clip depends on: for the cache, and for the record of a run."""
        if not self.coder:
            return f"{self.name}.{self.version}"
        import soundfile

        return f"{self.name}.{self.version}.libsndfile-{soundfile.__libsndfile_version__}"

    def __call__(self, waveform: np.ndarray, clip: str) -> np.ndarray:
        """The degraded waveform [shape=(m,), dtype=float32] of one at 16 kHz [shape=(n,)].

        Raises
        ------
        SerClassicError
            The coder is lacking here.
        """
        random = np.random.default_rng(zlib.crc32(f"{self.name}:{clip}".encode()))
        return self.change(np.asarray(waveform, dtype=np.float64), random).astype(np.float32)


def noise(waveform: np.ndarray, random: np.random.Generator, ratio: float) -> np.ndarray:
    """White Gaussian noise added, at a ratio of the clip's mean power to its own [dB]."""
    added = random.normal(size=len(waveform))
    wanted = np.mean(waveform**2) / 10 ** (ratio / 10)
    return waveform + added * np.sqrt(wanted / np.mean(added**2))


def telephone(waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What a telephone passes on: sampled at 8 kHz, 300 to 3400 Hz."""
    from scipy.signal import butter, sosfiltfilt

    low = audio.resample(waveform, RATE, 8000)
    band = butter(4, TELEPHONE, "bandpass", fs=8000, output="sos")
    passed = sosfiltfilt(band, low, padlen=min(100, len(low) - 1))
    return audio.resample(passed, 8000, RATE)


def coded(waveform: np.ndarray, random: np.random.Generator, **coder: str | float) -> np.ndarray:
    """What is left of a waveform after a coder at low rate.

    Raises
    ------
    SerClassicError
        The installed libsndfile does not write this format.
    """
    import soundfile

    file = io.BytesIO()
    peak = max(1.0, float(np.abs(waveform).max()))
    try:
        soundfile.write(file, waveform / peak, RATE, **coder)  # type: ignore[arg-type]
    except (soundfile.SoundFileError, ValueError) as error:
        raise SerClassicError(
            f"libsndfile {soundfile.__libsndfile_version__} does not write {coder['format']}/"
            f"{coder['subtype']} ({error}); install a newer soundfile: pip install -U soundfile"
        ) from error
    file.seek(0)
    return peak * soundfile.read(file)[0]


def gain(waveform: np.ndarray, random: np.random.Generator, level: float) -> np.ndarray:
    """Louder or fainter by a level [dB]."""
    return waveform * 10 ** (level / 20)


def clipped(waveform: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    """Amplified until this share of the samples exceeds full scale, and cut off there."""
    scale = np.quantile(np.abs(waveform), 1 - share)
    return np.clip(waveform / scale, -1, 1) if scale > 0 else np.sign(waveform)


def silence(waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A second of silence before and one after it."""
    return np.pad(waveform, int(SILENCE * RATE))


DEGRADATIONS: Registry[Degradation] = Registry(
    "degradations",
    [
        Degradation("noise20", "white noise", "20 dB", partial(noise, ratio=20.0)),
        Degradation("noise10", "white noise", "10 dB", partial(noise, ratio=10.0)),
        Degradation("noise0", "white noise", "0 dB", partial(noise, ratio=0.0)),
        Degradation("telephone", "telephone", "300-3400 Hz", telephone),
        # At 16 kHz some 18 and 21 kbit/s.
        Degradation(
            "mp3",
            "coding",
            "MP3",
            partial(
                coded, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE", compression_level=0.8
            ),
            coder=True,
        ),
        Degradation("opus", "coding", "Opus", partial(coded, format="OGG", subtype="OPUS"), coder=True),
        Degradation("faint", "gain", "-20 dB", partial(gain, level=-20.0)),
        Degradation("clipped", "clipping", "10 %", partial(clipped, share=0.1)),
        Degradation("silence", "silence around", "1 s", silence),
    ],
)
