"""Traders: order ids at once, reports later, positions as they hear of them."""

import pytest

from marketsim.agents import Trader
from marketsim.core.durations import MILLISECOND, SECOND
from marketsim.core.errors import AgentError
from marketsim.exchange.codes import SelfTradePrevention, TimeInForce
from tests.agents.stage import enter, stage


class Scripted(Trader):
    """Runs a function at a time."""

    acts = ()

    def on_start(self):
        self.heard, self.results = [], []
        for number, (at, _) in enumerate(self.acts):
            self.wake_at(at, number)

    def on_wake(self, payload):
        self.results.append(self.acts[payload][1](self))

    def on_notice(self, notice):
        self.heard.append((self.now, notice.topic, notice.data))

    def topics(self):
        return [topic for _, topic, _ in self.heard]


def scripted(*acts):
    return type("Scripted", (Scripted,), {"acts": acts})


QUOTES = [(0, "sell", {"price_ticks": 10_005, "size_lots": 5}), (0, "buy", {"price_ticks": 9_995, "size_lots": 7})]


def test_orders_have_ids_at_once_and_fills_are_reported():
    simulation = stage(QUOTES)
    agent = enter(simulation, scripted((10, lambda a: a.buy(price_ticks=10_005, size_lots=3)), (20, lambda a: a.buy())))
    simulation.run(until=SECOND)
    assert agent.results == [(agent.account << 32) + 1, (agent.account << 32) + 2]
    assert agent.topics() == ["fill", "accepted", "fill", "accepted"]
    assert agent.heard[0][2]["order_id"] == agent.results[0]
    assert agent.heard[0][2]["price_ticks"] == 10_005


def test_position_and_cash_follow_the_fills_on_both_sides():
    simulation = stage(QUOTES)
    acts = ((10, lambda a: a.buy(price_ticks=10_005, size_lots=3)), (20, lambda a: a.sell(size_lots=4)))
    agent = enter(simulation, scripted(*acts))
    simulation.run(until=SECOND)
    tick_value = 10  # one cent times lots of ten
    cash = (4 * 9_995 - 3 * 10_005) * tick_value
    assert (agent.position(), agent.cash()) == (-1, cash)
    counterpart = simulation.agent("counterpart")
    assert (counterpart.position(), counterpart.cash()) == (1, -cash)
    account = simulation.venues[0].account(agent.account)
    assert (account.position_lots, account.cash_minor) == ((-1,), (cash,))


def test_latencies_delay_orders_and_news():
    simulation = stage(QUOTES)
    keys = {"order_latency": "3ms", "market_data_latency": "2ms"}
    agent = enter(simulation, scripted((MILLISECOND, lambda a: a.buy(price_ticks=10_005))), **keys)
    simulation.run(until=4 * MILLISECOND)
    assert simulation.venues[0].account(agent.account).position_lots == (0,)
    simulation.run(until=6 * MILLISECOND)
    assert simulation.venues[0].account(agent.account).position_lots == (1,)
    assert (agent.position(), agent.heard) == (0, [])  # it has not heard yet
    simulation.run(until=SECOND)
    assert [(now, topic) for now, topic, _ in agent.heard] == [(6 * MILLISECOND, "fill"), (6 * MILLISECOND, "accepted")]
    assert agent.position() == 1


def test_orders_can_be_cancelled_reduced_and_replaced():
    acts = (
        (10, lambda a: a.buy(price_ticks=9_000, size_lots=5)),
        (20, lambda a: a.reduce(a.results[0], 2)),
        (30, lambda a: a.replace(a.results[0], 9_001, 4)),
        (40, lambda a: a.cancel(a.results[0])),
        (50, lambda a: a.cancel(a.results[0])),
        (60, lambda a: a.sell(price_ticks=11_000)),
        (70, lambda a: a.sell(price_ticks=11_001)),
        (80, lambda a: a.cancel_all()),
    )
    simulation = stage(QUOTES)
    agent = enter(simulation, scripted(*acts))
    simulation.run(until=SECOND)
    expected = ["accepted", "reduced", "replaced", "cancelled", "rejected", "accepted", "accepted"]
    assert agent.topics()[:7] == expected
    assert agent.topics()[7:].count("cancelled") == 2
    assert simulation.venues[0].quote() == (9_995, 7, 10_005, 5, 10_000)


def test_instructions_of_an_order_reach_the_book():
    acts = (
        (10, lambda a: a.buy(price_ticks=10_005, post_only=True)),
        (20, lambda a: a.buy(price_ticks=10_005, size_lots=50, tif=TimeInForce.FOK)),
        (30, lambda a: a.buy(price_ticks=10_004, size_lots=50, tif=TimeInForce.IOC)),
        (40, lambda a: a.sell(price_ticks=10_003)),
        (50, lambda a: a.buy(price_ticks=10_003, self_trade=SelfTradePrevention.CANCEL_RESTING)),
    )
    simulation = stage(QUOTES)
    agent = enter(simulation, scripted(*acts))
    simulation.run(until=SECOND)
    assert agent.topics() == ["rejected", "rejected", "expired", "accepted", "accepted", "cancelled", "accepted"]
    assert agent.position() == 0


def test_the_quote_is_that_of_the_instant():
    simulation = stage(QUOTES)
    agent = enter(simulation, scripted((10, lambda a: a.quote()), (20, lambda a: a.quote("ACME"))))
    simulation.run(until=SECOND)
    assert agent.results[0] == agent.results[1] == (9_995, 7, 10_005, 5, 10_000)


def test_an_agent_with_a_latency_cannot_see_the_present():
    simulation = stage(QUOTES)
    enter(simulation, scripted((10, lambda a: a.quote())), market_data_latency="1ms")
    message = r'quote\(\) shows the present, and agent has a market_data_latency; use listen\("ACME.quotes"\)'
    with pytest.raises(AgentError, match=message):
        simulation.run()


def test_an_agent_trades_the_instrument_of_its_table_unless_told_otherwise():
    simulation = stage(symbols=("ACME", "BOLT"))
    acts = (
        (10, lambda a: a.buy(price_ticks=9_000)),
        (20, lambda a: a.buy("ACME", 9_000)),
        (30, lambda a: a.symbol),
    )
    agent = enter(simulation, scripted(*acts), instrument="BOLT")
    simulation.run(until=SECOND)
    assert [data["instrument"] for _, _, data in agent.heard] == [1, 0]
    assert agent.results[2] == "BOLT"


def test_an_unknown_symbol_or_channel_is_an_error_of_the_agent():
    for act in (lambda a: a.buy("NONE", 9_000), lambda a: a.listen("NONE.quotes")):
        simulation = stage()
        enter(simulation, scripted((10, act)))
        with pytest.raises(AgentError, match="expected .*ACME"):
            simulation.run()


def test_base_state_survives_and_ids_go_on():
    simulation = stage(QUOTES)
    agent = enter(simulation, scripted((10, lambda a: a.buy(price_ticks=10_005, size_lots=3))))
    simulation.run(until=SECOND)
    state = agent.base_state()
    fresh = enter(stage(QUOTES), Trader)
    fresh.restore_base(state)
    assert (fresh.position(), fresh.cash()) == (3, -3 * 10_005 * 10)
    assert fresh.base_state() == state
