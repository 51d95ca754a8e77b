"""The book against one that is a flat list: every feature, the whole log, levels, queues and statuses."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from marketsim.exchange import OrderBook, OrderStatus, Side
from marketsim.exchange.book import EVENT_COLUMNS
from tests.exchange.book_streams import batch, expected, numbered_rows, same_book
from tests.oracles.list_book import ListBook
from tests.strategies import messages, plain_streams, prices, streams

BUY, SELL = Side.BUY, Side.SELL


def rows(log):
    """Events without the number of their message."""
    return list(zip(*(log[name].tolist() for name in EVENT_COLUMNS[1:]), strict=True))


class BookMachine(RuleBasedStateMachine):
    """Book and list hear the same messages, one at a time and in batches, across snapshots."""

    def __init__(self):
        super().__init__()
        self.book, self.oracle, self.ids = OrderBook(capacity=1), ListBook(), set()
        self.n_messages = 0

    @rule(stream=st.lists(messages(), min_size=1, max_size=8))
    def many(self, stream):
        assert rows(self.book.process(batch(stream))) == [row for m in stream for row in self.oracle.apply(*m)]

    @rule(message=messages())
    def one(self, message):
        assert rows(self.book.process(batch([message]))) == self.oracle.apply(*message)
        self.ids.add(message[1])

    @rule(side=st.sampled_from([BUY, SELL]), price=prices, size=st.integers(1, 9), owner=st.integers(0, 3))
    def submit(self, side, price, size, owner):
        order_id = self.book.submit(side, price, size, owner=owner)
        log = rows(self.book.events())
        assert log == self.oracle.apply(0, 0, side, price, size, 0, owner)
        assert order_id == log[-1][1]
        self.ids.add(order_id)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), by=st.integers(1, 5))
    def reduce(self, data, by):
        order_id = data.draw(st.sampled_from(sorted(self.ids)))
        self.book.reduce(order_id, by)
        assert rows(self.book.events()) == self.oracle.apply(2, order_id, 0, 0, by, 0, 0)

    @rule()
    def snapshot(self):
        self.book = OrderBook.restore(self.book.snapshot())

    @invariant()
    def books_are_the_same(self):
        same_book(self.book, self.oracle)
        assert len(self.book) == len(self.oracle.resting)

    @invariant()
    def book_is_not_crossed(self):
        bid, ask = self.book.best(BUY), self.book.best(SELL)
        assert bid is None or ask is None or bid.price_ticks < ask.price_ticks


TestBook = BookMachine.TestCase
TestBook.settings = settings(max_examples=60, stateful_step_count=25)


@pytest.mark.slow
class TestBookLonger(BookMachine.TestCase):
    settings = settings(max_examples=1_500, stateful_step_count=50)


@given(streams)
def test_the_log_is_the_lists_log_row_for_row(stream):
    book, (log, oracle) = OrderBook(capacity=1), expected(stream)
    assert numbered_rows(book.process(batch(stream))) == log
    same_book(book, oracle)
    for order_id in {row[2] for row in log if row[2] > 0}:
        assert book.status(order_id) == OrderStatus(oracle.status(order_id))


@given(streams, st.lists(st.integers(0, 60)))
def test_any_split_of_a_batch_gives_the_same_log(stream, cuts):
    whole, parts = OrderBook(), OrderBook(capacity=1)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    log = [row for a, b in itertools.pairwise(places) for row in numbered_rows(parts.process(batch(stream[a:b])))]
    assert log == numbered_rows(whole.process(batch(stream)))


adds = st.tuples(st.just(0), st.just(0), st.sampled_from([1, -1]), prices, st.integers(0, 9), st.just(0), st.just(0))
cancels = st.tuples(st.just(1), st.integers(0, 40), st.just(0), st.just(0), st.just(0), st.just(0), st.just(0))


@given(st.lists(adds | cancels, max_size=80), st.booleans())
def test_a_stream_without_features_gives_the_same_log(stream, numbered):
    """It runs through a kernel of its own, which knows neither owners nor callers' ids."""
    if numbered:
        numbers = iter(range(1, 100))
        stream = [
            (0, next(numbers), *rest) if kind == 0 else (kind, order_id, *rest) for kind, order_id, *rest in stream
        ]
    book, (log, oracle) = OrderBook(capacity=1), expected(stream)
    assert numbered_rows(book.process(batch(stream))) == log
    same_book(book, oracle)


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.integers(0, 4),
    st.integers(-2, 2),
    st.sampled_from([100, 101]),
)
def test_a_replacement_keeps_its_place_only_at_its_price_and_without_growing(sizes, place, growth, price):
    order_id = place % len(sizes) + 1
    stream = [(0, 0, 1, 100, size, 0, 0) for size in sizes]
    stream += [(3, order_id, 0, price, max(sizes[order_id - 1] + growth, 1), 0, 0), (0, 0, -1, 100, 3, 0, 0)]
    book, (log, oracle) = OrderBook(), expected(stream)
    assert numbered_rows(book.process(batch(stream))) == log
    same_book(book, oracle)


@given(plain_streams)
def test_mirrored_messages_give_the_mirrored_log(stream):
    mirrored = [(kind, order_id, -side, -price, size, *rest) for kind, order_id, side, price, size, *rest in stream]
    log = rows(OrderBook().process(batch(stream)))
    mirror = rows(OrderBook().process(batch(mirrored)))
    assert [(k, o, m, -side, -price, *rest) for k, o, m, side, price, *rest in mirror] == log


@given(plain_streams, st.integers(-(1 << 40), 1 << 40))
def test_shifted_prices_give_the_shifted_log(stream, shift):
    moved = [(kind, order_id, side, price + shift, *rest) for kind, order_id, side, price, *rest in stream]
    log = OrderBook().process(batch(stream))
    other = OrderBook().process(batch(moved))
    is_priced = log["price_ticks"] != 0  # market orders log no price
    assert (other["price_ticks"] - log["price_ticks"])[is_priced].tolist() == [shift] * int(is_priced.sum())
    for name in set(EVENT_COLUMNS) - {"price_ticks"}:
        assert other[name].tolist() == log[name].tolist()


@given(plain_streams)
def test_relabelled_ids_give_the_relabelled_log(stream):
    def label(order_id):
        return (1 << 40) + order_id if order_id > 0 else order_id

    numbers = iter(range(1, 100))
    named = [
        (kind, label(next(numbers) if kind == 0 else order_id) if kind != 5 else order_id, *rest)
        for kind, order_id, *rest in stream
    ]
    log, other = (rows(OrderBook().process(batch(some))) for some in (stream, named))
    is_rejected = [row[0] == 7 for row in log]
    expected_log = [
        (row[0], label(row[1]), row[2] if rejected else label(row[2]), *row[3:])
        for row, rejected in zip(log, is_rejected, strict=True)
    ]
    assert other == expected_log
