"""Mid price and spread from the quotes at the touch.

Prices are integer ticks and sizes integer lots; a side without orders has size 0. The mid is the mean of the best
bid and the best ask, so it may lie half-way between two ticks; mid and spread exist only while both sides do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marketsim.analysis.columns import FloatArray, IntArray
from marketsim.analysis.steps import BinnedSeries, StepBins, StepHistogram, StepSampler, weighted_quantile

QUOTE_COLUMNS = ("time_ns", "instrument", "bid_price_ticks", "bid_size_lots", "ask_price_ticks", "ask_size_lots")


def mid_price(bid_price: IntArray, bid_size: IntArray, ask_price: IntArray, ask_size: IntArray) -> FloatArray:
    """Mean of best bid and best ask after each update, in ticks; NaN where a side is empty.

    Examples
    --------
    >>> mid_price(np.array([100, 100]), np.array([5, 5]), np.array([103, 0]), np.array([2, 0]))
    array([101.5,   nan])
    """
    return np.where((bid_size > 0) & (ask_size > 0), (bid_price + ask_price) / 2.0, np.nan)


def quoted_spread(bid_price: IntArray, bid_size: IntArray, ask_price: IntArray, ask_size: IntArray) -> FloatArray:
    """Best ask less best bid after each update, in ticks; NaN where a side is empty.

    Examples
    --------
    >>> quoted_spread(np.array([100, 100]), np.array([5, 5]), np.array([103, 0]), np.array([2, 0]))
    array([ 3., nan])
    """
    return np.where((bid_size > 0) & (ask_size > 0), (ask_price - bid_price).astype(np.float64), np.nan)


@dataclass(frozen=True)
class QuoteSummary:
    """What the touch of one instrument did from the begin of a run to its end.

    Attributes
    ----------
    n_updates : int
        Rows of the table: changes of a best price or of the size there.
    two_sided, bid_only, ask_only, empty : float
        Shares of the time with orders on both sides, on one, on none; they add up to 1.
    spread_mean, spread_median : float
        Time-weighted, in ticks; NaN where the book never had two sides.
    spread_mean_bp : float
        ``spread_mean`` in basis points of the time-weighted mean mid.
    spread_level, spread_share : float64 array, shape (n,)
        Spreads that occurred, in ticks, and the share of the two-sided time at each.
    mid, spread : BinnedSeries
        In ticks, for drawing.
    mid_mean, mid_first, mid_last : float
        In ticks: time-weighted; the first that existed; the last that existed.
    grid_mid : float64 array
        The mid at the instants of the grid that the caller asked for, in ticks; NaN where there was none.
    """

    n_updates: int
    two_sided: float
    bid_only: float
    ask_only: float
    empty: float
    spread_mean: float
    spread_median: float
    spread_mean_bp: float
    spread_level: FloatArray
    spread_share: FloatArray
    mid: BinnedSeries
    spread: BinnedSeries
    mid_mean: float
    mid_first: float
    mid_last: float
    grid_mid: FloatArray


class QuoteMeter:
    """Measures the quotes of one instrument as they are read, batch by batch.

    Parameters
    ----------
    begin_ns, end_ns : int
        The time that the measures span. Before the first quote the book counts as empty.
    grid_ns : int64 array
        Instants at which the mid is sampled.
    edge_ns : int64 array
        Bounds of the bins of time for drawing.
    """

    def __init__(self, begin_ns: int, end_ns: int, grid_ns: IntArray, edge_ns: IntArray) -> None:
        self._begin, self._end = begin_ns, end_ns
        self._carry = np.array([[begin_ns], [0], [0], [0], [0]], dtype=np.int64)
        self._mid = StepBins(edge_ns)
        self._spread = StepBins(edge_ns)
        self._spread_time = StepHistogram()
        self._sides_time = StepHistogram()
        self._grid = StepSampler(grid_ns)
        self._mid_area = 0.0
        self._mid_first = self._mid_last = float("nan")
        self._n_updates = 0

    def add(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take the next rows, arrays named as in ``QUOTE_COLUMNS``."""
        names = [name for name in QUOTE_COLUMNS if name != "instrument"]
        rows = np.concatenate([self._carry, np.stack([columns[name] for name in names])], axis=1)
        self._n_updates += rows.shape[1] - 1
        self._measure(rows[:, :-1], int(rows[0, -1]))
        self._carry = rows[:, -1:]

    def _measure(self, rows: IntArray, end_ns: int) -> None:
        """Take updates, the last of which stands until ``end_ns``."""
        time, bid, bid_size, ask, ask_size = rows
        time = np.clip(time, self._begin, self._end)
        end_ns = min(end_ns, self._end)
        mid = mid_price(bid, bid_size, ask, ask_size)
        spread = quoted_spread(bid, bid_size, ask, ask_size)
        self._mid.add(time, mid, end_ns)
        self._spread.add(time, spread, end_ns)
        self._grid.add(time, mid, end_ns)
        self._spread_time.add(time, spread, end_ns)
        self._sides_time.add(time, (bid_size > 0) + 2.0 * (ask_size > 0), end_ns)
        length = np.diff(np.append(time, end_ns))
        seen = mid[np.isfinite(mid)]
        self._mid_area += float((length * np.nan_to_num(mid)).sum())
        if len(seen):
            self._mid_first = float(seen[0]) if np.isnan(self._mid_first) else self._mid_first
            self._mid_last = float(seen[-1])

    def result(self) -> QuoteSummary:
        """Close the measures at the end of the run."""
        self._measure(self._carry, self._end)
        sides, sides_time = self._sides_time.result()
        share = {int(side): float(time / sides_time.sum()) for side, time in zip(sides, sides_time, strict=True)}
        level, time = self._spread_time.result()
        total = time.sum()
        spread_mean = float((level * time).sum() / total) if total else float("nan")
        mid_mean = self._mid_area / total if total else float("nan")
        return QuoteSummary(
            n_updates=self._n_updates,
            two_sided=share.get(3, 0.0),
            bid_only=share.get(1, 0.0),
            ask_only=share.get(2, 0.0),
            empty=share.get(0, 0.0),
            spread_mean=spread_mean,
            spread_median=weighted_quantile(level, time, 0.5),
            spread_mean_bp=1e4 * spread_mean / mid_mean if mid_mean else float("nan"),
            spread_level=level,
            spread_share=time / total if total else time,
            mid=self._mid.result(),
            spread=self._spread.result(),
            mid_mean=float(mid_mean),
            mid_first=self._mid_first,
            mid_last=self._mid_last,
            grid_mid=self._grid.result(),
        )
