"""Scores against cases computed by hand, distances against scipy, intervals against planted differences."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from marketsim.exchange.lobster.layout import LobsterBook, LobsterMessages, empty_book
from marketsim.lmm.distances import conditional_distance, distances
from marketsim.lmm.evaluation import compare_facts, facts, in_blocks, ratio
from marketsim.lmm.scores import SCORES, Flow, conditional_scores, scores

SECOND = 1_000_000_000


def session(rows, books):
    """Rows of (seconds, type, id, size, price, direction) and of (ask, size, bid, size, second ask, size, ...)."""
    columns = np.array(rows, np.int64).T
    columns[0] *= SECOND
    values = empty_book(len(books), 2)
    for row, book in enumerate(books):
        values[row, : len(book)] = book
    return Flow(LobsterMessages(Path(), *columns), LobsterBook(Path(), values))


@pytest.fixture(scope="module")
def four():
    """A limit sell, a limit buy at the second level, an execution of the ask, and the cancel of the buy."""
    return session(
        [(0, 1, 1, 5, 1010, -1), (2, 1, 2, 4, 980, 1), (5, 4, 1, 3, 1010, -1), (90, 3, 2, 4, 980, 1)],
        [
            (1010, 5, 990, 7, 1030, 2),
            (1010, 5, 990, 7, 1030, 2, 980, 4),
            (1010, 2, 990, 7, 1030, 2, 980, 4),
            (1010, 2, 990, 7, 1030, 2),
        ],
    )


def test_scores_of_four_messages_are_those_computed_by_hand(four):
    found = scores(four)
    assert set(found) == set(SCORES)
    assert found["spread"].tolist() == [20] * 4
    np.testing.assert_allclose(found["imbalance"], [2 / 12, 2 / 12, 5 / 9, 5 / 9])
    np.testing.assert_allclose(found["log_inter_arrival"], np.log([2e9 + 1, 3e9 + 1, 85e9 + 1]))
    np.testing.assert_allclose(found["log_time_to_cancel"], np.log([88e9 + 1]))
    assert found["ask_volume_touch"].tolist() == [5, 5, 2, 2]
    assert found["bid_volume"].tolist() == [7, 11, 11, 7]
    assert found["limit_bid_depth"].tolist() == [20]  # from the mid of 1000
    assert found["limit_bid_level"].tolist() == [2]
    assert found["cancel_bid_level"].tolist() == [2]
    assert found["limit_ask_depth"].tolist() == []  # before the first message there is no mid
    assert found["volume_per_minute"].tolist() == [3]  # one whole minute


def test_order_flow_imbalance_is_that_of_cont_kukanov_and_stoikov():
    """Ten messages that add to the bid one by one, then ten that take the ask down, after which the mid rises."""
    books = [(1010, 50, 990, 1 + k) for k in range(11)] + [(1010, 50 - 2 * k, 990, 11) for k in range(1, 11)]
    books += [(1030, 9, 990, 11)] * 10
    rows = [(k, 1, k + 1, 1, 990, 1) for k in range(len(books))]
    found = scores(session(rows, books))
    assert found["order_flow_imbalance"].tolist() == [10, 20, 30]  # at the end the ask of 30 lots is gone
    assert found["order_flow_imbalance_stay"].tolist() == [10]
    assert found["order_flow_imbalance_up"].tolist() == [20]


def test_conditions_are_spread_time_and_volatility(four):
    found = conditional_scores(four)
    spread, volume = found["ask_volume_given_spread"]
    assert spread.tolist() == [20] * 4
    assert volume.tolist() == [5, 5, 2, 2]
    assert found["spread_given_time"][0].tolist() == [0, 0.25, 0.5, 0.75]
    assert found["spread_given_volatility"][0].tolist() == [0] * 4  # the mid never moves


def test_distances_are_scipys():
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 30, 3000).astype(float), rng.integers(5, 40, 2000).astype(float)
    l1, wasserstein, ks = distances("x", np.split(one, 6), np.split(other, 5))
    values = np.arange(45)
    p, q = (np.array([(side == value).mean() for value in values]) for side in (one, other))
    assert l1.value == pytest.approx(0.5 * np.abs(p - q).sum())
    assert wasserstein.value == pytest.approx(stats.wasserstein_distance(one, other) / other.std())
    assert ks.value == pytest.approx(stats.ks_2samp(one, other).statistic)
    assert l1.low <= l1.high


def test_a_planted_difference_is_above_its_floor_and_none_is_not():
    rng = np.random.default_rng(2)
    sessions = [rng.normal(0, 1, 400) for _ in range(16)]
    same = [rng.normal(0, 1, 400) for _ in range(16)]
    moved = [rng.normal(0.8, 1, 400) for _ in range(16)]
    for found in distances("x", same, sessions):
        assert found.low < found.floor
        assert found.value < 2 * found.floor
    for found in distances("x", moved, sessions):
        assert found.low > found.floor


def test_a_conditional_distance_sees_what_the_marginal_one_does_not():
    rng = np.random.default_rng(3)
    pairs = []
    for sign in (1, -1):
        given = [rng.normal(0, 1, 500) for _ in range(12)]
        pairs.append([(x, sign * x + rng.normal(0, 0.3, 500)) for x in given])
    found = conditional_distance("x", pairs[0], pairs[1])
    marginal = distances("x", *[[value for _, value in side] for side in pairs])[0]
    assert found.low > 0.5
    assert marginal.value < 0.1


def test_empty_scores_are_no_numbers():
    for found in distances("x", [np.zeros(0)] * 3, [np.ones(4)] * 3):
        assert np.isnan(found.value)


def test_the_interval_of_a_ratio_holds_the_planted_one():
    rng = np.random.default_rng(4)
    found = ratio("x", rng.exponential(1.3, 400), rng.exponential(1.0, 400))
    assert found.low < 1.3 < found.high
    assert found.low > 1.0


def test_facts_are_those_of_their_definitions():
    rng = np.random.default_rng(5)
    steps = rng.standard_t(4, 400) * 1e-3
    mid = 10_000_000 * np.exp(np.concatenate([[0], steps.cumsum()]))
    books = [(int(m) + 100, 1, int(m) - 100, 1) for m in mid]
    found = facts(session([(k, 1, k + 1, 1, 1, 1) for k in range(len(mid))], books))
    returns = np.diff(np.log(np.array([(b[0] + b[2]) / 2 for b in books])))[:-1]
    assert found["excess_kurtosis"] == pytest.approx(stats.kurtosis(returns), abs=1e-3)
    assert found["return_deviation"] == pytest.approx(returns.std(), rel=1e-6)
    assert found["return_autocorrelation"] == pytest.approx(np.corrcoef(returns[1:], returns[:-1])[0, 1], abs=0.01)
    same = compare_facts([found] * 4, [found] * 4)
    assert all(fact.value == 0 for fact in same)


def test_few_sessions_are_cut_into_blocks(four):
    flow = session([(k, 1, k + 1, 1, 980, 1) for k in range(80)], [(1010, 5, 990, 7)] * 80)
    blocks = in_blocks([flow])
    assert [len(block.messages) for block in blocks] == [10] * 8
    assert len(in_blocks([four] * 9)) == 9
