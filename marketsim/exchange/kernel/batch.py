"""The two entries that Python calls to drive a book: many messages at once, and one."""

import numpy as np
from numba import types

from marketsim.core.jit import JIT_DISABLED, as_int64, errstate, index, inlined, kernel, prefetch
from marketsim.exchange.codes import (
    ADD,
    FIRST_SLOT,
    M_FLAGS,
    M_KIND,
    M_ORDER,
    M_OWNER,
    M_PRICE,
    M_SIDE,
    M_SIZE,
    N_MESSAGE_FIELDS,
    STOP_NONE,
)
from marketsim.exchange.kernel.layout import (
    C_MESSAGE,
    C_ROWS,
    FIRST_ID,
    N_RESTING,
    NEXT_ID,
    O_NEXT,
    O_PREVIOUS,
    STOP,
    book_at,
)
from marketsim.exchange.kernel.levels import is_outside
from marketsim.exchange.kernel.matching import apply, shortage
from marketsim.exchange.kernel.views import columns_at

AHEAD_ID, AHEAD_ORDER, AHEAD_NEIGHBOURS = 32, 16, 6  # messages


@inlined
def batch_view(messages):
    """The batch as an array without an owner."""
    return columns_at(messages.ctypes.data, messages.shape[1], N_MESSAGE_FIELDS, np.int64)


@inlined
def index_place(book, batch, i):
    """Place in the dense index of the id that message ``i`` names; some place of it where it holds no such id."""
    last = np.uint64(book.dense.shape[0] - 1)
    return min(np.uint64(batch[M_ORDER, np.uint64(i)] - book.header[FIRST_ID]), last)


@inlined
def look_ahead(book, batch, i, end):
    """Fetch what coming cancels will touch: the entry of the index, then the order, then its neighbours in the queue.

    Each step reads what the one before has fetched. Without the first a fifth of the time with 11 thousand resting
    orders is spent waiting for the index; without any, half the time with a million. An "if it is a cancel", guessed
    wrong half the time, costs more than it saves.
    """
    if i + AHEAD_ID < end:
        pool = np.int64(book.orders.ctypes.data)
        prefetch(np.int64(book.dense.ctypes.data) + 4 * np.int64(index_place(book, batch, i + AHEAD_ID)))
        prefetch(pool + 64 * np.int64(book.dense[index_place(book, batch, i + AHEAD_ORDER)]))
        near = np.uint64(book.dense[index_place(book, batch, i + AHEAD_NEIGHBOURS)])
        prefetch(pool + 64 * book.orders[near, O_PREVIOUS])
        prefetch(pool + 64 * book.orders[near, O_NEXT])


if JIT_DISABLED:

    def batch_view(messages):
        """The batch itself."""
        return messages

    def look_ahead(book, batch, i, end):
        """Nothing to fetch ahead without compiled code."""


@kernel
def run_batch(handle, messages, first, end):
    """Carry out messages ``first`` to ``end - 1``; return the first that is not done, and header[STOP] says why.

    ``messages`` is int64[N_MESSAGE_FIELDS, n], contiguous. The log numbers messages on from its cursor.
    """
    book = book_at(handle)
    batch = batch_view(messages)
    number = book.cursor[C_MESSAGE] - first
    book.header[STOP] = STOP_NONE
    for i in range(first, end):
        m = np.uint64(i)
        kind, price_ticks, size_lots = batch[M_KIND, m], batch[M_PRICE, m], batch[M_SIZE, m]
        flags, owner = batch[M_FLAGS, m], batch[M_OWNER, m]
        stop = shortage(book, kind, batch[M_ORDER, m], batch[M_SIDE, m], price_ticks, size_lots, flags, owner)
        if stop != STOP_NONE:
            book.header[STOP] = stop
            book.cursor[C_MESSAGE] = number + i
            return i
        look_ahead(book, batch, i, end)
        apply(book, number + i, kind, batch[M_ORDER, m], batch[M_SIDE, m], price_ticks, size_lots, flags, owner)
    book.cursor[C_MESSAGE] = number + end
    return end


@inlined
def safe_messages(book):
    """How many plain messages surely have room, whatever they do.

    Each trade ends its maker or its taker, so n messages make at most n trades and one more for each order that rests.
    """
    header = book.header
    rows = book.log.shape[1] - book.cursor[C_ROWS] - header[N_RESTING]
    slots = book.orders.shape[0] - FIRST_SLOT - header[N_RESTING]
    numbers = book.dense.shape[0] - (header[NEXT_ID] - header[FIRST_ID])
    return min(rows // 3, slots, numbers)


@kernel
def run_plain_batch(handle, messages, first, end):
    """The same as ``run_batch`` for plain messages in a plain book, which then pay for nothing that they do not use.

    Plain are ADD and CANCEL without flags, without owners, and with 0 or the engine's own next number as the id of each
    ADD. A book is plain (``BookStorage.is_plain``) as long as its orders and ids are.
    """
    book = book_at(handle, True)
    batch, header = batch_view(messages), book.header
    number, i, outside = book.cursor[C_MESSAGE] - first, first, first - 1
    header[STOP] = STOP_NONE
    while i < end and header[STOP] == STOP_NONE:
        until = min(end, i + safe_messages(book))
        if until <= i or i == outside:
            m = np.uint64(i)
            kind, price_ticks = batch[M_KIND, m] & 1, batch[M_PRICE, m]
            header[STOP] = shortage(book, kind, 0, batch[M_SIDE, m], price_ticks, batch[M_SIZE, m], 0)
            until = i + 1 if header[STOP] == STOP_NONE else i
        for j in range(i, until):
            m = np.uint64(j)
            kind, side, price_ticks = batch[M_KIND, m] & 1, batch[M_SIDE, m], batch[M_PRICE, m]
            if (is_outside(book, np.int64(side < 0), price_ticks) & (kind == ADD)) and j != outside:
                until = outside = j
                break
            look_ahead(book, batch, j, end)
            apply(book, number + j, kind, batch[M_ORDER, m], side, price_ticks, batch[M_SIZE, m], 0, 0)
        i = until
    book.cursor[C_MESSAGE] = number + i
    return i


@kernel
def submit_one(handle, kind, order_id, side, price_ticks, size_lots, flags, owner):
    """Carry out one message; return the order's id, or 0 where header[STOP] says what lacks first.

    All but the handle are ``index`` arguments: whatever Python takes for an integer.
    """
    kind, order_id, side, price_ticks = as_int64(kind), as_int64(order_id), as_int64(side), as_int64(price_ticks)
    size_lots, flags, owner = as_int64(size_lots), as_int64(flags), as_int64(owner)
    book = book_at(handle)
    stop = shortage(book, kind, order_id, side, price_ticks, size_lots, flags, owner)
    book.header[STOP] = stop
    if stop != STOP_NONE:
        return np.int64(0)
    message = book.cursor[C_MESSAGE]
    book.cursor[C_MESSAGE] = message + 1
    return apply(book, message, kind, order_id, side, price_ticks, size_lots, flags, owner)


SUBMIT_ONE = types.int64(types.int64, *(index,) * 7)
"""Signature for ``direct``."""


if JIT_DISABLED:  # odd ids and prices wrap without a word, as they do in compiled code
    run_batch, run_plain_batch = errstate()(run_batch), errstate()(run_plain_batch)
    submit_one = errstate()(submit_one)
