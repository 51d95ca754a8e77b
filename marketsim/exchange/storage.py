"""The memory of order books: it grows between kernel calls, never inside one.

A kernel that lacks something returns a ``STOP_...`` code before it changes anything; ``BookStorage.relieve`` then
makes room, and the call is made again.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from marketsim.core.jit import JIT_DISABLED
from marketsim.exchange import book_state, price_places
from marketsim.exchange.codes import (
    FIRST_SLOT,
    N_LOG_COLUMNS,
    STOP_IDS_FULL,
    STOP_LOG_FULL,
    STOP_ORDERS_FULL,
    STOP_OWNERS_FULL,
    STOP_REBASE,
)
from marketsim.exchange.kernel.index import NO_ID_AHEAD, fill_map
from marketsim.exchange.kernel.layout import (
    BASE_PRICE,
    BEST,
    C_ROWS,
    FAR_COLUMNS,
    FIRST_ID,
    FREE_SLOT,
    H_KEY,
    H_VALUE,
    HEADER_SIZE,
    LEVEL_WORDS,
    MAP_LOWEST,
    MAP_SHIFT,
    MAP_USED,
    MAX_OWNERS,
    N_ARRAYS,
    N_FAR,
    N_LEVELS,
    N_RESTING,
    NEXT_ID,
    NO_LEVEL,
    O_NEXT,
    ORDER_WORDS,
    OWNER_WORDS,
    REBASE_SIDE,
    W_COUNT,
    WINDOW,
    WINDOW_BITS,
    Book,
)

IntArray = npt.NDArray[np.int64]

FEWEST_MAP_PLACES: Final = 64
FEWEST_FAR_PRICES: Final = 64
BY_COLUMN: Final = ("log", "far")  # arrays whose second length kernels must know, not the first
FEW: Final = 8  # the index slides where at most one of this many numbers in its older half is alive


def aligned_zeros(*shape: int) -> IntArray:
    """int64 zeros from the start of a cache line on, so that an order never straddles two.

    The memory is touched, and so counts, only where it is used.
    """
    raw = np.zeros(int(np.prod(shape)) + 7, np.int64)
    start = -(raw.ctypes.data // 8) % 8
    return raw[start : len(raw) - 7 + start].reshape(shape)


class EventLog:
    """The event log of one book or of several that share it, a contiguous array per column.

    Parameters
    ----------
    rows : int
        Room to begin with.

    Attributes
    ----------
    columns : int64 array, shape (N_LOG_COLUMNS, rows)
        The columns named by the ``LOG_...`` codes; rows from ``n_rows`` on are free.
    cursor : int64 array, shape (2,)
        Rows used, and the number of the next message.
    """

    def __init__(self, rows: int = 1 << 12) -> None:
        self.columns = self._allocate(rows)
        self.cursor = np.zeros(2, np.int64)
        self._other: IntArray | None = None
        self._books: list[weakref.ref[BookStorage]] = []

    @staticmethod
    def _allocate(rows: int) -> IntArray:
        # Were the length a multiple of 512, all columns would start at one place of a page and compete for cache lines.
        return aligned_zeros(N_LOG_COLUMNS, rows + 8 if rows % 512 < 8 else rows)

    @property
    def n_rows(self) -> int:
        """Rows written since the log was emptied."""
        return int(self.cursor[C_ROWS])

    def attach(self, book: BookStorage) -> None:
        """Let a book know when the log moves in memory."""
        self._books.append(weakref.ref(book))

    def rows(self) -> IntArray:
        """View of the rows written, shape (N_LOG_COLUMNS, n_rows); overwritten once the log has been emptied."""
        return self.columns[:, : self.n_rows]

    def drain(self) -> IntArray:
        """Copy the rows written, shape (N_LOG_COLUMNS, n_rows), and empty the log."""
        rows = self.rows().copy()
        self.cursor[C_ROWS] = 0
        return rows

    def flip(self) -> IntArray:
        """Return a view of the rows written and go on in a second buffer: the view holds until the next ``flip``."""
        rows = self.rows()
        other = self._other if self._other is not None and self._other.shape == self.columns.shape else None
        self._other, self.columns = self.columns, other if other is not None else np.zeros_like(self.columns)
        self.cursor[C_ROWS] = 0
        self._moved()
        return rows

    def grow(self, rows: int = 0) -> None:
        """Make room for at least ``rows`` rows and for twice as many as there is now; what is written stays."""
        columns = self._allocate(max(rows, 2 * self.columns.shape[1]))
        columns[:, : self.n_rows] = self.rows()
        self.columns, self._other = columns, None
        self._moved()

    def _moved(self) -> None:
        self._books = [reference for reference in self._books if reference() is not None]
        for reference in self._books:
            book = reference()
            if book is not None:
                book.refresh()


class BookStorage:
    """The arrays of one order book.

    Parameters
    ----------
    log : EventLog, optional
        Where the book writes its events; a log of its own by default.
    orders, numbers, owners : int
        Room to begin with: resting orders, order numbers that the index holds, owners (numbers below this).

    Attributes
    ----------
    book : Book
        The arrays as they stand. Growth replaces some of them.
    table : int64 array, shape (N_ARRAYS, 2)
        Their addresses and lengths; the same array for the life of the storage.
    handle : int or Book
        What kernels take for a book: the address of ``table``; without JIT ``book``, which growth replaces.
    """

    def __init__(
        self, log: EventLog | None = None, *, orders: int = 1 << 10, numbers: int = 1 << 12, owners: int = 64
    ) -> None:
        self.log = log if log is not None else EventLog()
        self.table = np.zeros((N_ARRAYS, 2), np.int64)
        self._address = int(self.table.ctypes.data)
        self.book = Book(
            header=aligned_zeros(HEADER_SIZE),
            orders=aligned_zeros(FIRST_SLOT, ORDER_WORDS),
            levels=aligned_zeros(N_LEVELS, LEVEL_WORDS),
            leaf=np.zeros(N_LEVELS >> 6, np.uint64),
            middle=np.zeros(N_LEVELS >> 12, np.uint64),
            top=np.zeros(N_LEVELS >> 18, np.uint64),
            dense=np.zeros(max(numbers, 2), np.uint32),
            hashed=aligned_zeros(FEWEST_MAP_PLACES, 2),
            owners=aligned_zeros(max(owners, 1), OWNER_WORDS),
            log=self.log.columns,
            cursor=self.log.cursor,
            far=aligned_zeros(FAR_COLUMNS, FEWEST_FAR_PRICES),
        )
        header = self.book.header
        header[[BEST, BEST + 1]] = NO_LEVEL
        header[[NEXT_ID, FIRST_ID]] = 1
        header[[BASE_PRICE, BASE_PRICE + 1]] = -(WINDOW >> 1)
        header[MAP_LOWEST], header[MAP_SHIFT] = NO_ID_AHEAD, 33 - FEWEST_MAP_PLACES.bit_length()
        self._grow_orders(max(orders, 1))
        self.log.attach(self)

    @property
    def handle(self) -> Any:
        """What kernels take for this book; without JIT, ask again after each growth."""
        return self.book if JIT_DISABLED else self._address

    @property
    def is_plain(self) -> bool:
        """Whether no resting order has an owner and no id stands in the map: what ``run_plain_batch`` asks for."""
        return not self.book.header[MAP_USED] and not self.book.owners[:, W_COUNT].any()

    def refresh(self) -> None:
        """Write the addresses of the arrays anew."""
        self.book = self.book._replace(log=self.log.columns)
        for row, (name, array) in enumerate(zip(Book._fields[:N_ARRAYS], self.book, strict=False)):
            self.table[row] = array.ctypes.data, array.shape[int(name in BY_COLUMN)]

    def relieve(self, stop: int, price_ticks: int = 0, owner: int = 0) -> None:
        """Make room for what a kernel lacked.

        Parameters
        ----------
        stop : int
            The ``STOP_...`` code. ``STOP_LOG_FULL`` makes the log larger; emptying it is the caller's choice.
        price_ticks : int
            Price of the message that must wait, for ``STOP_REBASE``; the header says for which side.
        owner : int
            Its owner, for ``STOP_OWNERS_FULL``.

        Raises
        ------
        ValueError
            The code is none of these.
        """
        if stop == STOP_LOG_FULL:
            self.log.grow()
        elif stop == STOP_ORDERS_FULL:
            self._grow_orders(len(self.book.orders) - FIRST_SLOT)
        elif stop == STOP_IDS_FULL:
            self._make_room_for_ids()
        elif stop == STOP_OWNERS_FULL:
            self.reserve_owners(owner + 1)
        elif stop == STOP_REBASE:
            price_places.make_place(self, int(self.book.header[REBASE_SIDE]), price_ticks)
        else:
            raise ValueError(f"stop must be a STOP_ code other than STOP_NONE; found {stop}")

    def snapshot(self) -> dict[str, IntArray]:
        """Return what decides the book's future, compactly: its live orders and the next order number.

        Returns
        -------
        dict of int64 arrays
            ``head`` (version, next number), ``orders`` (id, owner, side, price, size; in the order of the queues),
            ``own`` (rows of ``orders`` that have an owner, by owner, oldest first). The log is not part of it.
        """
        return book_state.save(self)

    def restore(self, state: Mapping[str, IntArray]) -> None:
        """Go back to a state that ``snapshot`` gave, of this book or of another. The log stays as it is.

        Raises
        ------
        ValueError
            This is no state of a book; the book is unchanged.
        """
        book_state.check(state)
        self._clear()
        book_state.load(self, state)

    def _clear(self) -> None:
        """Take all orders out, without a word in the log; orders' slots are entered by ``take_first_slots``."""
        book = self.book
        book.levels[self.occupied_levels()] = 0
        book.owners[:] = 0
        book.dense[:] = 0
        book.header[[N_FAR, N_FAR + 1]] = 0
        self.mark_levels(np.zeros(0, np.int64))

    def take_first_slots(self, n: int) -> None:
        """Leave the first ``n`` slots of the pool to orders that are entered from outside, and free the others."""
        orders, header = self.book.orders, self.book.header
        orders[FIRST_SLOT + n : -1, O_NEXT] = np.arange(FIRST_SLOT + n + 1, len(orders))
        orders[-1, O_NEXT] = 0
        header[FREE_SLOT] = FIRST_SLOT + n if FIRST_SLOT + n < len(orders) else 0
        header[N_RESTING] = n

    def enter_ids(self, next_id: int, ids: IntArray, slots: IntArray) -> None:
        """Make the index anew: recent numbers in the dense array, as far as it reaches back, the others in the map."""
        header, dense = self.book.header, self.book.dense
        header[NEXT_ID], header[FIRST_ID] = next_id, max(1, next_id - len(dense) // 2)
        is_recent = (ids >= header[FIRST_ID]) & (ids < next_id)
        dense[ids[is_recent] - header[FIRST_ID]] = slots[is_recent]
        self._rebuild_map(ids[~is_recent], slots[~is_recent])

    def live_slots(self) -> IntArray:
        """Slots of all resting orders, in no particular order."""
        values = np.concatenate([self.book.dense, self.book.hashed[:, H_VALUE]])
        return values[values >= FIRST_SLOT].astype(np.int64)

    def occupied_levels(self, *sides: int) -> IntArray:
        """Levels that hold orders, ascending: those of a side, 0 buys or 1 sells, from the best price on."""
        words = np.flatnonzero(self.book.leaf)
        bits = np.unpackbits(self.book.leaf[words].view(np.uint8), bitorder="little").reshape(-1, 64)
        word, bit = np.nonzero(bits)
        levels = np.asarray(words[word] * 64 + bit)
        return levels[np.isin(levels >> WINDOW_BITS & 1, sides)] if sides else levels

    def reserve_owners(self, owners: int) -> None:
        """Make room for owners below ``owners``."""
        old = self.book.owners
        if owners > len(old):
            new = aligned_zeros(min(max(owners, 2 * len(old)), MAX_OWNERS), OWNER_WORDS)
            new[: len(old)] = old
            self.book = self.book._replace(owners=new)
            self.refresh()

    def reserve_orders(self, orders: int) -> None:
        """Make room for that many resting orders."""
        self._grow_orders(max(orders + FIRST_SLOT - len(self.book.orders), 0))

    def _grow_orders(self, more: int) -> None:
        """Add free slots behind those that are there, and before them in the list of free ones."""
        if more == 0:
            return
        old, header = self.book.orders, self.book.header
        new = aligned_zeros(len(old) + more, ORDER_WORDS)
        new[: len(old)] = old
        new[len(old) : -1, O_NEXT] = np.arange(len(old) + 1, len(new))
        new[-1, O_NEXT] = header[FREE_SLOT]
        header[FREE_SLOT] = len(old)
        self.book = self.book._replace(orders=new)
        self.refresh()

    # ---- The index of ids ---------------------------------------------------------------------------------

    def _make_room_for_ids(self) -> None:
        header, dense = self.book.header, self.book.dense
        if 2 * header[MAP_USED] >= len(self.book.hashed):
            self._rebuild_map(*self._live_of_map())
        if header[NEXT_ID] - header[FIRST_ID] < len(dense):
            return
        half = len(dense) // 2
        stragglers = np.flatnonzero(dense[:half] >= FIRST_SLOT)
        if len(stragglers) * FEW <= half:
            self._slide(half, stragglers)
        else:
            new = np.zeros(2 * len(dense), np.uint32)
            new[: len(dense)] = dense
            self.book = self.book._replace(dense=new)
            self.refresh()

    def _slide(self, places: int, stragglers: IntArray) -> None:
        """Give up the oldest numbers of the dense array; the few that are alive move into the map."""
        header, dense = self.book.header, self.book.dense
        if len(stragglers) > 0:
            ids, slots = stragglers + header[FIRST_ID], dense[stragglers].astype(np.int64)
            old_ids, old_slots = self._live_of_map()
            self._rebuild_map(np.concatenate([old_ids, ids]), np.concatenate([old_slots, slots]))
        dense[:-places] = dense[places:].copy()
        dense[-places:] = 0
        header[FIRST_ID] += places

    def _live_of_map(self) -> tuple[IntArray, IntArray]:
        live = self.book.hashed[self.book.hashed[:, H_VALUE] >= FIRST_SLOT]
        return live[:, H_KEY].copy(), live[:, H_VALUE].copy()

    def _rebuild_map(self, ids: IntArray, slots: IntArray) -> None:
        """Make the map anew, of these ids only: the statuses of callers' dead orders are forgotten."""
        places = max(FEWEST_MAP_PLACES, 1 << (4 * len(ids)).bit_length())
        hashed, header = aligned_zeros(places, 2), self.book.header
        header[MAP_USED], header[MAP_SHIFT] = len(ids), 33 - places.bit_length()
        ahead = ids[ids >= header[NEXT_ID]]
        header[MAP_LOWEST] = ahead.min() if len(ahead) else NO_ID_AHEAD
        fill_map(hashed, header[MAP_SHIFT], ids, slots)
        self.book = self.book._replace(hashed=hashed)
        self.refresh()

    # ---- Price levels, whose order is the business of ``price_places`` ----------------------------------------

    @property
    def far_places(self) -> int:
        """Places of the far store of each side."""
        return (len(self.book.levels) - N_LEVELS) // 2

    def reserve_far(self, prices: int, places: int) -> None:
        """Make room for that many far prices of a side, and at least that many places for them."""
        old = self.book
        if prices > old.far.shape[1]:
            far = aligned_zeros(FAR_COLUMNS, max(prices, 2 * old.far.shape[1]))
            far[:, : old.far.shape[1]] = old.far
            self.book = self.book._replace(far=far)
            self.refresh()
        if places > self.far_places:
            occupied, n = self.occupied_levels(), N_LEVELS + 2 * WINDOW * -(-places // WINDOW)
            levels = aligned_zeros(n, LEVEL_WORDS)
            levels[occupied] = old.levels[occupied]
            leaf, middle, top = (np.zeros(n >> bits, np.uint64) for bits in (6, 12, 18))
            for new, words in ((leaf, old.leaf), (middle, old.middle), (top, old.top)):
                new[: len(words)] = words
            self.book = self.book._replace(levels=levels, leaf=leaf, middle=middle, top=top)
            self.refresh()

    def mark_levels(self, levels: IntArray) -> None:
        """Write the bitmap and the best levels for a set of occupied levels."""
        book = self.book
        for words, bits in ((book.leaf, 0), (book.middle, 6), (book.top, 12)):
            words[:] = 0
            index = levels >> bits
            np.bitwise_or.at(words, index >> 6, np.uint64(1) << (index & 63).astype(np.uint64))
        for side in range(2):
            of_side = levels[levels >> WINDOW_BITS & 1 == side]
            book.header[BEST + side] = of_side.min() if len(of_side) else NO_LEVEL
