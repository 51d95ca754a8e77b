"""Whole books in order: every queue from the best price on, every owner's list from the oldest order on."""

import numpy as np

from marketsim.core.jit import kernel
from marketsim.exchange.kernel.layout import (
    BEST,
    L_HEAD,
    NO_LEVEL,
    NO_SLOT,
    O_ID,
    O_NEXT,
    O_OWN_NEXT,
    O_OWNER,
    O_SIZE,
    W_OLDEST,
    book_at,
)
from marketsim.exchange.kernel.levels import next_level, price_of

R_ID, R_OWNER, R_SIDE, R_PRICE, R_SIZE, R_SLOT = range(6)
ROW_WORDS = 6


@kernel
def walk_queues(handle, side, rows):
    """Write the orders of a side, 0 buys or 1 sells, best price and longest waiting first; return how many they are.

    ``rows`` is int64[at least the resting orders of that side, ROW_WORDS].
    """
    book = book_at(handle)
    n, level = 0, np.uint64(book.header[BEST + side])
    while level != NO_LEVEL:
        slot = np.uint64(book.levels[level, L_HEAD])
        while slot != NO_SLOT:
            rows[n, R_ID], rows[n, R_OWNER] = book.orders[slot, O_ID], book.orders[slot, O_OWNER]
            rows[n, R_SIDE], rows[n, R_PRICE] = 1 - 2 * side, price_of(book, level)
            rows[n, R_SIZE], rows[n, R_SLOT] = book.orders[slot, O_SIZE], slot
            n += 1
            slot = np.uint64(book.orders[slot, O_NEXT])
        level = next_level(book, level)
    return n


@kernel
def walk_owners(handle, slots):
    """Write the slots of all orders that have an owner, by owner and oldest first; return how many they are."""
    book = book_at(handle)
    n = 0
    for owner in range(1, book.owners.shape[0]):
        slot = np.uint64(book.owners[np.uint64(owner), W_OLDEST])
        while slot != NO_SLOT:
            slots[n] = slot
            n += 1
            slot = np.uint64(book.orders[slot, O_OWN_NEXT])
    return n
