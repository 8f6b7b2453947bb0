"""Speaker adaptation: z-scores of a speaker's features, and what his clips together tell of his answers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from ser_classic import adaptation
from ser_classic.adaptation import adapt, adapt_few, drawn, evened, self_taught
from ser_classic.experiment.evaluation import evaluate
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS


def test_each_speaker_has_mean_0_and_spread_1_and_a_constant_feature_becomes_0():
    random = np.random.default_rng(0)
    speakers = np.repeat(["a", "b"], [20, 30])
    values = random.normal(size=(50, 3)) * [1, 10, 0.1] + np.where(speakers == "a", 0, 100)[:, None]
    adapted = adapt(values, speakers)
    for who in "ab":
        np.testing.assert_allclose(adapted[speakers == who].mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(adapted[speakers == who].std(axis=0), 1, atol=1e-5)
    values = np.full((5, 2), [0.1, 1e6], dtype=np.float32)
    np.testing.assert_array_equal(adapt(values, np.repeat("a", 5)), 0)


def test_a_speaker_does_not_depend_on_another():
    random = np.random.default_rng(0)
    values = random.normal(size=(40, 3))
    speakers = np.repeat(["a", "b"], 20)
    other = values.copy()
    other[20:] *= 7
    np.testing.assert_array_equal(adapt(values, speakers)[:20], adapt(other, speakers)[:20])


def four_speakers():
    random = np.random.default_rng(1)
    speakers = np.repeat(["a", "b", "c", "d"], 12)
    values = random.normal(size=(48, 3)) * [1, 10, 0.1] + np.repeat(random.normal(0, 5, (4, 3)), 12, axis=0)
    return values, speakers, np.flatnonzero(speakers < "c")


def test_clips_are_drawn_by_the_seed_as_many_as_wanted_nested_and_speaker_by_speaker():
    speakers = np.array(["a", "b", "c"])[np.random.default_rng(0).integers(0, 3, 60)]
    marked = {heard: drawn(speakers, heard, seed=0) for heard in (0, 4, 8, 16, 32)}
    for heard, rows in marked.items():
        for name in "abc":
            assert rows[speakers == name].sum() == min(heard, (speakers == name).sum())
    for fewer, more in itertools.pairwise(marked.values()):
        assert not (fewer & ~more).any()
    np.testing.assert_array_equal(marked[8], drawn(speakers, 8, seed=0))
    assert (marked[8] != drawn(speakers, 8, seed=1)).any()
    alone = drawn(np.repeat("b", 20), 5, seed=3)
    np.testing.assert_array_equal(drawn(np.repeat(["a", "b"], [7, 20]), 5, seed=3)[7:], alone)


def test_who_is_heard_in_full_is_adapted_as_ever():
    values, speakers, train = four_speakers()
    np.testing.assert_allclose(
        adapt_few(values, speakers, train, np.ones(48, bool)), adapt(values, speakers), atol=1e-5
    )


@pytest.mark.parametrize("heard", [0, 4, 7, 8, 9])
def test_few_clips_are_mixed_with_the_training_speakers_which_count_as_4(heard):
    values, speakers, train = four_speakers()
    marked = drawn(speakers, heard, seed=0)
    adapted = adapt_few(values, speakers, train, marked)
    known = [values[speakers == name] for name in "ab"]
    mean = (known[0].mean(axis=0) + known[1].mean(axis=0)) / 2
    variance = (known[0].var(axis=0) + known[1].var(axis=0)) / 2
    own = values[(speakers == "d") & marked]
    if heard:
        share = heard / (heard + 4) if heard < 8 else 1
        mean = (1 - share) * mean + share * own.mean(axis=0)
        variance = (1 - share) * variance + share * own.var(axis=0)
    rows = speakers == "d"
    np.testing.assert_allclose(adapted[rows], (values[rows] - mean) / np.sqrt(variance), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(adapted[train], adapt(values, speakers)[train])


def test_a_clip_that_was_not_heard_changes_itself_alone():
    values, speakers, train = four_speakers()
    marked = drawn(speakers, 4, seed=0)
    unheard = np.flatnonzero((speakers == "c") & ~marked)[0]
    other = values.copy()
    other[unheard] += 1000
    changed = (adapt_few(values, speakers, train, marked) != adapt_few(other, speakers, train, marked)).any(
        axis=1
    )
    assert np.flatnonzero(changed).tolist() == [unheard]


def test_a_feature_that_is_constant_over_the_clips_heard_becomes_0():
    values, speakers, train = four_speakers()
    marked = drawn(speakers, 8, seed=0)
    values[marked & (speakers == "c"), 0] = 0.1
    assert not adapt_few(values, speakers, train, marked)[speakers == "c", 0].any()


def test_frames_of_sequences_are_adapted_by_the_clips_they_belong_to():
    values, speakers, train = four_speakers()
    lengths = np.random.default_rng(2).integers(1, 6, 48)
    frames = np.repeat(values, lengths, axis=0) + np.random.default_rng(3).normal(size=(lengths.sum(), 3))
    marked = drawn(speakers, 8, seed=0)
    adapted = adapt_few(frames, speakers, train, marked, lengths)
    owners = np.repeat(speakers, lengths)
    own = frames[(owners == "c") & np.repeat(marked, lengths)]
    expected = (frames[owners == "c"] - own.mean(axis=0)) / own.std(axis=0)
    np.testing.assert_allclose(adapted[owners == "c"], expected, atol=1e-4)


def test_with_no_clip_nothing_of_the_test_speaker_reaches_another_prediction(tiny, mfcc13):
    protocol = PROTOCOLS["loso_adapted_m0"]
    expected = evaluate(tiny.clips, mfcc13, MODELS["ridge"], protocol).set_index("clip")["p_sad"]
    values = mfcc13.values.copy()
    values[5] += 30
    other = evaluate(tiny.clips, replace(mfcc13, values=values), MODELS["ridge"], protocol)
    own = tiny.clips.index[tiny.clips["speaker"] == tiny.clips["speaker"].iloc[5]]
    changed = (other.set_index("clip")["p_sad"] - expected).abs() > 0
    assert changed[own].sum() == 1
    assert changed[own].idxmax() == tiny.clips.index[5]


def stranger(emotions, seed=0):
    """Log probabilities of three emotions that a stranger's voice shifts towards the first."""
    scores = 4 * np.eye(3)[emotions] + np.random.default_rng(seed).normal(0, 0.5, (len(emotions), 3))
    probabilities = np.exp(scores + np.array([5, 0, 0]))
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def test_what_a_stranger_favours_in_all_his_clips_is_taken_away():
    emotions = np.tile([0, 1, 2], 10)
    probabilities = stranger(emotions)
    shared = evened(probabilities)
    np.testing.assert_allclose(shared.sum(axis=1), 1)
    np.testing.assert_allclose(shared.mean(axis=0), 1 / 3, atol=1e-3)
    assert np.mean(probabilities.argmax(axis=1) == emotions) < 0.5
    assert (shared.argmax(axis=1) == emotions).all()


def test_a_stranger_of_one_emotion_keeps_it_and_probabilities_stay_numbers():
    probabilities = stranger(np.ones(12, dtype=int))
    np.testing.assert_allclose(evened(probabilities), probabilities, atol=1e-8)
    assert np.isfinite(evened(np.eye(3)[np.tile([0, 1], 5)])).all()


def heard_badly(emotions, wrong, seed=0):
    """Clips whose features tell three emotions, and probabilities that are wrong for some of them."""
    random = np.random.default_rng(seed)
    values = np.eye(3)[emotions] @ random.normal(0, 1, (3, 20)) + random.normal(0, 0.5, (len(emotions), 20))
    told = np.where(random.random(len(emotions)) < wrong, random.integers(0, 3, len(emotions)), emotions)
    probabilities = np.exp(2.5 * np.eye(3)[told] + random.normal(0, 0.3, (len(emotions), 3)))
    return probabilities / probabilities.sum(axis=1, keepdims=True), values


def right(probabilities, emotions):
    return np.mean(probabilities.argmax(axis=1) == emotions)


def test_what_clips_of_a_stranger_have_in_common_mends_answers():
    emotions = np.tile([0, 1, 2], 20)
    probabilities, values = heard_badly(emotions, 0.4)
    taught = self_taught(probabilities, values)
    np.testing.assert_allclose(taught.sum(axis=1), 1)
    assert right(evened(probabilities), emotions) < 0.85
    assert right(taught, emotions) > 0.95


def test_features_that_tell_nothing_leave_answers_evened_out():
    probabilities, values = heard_badly(np.tile([0, 1, 2], 20), 0.2)
    for none in (np.zeros_like(values), np.full_like(values, 7)):
        taught = self_taught(probabilities, none)
        assert (taught.argmax(axis=1) == evened(probabilities).argmax(axis=1)).all()


def test_a_stranger_of_one_emotion_has_nothing_to_teach():
    probabilities = stranger(np.ones(12, dtype=int))
    values = np.random.default_rng(1).normal(0, 1, (12, 20))
    np.testing.assert_allclose(self_taught(probabilities, values), probabilities, atol=1e-8)


@pytest.mark.parametrize(("clips", "mended"), [(60, True), (6, False)])
def test_a_hesitant_model_is_mended_where_features_and_answers_vary_together(clips, mended):
    emotions = np.tile([0, 1, 2], clips // 3)
    probabilities, values = heard_badly(emotions, 0.1)
    hesitant = probabilities**0.1 * [1.6, 1, 1]
    hesitant /= hesitant.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(evened(hesitant), hesitant, atol=1e-8)
    taught = self_taught(hesitant, values)
    if mended:
        assert right(taught, emotions) > right(hesitant, emotions) + 0.3
    else:
        np.testing.assert_allclose(taught, hesitant, atol=1e-8)
    scattered = np.random.default_rng(1).normal(0, 1, values.shape)
    np.testing.assert_allclose(self_taught(hesitant, scattered), hesitant, atol=0.02)


def test_some_of_many_clips_teach_all(monkeypatch):
    emotions = np.tile([0, 1, 2], 100)
    probabilities, values = heard_badly(emotions, 0.4)
    monkeypatch.setattr(adaptation, "MOST_CLIPS", 100)
    taught = self_taught(probabilities, values)
    assert right(taught, emotions) > right(evened(probabilities), emotions) + 0.05
    monkeypatch.setattr(adaptation, "MOST_CLIPS", 4)
    assert np.isfinite(self_taught(probabilities, values)).all()
