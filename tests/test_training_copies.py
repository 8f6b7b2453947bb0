"""Training copies: random chains that are the same for the same clip, and never what is tested."""

import numpy as np
import pytest
from scipy.signal import welch

from ser_classic.degradations import DEGRADATIONS, RATE, training_copy
from ser_classic.degradations import copies as module
from ser_classic.degradations.backgrounds import noise
from ser_classic.degradations.channel import clipped
from ser_classic.degradations.copies import Chain


def flatness(waveform):
    """Of a spectrum up to 4 kHz: 1 where it is level, near 0 where it has peaks."""
    density = welch(waveform, RATE, nperseg=2048)[1][8:512]
    return np.exp(np.log(density).mean()) / density.mean()


@pytest.fixture(scope="module")
def chains():
    random = np.random.default_rng(0)
    return [Chain.drawn(random, scene) for _ in range(4000) for scene in (False, True)]


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


@pytest.mark.parametrize(
    ("scene", "stated"),
    [
        (False, {"room": 0, "tones": 0, "band": 0.6, "noise": 0.75, "clipped": 0.4}),
        (True, {"room": 0.5, "tones": 0.4, "band": 0, "noise": 0.45, "clipped": 0.4}),
    ],
)
def test_chains_do_what_they_do_as_often_as_stated(chains, scene, stated):
    drawn = chains[int(scene) :: 2]
    shares = {name: np.mean([getattr(chain, name) is not None for chain in drawn]) for name in NOTHING}
    assert shares == pytest.approx(stated, abs=0.03)
    assert not any(chain.tones is not None and chain.noise for chain in drawn), "one background at most"


def test_what_is_clipped_is_louder_and_nearer_than_the_noise(chains):
    for loud, level, ratio in ((True, -10, 22.5), (False, -25, 12.5)):
        drawn = [chain for chain in chains if (chain.clipped is not None) == loud]
        assert np.mean([chain.level for chain in drawn]) == pytest.approx(level, abs=1)
        assert np.mean([chain.noise[0] for chain in drawn if chain.noise]) == pytest.approx(ratio, abs=1)


def test_odd_copies_come_over_lines_and_even_ones_from_scenes(voice):
    """A room lengthens a recording, and no line does."""
    longer = {number: len(training_copy(number)(voice, "a clip")) > len(voice) for number in range(1, 25)}
    assert not any(longer[number] for number in longer if number % 2)
    assert any(longer.values())


NOTHING = dict.fromkeys(("room", "tones", "band", "noise", "clipped"))


def test_chains_have_of_what_is_tested_only_other_noise_and_less_clipping(chains):
    tested = {getattr(each.change, "func", each.change) for each in DEGRADATIONS.values()}
    assert tested.intersection(filter(callable, vars(module).values())) == {noise, clipped}
    assert not any("exponent" in each.change.keywords for each in of(noise)), "white"
    assert np.mean([abs(chain.noise[1]) < 0.1 for chain in chains if chain.noise]) < 0.1, "nearly white"
    share = min(each.change.keywords["share"] for each in of(clipped))
    assert all(chain.clipped < share for chain in chains if chain.clipped)


def of(change):
    """The tested degradations that make this change."""
    return [each for each in DEGRADATIONS.values() if getattr(each.change, "func", None) is change]


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


def changed(level=0.0, **changes):
    return Chain(**{**NOTHING, "level": level, **changes})


def test_a_chain_leaves_the_band_the_noise_and_the_level_that_it_says(voice):
    random = np.random.default_rng(0)
    fainter = changed(level=-6.0)(voice.astype(float), random)
    np.testing.assert_allclose(fainter / fainter.max(), voice / voice.max(), rtol=1e-6, atol=1e-9)
    assert np.abs(fainter).max() == pytest.approx(10 ** (-6 / 20))
    copy = changed(noise=(10.0, 2.0))(voice.astype(float), random)
    noisy = copy * (voice @ voice) / (voice @ copy) - voice
    assert np.mean(voice.astype(float) ** 2) / np.mean(noisy**2) == pytest.approx(10, rel=0.05)
    low, high = (np.abs(np.fft.rfft(noisy))[band].mean() for band in (slice(50, 500), slice(5000, 9000)))
    assert low > 10 * high, "brown"
    narrow = changed(band=(300.0, 2500.0))(voice.astype(float), random)
    spectrum = np.abs(np.fft.rfft(narrow)) / np.abs(np.fft.rfft(voice))
    hertz = np.fft.rfftfreq(len(voice), 1 / 16000)
    passed = spectrum[(hertz > 600) & (hertz < 2000)]
    np.testing.assert_allclose(np.quantile(passed / np.median(passed), (0.1, 0.9)), 1, atol=0.05)
    assert np.median(spectrum[hertz > 2900]) < 1e-3 * np.median(passed), "as sampled at a low rate"
    share = np.mean(np.abs(changed(clipped=0.05)(voice.astype(float), random)) == 1)
    assert share == pytest.approx(0.05, abs=0.002)


def test_echoes_fade_by_60_dB_in_their_time_and_have_the_stated_energy():
    click = np.eye(1, 4 * RATE)[0]
    for seed in range(5):
        heard = changed(room=(0.5, 6.0))(click, np.random.default_rng(seed))
        echoes = heard / heard[0]
        echoes[0] = 0
        assert np.sum(echoes**2) == pytest.approx(10 ** (-6 / 10), rel=1e-3)
        early, late = (np.mean(echoes[start : start + 2400] ** 2) for start in (480, 480 + 4000))
        assert 10 * np.log10(early / late) == pytest.approx(30, abs=3), "a quarter of a second later"
        assert not echoes[8480:].any() or np.abs(echoes[8480:]).max() < 1e-3


def test_tones_have_the_stated_ratio_and_pitch(voice):
    random, long = np.random.default_rng(0), np.tile(voice, 3).astype(float)
    flat = flatness(random.normal(size=len(long)))
    for _ in range(5):
        copy = changed(tones=10.0)(long, random)
        scale = (copy @ long) / (long @ long)
        other = copy / scale - long
        assert np.mean(long**2) / np.mean(other**2) == pytest.approx(10, rel=0.2)
        assert flatness(other) < 0.5 * flat


def test_what_is_silent_stays_silent():
    for number in range(1, 20):
        assert not training_copy(number)(np.zeros(4000, np.float32), "a clip").any()
