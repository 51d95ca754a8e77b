"""Logistic regression of counts, for likelihood ratio tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtrc, expit, xlog1py, xlogy

from marketsim.analysis.columns import FloatArray, IntArray

_MOST_STEPS: Final = 50
_FAR: Final = 30.0
"""A linear predictor beyond this is a probability of 0 or 1: where answers separate, the likelihood is at its bound."""


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients of a logistic regression with their covariance and log likelihood (without binomial constants)."""

    coefficient: FloatArray
    covariance: FloatArray
    log_likelihood: float


def fit_logistic(matrix: FloatArray, ones: IntArray, n: IntArray) -> LogisticFit:
    """Fit logit p = matrix @ coefficient to binomial counts, by Newton's method.

    Parameters
    ----------
    matrix : float64 array, shape (m, k)
        Of full column rank.
    ones, n : int64 array, shape (m,)
        Successes and trials of each row.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 4.4.
    """
    coefficient = np.zeros(matrix.shape[1])
    best = _log_likelihood(matrix, coefficient, ones, n)
    for _ in range(_MOST_STEPS):
        p = expit(matrix @ coefficient)
        information = matrix.T @ (matrix * (n * p * (1 - p))[:, None])
        step = np.linalg.lstsq(information, matrix.T @ (ones - n * p), rcond=None)[0]
        value, size = -np.inf, 1.0
        while value < best - 1e-12 and size > 1e-6:
            value = _log_likelihood(matrix, coefficient + size * step, ones, n)
            size /= 2
        coefficient = coefficient + 2 * size * step
        gain, best = value - best, value
        if gain < 1e-10 or np.abs(matrix @ coefficient).max() > _FAR:
            break
    p = expit(matrix @ coefficient)
    information = matrix.T @ (matrix * (n * p * (1 - p))[:, None])
    return LogisticFit(coefficient, np.linalg.pinv(information), best)


def saturated_log_likelihood(ones: IntArray, n: IntArray) -> float:
    """Log likelihood with a share of its own for every row."""
    share = ones / np.maximum(n, 1)
    return float((xlogy(ones, share) + xlog1py(n - ones, -share)).sum())


def likelihood_ratio(small: float, large: float, degrees: int) -> tuple[float, float]:
    """Return twice the difference of two log likelihoods, and its chi-square p-value."""
    statistic = max(2.0 * (large - small), 0.0)
    return statistic, float(chdtrc(degrees, statistic))


def _log_likelihood(matrix: FloatArray, coefficient: FloatArray, ones: IntArray, n: IntArray) -> float:
    eta = matrix @ coefficient
    return float((ones * eta - n * np.logaddexp(0.0, eta)).sum())
