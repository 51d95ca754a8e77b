"""Price levels: the bitmap that finds the best price, and the window of prices that it covers."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from marketsim.core import jit
from marketsim.core.jit import JIT_DISABLED, inlined
from marketsim.exchange.kernel.layout import (
    BASE_PRICE,
    BEST,
    L_SIZE,
    MAX_PRICE_TICKS,
    NO_LEVEL,
    ONE,
    WINDOW,
    WINDOW_BITS,
)


@intrinsic
def _last_bit(typing_context, word):
    """Return the number of the highest set bit of a uint64; undefined for 0."""

    def generate(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.uint64(types.uint64), generate


@inlined
def first_bit(word):
    """Number of the lowest set bit; undefined for 0."""
    return jit.first_bit(word)


@inlined
def last_bit(word):
    """Number of the highest set bit; undefined for 0."""
    return _last_bit(word)


if JIT_DISABLED:  # where no intrinsic runs

    def first_bit(word):
        """Number of the lowest set bit; undefined for 0."""
        word = int(word)
        return np.uint64((word & -word).bit_length() - 1)

    def last_bit(word):
        """Number of the highest set bit; undefined for 0."""
        return np.uint64(int(word).bit_length() - 1)


@inlined
def level_of(side, tick):
    """Level of a tick of the window: WINDOW + tick for sells (1), WINDOW - 1 - tick for buys (0)."""
    return np.uint64(WINDOW + (tick ^ (side - 1)))


@inlined
def side_of(level):
    """0 for a level of buys, 1 for one of sells."""
    return np.int64(level >> WINDOW_BITS)


@inlined
def price_of(book, level):
    """Price of a level, in ticks."""
    return ((np.int64(level) - WINDOW) ^ (side_of(level) - 1)) + book.header[BASE_PRICE]


@inlined
def bit_of(index):
    """A word with the one bit that stands for ``index``."""
    return ONE << (index & np.uint64(63))


@inlined
def occupy(book, level):
    """Note that a level holds orders."""
    book.leaf[level >> 6] |= bit_of(level)
    book.middle[level >> 12] |= bit_of(level >> 6)
    book.top[level >> 18] |= bit_of(level >> 12)


@inlined
def vacate(book, level):
    """Note that a level holds no more orders."""
    book.leaf[level >> 6] &= ~bit_of(level)
    if book.leaf[level >> 6] == 0:
        book.middle[level >> 12] &= ~bit_of(level >> 6)
        if book.middle[level >> 12] == 0:
            book.top[level >> 18] &= ~bit_of(level >> 12)


@inlined
def best_level(book, side):
    """Best level of a side, read from the bitmap; NO_LEVEL where the side is empty."""
    if book.top[side] == 0:
        return NO_LEVEL
    word = np.uint64(side << 6) | first_bit(book.top[side])
    word = word << 6 | first_bit(book.middle[word])
    return word << 6 | first_bit(book.leaf[word])


@inlined
def worst_level(book, side):
    """Level of a side that is farthest from the touch; NO_LEVEL where the side is empty."""
    if book.top[side] == 0:
        return NO_LEVEL
    word = np.uint64(side << 6) | last_bit(book.top[side])
    word = word << 6 | last_bit(book.middle[word])
    return word << 6 | last_bit(book.leaf[word])


@inlined
def bits_after(index):
    """A word with the bits behind the one that stands for ``index``."""
    return ~np.uint64(0) << (index & np.uint64(63)) << ONE


@inlined
def next_level(book, level):
    """The next worse level of the same side that holds orders, or NO_LEVEL."""
    rest = book.leaf[level >> 6] & bits_after(level)
    if rest != 0:
        return level >> 6 << 6 | first_bit(rest)
    rest = book.middle[level >> 12] & bits_after(level >> 6)
    if rest != 0:
        word = level >> 12 << 6 | first_bit(rest)
        return word << 6 | first_bit(book.leaf[word])
    rest = book.top[level >> 18] & bits_after(level >> 12)
    if rest == 0:
        return NO_LEVEL
    word = level >> 18 << 6 | first_bit(rest)
    word = word << 6 | first_bit(book.middle[word])
    return word << 6 | first_bit(book.leaf[word])


@inlined
def is_outside(book, price_ticks):
    """Whether a price lies outside the window as it stands."""
    tick = price_ticks - book.header[BASE_PRICE]
    return (tick < 0) | (tick >= WINDOW)


@inlined
def fits_window(book, price_ticks):
    """Whether one window can hold a price together with every live price. Where the window stands does not matter."""
    if price_ticks < -MAX_PRICE_TICKS or price_ticks > MAX_PRICE_TICKS:
        return False
    low, high = price_ticks, price_ticks
    for side in range(2):
        best, worst = best_level(book, side), worst_level(book, side)
        if best != NO_LEVEL:
            low = min(low, price_of(book, best), price_of(book, worst))
            high = max(high, price_of(book, best), price_of(book, worst))
    return high - low < WINDOW


@inlined
def touch(book):
    """Best bid, lots there, best ask, lots there; price 0 where the size is 0, which says that the side is empty."""
    bid, ask = np.uint64(book.header[BEST]), np.uint64(book.header[BEST + 1])
    bid_price, bid_size, ask_price, ask_size = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    if bid != NO_LEVEL:
        bid_price, bid_size = price_of(book, bid), book.levels[bid, L_SIZE]
    if ask != NO_LEVEL:
        ask_price, ask_size = price_of(book, ask), book.levels[ask, L_SIZE]
    return bid_price, bid_size, ask_price, ask_size
