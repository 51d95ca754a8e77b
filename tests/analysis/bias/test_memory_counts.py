"""What the compiled loop counts, against counting by hand, and the random orders it draws."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.analysis.bias.kernel import count_memory, deal_dispersion
from marketsim.analysis.bias.markov import exchangeable_pairs, exchangeable_triples
from marketsim.analysis.bias.memory import MemoryCounts
from tests.analysis.bias.series import answers, key
from tests.oracles import answer_counts as oracle

calls_of_bits = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=25), min_size=1, max_size=6)


def counted(calls, n_permutations=0):
    given_answers = answers(*calls)
    table = count_memory(given_answers.answer, given_answers.start, key(1), n_permutations)
    return MemoryCounts(table, given_answers.ones, given_answers.size)


@given(calls_of_bits)
def test_counts_of_the_observed_order_agree_with_counting_by_hand(calls):
    counts = counted(calls)
    for word, times in oracle.count_words(calls, 2).items():
        assert counts.pairs[0][word] == times
    for word, times in oracle.count_words(calls, 3).items():
        assert counts.triples[0][word] == times
    steps = oracle.switches_by_streak(calls)
    for bit in (0, 1):
        own = [(min(streak, oracle.MAX_STREAK), switch) for before, streak, switch in steps if before == bit]
        expected = [
            len(own),
            sum(s for s, _ in own),
            sum(s * s for s, _ in own),
            sum(w for _, w in own),
            sum(s * w for s, w in own),
        ]
        assert counts.switching[0, bit].tolist() == expected
    after = [switch for _, streak, switch in steps if streak >= oracle.LONG]
    assert counts.streak[0].tolist() == [len(after), sum(after)]
    lags = [oracle.lagged_products(calls, lag) for lag in range(1, oracle.N_LAGS + 1)]
    assert counts.lags[0] == pytest.approx(lags, abs=1e-9)


def test_every_order_of_a_call_is_drawn_equally_often():
    calls = [[1, 1, 0, 0, 0], [1, 0, 0]]
    n = 60_000
    counts = counted(calls, n)
    words = zip(counts.pairs[1:].reshape(n, 4).astype(int), counts.triples[1:].reshape(n, 8).astype(int), strict=True)
    drawn = Counter((*pairs.tolist(), *triples.tolist()) for pairs, triples in words)
    expected = Counter()
    orders = oracle.orders_within_calls(calls)
    for order in orders:
        pairs, triples = oracle.count_words(order, 2), oracle.count_words(order, 3)
        expected[(*pairs.values(), *triples.values())] += n / len(orders)
    assert set(drawn) == set(expected)
    for row, times in expected.items():
        assert abs(drawn[row] - times) < 5 * np.sqrt(times)


@pytest.mark.parametrize("calls", [[[1, 1, 0, 0, 0]], [[1, 0, 1, 1], [0, 1], [1], [0, 0, 1]]])
def test_expected_pairs_and_triples_are_the_mean_over_all_orders(calls):
    ones, size = np.array([sum(call) for call in calls]), np.array([len(call) for call in calls])
    orders = oracle.orders_within_calls(calls)
    pairs, triples = exchangeable_pairs(ones, size), exchangeable_triples(ones, size)
    for word in product((0, 1), repeat=2):
        assert pairs[word] == pytest.approx(np.mean([oracle.count_words(order, 2)[word] for order in orders]))
    for word in product((0, 1), repeat=3):
        assert triples[word] == pytest.approx(np.mean([oracle.count_words(order, 3)[word] for order in orders]))


def test_deals_have_the_distribution_of_cards_dealt_to_calls():
    size, n_ones = np.array([2, 3, 1]), 3
    total, share = size.sum(), n_ones / size.sum()
    expected = Counter()
    for bits in oracle.distinct_orders([1] * n_ones + [0] * (total - n_ones)):
        ones = [sum(part) for part in np.split(np.array(bits), np.cumsum(size)[:-1])]
        value = sum((k - n * share) ** 2 / (n * share * (1 - share)) for k, n in zip(ones, size, strict=True))
        expected[round(value, 9)] += 1 / 20
    drawn = Counter(np.round(deal_dispersion(size, n_ones, key(2), 40_000), 9).tolist())
    assert set(drawn) == set(expected)
    for value, probability in expected.items():
        assert abs(drawn[value] - 40_000 * probability) < 5 * np.sqrt(40_000 * probability)


def test_the_orders_of_one_permutation_do_not_depend_on_how_many_are_drawn():
    calls = [[1, 0, 1, 1, 0, 0, 1]] * 3
    few, many = counted(calls, 5), counted(calls, 50)
    assert np.array_equal(few.table, many.table[:6])
