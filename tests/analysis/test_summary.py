import json
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from marketsim.analysis import Instrument, summarise_exchange, summarise_returns, summary_table
from marketsim.analysis.columns import read_columns
from tests.analysis.synthetic import (
    MINUTE,
    POPULATIONS,
    SECOND,
    garch,
    market_tables,
    quotes_table,
    trades_table,
)

ACME = Instrument("ACME")
NAN = float("nan")


def summarise(tables, minutes=30, instruments=(ACME,), **options):
    return summarise_exchange(tables, instruments, 0, minutes * MINUTE, **options)


def test_a_whole_run_has_every_part():
    one = summarise(market_tables()).instruments[0]
    assert one.quotes.n_updates == 36_000
    assert one.trades.n_trades == 6_000
    assert one.depth is not None
    assert one.depth.n_snapshots == 1_800
    assert one.fundamental is not None
    assert one.returns is not None
    assert [row.horizon_ns // SECOND for row in one.returns.by_horizon] == [1, 10, 60][: len(one.returns.by_horizon)]
    assert [line.population.name for line in one.accounts] == [name for name, _, _ in POPULATIONS]
    assert one.mark_ticks == one.quotes.mid_last


def test_planted_volatility_comes_back():
    one = summarise(market_tables(seed=4)).instruments[0]
    assert one.returns is not None
    per_second = 2.2 / 10_000
    assert one.returns.main.volatility == pytest.approx(per_second * math.sqrt(60), rel=0.25)


def test_each_instrument_gets_its_own_rows():
    quotes = market_tables(minutes=4, instruments=2)["exchange/quotes"]
    both = summarise({"exchange/quotes": quotes}, 4, (ACME, Instrument("BOLT"))).instruments
    place = quotes.schema.names.index("instrument")
    for number, one in enumerate(both):
        own = quotes.filter(pc.equal(quotes["instrument"], number))
        alone = own.set_column(place, "instrument", pa.array(np.zeros(own.num_rows, dtype=np.int32)))
        expected = summarise({"exchange/quotes": alone}, 4).instruments[0]
        assert one.quotes.spread_mean == expected.quotes.spread_mean
        assert one.quotes.mid_last == expected.quotes.mid_last


@pytest.mark.parametrize("rows", [1000, 4999])
def test_streams_of_batches_give_what_tables_give(rows):
    tables = market_tables(minutes=5)
    streams = {name: iter(table.to_batches(max_chunksize=rows)) for name, table in tables.items()}
    whole, cut = summarise(tables, 5).instruments[0], summarise(streams, 5).instruments[0]
    assert whole.quotes.spread_share.tolist() == cut.quotes.spread_share.tolist()
    assert whole.trades.volume_lots == cut.trades.volume_lots
    assert whole.returns is not None
    assert cut.returns is not None
    assert np.array_equal(whole.returns.value, cut.returns.value, equal_nan=True)
    assert [line.profit for line in whole.accounts] == [line.profit for line in cut.accounts]
    assert whole.depth is not None
    assert cut.depth is not None
    assert np.array_equal(whole.depth.ask_lots, cut.depth.ask_lots)
    assert whole.fundamental is not None
    assert cut.fundamental is not None
    assert whole.fundamental.mean == pytest.approx(cut.fundamental.mean, rel=1e-12)


def test_time_stamps_may_begin_at_the_time_of_day():
    start = 34_200 * SECOND
    early, late = market_tables(minutes=3), market_tables(minutes=3, start_ns=start)
    one = summarise(early, 3).instruments[0]
    other = summarise_exchange(late, [ACME], start, start + 3 * MINUTE).instruments[0]
    assert one.returns is not None
    assert other.returns is not None
    assert np.array_equal(one.returns.value, other.returns.value, equal_nan=True)
    assert one.quotes.two_sided == other.quotes.two_sided


def test_no_tables_at_all():
    summary = summarise({}, instruments=(ACME, Instrument("BOLT")))
    assert [one.returns for one in summary.instruments] == [None, None]
    assert [one.depth for one in summary.instruments] == [None, None]
    assert [one.accounts for one in summary.instruments] == [(), ()]


def test_tables_without_rows():
    empty = {name: table.slice(0, 0) for name, table in market_tables(minutes=1).items()}
    assert summarise(empty).instruments[0].returns is None


def test_one_quote_gives_returns_of_zero():
    one = summarise({"exchange/quotes": quotes_table([(5 * SECOND, 99, 1, 101, 1)])}, 1).instruments[0]
    assert one.returns is not None
    assert one.returns.main.zero_share == 1
    assert one.returns.main.volatility == 0
    assert (one.returns.normal, one.returns.correlogram) == (None, None)


def test_a_book_of_one_side_has_no_returns_and_is_marked_at_the_last_trade():
    tables = {
        "exchange/quotes": quotes_table([(0, 99, 1, 0, 0)]),
        "exchange/trades": trades_table([(9, 99, 1, -1, 1, 1, 2)]),
    }
    one = summarise(tables).instruments[0]
    assert one.returns is None
    assert one.mark_ticks == 99


def test_a_mid_of_zero_or_less_has_no_return():
    rows = [(k * SECOND, -5 + k % 10, 1, -3 + k % 10, 1) for k in range(120)]
    one = summarise({"exchange/quotes": quotes_table(rows)}, 2, horizon_ns=SECOND).instruments[0]
    assert one.returns is not None
    assert one.returns.main.n_missing > 0


def test_horizons_grow_while_there_are_enough_returns():
    path = np.cumsum(garch(np.random.default_rng(1), 2_401, 0.001))
    found = summarise_returns(np.exp(path), SECOND)
    assert found is not None
    assert [(row.horizon_ns // SECOND, row.n) for row in found.by_horizon] == [(1, 2400), (10, 240), (60, 40)]
    assert summarise_returns(np.exp(path[:30]), SECOND) is None


def test_an_unknown_instrument_is_an_error():
    with pytest.raises(ValueError, match="instrument 1, expected numbers below 1"):
        summarise(market_tables(minutes=1, instruments=2), 1)


def test_an_end_before_the_begin_is_an_error():
    with pytest.raises(ValueError, match="expected an end after its begin"):
        summarise_exchange({}, [ACME], 5, 5)


def test_a_missing_column_is_named():
    table = market_tables(minutes=1)["exchange/quotes"].drop_columns(["ask_size_lots"])
    with pytest.raises(ValueError, match="expected also ask_size_lots"):
        summarise({"exchange/quotes": table}, 1)


def test_batches_without_rows_are_passed_over():
    batches = market_tables(minutes=1)["exchange/agents"].to_batches()
    assert len(list(read_columns([batches[0].slice(0, 0), *batches], ["agent"]))) == len(batches)


def test_the_short_table_is_json():
    rows = summary_table(summarise({}, instruments=(ACME,)))
    assert json.loads(json.dumps(rows)) == rows
    assert rows[0]["spread_mean"] is None
    assert rows[0]["volatility_bp"] is None
    full = summary_table(summarise(market_tables(minutes=2), 2))
    assert json.loads(json.dumps(full)) == full
    assert full[0]["trades"] == 400
    assert full[0]["spread_mean"] == pytest.approx(0.01 * full[0]["spread_mean_ticks"])


@pytest.mark.parametrize(("tick", "decimals"), [("0.01", 2), ("0.005", 3), ("1", 0), ("10", 0), ("0.10", 1)])
def test_prices_have_as_many_decimals_as_the_tick(tick, decimals):
    assert Instrument("X", Decimal(tick)).price_decimals == decimals


def test_an_instrument_reads_its_entry_of_the_manifest():
    entry = {"symbol": "X", "tick_size": "0.05", "lot_size": 10, "currency": "EUR", "cash_decimals": 3, "more": 1}
    assert Instrument.from_manifest(entry) == Instrument("X", Decimal("0.05"), 10, "EUR", 3)
    assert Instrument.from_manifest({"symbol": "Y"}) == Instrument("Y")
