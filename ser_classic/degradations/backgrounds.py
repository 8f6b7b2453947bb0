"""Backgrounds: noise, voices, music and tones under a recording, at a ratio of mean powers [dB]."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ser_classic.degradations.degradation import RATE

TALKERS = 6  # voices at once
LOWEST = 20.0  # [Hz]; coloured noise is no stronger below
CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))  # semitones: I, vi, IV, V
KEY = 110.0  # [Hz], of the lowest note in the lowest key
BEAT = 0.4  # [s]
HIGHEST = 700.0  # [Hz], pitch of a note of `tones`
HARMONICS = 20  # of a note of `tones`, at most
PERIOD = 1024  # [samples] of the table that holds one period of a note


def added(waveform: np.ndarray, background: np.ndarray, ratio: float) -> np.ndarray:
    """A waveform with a background [both shape=(n,)] scaled to a ratio of their mean powers [dB]."""
    power = np.mean(background**2)
    wanted = np.mean(waveform**2) / 10 ** (ratio / 10)
    return waveform + background * np.sqrt(wanted / power) if power > 0 else waveform


def noise(
    waveform: np.ndarray, random: np.random.Generator, ratio: float, exponent: float = 0.0
) -> np.ndarray:
    """Gaussian noise whose power falls as `1 / f ** exponent`; white for 0."""
    sound = random.normal(size=len(waveform))
    if exponent:
        from scipy import fft

        size = fft.next_fast_len(len(sound), real=True)
        frequencies = np.maximum(fft.rfftfreq(size, 1 / RATE), LOWEST)
        sound = fft.irfft(fft.rfft(sound, size) * frequencies ** (-exponent / 2), size)[: len(waveform)]
    return added(waveform, sound, ratio)


def babble(waveform: np.ndarray, random: np.random.Generator, ratio: float) -> np.ndarray:
    """Other people talking: clips of the embedded voices, each speaking without pause."""
    voices = _voices()
    total = np.zeros(len(waveform))
    for speaker in random.permutation(len(voices))[:TALKERS]:
        speech = np.concatenate([voices[speaker][turn] for turn in random.permutation(len(voices[speaker]))])
        start = random.integers(len(speech))
        total += np.resize(np.roll(speech, -start), len(waveform))
    return added(waveform, total, ratio)


@lru_cache(maxsize=1)
def _voices() -> list[list[np.ndarray]]:
    """The utterances of each embedded speaker, all with the same mean power."""
    from ser_classic.corpora.synthetic import ACTED, SENTENCES, SPEAKERS, synthesise

    def level(utterance: np.ndarray) -> np.ndarray:
        return utterance / np.sqrt(np.mean(utterance.astype(np.float64) ** 2))

    return [
        [level(synthesise(speaker, emotion, sentence)) for emotion in ACTED[:2] for sentence in SENTENCES]
        for speaker in SPEAKERS
    ]


def music(waveform: np.ndarray, random: np.random.Generator, ratio: float) -> np.ndarray:
    """Simple music: plucked chords of a cadence in a random key, a bass, and a drum on every beat."""
    beat = int(BEAT * RATE)
    beats = len(waveform) // beat + 2
    time = np.arange(2 * beat) / RATE
    key = KEY * 2 ** (random.integers(12) / 12)
    total = np.zeros((beats + 2) * beat)
    first = random.integers(len(CHORDS))
    for number in range(beats):
        chord = CHORDS[(first + number // 2) % len(CHORDS)]
        notes = [semitones + 12 for semitones in chord] + [chord[0] - 12]
        sound = 0.5 * random.normal(size=len(time)) * np.exp(-time / 0.03)
        for semitones in notes:
            pitch = key * 2 ** (semitones / 12)
            for harmonic in range(1, 9):
                if harmonic * pitch < RATE / 2:
                    phase = random.uniform(0, 2 * np.pi)
                    decay = np.exp(-time * (2 + harmonic))
                    sound += decay / harmonic * np.sin(2 * np.pi * harmonic * pitch * time + phase)
        total[number * beat : number * beat + len(sound)] += sound
    start = random.integers(beat)
    return added(waveform, total[start : start + len(waveform)], ratio)


def tones(waveform: np.ndarray, random: np.random.Generator, ratio: float) -> np.ndarray:
    """Sounds with pitch: up to eight sources sound note after note, each of random length, pitch and colour.

    Between speech and music: notes swell and glide like syllables or are plucked and steady.
    """
    total = np.zeros(len(waveform))
    glides = random.uniform(0, 0.4) * (random.random() < 0.5)  # [octaves]
    for _ in range(random.integers(1, 9)):
        register, length = random.uniform(6.3, 8.5), random.uniform(0.1, 0.5)  # [octaves above 1 Hz], [s]
        plucked = random.random() < 0.5
        start = -int(random.uniform(0, length) * RATE)
        while start < len(total):
            note = _note(random, int(length * random.uniform(0.5, 1.5) * RATE), register, glides, plucked)
            heard = note[max(-start, 0) : len(total) - start]
            total[max(start, 0) :][: len(heard)] += heard
            start += len(note)
            if not plucked and random.random() < 0.3:
                start += int(random.uniform(0, length) * RATE)
    return added(waveform, total, ratio)


def _note(
    random: np.random.Generator, length: int, register: float, glides: float, plucked: bool
) -> np.ndarray:
    """One note of `tones` [shape=(length,)], at a pitch around `register` [octaves above 1 Hz].

    `glides` is the standard deviation of its glide from start to end [octaves].
    """
    glide = glides * random.normal() * np.linspace(-0.5, 0.5, length)
    pitch = min(2 ** (register + random.normal(0, 0.35)), HIGHEST) * 2**glide
    harmonics = np.arange(1, max(1, min(HARMONICS, int(0.47 * RATE / pitch.max()))) + 1)
    spectrum = np.zeros(PERIOD // 2 + 1, dtype=complex)
    strengths = np.exp(random.normal(size=len(harmonics))) / harmonics
    spectrum[harmonics] = strengths * np.exp(2j * np.pi * random.random(len(harmonics)))
    period = np.fft.irfft(spectrum)
    period /= np.sqrt(np.mean(period**2))
    sound = period[(PERIOD * np.cumsum(pitch / RATE)).astype(int) % PERIOD]
    time = np.arange(length) / length
    course = np.exp(-4 * time) if plucked else np.sin(np.pi * time)
    return random.uniform(0.4, 1) * np.minimum(20 * time, 1) * course * sound
