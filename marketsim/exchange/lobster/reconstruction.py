"""A live order book rebuilt from LOBSTER messages.

Three things are unknown to whoever has only a recorded window of messages, and each is met by a rule and counted:

- Who stands in the first book: its levels are seeded as one order each, older than every order of the messages.
- Orders that come into the window from outside, and those that leave it: a removal is taken from its own order, then
  from the oldest lots at its price; what is not there cannot be removed.
- Orders that went unrecorded and still stand here: a new order that would cross them, or that has the id of one,
  shows that they are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from marketsim.exchange.book import OrderBook
from marketsim.exchange.codes import EventKind, Side
from marketsim.exchange.lobster.layout import (
    EMPTY_PRICE,
    LAST_VISIBLE,
    LobsterMessages,
    LobsterType,
    empty_book,
)

IntArray = npt.NDArray[np.int64]

CHUNK_ROWS: Final = 4096


@dataclass
class ReconstructionCounts:
    """How often a message did not fit the book as rebuilt from the messages before it."""

    unknown_ids: int = 0
    """Removals of an order whose arrival was not recorded."""
    nowhere: int = 0
    """Removals, of any order, at a price where less was left than they remove."""
    gone: int = 0
    """Orders taken out because a newer message shows that they are no longer there."""
    refused: int = 0
    """Orders that the book refused: their price or size is beyond what any book holds."""

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


class Reconstruction:
    """An ``OrderBook`` fed with LOBSTER messages.

    Parameters
    ----------
    tick : int
        LOBSTER price units of 1/10,000 in a tick of the book, such as 100 for cents. It divides every visible price.
    first_seed_id : int
        Ids from here on are free for seeded levels: no message has them.

    Attributes
    ----------
    book : OrderBook
        The book as it stands, prices in ticks.
    counts : ReconstructionCounts
        What did not fit so far.
    """

    def __init__(self, tick: int = 1, first_seed_id: int = 1 << 62) -> None:
        self.book = OrderBook()
        self.counts = ReconstructionCounts()
        self._tick = tick
        self._next_seed_id = first_seed_id
        self._queues: dict[int, dict[int, int]] = {}  # signed price -> id -> lots left, oldest order first
        self._place: dict[int, int] = {}  # id -> signed price

    @property
    def resting(self) -> int:
        """Orders in the book; a seeded level counts as one."""
        return len(self._place)

    def seed(self, row: IntArray) -> None:
        """Rest one order for each level of a row of a book file, int64 array of shape (4 * levels,)."""
        for price, size, side in zip(row[::2].tolist(), row[1::2].tolist(), [-1, 1] * (len(row) // 4), strict=True):
            if size > 0:
                self._rest(self._next_seed_id, size, price, side)
                self._next_seed_id += 1

    def apply(self, kind: int, order_id: int, size: int, price: int, side: int) -> None:
        """Carry out one message; types beyond 4 leave the visible book as it is."""
        if kind == LobsterType.ADD:
            self._add(order_id, size, price, side)
        elif kind <= LAST_VISIBLE:
            self._remove(order_id, size, price, side)

    def books(self, messages: LobsterMessages, levels: int, start: int = 0) -> Iterator[tuple[int, IntArray]]:
        """Carry out the messages from row ``start`` on; yield the book after each, in the columns of a book file.

        With 0 levels it is not asked for its levels, which is most of the work.

        Yields
        ------
        first : int
            Row of the messages that the first row of ``values`` comes after.
        values : int64 array, shape (rows, 4 * levels)
            At most CHUNK_ROWS rows.
        """
        columns = (messages.kind, messages.order_id, messages.size, messages.price, messages.direction)
        apply, write = self.apply, self._write
        for first in range(start, len(messages), CHUNK_ROWS):
            rows = zip(*(column[first : first + CHUNK_ROWS].tolist() for column in columns), strict=True)
            values = empty_book(min(CHUNK_ROWS, len(messages) - first), levels)
            for row, (kind, order_id, size, price, side) in enumerate(rows):
                apply(kind, order_id, size, price, side)
                if levels > 0:
                    write(values[row], levels)
            self._count_refusals()
            yield first, values

    # ---- One message ----------------------------------------------------------------------------------------

    def _add(self, order_id: int, size: int, price: int, side: int) -> None:
        if order_id in self._place:
            self._forget(order_id)
        best = self._best(-side)
        while best is not None and (price - best) * side >= 0:
            for crossed in list(self._queues[-side * best]):
                self._forget(crossed)
            best = self._best(-side)
        self._rest(order_id, size, price, side)

    def _rest(self, order_id: int, size: int, price: int, side: int) -> None:
        self.book.submit(Side(side), price // self._tick, size, order_id)
        self._queues.setdefault(side * price, {})[order_id] = size
        self._place[order_id] = side * price

    def _remove(self, order_id: int, size: int, price: int, side: int) -> None:
        here = side * price
        queue = self._queues.get(here, {})
        left = queue.get(order_id)
        if left is None:
            self.counts.unknown_ids += order_id not in self._place
        else:
            size -= self._take(order_id, min(size, left), here)
        while size > 0 and queue:
            oldest = next(iter(queue))
            size -= self._take(oldest, min(size, queue[oldest]), here)
        self.counts.nowhere += size > 0

    def _take(self, order_id: int, size: int, here: int) -> int:
        """Take lots off a resting order and return how many; without any left it is gone."""
        queue = self._queues[here]
        self.book.reduce(order_id, size)
        queue[order_id] -= size
        if queue[order_id] == 0:
            del queue[order_id], self._place[order_id]
            if not queue:
                del self._queues[here]
        return size

    def _forget(self, order_id: int) -> None:
        here = self._place[order_id]
        self._take(order_id, self._queues[here][order_id], here)
        self.counts.gone += 1

    # ---- The book -------------------------------------------------------------------------------------------

    def _best(self, side: int) -> int | None:
        best = self.book.best(Side(side))
        return None if best is None else best.price_ticks * self._tick

    def _write(self, row: IntArray, levels: int) -> None:
        depth = self.book.levels(levels)
        for place, side in ((0, depth.asks), (2, depth.bids)):
            for level in side:
                row[place], row[place + 1] = level.price_ticks * self._tick, level.size_lots
                place += 4

    def _count_refusals(self) -> None:
        self.counts.refused += int(np.count_nonzero(self.book.events()["kind"] == EventKind.REJECTED))


def common_tick(messages: LobsterMessages, rows: Iterable[IntArray] = ()) -> int:
    """Return the largest tick, in units of 1/10,000, that divides every visible price.

    Hidden executions, some of them at half cents, do not count.
    """
    prices = [messages.price[messages.kind <= LAST_VISIBLE]]
    prices += [row[::2][np.abs(row[::2]) != EMPTY_PRICE] for row in rows]
    return int(np.gcd.reduce(np.unique(np.concatenate(prices)))) or 1
