"""Price levels: the bitmap that finds the best price, the windows of prices and the far stores behind them."""

import numpy as np

from marketsim.core import jit
from marketsim.core.jit import JIT_DISABLED, inlined
from marketsim.exchange.kernel.layout import (
    BASE_PRICE,
    BEST,
    FAR_KEY,
    FAR_PLACE,
    L_SIZE,
    N_FAR,
    N_LEVELS,
    NO_LEVEL,
    ONE,
    WINDOW,
    WINDOW_BITS,
)

FIRST_FAR = np.uint64(N_LEVELS)
TWO = np.uint64(2)


# ---- Prices and levels ------------------------------------------------------------------------------------------


@inlined
def is_outside(book, side, price_ticks):
    """Whether a price lies outside the window of a side as it stands."""
    tick = price_ticks - book.header[BASE_PRICE + side]
    return (tick < 0) | (tick >= WINDOW)


@inlined
def level_of(side, tick):
    """Level of a tick of the window: WINDOW + tick for sells (1), WINDOW - 1 - tick for buys (0)."""
    return np.uint64(WINDOW + (tick ^ (side - 1)))


@inlined
def side_of(level):
    """0 for a level of buys, 1 for one of sells."""
    return np.int64(level >> WINDOW_BITS & ONE)


@inlined
def price_of(book, level):
    """Price of a level, in ticks."""
    side = side_of(level)
    if level >= FIRST_FAR:
        place = np.int64((level >> WINDOW_BITS >> ONE) - ONE) << WINDOW_BITS | np.int64(level & np.uint64(WINDOW - 1))
        return book.far[FAR_KEY + side, far_rank(book, FAR_PLACE, side, place)] * (2 * side - 1)
    return ((np.int64(level) - WINDOW) ^ (side - 1)) + book.header[BASE_PRICE + side]


# ---- The far store ----------------------------------------------------------------------------------------------


@inlined
def far_rank(book, column, side, value):
    """How many far prices of a side have a key (column FAR_KEY), or a place (FAR_PLACE), below ``value``."""
    low, high = np.int64(0), book.header[N_FAR + side]
    while low < high:
        middle = (low + high) >> 1
        if book.far[column + side, middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def far_level(book, side, rank):
    """Level of a far price of a side, or NO_LEVEL where there are no more than ``rank`` of them."""
    if rank >= book.header[N_FAR + side]:
        return NO_LEVEL
    place = book.far[FAR_PLACE + side, rank]
    return np.uint64((2 * ((place >> WINDOW_BITS) + 1) + side) << WINDOW_BITS | place & (WINDOW - 1))


@inlined
def has_place(book, side, price_ticks):
    """Whether a price outside the window of a side has a place in the far store."""
    key = price_ticks * (2 * side - 1)
    rank = far_rank(book, FAR_KEY, side, key)
    return rank < book.header[N_FAR + side] and book.far[FAR_KEY + side, rank] == key


@inlined
def level_at(book, side, price_ticks):
    """Level of a price that lies in the window of a side or has a place in its far store."""
    if is_outside(book, side, price_ticks):
        return far_level(book, side, far_rank(book, FAR_KEY, side, price_ticks * (2 * side - 1)))
    return level_of(side, price_ticks - book.header[BASE_PRICE + side])


# ---- The bitmap -------------------------------------------------------------------------------------------------


@inlined
def first_bit(word):
    """Number of the lowest set bit; undefined for 0."""
    return jit.first_bit(word)


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
    return first_level_from(book, np.uint64(side))


@inlined
def first_level_from(book, block):
    """Best level of a block and of the worse ones of its side, or NO_LEVEL."""
    blocks = np.uint64(book.top.shape[0])
    while block < blocks:
        if book.top[block] != 0:
            word = block << 6 | first_bit(book.top[block])
            word = word << 6 | first_bit(book.middle[word])
            return word << 6 | first_bit(book.leaf[word])
        block += TWO
    return NO_LEVEL


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
        return first_level_from(book, (level >> 18) + TWO)
    word = level >> 18 << 6 | first_bit(rest)
    word = word << 6 | first_bit(book.middle[word])
    return word << 6 | first_bit(book.leaf[word])


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


if JIT_DISABLED:  # where no intrinsic runs

    def first_bit(word):
        """Number of the lowest set bit; undefined for 0."""
        word = int(word)
        return np.uint64((word & -word).bit_length() - 1)
