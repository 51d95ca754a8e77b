"""Markov chains of order 0, 1 and 2 from counts of transitions within calls.

The null is that within a call each order is equally likely. In a call of n answers that already makes neighbours
differ more often than independence does, by 1 / (n - 1), so likelihood ratios are taken against the transition
probabilities of random orders. With one long call they are Anderson and Goodman's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import xlog1py, xlogy

from marketsim.analysis.columns import FloatArray, IntArray


def exchangeable_pairs(ones: IntArray, size: IntArray) -> FloatArray:
    """Expected counts of pairs a, b, summed over calls, when every order is equally likely: float64[2, 2]."""
    return _exchangeable(ones, size, 2)


def exchangeable_triples(ones: IntArray, size: IntArray) -> FloatArray:
    """Expected counts of triples a, b, c: float64[2, 2, 2]."""
    return _exchangeable(ones, size, 3)


def _exchangeable(ones: IntArray, size: IntArray, length: int) -> FloatArray:
    long = size >= length
    k, n = ones[long].astype(np.float64), size[long].astype(np.float64)
    expected = np.zeros((2,) * length)
    places = n - length + 1
    for word in product((0, 1), repeat=length):
        chance, left, left_ones = places.copy(), n.copy(), k.copy()
        for bit in word:
            chance *= (left_ones if bit else left - left_ones) / left
            left_ones = left_ones - bit
            left = left - 1
        expected[word] = chance.sum()
    return expected


def likelihood_ratio_1(pairs: FloatArray, expected: FloatArray) -> FloatArray:
    """Likelihood ratio of random orders against a chain of order 1.

    Parameters
    ----------
    pairs : float64 array, shape (..., 2, 2)
        Counts of pairs a, b.
    expected : float64 array, shape (2, 2)
        From ``exchangeable_pairs``.

    References
    ----------
    Anderson & Goodman (1957), Annals of Mathematical Statistics 28(1), 89-110.
    """
    chance = expected / np.maximum(expected.sum(-1, keepdims=True), 1e-300)
    total = pairs.sum(-1, keepdims=True)
    fitted = pairs / np.maximum(total, 1.0)
    cells = xlogy(pairs, fitted) - xlogy(pairs, np.where(pairs > 0, chance, 1.0))
    ratio: FloatArray = 2.0 * cells.sum((-2, -1))
    return ratio


def likelihood_ratio_2(triples: FloatArray, expected: FloatArray) -> FloatArray:
    """Likelihood ratio of order 1 against order 2, two degrees of freedom in long calls.

    The chain of order 1 keeps the pull that random orders in short calls have on the answer before the last: logit
    P(1 | a, b) = free constant of b + the same logit for random orders.

    Parameters
    ----------
    triples : float64 array, shape (..., 2, 2, 2)
        Counts of triples a, b, c.
    expected : float64 array, shape (2, 2, 2)
        From ``exchangeable_triples``.
    """
    n, y = triples.sum(-1), triples[..., 1]
    odds = np.maximum(expected[..., 1], 1e-12) / np.maximum(expected[..., 0], 1e-12)
    constant = _free_odds(n[..., 0, :], n[..., 1, :], y.sum(-2), odds[0], odds[1])
    fitted = constant[..., None, :] * odds
    fitted = fitted / (1.0 + fitted)
    share = y / np.maximum(n, 1.0)
    saturated = xlogy(y, share) + xlog1py(n - y, -share)
    restricted = xlogy(y, np.where(y > 0, fitted, 1.0)) + xlog1py(n - y, np.where(n > y, -fitted, 0.0))
    ratio: FloatArray = 2.0 * (saturated - restricted).sum((-2, -1))
    return np.maximum(ratio, 0.0)


def _free_odds(n_0: FloatArray, n_1: FloatArray, y: FloatArray, odds_0: FloatArray, odds_1: FloatArray) -> FloatArray:
    """Solve n_0 e w_0 / (1 + e w_0) + n_1 e w_1 / (1 + e w_1) = y for e, the maximum of the likelihood."""
    square = (n_0 + n_1 - y) * odds_0 * odds_1
    linear = n_0 * odds_0 + n_1 * odds_1 - y * (odds_0 + odds_1)
    root = np.sqrt(linear**2 + 4.0 * square * y)
    # Two forms of one root, each where it loses no digits; all ones have infinite odds.
    low = np.divide(2.0 * y, linear + root, out=np.full_like(root, 1e100), where=linear + root > 0)
    high = np.divide(root - linear, 2.0 * square, out=np.full_like(root, 1e100), where=square > 0)
    return np.minimum(np.where(linear >= 0, low, high), 1e100)


@dataclass(frozen=True)
class OrderChoice:
    """Bayesian information criterion of orders 0, 1 and 2 on one and the same answers; the least is chosen."""

    bic: tuple[float, float, float]
    n: int

    @property
    def order(self) -> int:
        """The order chosen."""
        return int(np.argmin(self.bic))


def choose_order(triples: FloatArray) -> OrderChoice:
    """Choose the order of a chain by BIC, from counts of triples (2, 2, 2).

    All three orders predict the third answer of each triple: 1, 2 and 4 free probabilities.

    References
    ----------
    Katz (1981), Technometrics 23(3), 243-249.
    """
    n = float(triples.sum())
    counts = (triples.sum((0, 1)), triples.sum(0), triples)
    likelihood = [float(xlogy(c, c).sum() - xlogy(c.sum(-1), c.sum(-1)).sum()) for c in counts]
    bic = [-2.0 * value + k * np.log(max(n, 1.0)) for value, k in zip(likelihood, (1, 2, 4), strict=True)]
    return OrderChoice((bic[0], bic[1], bic[2]), int(n))
