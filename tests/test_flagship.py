"""The flagship feature sets: their columns, their agreement, and every awkward recording."""

import pickle
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_classic.audio import AudioError, resample
from ser_classic.corpora.synthetic import synthesise
from ser_classic.features import FEATURES
from ser_classic.features.flagship import (
    Flagship,
    PatchKernels,
    Portable,
    RandomKernels,
    SourceKernels,
    VoicedKernels,
)
from ser_classic.features.voice import DESCRIPTORS, Voice, analyse

RATE = 16_000
GROUPS = Flagship().groups


@pytest.fixture(scope="module")
def wave() -> np.ndarray:
    return synthesise("s01", "angry", "t1", 1)


def test_columns_tell_the_groups_apart():
    columns = Flagship().columns
    groups = [column.split("/")[0] for column in columns]
    assert len(set(columns)) == len(columns) == 2726 + 45 + 1035 + 529 + 8000 + 3 * 4000
    names = ["functionals", "prosody", "correlations", "lagged_correlations"]
    names += [f"{kind}_kernels" for kind in ("random", "voiced", "patch", "source")]
    assert list(dict.fromkeys(groups)) == names
    assert FEATURES["flagship"].extractor.groups == tuple(FEATURES[name].extractor for name in names)
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)
    assert {"functionals/mfcc_03_mean", "prosody/duration", "random_kernels/d4_007_p95"} <= set(columns)


def test_ninety_four_descriptors(wave: np.ndarray):
    voice = analyse(wave, RATE)
    assert len(DESCRIPTORS) == len(set(DESCRIPTORS)) == 94
    assert voice.descriptors.shape == (94, len(voice.voiced))
    assert voice.descriptors.dtype == np.float32


def test_the_flagship_is_its_groups_side_by_side(wave: np.ndarray):
    whole = Flagship()(wave, RATE)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, np.concatenate([group(wave, RATE) for group in GROUPS]))
    assert Flagship().columns == tuple(column for group in GROUPS for column in group.columns)


def test_the_portable_set_is_a_part_of_the_flagship_its_functionals_in_four_groups(wave: np.ndarray):
    columns = [column.partition("/")[2] for column in Flagship().columns]
    groups, names = zip(*(column.split("/") for column in Portable().columns), strict=True)
    places = [columns.index(name) for name in names]
    np.testing.assert_array_equal(Portable()(wave, RATE), Flagship()(wave, RATE)[places])
    kinds = {"levels": 9, "spreads": 7, "shapes": 6, "courses": 7}
    sizes = {kind: functionals * len(DESCRIPTORS) for kind, functionals in kinds.items()}
    assert Counter(groups) == sizes | {"prosody": 45, "correlations": 1035}


@pytest.mark.parametrize("extractor", [*GROUPS, Flagship(), RandomKernels(per_dilation=3, seed=5)])
def test_a_column_for_every_value(extractor: Flagship, wave: np.ndarray):
    assert pickle.loads(pickle.dumps(extractor)) == extractor
    assert extractor(wave, RATE).shape == (len(extractor.columns),)


def test_voiced_kernels_see_voiced_frames_alone(wave: np.ndarray):
    voice = analyse(wave, RATE)
    moved = voice.descriptors.copy()
    moved[:, ~voice.voiced] += 5
    whole, voiced = RandomKernels(per_dilation=10), VoicedKernels(per_dilation=10)
    assert 8 <= voice.voiced.sum() < len(voice.voiced)
    np.testing.assert_array_equal(voiced.of(Voice(moved, voice.voiced)), voiced.of(voice))
    assert (whole.of(Voice(moved, voice.voiced)) != whole.of(voice)).any()
    few = np.zeros_like(voice.voiced)
    few[:7] = True
    assert voiced.contours(Voice(moved, few)).shape == (22, len(few))


@pytest.mark.parametrize("group", [VoicedKernels(10), PatchKernels(10), SourceKernels(10)])
def test_standardised_kernels_forget_the_level_of_every_contour(wave: np.ndarray, group: RandomKernels):
    voice = analyse(wave, RATE)
    moved = Voice(2 * voice.descriptors + 3, voice.voiced)
    np.testing.assert_allclose(group.of(moved), group.of(voice), atol=2e-2)


def test_gain_changes_levels_alone_and_another_rate_nearly_nothing(wave: np.ndarray):
    one, two = analyse(wave, RATE), analyse(0.5 * wave, RATE)
    np.testing.assert_allclose(one["level_00"] - two["level_00"], 20 * np.log10(2), atol=0.05)
    np.testing.assert_allclose(one["f0_00"], two["f0_00"], atol=1e-3)
    np.testing.assert_allclose(one["f1_00"], two["f1_00"], atol=1e-2)
    one, two = analyse(wave, RATE), analyse(resample(wave, RATE, 48_000), 48_000)
    assert np.median(np.abs(one["f0_00"] - two["f0_00"])) < 0.01
    assert np.median(np.abs(one["mfcc_01"] - two["mfcc_01"])) < 0.5


def awkward() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    time = np.arange(RATE) / RATE
    sine, noise = np.sin(2 * np.pi * 220 * time), random.normal(size=RATE)
    click = np.zeros(RATE)
    click[8000] = 1
    return {
        "noise": 0.1 * noise,
        "loud noise": 1e3 * noise,
        "all but silent": 1e-9 * noise,
        "denormal": 1e-40 * noise,
        "one bit": np.sign(noise) * 2**-15 * (random.random(RATE) < 0.01),
        "clipped": np.clip(100 * sine, -1, 1),
        "sine": sine,
        "click": click,
        "offset": 0.5 + 0.1 * sine,
        "one frame": sine[:160],
        "two frames": sine[:200],
        "silence around": np.concatenate([np.zeros(RATE), 0.1 * noise, np.zeros(RATE)]),
        "a step": np.sign(time - 0.5),
        "nyquist": np.tile([0.5, -0.5], RATE // 2),
    }


@pytest.mark.parametrize("name", awkward())
def test_awkward_recordings_give_finite_values(name: str):
    values = Flagship(per_dilation=10)(awkward()[name].astype(np.float32), RATE)
    assert np.isfinite(values).all(), np.array(Flagship(per_dilation=10).columns)[~np.isfinite(values)]


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    samples=st.integers(160, 12_000),
    gain=st.floats(-120, 20),
    hertz=st.floats(20, 7900),
    tone=st.floats(0, 1),
    burst=st.floats(0.001, 1),
    bits=st.integers(1, 16),
)
def test_any_recording_gives_finite_values_or_a_refusal(
    seed: int, samples: int, gain: float, hertz: float, tone: float, burst: float, bits: int
):
    random = np.random.default_rng(seed)
    time = np.arange(samples) / RATE
    wave = tone * np.sin(2 * np.pi * hertz * time) + (1 - tone) * random.normal(size=samples)
    wave[random.random(samples) > burst] = 0
    wave = np.clip(np.round(wave * 10 ** (gain / 20) * 2**bits) / 2**bits, -1, 1).astype(np.float32)
    try:
        values = Flagship(per_dilation=2)(wave, RATE)
    except AudioError:
        assert np.ptp(wave) < 1e-5
    else:
        assert np.isfinite(values).all()


def test_memory_for_minutes_is_bounded():
    wave = np.tile(synthesise("s01", "angry", "t1", 1), 400)[: 90 * RATE]
    tracemalloc.start()
    try:
        values = Flagship()(wave, RATE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.isfinite(values).all()
    assert peak < 100e6, f"{peak / 1e6:.0f} MB"


def test_nothing_heavy_is_imported(python):
    code = (
        "import sys, numpy as np; from ser_classic.features.flagship import Flagship; "
        "Flagship()(np.random.default_rng(0).normal(size=16000), 16000); "
        "print([name for name in ('numba', 'librosa', 'sklearn', 'pandas', 'scipy.signal', 'scipy.stats') "
        "if name in sys.modules])"
    )
    assert python(code).said().strip() == "[]"
