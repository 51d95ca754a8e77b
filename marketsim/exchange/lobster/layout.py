"""What LOBSTER files hold: codes, units and columns.

A message file has six columns and no header: seconds after midnight, type, order id, size, price in 1/10,000 of a
dollar, direction of the resting order (1 buy, -1 sell). Row k of a book file is the book after message k: ask price,
ask size, bid price, bid size of level 1, then of level 2, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

PRICE_UNITS: Final = 10_000
"""Prices are integers of one part in this many of the currency."""
EMPTY_PRICE: Final = 9_999_999_999
"""Price of an empty ask level; an empty bid level has the negative of it. The size of both is 0."""
MESSAGE_COLUMNS: Final = ("time_ns", "kind", "order_id", "size", "price", "direction")


class LobsterType(IntEnum):
    """What a message says happened."""

    ADD = 1
    """A new limit order rests."""
    REDUCE = 2
    """A resting order lost part of its size."""
    DELETE = 3
    """A resting order was withdrawn whole."""
    EXECUTE = 4
    """A visible resting order traded."""
    EXECUTE_HIDDEN = 5
    """A hidden order traded: the visible book stays as it was."""
    CROSS = 6
    """An auction's trade."""
    HALT = 7
    """Trading was halted or taken up again; the price says which."""


LAST_VISIBLE: Final = LobsterType.EXECUTE
"""Types up to this one change the visible book, those beyond it do not."""


@dataclass(frozen=True)
class LobsterMessages:
    """Messages of one file, in the order of its rows. All arrays are int64 of one length.

    Attributes
    ----------
    path : Path
        Where they come from.
    time_ns : int64 array
        Nanoseconds after midnight.
    kind : int64 array
        ``LobsterType`` codes.
    order_id, size, price, direction : int64 array
        Price in 1/10,000; direction is the resting order's side, 1 buy or -1 sell.
    """

    path: Path
    time_ns: IntArray
    kind: IntArray
    order_id: IntArray
    size: IntArray
    price: IntArray
    direction: IntArray

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.kind)

    def columns(self) -> dict[str, IntArray]:
        """Return the six columns by name, in the order of the file."""
        return {name: getattr(self, name) for name in MESSAGE_COLUMNS}


@dataclass(frozen=True)
class LobsterBook:
    """The book after each message.

    Attributes
    ----------
    path : Path
        Where it comes from.
    values : int64 array, shape (rows, 4 * levels)
        Ask price, ask size, bid price, bid size of level 1, then of level 2, and so on.
    """

    path: Path
    values: IntArray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    @property
    def levels(self) -> int:
        """Levels a side."""
        return int(self.values.shape[1]) // 4

    def sizes(self, side: int) -> IntArray:
        """Return the sizes of a side (1 buy, -1 sell), shape (rows, levels)."""
        return self.values[:, 3::4] if side > 0 else self.values[:, 1::4]

    def prices(self, side: int) -> IntArray:
        """Return the prices of a side (1 buy, -1 sell), shape (rows, levels)."""
        return self.values[:, 2::4] if side > 0 else self.values[:, 0::4]

    def ranks(self, side: int) -> IntArray:
        """Return the prices so that less is better on both sides: an ask as it is, a bid negated.

        Empty levels have rank ``EMPTY_PRICE`` on both sides and so stand behind all others.
        """
        return -side * self.prices(side)


def empty_book(rows: int, levels: int) -> IntArray:
    """Return values of a book file whose levels are all empty, shape (rows, 4 * levels)."""
    return np.tile(np.array([EMPTY_PRICE, 0, -EMPTY_PRICE, 0], np.int64), (rows, levels))
