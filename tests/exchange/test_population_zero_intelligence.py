"""Zero-intelligence flow against what is known of Poisson processes."""

import math
from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from marketsim.exchange.codes import ADD, CANCEL_OWN, EventKind
from marketsim.exchange.populations.zero_intelligence import BOUND
from tests.exchange.markets import SECOND, one_book, open_exchange, population, recorded
from tests.exchange.wakes import Asked


def test_depth_of_a_flow_that_never_crosses_is_that_of_a_queue_with_infinitely_many_servers():
    """Orders come at rate lambda and leave at rate theta each, so their number is Poisson(lambda / theta)."""
    agents, rate, theta, reach, step = 50, 0.2, 0.1, 5, 60
    flow = population(
        "zero_intelligence",
        count=agents,
        limit_rate=rate,
        market_rate=0.0,
        cancel_rate=theta,
        reach=reach,
        reference="open_price",
    )
    config = one_book(flow).model_copy(
        update={"depth": one_book().depth.model_copy(update={"interval": step * SECOND})}
    )
    until = 60_000 * SECOND
    rows, _ = recorded(open_exchange(config, seed=3, until=until, tables=["exchange/depth"]), until)
    counts = np.zeros((until // (step * SECOND), 2 * reach), np.int64)
    for time, _, side, _, price, _, orders in rows["exchange/depth"]:
        distance = side * (10_000 - price)
        assert 1 <= distance <= reach
        counts[time // (step * SECOND), distance - 1 + (side > 0) * reach] = orders
    counts = counts[5:]  # the queues have forgotten by then that they began empty
    mean = agents * rate / (2 * reach) / theta
    low, high = stats.norm.interval(0.998, mean, np.sqrt(mean / counts.size) * 1.2)  # little correlation is left
    assert low < counts.mean() < high
    edges = np.arange(5, 16)
    observed = [(counts <= 4).sum(), *((counts == k).sum() for k in edges), (counts >= 16).sum()]
    cdf = stats.poisson.cdf(np.append(4, edges), mean)
    expected = counts.size * np.diff(np.concatenate([[0.0], cdf, [1.0]]))
    assert stats.chisquare(observed, expected).pvalue > 0.001
    assert abs(np.corrcoef(counts, rowvar=False) - np.eye(2 * reach)).max() < 0.15  # the queues are independent


def test_limit_and_market_orders_come_at_their_rates():
    flow = population("zero_intelligence", count=20, limit_rate=3.0, market_rate=1.0, cancel_rate=0.5)
    until = 500 * SECOND
    rows, _ = recorded(open_exchange(one_book(flow), until=until, tables=["exchange/messages"]), until)
    accepted = [row for row in rows["exchange/messages"] if row[4] == EventKind.ACCEPTED]
    market = sum(row[8] == 0 for row in accepted)  # a market order has no price
    limit = len(accepted) - market
    for count, rate in ((limit, 3.0), (market, 1.0)):
        low, high = stats.poisson.interval(0.998, 20 * rate * 500)
        assert low <= count <= high
    buys = sum(row[7] > 0 for row in accepted)
    assert stats.binomtest(buys, len(accepted)).pvalue > 0.001


def test_limit_prices_are_uniform_behind_the_opposite_best():
    flow = population("zero_intelligence", count=20, limit_rate=3.0, market_rate=0.5, cancel_rate=0.5, reach=4)
    until = 300 * SECOND
    rows, _ = recorded(open_exchange(one_book(flow), until=until), until)
    quotes = {row[0]: row for row in rows["exchange/quotes"]}
    touch, distances = None, []
    for row in rows["exchange/messages"]:
        message, side, price = row[0], row[7], row[8]
        if row[4] == EventKind.ACCEPTED and price > 0 and touch is not None and touch[4] > 0 and touch[6] > 0:
            best = touch[5] if side > 0 else touch[3]
            distances.append(side * (best - price))
        touch = quotes.get(message, touch)
    observed = np.bincount(distances, minlength=5)
    assert observed[0] == 0
    assert len(observed) == 5
    assert stats.chisquare(observed[1:]).pvalue > 0.001


def test_order_sizes_have_the_median_and_the_deviation_of_their_logarithms():
    keys = {"order_size": 400, "order_size_sigma": 0.7}
    flow = population("zero_intelligence", count=20, limit_rate=3.0, market_rate=1.0, **keys)
    until = 200 * SECOND
    rows, _ = recorded(open_exchange(one_book(flow), until=until, tables=["exchange/messages"]), until)
    logs = np.log([row[9] for row in rows["exchange/messages"] if row[4] == EventKind.ACCEPTED])
    assert stats.kstest((logs - np.log(400)) / 0.7, "norm").pvalue > 0.001


def test_orders_that_are_gone_are_thinned_out():
    """An agent that counted on 10 orders and has 4 left: six tenths of its cancellations do nothing."""
    seen = Counter()
    for number in range(400):
        flow = Asked("zero_intelligence", limit_rate=3.0, market_rate=1.0, cancel_rate=0.8)
        flow.state_i[0, BOUND], flow.wakes = 10, number
        u_wait, u_event, _, _ = flow.uniforms()
        now, event = 10**9, u_event * (3.0 + 1.0 + 0.8 * 10)
        following, sent = flow.wake(now=now, open_orders=4, bid=9_990, bid_size=1, ask=10_010, ask_size=1)
        k = (event - 4.0) / 0.8
        expected = "limit" if event < 3.0 else "market" if event < 4.0 else "cancel" if k < 4 else "nothing"
        kinds = {(ADD, True): "limit", (ADD, False): "market", (CANCEL_OWN, False): "cancel"}
        assert [kinds[kind, price > 0] for kind, _, price, _ in sent] == ([expected] if expected != "nothing" else [])
        resting = 4 + (expected == "limit") - (expected == "cancel")
        assert flow.state_i[0, BOUND] == resting
        assert following - now == pytest.approx(-math.log(u_wait) * 1e9 / (4.0 + 0.8 * resting), abs=2)
        seen[expected] += 1
    assert min(seen.values()) > 20
    assert len(seen) == 4


def test_a_flow_without_orders_is_refused():
    with pytest.raises(ValidationError, match="limit_rate"):
        population("zero_intelligence", count=1, limit_rate=0.0, market_rate=0.0)
