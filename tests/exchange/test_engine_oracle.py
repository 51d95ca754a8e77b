"""The engine against an exchange that is one sorted list of events and books that are lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.exchange.codes import EventKind
from tests.exchange.markets import MS, SECOND, crowd, one_book, population, visited, visitor_commands
from tests.oracles.slow_exchange import SlowClock, SlowExchange

LATENCIES = ("0s", "1ms", {"low": "10us", "high": "40ms"})
CHANNELS = ("ACME.quotes", "ACME.trades", "BETA.trades")


def oracle(config, seed=1, until=5 * SECOND, latency=0, channels=()):
    """What ``visited`` gives, from the oracle."""
    clock, heard = SlowClock(), []
    exchange = SlowExchange(config, seed, until, clock.schedule, heard.append)
    for channel in channels:
        exchange.listen(channel)
    for at, command in visitor_commands(exchange.n_in_kernel + 1):
        if at < until:
            clock.run(at)
            exchange.submit(command, at + latency)
    clock.run(until)
    return exchange, tables_of(exchange), heard


def tables_of(exchange):
    messages, trades = [], []
    for n, now, number, kind, order_id, other_id, side, price, size, left, owner, other_owner in exchange.log:
        if kind == EventKind.TRADE:
            trades.append((n, now, number, price, size, side, order_id, other_id, owner, other_owner, left))
        else:
            bad = kind == EventKind.REJECTED
            other, reason = (0, other_id) if bad else (other_id, 0)
            messages.append((n, now, number, owner, kind, order_id, other, side, price, size, left, reason))
    tables = {
        "messages": messages,
        "trades": trades,
        "quotes": exchange.quotes,
        "depth": exchange.depths,
        "fundamentals": exchange.values,
    }
    return {f"exchange/{name}": rows for name, rows in tables.items() if rows}


def assert_equal(config, latency=0, channels=(), **keys):
    slow, expected, expected_notices = oracle(config, latency=latency, channels=channels, **keys)
    exchange, rows, notices = visited(config, latency=latency, channels=channels, **keys)
    for name in expected:
        assert rows[name] == expected[name], name
    assert set(rows) == set(expected)
    assert notices == expected_notices
    for agent in range(slow.n_in_kernel + 2):
        account = exchange.account(agent)
        for number in range(len(config.instruments)):
            ours = account.position_lots[number], account.cash_minor[number]
            assert ours == (slow.position[number, agent], slow.cash[number, agent])


@pytest.mark.parametrize("order_latency", LATENCIES, ids=str)
@pytest.mark.parametrize("channels", [(), CHANNELS], ids=["deaf", "hearing"])
def test_every_population_together_gives_the_oracles_log(order_latency, channels):
    assert_equal(crowd(order_latency), channels=channels)


@settings(max_examples=6)
@given(st.integers(0, 1 << 40), st.sampled_from(LATENCIES), st.sampled_from([0, MS, 130 * MS]))
def test_other_seeds_and_latencies_of_the_visitor_give_it_too(seed, order_latency, latency):
    assert_equal(crowd(order_latency), seed=seed, until=2 * SECOND, latency=latency, channels=CHANNELS)


TICKING = '''
import numpy as np
from marketsim.core.rng import uniforms
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start
from marketsim.exchange.rules import BID, cancel_all, cancel_own, limit_order, market_order


class Ticking(Population):
    """Everybody wakes at the same instants, and sends several messages at once."""

    class Config(PopulationConfig):
        grid: int = 50_000_000

    @classmethod
    def start(cls, config, context):
        state = np.full((context.count, 1), config.grid)
        return Start(state, np.zeros((context.count, 0)), np.zeros(context.count, np.int64))

    @staticmethod
    def wake(state_i, state_f, agent, now, market, counters, out):
        u, v, w, x = uniforms(counters, 0)
        side = 1 if u < 0.5 else -1
        if v < 0.1:
            cancel_all(out)
        if v > 0.7:
            cancel_own(out, int(w * 3))
        for step in range(int(x * 4)):
            limit_order(out, side, 10_000 + side * int(3 * w) - 2 * step * side, 1 + step + agent, 0)
        if w < 0.3:
            market_order(out, -side, 5)
        return now + state_i[agent, 0] * (1 + agent % 2)
'''


@pytest.mark.parametrize("order_latency", ["0s", "50ms", {"low": "0s", "high": "100ms"}], ids=str)
def test_ties_are_broken_as_in_the_oracle(tmp_path, monkeypatch, order_latency):
    """Messages of 50 ms on a grid of 50 ms meet the next wakes of their senders and of everybody else."""
    (tmp_path / "ticking.py").write_text(TICKING)
    monkeypatch.syspath_prepend(tmp_path)
    from marketsim.core.registry import load_user_module

    table = load_user_module("ticking").Ticking.Config
    tick = table(kind="ticking:Ticking", count=7, order_latency=order_latency)
    flow = population("zero_intelligence", count=5, limit_rate=4.0, reach=4, order_size=7)
    config = one_book(tick, flow)
    two = config.model_copy(update={"instruments": (*config.instruments, *crowd().instruments[1:])})
    assert_equal(two, until=4 * SECOND, channels=("ACME.quotes",))
