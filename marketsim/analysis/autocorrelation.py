"""Autocorrelation of a series, with bands that say how large chance alone would make it.

A missing value (NaN) is left out of every product that it would enter (Parzen 1963, Sankhya A 25(4), 383-392),
so that a gap does not join what lies on its two sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from marketsim.analysis.columns import FloatArray

MAX_LAGS = 50
"""Lags that ``correlogram`` shows at most; a quarter of the sample if that is less (Box & Jenkins 1970)."""


@dataclass(frozen=True)
class Correlogram:
    """Autocorrelations at lags 1 to m, and the band that holds each of them with probability ``level`` by chance.

    Attributes
    ----------
    value, band : float64 array, shape (m,)
        Entry k - 1 belongs to lag k; chance alone leaves the value in -band to band.
    n : int
        Values that were there.
    level : float
        Probability of the band, lag by lag (not for all lags at once).
    """

    value: FloatArray
    band: FloatArray
    n: int
    level: float

    @property
    def n_outside(self) -> int:
        """Lags whose value lies outside of the band."""
        return int((np.abs(self.value) > self.band).sum())

    @property
    def n_expected_outside(self) -> float:
        """Lags that would lie outside by chance, on average."""
        return len(self.value) * (1.0 - self.level)


def autocorrelation(value: FloatArray, n_lags: int) -> FloatArray:
    """Sample autocorrelations at lags 1 to ``n_lags``.

    r_k = sum d_t d_(t+k) / sum d_t^2 with d the deviation from the mean, so that |r_k| <= 1.

    Parameters
    ----------
    value : float64 array, shape (n,)
        Equally spaced; NaN where missing.
    n_lags : int
        Less than n.

    Returns
    -------
    float64 array, shape (n_lags,)
        NaN where the values do not vary.

    Raises
    ------
    ValueError
        ``n_lags`` is negative or not less than n.
    """
    if not 0 <= n_lags < max(len(value), 1):
        raise ValueError(f"found {n_lags} lags of {len(value)} values, expected fewer lags than values")
    deviation = _deviation(value)
    power = float((deviation**2).sum())
    if power == 0:
        return np.full(n_lags, np.nan)
    return np.array([deviation[lag:] @ deviation[: len(deviation) - lag] for lag in range(1, n_lags + 1)]) / power


def white_noise_band(n: int, n_lags: int, level: float = 0.95) -> FloatArray:
    """Half-width z / sqrt(n) of the band for independent values of one distribution; shape (n_lags,).

    References
    ----------
    Anderson (1942), Annals of Mathematical Statistics 13(1), 1-13.
    """
    return np.full(n_lags, _quantile(level) / np.sqrt(n))


def bartlett_band(correlation: FloatArray, n: int, level: float = 0.95) -> FloatArray:
    """Half-width at lag k where the series is a moving average of order k - 1; shape of ``correlation``.

    z sqrt((1 + 2 (r_1^2 + ... + r_(k-1)^2)) / n).

    References
    ----------
    Bartlett (1946), Supplement to the Journal of the Royal Statistical Society 8(1), 27-41.
    """
    before = np.concatenate([[0.0], np.cumsum(correlation[:-1] ** 2)]) if len(correlation) else correlation
    half_width: FloatArray = _quantile(level) * np.sqrt((1.0 + 2.0 * before) / n)
    return half_width


def robust_band(value: FloatArray, n_lags: int, level: float = 0.95) -> FloatArray:
    """Half-width for values that are uncorrelated but whose variance may cluster; shape (n_lags,).

    z sqrt(sum d_t^2 d_(t+k)^2) / sum d_t^2. The band for white noise is too narrow for returns whose volatility
    comes in waves; this one is right for both.

    References
    ----------
    Taylor (1984), Applied Statistics 33(3), 300-308; Lo & MacKinlay (1988), Review of Financial Studies 1(1), 41-66.
    """
    squared = _deviation(value) ** 2
    power = float(squared.sum())
    if power == 0:
        return np.full(n_lags, np.nan)
    overlap = [squared[lag:] @ squared[: len(squared) - lag] for lag in range(1, n_lags + 1)]
    half_width: FloatArray = _quantile(level) * np.sqrt(np.array(overlap)) / power
    return half_width


def correlogram(value: FloatArray, *, robust: bool = False, level: float = 0.95) -> Correlogram | None:
    """Autocorrelations with their band; None where there are fewer than 8 values or they do not vary.

    Parameters
    ----------
    value : float64 array
        Equally spaced; NaN where missing.
    robust : bool
        Take ``robust_band`` instead of ``white_noise_band``.
    level : float
        Probability of the band at one lag.
    """
    n = int(np.isfinite(value).sum())
    n_lags = min(MAX_LAGS, n // 4)
    if n_lags < 2:
        return None
    correlation = autocorrelation(value, n_lags)
    if not np.isfinite(correlation).all():
        return None
    band = robust_band(value, n_lags, level) if robust else white_noise_band(n, n_lags, level)
    return Correlogram(correlation, band, n, level)


def _deviation(value: FloatArray) -> FloatArray:
    """Deviations from the mean, 0 where a value is missing; exactly 0 where the values do not vary."""
    present = np.isfinite(value)
    if not present.any() or np.ptp(value[present]) == 0:
        return np.zeros(len(value))
    filled = np.where(present, value, 0.0)
    deviation: FloatArray = np.where(present, filled - filled.sum() / present.sum(), 0.0)
    return deviation


def _quantile(level: float) -> float:
    """Standard normal quantile that leaves ``level`` between itself and its negative."""
    return NormalDist().inv_cdf((1.0 + level) / 2.0)
