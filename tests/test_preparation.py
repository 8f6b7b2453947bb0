"""Preparation: level, silence, noise and length; what is off changes nothing."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_classic.errors import SerClassicError
from ser_classic.extras.deep.features import SEQUENCES, Frames, Preparation, Prepared
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.descriptors import Descriptor
from ser_classic.features.functionals import MFCC13
from ser_classic.features.inputs import VECTORS

RATE = 16_000


def voice(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """A tone with noise between two stretches of faint noise."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    loud = 0.2 * np.sin(2 * np.pi * 200 * t) + 0.02 * random.normal(size=len(t))
    ends = 1e-4 * random.normal(size=(2, RATE // 2))
    return np.concatenate([ends[0], loud, ends[1]]).astype(np.float32)


def test_nothing_is_done_unless_it_is_asked_for():
    np.testing.assert_array_equal(Preparation()(voice(), RATE), voice())
    np.testing.assert_array_equal(Prepared(Preparation(), MFCC13)(voice(), RATE), MFCC13(voice(), RATE))


def test_levels_are_reached_and_loudness_never_clips():
    peak = Preparation(level="peak", target=-6.0)(voice(), RATE)
    assert 20 * np.log10(np.abs(peak).max()) == pytest.approx(-6, abs=1e-3)
    rms = Preparation(level="rms", target=-20.0)(voice(), RATE)
    assert 20 * np.log10(np.sqrt(np.mean(rms.astype(float) ** 2))) == pytest.approx(-20, abs=1e-3)
    click = np.zeros(RATE, np.float32)
    click[RATE // 2] = 0.3
    assert np.abs(Preparation(level="rms", target=-3.0)(click, RATE)).max() == pytest.approx(1)


@pytest.mark.parametrize("gain", [1e-3, 0.5, 3.0])
def test_after_levelling_the_gain_of_a_recording_is_gone(gain):
    extractor = Prepared(Preparation(level="peak"), MFCC13)
    np.testing.assert_allclose(extractor(gain * voice(), RATE), extractor(voice(), RATE), atol=1e-2)


@pytest.mark.parametrize("below", [10.0, 30.0, 60.0])
def test_silence_is_cut_off_at_both_ends(below):
    trimmed = Preparation(trim=below)(voice(), RATE)
    np.testing.assert_allclose(len(trimmed) / RATE, 1, atol=0.15)
    start = (voice() == trimmed[0]).argmax()
    np.testing.assert_array_equal(trimmed, voice()[start : start + len(trimmed)])


@given(st.floats(0.02, 3))
def test_the_length_wanted_is_the_length_given(seconds):
    prepared = Preparation(seconds=seconds)(voice(), RATE)
    assert len(prepared) == round(seconds * RATE)
    shared = min(len(prepared), len(voice()))
    np.testing.assert_array_equal(prepared[:shared], voice()[:shared])
    assert not prepared[shared:].any()


def test_noise_reduction_takes_steady_noise_and_leaves_the_length():
    pytest.importorskip("noisereduce", reason="the extra `deep` is not installed")
    noisy = voice(2.0) + 0.01 * np.random.default_rng(1).normal(size=3 * RATE).astype(np.float32)
    reduced = Preparation(denoise=True)(noisy, RATE)
    assert reduced.shape == noisy.shape
    assert reduced.dtype == np.float32
    quiet = slice(0, RATE // 4)
    assert reduced[quiet].std() < 0.5 * noisy[quiet].std()
    np.testing.assert_array_equal(reduced, Preparation(denoise=True)(noisy, RATE))


def test_a_preparation_is_among_the_parameters_so_that_no_other_cache_is_used():
    sets = [
        FeatureSet("f", RATE, Prepared(Preparation(trim=trim), Frames((Descriptor("rms"),))))
        for trim in (None, 20.0, 30.0)
    ]
    assert len({str(entry.parameters) for entry in sets}) == 3
    assert all(entry.gives == SEQUENCES and entry.columns == ("rms",) for entry in sets)
    assert Prepared(Preparation(), MFCC13).gives == VECTORS


def test_without_the_library_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "noisereduce", None)
    with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[deep\]'"):
        Preparation(denoise=True)(voice(), RATE)
    with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[deep\]'"):
        FEATURES["clean_sequence"].require()
