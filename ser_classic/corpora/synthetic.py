"""Synthetic voices: the embedded corpus, made by a small formant synthesiser, for use without any download.

Twelve speakers say three nonsense sentences twice in seven emotions. An emotion moves the voice in the
directions on which reviews of vocal expression agree (`MANNER`); how far, and what else it does, differs by
speaker, as do room and microphone. The corpus shows what a benchmark shows; it says nothing of people.

References
----------
Banse & Scherer (1996). Acoustic profiles in vocal emotion expression. J. Pers. Soc. Psychol. 70, 614-636.
Cahn (1990). The generation of affect in synthesized speech. J. American Voice I/O Society 8, 1-19.
Fant (1960). Acoustic theory of speech production. Mouton.
Juslin & Laukka (2003). Communication of emotions in vocal expression and music performance: different
channels, same code? Psychological Bulletin 129, 770-814.
Klatt (1980). Software for a cascade/parallel formant synthesizer. JASA 67, 971-995.
Murray & Arnott (1993). Toward the simulation of emotion in synthetic speech. JASA 93, 1097-1108.
Peterson & Barney (1952). Control methods used in a study of the vowels. JASA 24, 175-184.
Russell (1980). A circumplex model of affect. J. Pers. Soc. Psychol. 39, 1161-1178.
Scherer (2003). Vocal communication of emotion: a review of research paradigms. Speech Comm. 40, 227-256.
Tartter (1980). Happy talk: perceptual and acoustic effects of smiling on speech.
Percept. Psychophys. 27, 24-27.
"""

from __future__ import annotations

import itertools
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser_classic.corpora.clips import CorpusError
from ser_classic.corpora.corpus import Corpus, parse_codes
from ser_classic.corpora.vocal_tract import HOP, SAMPLE_RATE, Tracks, render
from ser_classic.registry import unknown
from ser_classic.runtime import CORES
from ser_classic.runtime.progress import track
from ser_classic.runtime.workers import Local

SEED = 0  # of the corpus
SPEAKERS = tuple(f"s{number:02d}" for number in range(1, 13))  # odd: male, even: female
ACTED = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise")
TAKES = (1, 2)
SENTENCES = {  # meaningless, as in Banse & Scherer (1996); an accent stands before its vowel
    "t1": "m a l 'i n o s u d 'e v a",
    "t2": "h 'e t a b u n 'o r i g a",
    "t3": "sh 'u l e k o m 'a n i f e",
}


def _table(name: str) -> pd.DataFrame:
    path = Path(__file__).parent / f"{name}.tsv"
    return pd.read_csv(path, sep="\t", comment="#", index_col=0, dtype=str)


MANNER = _table("manner").drop(columns="unit").astype(float)  # how a voice speaks, one quantity a row
SOUNDS = _table("sounds").astype(float)  # targets of speech sounds
STRENGTH = 0.25  # standard deviation between speakers of ln(how strongly an emotion shows)
# Where an emotion lies when it shows as strongly as is common: in the quarter in which Russell (1980) has it
# (happy, sad, angry, fear), or as its manner is (disgust, surprise). Amounts are ours.
CIRCUMPLEX = {  # of the emotions `ACTED`
    "arousal": (0.0, 0.5, -0.6, 0.8, 0.6, 0.1, 0.7),
    "valence": (0.0, 0.8, -0.6, -0.7, -0.5, -0.8, 0.3),
}
COLOUR = 1.5  # standard deviation between microphones of their response at some frequency [dB]


_UPPER = (3500.0, 4500.0, 5500.0, 6500.0)  # [Hz], of a uniform tube of 17.5 cm (Fant 1960)


class Speaker(NamedTuple):
    """A speaker's body, manners and surroundings."""

    pitch: float  # middle of the neutral voice before the speaker's own manner [Hz]
    tract: float  # formants relative to a man's vocal tract of 17.5 cm
    manner: pd.DataFrame  # rows as in `MANNER`, one column per emotion: this speaker in it, apart from takes
    strength: dict[str, float]  # how strongly each emotion shows, 1 as it does commonly
    room: np.ndarray  # [shape=(n,)] impulse response of room and microphone at 16 kHz
    floor: float  # background noise [dB re full scale, RMS]


@lru_cache(maxsize=64)
def voice(speaker: str, seed: int = SEED) -> Speaker:
    """The voice of a speaker (`s01` ...; odd numbers are men); another seed, another cast."""
    if speaker not in SPEAKERS:
        raise CorpusError(unknown("synthetic speakers", speaker, SPEAKERS))
    number = SPEAKERS.index(speaker) + 1
    random = _random(seed, number)
    male = number % 2 == 1
    pitch, tract = (115.0, 1.0) if male else (205.0, 1.17)
    neutral = MANNER["typical"] + MANNER["speakers"] * random.standard_normal(len(MANNER))
    manner, strength = {}, {"neutral": 1.0}
    for word in ACTED:
        if word != "neutral":
            strength[word] = np.exp(STRENGTH * random.standard_normal())
        shift = strength[word] * MANNER[word] if word != "neutral" else 0.0
        manner[word] = neutral + shift + MANNER["habits"] * random.standard_normal(len(MANNER))
    tract *= np.exp(0.04 * random.standard_normal())
    floor = -66.0 + 4.0 * random.standard_normal()
    return Speaker(pitch, tract, pd.DataFrame(manner), strength, _room(random), floor)


def plan(speaker: str, emotion: str, sentence: str, take: int = 1, seed: int = SEED) -> Tracks:
    """What a speaker's voice does in an utterance."""
    who = voice(speaker, seed)
    for kind, name, known in (("emotions", emotion, ACTED), ("sentences", sentence, SENTENCES)):
        if name not in known:
            raise CorpusError(unknown(f"synthetic {kind}", name, known))
    if take < 1:
        raise CorpusError(f"synthetic takes: there is no {take}; takes are counted from 1")
    random = _random(seed, *_place(speaker, emotion, sentence, take), 1)
    manner = who.manner[emotion] + MANNER["takes"] * random.standard_normal(len(MANNER))
    segments, accented = _segments(sentence)
    durations = segments["duration"].to_numpy(copy=True)
    durations[1:-1] *= 2 ** -manner["rate"] * np.exp(0.08 * random.standard_normal(len(segments) - 2))
    durations[-2] *= 1.4  # the last vowel of a phrase is lengthened
    ends = np.cumsum(durations)
    middles = ends - durations / 2
    time = np.arange(0, ends[-1], HOP / SAMPLE_RATE)
    index = np.minimum(np.searchsorted(ends, time, side="right"), len(segments) - 1)

    def track(field: str, width: int) -> np.ndarray:
        return _smooth(segments[field].to_numpy()[index], width)

    speech = (time - ends[0]) / (ends[-2] - ends[0])
    final = np.clip((time - ends[-3]) / durations[-2], 0, 1)
    bumps = np.exp(-0.5 * ((time[:, None] - middles[accented]) / 0.07) ** 2)
    heights = 3.0 * 2 ** manner["span"] * np.exp(0.2 * random.standard_normal(len(accented)))
    trembling = np.sin(2 * np.pi * (5.5 + random.random_sample()) * time + 2 * np.pi * random.random_sample())
    drift = _smooth(random.standard_normal(len(time)), 25)
    semitones = (
        manner["pitch"]
        + manner["slope"] * (np.clip(speech, 0, 1) - 0.5)
        + bumps @ heights
        + manner["final"] * final
        + max(manner["tremor"], 0.0) * trembling
        + 0.8 * drift
    )
    loudness = 10 ** ((1.5 * bumps.sum(axis=1) - 4.0 * np.clip(speech, 0, 1)) / 20)
    voicing = track("voicing", 5) * loudness
    rough = 2 ** manner["rough"]
    return Tracks(
        f0=who.pitch * 2 ** (semitones / 12),
        formants=_formants(who, segments, middles, time, manner),
        voicing=voicing,
        breath=voicing * 10 ** (manner["breath"] / 20) + track("breath", 3) * loudness,
        hiss=track("hiss", 3) * loudness,
        hiss_centre=np.minimum(track("centre", 1) * np.sqrt(who.tract), 7000),
        hiss_width=track("width", 1),
        open_quotient=float(np.clip(manner["open"], 0.35, 0.85)),
        tilt=max(manner["tilt"], 0.5),
        jitter=0.005 * rough,
        shimmer=0.04 * rough,
        level=float(manner["level"]),
    )


def synthesise(speaker: str, emotion: str, sentence: str, take: int = 1, seed: int = SEED) -> np.ndarray:
    """An utterance of a synthetic voice [shape=(n,), dtype=float32] at 16 kHz; full scale is 1.

    Equal arguments give equal samples. Another take is the same utterance said again: the corpus has takes 1
    and 2 of every sentence, and is made with seed 0. Another seed is another cast.

    Examples
    --------
    >>> synthesise("s03", "angry", "t2").dtype
    dtype('float32')
    """
    who = voice(speaker, seed)
    tracks = plan(speaker, emotion, sentence, take, seed)
    random = _random(seed, *_place(speaker, emotion, sentence, take), 2)
    dry = render(tracks, random)
    size = 2 ** (len(dry) + len(who.room)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(who.room, size), size)[: len(dry)]
    wet += 10 ** (who.floor / 20) * random.standard_normal(len(wet))
    return np.clip(wet, -1.0, 1.0).astype(np.float32)


def make(root: Path) -> None:
    """Write the corpus's clips below a folder: 16-bit WAV, 16 kHz, `s03/s03-angry-t2-1.wav`."""
    speakers = [(root / speaker, speaker) for speaker in SPEAKERS]
    done = Local(CORES).run(_record, speakers, "voices")
    for _ in track(done, len(speakers), "synthetic voices"):
        pass


def _record(folder: Path, speaker: str) -> None:
    import soundfile

    folder.mkdir()
    for emotion, sentence, take in itertools.product(ACTED, SENTENCES, TAKES):
        samples = np.rint(synthesise(speaker, emotion, sentence, take) * 32767).astype(np.int16)
        soundfile.write(folder / f"{speaker}-{emotion}-{sentence}-{take}.wav", samples, SAMPLE_RATE)


def rating(clips: pd.DataFrame, dimension: str) -> np.ndarray:
    """Arousal or valence of clips [shape=(n,)]: that of the emotion, as strongly as the speaker shows it."""
    return np.array(
        [
            CIRCUMPLEX[dimension][ACTED.index(emotion)] * voice(speaker.partition("/")[2]).strength[emotion]
            for speaker, emotion in zip(clips["speaker"], clips["emotion"], strict=True)
        ]
    )


def _random(*key: int) -> np.random.RandomState:
    """NumPy promises for ever the stream of RandomState, not that of its Generator (NEP 19)."""
    return np.random.RandomState(list(key))


def _place(speaker: str, emotion: str, sentence: str, take: int) -> tuple[int, int, int, int]:
    return SPEAKERS.index(speaker) + 1, ACTED.index(emotion), list(SENTENCES).index(sentence), take


@lru_cache
def _segments(sentence: str) -> tuple[pd.DataFrame, list[int]]:
    """Sounds of a sentence between two pauses, and which of them carry an accent."""
    sounds = ["pause", *SENTENCES[sentence].split(), "pause"]
    bare = [sound.removeprefix("'") for sound in sounds]
    starts = np.cumsum([0, *SOUNDS.index.value_counts()[bare]])
    accented = [int(start) for sound, start in zip(sounds, starts, strict=False) if sound.startswith("'")]
    return SOUNDS.loc[bare], accented


def _formants(
    who: Speaker, segments: pd.DataFrame, middles: np.ndarray, time: np.ndarray, manner: pd.Series
) -> np.ndarray:
    """Formants [shape=(t, 7), Hz]: straight from target to target, then rounded as by a lazy tongue."""
    lower = segments[["f1", "f2", "f3"]].to_numpy(copy=True)
    vowel = segments["voicing"].to_numpy() >= 0.9  # nothing else is voiced as strongly
    central = lower[0]  # of the pause
    lower[vowel] = central + manner["effort"] * (lower[vowel] - central)
    knots = np.sort(np.concatenate([middles - 0.02, middles + 0.02]))
    glides = [_smooth(np.interp(time, knots, np.repeat(target, 2)), 7) for target in lower.T]
    upper = [np.full(len(time), frequency) for frequency in _UPPER]
    formants = np.stack(glides + upper, axis=1) * who.tract * np.exp(manner["smile"])
    return np.minimum(formants, 7900.0)  # below half the sample rate, or the pole would fold back


def _smooth(track: np.ndarray, width: int) -> np.ndarray:
    """Moving average [shape=(t,)] under a Hann window, an odd number of frames wide."""
    window = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(track, width // 2, mode="edge"), window / window.sum(), mode="valid")


def _room(random: np.random.RandomState) -> np.ndarray:
    """Impulse response [shape=(n,)], of energy 1: a coloured microphone and a decaying tail."""
    time = np.arange(int(0.2 * SAMPLE_RATE)) / SAMPLE_RATE
    half_life = 0.015 * 2 ** (0.7 * random.standard_normal())
    tail = random.standard_normal(len(time)) * 0.5 ** (time / half_life)
    tail *= 10 ** ((-12 + 3 * random.standard_normal()) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] += 1.0
    frequency = np.fft.rfftfreq(2 * len(time), 1 / SAMPLE_RATE)
    knots = np.log2([60, 250, 1000, 2500, 5000, 8000])
    colour = np.interp(np.log2(np.maximum(frequency, 60)), knots, COLOUR * random.standard_normal(len(knots)))
    # Minimum phase (the cepstrum folded to positive times): a zero-phase colour would ring before the sound.
    cepstrum = np.fft.irfft(colour * np.log(10) / 20)
    cepstrum[1 : len(time)] *= 2
    cepstrum[len(time) + 1 :] = 0
    response = np.fft.irfft(np.fft.rfft(tail, 2 * len(time)) * np.exp(np.fft.rfft(cepstrum)))[: len(time)]
    return response / np.sqrt(np.sum(response**2))


SYNTHETIC = Corpus(
    name="synthetic",
    pattern=(
        rf"(?P<speaker>{'|'.join(SPEAKERS)})-(?P<emotion>{'|'.join(ACTED)})"
        rf"-(?P<sentence>{'|'.join(SENTENCES)})-(?P<take>\d+)"
    ),
    emotions=parse_codes(" ".join(ACTED)),
    clip="{speaker}/{stem}",
    by_speaker={"sex": dict.fromkeys(SPEAKERS[::2], "male") | dict.fromkeys(SPEAKERS[1::2], "female")},
    title="Synthetic voices, made on first use",
    licence="MIT, as the package",
    citation="ser_classic: synthetic voices (see CITATION.cff)",
    language="none (nonsense)",
    style="synthesised",
    access="made",
    clips=len(SPEAKERS) * len(ACTED) * len(SENTENCES) * len(TAKES),
    speakers=len(SPEAKERS),
    layout=("s03/s03-angry-t2-1.wav",),
    make=make,
    version=2,
    ratings={dimension: partial(rating, dimension=dimension) for dimension in CIRCUMPLEX},
)
