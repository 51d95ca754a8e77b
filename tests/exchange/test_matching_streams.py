"""Thirteen order streams with the actions that price-time priority demands; ``data_dir / "matching"`` has them.

Order: ``I,ticker,A(dd)|C(ancel),B|S,shares,price,order id``. Action: ``number of the order's row,
BOOKED_BUY|BOOKED_SELL|EXECUTE|CANCEL_BUY|CANCEL_SELL,resting order's id,price,shares``.
"""

import csv

import pytest

from marketsim.exchange import EventKind, OrderBook, Side

SIDES = {"B": Side.BUY, "S": Side.SELL}


def actions(orders):
    book, found = OrderBook(), []
    for number, (_, _, what, side, shares, price, order_id) in enumerate(orders):
        if what == "A":
            book.submit(SIDES[side], int(price), int(shares), int(order_id))
        else:
            book.cancel(int(order_id))
        word = "BUY" if side == "B" else "SELL"
        log = book.events()
        names = ("kind", "order_id", "other_id", "price_ticks", "size_lots", "left_lots")
        for kind, own, other, at, lots, left in zip(*(log[name].tolist() for name in names), strict=True):
            if kind == EventKind.TRADE:
                found.append([number, "EXECUTE", other, at, lots])
            elif kind == EventKind.ACCEPTED and left:
                found.append([number, f"BOOKED_{word}", own, at, left])
            elif kind == EventKind.CANCELLED:
                found.append([number, f"CANCEL_{word}", own, at, lots])
    return found


def read(path):
    with path.open(newline="") as file:
        return [row for row in csv.reader(file) if row]


@pytest.mark.parametrize("number", range(13))
def test_the_book_does_what_the_stream_expects(data_dir, number):
    folder = data_dir / "matching"
    expected = [
        [int(row), what, *map(int, rest)] for row, what, *rest in read(folder / f"test{number}_actions_expected.csv")
    ]
    assert actions(read(folder / f"test{number}_orders.csv")) == expected
