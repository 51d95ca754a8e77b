import math

import pytest

from marketsim.agents import QuoteWatcher
from marketsim.core.durations import SECOND
from tests.agents.stage import enter, stage

SCRIPT = [
    (0, "sell", {"price_ticks": 10_010}),
    (1 * SECOND, "buy", {"price_ticks": 10_000}),  # spread 10 for three seconds
    (4 * SECOND, "sell", {"price_ticks": 10_004}),  # spread 4 for one
    (5 * SECOND, "cancel_all", {}),
]


@pytest.mark.parametrize("latency", ["0s", "250ms"])
def test_the_mean_spread_is_weighted_by_time_and_empty_sides_do_not_count(latency):
    simulation = stage(SCRIPT)
    watcher = enter(simulation, QuoteWatcher, market_data_latency=latency)
    simulation.run()
    assert watcher.n_quotes >= 4
    assert watcher.mean_spread_ticks == pytest.approx((3 * 10 + 1 * 4) / 4)


def test_without_quotes_there_is_no_mean():
    simulation = stage()
    watcher = enter(simulation, QuoteWatcher)
    simulation.run()
    assert watcher.n_quotes == 0
    assert math.isnan(watcher.mean_spread_ticks)


def test_it_goes_on_from_its_state():
    simulation = stage(SCRIPT)
    watcher = enter(simulation, QuoteWatcher)
    simulation.run(until=3 * SECOND)
    fresh = enter(stage(SCRIPT), QuoteWatcher)
    fresh.restore(watcher.state())
    assert fresh.state() == watcher.state()
