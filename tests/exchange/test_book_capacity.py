"""Books that are too small: every kernel stops before it changes anything, and goes on when there is room."""

import numpy as np
import pytest

from marketsim.exchange import EventKind, OrderBook, OrderStatus, SelfTradePrevention, Side, TimeInForce
from marketsim.exchange.codes import (
    FIRST_SLOT,
    M_OWNER,
    M_PRICE,
    STOP_IDS_FULL,
    STOP_LOG_FULL,
    STOP_NONE,
    STOP_ORDERS_FULL,
    STOP_OWNERS_FULL,
    STOP_REBASE,
)
from marketsim.exchange.kernel.batch import run_batch, run_plain_batch
from marketsim.exchange.kernel.layout import N_RESTING, STOP
from marketsim.exchange.storage import BookStorage, EventLog
from tests.exchange.book_streams import batch, fuzzed

BUY = Side.BUY
EVERY_STOP = {STOP_LOG_FULL, STOP_ORDERS_FULL, STOP_IDS_FULL, STOP_OWNERS_FULL, STOP_REBASE}


def small():
    return BookStorage(EventLog(1), orders=1, numbers=2, owners=1)


def roomy():
    return BookStorage(EventLog(1 << 16), orders=1 << 12, numbers=1 << 12, owners=1 << 4)


def columns_of(stream):
    return np.ascontiguousarray(np.array(stream, np.int64).T)


def state_of(storage):
    parts = {**storage.snapshot(), "log": storage.log.rows(), "cursor": storage.log.cursor}
    return {name: array.tolist() for name, array in parts.items()}


def carried_out(storage, columns, run, stop_seen):
    """Let a kernel carry out messages one by one; check that each stop leaves everything as it was."""
    header = storage.book.header
    for i in range(columns.shape[1]):
        while True:
            before = state_of(storage)
            run(storage.handle, columns, i)
            if header[STOP] == STOP_NONE:
                break
            assert state_of(storage) == before
            stop_seen.add(int(header[STOP]))
            storage.relieve(int(header[STOP]), int(columns[M_PRICE, i]), int(columns[M_OWNER, i]))
        assert storage.log.cursor[1] == i + 1
    return state_of(storage)


def full(handle, columns, i):
    run_batch(handle, columns, i, i + 1)


def plain(handle, columns, i):
    run_plain_batch(handle, columns, i, i + 1)


@pytest.mark.parametrize("spread", [4, 1 << 24])
def test_a_kernel_that_lacks_something_changes_nothing_and_goes_on_later(spread):
    columns, seen = columns_of(fuzzed(11, 150, spread)), set()
    assert carried_out(small(), columns, full, seen) == carried_out(roomy(), columns, full, set())
    assert seen == EVERY_STOP if spread > 4 else seen >= EVERY_STOP - {STOP_REBASE}


def call(book, kind, order_id, side, price, size, flags, owner):
    """One message by the method for it; False where there is none."""
    stp = SelfTradePrevention(flags & 112)
    if kind == 0:
        kinds = {"tif": TimeInForce(flags & 3), "post_only": bool(flags & 4), "market": bool(flags & 8)}
        book.submit(Side(side), price, size, order_id or None, owner=owner, stp=stp, **kinds)
    elif kind == 3:
        book.replace(order_id, price, size, post_only=bool(flags & 4), stp=stp)
    elif kind in (1, 2, 4):
        {1: book.cancel, 2: book.reduce, 4: book.cancel_all}[kind](
            *{1: (order_id,), 2: (order_id, size), 4: (owner,)}[kind]
        )
    return kind in range(5)


@pytest.mark.parametrize("spread", [4, 1 << 24])
def test_single_messages_to_a_small_book_give_the_log_of_a_batch_to_a_large_one(spread):
    small_book, sent = OrderBook(capacity=1), []
    for kind, order_id, side, price, size, flags, owner in fuzzed(12, 400, spread):
        if flags < 128 and call(small_book, kind, order_id, side, price, size, flags, owner):
            bare = kind in (1, 2, 4)
            message = (kind, order_id if kind != 4 else 0, side * (kind == 0), 0 if bare else price)
            sent.append((*message, 0 if kind in (1, 4) else size, 0 if bare else flags, owner * (kind in (0, 4))))
    log, whole = small_book.events(), OrderBook(capacity=1 << 12).process(batch(sent))
    assert {name: column.tolist() for name, column in log.items()} == {n: c.tolist() for n, c in whole.items()}


def test_the_plain_kernel_stops_likewise():
    stream = [
        (0, 0, side, price, 1, 0, 0) for price in range(40) for side, price in ((1, -price), (-1, 10**6 * price + 1))
    ]
    stream += [(1, number, 0, 0, 0, 0, 0) for number in range(1, 60)] + [(0, 0, 1, 5 * 10**7, 9, 0, 0)]
    columns, seen = columns_of(stream), set()
    assert carried_out(small(), columns, plain, seen) == carried_out(roomy(), columns, full, set())
    assert seen == EVERY_STOP - {STOP_OWNERS_FULL}


def test_callers_ids_fill_the_map_of_ids():
    storage, seen = small(), set()
    columns = columns_of([(0, 10**9 + 7 * k, 1, 100 - k, 1, 0, 0) for k in range(500)])
    carried_out(storage, columns, full, seen)
    assert STOP_IDS_FULL in seen
    assert len(storage.live_slots()) == storage.book.header[N_RESTING] == 500
    assert len(storage.book.orders) - FIRST_SLOT < 2_000


def test_an_unknown_stop_is_an_error():
    with pytest.raises(ValueError, match="stop must be a STOP_ code other than STOP_NONE; found 0"):
        small().relieve(STOP_NONE)


# ---- Much at once -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", [0, 3])
def test_one_order_sweeps_five_thousand(owner):
    """Queues of ten on 500 levels; prevention of self-trades takes them out instead, in the same order."""
    n = 5_000
    book = OrderBook(capacity=1)
    makers = book.process(batch([(0, 0, -1, 100 + k // 10, 1 + k % 3, 0, owner) for k in range(n)]))
    lots = int(makers["size_lots"].sum())
    taker = book.submit(BUY, 100 + n, lots + 5, owner=owner, stp=SelfTradePrevention.CANCEL_RESTING)
    log = book.events()
    kind = EventKind.CANCELLED if owner else EventKind.TRADE
    taken = log["kind"] == kind
    assert int(taken.sum()) == n == len(log["kind"]) - 1
    assert log["order_id" if owner else "other_id"][taken].tolist() == makers["order_id"].tolist()
    assert int(log["size_lots"][taken].sum()) == lots
    assert {book.status(k) for k in range(1, n + 1)} == {OrderStatus.CANCELLED if owner else OrderStatus.FILLED}
    assert book.order(taker).size_lots == (lots + 5 if owner else 5)
    assert len(book) == 1


def test_a_hundred_thousand_orders_on_one_level_keep_their_queue():
    n = 100_000
    book = OrderBook(capacity=1)
    ones = np.ones(n, np.int64)
    book.process({"side": ones, "price_ticks": 100 * ones, "size_lots": 2 * ones, "owner": np.arange(n) % 50})
    gone = np.random.default_rng(5).permutation(n)[: n // 3] + 1
    book.process({"kind": np.ones(len(gone), np.int64), "order_id": gone})
    left = np.setdiff1d(np.arange(1, n + 1), gone)
    assert [order.order_id for order in book.orders(BUY)] == left.tolist()
    assert book.best(BUY) == (100, 2 * len(left), len(left))
    sold = book.process({"side": [-1], "price_ticks": [100], "size_lots": [len(left) + 1]})
    trades = sold["kind"] == EventKind.TRADE
    assert sold["other_id"][trades].tolist() == left[: len(left) // 2 + 1].tolist()
    assert [order.order_id for order in book.orders(BUY)] == left[len(left) // 2 + len(left) % 2 :].tolist()
    twin = OrderBook.restore(book.snapshot())
    assert twin.orders(BUY) == book.orders(BUY)
    book.cancel_all(7)
    assert {order.owner for order in book.orders(BUY)} == set(range(50)) - {7}
