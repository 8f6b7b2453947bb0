"""Speaker adaptation: a z-score within each speaker, and nothing more."""

from __future__ import annotations

import numpy as np

from ser_classic.adaptation import adapt


def test_each_speaker_has_mean_0_and_spread_1():
    random = np.random.default_rng(0)
    speakers = np.repeat(["a", "b"], [20, 30])
    values = random.normal(size=(50, 3)) * [1, 10, 0.1] + np.where(speakers == "a", 0, 100)[:, None]
    adapted = adapt(values, speakers)
    for who in "ab":
        np.testing.assert_allclose(adapted[speakers == who].mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(adapted[speakers == who].std(axis=0), 1, atol=1e-5)


def test_a_speaker_does_not_depend_on_another():
    random = np.random.default_rng(0)
    values = random.normal(size=(40, 3))
    speakers = np.repeat(["a", "b"], 20)
    other = values.copy()
    other[20:] *= 7
    np.testing.assert_array_equal(adapt(values, speakers)[:20], adapt(other, speakers)[:20])


def test_a_constant_feature_becomes_0_whatever_its_size():
    values = np.full((5, 2), [0.1, 1e6], dtype=np.float32)
    np.testing.assert_array_equal(adapt(values, np.repeat("a", 5)), 0)
