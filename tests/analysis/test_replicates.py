"""Means with intervals, paired differences and power, against published numbers, coverage and planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from marketsim.analysis.replicates import mean_interval, paired_difference, replicates_needed
from marketsim.core.rng import generator, stream_key

NAN = float("nan")


def draws(purpose: str, number: int = 0) -> np.random.Generator:
    return generator(stream_key(1, 0, "tests", "replicates", purpose), number, 0)


def test_the_t_interval_of_a_textbook_sample():
    # Law (2015), example 4.26: ten observations, 90 % interval 1.34 +- 0.24.
    sample = np.array([1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09])
    found = mean_interval(sample, level=0.9)
    assert found.n == 10
    assert found.mean == pytest.approx(1.343)
    assert (found.high - found.low) / 2 == pytest.approx(0.24, abs=0.005)


def test_missing_values_are_left_out_and_one_value_has_no_interval():
    found = mean_interval(np.array([1.0, NAN, 3.0]))
    assert (found.n, found.mean) == (2, 2.0)
    assert np.isnan(mean_interval(np.array([4.0])).low)
    assert mean_interval(np.array([NAN])).n == 0


def test_values_that_do_not_vary_have_an_interval_without_width():
    for method in ("t", "bootstrap"):
        found = mean_interval(np.full(5, 2.5), method=method, rng=draws("flat"))
        assert (found.low, found.mean, found.high) == (2.5, 2.5, 2.5)


def test_the_t_interval_covers_the_mean_as_often_as_it_says():
    n, rng = 4_000, draws("coverage")
    hits = 0
    for sample in rng.normal(3.0, 2.0, (n, 5)):
        found = mean_interval(sample)
        hits += found.low <= 3.0 <= found.high
    low, high = stats.binom.ppf([0.001, 0.999], n, 0.95)
    assert low <= hits <= high


def test_the_bootstrap_interval_leans_with_a_skewed_sample():
    sample = draws("skewed").exponential(1.0, 40)
    found = mean_interval(sample, method="bootstrap", rng=draws("bootstrap"))
    again = mean_interval(sample, method="bootstrap", rng=draws("bootstrap"))
    assert found == again
    assert found.high - found.mean > found.mean - found.low > 0
    with pytest.raises(ValueError, match="needs a generator"):
        mean_interval(sample, method="bootstrap")


def test_a_paired_difference_is_the_paired_t_test_of_scipy():
    rng = draws("pairs")
    first, shift = rng.normal(size=12), rng.normal(0.3, 0.2, 12)
    found = paired_difference(first, first + shift)
    expected = stats.ttest_rel(first + shift, first)
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.base == pytest.approx(first.mean())


def test_common_random_numbers_show_in_correlation_and_variance_ratio():
    rng = draws("common")
    shared, own = rng.normal(size=4_000), rng.normal(size=(2, 4_000))
    first, second = 2 * shared + own[0], 2 * shared + own[1] + 0.5
    found = paired_difference(first, second)
    assert found.correlation == pytest.approx(0.8, abs=0.02)  # 4 / 5
    assert found.variance_ratio == pytest.approx(0.2, abs=0.02)  # 1 - correlation, the arms having one variance
    assert found.difference == pytest.approx(0.5, abs=0.1)


def test_pairs_of_which_one_is_missing_are_left_out():
    found = paired_difference(np.array([1.0, NAN, 3.0]), np.array([2.0, 5.0, NAN]))
    assert (found.n, found.difference) == (1, 1.0)
    with pytest.raises(ValueError, match="as many values"):
        paired_difference(np.zeros(2), np.zeros(3))


@pytest.mark.parametrize(
    ("effect", "power", "alpha", "n"),
    # Cohen's d of a one-sample t-test, two-sided: figures of G*Power 3.1.
    [(0.5, 0.8, 0.05, 34), (0.2, 0.8, 0.05, 199), (0.8, 0.8, 0.05, 15), (0.5, 0.95, 0.05, 54), (0.5, 0.9, 0.01, 63)],
)
def test_replicates_needed_are_those_of_published_power_tables(effect, power, alpha, n):
    assert replicates_needed(1.0, effect, power, alpha) == n
    assert replicates_needed(3.0, -3.0 * effect, power, alpha) == n


def test_that_many_replicates_find_the_difference_that_often():
    n = replicates_needed(1.0, 0.9, power=0.8)
    samples = draws("power").normal(0.9, 1.0, (4_000, n))
    found = int((stats.ttest_1samp(samples, 0.0, axis=1).pvalue < 0.05).sum())
    low, high = stats.binom.ppf([0.001, 0.999], 4_000, 0.8)
    assert found >= low
    assert found <= stats.binom.ppf(0.999, 4_000, 0.86)  # n is whole, so it may do a little better
    assert high > low


def test_what_cannot_be_found_is_an_error():
    assert replicates_needed(0.0, 1.0) == 2
    for wrong in ({"difference": 0.0}, {"deviation": -1.0}, {"power": 1.0}, {"alpha": 0.0}, {"deviation": NAN}):
        with pytest.raises(ValueError, match="expected 0 < alpha < power < 1"):
            replicates_needed(**{"deviation": 1.0, "difference": 1.0, **wrong})
    with pytest.raises(ValueError, match="needs more than"):
        replicates_needed(1e6, 1e-3)
