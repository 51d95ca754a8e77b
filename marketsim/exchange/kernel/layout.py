"""How one order book lies in memory, and how compiled code reaches it.

Buys and sells share one table of price levels, which consists of blocks of WINDOW levels. Blocks 0 and 1 are the
windows of the buys and of the sells: WINDOW consecutive prices each, wherever the side's market is. Blocks 2, 4, 6, ...
and 3, 5, 7, ... are the far stores of the two sides: prices worse than those of the window, each with a place that
``far`` lists. On both sides, in the window and behind it, a better price has a lower level. So one comparison says
whether an order crosses, "first set bit" finds the best price, and no code is written twice for the two sides or
branches on the side, which no processor can guess. An empty side has NO_LEVEL as its best.

No price is ever better than its side's window: where an order would rest there, or at a far price without a place,
the kernel stops before it, and ``exchange/price_places.py`` moves the window or finds a place.

Places in arrays (slots, levels, words of the bitmap) are uint64 from where they come up: an int64 index costs a
test for negative values at each use. Quantities (prices, sizes, order ids) are int64. The two never meet in
arithmetic.

Whatever an entry from Python calls is inlined into it, and the entry makes views of the arrays from their
addresses: a real call would pass arrays with reference counting, which costs far more than the work. Without JIT
there are no addresses; the book is then the arrays themselves.
"""

from typing import Any, NamedTuple

import numpy as np

from marketsim.core.jit import JIT_DISABLED, inlined
from marketsim.exchange.codes import N_LOG_COLUMNS
from marketsim.exchange.kernel.views import columns_at, rows_at, vector_at

WINDOW_BITS = 18  # 64 ** 3 ticks: three layers of bitmap
WINDOW = 1 << WINDOW_BITS
N_LEVELS = 2 * WINDOW  # of the windows; far levels come behind them

MAX_SIZE_LOTS = 1 << 40  # so that the lots of four million orders at one price fit an int64
MAX_PRICE_TICKS = 1 << 48  # either sign; so that differences of prices fit
MAX_OWNERS = 1 << 24  # owners are 0, "none", and account numbers below this

# Header. The best level of side s, 0 for buys and 1 for sells, is header[BEST + s]; likewise BASE_PRICE, the lowest
# price of its window, and N_FAR, the number of its far prices.
BEST, FREE_SLOT, NEXT_ID, FIRST_ID, N_RESTING, STOP = 0, 2, 3, 4, 5, 6
# Of the hash map: keys in use, a bound below which no caller's id stands in an engine number's way, 32 - log2(places).
MAP_USED, MAP_LOWEST, MAP_SHIFT = 8, 9, 10
BASE_PRICE, N_FAR = 11, 13
REBASE_SIDE = 15  # the side that STOP_REBASE is about
HEADER_SIZE = 16

# An order: one cache line of the pool, 64 bytes. A free slot uses only O_NEXT.
O_ID, O_SIZE, O_LEVEL, O_OWNER, O_PREVIOUS, O_NEXT, O_OWN_PREVIOUS, O_OWN_NEXT = range(8)
ORDER_WORDS = 8
# A level: the ends of its queue, the lots and the orders in it.
L_HEAD, L_TAIL, L_SIZE, L_COUNT = range(4)
LEVEL_WORDS = 4
# A far price of side s, in columns FAR_KEY + s and FAR_PLACE + s: price in ticks, times -1 for buys, so that it grows
# from good to bad; its place in the far store.
FAR_KEY, FAR_PLACE, FAR_COLUMNS = 0, 2, 4
# An owner: the ends of the list of its resting orders, and their number. The fourth word is spare.
W_OLDEST, W_NEWEST, W_COUNT = range(3)
OWNER_WORDS = 4
# A place of the hash map; key 0 is an empty place.
H_KEY, H_VALUE = range(2)
# The cursor of an event log, which several books may share.
C_ROWS, C_MESSAGE = range(2)

NO_SLOT = np.uint64(0)  # the pool starts at FIRST_SLOT, so zeroed memory is an empty book
NO_LEVEL = np.uint64(1 << 60)  # worse than every level
ONE = np.uint64(1)


class Book(NamedTuple):
    """The arrays of one book: NumPy arrays in Python, views without an owner in the kernel."""

    header: Any  # int64[HEADER_SIZE]
    orders: Any  # int64[slots, ORDER_WORDS]
    levels: Any  # int64[blocks * WINDOW, LEVEL_WORDS]
    leaf: Any  # uint64, one bit a level
    middle: Any  # uint64, one bit a word of leaf
    top: Any  # uint64[blocks], one bit a word of middle; one word a block
    dense: Any  # uint32[numbers]: slot, or status of a dead order, of the numbers from header[FIRST_ID] on
    hashed: Any  # int64[places, 2]: the same for callers' ids and for old orders
    owners: Any  # int64[owners, OWNER_WORDS]
    log: Any  # int64[N_LOG_COLUMNS, rows]
    cursor: Any  # int64[2]: rows used, number of the next message
    far: Any  # int64[FAR_COLUMNS, prices]: far prices of each side, best first
    plain: bool = (
        False  # known when compiled: no owners and no ids but the engine's numbers, so nothing is paid for them
    )


N_ARRAYS = len(Book._fields) - 1


@inlined
def book_views(table, plain=False):
    """Views of the arrays whose addresses and lengths stand in ``table``, int64[N_ARRAYS, 2].

    Without JIT ``table`` is the ``Book`` itself.
    """
    return Book(
        vector_at(table[0, 0], HEADER_SIZE, np.int64),
        rows_at(table[1, 0], table[1, 1], ORDER_WORDS, np.int64),
        rows_at(table[2, 0], table[2, 1], LEVEL_WORDS, np.int64),
        vector_at(table[3, 0], table[3, 1], np.uint64),
        vector_at(table[4, 0], table[4, 1], np.uint64),
        vector_at(table[5, 0], table[5, 1], np.uint64),
        vector_at(table[6, 0], table[6, 1], np.uint32),
        rows_at(table[7, 0], table[7, 1], 2, np.int64),
        rows_at(table[8, 0], table[8, 1], OWNER_WORDS, np.int64),
        columns_at(table[9, 0], table[9, 1], N_LOG_COLUMNS, np.int64),
        vector_at(table[10, 0], 2, np.int64),
        columns_at(table[11, 0], table[11, 1], FAR_COLUMNS, np.int64),
        plain,
    )


@inlined
def book_at(handle, plain=False):
    """The book whose table of addresses stands at the address ``handle`` (``BookStorage.handle``)."""
    return book_views(rows_at(handle, N_ARRAYS, 2, np.int64), plain)


if JIT_DISABLED:

    def book_views(table, plain=False):
        """The book itself: without JIT it holds its arrays."""
        return table._replace(plain=plain)

    book_at = book_views


@inlined
def emit(book, message, kind, order_id, other_id, side, price_ticks, size_lots, left_lots, owner, other_owner):
    """Write one row of the event log. ``shortage`` has seen to it that there is room."""
    row = np.uint64(book.cursor[C_ROWS])
    log = book.log
    log[0, row] = message
    log[1, row] = kind
    log[2, row] = order_id
    log[3, row] = other_id
    log[4, row] = side
    log[5, row] = price_ticks
    log[6, row] = size_lots
    log[7, row] = left_lots
    log[8, row] = owner
    log[9, row] = other_owner
    book.cursor[C_ROWS] += 1
