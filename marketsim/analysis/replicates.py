"""Statistics over replicates: means with intervals, paired differences, and how many replicates a difference needs.

Replicates are independent repetitions, one number each. Two arms that ran on the same random numbers are compared
replicate by replicate, which removes what both have in common.

References
----------
Law (2015), Simulation Modeling and Analysis, 5th ed., ch. 10 and 11: paired-t intervals, common random numbers.
Efron (1987), J. American Statistical Association 82(397), 171-185: BCa bootstrap intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from marketsim.analysis.columns import FloatArray, IntArray

NAN = float("nan")
LEVEL = 0.95
BOOTSTRAP_DRAWS = 2_000
MAX_REPLICATES = 10_000_000
"""Beyond this ``replicates_needed`` gives up."""


@dataclass(frozen=True)
class MeanInterval:
    """A mean over replicates.

    Attributes
    ----------
    n : int
        Values that were there.
    mean, deviation : float
        NaN where there were none; the deviation divides by n - 1.
    low, high : float
        Ends of the interval; NaN where n < 2.
    """

    n: int
    mean: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedDifference:
    """What an arm changes, from pairs of runs.

    Attributes
    ----------
    n : int
        Pairs of which both values were there.
    base, difference : float
        Mean of the first arm, and of second minus first.
    deviation : float
        Of the differences.
    low, high : float
        Interval of the mean difference by Student's t.
    p_value : float
        Of the paired t-test, two-sided; 0 or 1 where the differences do not vary.
    correlation : float
        Between the arms over pairs; NaN where one does not vary.
    variance_ratio : float
        Variance of the differences over that of two independent arms; below 1 where common random numbers help.
    """

    n: int
    base: float
    difference: float
    deviation: float
    low: float
    high: float
    p_value: float
    correlation: float
    variance_ratio: float


def mean_interval(
    values: FloatArray,
    level: float = LEVEL,
    method: Literal["t", "bootstrap"] = "t",
    rng: np.random.Generator | None = None,
) -> MeanInterval:
    """Return the mean of replicates with its interval.

    Parameters
    ----------
    values : float64 array
        One a replicate; NaN where it is missing.
    level : float
        Probability that the interval covers the mean.
    method : str
        ``"t"``: Student's; ``"bootstrap"``: BCa, for values far from normal.
    rng : Generator, optional
        Draws of the bootstrap.

    Raises
    ------
    ValueError
        The bootstrap lacks its generator.

    Examples
    --------
    >>> found = mean_interval(np.array([1.0, 2.0, 3.0]))
    >>> found.n, found.mean, round(found.low, 3), round(found.high, 3)
    (3, 2.0, -0.484, 4.484)
    """
    present = np.asarray(values, np.float64)
    present = present[np.isfinite(present)]
    n = len(present)
    if n == 0:
        return MeanInterval(0, NAN, NAN, NAN, NAN)
    mean = float(present.mean())
    if n == 1:
        return MeanInterval(1, mean, NAN, NAN, NAN)
    deviation = float(present.std(ddof=1))
    if deviation == 0.0:
        return MeanInterval(n, mean, 0.0, mean, mean)
    if method == "bootstrap":
        low, high = _bootstrap(present, level, rng)
    else:
        half = float(t_half_width(np.array(n), np.array(deviation), level))
        low, high = mean - half, mean + half
    return MeanInterval(n, mean, deviation, low, high)


def t_half_width(n: IntArray, deviation: FloatArray, level: float = LEVEL) -> FloatArray:
    """Return half the width of Student's interval of each mean.

    Parameters
    ----------
    n : int64 array
        Values behind each mean.
    deviation : float64 array, of the same shape
        Their standard deviations.
    level : float
        Probability of the intervals.

    Returns
    -------
    float64 array, of the same shape
        NaN where n < 2.
    """
    from scipy import stats

    freedom = np.where(np.asarray(n) > 1, np.asarray(n) - 1, np.nan)
    half: FloatArray = stats.t.ppf(0.5 + level / 2, freedom) * deviation / np.sqrt(freedom + 1)
    return half


def paired_difference(first: FloatArray, second: FloatArray, level: float = LEVEL) -> PairedDifference:
    """Compare two arms pair by pair.

    Parameters
    ----------
    first, second : float64 array, shape (pairs,)
        Entry i of both belongs to pair i; NaN where it is missing.
    level : float
        Probability of the interval.

    Raises
    ------
    ValueError
        The arrays differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"expected as many values in both arms; found {len(first)} and {len(second)}")
    both = np.isfinite(first) & np.isfinite(second)
    a, b = np.asarray(first, np.float64)[both], np.asarray(second, np.float64)[both]
    interval = mean_interval(b - a, level)
    n, base = interval.n, float(a.mean()) if len(a) else NAN
    if n < 2:
        return PairedDifference(n, base, interval.mean, NAN, NAN, NAN, NAN, NAN, NAN)
    alone = float(a.var(ddof=1) + b.var(ddof=1))
    varies = a.std() > 0 and b.std() > 0
    return PairedDifference(
        n=n,
        base=base,
        difference=interval.mean,
        deviation=interval.deviation,
        low=interval.low,
        high=interval.high,
        p_value=_p_value(interval),
        correlation=float(np.corrcoef(a, b)[0, 1]) if varies else NAN,
        variance_ratio=interval.deviation**2 / alone if alone > 0 else NAN,
    )


def replicates_needed(deviation: float, difference: float, power: float = 0.9, alpha: float = 0.05) -> int:
    """Return how many pairs find a mean difference with a given probability, by a two-sided paired t-test.

    Parameters
    ----------
    deviation : float
        Standard deviation of the differences between pairs, from a pilot.
    difference : float
        What is to be found, in the same unit.
    power : float
        Probability to find it.
    alpha : float
        Probability to find one where there is none.

    Raises
    ------
    ValueError
        A number is out of range, or more than ``MAX_REPLICATES`` are needed.

    References
    ----------
    Cohen (1988), Statistical Power Analysis, 2nd ed., ch. 2: power from the noncentral t distribution.

    Examples
    --------
    >>> replicates_needed(deviation=2.0, difference=1.0, power=0.8)
    34
    """
    if not (0 < alpha < power < 1) or not deviation >= 0 or not abs(difference) > 0:
        raise ValueError(
            f"expected 0 < alpha < power < 1, a deviation of at least 0 and a difference other than 0; "
            f"found alpha {alpha}, power {power}, deviation {deviation}, difference {difference}"
        )
    if deviation == 0:
        return 2
    effect = abs(difference) / deviation
    high = 2
    while _power(high, effect, alpha) < power:
        high *= 2
        if high > MAX_REPLICATES:
            raise ValueError(f"a difference of {difference:g} needs more than {MAX_REPLICATES:,} replicates")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, effect, alpha) >= power else (middle, high)
    return high


def _power(n: int, effect: float, alpha: float) -> float:
    from scipy import stats

    if n < 2:
        return 0.0
    shift, limit = effect * math.sqrt(n), _t_quantile(1 - alpha, n - 1)
    if shift > 30:  # far beyond any limit; the noncentral t loses its digits there
        return 1.0
    return float(stats.nct.sf(limit, n - 1, shift) + stats.nct.cdf(-limit, n - 1, shift))


def _t_quantile(level: float, freedom: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.5 + level / 2, freedom))


def _p_value(interval: MeanInterval) -> float:
    from scipy import stats

    if interval.deviation == 0.0:
        return 1.0 if interval.mean == 0.0 else 0.0
    statistic = interval.mean / (interval.deviation / math.sqrt(interval.n))
    return float(2 * stats.t.sf(abs(statistic), interval.n - 1))


def _bootstrap(values: FloatArray, level: float, rng: np.random.Generator | None) -> tuple[float, float]:
    from scipy import stats

    if rng is None:
        raise ValueError("a bootstrap interval needs a generator, such as one from core.rng")
    found: Any = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=BOOTSTRAP_DRAWS, method="BCa", rng=rng
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
