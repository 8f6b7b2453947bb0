"""Metrics: by hand, against scikit-learn, and over generated predictions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from ser_classic import metrics
from ser_classic.errors import SerClassicError
from ser_classic.metrics import COUNT_METRICS, METRICS

TRUTH = np.array(["angry", "angry", "angry", "angry", "sad", "sad", "happy"])
GUESS = np.array(["angry", "angry", "sad", "sad", "sad", "sad", "angry"])

words = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), min_size=1, max_size=60).map(
    lambda pairs: tuple(np.array(side) for side in zip(*pairs, strict=True))
)


def test_by_hand():
    # recalls 2/4, 2/2, 0/1; right 4 of 7; F1: angry 2*2/(4+3), sad 2*2/(2+4), happy 0
    assert METRICS["uar"](TRUTH, GUESS) == pytest.approx(0.5)
    assert METRICS["accuracy"](TRUTH, GUESS) == pytest.approx(4 / 7)
    assert METRICS["macro_f1"](TRUTH, GUESS) == pytest.approx((4 / 7 + 4 / 6 + 0) / 3)


@given(words)
@pytest.mark.filterwarnings("ignore:A single label")
def test_equal_scikit_learn(pair):
    truth, guess = pair
    present = np.unique(truth)
    recall = reference.recall_score(truth, guess, labels=present, average="macro", zero_division=0)
    assert METRICS["uar"](truth, guess) == pytest.approx(recall)
    assert METRICS["accuracy"](truth, guess) == pytest.approx(reference.accuracy_score(truth, guess))
    assert METRICS["macro_f1"](truth, guess) == pytest.approx(
        reference.f1_score(truth, guess, average="macro", zero_division=0)
    )
    classes = metrics.classes_of(truth, guess)
    np.testing.assert_array_equal(
        metrics.confusion(truth, guess, classes)[0], reference.confusion_matrix(truth, guess, labels=classes)
    )


@given(words, st.randoms(use_true_random=False))
def test_order_of_clips_and_names_of_emotions_do_not_matter(pair, random):
    truth, guess = pair
    order = list(range(len(truth)))
    random.shuffle(order)
    renamed = dict(zip("abcde", "ebdac", strict=True))
    for metric in COUNT_METRICS.values():
        value = metric(truth, guess)
        assert 0 <= value <= 1
        assert metric(truth[order], guess[order]) == pytest.approx(value)
        other = metric(np.array([renamed[w] for w in truth]), np.array([renamed[w] for w in guess]))
        assert other == pytest.approx(value)


@given(words, st.integers(1, 4))
def test_counts_of_groups_add_up(pair, groups):
    truth, guess = pair
    classes = tuple("abcde")
    of_group = np.arange(len(truth)) % groups
    parts = metrics.confusion(truth, guess, classes, of_group)
    np.testing.assert_array_equal(parts.sum(axis=0), metrics.confusion(truth, guess, classes)[0])
    only = of_group == 0
    np.testing.assert_array_equal(parts[0], metrics.confusion(truth[only], guess[only], classes)[0])


def test_count_metrics_take_stacks_and_know_emptiness():
    stack = np.stack([np.diag([3, 1]), [[0, 4], [0, 0]], np.zeros((2, 2), int)])
    np.testing.assert_allclose(metrics.uar_of(stack), [1, 0, np.nan])
    np.testing.assert_allclose(metrics.accuracy_of(stack), [1, 0, np.nan])
    np.testing.assert_allclose(metrics.macro_f1_of(stack), [1, 0, np.nan])
    np.testing.assert_allclose(metrics.recalls_of(stack), [[1, 1], [0, np.nan], [np.nan, np.nan]])


SAD = np.array(["sad", "sad"])


def table(*rows):
    return pd.DataFrame(rows, columns=["angry", "sad"])


def test_calibration_by_hand():
    truth = np.array(["angry", "angry", "sad", "sad"])
    guess = np.array(["angry", "sad", "sad", "sad"])
    given_ = table((0.9, 0.1), (0.1, 0.9), (0.3, 0.7), (0.3, 0.7))
    # confidence .9: half right; .7: all right. ECE = (2 * .4 + 2 * .3) / 4
    assert METRICS["ece"](truth, guess, given_) == pytest.approx(0.35)
    # squared distances .02, 1.62, .18, .18
    assert METRICS["brier"](truth, guess, given_) == pytest.approx(2.0 / 4)
    bins = metrics.reliability(truth, guess, given_)
    assert bins["clips"].tolist() == [2, 2]
    np.testing.assert_allclose(bins["confidence"], [0.7, 0.9])
    np.testing.assert_allclose(bins["accuracy"], [1, 0.5])


def test_certainty_and_its_absence():
    truth = np.array(["angry", "sad"])
    sure = table((1.0, 0.0), (0.0, 1.0))
    assert METRICS["ece"](truth, truth, sure) == 0
    assert METRICS["brier"](truth, truth, sure) == 0
    assert METRICS["brier"](truth[::-1], truth, sure) == 2
    assert np.isnan(METRICS["ece"](truth, truth, None))
    assert np.isnan(METRICS["brier"](truth, truth, None))
    # an emotion the model never learned had no probability
    assert METRICS["brier"](np.array(["fear"]), np.array(["sad"]), table((0.0, 1.0))) == 2
    assert METRICS["brier"](np.array(["fear"]), np.array(["sad"]), table((np.nan, 1.0))) == 2
    assert np.isnan(METRICS["brier"](np.array(["sad"]), np.array(["sad"]), table((np.nan, np.nan))))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_honest_probabilities_are_calibrated(seed):
    rng = np.random.default_rng(seed)
    given_ = pd.DataFrame(rng.dirichlet([0.6, 0.6, 0.6], size=4000), columns=list("abc"))
    truth = np.array(list("abc"))[
        (rng.random((4000, 1)) > given_.to_numpy().cumsum(axis=1)).sum(axis=1).clip(max=2)
    ]
    guess = given_.idxmax(axis=1).to_numpy(dtype=str)
    assert METRICS["ece"](truth, guess, given_) < 0.05
    swapped = given_.rename(columns={"a": "b", "b": "a"})
    assert METRICS["brier"](truth, guess, given_) < METRICS["brier"](truth, guess, swapped)


def test_every_metric_has_the_one_signature():
    given_ = pd.DataFrame(np.full((7, 3), 1 / 3), columns=["angry", "happy", "sad"])
    for name, metric in METRICS.items():
        assert isinstance(metric(TRUTH, GUESS, given_), float), name
        assert isinstance(metric(TRUTH, GUESS, None), float), name


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: METRICS["uar"](TRUTH, GUESS[:3]), "7 .*3 "),
        (lambda: metrics.confusion([], [], ("a",)), "no clips"),
        (lambda: metrics.confusion(TRUTH, GUESS, ("angry", "sad")), "'happy'"),
        (lambda: METRICS["ece"](TRUTH[:1], np.array(["joy"]), table((0.5, 0.5))), "'joy'"),
        (lambda: METRICS["ece"](TRUTH, GUESS, table((0.5, 0.5))), "7 .*1 "),
        (lambda: metrics.reliability(SAD, SAD, table((1, 0), (1, np.nan))), "row 1: .*'sad'"),
        (lambda: METRICS["brier"](TRUTH, GUESS, table((0.5, 0.5))), "7 .*1 "),
    ],
)
def test_what_does_not_belong_together_is_refused(call, message):
    with pytest.raises(SerClassicError, match=message):
        call()
