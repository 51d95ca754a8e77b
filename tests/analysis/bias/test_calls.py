"""Calls of several answers: dispersion, its correlation, and contrasts clustered by call."""

import numpy as np
import pytest
from scipy import stats

from marketsim.analysis.bias.calls import contrast_test, design_effect, dispersion_test, intraclass_correlation
from tests.analysis.bias.series import answers, coin, in_calls, key, rng


def test_the_intraclass_correlation_is_that_of_the_analysis_of_variance():
    assert intraclass_correlation(np.array([5, 0, 5, 0]), np.full(4, 5)) == pytest.approx(1)
    assert intraclass_correlation(np.array([1, 1, 1, 1]), np.full(4, 2)) == pytest.approx(-1)
    table = rng(1).random((6, 8)) < rng(2).random((6, 1))
    between = 8 * table.mean(1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    expected = (between - within) / (between + 7 * within)
    assert intraclass_correlation(table.sum(1), np.full(6, 8)) == pytest.approx(expected)


def test_the_design_effect_is_one_plus_m_minus_one_times_the_correlation():
    assert design_effect(0.1, np.full(10, 50)) == pytest.approx(1 + 49 * 0.1)


def test_calls_with_a_share_of_their_own_are_found():
    shares = rng(3).beta(2, 2, 60)
    bits = (rng(4).random((60, 10)) < shares[:, None]).astype(int).ravel()
    found = dispersion_test(in_calls(bits, 10), key(1))
    assert found.p_value == pytest.approx(0.002)
    assert found.estimate == pytest.approx(0.2, abs=0.08)


def test_calls_that_balance_are_found_too():
    bits = np.tile([1, 0], 300)
    found = dispersion_test(in_calls(bits, 10), key(1))
    assert found.p_value == pytest.approx(0.002)
    assert found.estimate < 0


def test_many_calls_are_compared_with_chi_square():
    bits = coin(5, 25_000)
    found = dispersion_test(in_calls(bits, 10), key(1))
    assert "chi-square" in found.reason
    assert found.p_value > 0.01


@pytest.mark.parametrize(
    ("given_answers", "reason"),
    [
        (answers([1, 0, 1, 0]), "one call only"),
        (answers(*[[1], [0]] * 20), "every call holds one answer"),
        (answers([1] * 30, [1] * 30), "one answer only"),
        (answers([1] * 30, [0] * 3 + [1] * 27), "the rarer answer was given 3 times"),
    ],
)
def test_dispersion_says_why_it_is_inestimable(given_answers, reason):
    assert reason in dispersion_test(given_answers, key(1)).reason


def test_with_calls_of_one_size_the_contrast_is_welchs_t_over_calls():
    one, other = rng(6).random((12, 20)) < 0.4, rng(7).random((9, 20)) < 0.6
    found = contrast_test(
        "regime_contrast", in_calls(one.ravel().astype(int), 20), in_calls(other.ravel().astype(int), 20)
    )
    t = stats.ttest_ind(one.mean(1), other.mean(1), equal_var=False)
    assert (found.statistic, found.p_value) == pytest.approx((t.statistic, t.pvalue))
    assert found.facts["degrees"] == pytest.approx(t.df)
    assert found.low < found.estimate < found.high


def test_a_contrast_needs_calls():
    few = answers([1, 0] * 10)
    assert "one call only" in contrast_test("regime_contrast", few, few).reason
