"""Log returns of a price on a grid of time, and what is known to be typical of them.

Returns are natural-log differences without a unit; the report prints them in basis points (1e-4). A return that
has no price at one of its ends is NaN: the measures leave it out and say how many there were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import cast

import numpy as np

from marketsim.analysis.columns import FloatArray, IntArray

HORIZONS_NS = tuple(int(seconds * 1e9) for seconds in (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600))
"""Horizons that ``choose_horizon`` chooses from, in nanoseconds: 1 ms, 10 ms, 100 ms, 1 s, 10 s, 1, 10 and 60 min."""

MIN_RETURNS = 500
"""``choose_horizon`` takes the longest horizon that gives at least this many returns."""

MIN_SAMPLE = 30
"""Fewer returns than this are not measured."""

HILL_SHARE = 0.05
"""Share of the largest absolute values that ``hill_tail_index`` takes by default."""

MIN_TAIL = 10
"""``hill_tail_index`` needs at least this many of them."""


def choose_horizon(duration_ns: int) -> int:
    """Horizon at which a run of this length is looked at, in nanoseconds.

    The longest of ``HORIZONS_NS`` that gives at least ``MIN_RETURNS`` returns; 1 ms for runs shorter than half a
    second. The rule looks at the length alone, never at prices, so that it cannot be chosen to please.

    Examples
    --------
    >>> choose_horizon(30 * 60 * 10**9) // 10**9  # half an hour: 1,800 returns over 1 s
    1
    >>> choose_horizon(390 * 60 * 10**9) // 10**9  # a trading day: 2,340 returns over 10 s
    10
    """
    fitting = [horizon for horizon in HORIZONS_NS if duration_ns // horizon >= MIN_RETURNS]
    return max(fitting, default=HORIZONS_NS[0])


def log_returns(price: FloatArray, step: int = 1) -> FloatArray:
    """Log of the ratio of each price to the one ``step`` places before, without overlap.

    Parameters
    ----------
    price : float64 array, shape (n,)
        Positive, or NaN where there is none. Its unit does not matter.
    step : int
        Places from one price to the next that is used.

    Returns
    -------
    float64 array, shape ((n - 1) // step,)
        NaN where a price is missing.

    Raises
    ------
    ValueError
        A price is zero or negative, or ``step`` is less than 1.
    """
    if step < 1:
        raise ValueError(f"found step {step}, expected at least 1")
    if np.any(price <= 0):
        raise ValueError(f"found the price {np.nanmin(price)}, expected positive prices")
    return cast(FloatArray, np.diff(np.log(price[::step])))


def volatility_per_minute(returns: FloatArray, horizon_ns: int) -> float:
    """Realised volatility: root of the mean squared return, scaled to one minute by the root of time.

    The unit is 1 per root minute. The mean is not taken off (Andersen & Bollerslev 1998, International Economic
    Review 39(4), 885-905). Scaling by the root of time supposes that returns are uncorrelated. NaN without returns.

    Examples
    --------
    >>> round(volatility_per_minute(np.array([0.001, -0.001]), 15 * 10**9), 6)  # four returns a minute
    0.002
    """
    present = returns[np.isfinite(returns)]
    if not len(present):
        return float("nan")
    return float(np.sqrt((present**2).mean() * 60e9 / horizon_ns))


def excess_kurtosis(value: FloatArray) -> float:
    """Fourth central moment over the squared second, less 3: 0 for a normal, positive for fat tails.

    Population moments, without correction for small samples; under a normal its standard error is about
    sqrt(24 / n). NaN where the values do not vary.
    """
    present = value[np.isfinite(value)]
    if not len(present):
        return float("nan")
    deviation = present - present.mean()
    variance = float((deviation**2).mean())
    return float((deviation**4).mean() / variance**2 - 3.0) if np.ptp(present) > 0 else float("nan")


@dataclass(frozen=True)
class TailIndex:
    """Hill's estimate: P(|x| > u) falls like u ** -index; a share of all, ``n_tail`` values, was used."""

    index: float
    standard_error: float
    n_tail: int


def hill_tail_index(value: FloatArray, share: float = HILL_SHARE) -> TailIndex | None:
    """Tail index of absolute values after Hill, from the largest ``share`` of them.

    index = k / sum(log(x_i / x_(k+1))) over the k largest; standard error index / sqrt(k) (for independent values;
    dependence makes it larger). Share returns of real markets have about 3; the normal has no finite index.

    Returns
    -------
    TailIndex or None
        None where fewer than ``MIN_TAIL`` values are in the tail, or where the (k + 1)-th largest is 0 or equals
        the largest, as happens when prices move by single ticks.

    References
    ----------
    Hill (1975), Annals of Statistics 3(5), 1163-1174. Reference value: Gopikrishnan et al. (1998), European
    Physical Journal B 3, 139-140.
    """
    size = np.sort(np.abs(value[np.isfinite(value)]))[::-1]
    n_tail = math.ceil(share * len(size))
    if n_tail < MIN_TAIL or n_tail >= len(size) or size[n_tail] <= 0 or size[n_tail] == size[0]:
        return None
    index = n_tail / float(np.log(size[:n_tail] / size[n_tail]).sum())
    return TailIndex(index, index / math.sqrt(n_tail), n_tail)


@dataclass(frozen=True)
class NormalComparison:
    """A sample beside the normal of its own mean and standard deviation.

    Attributes
    ----------
    edge : float64 array, shape (bins + 1,)
        Bounds of the bins of the histogram, in standard deviations from the mean.
    density, normal_density : float64 array, shape (bins,)
        Share of the sample, and of a standard normal, in each bin, divided by its width. The first and the last
        bin also hold what lies beyond them, in both.
    quantile, normal_quantile : float64 array, shape (m,)
        Values of the sample in standard deviations from the mean, and the normal's at the same share
        (i - 0.5) / n: all of a small sample; of a large one its 50 least and greatest and 200 between.
    """

    edge: FloatArray
    density: FloatArray
    normal_density: FloatArray
    quantile: FloatArray
    normal_quantile: FloatArray


def compare_with_normal(value: FloatArray, n_bins: int = 41, reach: float = 5.0) -> NormalComparison | None:
    """Histogram and quantiles of a sample beside a normal's; None where the values do not vary.

    Parameters
    ----------
    value : float64 array
        NaN is left out.
    n_bins : int
        Bins from -``reach`` to ``reach`` standard deviations.
    reach : float
        Where the histogram ends.
    """
    present = np.sort(value[np.isfinite(value)])
    if not len(present) or present[0] == present[-1]:
        return None
    standard = (present - present.mean()) / present.std()
    edge = np.linspace(-reach, reach, n_bins + 1)
    width = edge[1] - edge[0]
    count, _ = np.histogram(np.clip(standard, -reach, reach), edge)
    normal = NormalDist()
    below = np.array([0.0, *(normal.cdf(bound) for bound in edge[1:-1]), 1.0])
    n = len(standard)
    rank = _ranks_to_show(n)
    expected = np.array([normal.inv_cdf((one + 0.5) / n) for one in rank.tolist()])
    return NormalComparison(edge, count / n / width, np.diff(below) / width, standard[rank], expected)


def _ranks_to_show(n: int) -> IntArray:
    """Ranks of a sorted sample, from 0: all of a small one; of a large one both ends and 200 between."""
    if n <= 400:
        return np.arange(n)
    between = np.linspace(50, n - 51, 200).astype(np.int64)
    return np.concatenate([np.arange(50), np.unique(between)[1:-1], np.arange(n - 50, n)])
