"""Training copies: random chains that are the same for the same clip, and never what is tested."""

import numpy as np
import pytest

from ser_classic.degradations import DEGRADATIONS, training_copy
from ser_classic.degradations.channel import TELEPHONE
from ser_classic.degradations.copies import Chain


@pytest.fixture(scope="module")
def chains():
    random = np.random.default_rng(0)
    return [Chain.drawn(random) for _ in range(4000)]


def test_the_same_clip_number_and_seed_give_the_same_copy_and_no_other_do(voice):
    copy = training_copy(1)(voice, "a clip")
    assert copy.dtype == np.float32
    np.testing.assert_array_equal(copy, training_copy(1)(voice, "a clip"))
    for other in (
        training_copy(2)(voice, "a clip"),
        training_copy(1, seed=1)(voice, "a clip"),
        training_copy(1)(voice, "another clip"),
    ):
        assert np.abs(copy - other).max() > 1e-3
    keys = {training_copy(number, seed).key for number in (1, 2) for seed in (0, 1)}
    assert len(keys) == 4


def test_chains_do_what_they_do_as_often_as_stated(chains):
    shares = [np.mean([bool(part(chain)) for chain in chains]) for part in PARTS]
    np.testing.assert_allclose(shares, (0.5, 0.75, 0.35), atol=0.03)
    assert np.mean([chain.level for chain in chains]) == pytest.approx(-25, abs=0.8)


PARTS = (lambda chain: chain.band, lambda chain: chain.noise, lambda chain: chain.clipped)


def test_no_chain_is_a_tested_degradation(chains):
    """White noise, the telephone's band, the tested share of clipped samples and the tested level."""
    assert all(chain.band != TELEPHONE for chain in chains)
    assert all(chain.noise[1] != 0 for chain in chains if chain.noise)
    tested = DEGRADATIONS["clipped"].change.keywords["share"]
    assert all(chain.clipped < tested for chain in chains if chain.clipped)
    faint = DEGRADATIONS["faint"].change.keywords["level"]
    assert all(chain.level != faint for chain in chains)


@pytest.fixture(scope="module")
def copies(voice):
    return [training_copy(number)(voice, "a clip") for number in range(1, 13)]


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_no_copy_sounds_as_a_tested_clip_does(voice, copies, name):
    tested = DEGRADATIONS[name](voice, "a clip")
    for copy in copies:
        shared = min(len(copy), len(tested))
        apart = np.mean((copy[:shared] - tested[:shared]) ** 2) / np.mean(tested[:shared] ** 2)
        assert apart > 1e-4 or len(copy) != len(tested)


def test_a_chain_leaves_the_band_the_noise_and_the_level_that_it_says(voice):
    random = np.random.default_rng(0)
    fainter = Chain(None, None, None, -6.0)(voice.astype(float), random)
    np.testing.assert_allclose(fainter / fainter.max(), voice / voice.max(), rtol=1e-6, atol=1e-9)
    assert np.abs(fainter).max() == pytest.approx(10 ** (-6 / 20))
    copy = Chain(None, (10.0, 2.0), None, 0.0)(voice.astype(float), random)
    noisy = copy * (voice @ voice) / (voice @ copy) - voice
    assert np.mean(voice.astype(float) ** 2) / np.mean(noisy**2) == pytest.approx(10, rel=0.05)
    low, high = (np.abs(np.fft.rfft(noisy))[band].mean() for band in (slice(50, 500), slice(5000, 9000)))
    assert low > 10 * high, "brown"
    narrow = Chain((300.0, 2500.0), None, None, 0.0)(voice.astype(float), random)
    spectrum = np.abs(np.fft.rfft(narrow)) / np.abs(np.fft.rfft(voice))
    hertz = np.fft.rfftfreq(len(voice), 1 / 16000)
    passed = spectrum[(hertz > 600) & (hertz < 2000)]
    np.testing.assert_allclose(np.quantile(passed / np.median(passed), (0.1, 0.9)), 1, atol=0.05)
    assert np.median(spectrum[hertz > 5000]) < 0.05 * np.median(passed)
    share = np.mean(np.abs(Chain(None, None, 0.05, 0.0)(voice.astype(float), random)) == 1)
    assert share == pytest.approx(0.05, abs=0.002)


def test_what_is_silent_stays_silent():
    for number in range(1, 20):
        assert not training_copy(number)(np.zeros(4000, np.float32), "a clip").any()
