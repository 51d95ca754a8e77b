"""What an exchange must not depend on: cuts, budgets, sizes of its log, processes, the JIT."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.markets import SECOND, crowd, state_bytes, visited

MS = 10**6
CHANNELS = ("ACME.quotes", "ACME.trades", "BETA.trades")
LATENCIES = ("0s", "1ms", {"low": "10us", "high": "40ms"})
UNTIL = 5 * SECOND


@pytest.fixture(scope="module")
def whole():
    runs = {}

    def run(latency, channels):
        key = json.dumps([latency, channels])
        if key not in runs:
            exchange, rows, heard = visited(crowd(latency), channels=channels)
            runs[key] = rows, heard, state_bytes(exchange)
        return runs[key]

    return run


@settings(max_examples=25)
@given(
    st.sampled_from(LATENCIES),
    st.sampled_from([(), CHANNELS]),
    st.lists(st.integers(0, 50).map(lambda tenth: tenth * 100 * MS), max_size=8),
    st.integers(1, 60),
    st.sampled_from([1, 2, 7, 50, 1000]),
)
def test_cuts_budgets_and_sizes_of_the_log_change_nothing(whole, latency, channels, cuts, budget, log_rows):
    exchange, rows, heard = visited(crowd(latency), cuts=cuts, channels=channels, budget=budget, log_rows=log_rows)
    assert (rows, heard, state_bytes(exchange)) == whole(latency, channels)


@pytest.mark.parametrize("latency", LATENCIES, ids=str)
def test_the_market_is_worth_testing(whole, latency):
    rows, heard, _ = whole(latency, CHANNELS)
    assert all(len(rows[f"exchange/{name}"]) > 20 for name in ("messages", "trades", "quotes", "depth"))
    events = {row[4] for row in rows["exchange/messages"]}
    assert {1, 2, 6, 7} <= events
    assert {notice.topic for notice in heard} >= {"accepted", "fill", "rejected", "quote", "trade"}
    traders = {row[8] for row in rows["exchange/trades"]} | {row[9] for row in rows["exchange/trades"]}
    assert len(traders) > 30
    instants = [row[1] for row in rows["exchange/messages"]]
    assert len(instants) > len(set(instants)) + 50


def test_listening_changes_nothing_but_what_is_heard(whole):
    deaf, hearing = whole("1ms", ()), whole("1ms", CHANNELS)
    assert deaf[0] == hearing[0]
    assert deaf[1] == [notice for notice in hearing[1] if notice.to != 0]


def test_what_is_recorded_changes_nothing(whole):
    wanted = ["exchange/trades"]
    _, rows, heard = visited(crowd("1ms"), channels=CHANNELS, tables=wanted)
    assert rows == {name: whole("1ms", CHANNELS)[0][name] for name in wanted}
    assert heard == whole("1ms", CHANNELS)[1]


@settings(max_examples=15)
@given(st.sampled_from(LATENCIES), st.integers(0, 4999), st.sampled_from([3, 1000]))
def test_a_restored_state_goes_on_as_the_run_that_saved_it(latency, middle, log_rows):
    from tests.exchange.markets import open_exchange, recorded, visitor_commands

    config, middle = crowd(latency), middle * MS

    def opened():
        exchange = open_exchange(config, until=UNTIL, log_rows=log_rows)
        return exchange, visitor_commands(exchange.add_agent("visitor", "test", "rule"))

    first, commands = opened()
    first.listen("ACME.quotes")
    recorded(first, middle, commands=commands)
    saved = {name: array.copy() for name, array in first.state().items()}
    second, _ = opened()
    recorded(second, 2 * SECOND)  # some other past
    second.restore(saved)
    assert state_bytes(second) == state_bytes(first)
    assert second.peek() == first.peek()
    later = [(at, command) for at, command in commands if at >= middle]
    results = [(recorded(exchange, UNTIL, commands=later), state_bytes(exchange)) for exchange in (first, second)]
    assert results[0] == results[1]


# ---- Other processes ------------------------------------------------------------------------------------------------

DIGEST = """
import hashlib
from tests.exchange.markets import crowd, visited
_, rows, heard = visited(crowd({"low": "10us", "high": "40ms"}), channels=("ACME.quotes",))
print(hashlib.sha256(repr((sorted(rows.items()), heard)).encode()).hexdigest(), sum(map(len, rows.values())))
"""


def digest_elsewhere(**environment):
    result = subprocess.run(
        [sys.executable, "-c", DIGEST],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return result.stdout.split()


def digest_here():
    _, rows, heard = visited(crowd(LATENCIES[2]), channels=("ACME.quotes",))
    return hashlib.sha256(repr((sorted(rows.items()), heard)).encode()).hexdigest()


@pytest.mark.slow
def test_two_processes_give_the_same_bytes():
    assert digest_elsewhere(PYTHONHASHSEED="7")[0] == digest_here()


@pytest.mark.slow
def test_the_interpreter_gives_the_bytes_of_the_compiler():
    digest, rows = digest_elsewhere(NUMBA_DISABLE_JIT="1")
    assert digest == digest_here()
    assert 1_000 < int(rows) < 20_000
