"""Waveforms: channels, level and offset of what was decoded, and what is told of them."""

import logging
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from test_decoding import FRAMES, RATE, made, voice

from ser_classic import audio
from ser_classic.audio import AudioError, waveforms


@pytest.fixture(autouse=True)
def everything_is_told(monkeypatch):
    monkeypatch.setattr(waveforms, "MOST_NOTICES", sys.maxsize)


def stereo(folder: Path, left: np.ndarray, right: np.ndarray) -> Path:
    return made(folder, "WAV", "FLOAT", np.stack([left, right], axis=1))


def test_channels_that_cancel_are_told_and_one_can_be_taken(tmp_path):
    path = stereo(tmp_path, voice(), -voice())
    with pytest.raises(AudioError, match="--channel"):
        audio.read(path)
    np.testing.assert_array_equal(audio.read(path, channel=1)[0], -voice())


def test_a_dead_channel_and_two_parties_are_told_and_a_stereo_recording_is_not(tmp_path, caplog):
    half = np.r_[voice(), np.zeros(FRAMES, dtype="f4")]
    for left, right, told in (
        (voice(), np.zeros(FRAMES), "channel 1 is silent"),
        (half, half[::-1], "two parties"),
        (voice(), 0.5 * voice() + 0.01, ""),
    ):
        caplog.clear()
        audio.read(stereo(tmp_path, left, right))
        assert told in caplog.text
        assert bool(caplog.records) == bool(told)
        caplog.clear()
        audio.read(stereo(tmp_path, left, right), channel=0)
        assert not caplog.records


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_floats_in_the_range_of_integers_are_scaled_and_told(tmp_path, caplog, bits):
    path = made(tmp_path, "WAV", "DOUBLE", voice() * 2.0 ** (bits - 1))
    np.testing.assert_allclose(audio.read(path)[0], voice(), rtol=1e-5)
    assert "full scale" in caplog.text


def test_floats_that_overshoot_are_as_they_are(tmp_path, caplog):
    path = made(tmp_path, "WAV", "FLOAT", 3 * voice())
    np.testing.assert_array_equal(audio.read(path)[0], 3 * voice())
    assert not caplog.records


def test_an_array_of_integers_has_the_full_scale_of_its_type():
    whole = np.round(voice() * 2**15).astype(np.int16)
    np.testing.assert_allclose(audio.check(whole, RATE), whole / 2**15)
    np.testing.assert_allclose(audio.check(whole.astype(np.int64), RATE), whole / 2**15)
    unsigned = np.round(voice() * 2**7 + 2**7).clip(0, 255).astype(np.uint8)  # as in an 8-bit WAV
    np.testing.assert_allclose(audio.check(unsigned, RATE), voice(), atol=0.01)


def test_what_holds_no_samples_is_refused():
    for wrong in (voice() + 0j, np.array(["loud"] * FRAMES), voice()[None]):
        with pytest.raises(AudioError, match="array of"):
            audio.check(wrong, RATE)


def test_a_large_offset_is_taken_off_and_a_small_one_told_with_the_command_that_does(tmp_path, caplog):
    path = made(tmp_path, "WAV", "FLOAT", voice() + np.float32(0.2))
    assert abs(audio.read(path)[0].mean()) < 1e-6
    assert "offset" in caplog.text
    samples = voice() + np.float32(0.04)
    path = made(tmp_path, "WAV", "FLOAT", samples)
    np.testing.assert_array_equal(audio.read(path)[0], samples)
    assert "dcshift=-0.04" in caplog.text
    caplog.clear()
    audio.read(made(tmp_path, "WAV", "PCM_16", voice() + np.float32(0.005)))
    assert not caplog.records


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_offset_of_what_is_not_finite_is_not_told(tmp_path, caplog, value):
    samples = voice()
    samples[[9, 99]] = value, -value
    with warnings.catch_warnings(action="error"), pytest.raises(AudioError, match="infinite"):
        audio.read(made(tmp_path, "WAV", "FLOAT", samples))
    assert not caplog.records


def test_the_same_is_not_told_of_a_thousand_recordings(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(waveforms, "MOST_NOTICES", 2)
    waveforms._noticed.clear()
    path = made(tmp_path, "WAV", "FLOAT", voice() + np.float32(0.2))
    with caplog.at_level(logging.WARNING):
        for place in range(9):
            copy = shutil.copy(path, tmp_path / f"{place}.wav")
            audio.read(copy)
            audio.read(copy)
            if not place:
                assert len(caplog.records) == 1
    assert len(caplog.records) == 3
