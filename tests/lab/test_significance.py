"""Intervals and p-values against SciPy's, against coverage by simulation, and by what must always hold."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.lab.significance import holm, interval, randomization

scipy_stats = pytest.importorskip("scipy.stats")  # it comes with ir-measures


@pytest.fixture
def random():
    return numpy.random.default_rng(7)


def test_the_interval_is_that_of_scipys_bca(random):
    values = random.beta(0.6, 0.4, size=120)
    theirs = scipy_stats.bootstrap((values,), numpy.mean, method="BCa", random_state=1).confidence_interval
    assert interval([values]) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_interval_of_a_skewed_sample_is_shifted_and_stays_within_the_scale():
    values = [0.0] * 57 + [1.0] * 3
    low, high = interval([values])
    assert 0 < low < 0.05 < high < 1
    assert high - 0.05 > 0.05 - low


def test_the_interval_covers_the_truth_about_as_often_as_it_says(random):
    covered = 0
    for _ in range(200):
        low, high = interval([random.beta(0.5, 0.5, size=60)])
        covered += low <= 0.5 <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_each_set_weighs_the_same(random):
    small, large = random.normal(0.2, 0.1, size=30), random.normal(0.0, 0.1, size=3000)
    low, high = interval([small, large])
    assert low < (small.mean() + large.mean()) / 2 < high
    assert high - low == pytest.approx((interval([small])[1] - interval([small])[0]) / 2, rel=0.1)


def test_what_does_not_vary_has_no_width():
    assert interval([[0.5, 0.5, 0.5]]) == (0.5, 0.5)
    assert interval([[0.25]]) == (0.25, 0.25)
    with pytest.raises(ValueError, match="at least one"):
        interval([[]])


def test_few_differences_are_counted_out():
    # of the eight assignments of signs, only +++ and --- are as far from 0
    assert randomization([[0.1, 0.2, 0.3]]) == 2 / 8
    assert randomization([[0.1, 0.2, 0.3, 0.0, 0.0]]) == 2 / 8
    assert randomization([[0.0, 0.0]]) == 1.0
    assert randomization([]) == 1.0


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.04])
def test_many_differences_are_tried_as_scipy_tries_them(random, shift):
    differences = random.normal(shift, 0.2, size=150)
    theirs = scipy_stats.permutation_test(
        (differences,), numpy.mean, permutation_type="samples", n_resamples=20_000, random_state=1
    ).pvalue
    assert randomization([differences]) == pytest.approx(theirs, abs=0.012)


def test_two_ways_of_counting_agree_where_they_meet(random):
    differences = list(random.normal(0.05, 0.1, size=16))
    exact = randomization([differences])
    assert randomization([[*differences, 1e-15]]) == pytest.approx(exact, abs=0.005)


def test_no_difference_is_rarely_called_one(random):
    called = sum(randomization([random.choice([-0.5, 0.0, 0.5], size=40)]) < 0.05 for _ in range(100))
    assert called <= 12


def test_a_p_value_is_never_zero_and_the_same_each_time(random):
    differences = random.normal(1, 0.1, size=400)
    p = randomization([differences])
    assert 0 < p < 1e-4
    assert randomization([differences]) == p
    assert interval([differences]) == interval([differences])


def test_sets_against_each_other_cancel(random):
    up = random.normal(0.1, 0.05, size=50)
    assert randomization([up]) < 0.001
    assert randomization([up, -up]) > 0.5


def test_holm_by_hand():
    assert holm([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert holm([0.5, 0.01]) == pytest.approx([0.5, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
@settings(deadline=None)
def test_holm_never_makes_a_p_value_smaller_and_keeps_their_order(values):
    corrected = holm(values)
    for first, second in zip(values, corrected, strict=True):
        assert min(1.0, first) <= second <= 1
    order = sorted(range(len(values)), key=values.__getitem__)
    assert [corrected[at] for at in order] == sorted(corrected)
