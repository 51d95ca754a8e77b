"""Orders far from the market, far beyond the price window of a book: stub quotes, fat fingers, window edges."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.exchange import EventKind, OrderBook, OrderStatus, RejectReason, SelfTradePrevention, Side, TimeInForce
from marketsim.exchange.commands import Level
from tests.exchange.book_streams import batch, expected, fuzzed, numbered_rows, same_book
from tests.strategies import streams

BUY, SELL = Side.BUY, Side.SELL
WINDOW = 1 << 18
FURTHEST = 1 << 48


def fills(book):
    """Maker and lots of each trade since the last call."""
    log = book.events()
    is_trade = log["kind"] == EventKind.TRADE
    return list(zip(log["other_id"][is_trade].tolist(), log["size_lots"][is_trade].tolist(), strict=True))


def stubbed():
    """A market at 10,000 between stub quotes; orders 1 and 2 came first, and 3 and 4 make the market."""
    book = OrderBook()
    for side, price in ((SELL, 1_999_999_900), (BUY, -2_000_000), (BUY, 9_999), (SELL, 10_001)):
        book.submit(side, price, 10, owner=7)
    book.events()
    return book


# ---- One feature each ------------------------------------------------------------------------------------------


def test_a_stub_quote_that_comes_first_keeps_nothing_out():
    book = stubbed()
    assert (book.best(BUY), book.best(SELL)) == (Level(9_999, 10, 1), Level(10_001, 10, 1))
    assert book.levels().bids == (Level(9_999, 10, 1), Level(-2_000_000, 10, 1))
    assert book.levels().asks == (Level(10_001, 10, 1), Level(1_999_999_900, 10, 1))
    assert [order.order_id for order in book.orders(SELL)] == [4, 1]


def test_only_prices_beyond_the_furthest_are_rejected():
    book = OrderBook()
    for price in (FURTHEST, -FURTHEST, FURTHEST + 1, -FURTHEST - 1, (1 << 63) - 1, -(1 << 63)):
        book.submit(SELL if price > 0 else BUY, price, 1)
    assert [book.status(n).name for n in range(1, 7)] == ["RESTING"] * 2 + ["REJECTED"] * 4
    assert set(book.events()["other_id"].tolist()) == {0, RejectReason.PRICE_RANGE}
    book.replace(1, FURTHEST + 1, 1)
    assert book.events()["other_id"].tolist() == [RejectReason.PRICE_RANGE]
    assert book.order(1).price_ticks == FURTHEST


@pytest.mark.parametrize("market", [True, False])
def test_a_sweep_runs_on_across_the_gap(market):
    book = stubbed()
    book.submit(SELL, 5_000_000_000, 10)
    book.events()
    book.submit(BUY, 6_000_000_000, 25, market=market)
    assert fills(book) == [(4, 10), (1, 10), (5, 5)]
    assert book.levels().asks == (Level(5_000_000_000, 5, 1),)
    book.submit(SELL, -3_000_000, 25)
    assert fills(book) == [(3, 10), (2, 10)]
    assert book.best(SELL) == Level(-3_000_000, 5, 1)


def test_what_a_sweep_leaves_rests_far_beyond_all_that_it_took():
    book = stubbed()
    book.submit(BUY, 1_000_000_000, 15)
    assert fills(book) == [(4, 10)]
    assert book.levels().bids == (Level(1_000_000_000, 5, 1), Level(9_999, 10, 1), Level(-2_000_000, 10, 1))
    assert book.best(SELL) == Level(1_999_999_900, 10, 1)
    book.submit(SELL, 9_999, 20)
    assert fills(book) == [(5, 5), (3, 10)]


@pytest.mark.parametrize(
    ("size", "price", "fits"), [(20, 2_000_000_000, True), (20, 10_001, False), (21, 1 << 40, False)]
)
def test_fill_or_kill_counts_far_lots(size, price, fits):
    book = stubbed()
    order_id = book.submit(BUY, price, size, tif=TimeInForce.FOK)
    assert book.status(order_id) is (OrderStatus.FILLED if fits else OrderStatus.REJECTED)
    assert len(book) == (2 if fits else 4)


def test_post_only_sees_far_orders():
    book = stubbed()
    book.cancel(4)
    assert book.status(book.submit(BUY, 1_999_999_899, 1, post_only=True)) is OrderStatus.RESTING
    assert book.status(book.submit(BUY, 1_999_999_900, 1, post_only=True)) is OrderStatus.REJECTED


@pytest.mark.parametrize(
    ("stp", "left"), [("CANCEL_RESTING", (0, 0)), ("CANCEL_INCOMING", (2, 10)), ("DECREMENT", (1, 0))]
)
def test_self_trade_prevention_reaches_far_orders(stp, left):
    book = stubbed()
    book.cancel(4)
    book.submit(SELL, 1_999_999_950, 5, owner=8)
    order_id = book.submit(BUY, 2_000_000_000, 10, owner=7, stp=SelfTradePrevention[stp])
    asks = book.levels().asks
    assert (len(asks), sum(level.size_lots for level in asks if level.price_ticks == 1_999_999_900)) == left
    assert book.status(order_id).name == {"CANCEL_RESTING": "RESTING"}.get(stp, "CANCELLED")


def test_a_replacement_of_an_owners_order_prevents_trades_before_it_rests_far_out():
    """The message names no owner; its order has one, and what may not trade with it rests beyond the window."""
    book = OrderBook()
    book.submit(SELL, 10_001, 10, owner=7)
    book.submit(BUY, 9_999, 10, owner=7)
    book.replace(2, 1 << 40, 10, stp=SelfTradePrevention.CANCEL_RESTING)
    assert book.best(SELL) is None
    assert book.best(BUY) == Level(1 << 40, 10, 1)


def test_far_orders_are_cancelled_reduced_and_replaced_like_others():
    book = stubbed()
    book.reduce(1, 4)
    assert book.order(1).size_lots == 6
    book.replace(1, 1_999_999_900, 5)  # keeps its place
    book.submit(SELL, 1_999_999_900, 1)
    assert [order.order_id for order in book.orders(SELL)] == [4, 1, 5]
    book.replace(1, 1_999_999_900, 6)  # goes to the end
    assert [order.order_id for order in book.orders(SELL)] == [4, 5, 1]
    book.replace(1, 10_001, 6)  # comes home
    assert book.best(SELL) == Level(10_001, 16, 2)
    book.replace(4, 1 << 41, 10)  # goes out
    assert [order.order_id for order in book.orders(SELL)] == [1, 5, 4]
    book.cancel_all(7)
    assert [order.order_id for side in Side for order in book.orders(side)] == [5]
    assert book.status(2) is OrderStatus.CANCELLED


def test_a_limit_at_any_price_that_trades_whole_leaves_the_market_where_it_was():
    book = stubbed()
    for _ in range(5):
        book.submit(BUY, FURTHEST, 1)
        book.submit(SELL, -FURTHEST, 1)
    same = [order.price_ticks for side in Side for order in book.orders(side)]
    assert same == [9_999, -2_000_000, 10_001, 1_999_999_900]


# ---- The edges of the window ------------------------------------------------------------------------------------

EDGES = sorted(
    {sign * (edge + step) for sign in (1, -1) for edge in (WINDOW // 4, WINDOW // 2, WINDOW) for step in (-1, 0, 1)}
)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("first", [0, 10_000, FURTHEST - 2 * WINDOW])
def test_every_pair_of_prices_at_the_edges_of_a_window_keeps_its_order(side, first):
    for pair in itertools.permutations(EDGES, 2):
        stream = [(0, 0, int(side), first + step, size, 0, 0) for size, step in enumerate((0, *pair, 0, *pair), 1)]
        stream += [(0, 0, -int(side), 0, 9, 8, 0), (1, 5, 0, 0, 0, 0, 0)]  # a market order, a cancellation
        book, (log, oracle) = OrderBook(), expected(stream)
        assert numbered_rows(book.process(batch(stream))) == log
        same_book(book, oracle)


def test_a_market_that_walks_away_takes_its_window_along():
    """Step by step over many windows, with orders left behind at every step, and back over them."""
    steps = [20_011 * step for step in range(60)]
    stream = [(0, 0, 1, price, 1, 0, 0) for price in steps] + [(0, 0, -1, price + 7, 2, 0, 0) for price in steps[::-1]]
    book, (log, oracle) = OrderBook(), expected(stream)
    assert numbered_rows(book.process(batch(stream))) == log
    same_book(book, oracle)


# ---- Laws ---------------------------------------------------------------------------------------------------------


@given(streams, st.sampled_from([0, 10_000, 95 + WINDOW // 2, -WINDOW, 1 << 40, -FURTHEST]))
def test_where_the_window_stands_changes_nothing(stream, place):
    """An order that came and went leaves the window where it was."""
    logs = []
    for first in (100, place):
        book = OrderBook()
        book.cancel(book.submit(BUY, first, 1, order_id=1 << 50))
        book.events()
        logs.append(numbered_rows(book.process(batch(stream))))
    assert logs[0] == logs[1]


@settings(max_examples=20)
@given(st.integers(0, 1 << 30), st.sampled_from([WINDOW // 4, WINDOW, 1 << 22, FURTHEST]), st.data())
def test_long_streams_of_far_prices_across_snapshots_and_splits_give_the_lists_log(seed, spread, data):
    stream = fuzzed(seed, 250, spread)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, 250), max_size=6))), 250]
    book, log = OrderBook(capacity=1), []
    for start, end in itertools.pairwise(cuts):
        log += numbered_rows(book.process(batch(stream[start:end])))
        book = OrderBook.restore(book.snapshot())
    rows, oracle = expected(stream)
    assert log == rows
    same_book(book, oracle)


def test_a_snapshot_of_far_orders_is_the_same_wherever_the_window_was():
    here, there = OrderBook(), OrderBook()
    there.cancel(there.submit(SELL, -(1 << 40), 1, order_id=1 << 50))
    for book in (here, there):
        for price in (10_000, -(1 << 40), 400_000, 5, 10_000):
            book.submit(BUY, price, 3, owner=2)
    states = [book.snapshot() for book in (here, there, OrderBook.restore(there.snapshot()))]
    for name in ("head", "orders", "own"):
        assert all(state[name].tolist() == states[0][name].tolist() for state in states)


def test_thousands_of_far_prices_in_every_order_of_arrival():
    """More than there are gaps for: places are spread out anew, room grows, and dead prices are given up."""
    n = 1_200
    for prices in (
        [300_000 * k for k in range(n)],
        [-300_000 * k for k in range(n)],
        [10**9 * (k * 1_237 % n) for k in range(n)],
        [10**9 + (1 << 36) // (k + 1) for k in range(n)],
    ):
        book = OrderBook()
        book.submit(SELL, prices[0] - 1, 1)
        book.process(batch([(0, 0, -1, price, 1, 0, 0) for price in prices]))
        found = [order.price_ticks for order in book.orders(SELL)]
        assert found == sorted([prices[0] - 1, *prices])
        book.process(batch([(1, 2 * k, 0, 0, 0, 0, 0) for k in range(1, n // 2)]))
        book.submit(BUY, 0, n + 1, market=True)
        assert len(book) == 0
