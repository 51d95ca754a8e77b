"""Looks at a book from Python that change nothing."""

import numpy as np

from marketsim.core.jit import kernel
from marketsim.exchange.kernel.index import find, order_status
from marketsim.exchange.kernel.layout import (
    BEST,
    L_COUNT,
    L_SIZE,
    NO_LEVEL,
    NO_SLOT,
    O_LEVEL,
    O_OWNER,
    O_SIZE,
    book_at,
)
from marketsim.exchange.kernel.levels import next_level, price_of, side_of


@kernel
def status_of(handle, order_id):
    """Status code of an order."""
    return order_status(book_at(handle), order_id)


@kernel
def depth_of(handle, side, rows):
    """Write price, lots and orders of the best levels of a side (0: buys) into int64[n, 3]; return how many."""
    book, n = book_at(handle), 0
    level = np.uint64(book.header[BEST + side])
    while level != NO_LEVEL and n < rows.shape[0]:
        rows[n, 0], rows[n, 1], rows[n, 2] = (
            price_of(book, level),
            book.levels[level, L_SIZE],
            book.levels[level, L_COUNT],
        )
        level = next_level(book, level)
        n += 1
    return n


@kernel
def order_of(handle, order_id, row):
    """Write id, owner, side, price and lots of a resting order into int64[5]; return whether it rests."""
    book = book_at(handle)
    slot = find(book, order_id)
    if slot == NO_SLOT:
        return False
    level = np.uint64(book.orders[slot, O_LEVEL])
    row[0], row[1], row[2] = order_id, book.orders[slot, O_OWNER], 1 - 2 * side_of(level)
    row[3], row[4] = price_of(book, level), book.orders[slot, O_SIZE]
    return True
