"""Depth of the book from snapshots: how many lots wait on each side, near the touch and further out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marketsim.analysis.columns import FloatArray, IntArray

DEPTH_COLUMNS = ("time_ns", "instrument", "side", "level", "size_lots")

NEAR_LEVELS = (1, 5)
"""Depth is shown for the touch, for this many levels, and for all that were recorded."""


@dataclass(frozen=True)
class DepthSummary:
    """Lots in the book of one instrument.

    Attributes
    ----------
    n_snapshots : int
        Instants with at least one order in the book.
    reach : tuple of int, length r
        Numbers of levels, increasing: 1, 5 and all that were recorded, as far as there were so many.
    edge_ns : int64 array, shape (n + 1,)
        Bounds of the bins of time.
    bid_lots, ask_lots : float64 array, shape (r, n)
        Mean over the snapshots of a bin of the lots in the first ``reach`` levels; NaN in a bin without a snapshot.
    bid_profile, ask_profile : float64 array, shape (levels,)
        Mean lots at level 1, 2, ... over all snapshots.
    bid_mean, ask_mean : float64 array, shape (r,)
        Mean over all snapshots.
    """

    n_snapshots: int
    reach: tuple[int, ...]
    edge_ns: IntArray
    bid_lots: FloatArray
    ask_lots: FloatArray
    bid_profile: FloatArray
    ask_profile: FloatArray
    bid_mean: FloatArray
    ask_mean: FloatArray


class DepthMeter:
    """Measures the depth of one instrument as its snapshots are read, batch by batch.

    Parameters
    ----------
    edge_ns : int64 array
        Bounds of the bins of time.
    """

    def __init__(self, edge_ns: IntArray) -> None:
        self._edge = edge_ns
        self._lots = np.zeros((2, len(edge_ns) - 1, 0))
        self._snapshots = np.zeros(len(edge_ns) - 1)
        self._last_time = np.zeros(0, dtype=np.int64)

    def add(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take the next rows, arrays named as in ``DEPTH_COLUMNS``; a snapshot may be cut between two calls."""
        time, level = columns["time_ns"], columns["level"]
        n_bins, n_levels = len(self._snapshots), max(self._lots.shape[2], int(level.max()))
        widened = np.zeros((2, n_bins, n_levels))
        widened[:, :, : self._lots.shape[2]] = self._lots
        side = (columns["side"] < 0).astype(np.int64)
        place = (side * n_bins + self._bin(time)) * n_levels + level - 1
        widened += np.bincount(place, columns["size_lots"], widened.size).reshape(widened.shape)
        self._lots = widened
        instants = np.unique(time)
        self._snapshots += np.bincount(self._bin(instants[~np.isin(instants, self._last_time)]), minlength=n_bins)
        self._last_time = time[-1:]

    def _bin(self, time_ns: IntArray) -> IntArray:
        place = np.searchsorted(self._edge, time_ns, side="right") - 1
        return np.clip(place, 0, len(self._snapshots) - 1).astype(np.int64)

    def result(self) -> DepthSummary | None:
        """Close the measures; None where there was no snapshot."""
        n_snapshots, n_levels = int(self._snapshots.sum()), self._lots.shape[2]
        if not n_snapshots:
            return None
        reach = (*(levels for levels in NEAR_LEVELS if levels < n_levels), n_levels)
        running = np.cumsum(self._lots, axis=2)[:, :, [levels - 1 for levels in reach]]
        count = np.where(self._snapshots > 0, self._snapshots, np.nan)
        mean = np.moveaxis(running, 2, 1) / count
        profile = self._lots.sum(axis=1) / n_snapshots
        total = running.sum(axis=1) / n_snapshots
        return DepthSummary(
            n_snapshots, reach, self._edge, mean[0], mean[1], profile[0], profile[1], total[0], total[1]
        )
