"""The LOBSTER export of an order flow replays to the very book that the engine had."""

import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from marketsim.core.venue import Stop
from marketsim.exchange.book import OrderBook
from marketsim.exchange.codes import EventKind, MessageKind, OrderFlag
from marketsim.exchange.engine import Exchange
from marketsim.exchange.lobster import export_lobster, read_book, read_messages
from marketsim.exchange.replay import replay_messages
from tests.exchange.markets import SECOND, crowd
from tests.oracles.level_book import replayed

SECOND_PER_MESSAGE = 10**9
STP = [OrderFlag.STP_CANCEL_RESTING, OrderFlag.STP_CANCEL_INCOMING, OrderFlag.STP_DECREMENT]
FLAGS = [0, 0, 0, OrderFlag.IOC, OrderFlag.FOK, OrderFlag.POST_ONLY, OrderFlag.MARKET, *STP]


def random_message(chance, n):
    """A message of any kind, for live orders, dead ones and ones that never were."""
    kind = chance.choices(list(MessageKind), weights=[10, 3, 2, 4, 0.2, 1])[0]
    own = kind == MessageKind.CANCEL_OWN
    return {
        "kind": kind,
        "order_id": 0 if kind == MessageKind.ADD else chance.randint(0 if own else 1, 3 if own else max(n, 1)),
        "side": chance.choice([1, -1]),
        "price_ticks": chance.randint(90, 110),
        "size_lots": chance.randint(1, 9),
        "flags": chance.choice(FLAGS if kind == MessageKind.ADD else [0, *STP] if kind == MessageKind.REPLACE else [0]),
        "owner": chance.choice([0, 1, 2]),
    }


def tables_of(log):
    """The tables that a run would write of an event log, one second a message."""
    events = pd.DataFrame(log)
    events["time_ns"] = events.message * SECOND_PER_MESSAGE
    is_trade = events.kind == EventKind.TRADE
    names = {
        "order_id": "taker_order_id",
        "other_id": "maker_order_id",
        "side": "taker_side",
        "left_lots": "maker_left_lots",
    }
    return events[~is_trade].rename(columns={"kind": "event"}), events[is_trade].rename(columns=names)


def traded_stream(n, seed):
    """The tables of a random stream, and the five best levels of the engine after each message."""
    chance, book, logs, depths = random.Random(seed), OrderBook(), [], []
    for number in range(n):
        message = random_message(chance, number)
        logs.append(book.process({name: [int(value)] for name, value in message.items()}))
        depths.append(book_row(book.levels(5)))
    log = {name: np.concatenate([one[name] for one in logs]) for name in logs[0]}
    return *tables_of(log), depths


def book_row(depth, tick=100, levels=5):
    row = [9_999_999_999, 0, -9_999_999_999, 0] * levels
    for place, side in ((0, depth.asks), (2, depth.bids)):
        for level, (price, size, _) in enumerate(side):
            row[4 * level + place : 4 * level + place + 2] = [price * tick, size]
    return row


def export(folder, messages, trades, tick_size="0.01", levels=5, **options):
    return export_lobster(messages, trades, tick_size, folder, "ACME", levels, **options)


@pytest.mark.parametrize("seed", range(6))
def test_every_kind_of_message_exports_to_the_book_that_the_engine_had(tmp_path, seed):
    messages, trades, depths = traded_stream(400, seed)
    paths = export(tmp_path, messages, trades)
    written, books = read_messages(paths[0]), read_book(paths[1]).values.tolist()
    last = dict(zip((written.time_ns // SECOND_PER_MESSAGE).tolist(), books, strict=True))
    before = [9_999_999_999, 0, -9_999_999_999, 0] * 5
    for number, depth in enumerate(depths):
        before = last.get(number, before)  # a message without a row changed nothing
        assert before == depth
    assert len(trades) == (written.kind == 4).sum() > 20
    assert set(written.kind.tolist()) == {1, 2, 3, 4}


@pytest.mark.parametrize("seed", range(6))
def test_an_export_replays_to_the_same_book_in_every_row(tmp_path, seed):
    messages, trades, _ = traded_stream(400, seed)
    found = replay_messages(*export(tmp_path, messages, trades))
    assert found.one_step.share == 1
    assert [level.share for level in found.cumulative] == [1] * 5
    # of what rests in the first row the id is not asked for: only that order can be unknown
    assert (found.counts.nowhere, found.counts.gone, found.counts.refused) == (0, 0, 0)


def test_an_export_agrees_with_a_dict_of_levels(tmp_path):
    messages, trades, _ = traded_stream(400, seed=9)
    paths = export(tmp_path, messages, trades)
    written = read_messages(paths[0])
    columns = (written.kind, written.size, written.price, written.direction)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert read_book(paths[1]).values.tolist() == replayed(rows, 5)


def rows_of(*steps):
    """Rows (type, id, lots, price, direction) that a few calls of a book export to."""
    from marketsim.exchange.lobster.export import lobster_rows

    book = OrderBook()
    for step in steps:
        step(book)
    return [row[1:] for row in lobster_rows(*tables_of(book.events()))]


def test_an_order_that_trades_and_rests_is_its_trades_and_then_what_rests():
    assert rows_of(lambda book: book.submit(-1, 101, 5), lambda book: book.submit(1, 102, 8)) == [
        (1, 1, 5, 101, -1),
        (4, 1, 5, 101, -1),
        (1, 2, 3, 102, 1),
    ]


def test_a_replacement_that_keeps_its_place_is_a_reduction():
    assert rows_of(lambda book: book.submit(1, 99, 5), lambda book: book.replace(1, 99, 2)) == [
        (1, 1, 5, 99, 1),
        (2, 1, 3, 99, 1),
    ]


def test_a_replacement_that_changes_nothing_is_no_row():
    assert rows_of(lambda book: book.submit(1, 99, 5), lambda book: book.replace(1, 99, 5)) == [(1, 1, 5, 99, 1)]


def test_a_replacement_that_moves_is_a_deletion_before_its_trades_and_a_new_order():
    steps = [
        lambda book: book.submit(1, 99, 5),
        lambda book: book.submit(-1, 101, 2),
        lambda book: book.replace(1, 101, 6),
    ]
    assert rows_of(*steps) == [
        (1, 1, 5, 99, 1),
        (1, 2, 2, 101, -1),
        (3, 1, 5, 99, 1),
        (4, 2, 2, 101, -1),
        (1, 1, 4, 101, 1),
    ]


def test_what_is_refused_or_never_rests_leaves_no_row():
    assert rows_of(
        lambda book: book.submit(1, 99, 5),
        lambda book: book.submit(1, 99, 0),
        lambda book: book.submit(-1, 99, 5, post_only=True),
        lambda book: book.submit(1, 99, 5, market=True),
        lambda book: book.cancel(77),
        lambda book: book.replace(1, 99, -3),
        lambda book: book.cancel(1),
    ) == [(1, 1, 5, 99, 1), (3, 1, 5, 99, 1)]


def test_a_run_of_the_exchange_exports_each_instrument_with_its_own_tick(tmp_path):
    exchange = Exchange(crowd("3ms"), seed=5, duration_ns=20 * SECOND)
    batches = {}
    while True:
        stop = exchange.advance(20 * SECOND, False)
        for name, batch in exchange.tables():
            batches.setdefault(name, []).append(batch)
        exchange.notices()
        if stop == Stop.HORIZON:
            break
    for number, tick_size, units in ((0, "0.01", 100), (1, "0.5", 5000)):
        flow = []
        for name in ("exchange/messages", "exchange/trades"):
            table = pa.Table.from_batches(batches[name])
            flow.append(table.filter(pa.compute.equal(table["instrument"], number)))
        paths = export(tmp_path / str(number), *flow, tick_size=tick_size, levels=10, start_ns=34_200 * SECOND)
        found = replay_messages(*paths)
        assert found.one_step.share == 1
        assert {level.share for level in found.cumulative} == {1}
        written = read_messages(paths[0])
        assert not (written.price % units).any()
        assert written.time_ns[0] >= 34_200 * SECOND
        assert found.types[4] == len(flow[1]) > 10


def test_files_are_named_after_symbol_and_levels(tmp_path):
    messages, trades, _ = traded_stream(50, seed=1)
    assert export(tmp_path / "new" / "folder", messages, trades, levels=3) == (
        tmp_path / "new" / "folder" / "ACME_message_3.csv",
        tmp_path / "new" / "folder" / "ACME_orderbook_3.csv",
    )


def test_a_tick_finer_than_lobster_has_is_refused(tmp_path):
    messages, trades, _ = traded_stream(50, seed=1)
    for tick_size in ("0.00001", "0.00015"):
        with pytest.raises(ValueError, match=f"found the tick size {tick_size}, expected a multiple of 0.0001"):
            export(tmp_path, messages, trades, tick_size=tick_size)


def test_a_flow_without_orders_is_refused(tmp_path):
    messages, trades, _ = traded_stream(50, seed=1)
    with pytest.raises(ValueError, match="no order of ACME ever rested"):
        export(tmp_path, messages[:0], trades[:0])


def test_tables_that_lack_their_beginning_are_refused(tmp_path):
    messages, trades, _ = traded_stream(400, seed=1)
    with pytest.raises(ValueError, match="the tables of ACME do not begin with an empty book, or rows are missing"):
        export(tmp_path, messages[messages.message > 200], trades[trades.message > 200])
