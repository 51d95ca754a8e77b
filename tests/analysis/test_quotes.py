import numpy as np
import pytest

from marketsim.analysis.columns import read_columns
from marketsim.analysis.quotes import QUOTE_COLUMNS, QuoteMeter, mid_price, quoted_spread
from marketsim.analysis.steps import bin_edges
from tests.analysis.synthetic import market_tables, quotes_table

SESSION = [
    (10, 100, 5, 102, 5),  # spread 2 for 20
    (30, 100, 5, 106, 1),  # spread 6 for 10
    (40, 0, 0, 106, 1),  # no bids for 25
    (65, 99, 2, 0, 0),  # no asks for 5
    (70, 99, 2, 103, 4),  # spread 4 for 30
]


def measure(table, begin=0, end=100, grid=(0, 10, 39, 40, 100), batches=None):
    meter = QuoteMeter(begin, end, np.array(grid), bin_edges(begin, end, 10))
    for columns in read_columns(table.to_batches(max_chunksize=batches), QUOTE_COLUMNS):
        meter.add(columns)
    return meter.result()


def test_mid_and_spread_need_two_sides():
    sides = (np.array([100, 100, 0]), np.array([5, 5, 0]), np.array([103, 0, 103]), np.array([2, 0, 2]))
    assert np.array_equal(mid_price(*sides), [101.5, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(quoted_spread(*sides), [3.0, np.nan, np.nan], equal_nan=True)


def test_a_session_by_hand():
    found = measure(quotes_table(SESSION))
    assert found.n_updates == 5
    assert (found.two_sided, found.bid_only, found.ask_only, found.empty) == (0.6, 0.05, 0.25, 0.1)
    assert found.spread_mean == pytest.approx((2 * 20 + 6 * 10 + 4 * 30) / 60)
    assert found.spread_median == 4
    assert found.spread_level.tolist() == [2, 4, 6]
    assert found.spread_share.tolist() == pytest.approx([20 / 60, 30 / 60, 10 / 60])
    mid = (101 * 20 + 103 * 10 + 101 * 30) / 60
    assert found.mid_mean == pytest.approx(mid)
    assert found.spread_mean_bp == pytest.approx(1e4 * found.spread_mean / mid)
    assert (found.mid_first, found.mid_last) == (101, 101)
    assert np.array_equal(found.grid_mid, [np.nan, 101, 103, np.nan, 101], equal_nan=True)


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_reading_in_batches_changes_nothing(rows):
    whole, cut = measure(quotes_table(SESSION)), measure(quotes_table(SESSION), batches=rows)
    assert (whole.spread_mean, whole.two_sided, whole.mid_mean) == (cut.spread_mean, cut.two_sided, cut.mid_mean)
    assert np.array_equal(whole.mid.mean, cut.mid.mean, equal_nan=True)
    assert np.array_equal(whole.spread.high, cut.spread.high, equal_nan=True)
    assert np.array_equal(whole.grid_mid, cut.grid_mid, equal_nan=True)


def test_a_long_session_in_batches_is_the_same_within_rounding():
    table = market_tables(minutes=2)["exchange/quotes"]
    end = 120 * 10**9
    whole, cut = measure(table, end=end), measure(table, end=end, batches=97)
    assert whole.spread_share.tolist() == cut.spread_share.tolist()
    assert whole.mid.mean == pytest.approx(cut.mid.mean, rel=1e-12, nan_ok=True)


def test_quotes_after_the_end_do_not_count():
    found = measure(quotes_table([*SESSION, (100, 99, 2, 150, 4), (140, 99, 2, 199, 4)]))
    assert found.spread_level.tolist() == [2, 4, 6]
    assert found.two_sided == 0.6


def test_without_quotes_the_book_counts_as_empty():
    found = measure(quotes_table([]))
    assert (found.empty, found.two_sided, found.n_updates) == (1.0, 0.0, 0)
    assert np.isnan([found.spread_mean, found.spread_median, found.mid_first, found.mid_last]).all()


def test_one_quote_holds_to_the_end():
    found = measure(quotes_table([(50, 10, 1, 13, 1)]))
    assert (found.spread_mean, found.spread_median, found.mid_first, found.mid_last) == (3, 3, 11.5, 11.5)
    assert (found.two_sided, found.empty) == (0.5, 0.5)


def test_a_book_with_one_side_has_no_spread():
    found = measure(quotes_table([(0, 10, 1, 0, 0), (50, 11, 1, 0, 0)]))
    assert (found.bid_only, found.two_sided) == (1.0, 0.0)
    assert np.isnan([found.spread_mean, found.mid_last]).all()
