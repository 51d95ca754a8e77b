"""The agenda: Mesa's event list behind an adapter that takes names and JSON only."""

import numpy as np
import pytest

from marketsim.core.errors import AgentError, PastError
from tests.simulation.toy_market import Diarist, Setting, add, market


class Listener(Diarist):
    def on_start(self):
        pass

    def on_wake(self, payload):
        self.diary.append([self.now, payload])


@pytest.fixture
def line():
    return market(Setting())


@pytest.fixture
def agent(line):
    return add(line, Listener, "listener")


def test_wakes_come_in_order_of_time_and_then_of_asking(line, agent):
    for at, payload in [(9, "d"), (7, "b"), (7, "c"), (5, "a")]:
        agent.wake_at(at, payload)
    line.run(until=100)
    assert agent.diary == [[5, "a"], [7, "b"], [7, "c"], [9, "d"]]


def test_cancelled_events_at_the_root_are_dropped_and_nothing_else(line, agent):
    other = add(line, Listener, "other")
    for at, who in [(5, other), (7, agent), (7, other), (9, agent)]:
        who.wake_at(at, at)
    line.run(until=1)
    other.remove()
    line.run(until=100)
    assert agent.diary == [[7, 7], [9, 9]]
    assert other.diary == []


def test_a_run_until_an_instant_leaves_that_instant_to_the_next(line, agent):
    agent.wake_at(1000)
    line.run(until=1000)
    assert agent.diary == []
    assert line.now == 1000
    line.run(until=1001)
    assert agent.diary == [[1000, None]]


@pytest.mark.parametrize("instant", [1.0, np.int64(1), True, "1"])
def test_times_are_ints(agent, instant):
    with pytest.raises(TypeError, match="must be an int of nanoseconds"):
        agent.wake_at(instant)


@pytest.mark.parametrize("hook", [lambda payload: None, "on_bell", None])
def test_only_the_name_of_a_hook_is_scheduled(line, agent, hook):
    with pytest.raises(TypeError, match="expected a hook, one of on_start, on_wake, on_notice, on_decision"):
        line.schedule(1, agent, hook, None)


@pytest.mark.parametrize(
    ("payload", "found"),
    [((1, 2), "tuple"), ({1: 2}, "a key 1"), ([np.int64(3)], "int64"), ({"a": {"b": object()}}, "object")],
)
def test_a_payload_that_json_would_not_give_back_is_refused(agent, payload, found):
    with pytest.raises(TypeError, match=f"payload of a wake must survive JSON.*{found}"):
        agent.wake_in(1, payload)


def test_nothing_is_scheduled_in_the_past(line, agent):
    line.run(until=1000)
    with pytest.raises(PastError, match="on_wake of listener at 999 ns, but it is 1000 ns already"):
        agent.wake_at(999)


def test_an_exception_of_an_agent_is_an_error_with_its_name_time_and_cause(line):
    class Broken(Listener):
        def on_wake(self, payload):
            raise KeyError("lost")

    add(line, Broken, "broken").wake_at(1500)
    with pytest.raises(AgentError, match=r"agent broken failed at 1500ns: KeyError: 'lost'") as caught:
        line.run()
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.time_ns == 1500


def test_mesas_random_generator_is_refused(agent):
    with pytest.raises(AttributeError, match=r"use self\.rng\(\)"):
        _ = agent.random


def test_draws_are_addressed_by_table_call_and_index():
    def draws(**options):
        class Drawer(Listener):
            def on_wake(self, payload):
                self.diary.append([self.rng().random(), self.rng().random()])

        line = market(Setting())
        if options.get("stranger"):
            add(line, Listener, "stranger").wake_at(10)
        drawer = add(line, Drawer, options.get("name", "drawer"))
        for at in (20, 30):
            drawer.wake_at(at)
        line.run(until=100)
        return drawer.diary

    first = draws()
    assert draws(stranger=True) == first
    assert draws(name="other") != first
    numbers = [number for pair in first for number in pair]
    assert len(set(numbers)) == 4
