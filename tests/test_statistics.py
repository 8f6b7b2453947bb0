"""Statistics: by hand, against SciPy, and by simulation of what an interval and a test promise."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ser_classic import statistics
from ser_classic.metrics import COUNT_METRICS, METRICS, accuracy_of, recalls_of, uar_of
from ser_classic.report.comparison import Comparison

counts_of = st.tuples(st.integers(2, 9), st.integers(2, 5), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).poisson(3, size=(drawn[0], drawn[1], drawn[1])) + 1
)


def speakers_of(
    rng: np.random.Generator, number: int, skill: float, spread: float, clips: int = 40
) -> np.ndarray:
    """Counts [shape=(number, 2, 2)] of speakers, each with an accuracy of his own around `skill`."""
    own = np.clip(rng.normal(skill, spread, size=number), 0, 1)
    right = rng.binomial(clips, np.stack([own, own], axis=1))
    counts = np.zeros((number, 2, 2), dtype=int)
    counts[:, [0, 1], [0, 1]] = right
    counts[:, [0, 1], [1, 0]] = clips - right
    return counts


def test_counts_by_hand():
    table = statistics.count(["a", "a", "b"], ["a", "b", "b"], ["y", "x", "y"])
    assert table.speakers == ("x", "y")
    assert table.classes == ("a", "b")
    assert table.counts.tolist() == [[[0, 1], [0, 0]], [[1, 0], [0, 1]]]
    assert statistics.per_speaker(table).to_dict() == {"x": 0, "y": 1}


@settings(max_examples=20, deadline=None)
@given(counts_of, st.sampled_from(sorted(COUNT_METRICS)))
def test_interval_holds_the_value_and_comes_from_its_seed(counts, name):
    metric = COUNT_METRICS[name].of
    found = statistics.interval(counts, metric, resamples=500, seed=1)
    assert found.value == pytest.approx(float(metric(counts.sum(axis=0))))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found == statistics.interval(counts, metric, resamples=500, seed=1)
    assert found.trusted == (len(counts) >= 5)


@pytest.mark.parametrize("name", METRICS)
def test_interval_equals_resampling_the_clips_of_speakers(name):
    rng = np.random.default_rng(6)
    speakers = np.repeat(np.arange(8), 30)
    given_ = pd.DataFrame(rng.dirichlet([0.5, 0.5, 0.5], size=240), columns=list("abc"))
    guess = given_.idxmax(axis=1).to_numpy(dtype=str)
    truth = np.where(rng.random(240) < 0.2 + 0.1 * speakers, guess, rng.choice(list("abc"), size=240))
    metric, names = METRICS[name], speakers.astype(str)
    if metric.terms:
        sums = statistics.sums_of(metric.terms(truth, guess, given_), names)[1]
    else:
        sums = statistics.count(truth, guess, names).counts
    found = statistics.interval(sums, metric.of)
    assert found.value == pytest.approx(metric(truth, guess, given_))
    rows = [np.flatnonzero(speakers == number) for number in range(8)]
    others = []
    for _ in range(600):
        drawn = np.concatenate([rows[number] for number in rng.integers(0, 8, size=8)])
        others.append(metric(truth[drawn], guess[drawn], given_.take(drawn)))
    tail = stats.norm.cdf(stats.t.ppf(0.025, 7) * np.sqrt(8 / 7))
    np.testing.assert_allclose([found.low, found.high], np.quantile(others, [tail, 1 - tail]), atol=0.03)


def test_speakers_who_are_alike_leave_no_doubt():
    counts = np.tile(np.array([[3, 1], [2, 2]]), (6, 1, 1))
    found = statistics.interval(counts)
    assert (found.low, found.value, found.high) == pytest.approx((0.625, 0.625, 0.625))


def test_an_emotion_that_few_speakers_have():
    counts = np.zeros((5, 2, 2), dtype=int)
    counts[:, 0, 0] = 4
    counts[0, 1] = [1, 3]
    recall = statistics.interval(counts, lambda counts: recalls_of(counts)[..., 1])
    assert (recall.low, recall.value, recall.high) == (0.75, 0.75, 0.75)  # whenever it is drawn at all
    missing = statistics.interval(counts[1:], lambda counts: recalls_of(counts)[..., 1])
    assert np.isnan([missing.value, missing.low, missing.high]).all()


def test_one_speaker_gives_no_interval():
    found = statistics.interval(np.diag([3, 4])[None])
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()
    assert not found.trusted


@pytest.mark.parametrize("number", [6, 10, 24])
def test_interval_covers_what_it_promises(number):
    rng = np.random.default_rng(number)
    covered = 0
    for trial in range(300):
        found = statistics.interval(
            speakers_of(rng, number, 0.6, 0.12), accuracy_of, resamples=600, seed=trial
        )
        covered += found.low <= 0.6 <= found.high
    assert 0.915 <= covered / 300 <= 0.985


def test_difference_pairs_the_speakers():
    rng = np.random.default_rng(0)
    first = speakers_of(rng, 12, 0.7, 0.2, clips=400)
    second = first.copy()
    second[:, 0, 0] -= np.minimum(20, first[:, 0, 0])
    second[:, 0, 1] = 400 - second[:, 0, 0]
    gap = statistics.difference(first, second)
    assert gap.value == pytest.approx(uar_of(first.sum(0)) - uar_of(second.sum(0)))
    assert gap.low > 0
    alone = statistics.interval(first)
    assert gap.high - gap.low < (alone.high - alone.low) / 5


def test_difference_takes_runs_over_unequal_clips():
    rng = np.random.default_rng(1)
    whole, part = speakers_of(rng, 20, 0.5, 0.1, clips=60), speakers_of(rng, 20, 0.8, 0.1, clips=4)
    part[3] = 0
    gap = statistics.difference(part, whole)
    assert 0.2 < gap.low < gap.value < gap.high < 0.4


def test_swap_test_by_hand():
    # the first run is better by 1, 2 and 3 of 4 clips: only no swap and all swapped reach the observed 6
    first = np.array([[[4, 0], [0, 4]]] * 3)
    second = first - np.array([[[n, -n], [0, 0]] for n in (1, 2, 3)])
    p_value, exact = statistics.swap_test(first, second, accuracy_of)
    assert exact
    assert p_value == pytest.approx(2 / 8)


@settings(max_examples=15, deadline=None)
@given(counts_of, st.integers(0, 2**32 - 1))
def test_exact_swaps_are_all_swaps(counts, seed):
    other = np.random.default_rng(seed).permuted(counts, axis=-1)
    p_value, _ = statistics.swap_test(counts, other)
    observed = abs(uar_of(counts.sum(0)) - uar_of(other.sum(0)))
    hits = [
        abs(
            uar_of(sum(b if swap else a for a, b, swap in zip(counts, other, swaps, strict=True)))
            - uar_of(sum(a if swap else b for a, b, swap in zip(counts, other, swaps, strict=True)))
        )
        >= observed - 1e-12
        for swaps in itertools.product([0, 1], repeat=len(counts))
    ]
    assert p_value == pytest.approx(np.mean(hits))
    assert statistics.swap_test(other, counts)[0] == pytest.approx(p_value)


def test_random_swaps_come_close_to_all_and_are_never_zero():
    rng = np.random.default_rng(2)
    first, second = speakers_of(rng, 30, 0.9, 0.02), speakers_of(rng, 30, 0.3, 0.02)
    p_value, exact = statistics.swap_test(first, second, resamples=999)
    assert not exact
    assert p_value == pytest.approx(1 / 1000)


def test_swap_test_is_fair_where_there_is_no_difference():
    rng = np.random.default_rng(7)
    p_values = [
        statistics.swap_test(speakers_of(rng, 8, 0.6, 0.1), speakers_of(rng, 8, 0.6, 0.1))[0]
        for _ in range(300)
    ]
    assert np.mean(np.array(p_values) <= 0.05) < 0.09
    assert 0.4 < np.mean(p_values) < 0.6


def verdict_of(first, second, names=("A", "B")):
    gap, (p_value, _) = statistics.difference(first, second), statistics.swap_test(first, second)
    runs = tuple(SimpleNamespace(record={"id": name}) for name in names)
    return Comparison(runs, "uar", (0.0, 0.0), gap, p_value, True, 0, pd.DataFrame()).verdict


def test_verdicts():
    rng = np.random.default_rng(3)
    good, bad = speakers_of(rng, 20, 0.8, 0.05), speakers_of(rng, 20, 0.5, 0.05)
    found = verdict_of(good, bad, ("G", "B"))
    assert found.startswith("G scores .")
    assert "other speakers" in found
    turned = verdict_of(bad, good, ("B", "G"))
    assert turned == found  # the interval is of the better above the worse, as the sentence is
    assert "told apart" in verdict_of(good, speakers_of(rng, 20, 0.8, 0.05))
    assert statistics.swap_test(good, good)[0] == 1
    assert "same UAR" in verdict_of(good, good)
    assert "2 speakers" in verdict_of(good[:2], bad[:2])


@pytest.mark.parametrize("of", [statistics.difference, statistics.swap_test])
@pytest.mark.parametrize("speakers", [1, 5])
def test_counts_of_other_speakers_are_refused(of, speakers):
    first = speakers_of(np.random.default_rng(4), 6, 0.8, 0.05)
    with pytest.raises(ValueError, match="shape"):
        of(first, first[:speakers])


# Demšar 2006, table 6: AUC of C4.5 with and without tuning of m and cf, over 14 data sets.
DEMSAR = pd.DataFrame(
    {
        name: map(float, text.split())
        for name, text in {
            "C4.5": ".763 .599 .954 .628 .882 .936 .661 .583 .775 1 .94 .619 .972 .957",
            "+m": ".768 .591 .971 .661 .888 .931 .668 .583 .838 1 .962 .666 .981 .978",
            "+cf": ".771 .59 .968 .654 .886 .916 .609 .563 .866 1 .965 .614 .9751 .946",
            "+m+cf": ".798 .569 .967 .657 .898 .931 .685 .625 .875 1 .962 .669 .975 .97",
        }.items()
    }
)


def test_ranks_of_the_published_example():
    found = statistics.ranks(DEMSAR)
    np.testing.assert_allclose(
        found.average[["C4.5", "+m", "+cf", "+m+cf"]], [3.143, 2.0, 2.893, 1.964], atol=5e-4
    )
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)  # 2.569 sqrt(4 * 5 / (6 * 14))
    # his 9.28 is not corrected for ties: one of four (60) and three of two (6 each), of 14 * (4**3 - 4)
    assert found.statistic == pytest.approx(9.28 / (1 - (60 + 3 * 6) / 840), abs=0.01)


def test_equals_are_tied_and_so_are_scores_that_differ_by_the_order_of_their_sum():
    tied = statistics.ranks(pd.DataFrame(np.ones((4, 3)), columns=list("abc")))
    assert (tied.statistic, tied.p_value) == (0, 1)
    one, other = (np.array(recalls) / 21 for recalls in ([1, 10, 2], [1, 2, 10]))
    assert one.mean() != other.mean()
    table = pd.DataFrame({"a": [one.mean()] * 5, "b": [other.mean()] * 5, "c": [other.mean()] * 5})
    found = statistics.ranks(table)
    assert found.average.tolist() == [2, 2, 2]
    assert found.p_value == 1
