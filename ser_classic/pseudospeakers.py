"""Pseudo-speakers: recordings said again by voices that nobody has, to train on more speakers than there are.

The vocal tract is scaled by resampling, as in vocal tract length perturbation (Jaitly and Hinton 2013); pitch
and duration are then set by overlapping the periods of the voice anew (TD-PSOLA; Moulines and Charpentier
1990, "Pitch-synchronous waveform processing techniques for text-to-speech synthesis using diphones", Speech
Communication 9).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from ser_classic import audio
from ser_classic.degradations import RATE

# Raised whenever a pseudo-speaker says something else, also where the tracking of pitch (`voice`) is the
# reason, so that no features of old audio are used.
VERSION = 1
STEP = 80  # [samples], 5 ms: from mark to mark where there is no voice
SEARCH = 0.2  # of a period, to both sides: where the next mark of a voice may lie, as in Praat


@dataclass(frozen=True)
class Manner:
    """How a recording is said again.

    Attributes
    ----------
    formants : float > 0
        Factor on the frequencies of the vocal tract.
    pitch : float [semitones]
        Added to the median.
    range : float > 0
        Factor on the distance from the median [semitones].
    duration : float > 0
        Factor.
    gain : float [dB]
        Of the whole.
    tilt : float
        Coefficient of the sample before, subtracted: above 0 brighter, below 0 duller.
    noise : float [dB]
        Mean power of the voice over that of white noise added.
    """

    formants: float = 1.0
    pitch: float = 0.0
    range: float = 1.0
    duration: float = 1.0
    gain: float = 0.0
    tilt: float = 0.0
    noise: float = np.inf


def manner(speaker: str, clip: str, copy: int) -> Manner:
    """How a clip is said by the pseudo-speaker who stands for its speaker in a copy of the corpus.

    Formants, pitch, range, gain and tilt belong to the pseudo-speaker; pitch and gain differ a little,
    duration and noise altogether, from clip to clip. The same names give the same manner. The ranges were
    set once, about as far as adults differ, and not tuned.
    """
    of_speaker, of_clip = (
        np.random.default_rng(zlib.crc32(f"{kind} in copy {copy}:{name}".encode()))
        for kind, name in (("speaker", speaker), ("clip", clip))
    )
    return Manner(
        formants=float(np.exp(of_speaker.uniform(-0.14, 0.14))),
        pitch=float(of_speaker.uniform(-3, 3) + of_clip.uniform(-0.5, 0.5)),
        range=float(np.exp(of_speaker.uniform(-0.2, 0.2))),
        gain=float(of_speaker.uniform(-4, 4) + of_clip.uniform(-1, 1)),
        tilt=float(of_speaker.uniform(-0.25, 0.25)),
        duration=float(np.exp(of_clip.uniform(-0.12, 0.12))),
        noise=float(of_clip.uniform(30, 50)),
    )


@dataclass(frozen=True)
class PseudoSpeakers:
    """A copy of a corpus in which every speaker has the voice of a pseudo-speaker.

    Attributes
    ----------
    copy : int
        Its number, from 0.
    """

    copy: int

    def tag(self, clip: str, speaker: str) -> str:
        """All that tells this clip's copy from others of the same recording."""
        return f"voice{self.copy}.{VERSION}:{clip}:{speaker}"

    def __call__(self, waveform: np.ndarray, clip: str, speaker: str) -> np.ndarray:
        """A clip [shape=(n,)] at 16 kHz, said again [shape=(m,), dtype=float32].

        Everything random is drawn from the names of the clip and of its speaker.

        Raises
        ------
        AudioError
            As `said`.
        """
        noise = np.random.default_rng(zlib.crc32(f"noise in copy {self.copy}:{clip}".encode()))
        return said(waveform, manner(speaker, clip, self.copy), noise)


def said(waveform: np.ndarray, manner: Manner, random: np.random.Generator) -> np.ndarray:
    """Say a recording at 16 kHz in another manner.

    Parameters
    ----------
    waveform : np.ndarray [shape=(n,)]
    manner : Manner
    random : np.random.Generator
        Of the noise.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32]
        As long as `manner.duration` says, but never too short to be analysed; its mean is 0.

    Raises
    ------
    AudioError
        The waveform is shorter than 10 ms, silent, absurdly loud, or not finite.
    """
    waveform = audio.check(waveform, RATE)
    spoken = _shifted(waveform, manner) if np.ptp(waveform) > 0 else waveform.astype(np.float64)
    spoken[1:] -= manner.tilt * spoken[:-1]
    spoken *= 10 ** (manner.gain / 20)
    if np.isfinite(manner.noise):
        level = np.sqrt(np.mean(spoken**2)) * 10 ** (-manner.noise / 20)
        spoken += level * random.normal(size=len(spoken))
    return spoken.astype(np.float32)


def _shifted(waveform: np.ndarray, manner: Manner) -> np.ndarray:
    """Formants, pitch and duration changed, the level kept [shape=(m,), dtype=float64]."""
    from ser_classic.voice import frames, pitch

    speech = frames.cut(waveform)
    tone = pitch.track(speech)
    # Played faster, everything is higher: formants as wanted, pitch and duration to be set right below.
    source = audio.resample(speech.waveform, round(RATE * manner.formants), RATE).astype(np.float64)
    played = len(waveform) / len(source)
    period = np.zeros(1 + len(waveform) // frames.HOP)
    ratio = np.ones(len(period))
    if tone.voiced.any():
        there = slice(speech.first, speech.first + speech.count)
        octaves = np.log2(tone.frequency)
        middle = np.median(octaves[tone.voiced])
        wanted = middle + manner.pitch / 12 + (octaves - middle) * manner.range
        period[there] = np.where(tone.voiced, RATE / (tone.frequency * played), 0)
        ratio[there] = np.where(tone.voiced, 2**wanted / (tone.frequency * played), 1)
    made = _overlapped(source, manner.duration * played, period, ratio)
    return made * np.sqrt(np.mean(speech.waveform.astype(np.float64) ** 2) / max(np.mean(made**2), 1e-300))


def _overlapped(source: np.ndarray, stretch: float, period: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Two periods around each mark of the source, windowed and added up at new distances.

    Parameters
    ----------
    source : np.ndarray [shape=(n,)]
    stretch : float
        Factor on its duration.
    period, ratio : np.ndarray [shape=(frames,)]
        Period of the source [samples], 0 where it is unvoiced, and the pitch wanted over the source's.
    """
    frame = np.linspace(0, len(period) - 1, len(source) + 1).round().astype(int)  # of every sample
    marks, widths = _marks(source, period, frame)
    reach = int(widths.max())
    padded = np.pad(source, reach)
    count = max(round(audio.SHORTEST * RATE), round(len(source) * stretch))
    made = np.zeros(count + 4 * reach + 1)
    nearest = (marks[1:] + marks[:-1]) / 2
    at = float(marks[0]) * stretch
    while at < count + reach:  # beyond the end, too, or it would be faded out
        index = np.searchsorted(nearest, at / stretch)
        mark, width = int(marks[index]), int(widths[index])
        window = 0.5 + 0.5 * np.cos(np.pi * np.arange(-width, width + 1) / width)
        first = 2 * reach + round(at) - width
        made[first : first + len(window)] += padded[reach + mark - width :][: len(window)] * window
        at += width / ratio[frame[mark]]
    return made[2 * reach : 2 * reach + count]


def _marks(source: np.ndarray, period: np.ndarray, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One mark a period, where it resembles the one before most; one each 5 ms without a voice.

    Parameters
    ----------
    source, period
        As of `_overlapped`.
    frame : np.ndarray [shape=(n + 1,), dtype=int]
        Of every sample.

    Returns
    -------
    marks, widths : np.ndarray [shape=(k,), dtype=int]
        Samples, and the period there, or the distance to the next mark where it is unvoiced [samples].
    """
    marks, widths = [], []
    at, voiced = 0, False
    while at < len(source):
        width = round(period[frame[at]])
        if width == 0:
            marks.append(at)
            widths.append(STEP)
            at, voiced = at + STEP, False
            continue
        if not voiced:  # a voice sets in: at the largest peak of its first period
            at += int(np.abs(source[at : at + width]).argmax())
        marks.append(at)
        widths.append(width)
        at, voiced = _next(source, at, width), True
    return np.array(marks), np.array(widths)


def _next(source: np.ndarray, at: int, width: int) -> int:
    """The sample about a period on whose surroundings, times those of this one, sum to most."""
    half, slack = width // 2, max(1, round(SEARCH * width))
    low, high = at - half, at + half
    if low < 0 or high + width + slack > len(source):
        return at + width
    later = source[low + width - slack : high + width + slack]
    return at + width - slack + int(np.correlate(later, source[low:high], "valid").argmax())
