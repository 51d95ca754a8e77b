"""Allocative efficiency of Gode and Sunder's traders, against the competitive optimum."""

import numpy as np
import pytest
from pydantic import ValidationError

from marketsim.exchange.populations.gode_sunder import FIRST_VALUE
from marketsim.exchange.rules import NEVER
from tests.exchange.markets import SECOND, one_book, open_exchange, population
from tests.exchange.wakes import Asked, cancels_first, orders


def efficiency(seed, constrained):
    """Gains from trade over their maximum, of 12 traders with 4 units each."""
    traders = population("gode_sunder", count=12, units=4, constrained=constrained, shout_rate=1.0)
    exchange = open_exchange(one_book(traders), seed=seed, until=300 * SECOND, tables=[])
    exchange.advance(300 * SECOND, inclusive=False)
    members = exchange.populations[0]
    values = members.state_i[:, FIRST_VALUE:]
    gains = 0
    for row, own in enumerate(values):
        position = exchange.account(members.first_account + row).position_lots[0]
        assert position * (1 if row % 2 == 0 else -1) >= 0
        gains += np.sign(position) * own[: abs(position)].sum()
    demand = np.sort(values[::2].ravel())[::-1]
    supply = np.sort(values[1::2].ravel())
    surplus = np.maximum(demand - supply, 0).sum()
    everything = (demand - supply).sum()
    return gains / surplus, everything / surplus


@pytest.fixture(scope="module")
def measured():
    seeds = range(30)
    return {constrained: np.array([efficiency(seed, constrained) for seed in seeds]) for constrained in (True, False)}


def test_budget_constraints_alone_make_a_market_nearly_efficient(measured):
    """Gode & Sunder, table 2: 97.1 to 99.9 % in their five markets."""
    constrained = measured[True][:, 0]
    assert 0.96 < constrained.mean() < 1.0
    assert constrained.max() <= 1.0


def test_without_constraints_every_unit_is_traded_in_the_end_and_gains_are_lost(measured):
    gained, everything = measured[False].T
    np.testing.assert_allclose(gained, everything)
    assert gained.mean() < measured[True][:, 0].mean() - 0.3


def test_values_are_traded_best_first():
    traders = population("gode_sunder", count=6, units=5)
    values = open_exchange(one_book(traders)).populations[0].state_i[:, FIRST_VALUE:]
    assert (np.diff(values[::2], axis=1) <= 0).all()
    assert (np.diff(values[1::2], axis=1) >= 0).all()
    assert values.min() >= 8_000
    assert values.max() <= 12_000


@pytest.mark.parametrize("constrained", [True, False])
def test_shouts_are_uniform_over_what_the_budget_allows(constrained):
    traders = Asked("gode_sunder", count=2, units=3, constrained=constrained)
    for agent, side in ((0, 1), (1, -1)):
        for done in (0, 1, 2):
            value = traders.state_i[agent, FIRST_VALUE + done]
            low, high = (1, 20_000) if not constrained else (1, value) if side > 0 else (value, 20_000)
            for _ in range(20):
                u = traders.uniforms(agent=agent)[1]
                following, sent = traders.wake(agent=agent, position=side * done)
                assert cancels_first(sent)
                assert orders(sent) == [(side, low + int(u * (high - low + 1)), 1)]
                assert following < NEVER
        assert traders.wake(agent=agent, position=3 * side)[0] == NEVER


def test_values_out_of_order_are_refused():
    with pytest.raises(ValidationError, match="value_low < value_high"):
        population("gode_sunder", count=1, value_low="90", value_high="80")
