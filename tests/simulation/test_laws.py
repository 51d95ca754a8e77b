"""The laws of the time line, on drawn settings with ties and latency 0, against a market all in Mesa."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.core.errors import AgentError, PastError
from marketsim.core.venue import Stop
from marketsim.simulation import Simulation
from marketsim.simulation.clock import Clock
from tests.simulation.toy_market import END, GRID, SETTINGS, Setting, any_setting, finished, instants, market, reference
from tests.simulation.toy_venue import COMMAND, FLOW, ToyCommand


@settings(max_examples=40, deadline=None)
@given(any_setting, st.lists(instants, max_size=12), st.integers(1, 40), st.integers(1, 40))
def test_cutting_a_run_anywhere_changes_nothing(setting, cuts, budget, log_rows):
    assert finished(market(setting, budget=budget, log_rows=log_rows), cuts) == finished(market(setting))


@settings(max_examples=40, deadline=None)
@given(any_setting)
def test_the_loop_gives_the_log_of_a_market_all_in_mesa(setting):
    assert finished(market(setting))[:2] == reference(setting)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_market_is_worth_testing(setting):
    """Notices, reports, decisions, dropped questions and ties all occur, or the laws above would say little."""
    logs, diaries, _ = finished(market(setting))
    assert all(len(log) > 150 for log in logs)
    assert any(row[1] == COMMAND for log in logs for row in log)
    heard = [entry for diary, _, _ in diaries for entry in diary if len(entry) == 5]
    assert {entry[2] != 0 for entry in heard} == {True, False}
    assert sum(entry[1] == "decided" for diary, _, _ in diaries for entry in diary) > 5
    assert any(entry[1] == "woke" for entry in diaries[0][0])
    assert sum(dropped for _, dropped, _ in diaries) > 2
    ties = len(logs[0]) - len({row[0] for row in logs[0]})
    assert ties > 100 if setting.grid == GRID else ties < len(logs[0])


def test_order_flow_in_python_is_asked_for_and_comes():
    setting = Setting(flow_every=2 * GRID)
    logs, diaries, _ = finished(market(setting))
    assert sum(row[1] == FLOW for row in logs[0]) > 10
    assert (logs, diaries) == reference(setting)


# ---- Loops that are wrong --------------------------------------------------------------------------------------


class RunsBothToTheNextMesaEvent(Clock):
    def _next_leg(self, horizon):
        return next(((venue, horizon, False) for venue in self.venues if venue.peek() < horizon), None)


class InclusiveForBoth(Clock):
    def _next_leg(self, horizon):
        leg = super()._next_leg(horizon)
        return leg and (leg[0], leg[1], leg[1] < horizon)


class VenuesBeforeAgents(Clock):
    def _next_leg(self, horizon):
        return super()._next_leg(horizon + 1 if horizon < self.end else horizon)


class ChecksItsListTooEarly(Clock):
    """Takes the horizon from the list as it was before the last notices came in."""

    def _serve(self, venue, stop):
        while stop is Stop.NOTICE and venue.peek() < self.end:
            super()._serve(venue, stop)
            stop = venue.advance(venue.peek(), True)
        super()._serve(venue, stop)


@pytest.mark.parametrize(
    "wrong", [RunsBothToTheNextMesaEvent, InclusiveForBoth, VenuesBeforeAgents, ChecksItsListTooEarly]
)
def test_a_wrong_loop_is_found_out(wrong):
    class Wrong(Simulation):
        def _make_clock(self):
            return wrong(self.venues, self.duration_ns, self)

    def is_right(setting: Setting) -> bool:
        try:
            return finished(market(setting, kind=Wrong))[:2] == reference(setting)
        except AgentError as error:
            return not isinstance(error.__cause__, PastError)

    assert not all(is_right(setting) for setting in SETTINGS)


def test_no_command_enters_a_venues_past():
    line = market(Setting())
    line.run(until=END // 2)
    for venue in line.venues:
        venue.submit(ToyCommand(1, 5), venue.now)  # at this very instant, behind what stands there
        with pytest.raises(PastError, match=f"{venue.name} is at {venue.now} ns already"):
            venue.submit(ToyCommand(1, 5), venue.now - 1)
