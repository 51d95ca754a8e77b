"""The queue of each level, first come first served, and the list of each owner's resting orders, oldest first.

Both are doubly linked through the order pool. Orders without an owner are in no list.
"""

import numpy as np

from marketsim.core.jit import inlined
from marketsim.exchange.kernel.index import bury
from marketsim.exchange.kernel.layout import (
    BEST,
    FREE_SLOT,
    L_COUNT,
    L_HEAD,
    L_SIZE,
    L_TAIL,
    N_RESTING,
    NO_SLOT,
    O_ID,
    O_LEVEL,
    O_NEXT,
    O_OWN_NEXT,
    O_OWN_PREVIOUS,
    O_OWNER,
    O_PREVIOUS,
    O_SIZE,
    W_COUNT,
    W_NEWEST,
    W_OLDEST,
)
from marketsim.exchange.kernel.levels import best_level, occupy, side_of, vacate


@inlined
def join_owner(book, slot, owner):
    """Append an order to the list of its owner (not 0)."""
    owners, orders, who = book.owners, book.orders, np.uint64(owner)
    last = np.uint64(owners[who, W_NEWEST])
    orders[slot, O_OWN_PREVIOUS] = last
    orders[slot, O_OWN_NEXT] = NO_SLOT
    if last == NO_SLOT:
        owners[who, W_OLDEST] = slot
    else:
        orders[last, O_OWN_NEXT] = slot
    owners[who, W_NEWEST] = slot
    owners[who, W_COUNT] += 1


@inlined
def leave_owner(book, slot, owner):
    """Take an order out of the list of its owner (not 0)."""
    owners, orders, who = book.owners, book.orders, np.uint64(owner)
    previous, following = np.uint64(orders[slot, O_OWN_PREVIOUS]), np.uint64(orders[slot, O_OWN_NEXT])
    if previous == NO_SLOT:
        owners[who, W_OLDEST] = following
    else:
        orders[previous, O_OWN_NEXT] = following
    if following == NO_SLOT:
        owners[who, W_NEWEST] = previous
    else:
        orders[following, O_OWN_PREVIOUS] = previous
    owners[who, W_COUNT] -= 1


@inlined
def own_slot(book, owner, k):
    """Slot of the k-th oldest resting order of an owner, from 0, or NO_SLOT."""
    if owner <= 0 or owner >= book.owners.shape[0]:
        return NO_SLOT
    who = np.uint64(owner)
    count = book.owners[who, W_COUNT]
    if k < 0 or k >= count:
        return NO_SLOT
    if k < count >> 1:
        slot = np.uint64(book.owners[who, W_OLDEST])
        for _ in range(k):
            slot = np.uint64(book.orders[slot, O_OWN_NEXT])
        return slot
    slot = np.uint64(book.owners[who, W_NEWEST])
    for _ in range(count - 1 - k):
        slot = np.uint64(book.orders[slot, O_OWN_PREVIOUS])
    return slot


@inlined
def release(book, slot, status):
    """Give the slot of a dead order back, and note in the index how it died."""
    header, orders = book.header, book.orders
    if not book.plain and orders[slot, O_OWNER] != 0:
        leave_owner(book, slot, orders[slot, O_OWNER])
    bury(book, orders[slot, O_ID], slot, status)
    orders[slot, O_NEXT] = header[FREE_SLOT]
    header[FREE_SLOT] = slot
    header[N_RESTING] -= 1


@inlined
def remove(book, slot, status):
    """Take an order out of its queue, wherever it stands, and out of the book."""
    header, orders, levels = book.header, book.orders, book.levels
    level = np.uint64(orders[slot, O_LEVEL])
    previous, following = np.uint64(orders[slot, O_PREVIOUS]), np.uint64(orders[slot, O_NEXT])
    if previous == NO_SLOT:
        levels[level, L_HEAD] = following
    else:
        orders[previous, O_NEXT] = following
    if following == NO_SLOT:
        levels[level, L_TAIL] = previous
    else:
        orders[following, O_PREVIOUS] = previous
    levels[level, L_SIZE] -= orders[slot, O_SIZE]
    levels[level, L_COUNT] -= 1
    if levels[level, L_COUNT] == 0:
        side = side_of(level)
        vacate(book, level)
        if np.uint64(header[BEST + side]) == level:
            header[BEST + side] = best_level(book, side)
    release(book, slot, status)


@inlined
def rest(book, order_id, level, size_lots, owner):
    """Put an order at the end of the queue of its level; return its slot. The index is the caller's business."""
    header, orders, levels = book.header, book.orders, book.levels
    slot = np.uint64(header[FREE_SLOT])
    header[FREE_SLOT] = orders[slot, O_NEXT]
    header[N_RESTING] += 1
    last = np.uint64(levels[level, L_TAIL])
    orders[slot, O_ID] = order_id
    orders[slot, O_SIZE] = size_lots
    orders[slot, O_LEVEL] = level
    orders[slot, O_OWNER] = owner
    orders[slot, O_PREVIOUS] = last
    orders[slot, O_NEXT] = NO_SLOT
    if last == NO_SLOT:
        levels[level, L_HEAD] = slot
        occupy(book, level)
        side = side_of(level)
        header[BEST + side] = min(np.uint64(header[BEST + side]), level)
    else:
        orders[last, O_NEXT] = slot
    levels[level, L_TAIL] = slot
    levels[level, L_SIZE] += size_lots
    levels[level, L_COUNT] += 1
    if owner != 0:
        join_owner(book, slot, owner)
    return slot
