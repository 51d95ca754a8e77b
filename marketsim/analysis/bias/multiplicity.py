"""Corrections for many tests at once."""

from __future__ import annotations

import numpy as np

from marketsim.analysis.columns import FloatArray, IntArray


def holm(p_value: FloatArray) -> FloatArray:
    """Return p-values adjusted so that the chance of any false finding stays below the level; NaN stays NaN.

    Parameters
    ----------
    p_value : float64 array, shape (m,)
        NaN where a test gave none; it does not count as one.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70. Valid whatever the tests' dependence.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    place, ordered = _ordered(p_value)
    scaled = np.maximum.accumulate(ordered * np.arange(len(place), 0, -1.0))
    return _placed(p_value, place, scaled)


def benjamini_hochberg(p_value: FloatArray) -> FloatArray:
    """Return p-values adjusted so that the expected share of false findings stays below the level; NaN stays NaN.

    References
    ----------
    Benjamini & Hochberg (1995), J. Royal Statistical Society B 57(1), 289-300. For independent or positively dependent
    tests.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.04, 0.04]
    """
    place, ordered = _ordered(p_value)
    scaled = ordered * len(place) / np.arange(1.0, len(place) + 1)
    return _placed(p_value, place, np.minimum.accumulate(scaled[::-1])[::-1])


def _ordered(p_value: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the places of the p-values that there are, least first, and their values."""
    known = np.flatnonzero(np.isfinite(p_value))
    place = known[np.argsort(p_value[known], kind="stable")]
    return place, p_value[place]


def _placed(p_value: FloatArray, place: IntArray, scaled: FloatArray) -> FloatArray:
    adjusted = np.full(len(p_value), np.nan)
    adjusted[place] = np.minimum(scaled, 1.0)
    return adjusted
