"""Inner folds keep speakers whole, weights balance classes, UAR is scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.utils.class_weight import compute_sample_weight

from ser_classic.estimators import balanced_weights, inner_folds
from ser_classic.estimators.folds import encoded, uar
from ser_classic.estimators.tuned import fit_sharpness
from ser_classic.machines import Scores

labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=2, max_size=80)


@given(labels, st.integers(2, 6), st.integers(0, 3))
def test_no_speaker_is_on_both_sides_and_every_class_is_trained_on(pairs, n_splits, seed):
    y, speakers = np.array(pairs).T
    splits = inner_folds(y, speakers, n_splits, seed)
    if splits is None:
        return
    for train, test in splits:
        assert len(test)
        assert not set(speakers[train]) & set(speakers[test])
        assert set(y[train]) == set(y)
        assert len(train) + len(test) == len(y)


def test_folds_are_balanced_and_depend_on_the_seed_alone():
    speakers = np.repeat(np.arange(24), 60)
    y = np.tile(np.arange(8).repeat(8)[:60], 24)
    first, again, other = (inner_folds(y, speakers, 4, seed) for seed in (0, 0, 1))
    assert [len(test) for _, test in first] == [360] * 4
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any(len(a[1]) != len(b[1]) or (a[1] != b[1]).any() for a, b in zip(first, other, strict=True))


def test_one_speaker_has_no_folds_and_two_have_two():
    y = np.array(["sad", "angry"] * 10)
    assert inner_folds(y, np.zeros(20)) is None
    assert len(inner_folds(y, np.repeat([0, 1], 10))) == 2


@given(st.lists(st.integers(0, 4), min_size=1, max_size=50))
def test_weights_are_scikit_learns(codes):
    np.testing.assert_allclose(balanced_weights(codes), compute_sample_weight("balanced", codes))


def test_a_weight_counts_as_repetition():
    y, weight = np.array([0, 0, 1, 2, 2]), np.array([1, 3, 2, 0, 1])
    repeated = balanced_weights(y.repeat(weight))
    summed = np.add.reduceat(repeated, [0, 1, 4, 6])
    np.testing.assert_allclose(balanced_weights(y, weight), [summed[0], summed[1], summed[2], 0, summed[3]])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_uar_is_balanced_accuracy_to_the_last_bit(pairs):
    truth, guess = np.array(pairs).T
    present = np.isin(guess, truth)
    guess = np.where(present, guess, (truth + 1) % 5)  # scikit-learn warns of classes never in the truth
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert uar(truth, guess) == balanced_accuracy_score(truth, guess)


def test_sharpness_has_the_smallest_log_loss():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(2000, 5))
    p = np.exp(3 * scores) / np.exp(3 * scores).sum(axis=1, keepdims=True)
    truth = np.array([generator.choice(5, p=row) for row in p])
    sharpness = fit_sharpness(scores, truth)
    assert abs(sharpness - 3) < 0.25
    lower, best, upper = (log_loss(truth, Scores(sharpness * f)(scores)[1]) for f in (0.98, 1.0, 1.02))
    assert best <= min(lower, upper)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6), st.floats(1e-4, 1e3), st.integers(0, 5))
def test_probabilities_never_change_the_first_choice(scores, sharpness, which):
    row = np.array(scores)
    row[which % len(row)] = np.nextafter(row.max(), np.inf)  # the closest race there can be
    _, p = Scores(sharpness)(row[None, :])
    assert p.argmax() == row.argmax()
    assert abs(p.sum() - 1) < 1e-12


def test_a_single_class_is_named_as_it_is_written():
    with pytest.raises(ValueError, match="one class, 'sad'"):
        encoded(np.array(["sad", "sad", "angry"]), np.array([1.0, 1.0, 0.0]))
