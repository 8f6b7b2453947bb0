"""The voice source against closed forms and the definition of the prominence written out."""

import numpy as np
import pytest

from ser_classic.features.voice import source
from ser_classic.features.voice.frames import RATE, Frames, cut

TIME = np.arange(RATE) / RATE


def described(wave: np.ndarray, hertz: float, formants: tuple[float, float, float]) -> tuple[Frames, ...]:
    frames = cut(wave)
    f0 = np.full(frames.count, hertz)
    return frames, *source.describe(frames, f0, np.repeat(np.array(formants)[:, None], frames.count, axis=1))


@pytest.mark.parametrize("hertz", [90, 200, 410])
def test_differences_of_harmonics_of_known_level(hertz: float):
    levels = {1: 0, 2: -6, 3: -11, 4: -3, 8: -20}  # [dB]
    wave = sum(0.2 * 10 ** (dB / 20) * np.sin(2 * np.pi * n * hertz * TIME) for n, dB in levels.items())
    _, _, differences = described(wave, hertz, (4.2 * hertz, 6 * hertz, 7.8 * hertz))
    # Spectral bins lie up to 4 Hz beside the harmonics, of which the window spans 80 Hz.
    expected = np.array([6, 11, 3, 20])
    np.testing.assert_allclose(np.median(differences, axis=1), expected, atol=0.5)


def test_prominence_as_defined():
    random = np.random.default_rng(0)
    wave = np.sign(np.sin(2 * np.pi * 130 * TIME)) * 0.2 + random.normal(0, 0.01, RATE)
    frames, prominence, _ = described(wave, 130, (500, 1500, 2500))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 800)
    for block, samples in frames.blocks(800):
        for index, frame in zip(range(block.start, block.stop), samples, strict=True):
            spectrum = 10 * np.log10(np.abs(np.fft.fft(frame * window, 2048)) ** 2 + 1e-9)
            cepstrum = 10 * np.log10(np.fft.ifft(spectrum).real ** 2 + 1e-12)
            lag = np.arange(16, 247)  # 1 ms to 1/65 s
            line = np.polyval(np.polyfit(lag, cepstrum[lag], 1), lag)
            peak = 25 + np.argmax(cepstrum[25:247])  # from 1/650 s
            expected = cepstrum[peak] - line[peak - 16]
            assert prominence[index] == pytest.approx(expected, abs=0.2)


def test_a_voice_is_prominent_and_noise_is_not():
    pulses = np.zeros(RATE)
    pulses[::100] = 0.5
    _, voice, _ = described(pulses, 160, (500, 1500, 2500))
    _, hiss, _ = described(np.random.default_rng(0).normal(0, 0.1, RATE), 160, (500, 1500, 2500))
    assert np.median(voice) > np.median(hiss) + 10
