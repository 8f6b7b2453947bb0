"""Functionals against NumPy, pooled columns against librosa."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_descriptors import by_librosa, voice

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.features import FEATURES
from ser_classic.features.descriptors import Descriptor, Framing
from ser_classic.features.functionals import FUNCTIONALS, POOLED, Pooled, pool

WIDTHS = {"mfcc13": 13, "mfcc_chroma_contrast": 59, "classic180": 180, "classic193": 193, "pooled": 920}


def by_numpy(tracks: np.ndarray) -> np.ndarray:
    tracks = tracks.astype(np.float64)
    deltas = np.diff(tracks, axis=1)
    spread = deltas.std(axis=1) if deltas.size else np.zeros(len(tracks))
    ranks = np.percentile(tracks, [5, 25, 50, 75, 95], axis=1)
    return np.stack([tracks.mean(axis=1), tracks.std(axis=1), *ranks, spread], axis=1)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 40)),
        elements=st.floats(-1000, 1000, width=32),
    )
)
def test_every_functional_is_what_numpy_gives(tracks):
    np.testing.assert_allclose(pool(tracks), by_numpy(tracks), rtol=1e-5, atol=1e-3)


def test_a_ramp_and_a_single_frame_by_hand():
    mean, std, p05, p25, p50, p75, p95, delta_std = pool(np.arange(0, 202, 2, dtype=np.float32)[None])[0]
    assert (mean, p05, p25, p50, p75, p95) == (100, 10, 50, 100, 150, 190)
    assert std == pytest.approx(2 * np.sqrt((101**2 - 1) / 12))  # of the integers, doubled
    assert delta_std == 0
    np.testing.assert_array_equal(pool(np.full((1, 1), 3, np.float32)), [[3, 0, 3, 3, 3, 3, 3, 0]])


def test_functionals_come_in_the_order_asked_for():
    tracks = np.random.default_rng(0).random((3, 17), dtype=np.float32)
    backwards = FUNCTIONALS[::-1]
    np.testing.assert_array_equal(pool(tracks, backwards), pool(tracks)[:, ::-1])


def test_the_sets_have_as_many_columns_as_they_are_called_after_or_told():
    assert {name: len(FEATURES[name].columns) for name in WIDTHS} == WIDTHS


def test_a_column_holds_what_its_name_says():
    waveform = voice(16000, 1.2, 2)
    theirs = by_librosa(waveform, 16000, Framing())
    named = dict(zip(POOLED.columns, POOLED(waveform, 16000), strict=True))
    assert named["mfcc_03_mean"] == pytest.approx(theirs["mfcc"][3].mean(), rel=1e-4)
    assert named["contrast_06_p95"] == pytest.approx(np.percentile(theirs["contrast"][6], 95), rel=1e-4)
    assert named["zcr_delta_std"] == pytest.approx(np.diff(theirs["zcr"][0]).std(), rel=1e-4)


def test_misspelt_functionals_and_repeated_families_are_named():
    with pytest.raises(SerClassicError, match="'mean'"):
        Pooled((Descriptor("zcr"),), ("maen",))
    with pytest.raises(SerClassicError, match="mfcc, zcr, mfcc"):
        Pooled((Descriptor("mfcc", 13), Descriptor("zcr"), Descriptor("mfcc", 20)))


def agree_over(waveforms: list[np.ndarray]) -> None:
    """Pooled columns of all clips agree to 1e-4 of each column's standard deviation."""
    families = [descriptor.family for descriptor in POOLED.descriptors]
    rows = {descriptor.family: descriptor.size for descriptor in POOLED.descriptors}
    ours, theirs = [], []
    for waveform in waveforms:
        tracks = by_librosa(waveform, 16000, POOLED.framing)
        theirs.append(by_numpy(np.concatenate([tracks[name][: rows[name]] for name in families])).ravel())
        ours.append(POOLED(waveform, 16000))
    allowed = 1e-4 * np.std(theirs, axis=0) + np.finfo(np.float32).eps * np.abs(theirs)
    excess = (np.abs(np.array(ours) - theirs) / allowed).max(axis=0)
    assert excess.max() <= 1, POOLED.columns[excess.argmax()]


def test_pooled_columns_agree_with_librosa_over_generated_voices():
    hiss = np.random.default_rng(0).standard_normal((12, 48000)).astype(np.float32) * 1e-4
    voices = [voice(16000, 1 + seed / 10, seed) for seed in range(12)]
    agree_over([wave + noise[: len(wave)] for wave, noise in zip(voices, hiss, strict=True)])


@pytest.mark.corpus
@pytest.mark.parametrize("corpus", ["ravdess", "emodb", "tess"])
def test_pooled_columns_agree_with_librosa_over_a_corpus(corpus, real):
    root, clips, _ = real(corpus)
    agree_over([audio.read(root / file, 16000)[0] for file in clips["file"].iloc[:: len(clips) // 40]])
