"""What ``OrderBook`` takes for an integer, and what it says of anything else."""

import numpy as np
import pytest

from marketsim.exchange import OrderBook, Side, TimeInForce

NAMES = ("side", "price_ticks", "size_lots", "order_id", "owner")


class Number:
    """Any object that Python takes for an index."""

    def __index__(self):
        return 7


@pytest.mark.parametrize("seven", [7, np.int64(7), np.int32(7), np.uint8(7), Number()])
def test_any_integer_is_a_number(seven):
    book = OrderBook()
    assert book.submit(Side.BUY, seven, seven, order_id=seven, owner=seven) == 7
    order = book.order(7)
    assert (order.price_ticks, order.size_lots, order.owner) == (7, 7, 7)
    book.reduce(seven, by_lots=Number())
    assert len(book) == 0


@pytest.mark.parametrize("side", [1, np.int8(1), True, Side.BUY])
def test_a_side_is_plus_or_minus_one_however_it_is_written(side):
    book = OrderBook()
    book.submit(side, 99, 5)
    assert book.best(Side.BUY).price_ticks == 99


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [1.0, 0.0, "1", 1 << 63, -(1 << 63) - 1, np.float64(1), [1]])
def test_anything_else_is_an_error_and_leaves_the_book_as_it_was(name, value):
    book = OrderBook()
    book.submit(Side.BUY, 99, 5)
    before = book.snapshot()
    arguments = {"side": Side.BUY, "price_ticks": 98, "size_lots": 5} | {name: value}
    with pytest.raises(ValueError, match="a message consists of integers of 64 bits"):
        book.submit(**arguments)
    with pytest.raises(ValueError, match="a message consists of integers of 64 bits"):
        book.replace(1, value, 5)
    after = book.snapshot()
    assert all(np.array_equal(before[key], after[key]) for key in before)
    assert book.submit(Side.BUY, 98, 5) == 2


def test_the_largest_and_smallest_integers_are_messages_like_others():
    book = OrderBook()
    for word in ((1 << 63) - 1, -(1 << 63)):
        number = book.submit(Side.SELL, word, 5)
        assert book.status(number).name == "REJECTED"
        assert book.submit(word, 99, 5, tif=TimeInForce.IOC) == number + 1


def test_a_growing_book_numbers_orders_one_by_one():
    book = OrderBook(capacity=1)
    assert [book.submit(Side.BUY, price, 1) for price in range(1, 6000)] == list(range(1, 6000))
    assert len(book) == 5999
