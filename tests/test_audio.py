"""Reading audio: rates, channels, and every way in which a file can be bad."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_classic import audio
from ser_classic.audio import AudioError


def tone(rate: int = 16_000, seconds: float = 0.5, frequency: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def wav(path: Path, samples: np.ndarray, rate: int = 16_000, **more) -> Path:
    soundfile.write(path, samples, rate, **more)
    return path


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_414, 48_000, 96_000])
def test_a_tone_keeps_its_frequency_and_level_at_another_rate(tmp_path, rate):
    y, out = audio.read(wav(tmp_path / "a.wav", tone(rate), rate), sample_rate=16_000)
    assert out == 16_000
    assert y.dtype == np.float32
    assert len(y) == pytest.approx(8_000, abs=1)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    assert np.argmax(spectrum) * 16_000 / len(y) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(y[1000:-1000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
    wav(tmp_path / "a.wav", tone()).rename(odd)
    with pytest.raises(AudioError, match=r"caf\udce9\.wav: .*UTF-8; rename it"):
        audio.read(odd)


def test_stereo_is_averaged_or_one_channel_taken_and_mono_is_left_and_right(tmp_path):
    left, right = tone(frequency=440), tone(frequency=660)
    path = wav(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    np.testing.assert_allclose(audio.read(path)[0], (left + right) / 2, atol=1e-6)
    np.testing.assert_array_equal(audio.read(path, channel=0)[0], left)
    np.testing.assert_array_equal(audio.read(path, channel=1)[0], right)
    path = wav(tmp_path / "a.wav", tone(), subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(path, channel=1)[0], tone())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("channel", [2, 7, -1])
def test_a_channel_that_a_file_lacks_is_refused(tmp_path, channel, channels):
    path = wav(tmp_path / "a.wav", np.stack([tone()] * channels, axis=1))
    with pytest.raises(AudioError, match=rf"a\.wav: .*{channel}.*--channel"):
        audio.read(path, channel=channel)


def bad_files(folder: Path) -> dict[str, Path]:
    whole = wav(folder / "whole.wav", tone()).read_bytes()
    lossless = wav(folder / "whole.flac", tone()).read_bytes()
    files = {
        "no such file": folder / "missing.wav",
        "empty": folder / "empty.wav",
        "no recording": folder / "text.wav",
        "truncated": folder / "cut.wav",
        "download": folder / "cut.flac",
        "silent": wav(folder / "silent.wav", np.zeros(8_000)),
        "NaN": wav(folder / "nan.wav", np.full(8_000, np.nan), subtype="FLOAT"),
        "10 ms": wav(folder / "one.wav", tone()[1:2]),
    }
    files["empty"].touch()
    files["no recording"].write_text("this is no audio\n" * 50)
    files["truncated"].write_bytes(whole[: len(whole) // 2])
    files["download"].write_bytes(lossless[: len(lossless) // 2])
    return files


def test_a_bad_file_or_a_folder_is_one_message_that_names_it(tmp_path):
    for reason, path in bad_files(tmp_path).items():
        with pytest.raises(AudioError) as caught:
            audio.read(path)
        assert str(path) in str(caught.value)
        assert reason in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(AudioError, match=tmp_path.name):
        audio.read(tmp_path)


@pytest.mark.parametrize("take", [audio.read, audio.digest])
def test_a_file_that_may_not_be_read_or_have_such_a_name_is_one_message(tmp_path, monkeypatch, take):
    with pytest.raises(AudioError, match="aaa"):
        take(tmp_path / ("a" * 300))

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = wav(tmp_path / "a.wav", tone())
    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(AudioError, match=r"a\.wav: .*Permission denied"):
        take(path)


@pytest.mark.parametrize(
    ("waveform", "rate", "reason"),
    [
        (np.ones((2, 800)), 16_000, "one channel"),
        (np.ones(800), 0, "0 Hz"),
        (np.ones(800), np.nan, "nan Hz"),
        (np.array([]), 16_000, "0 samples"),
        (np.full(800, np.inf), 16_000, "infinite"),
        (np.full(800, -1e30), 16_000, r"1e\+30"),
    ],
)
def test_check_refuses_arrays_that_hold_nothing_to_analyse(waveform, rate, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(AudioError, match=reason):
            audio.check(waveform, rate)


def test_the_least_significant_bit_is_not_silence():
    y = np.zeros(800)
    y[400] = 2.0**-15
    assert audio.check(y, 16_000).any()
