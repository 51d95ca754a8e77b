"""Bins: where each token of time, place and size begins, fitted on training data and kept with a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.lmm.events import (
    CANCEL_BUY,
    GAP,
    KIND,
    MARKET_BUY,
    N_GAPS,
    N_PRICES,
    N_SIZES,
    PRICE,
    SIZE,
)

IntArray = npt.NDArray[np.int64]

INSIDE: Final = 16
"""Tokens of a limit order in front of its side's best price; one that joins the best has this token."""

_TAIL: Final = 1 - np.array([0.03, 0.02, 0.01, 0.005, 0.002, 0.0005, 0.0001])
"""Edges of the thin bins behind 24 of equal mass: an open bin of equal mass would hold up to two fifths of all time."""


class Scale(NamedTuple):
    """Bins of an event's fields, as kernels take them; bin v runs from ``low[v]`` to below ``low[v + 1]``."""

    gap_low: IntArray
    """int64[N_GAPS + 1], ns; the last bin is open, its upper end is not used."""
    tail_mean_ns: float
    """Mean time beyond the beginning of the open bin."""
    limit_low: IntArray
    """int64[N_PRICES + 1], ticks behind the best price of the own side, for limit orders."""
    cancel_low: IntArray
    """int64[N_PRICES + 1], the same for cancels; from 0. The last is the reach of the book."""
    size_low: IntArray
    """int64[N_SIZES + 1], lots; from 1."""
    limit_reach: int
    """Most ticks of a limit order from the opposite best price; 0: no such rule."""

    @property
    def reach(self) -> int:
        """Prices that a side of the book holds."""
        return int(self.cancel_low[-1])

    @property
    def ring(self) -> int:
        """Places for prices in memory: a power of two with room in front of the best price."""
        return 1 << int(4 * self.reach - 1).bit_length()

    def as_dict(self) -> dict[str, Any]:
        """Return the bins as JSON can hold them."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in self._asdict().items()
        }

    def digest(self) -> str:
        """Return a name for these bins: 16 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def decode(self, token: IntArray, residual: IntArray) -> IntArray:
        """Return the records of tokens and residuals, int64[..., field]: the inverse of ``residuals``."""
        return self._beginnings(token) + residual

    def residuals(self, record: IntArray, token: IntArray) -> IntArray:
        """Return what tokens leave out of records: the distance from the beginning of the bin, int64[..., field]."""
        return record - self._beginnings(token)

    def _beginnings(self, token: IntArray) -> IntArray:
        kind = token[..., KIND]
        places = np.where(kind >= CANCEL_BUY, self.cancel_low[token[..., PRICE]], self.limit_low[token[..., PRICE]])
        first = np.empty_like(token)
        first[..., GAP] = self.gap_low[token[..., GAP]]
        first[..., KIND] = kind
        first[..., PRICE] = np.where((kind >= MARKET_BUY) & (kind < CANCEL_BUY), 0, places)
        first[..., SIZE] = self.size_low[token[..., SIZE]]
        return first


def scale_from(values: Mapping[str, Any]) -> Scale:
    """Return the bins that ``Scale.as_dict`` wrote.

    Raises
    ------
    ValueError
        An entry is missing, or bins are not ascending integers of the right number.
    """
    try:
        arrays = {name: np.array(values[name], np.int64) for name in ("gap_low", "limit_low", "cancel_low", "size_low")}
        scale = Scale(**arrays, tail_mean_ns=float(values["tail_mean_ns"]), limit_reach=int(values["limit_reach"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"bins: found {error}, expected those that prepare writes") from None
    for name, n_bins in (("gap_low", N_GAPS), ("limit_low", N_PRICES), ("cancel_low", N_PRICES), ("size_low", N_SIZES)):
        if arrays[name].shape != (n_bins + 1,) or (np.diff(arrays[name]) <= 0).any():
            raise ValueError(f"bins: found {name} of shape {arrays[name].shape}, expected {n_bins + 1} ascending")
    return scale


def exact_scale(gap_ns: IntArray, limit_reach: int = 24) -> Scale:
    """Return bins of one tick and one lot, as teachers have them, and gaps fitted to times in ns."""
    low, tail_mean = fit_gaps(gap_ns)
    places = np.arange(N_PRICES + 1)
    return Scale(low, tail_mean, places - INSIDE, places, np.arange(1, N_SIZES + 2), limit_reach)


def fit_scale(record: IntArray) -> Scale:
    """Return bins fitted to the records of a training split, int64[event, field].

    Places are exact near the touch and widen beyond; frequent sizes have a bin of their own.

    Raises
    ------
    ValueError
        There are too few records.
    """
    if len(record) < 1000:
        raise ValueError(f"bins need at least 1,000 events; found {len(record):,}")
    low, tail_mean = fit_gaps(record[:, GAP])
    cancels = record[record[:, KIND] >= CANCEL_BUY, PRICE]
    limits = record[record[:, KIND] < MARKET_BUY, PRICE]
    deepest = int(max(cancels.max(initial=0), limits.max(initial=0))) + 1
    front = max(-int(np.quantile(limits, 0.001)), INSIDE) if len(limits) else INSIDE
    before = 1 - widening(1, front + 1, INSIDE)[:0:-1]  # a bin of distances a to b - 1 in front begins at -(b - 1)
    return Scale(
        low,
        tail_mean,
        np.concatenate([before, widening(0, deepest, N_PRICES - INSIDE)]),
        widening(0, deepest, N_PRICES),
        fit_sizes(record[:, SIZE]),
        0,
    )


def fit_gaps(gap_ns: IntArray) -> tuple[IntArray, float]:
    """Return where 24 bins of equal mass and seven thinner ones begin, and the mean beyond the last, in ns."""
    edges = np.asarray(np.quantile(gap_ns, np.r_[np.arange(1, 25) / 25, _TAIL]), np.int64)
    low = np.empty(N_GAPS + 1, np.int64)
    low[0] = 0
    for value, edge in enumerate(edges.tolist(), start=1):
        low[value] = max(edge, low[value - 1] + 1)  # where many events share an instant, quantiles do too
    low[N_GAPS] = np.iinfo(np.int64).max
    beyond = gap_ns[gap_ns >= low[N_GAPS - 1]]
    return low, float(beyond.mean() - low[N_GAPS - 1] + 1.0) if len(beyond) else 1.0


def widening(first: int, end: int, n_bins: int) -> IntArray:
    """Return where bins begin that hold one number each as long as they can, and then widen by a steady factor.

    Returns
    -------
    int64 array, shape (n_bins + 1,)
        From ``first`` to ``end``, or to ``first + n_bins`` where that is more.
    """
    if end - first <= n_bins:
        return np.arange(first, first + n_bins + 1)
    exact = n_bins // 2
    rest = np.geomspace(1, end - first - exact + 1, n_bins - exact + 1) - 1
    low = np.concatenate([np.arange(exact), exact + rest]).astype(np.int64)
    for value in range(1, n_bins + 1):
        low[value] = max(low[value], low[value - 1] + 1)
    low[-1] = max(low[-1], end - first)
    return first + low


def fit_sizes(size: IntArray) -> IntArray:
    """Return where bins of sizes begin: sizes with a hundredth of all orders stand alone, the others share by mass."""
    values, counts = np.unique(size, return_counts=True)
    frequent = values[np.argsort(-counts, kind="stable")][: N_SIZES // 2 - 2]
    frequent = frequent[counts[np.searchsorted(values, frequent)] >= 0.01 * len(size)]
    top = max(int(values[-1]) + 1, N_SIZES + 1)
    low = {1, top, *frequent.tolist(), *(frequent + 1).tolist()}
    finer = [np.quantile(size, np.arange(1, n) / n).astype(int).tolist() for n in (8, 16, 32, 128, 512)]
    for value in [*(value for values in finer for value in values), *range(2, top)]:
        if len(low) > N_SIZES:
            break
        low.add(value)
    return np.array(sorted(low), np.int64)


__all__ = ["Scale", "exact_scale", "fit_gaps", "fit_scale", "fit_sizes", "scale_from", "widening"]
