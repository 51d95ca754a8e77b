import math

from marketsim.agents import TwapExecutor
from marketsim.core.durations import SECOND
from tests.agents.stage import END, enter, stage

KEYS = {"side": "buy", "size_lots": 10, "begin": "5s", "interval": "2s", "slices": 4}
DEEP = [(0, "sell", {"price_ticks": 10_005, "size_lots": 1000}), (0, "buy", {"price_ticks": 9_995, "size_lots": 1000})]


def fills(simulation):
    return [(time_ns // SECOND, data["size_lots"]) for time_ns, topic, data in heard(simulation) if topic == "fill"]


def heard(simulation):
    return simulation.agent("counterpart").heard


def test_it_trades_equal_slices_at_equal_intervals():
    simulation = stage(DEEP)
    twap = enter(simulation, TwapExecutor, **KEYS)
    simulation.run()
    assert fills(simulation) == [(5, 2), (7, 3), (9, 2), (11, 3)]
    assert (twap.filled_lots, twap.position(), twap.average_price_ticks) == (10, 10, 10_005.0)


def test_it_sells_too():
    simulation = stage(DEEP)
    twap = enter(simulation, TwapExecutor, **KEYS | {"side": "sell"})
    simulation.run()
    assert (twap.filled_lots, twap.position(), twap.average_price_ticks) == (10, -10, 9_995.0)


def test_what_a_slice_could_not_trade_is_added_to_the_next():
    thin = [
        (0, "sell", {"price_ticks": 10_005, "size_lots": 1}),
        (8 * SECOND, "sell", {"price_ticks": 10_006, "size_lots": 100}),
    ]
    simulation = stage(thin)
    twap = enter(simulation, TwapExecutor, **KEYS)
    simulation.run()
    assert fills(simulation) == [(5, 1), (9, 6), (11, 3)]
    assert twap.filled_lots == 10


def test_it_leaves_undone_what_nobody_sells():
    simulation = stage()
    twap = enter(simulation, TwapExecutor, **KEYS)
    simulation.run()
    assert twap.filled_lots == 0
    assert math.isnan(twap.average_price_ticks)
    assert twap.state()["working_lots"] == 0


def test_lots_on_their_way_are_not_sent_twice():
    simulation = stage(DEEP)
    twap = enter(simulation, TwapExecutor, **KEYS, order_latency="3s", market_data_latency="3s")
    simulation.run()
    assert fills(simulation) == [(8, 2), (10, 3), (12, 2), (14, 3)]
    assert twap.filled_lots == 10


def test_it_goes_on_from_its_state():
    simulation, again = stage(DEEP), stage(DEEP)
    twap, fresh = enter(simulation, TwapExecutor, **KEYS), enter(again, TwapExecutor, **KEYS)
    simulation.run(until=8 * SECOND)
    fresh.restore(twap.state())
    assert fresh.state() == twap.state()
    assert fresh.filled_lots == 5


def test_slices_after_the_end_are_not_sent():
    simulation = stage(DEEP)
    twap = enter(simulation, TwapExecutor, **KEYS | {"begin": f"{END - SECOND}ns"})
    simulation.run()
    assert twap.filled_lots == 2
