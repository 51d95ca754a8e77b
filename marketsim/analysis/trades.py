"""Trades: how many, how large, who took, and whether buying follows buying.

Sizes are lots, prices ticks; the side of a trade is the taker's, +1 for a buy and -1 for a sell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marketsim.analysis.autocorrelation import Correlogram, correlogram
from marketsim.analysis.columns import FloatArray, IntArray

TRADE_COLUMNS = (
    "time_ns",
    "instrument",
    "price_ticks",
    "size_lots",
    "taker_side",
    "taker_order_id",
    "taker_agent",
    "maker_agent",
)

MAX_SHOWN = 4000
"""A drawing gets at most this many trades: every 1st, 2nd, 4th, ..., so that they stay spread over the run."""


def order_signs(taker_order_id: IntArray, taker_side: IntArray) -> IntArray:
    """Sides of the aggressive orders behind a sequence of trades, one entry an order.

    An order that meets several resting orders prints several trades of one sign; counting it once keeps that from
    looking like persistence.

    Examples
    --------
    >>> order_signs(np.array([7, 7, 9]), np.array([1, 1, -1]))
    array([ 1, -1])
    """
    starts = np.append(True, taker_order_id[1:] != taker_order_id[:-1])[: len(taker_order_id)]
    signs: IntArray = taker_side[starts]
    return signs


@dataclass(frozen=True)
class TradeSummary:
    """The trades of one instrument in a run.

    Attributes
    ----------
    n_trades, n_aggressive_orders : int
        Fills, and orders that caused them.
    volume_lots, buy_volume_lots : int
        Lots traded; those that a buyer took.
    mean_price_ticks : float
        Volume-weighted; NaN without trades.
    low_ticks, high_ticks, first_ticks, last_ticks : float
        Prices; NaN without trades.
    shown_time_ns, shown_price_ticks, shown_side : arrays, shape (m,)
        Trades for drawing, one of every ``shown_every``.
    shown_every : int
        A power of two.
    edge_ns : int64 array, shape (n + 1,)
        Bounds of the bins of the volumes.
    bought_lots, sold_lots : int64 array, shape (n,)
        Lots that buyers and sellers took in each bin.
    signs : Correlogram or None
        Autocorrelation of the sides of aggressive orders, in order time.
    taken_by, made_by : int64 array
        Lots that each account took and made, by account number.
    """

    n_trades: int
    n_aggressive_orders: int
    volume_lots: int
    buy_volume_lots: int
    mean_price_ticks: float
    low_ticks: float
    high_ticks: float
    first_ticks: float
    last_ticks: float
    shown_time_ns: IntArray
    shown_price_ticks: IntArray
    shown_side: IntArray
    shown_every: int
    edge_ns: IntArray
    bought_lots: IntArray
    sold_lots: IntArray
    signs: Correlogram | None
    taken_by: IntArray
    made_by: IntArray


class TradeMeter:
    """Measures the trades of one instrument as they are read, batch by batch.

    It keeps one byte for each aggressive order; everything else has a fixed size.

    Parameters
    ----------
    edge_ns : int64 array
        Bounds of the bins of time for volumes.
    """

    def __init__(self, edge_ns: IntArray) -> None:
        self._edge = edge_ns
        self._bought = np.zeros(len(edge_ns) - 1, dtype=np.int64)
        self._sold = np.zeros(len(edge_ns) - 1, dtype=np.int64)
        self._n = 0
        self._turnover = 0
        self._prices: list[int] = []
        self._shown = np.zeros((3, 0), dtype=np.int64)
        self._every = 1
        self._signs: list[npt.NDArray[np.int8]] = []
        self._last_order = np.zeros(0, dtype=np.int64)
        self._taken = np.zeros(1, dtype=np.int64)
        self._made = np.zeros(1, dtype=np.int64)

    def add(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take the next rows, arrays named as in ``TRADE_COLUMNS``."""
        time, price, size, side = (columns[name] for name in ("time_ns", "price_ticks", "size_lots", "taker_side"))
        self._show(np.stack([time, price, side]))
        self._n += len(time)
        self._turnover += int((price * size).sum())
        seen = [int(price[0]), int(price[-1]), int(price.min()), int(price.max())]
        first, _, low, high = self._prices or seen
        self._prices = [first, seen[1], min(low, seen[2]), max(high, seen[3])]
        place = np.clip(np.searchsorted(self._edge, time, side="right") - 1, 0, len(self._bought) - 1)
        np.add.at(self._bought, place, np.where(side > 0, size, 0))
        np.add.at(self._sold, place, np.where(side > 0, 0, size))
        self._taken = add_by_account(self._taken, columns["taker_agent"], size)
        self._made = add_by_account(self._made, columns["maker_agent"], size)
        order = columns["taker_order_id"]
        n_before = len(self._last_order)
        joined = order_signs(np.append(self._last_order, order), np.append(np.zeros(n_before, dtype=np.int64), side))
        self._signs.append(joined[n_before:].astype(np.int8))
        self._last_order = order[-1:]

    def _show(self, rows: IntArray) -> None:
        """Keep every ``_every``-th trade, and double that number when too many are kept."""
        self._shown = np.append(self._shown, rows[:, -self._n % self._every :: self._every], axis=1)
        while self._shown.shape[1] > MAX_SHOWN:
            self._shown = self._shown[:, ::2]
            self._every *= 2

    def result(self) -> TradeSummary:
        """Close the measures."""
        volume = int(self._bought.sum() + self._sold.sum())
        signs: FloatArray = np.concatenate([np.zeros(0, dtype=np.int8), *self._signs]).astype(np.float64)
        first, last, low, high = self._prices or (float("nan"),) * 4
        return TradeSummary(
            n_trades=self._n,
            n_aggressive_orders=len(signs),
            volume_lots=volume,
            buy_volume_lots=int(self._bought.sum()),
            mean_price_ticks=self._turnover / volume if volume else float("nan"),
            low_ticks=low,
            high_ticks=high,
            first_ticks=first,
            last_ticks=last,
            shown_time_ns=self._shown[0],
            shown_price_ticks=self._shown[1],
            shown_side=self._shown[2],
            shown_every=self._every,
            edge_ns=self._edge,
            bought_lots=self._bought,
            sold_lots=self._sold,
            signs=correlogram(signs),
            taken_by=self._taken,
            made_by=self._made,
        )


def add_by_account(total: IntArray, account: IntArray, amount: IntArray) -> IntArray:
    """Add amounts to the totals of their accounts; the array grows where an account number asks for it."""
    grown = np.zeros(max(len(total), int(account.max()) + 1), dtype=np.int64)
    grown[: len(total)] = total
    np.add.at(grown, account, amount)
    return grown
