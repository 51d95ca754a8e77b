"""Shares: exact tests against their distributions in full, and by calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.share import (
    binomial_test,
    chi_square_test,
    equivalence_test,
    exact_interval,
    share_by_call,
)
from tests.analysis.bias.series import answers


def of_counts(ones, n):
    return Answers.of(np.arange(n) < ones)


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_the_exact_interval_covers_at_least_95_per_cent(n, p):
    k = np.arange(n + 1)
    low, high = np.array([exact_interval(int(ones), n) for ones in k]).T
    assert stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum() >= 0.95 - 1e-9


@pytest.mark.parametrize(("ones", "n"), [(0, 100), (1, 100), (43, 100), (100, 100), (499_000, 1_000_000)])
def test_the_exact_interval_is_clopper_and_pearsons(ones, n):
    assert exact_interval(ones, n) == pytest.approx(tuple(stats.binomtest(ones, n).proportion_ci(method="exact")))


@given(st.integers(1, 200), st.floats(0.02, 0.98), st.data())
def test_the_binomial_p_value_is_twice_the_smaller_tail_and_agrees_with_the_interval(n, p, data):
    ones = data.draw(st.integers(0, n))
    found = binomial_test(of_counts(ones, n), p)
    tail = min(stats.binom.cdf(ones, n, p), stats.binom.sf(ones - 1, n, p))
    assert found.p_value == pytest.approx(min(1, 2 * tail))
    if abs(found.p_value - 0.05) > 1e-6:
        assert (found.p_value < 0.05) == (not found.low <= p <= found.high)


def test_a_stated_zero_is_refuted_by_one_counterexample():
    assert binomial_test(of_counts(0, 100), 0.0).p_value == 1
    assert binomial_test(of_counts(1, 100), 0.0).p_value == 0
    assert binomial_test(of_counts(100, 100), 1.0).p_value == 1
    assert binomial_test(of_counts(99, 100), 1.0).p_value == 0


@pytest.mark.parametrize("edge", [0.45, 0.55])
def test_equivalence_is_claimed_at_the_edge_of_the_margin_at_most_5_per_cent_of_the_time(edge):
    n = 857
    ones = np.arange(n + 1)
    claimed = [equivalence_test(of_counts(int(k), n), 0.5).p_value <= 0.05 for k in ones]
    at_edge = stats.binom.pmf(ones, n, edge)[claimed].sum()
    fair = stats.binom.pmf(ones, n, 0.5)[claimed].sum()
    assert 0.03 < at_edge <= 0.05
    assert fair == pytest.approx(0.8, abs=0.02)  # 857 draws give 80 % power


def test_shares_by_call_allow_for_answers_that_resemble_each_other():
    calls = [[1] * 20] * 12 + [[0] * 20] * 8
    given_answers = answers(*calls)
    assert binomial_test(given_answers, 0.5).p_value < 1e-4
    found = share_by_call(given_answers, 0.5)
    t = stats.ttest_1samp([1.0] * 12 + [0.0] * 8, 0.5)
    assert found.p_value == pytest.approx(t.pvalue)
    assert found.statistic == pytest.approx(t.statistic)


@pytest.mark.parametrize(
    ("given_answers", "reason"),
    [
        (of_counts(50, 100), "not known"),
        (answers([1, 0, 1]), "one call only"),
        (answers([1], [0], [1]), "every call holds one answer"),
        (answers([1, 0], [1, 0]), "every call has the same share"),
        (answers([1, 1], [1, 1]), "one answer only"),
    ],
)
def test_by_call_says_why_it_is_inestimable(given_answers, reason):
    assert reason in share_by_call(given_answers, 0.5).reason


def test_chi_square_is_pearsons_and_needs_five_expected():
    count = np.array([30, 50, 40])
    found = chi_square_test(count)
    assert (found.statistic, found.p_value) == pytest.approx(tuple(stats.chisquare(count)))
    assert "fewer than five" in chi_square_test(np.array([2, 3, 4])).reason
    stated = np.array([0.25, 0.5, 0.25])
    assert chi_square_test(count, stated).p_value == pytest.approx(stats.chisquare(count, 120 * stated).pvalue)


def test_the_chi_square_of_three_answers_has_its_level_over_all_counts():
    """Every count of 300 answers of three kinds alike, that is not beyond all likelihood: the exact rate is .0523."""
    counts = np.array([(a, b, 300 - a - b) for a in range(60, 141) for b in range(60, 141)])
    probability = stats.multinomial.pmf(counts, 300, [1 / 3] * 3)
    found = np.array([chi_square_test(count).p_value <= 0.05 for count in counts])
    assert probability.sum() == pytest.approx(1, abs=1e-5)
    assert probability[found].sum() == pytest.approx(0.0523, abs=0.0002)
