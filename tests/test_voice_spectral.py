"""Spectral descriptors against librosa, scipy and definitions written out."""

import librosa
import numpy as np
import pytest
from scipy import fft, stats

from ser_classic.corpora.synthetic import synthesise
from ser_classic.features.voice import spectral
from ser_classic.features.voice.frames import FREQUENCIES, RATE, Frames, cut


@pytest.fixture(scope="module")
def frames() -> Frames:
    return cut(synthesise("s01", "angry", "t1", 1))


@pytest.fixture(scope="module")
def power(frames: Frames) -> np.ndarray:
    return frames.power().astype(float) + 1e-12


@pytest.fixture(scope="module")
def shape(frames: Frames) -> dict[str, np.ndarray]:
    return dict(zip(spectral.SHAPES, spectral.describe(frames)[2], strict=True))


def tone(hertz: float) -> dict[str, np.ndarray]:
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE + 0.5)
    return {
        name: row[5:-5] for name, row in zip(spectral.SHAPES, spectral.describe(cut(wave))[2], strict=True)
    }


def test_mel_bank_is_librosas():
    expected = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=40, fmin=50, fmax=7800, htk=True, norm="slaney")
    np.testing.assert_allclose(spectral.mel_bank(), expected, atol=1e-7)


def test_mel_bands_in_decibels(frames: Frames, power: np.ndarray):
    bank = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=40, fmin=50, fmax=7800, htk=True, norm="slaney")
    decibels = 10 * np.log10(bank @ power.T + 1e-9)
    expected = np.maximum(decibels, decibels.max() - 75)
    np.testing.assert_allclose(spectral.describe(frames)[1], expected, atol=1e-2)


def test_mfcc_is_scipys_dct_of_the_mel_bands(frames: Frames):
    mfcc, mel, _ = spectral.describe(frames)
    expected = fft.dct(mel.astype(float), axis=0, norm="ortho")[:20]
    np.testing.assert_allclose(mfcc, expected, atol=1e-2)


def test_centroid_spread_and_roll_off_are_librosas(shape: dict[str, np.ndarray], power: np.ndarray):
    settings = {"S": power.T, "sr": RATE}
    np.testing.assert_allclose(shape["centroid"], librosa.feature.spectral_centroid(**settings)[0], rtol=1e-3)
    np.testing.assert_allclose(shape["spread"], librosa.feature.spectral_bandwidth(**settings)[0], rtol=1e-3)
    for percent in (25, 50, 75, 90):
        expected = librosa.feature.spectral_rolloff(**settings, roll_percent=percent / 100)[0]
        assert np.mean(shape[f"rolloff{percent}"] == expected) > 0.99  # float32 may round one bin off


def test_flatness_is_the_logarithm_of_librosas_and_entropy_scipys_share_of_the_most(
    shape: dict[str, np.ndarray], power: np.ndarray
):
    expected = np.log(librosa.feature.spectral_flatness(S=power.T, power=1, amin=1e-30)[0])
    np.testing.assert_allclose(shape["flatness"], expected, atol=1e-3)
    np.testing.assert_allclose(shape["entropy"], stats.entropy(power, axis=1) / np.log(257), atol=1e-4)


def test_skewness_and_kurtosis_are_those_of_the_power_as_a_distribution(
    shape: dict[str, np.ndarray], power: np.ndarray
):
    share = power / power.sum(axis=1, keepdims=True)
    away = FREQUENCIES - share @ FREQUENCIES[:, None]
    variance = np.sum(share * away**2, axis=1)
    np.testing.assert_allclose(shape["skewness"], np.sum(share * away**3, axis=1) / variance**1.5, rtol=1e-2)
    np.testing.assert_allclose(shape["kurtosis"], np.sum(share * away**4, axis=1) / variance**2, rtol=1e-2)


def test_flux_is_the_distance_of_neighbouring_unit_spectra(shape: dict[str, np.ndarray], power: np.ndarray):
    unit = np.sqrt(power) / np.linalg.norm(np.sqrt(power), axis=1, keepdims=True)
    np.testing.assert_allclose(shape["flux"][1:], np.linalg.norm(np.diff(unit, axis=0), axis=1), atol=2e-3)
    assert shape["flux"][0] == shape["flux"][1]


def test_ratios_of_bands(shape: dict[str, np.ndarray], power: np.ndarray):
    def band(low: float, high: float) -> np.ndarray:
        return power[:, (low <= FREQUENCIES) & (high > FREQUENCIES)]

    alpha = 10 * np.log10(band(50, 1000).sum(axis=1) / band(1000, 5000).sum(axis=1))
    hammarberg = 10 * np.log10(band(0, 2000).max(axis=1) / band(2000, 5000).max(axis=1))
    high = 10 * np.log10(band(4000, 9000).sum(axis=1) / band(0, 4000).sum(axis=1))
    np.testing.assert_allclose(shape["alpha"], alpha, atol=1e-2)
    np.testing.assert_allclose(shape["hammarberg"], hammarberg, atol=1e-2)
    np.testing.assert_allclose(shape["high"], high, atol=1e-2)


def test_slopes_are_numpys_line_fits(shape: dict[str, np.ndarray], power: np.ndarray):
    for low, high in ((0, 500), (500, 1500), (1500, 6000)):
        inside = (low <= FREQUENCIES) & (high > FREQUENCIES)
        expected = np.polyfit(FREQUENCIES[inside] / 1000, 10 * np.log10(power[:, inside]).T, 1)[0]
        np.testing.assert_allclose(shape[f"slope{high}"], expected, rtol=1e-3, atol=1e-2)


def test_zero_crossings_of_a_sine_and_sample_by_sample(frames: Frames, shape: dict[str, np.ndarray]):
    np.testing.assert_allclose(tone(1000)["zcr"], 0.125, atol=0.003)
    for block, samples in frames.blocks(400):
        inside = slice(max(block.start, 3), min(block.stop, frames.count - 3))
        sign = np.signbit(samples[inside.start - block.start : inside.stop - block.start])
        expected = np.mean(sign[:, 1:] != sign[:, :-1], axis=1)
        np.testing.assert_allclose(shape["zcr"][inside], expected, atol=1e-6)


def test_equal_loudness_and_barks_at_one_kilohertz():
    centres = librosa.mel_frequencies(42, fmin=50, fmax=7800, htk=True)[1:-1]
    assert np.interp(1000, centres, spectral.equal_loudness()) == pytest.approx(0.1709, rel=0.01)
    assert np.interp(1000, centres, spectral.barks()) == pytest.approx(8.53, abs=0.02)


def test_loudness_grows_with_the_power_to_the_023(frames: Frames, shape: dict[str, np.ndarray]):
    louder = Frames(2 * frames.waveform, frames.first, frames.count, frames.level)
    again = dict(zip(spectral.SHAPES, spectral.describe(louder)[2], strict=True))
    np.testing.assert_allclose(again["loudness"] / shape["loudness"], 4**0.23, rtol=1e-4)


def test_sharpness_of_narrow_bands():
    # Zwicker and Fastl: about one acum at 1 kHz, and it grows with frequency, faster above 3 kHz.
    low, one, three, six = (np.median(tone(hertz)["sharpness"]) for hertz in (250, 1000, 3000, 6000))
    assert one == pytest.approx(1, abs=0.3)
    assert low < one < three < six
    assert six / three > 1.5
