"""Exact distributions of sums over calls: runs, first answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.special import gammaln

from marketsim.analysis.columns import FloatArray

_DIRECT: Final = 4_000
"""Up to this support sums are formed by plain convolution, whose tails are exact however small."""

_MOST_WORK: Final = 50_000_000
"""Beyond this many points to transform, ``sum_distribution`` gives up and the caller takes a normal approximation."""


def runs_distribution(n_ones: int, n_zeros: int) -> FloatArray:
    """Probabilities of 0, 1, 2, ... runs in a random order of so many ones and zeros.

    References
    ----------
    Wald & Wolfowitz (1940), Annals of Mathematical Statistics 11(2), 147-162.

    Examples
    --------
    >>> runs_distribution(2, 2).round(3).tolist()
    [0.0, 0.0, 0.333, 0.333, 0.333]
    """
    if n_ones == 0 or n_zeros == 0:
        return np.array([0.0, 1.0]) if n_ones + n_zeros else np.array([1.0])
    probability = np.zeros(2 * min(n_ones, n_zeros) + 2)
    half = np.arange(1, min(n_ones, n_zeros) + 1)
    whole = _log_choose(n_ones + n_zeros, np.array([n_ones]))
    one, zero = _log_choose(n_ones - 1, half - 1), _log_choose(n_zeros - 1, half - 1)
    probability[2 * half] = 2.0 * np.exp(one + zero - whole)
    one_more, zero_more = _log_choose(n_ones - 1, half), _log_choose(n_zeros - 1, half)
    probability[2 * half + 1] = np.exp(one_more + zero - whole) + np.exp(one + zero_more - whole)
    return probability[:-1] if n_ones == n_zeros else probability


def binomial_distribution(n: int, p: float) -> FloatArray:
    """Probabilities of 0 to n successes."""
    if p in (0.0, 1.0):
        sure = np.zeros(n + 1)
        sure[0 if p == 0.0 else n] = 1.0
        return sure
    k = np.arange(n + 1)
    probability: FloatArray = np.exp(_log_choose(n, k) + k * np.log(p) + (n - k) * np.log1p(-p))
    return probability


def sum_distribution(parts: Sequence[tuple[FloatArray, int]]) -> FloatArray | None:
    """Distribution of a sum of independent counts.

    Parameters
    ----------
    parts : sequence of (float64 array, int)
        Probabilities of 0, 1, 2, ... and how many independent counts have them.

    Returns
    -------
    float64 array or None
        Probabilities of 0, 1, 2, ...; None where they would take too long. Above a support of 4,000 they come from a
        Fourier transform, good to about 1e-12.
    """
    support = 1 + sum((len(pmf) - 1) * times for pmf, times in parts)
    if support <= _DIRECT:
        total = np.ones(1)
        for pmf, times in parts:
            total = np.convolve(total, _power(pmf, times))
        return total
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    if support * len(parts) > _MOST_WORK:
        return None
    length = 1 << (support - 1).bit_length()
    transform = np.ones(length // 2 + 1, np.complex128)
    for pmf, times in parts:
        transform *= np.fft.rfft(pmf, length) ** times
    clipped: FloatArray = np.clip(np.fft.irfft(transform, length)[:support], 0.0, 1.0)
    return clipped


def tails(distribution: FloatArray, value: int) -> tuple[float, float]:
    """Return P(X <= value) and P(X >= value)."""
    lower = float(distribution[: value + 1].sum())
    upper = float(distribution[value:].sum()) if value < len(distribution) else 0.0
    return min(lower, 1.0), min(upper, 1.0)


def _power(pmf: FloatArray, times: int) -> FloatArray:
    """Convolve a distribution with itself, by squaring."""
    result = np.ones(1)
    while times:
        if times & 1:
            result = np.convolve(result, pmf)
        times >>= 1
        if times:
            pmf = np.convolve(pmf, pmf)
    return result


def _log_choose(n: int, k: np.ndarray) -> FloatArray:
    """Logarithm of n over k; minus infinity where k is beyond n."""
    inside = np.minimum(k, n)
    value = gammaln(n + 1.0) - gammaln(inside + 1.0) - gammaln(n - inside + 1.0)
    chosen: FloatArray = np.where(k <= n, value, -np.inf)
    return chosen
