"""The groups of features against NumPy, scipy, librosa and values counted by hand."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ser_classic.features.voice import DESCRIPTORS, Voice, contours, correlations, kernels, prosody


def named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


@pytest.fixture(scope="module")
def tracks() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, 120)).cumsum(axis=1).astype(np.float32)


def test_functionals_of_contours(tracks: np.ndarray):
    table = contours.functionals(tracks, 0.01)
    assert table.shape == (5, 29)
    time = np.arange(120)
    for x, row in zip(tracks.astype(float), table, strict=True):
        percentile = dict(
            zip((1, 5, 25, 50, 75, 95, 99), np.percentile(x, [1, 5, 25, 50, 75, 95, 99]), strict=True)
        )
        fit = np.polyval(np.polyfit(time, x, 2), time)
        peaks = [i for i in range(1, 119) if x[i - 1] < x[i] >= x[i + 1]]
        span = x.max() - x.min()
        expected = {
            "mean": x.mean(),
            "sd": x.std(),
            "skewness": stats.skew(x),
            "kurtosis": stats.kurtosis(x, fisher=False),
            **{f"p{n:02d}": value for n, value in percentile.items()},
            "iqr13": percentile[75] - percentile[25],
            "iqr23": percentile[75] - percentile[50],
            "iqr12": percentile[50] - percentile[25],
            "range": percentile[99] - percentile[1],
            "slope": np.corrcoef(time, x)[0, 1] * x.std(),
            "curvature": np.polynomial.legendre.legval(time, [0])[0],
            "residual": np.std(x - fit),
            "argmax": x.argmax() / 119,
            "argmin": x.argmin() / 119,
            **{f"above{n}": np.mean(x > x.min() + n / 100 * span) for n in (25, 50, 75, 90)},
            "rising": np.mean(np.diff(x) > 0),
            "crossings": np.mean(np.diff(x > x.mean())),
            "peaks": len(peaks) / 1.2,
            "peakmean": x[peaks].mean(),
            "peakrise": x[peaks].mean() - x.mean(),
        }
        # What the parabola explains beyond the line; its sign is that of the quadratic coefficient.
        line = np.polyval(np.polyfit(time, x, 1), time)
        expected["curvature"] = np.sign(np.polyfit(time, x, 2)[0]) * np.std(fit - line)
        ours = named(contours.FUNCTIONALS, row)
        assert ours.keys() == expected.keys()
        for name, value in expected.items():
            assert ours[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_short_constant_has_no_spread_and_no_trend(frames: int):
    row = named(contours.FUNCTIONALS, contours.functionals(np.full((1, frames), -7.3), 0.01)[0])
    for name, value in row.items():
        if name in ("mean", "peakmean") or name[1:].isdigit():
            assert value == pytest.approx(-7.3)
        else:
            assert value == pytest.approx(0, abs=1e-5), name


@settings(deadline=None, max_examples=60)
@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.floats(-1e4, 1e4, width=32)
    )
)
def test_groups_are_finite_for_any_contour(rows: np.ndarray):
    assert np.isfinite(contours.functionals(rows, 0.01)).all()
    assert np.isfinite(correlations.correlations(rows)).all()
    assert np.isfinite(correlations.lagged(rows)).all()
    assert np.isfinite(kernels.responses(rows, kernels.cut(kernels.mixtures, len(rows), 3, 0))).all()


def voice(voiced: str, f0: np.ndarray | float = 12.0, level: np.ndarray | float = -20.0) -> Voice:
    flag = np.array([mark == "v" for mark in voiced])
    descriptors = np.zeros((len(DESCRIPTORS), len(flag)), dtype=np.float32)
    descriptors[DESCRIPTORS.index("f0_00")] = f0
    descriptors[DESCRIPTORS.index("level_00")] = level
    return Voice(descriptors, flag)


def test_prosody_of_runs():
    values = named(prosody.PROSODY, prosody.prosody(voice("uuvvvvuvvuuu" + 8 * "u")))
    assert values["duration"] == pytest.approx(0.2)
    assert values["voiced_share"] == pytest.approx(6 / 20)
    expected = {"rate": 10, "mean": 0.03, "sd": 0.01, "max": 0.04, "median": 0.03}
    for name, value in expected.items():
        assert values[f"voiced_run_{name}"] == pytest.approx(value), name
    assert values["unvoiced_run_rate"] == pytest.approx(15)
    assert values["unvoiced_run_max"] == pytest.approx(0.11)
    assert values["jitter_local"] == values["shimmer_apq5"] == values["f0_step"] == 0


def test_prosody_of_a_glide():
    f0 = np.concatenate([np.arange(10) * 0.5, np.full(5, 30), 10 - np.arange(10) * 0.25])
    values = named(prosody.PROSODY, prosody.prosody(voice("v" * 10 + "u" * 5 + "v" * 10, f0)))
    assert values["f0_slope_first"] == pytest.approx(50)
    assert values["f0_slope_last"] == pytest.approx(-25)
    assert values["f0_slope_mean"] == pytest.approx(12.5)
    assert values["f0_slope_magnitude"] == pytest.approx(37.5)
    assert values["f0_step"] == pytest.approx(0.375)  # steps inside voiced stretches alone
    spoken = np.concatenate([f0[:10], f0[15:]])
    assert values["f0_p95"] == pytest.approx(np.percentile(spoken, 95))
    assert values["f0_start"] == pytest.approx(f0[:4].mean() - spoken.mean(), abs=1e-5)
    assert values["f0_end"] == pytest.approx(f0[-4:].mean() - spoken.mean(), abs=1e-5)


def test_jitter_and_shimmer_of_alternating_frames():
    # Periods 1 and 1.1, amplitudes 1 and 0.5 in turn.
    period, amplitude = np.tile([1, 1.1], 10), np.tile([1, 0.5], 10)
    voiced = voice("v" * 20, -12 * np.log2(period), 20 * np.log10(amplitude))
    values = named(prosody.PROSODY, prosody.prosody(voiced))
    assert values["jitter_local"] == pytest.approx(0.1 / 1.05, rel=1e-4)
    assert values["jitter_rap"] == pytest.approx(0.1 * 2 / 3 / 1.05, rel=1e-4)
    assert values["jitter_ppq5"] == pytest.approx(0.1 * 2 / 5 / 1.05, rel=1e-4)
    assert values["shimmer_local"] == pytest.approx(0.5 / 0.75, rel=1e-4)
    assert values["shimmer_local_log"] == pytest.approx(np.log(0.5 / 0.75), rel=1e-4)


@pytest.mark.parametrize("voiced", ["u", "v", "uuuuuuuu", "vvvvvvvv", "uv"])
def test_prosody_of_corners_is_finite(voiced: str):
    assert np.isfinite(prosody.prosody(voice(voiced))).all()


def test_loudness_peaks_are_counted():
    speech = voice("v" * 200)
    speech.descriptors[DESCRIPTORS.index("loudness_00")] = 2 + np.cos(2 * np.pi * np.arange(200) / 25)
    values = named(prosody.PROSODY, prosody.prosody(speech))
    assert values["loudness_peak_rate"] == pytest.approx(7 / 2)  # 25, 50, ..., 175: the ends are no peaks


def test_deltas_are_librosas(tracks: np.ndarray):
    expected = librosa.feature.delta(tracks, width=5, mode="nearest")
    np.testing.assert_allclose(correlations.deltas(tracks), expected, atol=1e-5)


def test_correlations_are_numpys(tracks: np.ndarray):
    rows = np.vstack([tracks, librosa.feature.delta(tracks, width=5, mode="nearest")])
    expected = np.arctanh(np.clip(np.corrcoef(rows), -0.99, 0.99))
    names = correlations.pairs(tuple("abcde"))
    ours = named(names, correlations.correlations(tracks))
    both = [*"abcde", *(f"{name}_delta" for name in "abcde")]
    assert len(names) == 45
    for i, a in enumerate(both):
        for j in range(i + 1, 10):
            assert ours[f"{a}_{both[j]}"] == pytest.approx(expected[i, j], abs=1e-3)


def test_lagged_correlations_are_numpys(tracks: np.ndarray):
    names = correlations.lagged_pairs(tuple("abcde"))
    ours = named(names, correlations.lagged(tracks))
    assert len(names) == 25
    for i, a in enumerate("abcde"):
        for j, b in enumerate("abcde"):
            expected = np.corrcoef(tracks[i, :-3], tracks[j, 3:])[0, 1]
            assert np.tanh(ours[f"{a}_before_{b}"]) == pytest.approx(np.clip(expected, -0.99, 0.99), abs=1e-3)
    assert (correlations.lagged(tracks[:, :3]) == 0).all()


def test_correlations_do_not_see_gain_and_offset_and_a_still_track_has_none(tracks: np.ndarray):
    moved = tracks * np.array([[1], [2], [0.5], [3], [10]], dtype=np.float32) + 7
    np.testing.assert_allclose(correlations.correlations(moved), correlations.correlations(tracks), atol=1e-3)
    rows = tracks.copy()
    rows[2] = 4.2
    values = named(correlations.pairs(tuple("abcde")), correlations.correlations(rows))
    assert all(value == 0 for name, value in values.items() if "c" in name.split("_"))


@pytest.mark.parametrize(
    ("make", "channels", "kernels_each"),
    [
        ("mixtures", 5, 4),
        ("mixtures", 23, 60),
        ("patches", 40, 120),
    ],  # of the second, some go around the ring
)
def test_responses_are_plain_convolutions(make: str, channels: int, kernels_each: int):
    contours = np.random.default_rng(0).normal(size=(channels, 50)).astype(np.float32)
    bank = getattr(kernels, make)
    table = kernels.responses(contours, kernels.cut(bank, channels, kernels_each, 3))
    weights = bank(channels, kernels_each, 3).reshape(4, kernels_each, 9, channels).astype(float)
    for dilation, of_dilation, pools in zip(kernels.DILATIONS, weights, table.reshape(4, -1, 5), strict=True):
        padded = np.pad(contours, ((0, 0), (4 * dilation, 4 * dilation)), mode="edge").astype(float)
        response = sum(of_dilation[:, n] @ padded[:, n * dilation :][:, :50] for n in range(9))
        moments = (response > 0).mean(axis=1), response.mean(axis=1), response.std(axis=1)
        expected = np.stack([*moments, *np.percentile(response, [95, 5], axis=1)], axis=1)
        np.testing.assert_allclose(pools, expected, rtol=1e-3, atol=1e-3)


def test_kernels_are_as_described():
    weights = kernels.mixtures(23, 400, 0).reshape(1600, 9, 23)
    used = (weights != 0).any(axis=1).sum(axis=1)
    assert set(used) == {1, 2, 3, 4, 5, 6}
    np.testing.assert_allclose(np.linalg.norm(weights, axis=(1, 2)), 1, rtol=1e-5)
    balanced = np.abs(weights.sum(axis=1)).max(axis=1) < 1e-5
    assert balanced.mean() == pytest.approx(0.75, abs=0.04)


def test_patches_are_as_described():
    weights = kernels.patches(40, 400, 0).reshape(1600, 9, 40)
    used = (weights != 0).any(axis=1)
    first, last = used.argmax(axis=1), 39 - used[:, ::-1].argmax(axis=1)
    assert (used.sum(axis=1) == kernels.PATCH).all()
    assert (last - first == kernels.PATCH - 1).all()
    assert set(first) == set(range(31))
    np.testing.assert_allclose(np.linalg.norm(weights, axis=(1, 2)), 1, rtol=1e-5)
    balanced = np.abs(weights.sum(axis=1)).max(axis=1) < 1e-5
    assert balanced.mean() == pytest.approx(0.75, abs=0.04)


def test_standardised_contours_forget_gain_and_offset_but_are_not_blown_up(tracks: np.ndarray):
    ours = kernels.standardised(tracks, 0.05)
    np.testing.assert_allclose(ours.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(ours.std(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(kernels.standardised(3 * tracks + 7, 0.05), ours, atol=1e-4)
    faint = np.tile([0.0, 0.02], 60)[None]
    np.testing.assert_allclose(kernels.standardised(faint, 0.05).std(), 0.01 / 0.05, rtol=1e-5)


def test_kernels_follow_from_the_seed():
    first = kernels.mixtures(23, 2, 0)
    np.testing.assert_array_equal(kernels.mixtures(23, 2, 0), first)
    assert (kernels.mixtures(23, 2, 1) != first).any()


def test_long_recordings_are_pooled_in_parts(tracks: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    rows = np.vstack([tracks, tracks[:, ::-1], -tracks])
    bank = kernels.cut(kernels.mixtures, len(rows), 30, 0)
    assert all(len(pieces) > 1 for pieces in bank.pieces)
    whole = kernels.responses(rows, bank)
    monkeypatch.setattr(kernels, "MOST_CELLS", 7 * rows.shape[1])
    np.testing.assert_allclose(kernels.responses(rows, bank), whole, rtol=1e-5, atol=1e-6)
