"""Step functions of time: what holds from one update to the next, averaged over time.

A quote stands until the next one, so its weight in a mean is how long it stood, not one. The functions take a
whole series; the classes take it in pieces and keep only their result, so that memory does not grow with a run.
Times are integer nanoseconds in non-decreasing order; of several updates at one instant only the last has weight.
A value of NaN means that nothing is defined there, and carries no weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from marketsim.analysis.columns import FloatArray, IntArray


def sample_steps(time_ns: IntArray, value: FloatArray, at_ns: IntArray) -> FloatArray:
    """Value in force at given instants: that of the last update no later than the instant.

    Parameters
    ----------
    time_ns : int64 array, shape (n,)
        When each update happened.
    value : float64 array, shape (n,)
        What holds from then on.
    at_ns : int64 array, shape (m,)
        Instants to look at.

    Returns
    -------
    float64 array, shape (m,)
        NaN before the first update.

    Examples
    --------
    >>> sample_steps(np.array([10, 20]), np.array([1.0, 2.0]), np.array([5, 10, 19, 20]))
    array([nan,  1.,  1.,  2.])
    """
    row = np.searchsorted(time_ns, at_ns, side="right") - 1
    padded = np.append(value, np.nan)
    return cast(FloatArray, padded[row])


def time_weighted_mean(time_ns: IntArray, value: FloatArray, end_ns: int) -> float:
    """Mean of a step function from its first update to ``end_ns``, each value weighted by how long it stood.

    Returns
    -------
    float
        In the unit of ``value``; NaN where nothing was defined for any time.
    """
    weight = np.diff(np.append(time_ns, end_ns)).astype(np.float64)
    used = np.isfinite(value) & (weight > 0)
    total = weight[used].sum()
    return float((weight[used] * value[used]).sum() / total) if total > 0 else float("nan")


def weighted_quantile(value: FloatArray, weight: FloatArray, share: float) -> float:
    """Least value at or below which at least ``share`` of the weight lies; NaN where there is no weight.

    Examples
    --------
    >>> weighted_quantile(np.array([1.0, 2.0, 9.0]), np.array([2.0, 2.0, 1.0]), 0.5)
    2.0
    """
    order = np.argsort(value, kind="stable")
    running = np.cumsum(weight[order])
    if not len(running) or running[-1] <= 0:
        return float("nan")
    return float(value[order][np.searchsorted(running, share * running[-1], side="left")])


@dataclass(frozen=True)
class BinnedSeries:
    """A step function drawn small: its time-weighted mean and its extremes in each of ``n`` bins of time.

    Attributes
    ----------
    edge_ns : int64 array, shape (n + 1,)
        Bounds of the bins.
    mean, low, high : float64 array, shape (n,)
        NaN where nothing was defined in the bin.
    """

    edge_ns: IntArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def middle_ns(self) -> FloatArray:
        """Middle of each bin."""
        return (self.edge_ns[:-1] + self.edge_ns[1:]) / 2.0


def bin_edges(begin_ns: int, end_ns: int, n_bins: int) -> IntArray:
    """Bounds of at most ``n_bins`` bins of nearly equal length, none of them empty; shape (bins + 1,)."""
    n_bins = max(1, min(n_bins, end_ns - begin_ns))
    return begin_ns + np.array([(end_ns - begin_ns) * k // n_bins for k in range(n_bins + 1)], dtype=np.int64)


class StepBins:
    """Time-weighted mean, least and greatest value of a step function in bins of time.

    Parameters
    ----------
    edge_ns : int64 array, shape (n + 1,)
        Bounds of the bins, increasing. Time outside of them is left out.
    """

    def __init__(self, edge_ns: IntArray) -> None:
        self._edge = edge_ns
        n_bins = len(edge_ns) - 1
        self._area = np.zeros(n_bins)
        self._weight = np.zeros(n_bins)
        self._low = np.full(n_bins, np.inf)
        self._high = np.full(n_bins, -np.inf)

    def add(self, time_ns: IntArray, value: FloatArray, end_ns: int) -> None:
        """Take a stretch of updates, the last of which holds until ``end_ns``."""
        if not len(time_ns):
            return
        first, last = np.searchsorted(self._edge, [time_ns[0], end_ns], side="right")
        inner = self._edge[first:last]
        row = np.searchsorted(time_ns, inner, side="right")
        time = np.insert(time_ns, row, inner)
        held = np.insert(value, row, value[row - 1])
        length = np.diff(np.append(time, end_ns)).astype(np.float64)
        bin_of = np.searchsorted(self._edge, time, side="right") - 1
        used = (length > 0) & np.isfinite(held) & (bin_of >= 0) & (bin_of < len(self._area))
        bin_of, held, length = bin_of[used], held[used], length[used]
        self._area += np.bincount(bin_of, length * held, len(self._area))
        self._weight += np.bincount(bin_of, length, len(self._area))
        np.minimum.at(self._low, bin_of, held)
        np.maximum.at(self._high, bin_of, held)

    def result(self) -> BinnedSeries:
        """Return what was added so far."""
        defined = self._weight > 0
        weight = np.where(defined, self._weight, 1.0)
        return BinnedSeries(
            self._edge,
            np.where(defined, self._area / weight, np.nan),
            np.where(defined, self._low, np.nan),
            np.where(defined, self._high, np.nan),
        )


class StepSampler:
    """Values of a step function on a grid of instants, taken piece by piece; see ``sample_steps``."""

    def __init__(self, at_ns: IntArray) -> None:
        self._at = at_ns
        self._value = np.full(len(at_ns), np.nan)

    def add(self, time_ns: IntArray, value: FloatArray, end_ns: int) -> None:
        """Take a stretch of updates, the last of which holds until ``end_ns``."""
        if not len(time_ns):
            return
        first = np.searchsorted(self._at, time_ns[0], side="left")
        last = np.searchsorted(self._at, end_ns, side="right")
        self._value[first:last] = sample_steps(time_ns, value, self._at[first:last])

    def result(self) -> FloatArray:
        """Return the samples, NaN where nothing was defined; shape of the grid."""
        return self._value


class StepHistogram:
    """How long a step function of whole numbers stood at each value."""

    def __init__(self) -> None:
        self._time_at: dict[int, int] = {}

    def add(self, time_ns: IntArray, value: FloatArray, end_ns: int) -> None:
        """Take a stretch of updates, the last of which holds until ``end_ns``."""
        length = np.diff(np.append(time_ns, end_ns))
        used = np.isfinite(value) & (length > 0)
        level, where = np.unique(value[used].astype(np.int64), return_inverse=True)
        time_at = np.zeros(len(level), dtype=np.int64)
        np.add.at(time_at, where, length[used])
        for one, time in zip(level.tolist(), time_at.tolist(), strict=True):
            self._time_at[one] = self._time_at.get(one, 0) + time

    def result(self) -> tuple[FloatArray, FloatArray]:
        """Return the values that occurred, increasing, and the nanoseconds spent at each; shapes (n,)."""
        level = sorted(self._time_at)
        return np.array(level, dtype=np.float64), np.array([self._time_at[one] for one in level], dtype=np.float64)
