"""Pitch against closed forms and Praat."""

from itertools import pairwise

import numpy as np
import pytest

from ser_classic.corpora.synthetic import synthesise
from ser_classic.features.voice import pitch
from ser_classic.features.voice.frames import RATE, cut

TIME = np.arange(RATE) / RATE


def harmonic(hertz: float, partials: int = 8) -> np.ndarray:
    return sum(0.1 / n * np.sin(2 * np.pi * n * hertz * TIME + n) for n in range(1, partials + 1))


@pytest.mark.parametrize("hertz", [70, 101.3, 220, 333.3, 440, 600])
def test_frequency_of_a_harmonic_tone(hertz: float):
    track = pitch.track(cut(harmonic(hertz)))
    inside = slice(5, -5)
    assert track.voiced[inside].all()
    np.testing.assert_allclose(track.frequency[inside], hertz, rtol=2e-3)
    assert (track.strength[inside] > 0.98).all()


def test_a_missing_fundamental_is_heard():
    wave = sum(np.sin(2 * np.pi * n * 150 * TIME) for n in (3, 4, 5, 6))
    np.testing.assert_allclose(pitch.track(cut(wave)).frequency[5:-5], 150, rtol=5e-3)


@pytest.mark.parametrize("ratio", [0, 10, 20])
def test_strength_is_the_periodic_share_of_the_power(ratio: float):
    clean = harmonic(200)
    wave = clean + np.random.default_rng(0).normal(0, clean.std() * 10 ** (-ratio / 20), len(clean))
    strength = pitch.track(cut(wave)).strength[5:-5]
    measured = 10 * np.log10(np.median(strength / (1 - strength)))
    assert measured == pytest.approx(ratio, abs=1)


def test_noise_is_unvoiced_and_has_no_periodicity():
    track = pitch.track(cut(np.random.default_rng(0).normal(0, 0.1, RATE)))
    assert track.voiced.mean() < 0.05
    assert (track.strength[~track.voiced] == 0).all()
    assert np.isfinite(track.frequency).all()


def test_gaps_are_interpolated_in_octaves():
    wave = np.concatenate([harmonic(100), np.random.default_rng(0).normal(0, 0.05, RATE), harmonic(400)])
    track = pitch.track(cut(wave))
    gap = np.flatnonzero(~track.voiced)
    assert 80 < len(gap) < 120
    np.testing.assert_allclose(track.frequency[150], 200, rtol=0.1)
    assert (np.diff(track.frequency[gap]) > 0).all()


def test_an_octave_error_is_not_worth_the_jump():
    wave = harmonic(200)
    wave[: RATE // 50] *= 1 + 0.5 * np.sign(np.sin(2 * np.pi * 100 * TIME[: RATE // 50]))
    np.testing.assert_allclose(pitch.track(cut(wave)).frequency[2:-5], 200, rtol=0.05)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
def test_the_path_is_the_best_of_all_paths(frames: int):
    random = np.random.default_rng(1)
    octaves, score = random.normal(0, 0.5, (frames, 2)), random.normal(0, 0.3, (frames, 3))

    def worth(path: tuple[int, ...]) -> float:
        total = sum(score[t, k] for t, k in enumerate(path))
        for t, (a, b) in enumerate(pairwise(path)):
            if a and b:
                total -= pitch.JUMP_COST * abs(octaves[t, a - 1] - octaves[t + 1, b - 1])
            elif a or b:
                total -= pitch.SWITCH_COST
        return total

    best = max(np.ndindex(*[3] * frames), key=worth)
    assert tuple(pitch._path(octaves, score)) == best


@pytest.mark.parametrize(("speaker", "emotion"), [("s01", "angry"), ("s02", "sad"), ("s03", "neutral")])
def test_track_is_praats(speaker: str, emotion: str):
    parselmouth = pytest.importorskip("parselmouth")
    frames = cut(synthesise(speaker, emotion, "t1", 1))
    ours = pitch.track(frames)
    # Half a hop in front brings Praat's frames, which it centres in the sound, onto ours.
    shifted = np.concatenate([np.zeros(80), frames.waveform.astype(float)])
    praat = parselmouth.Sound(shifted[: len(shifted) // 160 * 160], RATE).to_pitch_ac(
        time_step=0.01, pitch_floor=65, pitch_ceiling=650, octave_jump_cost=0.5, voiced_unvoiced_cost=0.2
    )
    index = np.rint((praat.xs() - 0.005) * 100).astype(int) - frames.first
    known = (index >= 0) & (index < frames.count)
    theirs, index = praat.selected_array[known], index[known]
    voiced = theirs["frequency"] > 0
    assert np.mean(voiced == ours.voiced[index]) > 0.95
    both = index[voiced & ours.voiced[index]]
    expected = theirs[voiced & ours.voiced[index]]
    assert len(both) > 30
    octaves = np.abs(np.log2(ours.frequency[both] / expected["frequency"]))
    assert np.mean(octaves < 0.01) > 0.97
    assert np.median(np.abs(ours.strength[both] - expected["strength"])) < 0.002
