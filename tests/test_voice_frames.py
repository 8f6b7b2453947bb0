"""Frames: where they lie, their spectra, and the trimming of silence."""

import librosa
import numpy as np
import pytest

from ser_classic.features.voice.frames import BLOCK, HOP, RATE, WINDOW, cut, hamming


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)


def test_power_and_window_are_librosas():
    frames = cut(noise(3))
    spectrum = librosa.stft(
        frames.waveform, n_fft=512, hop_length=HOP, win_length=WINDOW, window="hamming", pad_mode="constant"
    )
    expected = np.abs(spectrum.T) ** 2 / np.sum(librosa.filters.get_window("hamming", WINDOW) ** 2)
    assert frames.count > 2 * BLOCK
    np.testing.assert_allclose(frames.power(), expected[frames.first :][: frames.count], rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(hamming(400), librosa.filters.get_window("hamming", 400), atol=1e-7)


def test_white_noise_has_its_variance_in_every_bin_and_a_sine_the_level_of_its_power():
    assert cut(noise(20)).power()[:, 1:-1].mean() == pytest.approx(0.01, rel=0.02)
    wave = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    frames = cut(wave)
    np.testing.assert_allclose(frames.level[3:-3], 10 * np.log10(0.5**2 / 2), atol=0.01)


def test_the_mean_is_removed():
    frames = cut(noise(1) + np.float32(0.3))
    assert abs(frames.waveform.mean()) < 1e-6


def test_silence_is_trimmed_but_for_pauses_and_the_frames_beside_speech():
    wave = 1e-4 * noise(3)
    wave[RATE : 2 * RATE] = noise(1, seed=1)
    frames = cut(wave)
    # Speech is in frames 100 to 199; the five-frame mean and the two frames kept widen it by at most five.
    assert 95 <= frames.first <= 99
    assert 201 <= frames.first + frames.count <= 206
    wave = noise(3)
    wave[RATE : 2 * RATE] *= 1e-4
    assert cut(wave).count == 1 + len(wave) // HOP


@pytest.mark.parametrize("samples", [160, 161, 399, 400, 401, 800])
def test_a_clip_shorter_than_a_window_has_frames(samples: int):
    frames = cut(noise(1)[:samples])
    assert 1 <= frames.count <= 1 + samples // HOP
    assert np.isfinite(frames.power()).all()


@pytest.mark.parametrize("length", [2, 400, 738])
def test_blocks_are_the_samples_around_the_centres(length: int):
    wave = noise(2)
    frames = cut(wave)
    padded = np.pad(frames.waveform, 1000)
    for block, samples in frames.blocks(length):
        for row, index in enumerate(range(block.start, block.stop)):
            begin = 1000 + (frames.first + index) * HOP - length // 2
            np.testing.assert_array_equal(samples[row], padded[begin : begin + length])
