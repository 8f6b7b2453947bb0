"""Formants against librosa's Burg, NumPy's roots, a known vocal tract and Praat."""

import librosa
import numpy as np
import pytest
import soxr
from scipy import signal

from ser_classic.corpora.synthetic import synthesise
from ser_classic.features.voice import formants, pitch
from ser_classic.features.voice.frames import RATE, cut


def test_burg_is_librosas_and_of_silence_predicts_nothing():
    frames = np.random.default_rng(0).normal(size=(7, 530))
    frames[1:] = signal.lfilter([1], [1, -1.6, 0.9], frames[1:])
    for ours, frame in zip(formants.burg(frames, 10), frames, strict=True):
        np.testing.assert_allclose(ours, librosa.lpc(frame, order=10), atol=1e-6)
    np.testing.assert_array_equal(formants.burg(np.zeros((2, 530)), 10)[:, 1:], 0)


def test_frames_of_which_next_to_nothing_is_left_are_filtered_stage_by_stage():
    time = np.arange(530)
    frames = np.stack([np.sin(0.1 * time), np.random.default_rng(0).normal(size=530)])
    polynomials = formants.burg(frames, 10)
    np.testing.assert_array_equal(polynomials[0], formants.lattice(frames[:1], 10)[0])
    np.testing.assert_allclose(polynomials[1], formants.lattice(frames[1:], 10)[0], atol=1e-9)


def test_a_frame_is_described_alike_alone_and_among_others():
    frames = np.random.default_rng(0).normal(size=(3, 530)).astype(np.float32)
    np.testing.assert_allclose(formants.burg(frames[:1], 10), formants.burg(frames, 10)[:1], atol=1e-9)


def test_upper_roots_are_numpys():
    random = np.random.default_rng(0)
    frames = signal.lfilter([1], [1, -0.9], random.normal(size=(400, 300)))
    polynomials = formants.burg(frames, 10)
    polynomials[0] = np.poly([0.9, 0.8, 0.7, -0.5, -0.6, -0.9, 0.1, 0.2, 0.3, 0.4])  # no pair at all
    polynomials[1] = np.poly([*(0.5 * np.exp(1j * a) for a in (1, -1)), *np.linspace(-0.9, 0.9, 8)]).real
    polynomials[2] = np.poly([0.9 * np.exp(1j * a) for a in (0.5, -0.5, 1, -1, 2, -2, 2.5, -2.5, 3, -3)]).real
    for polynomial, ours in zip(polynomials, formants.upper_roots(polynomials), strict=True):
        expected = np.roots(polynomial)
        expected = np.sort_complex(expected[expected.imag > 1e-9])
        np.testing.assert_allclose(np.sort_complex(ours[np.isfinite(ours)]), expected, atol=1e-6)


def test_resonances_of_a_known_tract():
    frequencies, bandwidths = np.array([600, 1250, 2600, 3500, 4500]), np.array([60, 90, 120, 150, 200])
    rate = 10_600
    poles = np.exp((-bandwidths + 2j * frequencies) * np.pi / rate)
    pulses = np.zeros(2 * rate)
    pulses[::106] = 1  # 100 Hz
    vowel = signal.lfilter([1], np.poly([*poles, *poles.conj()]).real, pulses)
    vowel = signal.lfilter(
        [1], [1, -np.exp(-2 * np.pi * 50 / rate)], vowel
    )  # the tilt that pre-emphasis takes away
    found, width = formants.track(cut(soxr.resample(vowel, rate, RATE, quality="VHQ")))
    np.testing.assert_allclose(np.median(found, axis=1), frequencies[:3], rtol=0.03)
    assert (np.median(width, axis=1) < 2 * bandwidths[:3]).all()


@pytest.mark.parametrize(("speaker", "emotion"), [("s01", "angry"), ("s02", "sad"), ("s03", "neutral")])
def test_formants_are_praats(speaker: str, emotion: str):
    parselmouth = pytest.importorskip("parselmouth")
    frames = cut(synthesise(speaker, emotion, "t1", 1))
    frequency, bandwidth = formants.track(frames)
    voiced = pitch.track(frames).voiced
    sound = parselmouth.Sound(frames.waveform.astype(float), RATE)
    praat = sound.to_formant_burg(time_step=0.01, max_number_of_formants=5, maximum_formant=5300)
    times = (frames.first + np.arange(frames.count)) * 0.01
    for n in range(3):
        theirs = np.array([praat.get_value_at_time(n + 1, time) for time in times])
        assert np.nanmedian(np.abs(frequency[n] / theirs - 1)[voiced]) < 0.02
    theirs = np.array([praat.get_bandwidth_at_time(1, time) for time in times])
    assert np.nanmedian(np.abs(bandwidth[0] / theirs - 1)[voiced]) < 0.2


def test_a_clip_without_resonances_has_usual_formants():
    wave = np.zeros(RATE)
    wave[RATE // 2] = 1
    frequency, bandwidth = formants.track(cut(wave))
    assert np.isfinite(frequency).all()
    assert (bandwidth >= formants.NARROWEST).all()
