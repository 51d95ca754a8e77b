"""Loops without end at one instant, and how they are found."""

import json

import pytest

from marketsim.core.errors import PopulationError, ZeroLatencyError
from marketsim.simulation import Simulation
from marketsim.simulation.checkpoint import State
from marketsim.simulation.clock import MOST_WAKES_AT_ONE_INSTANT
from tests.simulation.toy_market import END, Diarist, Setting, add, market
from tests.simulation.toy_venue import ToyCommand, ToyPopulation, ToyVenue, sleepless


class Echo(Diarist):
    """Has every command reported, and answers the report."""

    def act(self, notice):
        venue = notice.channel.partition(".")[0] or "exchange"
        self.submit(ToyCommand(self.accounts[venue], 1, report=True), venue)

    def state(self):
        return {}

    def restore(self, state):
        pass


MESSAGE = r"10,001 wakes at \S+ and no end: echo \([\d,]+\).*; give one of these agents a market_data_latency"


def with_echo(latency: int) -> Simulation:
    line = market(Setting())
    add(line, Echo, "echo", order_latency=latency)
    return line


@pytest.mark.parametrize("cuts", [[], [20_000, 40_000, 60_000]])
def test_agents_that_answer_each_other_without_latency_are_an_error_that_names_them(cuts):
    line = with_echo(0)

    def run():
        for instant in cuts:
            line.run(until=instant)
        line.run()

    with pytest.raises(ZeroLatencyError, match=MESSAGE):
        run()


def test_a_latency_of_one_nanosecond_is_enough():
    line = with_echo(1)
    assert line.run(until=30_000)
    assert len(line.agent("echo").diary) > MOST_WAKES_AT_ONE_INSTANT


def test_the_count_of_wakes_survives_a_checkpoint():
    class Stopper(Echo):
        def act(self, notice):
            super().act(notice)
            if len(self.diary) == 6000:
                self.host.interrupt()

    def build() -> Simulation:
        line = market(Setting())
        add(line, Stopper, "echo")
        return line

    line = build()
    assert not line.run()
    arrays, document = line.state()
    assert sum(document["wakes"].values()) >= 6000
    resumed = build()
    resumed.restore(State(arrays, json.loads(json.dumps(document))))
    with pytest.raises(ZeroLatencyError, match=MESSAGE):
        resumed.run()
    assert len(resumed.agent("echo").diary) < 6000  # those of before the checkpoint were counted too


def test_a_rule_that_wakes_at_the_same_instant_is_an_error_that_names_its_population():
    line = Simulation([ToyVenue("exchange", [ToyPopulation("sleepless", sleepless, 1, 1)])], END, seed=1)
    with pytest.raises(PopulationError, match="population sleepless at exchange asked to wake no later than now, 0 ns"):
        line.run()
