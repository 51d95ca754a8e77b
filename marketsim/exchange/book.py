"""A limit order book that stands alone: messages in, events out.

Prices are integer ticks, sizes integer lots, owners account numbers (0: none). Nothing that a trader can send raises:
what the book refuses is an event with a reason. ``exchange/kernel/matching.py`` says what each message does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core.jit import direct
from marketsim.exchange import book_state
from marketsim.exchange.codes import (
    ADD,
    CANCEL,
    CANCEL_ALL,
    M_FLAGS,
    M_KIND,
    M_ORDER,
    M_OWNER,
    M_PRICE,
    MARKET,
    N_MESSAGE_FIELDS,
    POST_ONLY,
    REDUCE,
    REPLACE,
    STOP_NONE,
    OrderStatus,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from marketsim.exchange.commands import Depth, Level
from marketsim.exchange.kernel.batch import SUBMIT_ONE, run_batch, run_plain_batch, submit_one
from marketsim.exchange.kernel.layout import C_MESSAGE, C_ROWS, N_RESTING, NEXT_ID, STOP
from marketsim.exchange.kernel.queries import depth_of, order_of, status_of
from marketsim.exchange.kernel.walks import R_SLOT
from marketsim.exchange.storage import BookStorage, EventLog

IntArray = npt.NDArray[np.int64]

MESSAGE_COLUMNS: Final = ("kind", "order_id", "side", "price_ticks", "size_lots", "flags", "owner")
"""Columns of a batch, in the order of the ``M_...`` codes."""
EVENT_COLUMNS: Final = (
    "message",
    "kind",
    "order_id",
    "other_id",
    "side",
    "price_ticks",
    "size_lots",
    "left_lots",
    "owner",
    "other_owner",
)
"""Columns of the event log, in the order of the ``LOG_...`` codes."""

_NO_INTEGERS = "a message consists of integers of 64 bits: {}"


def _carry_out_first(*message: Any) -> int:
    """Carry out the first message of the process: compile ``submit_one``, which takes the place of this function."""
    global _carry_out
    _carry_out = direct(submit_one, SUBMIT_ONE)
    return _carry_out(*message)


_carry_out: Callable[..., int] = _carry_out_first


class Order(NamedTuple):
    """A resting order."""

    order_id: int
    owner: int
    side: Side
    price_ticks: int
    size_lots: int
    """Lots that rest."""


class OrderBook:
    """A limit order book with price-time priority.

    Parameters
    ----------
    capacity : int
        Resting orders to make room for at once. More is never refused; the book grows.

    Examples
    --------
    >>> from marketsim.exchange import EventKind, OrderBook, Side
    >>> book = OrderBook()
    >>> maker = book.submit(Side.SELL, 101, 5)
    >>> taker = book.submit(Side.BUY, 102, 2)
    >>> maker, taker
    (1, 2)
    >>> log = book.events()
    >>> [EventKind(kind).name for kind in log["kind"]]
    ['ACCEPTED', 'TRADE', 'ACCEPTED']
    >>> int(log["price_ticks"][1]), int(log["size_lots"][1]), int(log["left_lots"][1])
    (101, 2, 3)
    >>> book.best(Side.SELL)
    Level(price_ticks=101, size_lots=3, orders=1)
    >>> book.status(taker).name
    'FILLED'
    """

    __slots__ = ("_handle", "_rows", "_storage")

    def __init__(self, *, capacity: int = 1 << 10) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1 order; found {capacity}")
        self._storage = BookStorage(EventLog(), orders=capacity, numbers=max(4 * capacity, 1 << 12))
        self._handle = self._storage.handle
        self._rows = np.zeros((16, 3), np.int64)

    # ---- One message ----------------------------------------------------------------------------------------

    def submit(
        self,
        side: Side,
        price_ticks: int,
        size_lots: int,
        order_id: int | None = None,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        owner: int = 0,
        stp: SelfTradePrevention = SelfTradePrevention.NONE,
        market: bool = False,
    ) -> int:
        """Send an order and return its id; what became of it is in ``events`` and ``status``.

        Give what follows ``order_id`` by name; that Python does not demand it saves 40 ns a call.

        Parameters
        ----------
        side : Side
            ``Side.BUY`` or ``Side.SELL``.
        price_ticks : int
            Limit, from -2**48 to 2**48; of no account for a market order. Orders may lie as far apart as that: those
            within 65,536 ticks of the best price of their side are the quickest.
        size_lots : int
            From 1 to 2**40.
        order_id : int, optional
            An id of the caller's own, positive; that of a dead order may come again. Without one the book numbers
            orders 1, 2, 3, ..., rejected ones included, past ids of live orders. An id equal to the next number is it.
        tif : TimeInForce
            How long the order stands.
        post_only : bool
            Reject the order where it would take.
        owner : int
            Account number below 2**24; 0 is none, and never prevents a trade.
        stp : SelfTradePrevention
            What happens instead of a trade with an order of the same owner.
        market : bool
            Trade at any price; what finds no counterpart expires. The log shows price 0.

        Returns
        -------
        int
            The order's id.

        Raises
        ------
        ValueError
            An argument is no integer of 64 bits.

        Examples
        --------
        >>> book = OrderBook()
        >>> book.submit(Side.BUY, 99, 10, order_id=7001)
        7001
        >>> book.submit(Side.SELL, 99, 4, post_only=True)
        1
        >>> book.status(1).name
        'REJECTED'
        """
        flags = 0
        if tif or stp or post_only or market:
            flags = int(tif) | int(stp) | (POST_ONLY if post_only else 0) | (MARKET if market else 0)
        wanted = 0 if order_id is None else order_id
        try:
            number = _carry_out(self._handle, ADD, wanted, side, price_ticks, size_lots, flags, owner)
        except (OverflowError, TypeError) as error:
            raise ValueError(_NO_INTEGERS.format(error)) from None
        return number or self._send(ADD, wanted, side, price_ticks, size_lots, flags, owner)

    def cancel(self, order_id: int) -> None:
        """Take a resting order out of the book.

        Examples
        --------
        >>> book = OrderBook()
        >>> book.cancel(book.submit(Side.BUY, 99, 10))
        >>> book.status(1).name
        'CANCELLED'
        """
        self._send(CANCEL, order_id)

    def reduce(self, order_id: int, by_lots: int) -> None:
        """Take lots off a resting order, which keeps its place in the queue; all that rest, or more: cancel it.

        Examples
        --------
        >>> book = OrderBook()
        >>> book.reduce(book.submit(Side.BUY, 99, 10), 4)
        >>> book.order(1).size_lots
        6
        """
        self._send(REDUCE, order_id, size_lots=by_lots)

    def replace(
        self,
        order_id: int,
        price_ticks: int,
        size_lots: int,
        *,
        post_only: bool = False,
        stp: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> None:
        """Give a resting order a new price and a new number of lots; it may trade at once.

        Its id, side and owner stay. Its place in the queue stays if the price does and the size does not grow.

        Examples
        --------
        >>> book = OrderBook()
        >>> book.replace(book.submit(Side.BUY, 99, 10), 98, 12)
        >>> book.order(1)
        Order(order_id=1, owner=0, side=<Side.BUY: 1>, price_ticks=98, size_lots=12)
        """
        self._send(REPLACE, order_id, 0, price_ticks, size_lots, int(stp) | (POST_ONLY if post_only else 0))

    def cancel_all(self, owner: int) -> None:
        """Take all resting orders of an owner out of the book, oldest first.

        Examples
        --------
        >>> book = OrderBook()
        >>> _ = book.submit(Side.BUY, 99, 10, owner=5), book.submit(Side.BUY, 98, 10, owner=5)
        >>> book.cancel_all(5)
        >>> book.best(Side.BUY) is None
        True
        """
        self._send(CANCEL_ALL, 0, owner=owner)

    def _send(
        self,
        kind: int,
        order_id: int,
        side: int = 0,
        price_ticks: int = 0,
        size_lots: int = 0,
        flags: int = 0,
        owner: int = 0,
    ) -> int:
        """Carry out one message, growing what is too small for it."""
        message = kind, order_id, side, price_ticks, size_lots, flags, owner
        header = self._storage.book.header
        try:
            number = _carry_out(self._handle, *message)
        except (OverflowError, TypeError) as error:
            raise ValueError(_NO_INTEGERS.format(error)) from None
        while header[STOP] != STOP_NONE:
            self._relieve(int(price_ticks), int(owner))
            number = _carry_out(self._handle, *message)
        return number

    def _relieve(self, price_ticks: int, owner: int) -> None:
        storage = self._storage
        storage.relieve(int(storage.book.header[STOP]), price_ticks, owner)
        self._handle = storage.handle

    # ---- Many messages --------------------------------------------------------------------------------------

    def process(self, messages: Mapping[str, npt.ArrayLike]) -> dict[str, IntArray]:
        """Carry out messages one after the other and return their events.

        Parameters
        ----------
        messages : mapping of str to integer arrays, shape (n,)
            ``kind`` (``MessageKind``; default ADD), ``order_id`` (0 in an ADD: the book's next number), ``side``,
            ``price_ticks``, ``size_lots``, ``flags`` (sums of ``OrderFlag``), ``owner``. A column that is not there
            is 0 throughout.

        Returns
        -------
        dict of str to int64 arrays
            ``EVENT_COLUMNS``; ``message`` counts the book's messages from 0. Events of earlier calls of ``submit``
            stay for ``events``.

        Raises
        ------
        ValueError
            A column is unknown, holds no integers of 64 bits or differs in length; nothing has been done.

        Examples
        --------
        >>> book = OrderBook()
        >>> log = book.process({"side": [1, -1], "price_ticks": [100, 99], "size_lots": [3, 5]})
        >>> log["kind"], log["left_lots"]
        (array([1, 3, 1]), array([3, 0, 2]))
        """
        batch = _batch(messages)
        log, first, n = self._storage.log, self._storage.log.n_rows, batch.shape[1]
        if first + n + n // 2 > log.columns.shape[1]:
            log.grow(first + n + n // 2)
            self._handle = self._storage.handle
        done = 0
        next_number = int(self._storage.book.header[NEXT_ID])
        is_plain = _is_plain(batch, next_number)
        while done < n:  # once an old order has moved into the map of ids, the book is plain no more
            run = run_plain_batch if is_plain and self._storage.is_plain else run_batch
            done = run(self._handle, batch, done, n)
            if done < n:
                self._relieve(int(batch[M_PRICE, done]), int(batch[M_OWNER, done]))
        rows = log.rows()[:, first:].copy()
        log.cursor[C_ROWS] = first
        return dict(zip(EVENT_COLUMNS, rows, strict=True))

    def events(self) -> dict[str, IntArray]:
        """Return the events since the last call, ``EVENT_COLUMNS`` as int64 arrays; the book keeps them until then.

        Every message writes one event of its own behind those of its fills. A trade's ``order_id`` is the taker,
        ``other_id`` the maker, whose price it has; ``left_lots`` is what rests afterwards. Of a rejection
        ``other_id`` is the ``RejectReason``.
        """
        return dict(zip(EVENT_COLUMNS, self._storage.log.drain(), strict=True))

    # ---- Looking --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of resting orders."""
        return int(self._storage.book.header[N_RESTING])

    def best(self, side: Side) -> Level | None:
        """Return the best level of a side, or None where the side is empty."""
        levels = self._side_levels(side, 1)
        return levels[0] if levels else None

    def levels(self, n: int = 10) -> Depth:
        """Return the ``n`` best levels of both sides.

        Examples
        --------
        >>> book = OrderBook()
        >>> _ = [book.submit(Side.BUY, price, 10) for price in (99, 98, 99)]
        >>> book.levels(5).bids
        (Level(price_ticks=99, size_lots=20, orders=2), Level(price_ticks=98, size_lots=10, orders=1))
        """
        return Depth(self._side_levels(Side.BUY, n), self._side_levels(Side.SELL, n))

    def _side_levels(self, side: Side, n: int) -> tuple[Level, ...]:
        if n > len(self._rows):
            self._rows = np.zeros((n, 3), np.int64)
        rows = self._rows[:n]
        count = depth_of(self._handle, int(side < 0), rows)
        return tuple([Level(*row) for row in rows[:count].tolist()])

    def orders(self, side: Side) -> list[Order]:
        """Return the resting orders of a side in the order in which they would trade."""
        rows = book_state.queue_rows(self._storage, int(side < 0))[:, :R_SLOT]
        return [Order(order_id, owner, Side(sign), *rest) for order_id, owner, sign, *rest in rows.tolist()]

    def order(self, order_id: int) -> Order | None:
        """Return a resting order, or None where no such order rests."""
        row = np.zeros(R_SLOT, np.int64)
        if not order_of(self._handle, order_id, row):
            return None
        number, owner, side, price_ticks, size_lots = row.tolist()
        return Order(number, owner, Side(side), price_ticks, size_lots)

    def status(self, order_id: int) -> OrderStatus:
        """Return where an order is in its life.

        How an order died is known for a while: of the book's own numbers at least as long as a live order is among
        the two thousand around it, then ``CLOSED``; of a caller's ids until the index is rebuilt, then ``UNKNOWN``.
        """
        return OrderStatus(status_of(self._handle, order_id))

    # ---- State ----------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, IntArray]:
        """Return what decides the book's future: live orders, the next number, the next message. Events are not part.

        Examples
        --------
        >>> book = OrderBook()
        >>> _ = book.submit(Side.BUY, 99, 10)
        >>> twin = OrderBook.restore(book.snapshot())
        >>> twin.submit(Side.SELL, 99, 4), twin.order(1).size_lots
        (2, 6)
        """
        return self._storage.snapshot() | {"next_message": self._storage.log.cursor[[C_MESSAGE]]}

    @classmethod
    def restore(cls, state: Mapping[str, IntArray]) -> OrderBook:
        """Return a book in a state that ``snapshot`` gave.

        Raises
        ------
        ValueError
            This is no state of a book.
        """
        if "next_message" not in state or np.shape(state["next_message"]) != (1,):
            raise ValueError("the state of an OrderBook holds next_message, one number")
        book = cls()
        book._storage.restore(state)
        book._storage.log.cursor[C_MESSAGE] = state["next_message"][0]
        book._handle = book._storage.handle
        return book


def _batch(messages: Mapping[str, npt.ArrayLike]) -> IntArray:
    """Columns as one array for the kernel, int64[N_MESSAGE_FIELDS, n]."""
    unknown = [name for name in messages if name not in MESSAGE_COLUMNS]
    if unknown:
        raise ValueError(f"unknown column {unknown[0]!r}; a message has {', '.join(MESSAGE_COLUMNS)}")
    columns: dict[str, npt.NDArray[Any]] = {name: np.asarray(column) for name, column in messages.items()}
    first = next(iter(columns.values()), np.zeros(0))
    n = len(first) if first.ndim else 0
    batch = np.zeros((N_MESSAGE_FIELDS, n), np.int64)
    for row, name in enumerate(MESSAGE_COLUMNS):
        if name not in columns:
            continue
        column = columns[name]
        if column.shape != (n,):
            raise ValueError(f"column {name!r} must have the shape ({n},) of the first one; found {column.shape}")
        if n > 0 and (column.dtype.kind not in "iub" or (column.dtype == np.uint64 and column.max() >= 1 << 63)):
            raise ValueError(f"column {name!r} must hold integers of 64 bits; found {column.dtype}")
        batch[row] = column
    return batch


def _is_plain(batch: IntArray, next_number: int) -> bool:
    """Whether ``run_plain_batch`` may take a batch, whose first ADD gets ``next_number``."""
    kinds = batch[M_KIND]
    if batch[M_FLAGS].any() or batch[M_OWNER].any() or ((kinds != ADD) & (kinds != CANCEL)).any():
        return False
    numbers = batch[M_ORDER][kinds == ADD]
    return not numbers.any() or bool((numbers == np.arange(next_number, next_number + len(numbers))).all())
