"""Noise, value and momentum traders: their rules against the same rules written another way."""

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from marketsim.core.errors import MarketSimError
from marketsim.exchange.config import ExchangeConfig, FundamentalConfig, InstrumentConfig
from marketsim.exchange.populations.value import ESTIMATE, VARIANCE
from marketsim.exchange.rules import FUNDAMENTAL_SCALE, NEVER
from tests.exchange.markets import population
from tests.exchange.wakes import Asked, cancels_first, orders

SECOND = 10**9
NORMAL = NormalDist()
TOUCH = {"bid": 9_990, "bid_size": 5, "ask": 10_010, "ask_size": 7}


# ---- Noise ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "cdf"), [("u_quadratic", lambda x: 0.5 + 4 * (x - 0.5) ** 3), ("uniform", lambda x: x)]
)
def test_noise_traders_wake_as_scheduled(schedule, cdf):
    noise = Asked("noise", count=5_000, schedule=schedule, duration_ns=1000 * SECOND)
    assert stats.kstest(noise.first / (1000 * SECOND), cdf).pvalue > 0.001


def test_a_noise_trader_takes_the_other_side_once():
    noise, sides = Asked("noise", count=200, order_size=30), set()
    for agent in range(200):
        noise.wakes = 0
        coin = noise.uniforms(agent=agent)[0]
        following, sent = noise.wake(agent=agent, **TOUCH)
        side, price = (1, 10_010) if coin < 0.5 else (-1, 9_990)
        assert (following, orders(sent)) == (NEVER, [(side, price, 30)])
        sides.add(side)
    assert sides == {1, -1}


def test_a_noise_trader_without_counterpart_sends_nothing():
    for agent in range(20):
        noise = Asked("noise", count=20)
        coin = noise.uniforms(agent=agent)[0]
        _, sent = noise.wake(agent=agent, **{**TOUCH, "ask_size" if coin < 0.5 else "bid_size": 0})
        assert sent == []


# ---- Value ----------------------------------------------------------------------------------------------------------

PROCESS = FundamentalConfig(mean="100.00", reversion_rate=0.002, volatility=0.03)


def value_trader(**keys):
    return Asked("value", duration_ns=1000 * SECOND, fundamental=PROCESS, observation_deviation="0.20", **keys)


def test_a_value_trader_filters_what_it_sees():
    """Against the Kalman recursion in its textbook form: predict, gain, correct."""
    trader, estimate, variance, last = value_trader(), 10_000.0, 0.0, 0
    for now, truth in ((50, 10_120), (80, 10_300), (81, 10_290), (400, 9_900)):
        u_look = trader.uniforms()[1]
        trader.wake(now=now * SECOND, fundamental=truth * FUNDAMENTAL_SCALE, **TOUCH)
        elapsed, last = now - last, now
        decay = math.exp(-0.002 * elapsed)
        predicted = 10_000 + decay * (estimate - 10_000)
        variance = decay**2 * variance + 3.0**2 * (1 - decay**2) / (2 * 0.002)
        gain = variance / (variance + 20.0**2)
        look = truth + 20.0 * NORMAL.inv_cdf(u_look)
        estimate, variance = predicted + gain * (look - predicted), (1 - gain) * variance
        assert trader.state_f[0, [ESTIMATE, VARIANCE]] == pytest.approx([estimate, variance], rel=1e-9)


def test_a_value_trader_forecasts_the_end_and_trades_towards_it():
    placed = set()
    for truth in (9_000, 9_995, 10_005, 11_000):
        trader = value_trader(depth=2, aggressive_share=0.3, order_size=40)
        for now in range(100, 1000, 40):
            _, _, u_place, u_aggressive = trader.uniforms()
            _, sent = trader.wake(now=now * SECOND, fundamental=truth * FUNDAMENTAL_SCALE, **TOUCH)
            estimate = trader.state_f[0, ESTIMATE]
            forecast = round(10_000 + (estimate - 10_000) * math.exp(-0.002 * (1000 - now)))
            behind = 0 if u_aggressive < 0.3 else math.floor(u_place * 2 * 20)
            expected = (-1, 9_990 + behind, 40) if forecast < 10_000 else (1, 10_010 - behind, 40)
            assert cancels_first(sent)
            assert orders(sent) == [expected]
            placed.add((expected[0], behind == 0))
    assert placed == {(1, True), (1, False), (-1, True), (-1, False)}


def test_a_value_trader_quotes_its_forecast_where_a_side_is_empty():
    trader, sides = value_trader(), set()
    for now in range(10, 200, 10):
        coin = trader.uniforms(block=1)[0]
        _, sent = trader.wake(now=now * SECOND, fundamental=10_400 * FUNDAMENTAL_SCALE, **{**TOUCH, "bid_size": 0})
        estimate = trader.state_f[0, ESTIMATE]
        forecast = math.floor(10_000 + (estimate - 10_000) * math.exp(-0.002 * (1000 - now)) + 0.5)
        side = -1 if coin < 0.5 else 1
        assert orders(sent) == [(side, forecast, 100)]
        sides.add(side)
    assert sides == {1, -1}


def test_value_traders_need_a_fundamental():
    instrument = InstrumentConfig(symbol="ACME", open_price="100.00")
    with pytest.raises(ValueError, match="ACME.fundamental: expected one, as population value trades on it"):
        ExchangeConfig(instruments=[instrument], populations=[population("value", count=1)])


@pytest.mark.parametrize(
    ("kind", "key"), [("value", "mean_wait"), ("momentum", "mean_wait"), ("market_maker", "mean_wait")]
)
def test_waits_are_exponential_with_their_mean(kind, key):
    trader = Asked(kind, fundamental=PROCESS, **{key: "7s"}, count=1)
    for _ in range(20):
        u = trader.uniforms()[0]
        now = 5 * SECOND if kind != "market_maker" else int(trader.state_i[0, 0])
        following, _ = trader.wake(now=now, **TOUCH)
        if kind == "market_maker":
            following = int(trader.state_i[0, 0])
        assert following - now == pytest.approx(-math.log(u) * 7 * SECOND, abs=2)


# ---- Momentum --------------------------------------------------------------------------------------------------------


def test_a_momentum_trader_follows_the_crossing_of_its_averages():
    trader, mids, sides = Asked("momentum", fast=3, slow=5, order_size=9), [], []
    walk = np.random.default_rng(4).integers(-3, 4, 200).cumsum()
    for step, move in enumerate(walk.tolist()):
        bid, ask = 9_990 + move, 9_993 + move + step % 2
        mids.append(Fraction(bid + ask, 2))
        _, sent = trader.wake(now=(step + 1) * SECOND, bid=bid, bid_size=1, ask=ask, ask_size=1)
        if len(mids) <= 5:
            assert sent == []
            continue
        rising = sum(mids[-3:]) / 3 >= sum(mids[-5:]) / 5
        assert orders(sent) == [(1, ask, 9) if rising else (-1, bid, 9)]
        sides.append(rising)
    assert 20 < sum(sides) < len(sides) - 20


def test_averages_that_are_equal_buy():
    trader = Asked("momentum", fast=2, slow=3, order_size=9)
    for _ in range(3):
        assert trader.wake(**TOUCH)[1] == []
    assert orders(trader.wake(**TOUCH)[1]) == [(1, 10_010, 9)]


def test_a_momentum_trader_sees_nothing_where_a_side_is_empty():
    trader = Asked("momentum", fast=1, slow=2)
    for _ in range(10):
        assert trader.wake(**{**TOUCH, "ask_size": 0})[1] == []


def test_averages_in_the_wrong_order_are_refused():
    with pytest.raises((ValueError, MarketSimError), match="fast below slow"):
        population("momentum", count=1, fast=50, slow=20)
