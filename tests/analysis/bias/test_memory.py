"""Tests of memory: exact distributions by enumeration, textbook statistics, and what makes them inestimable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from marketsim.analysis.autocorrelation import autocorrelation
from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.exact import runs_distribution, sum_distribution, tails
from marketsim.analysis.bias.markov import (
    choose_order,
    exchangeable_pairs,
    exchangeable_triples,
    likelihood_ratio_1,
    likelihood_ratio_2,
)
from marketsim.analysis.bias.memory import (
    count,
    expected_products,
    first_item_test,
    ljung_box,
    memory_tests,
    runs_test,
    trend_statistic,
)
from tests.analysis.bias.series import answers, coin, in_calls, key, markov
from tests.oracles import answer_counts as oracle


@pytest.mark.parametrize(("ones", "zeros"), [(1, 1), (2, 3), (4, 4), (1, 7), (5, 3), (3, 0)])
def test_the_distribution_of_runs_is_that_over_all_orders(ones, zeros):
    orders = oracle.distinct_orders([1] * ones + [0] * zeros)
    found = runs_distribution(ones, zeros)
    runs = np.bincount([oracle.n_runs(order) for order in orders], minlength=len(found)) / len(orders)
    assert found == pytest.approx(runs)


@pytest.mark.parametrize("calls", [[[1, 0, 1, 1, 0, 0]], [[1, 0, 1, 1], [0, 1, 0], [1, 1, 0, 0]]])
def test_the_runs_test_is_exact(calls, monkeypatch):
    monkeypatch.setattr("marketsim.analysis.bias.memory.MIN_RARER", 1)
    runs = np.array([sum(map(oracle.n_runs, order)) for order in oracle.orders_within_calls(calls)])
    observed = sum(map(oracle.n_runs, calls))
    expected = min(1, 2 * min((runs <= observed).mean(), (runs >= observed).mean()))
    found = runs_test(answers(*calls))
    assert found.p_value == pytest.approx(expected)
    assert found.statistic == pytest.approx((observed - runs.mean()) / runs.std())


def test_the_fourier_form_of_a_sum_agrees_with_plain_convolution(monkeypatch):
    parts = [(runs_distribution(5, 5), 40), (runs_distribution(3, 7), 25), (runs_distribution(9, 1), 3)]
    plain = sum_distribution(parts)
    monkeypatch.setattr("marketsim.analysis.bias.exact._DIRECT", 0)
    assert sum_distribution(parts) == pytest.approx(plain, abs=1e-12)
    assert plain.sum() == pytest.approx(1)


def test_the_first_item_test_is_exact(monkeypatch):
    monkeypatch.setattr("marketsim.analysis.bias.memory.MIN_RARER", 1)
    calls = [[1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0, 0]]
    first = np.array([sum(call[0] for call in order) for order in oracle.orders_within_calls(calls)])
    found = first_item_test(answers(*calls))
    assert found.p_value == pytest.approx(2 * (first >= 3).mean())
    assert found.facts["expected"] == pytest.approx(first.mean() / 3)


def test_in_one_long_call_the_likelihood_ratios_are_the_textbook_ones():
    given_answers = in_calls(markov(3, 5000, 0.6), 5000)
    counts = count(given_answers, key(1), 0)
    expected = exchangeable_pairs(counts.ones, counts.size)
    table = counts.pairs[0]
    assert likelihood_ratio_1(table, expected) == pytest.approx(
        stats.chi2_contingency(table, lambda_="log-likelihood", correction=False).statistic, rel=0.01
    )
    triples = counts.triples[0]
    textbook = sum(
        stats.chi2_contingency(triples[:, b, :], lambda_="log-likelihood", correction=False).statistic for b in (0, 1)
    )
    found = likelihood_ratio_2(triples, exchangeable_triples(counts.ones, counts.size))
    assert found == pytest.approx(textbook, rel=0.02)


def test_in_one_long_call_ljung_box_is_the_textbook_one():
    bits = coin(5, 3000)
    r = autocorrelation(bits.astype(float), 10)
    n, lag = len(bits), np.arange(1, 11)
    textbook = n * (n + 2) * (r**2 / (n - lag)).sum()
    assert ljung_box(count(in_calls(bits, n), key(1), 0))[0] == pytest.approx(textbook, rel=0.05)


def test_expected_products_are_the_mean_over_all_orders():
    calls = [[1, 0, 1, 1], [0, 1, 0], [1]]
    expected, number = expected_products(np.array([3, 1, 1]), np.array([4, 3, 1]))
    orders = oracle.orders_within_calls(calls)
    for lag in range(1, 5):
        products = [oracle.lagged_products(order, lag) for order in orders]
        assert expected[lag - 1] == pytest.approx(np.mean(products))
    assert number[:4].tolist() == [5, 3, 1, 0]


def test_the_trend_statistic_is_a_studentised_correlation():
    steps = [(1, 1), (1, 0), (2, 1), (2, 1), (3, 1), (1, 0), (2, 0)]
    s, w = np.array(steps, dtype=float).T
    row = np.array([[[len(s), s.sum(), (s**2).sum(), w.sum(), (s * w).sum()], [0.0] * 5]])
    assert trend_statistic(row)[0] == pytest.approx(np.sqrt(len(s)) * np.corrcoef(s, w)[0, 1])


@given(st.integers(0, 2**30), st.sampled_from([(1, 400), (40, 10)]))
def test_p_values_are_multiples_of_one_over_the_number_of_orders(seed, shape):
    n_calls, size = shape
    bits = np.resize(np.array([int(bit) for bit in f"{seed:030b}"] + [0, 1] * 12), n_calls * size)
    for found in memory_tests(in_calls(bits, size), key(seed), 99):
        if found.is_estimable:
            assert 0 < found.p_value <= 1
            assert found.p_value * 100 == pytest.approx(round(found.p_value * 100))


def test_a_chain_is_found_and_its_order_chosen():
    found = {one.name: one for one in memory_tests(in_calls(markov(1, 2000, 0.6), 2000), key(2))}
    assert found["markov_1"].p_value == pytest.approx(0.001)
    assert found["recency"].facts["rate"] == pytest.approx(0.6, abs=0.03)
    assert found["recency"].low < 0.1 < found["recency"].high
    assert found["markov_order"].estimate == 1
    assert found["markov_2"].p_value > 0.05


def test_bic_chooses_the_order_of_what_was_counted():
    fair = np.full((2, 2, 2), 100.0)
    second = fair.copy()
    second[0, :, 1], second[0, :, 0] = 150, 50
    assert choose_order(fair).order == 0
    assert choose_order(second).order == 2


def test_answers_that_never_follow_each_other_do_not_overflow():
    """Calls of five with one zero each: after some pairs only one answer ever comes."""
    calls = [[1] * k + [0] + [1] * (4 - k) for k in range(5)] * 4
    for found in memory_tests(answers(*calls), key(1), 99):
        assert found.reason or np.isfinite(found.p_value) or found.name == "markov_order"


def test_calls_of_one_answer_are_one_sequence_in_the_order_asked():
    bits = markov(2, 600, 0.7)
    shuffled = np.argsort(coin(9, 600) + np.arange(600) * 0.7919 % 1)
    one_shot = Answers.of(bits[shuffled], np.arange(600)[shuffled], np.arange(600)[shuffled])
    assert one_shot.is_one_shot
    assert runs_test(one_shot).p_value == runs_test(in_calls(bits, 600)).p_value < 1e-9


@pytest.mark.parametrize(
    ("given_answers", "reason"),
    [
        (Answers.of(coin(1, 100)), "which answers share a call is not known"),
        (Answers.of(coin(1, 100), np.zeros(100, int)), "the order of the answers is not known"),
        (in_calls(np.ones(100, int), 10), "one answer only was given"),
        (in_calls(np.arange(100) < 9, 100), "the rarer answer was given 9 times, fewer than 10"),
        (answers(*[[1] * 10] * 5, *[[0] * 10] * 5), "in calls that hold both answers the rarer one was given 0 times"),
    ],
)
def test_what_cannot_be_tested_says_why(given_answers, reason):
    for found in [runs_test(given_answers), *memory_tests(given_answers, key(1), 99)]:
        assert found.verdict == "inestimable"
        assert reason in found.reason
        assert np.isnan(found.p_value)


def test_tails_include_the_value_itself():
    assert tails(np.array([0.25, 0.5, 0.25]), 1) == (0.75, 0.75)
