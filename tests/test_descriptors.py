"""Descriptors against librosa, and at the corners."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_classic.audio import AudioError
from ser_classic.errors import SerClassicError
from ser_classic.features import filters
from ser_classic.features.descriptors import FAMILIES, Descriptor, Framing, describe

ALL = (
    Descriptor("mfcc", 40),
    Descriptor("chroma", 12),
    Descriptor("mel", 128),
    Descriptor("logmel", 64),
    Descriptor("contrast", 7),
    Descriptor("tonnetz", 6),
    *(Descriptor(name) for name in ("zcr", "rms", "centroid", "bandwidth", "rolloff", "flatness")),
)


def by_librosa(waveform: np.ndarray, sample_rate: int, framing: Framing) -> dict[str, np.ndarray]:
    """The same families, each by the function that its docstring names."""
    frame = {"n_fft": framing.n_fft, "hop_length": framing.hop}
    spectrum = {"y": waveform, "sr": sample_rate, **frame}
    window = {"y": waveform, "frame_length": framing.n_fft, "hop_length": framing.hop}
    chroma = librosa.feature.chroma_stft(**spectrum, tuning=0)
    return {
        "mfcc": librosa.feature.mfcc(**spectrum, n_mfcc=40),
        "chroma": chroma,
        "mel": librosa.feature.melspectrogram(**spectrum),
        "logmel": librosa.power_to_db(librosa.feature.melspectrogram(**spectrum, n_mels=64)),
        "contrast": librosa.feature.spectral_contrast(**spectrum),
        "tonnetz": librosa.feature.tonnetz(chroma=chroma),
        "zcr": librosa.feature.zero_crossing_rate(**window),
        "rms": librosa.feature.rms(**window),
        "centroid": librosa.feature.spectral_centroid(**spectrum),
        "bandwidth": librosa.feature.spectral_bandwidth(**spectrum),
        "rolloff": librosa.feature.spectral_rolloff(**spectrum),
        "flatness": librosa.feature.spectral_flatness(y=waveform, **frame),
    }


def voice(sample_rate: int, seconds: float, seed: int) -> np.ndarray:
    """Something like speech: gliding harmonics under a moving tilt, breath, pauses, 16-bit rounding."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(random.uniform(90, 250) * (1 + 0.2 * np.sin(5 * time))) / sample_rate
    harmonics = range(1, int(0.45 * sample_rate / 320))
    tilt = 1 + 0.5 * np.sin(3 * time)
    wave = sum(np.sin(k * phase) * k**-tilt for k in harmonics)
    wave += 0.05 * random.standard_normal(len(time))
    wave *= np.clip(np.sin(2 * np.pi * 1.7 * time), 0, None)  # half of the time digital silence
    return (np.round(wave / np.abs(wave).max() * 16000) / 32768).astype(np.float32)


def tone(sample_rate: int) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(sample_rate) / sample_rate)).astype(np.float32)


def noise(sample_rate: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(sample_rate)).astype(np.float32)


def click(sample_rate: int) -> np.ndarray:
    waveform = np.zeros(sample_rate, np.float32)
    waveform[sample_rate // 2] = 1
    return waveform


def resampled(sample_rate: int) -> np.ndarray:
    """A voice without anything above 4 kHz but what the resampler leaves."""
    return librosa.resample(voice(8000, 1.5, 4), orig_sr=8000, target_sr=sample_rate, res_type="soxr_hq")


SIGNALS = {
    "voice": lambda: voice(16000, 3.1, 1),
    "quiet voice": lambda: voice(16000, 1.5, 2) * np.float32(1e-3),
    "voice of 8 kHz": lambda: resampled(16000),
    "tone": lambda: tone(16000),
    "noise": lambda: noise(16000),
    "click": lambda: click(16000),
    "longer than a span": lambda: voice(16000, 9.3, 7),
    "one frame longer than a span": lambda: voice(16000, 128 * 512 / 16000, 8),
    "shorter than a frame": lambda: voice(16000, 0.09, 3),
}


def agree(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    for family, track in ours.items():
        expected = theirs[family]
        assert track.shape == expected.shape, family
        largest = 1.0 if family == "contrast" else np.abs(expected).max()  # a difference of two dB values
        assert np.abs(track - expected).max() <= 1e-4 * np.std(expected) + 2e-6 * largest, family


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")
@pytest.mark.parametrize("name", SIGNALS)
def test_every_frame_is_what_librosa_gives(name):
    waveform = SIGNALS[name]()
    agree(describe(waveform, 16000, ALL), by_librosa(waveform, 16000, Framing()))


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize(
    ("sample_rate", "framing"),
    [(16000, Framing(1024, 160)), (22050, Framing()), (48000, Framing(4096, 1000))],
)
def test_at_other_rates_and_framings(sample_rate, framing):
    waveform = voice(sample_rate, 1.3, 5)
    agree(describe(waveform, sample_rate, ALL, framing), by_librosa(waveform, sample_rate, framing))


@pytest.mark.parametrize(("sample_rate", "n_fft"), [(16000, 2048), (8000, 1024), (44100, 4096), (1600, 512)])
def test_filter_banks_are_those_of_librosa(sample_rate, n_fft):
    for bands in (20, 40):
        expected = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=bands)
        np.testing.assert_allclose(
            filters.mel_bank(sample_rate, n_fft, bands).T, expected, atol=1e-9, rtol=1e-5
        )
    expected = librosa.filters.chroma(sr=sample_rate, n_fft=n_fft, tuning=0)
    np.testing.assert_allclose(filters.chroma_bank(sample_rate, n_fft).T, expected, atol=1e-7)


@pytest.mark.parametrize("bands", [1, 13, 40, 128])
def test_mel_in_groups_is_the_whole_product(bands):
    power = np.random.default_rng(0).random((3, 1025), dtype=np.float32)
    expected = power @ filters.mel_bank(16000, 2048, bands)
    np.testing.assert_allclose(filters.to_mel(power, 16000, 2048, bands), expected, rtol=1e-5)


@pytest.mark.parametrize("hertz", [0, 100, 7990, 8000])
def test_the_rolloff_of_a_tone_is_found_up_to_the_last_bin(hertz):
    tone = 0.5 * np.cos(2 * np.pi * hertz * np.arange(16000) / 16000).astype(np.float32)
    found = describe(tone, 16000, [Descriptor("rolloff")])["rolloff"]
    expected = librosa.feature.spectral_rolloff(y=tone, sr=16000, n_fft=2048, hop_length=512)
    np.testing.assert_array_equal(found, expected.astype(np.float32))
    assert abs(found[0, 15] - hertz) < 20


def test_a_tone_has_its_own_pitch_class_centroid_and_level():
    tracks = describe(tone(16000), 16000, ALL)
    inner = slice(4, -4)
    assert (tracks["chroma"][:, inner].argmax(axis=0) == 9).all()  # A, counted from C
    np.testing.assert_allclose(tracks["centroid"][0, inner], 440, atol=1)
    np.testing.assert_allclose(tracks["rms"][0, inner], 0.3 / np.sqrt(2), rtol=1e-2)
    np.testing.assert_allclose(tracks["zcr"][0, inner], 2 * 440 / 16000, atol=1 / 2048)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(160, 6000),
    active=st.integers(1, 160),
    level=st.sampled_from([1e-30, 1e-9, 1e-4, 1.0, 100.0]),
    seed=st.integers(0, 2**16),
)
def test_finite_whatever_the_length_the_level_and_the_silence(samples, active, level, seed):
    waveform = np.zeros(samples, np.float32)
    waveform[:active] = level * np.random.default_rng(seed).uniform(0.1, 1, active)
    for family, track in describe(waveform, 16000, ALL).items():
        assert track.shape[1] == 1 + samples // 512, family
        assert track.dtype == np.float32, family
        assert np.isfinite(track).all(), family


def test_what_cannot_be_analysed_is_refused():
    with pytest.raises(AudioError, match="silent"):
        describe(np.zeros(16000), 16000, ALL)
    with pytest.raises(AudioError, match="10 ms"):
        describe(np.ones(20), 16000, ALL)
    with pytest.raises(SerClassicError, match=r"contrast.*6400 Hz.*4000 Hz"):
        describe(tone(8000), 8000, [Descriptor("contrast", 7)])
    with pytest.raises(SerClassicError, match=r"contrast.*0 and 200 Hz"):
        describe(noise(48000), 48000, [Descriptor("contrast", 7)], Framing(64, 32))


def test_fewer_contrast_bands_suit_a_lower_rate():
    waveform = voice(8000, 1.0, 6)
    expected = librosa.feature.spectral_contrast(y=waveform, sr=8000, n_bands=5)
    track = describe(waveform, 8000, [Descriptor("contrast", 6)])["contrast"]
    np.testing.assert_allclose(track, expected, atol=1e-3)


def test_misspelt_descriptors_and_impossible_sizes_are_named():
    with pytest.raises(SerClassicError, match="'chroma'"):
        Descriptor("croma", 12)
    with pytest.raises(SerClassicError, match=r"chroma: .*13.*12"):
        Descriptor("chroma", 13)
    with pytest.raises(SerClassicError, match=r"mfcc: .*0.*1 to 128"):
        Descriptor("mfcc", 0)
    with pytest.raises(SerClassicError, match="513 samples every 100"):
        Framing(513, 100)


def test_every_family_has_rows_of_its_name():
    for name, family in FAMILIES.items():
        for size in (family.least, family.most):
            rows = Descriptor(name, size).rows
            assert len(set(rows)) == size
            assert all(row.split("_")[0] == name for row in rows)
