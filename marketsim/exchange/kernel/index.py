"""From an order's id to its slot in the pool, or to the status it died with.

The engine numbers orders 1, 2, 3, ... A dense array holds an entry for each number from header[FIRST_ID] on, and
slides: ``BookStorage`` gives up the numbers at its start once few of them are alive. A hash map with open
addressing holds the ids that callers chose and the few old orders that outlived the slide. Keys are never taken
out of the map, so probing needs no tombstones; a dead key keeps its status until the map is rebuilt.

For an id that both could hold, a dense entry other than 0 counts, else the map's.
"""

import numpy as np

from marketsim.core.jit import inlined, kernel
from marketsim.exchange.codes import FIRST_SLOT, STATUS_CLOSED, STATUS_RESTING, STATUS_UNKNOWN
from marketsim.exchange.kernel.layout import (
    FIRST_ID,
    H_KEY,
    H_VALUE,
    MAP_LOWEST,
    MAP_SHIFT,
    MAP_USED,
    NEXT_ID,
    NO_SLOT,
    ONE,
)

NO_ID_AHEAD = (1 << 63) - 1  # header[MAP_LOWEST] where the map holds no id that an engine number could meet
_HALF = np.uint64(0xFFFFFFFF)
_LOW_FACTOR, _HIGH_FACTOR = np.uint64(0x9E3779B1), np.uint64(0x85EBCA6B)


@inlined
def map_place(hashed, shift, order_id):
    """Place of an id in the hash map, or the empty place where it belongs.

    The two halves of the id are multiplied apart, so that no product overflows: plain Python would say so.
    """
    last, word = np.uint64(hashed.shape[0] - 1), np.uint64(order_id)
    mixed = ((word & _HALF) * _LOW_FACTOR) ^ ((word >> 32) * _HIGH_FACTOR)
    place = (mixed & _HALF) >> np.uint64(shift)
    while hashed[place, H_KEY] != order_id and hashed[place, H_KEY] != 0:
        place = (place + ONE) & last
    return place


@inlined
def map_value(book, order_id):
    """What the map holds for an id (at least 1): a slot, a status, or 0."""
    return np.uint64(book.hashed[map_place(book.hashed, book.header[MAP_SHIFT], order_id), H_VALUE])


@inlined
def is_dense(book, order_id):
    """Whether the dense array covers an id."""
    place = order_id - book.header[FIRST_ID]
    return (place >= 0) & (place < book.dense.shape[0])


@inlined
def entry(book, order_id):
    """Slot of a live order, else the status code that is known of the id, else 0."""
    if is_dense(book, order_id):
        value = np.uint64(book.dense[np.uint64(order_id - book.header[FIRST_ID])])
        if value != 0:
            return value
    if book.plain:
        return np.uint64(0)
    if book.header[MAP_USED] != 0 and order_id > 0:
        return map_value(book, order_id)
    return np.uint64(0)


@inlined
def find(book, order_id):
    """Slot of a resting order, or NO_SLOT."""
    value = entry(book, order_id)
    if value < FIRST_SLOT:
        return NO_SLOT
    return value


@inlined
def next_number(book):
    """The next engine number that is not the id of a caller's live order."""
    number = book.header[NEXT_ID]
    if book.plain:
        return number
    while number >= book.header[MAP_LOWEST] and map_value(book, number) >= FIRST_SLOT:
        number += 1
    return number


@inlined
def put(book, order_id, value, is_number):
    """Enter the slot, or the final status, of an engine's number or of a caller's id."""
    if book.plain:
        book.dense[np.uint64(order_id - book.header[FIRST_ID])] = value
    elif is_number:
        put_number(book, order_id, value)
    else:
        put_caller(book, order_id, value)


@inlined
def put_number(book, order_id, value):
    """Enter an engine number; into the map where numbers were skipped beyond the end of the dense array."""
    if is_dense(book, order_id):
        book.dense[np.uint64(order_id - book.header[FIRST_ID])] = value
        if order_id >= book.header[MAP_LOWEST]:  # a caller's dead order may have had this id
            book.hashed[map_place(book.hashed, book.header[MAP_SHIFT], order_id), H_VALUE] = 0
    else:
        put_caller(book, order_id, value)


@inlined
def put_caller(book, order_id, value):
    """Enter a caller's id into the map."""
    header = book.header
    place = map_place(book.hashed, header[MAP_SHIFT], order_id)
    if book.hashed[place, H_KEY] == 0:
        book.hashed[place, H_KEY] = order_id
        header[MAP_USED] += 1
    book.hashed[place, H_VALUE] = value
    if order_id >= header[NEXT_ID]:
        header[MAP_LOWEST] = min(header[MAP_LOWEST], order_id)
    if is_dense(book, order_id):
        book.dense[np.uint64(order_id - header[FIRST_ID])] = 0


@inlined
def bury(book, order_id, slot, status):
    """Put a status in place of a dead order's slot."""
    if book.plain:
        book.dense[np.uint64(order_id - book.header[FIRST_ID])] = status
        return
    if is_dense(book, order_id):
        place = np.uint64(order_id - book.header[FIRST_ID])
        if np.uint64(book.dense[place]) == slot:
            book.dense[place] = status
            return
    book.hashed[map_place(book.hashed, book.header[MAP_SHIFT], order_id), H_VALUE] = status


@inlined
def order_status(book, order_id):
    """Status code of an id."""
    value = entry(book, order_id)
    if value >= FIRST_SLOT:
        return STATUS_RESTING
    if value != 0:
        return np.int64(value)
    return STATUS_CLOSED if 0 < order_id < book.header[NEXT_ID] else STATUS_UNKNOWN


@kernel
def fill_map(hashed, shift, order_ids, slots):
    """Enter distinct ids into an empty map. ``BookStorage`` calls this when it rebuilds one."""
    for i in range(order_ids.size):
        place = map_place(hashed, shift, order_ids[i])
        hashed[place, H_KEY] = order_ids[i]
        hashed[place, H_VALUE] = slots[i]
