import numpy as np
import pytest

from marketsim.analysis.columns import read_columns
from marketsim.analysis.steps import bin_edges
from marketsim.analysis.trades import MAX_SHOWN, TRADE_COLUMNS, TradeMeter, order_signs
from tests.analysis.synthetic import market_tables, trades_table

SESSION = [
    # time, price, size, side, order, taker, maker
    (5, 100, 3, 1, 7, 1, 2),
    (5, 101, 2, 1, 7, 1, 3),
    (40, 99, 4, -1, 8, 2, 1),
    (95, 103, 1, 1, 9, 3, 5),
]


def measure(table, end=100, batches=None):
    meter = TradeMeter(bin_edges(0, end, 10))
    for columns in read_columns(table.to_batches(max_chunksize=batches), TRADE_COLUMNS):
        meter.add(columns)
    return meter.result()


def test_an_order_that_fills_in_pieces_has_one_sign():
    order = np.array([7, 7, 9, 8, 8, 8, 9])
    side = np.array([1, 1, -1, 1, 1, 1, -1])
    assert order_signs(order, side).tolist() == [1, -1, 1, -1]
    assert order_signs(order[:0], side[:0]).tolist() == []


@pytest.mark.parametrize("rows", [None, 1, 2, 3])
def test_a_session_by_hand_in_batches_of_any_size(rows):
    found = measure(trades_table(SESSION), batches=rows)
    assert (found.n_trades, found.n_aggressive_orders) == (4, 3)
    assert (found.volume_lots, found.buy_volume_lots) == (10, 6)
    assert found.mean_price_ticks == (300 + 202 + 396 + 103) / 10
    assert (found.first_ticks, found.last_ticks, found.low_ticks, found.high_ticks) == (100, 103, 99, 103)
    assert found.bought_lots.tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found.sold_lots.tolist() == [0, 0, 0, 0, 4, 0, 0, 0, 0, 0]
    assert found.taken_by.tolist() == [0, 5, 4, 1]
    assert found.made_by.tolist() == [0, 4, 3, 2, 0, 1]
    assert found.shown_price_ticks.tolist() == [100, 101, 99, 103]
    assert found.shown_every == 1


def test_a_trade_at_the_very_end_falls_into_the_last_bin():
    found = measure(trades_table([(100, 50, 2, -1, 1, 1, 2)]))
    assert found.sold_lots.tolist() == [0] * 9 + [2]


@pytest.mark.parametrize("rows", [None, 7, 1000, 4096])
def test_drawings_get_evenly_spaced_trades_whatever_the_batches(rows):
    n = 3 * MAX_SHOWN + 5
    session = [(k, k, 1, 1, k, 1, 2) for k in range(n)]
    found = measure(trades_table(session), end=n, batches=rows)
    assert found.shown_every == 4
    assert found.shown_price_ticks.tolist() == list(range(0, n, 4))


def test_persistent_buying_shows_in_the_signs():
    found = measure(market_tables(minutes=10)["exchange/trades"], end=600 * 10**9)
    assert found.signs is not None
    assert found.signs.value[0] > 0.5


def test_signs_of_one_side_alone_have_no_autocorrelation():
    assert measure(trades_table([(k, 10, 1, 1, k, 1, 2) for k in range(50)])).signs is None


def test_without_trades_everything_is_zero_or_missing():
    found = measure(trades_table([]))
    assert (found.n_trades, found.volume_lots, found.n_aggressive_orders, found.signs) == (0, 0, 0, None)
    assert np.isnan([found.mean_price_ticks, found.low_ticks, found.last_ticks]).all()
    assert len(found.shown_time_ns) == 0
