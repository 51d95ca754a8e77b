"""The laws of the time line with the exchange and a second venue together, and agents between them."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.exchange.tables import TABLES
from marketsim.simulation.checkpoint import State
from marketsim.simulation.recorder import digest_of_tables
from tests.simulation.share_market import (
    END,
    Setting,
    any_setting,
    diaries,
    finished,
    instants,
    logs,
    market,
    reference,
)
from tests.simulation.toy_market import rows


def test_the_market_is_worth_testing():
    """Agents trade in both instruments, are rejected, decide, and carry orders from one venue to the other."""
    events, told, _ = finished(market(Setting()))
    assert len(events["exchange/messages"]) > 500
    assert len(events["exchange/trades"]) > 30
    topics = {entry[3] for diary in told for entry in diary if len(entry) == 6}
    assert topics >= {"quote", "trade", "tick", "fill", "accepted", "cancelled", "expired", "done"}
    assert any(entry[1] == "decided" for diary in told for entry in diary)
    assert any(row[1] == 1 for row in events["shop/events"])


@settings(max_examples=25, deadline=None)
@given(any_setting, st.lists(instants, max_size=8), st.integers(1, 200), st.sampled_from([64, 300, 1 << 12]))
def test_cutting_a_run_anywhere_changes_nothing(setting, cuts, budget, log_rows):
    assert finished(market(setting, budget=budget, log_rows=log_rows), cuts) == finished(market(setting))


@settings(max_examples=15, deadline=None)
@given(any_setting, instants)
def test_a_run_that_goes_on_from_a_checkpoint_cannot_be_told_from_a_whole_one(setting, instant):
    whole_events, *whole = finished(market(setting))
    line = market(setting)
    line.run(until=instant)
    before = logs(line)
    arrays, document = line.state()
    resumed = market(setting, log_rows=512)
    resumed.restore(State(arrays, json.loads(json.dumps(document))))
    after, *rest = finished(resumed)
    assert rest == whole
    names = before.keys() | after.keys()
    assert {name: before.get(name, []) + after.get(name, []) for name in names} == whole_events


def test_forks_share_the_past_and_nothing_else():
    line = market(Setting())
    line.run(until=END // 2)
    same, other = line.fork(), line.fork()
    other.agent("eager").remove()
    for twin in (other, same, line):
        twin.run()
    assert diaries(same) == diaries(line)
    assert diaries(other)[0] != diaries(line)[0]


def test_the_order_of_the_venues_decides_ties_only():
    """With venues swapped a run still keeps the law; what it gives may differ where both act at one instant."""
    first = finished(market(Setting(), shop_first=True))
    assert first == finished(market(Setting(), shop_first=True, budget=7, log_rows=300), [END // 3, END // 2])


@settings(max_examples=12, deadline=None)
@given(any_setting)
def test_the_digest_is_that_of_the_same_market_all_in_mesa(setting):
    """Every event of every venue is a Mesa event there, and the populations' rules run as plain Python."""
    line, slow = market(setting), reference(setting)
    line.run()
    expected = slow.venues[0].tables()
    found = {name: line.recorder.table(name) for name in line.recorder.tables() if name in expected}
    for name, table in found.items():
        assert rows(table) == rows(expected[name]), name
    assert digest_of_tables(found, TABLES.values()) == digest_of_tables(expected, TABLES.values())
    assert diaries(line) == diaries(slow)
    if setting.with_shop:
        assert logs(line)["shop/events"] == slow.venues[1].rows
