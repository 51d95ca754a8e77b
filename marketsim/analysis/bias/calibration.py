"""Whether shares follow the probabilities that were stated, or jump from one answer to the other."""

from __future__ import annotations

from typing import Final

import numpy as np

from marketsim.analysis.bias.results import TestResult, inestimable
from marketsim.analysis.columns import FloatArray, IntArray

N_DRAWS: Final = 9_999
"""Sets of counts drawn with the stated probabilities."""


def calibration_test(ones: IntArray, n: IntArray, stated: FloatArray, rng: np.random.Generator) -> TestResult:
    """Test for a step: a rise of the share between neighbouring stated probabilities that exceeds theirs.

    The statistic is the largest rise in excess of the stated one, in standard errors of that difference under the
    stated probabilities. The null draws every level's count with its stated probability; assumes independent answers.

    Parameters
    ----------
    ones, n : int64 array, shape (k,)
        Answers counted, and all, at each stated probability.
    stated : float64 array, shape (k,)
        Increasing.
    rng : Generator
        From ``core.rng``.

    Returns
    -------
    TestResult
        ``facts``: where the largest rise begins and ends (``from``, ``to``) and the shares there.
    """
    total = int(n.sum())
    if len(stated) < 3:
        return inestimable("calibration", total, "it takes three stated probabilities")
    excess = _excess_rise(ones / n, stated)
    scale = _scale(n, stated)
    drawn = rng.binomial(n, stated, size=(N_DRAWS, len(n)))
    chance = (_excess_rise(drawn / n, stated) / scale).max(axis=1)
    place = int(np.argmax(excess))
    statistic = float((excess / scale).max())
    facts = {
        "from": float(stated[place]),
        "to": float(stated[place + 1]),
        "share_from": float(ones[place] / n[place]),
        "share_to": float(ones[place + 1] / n[place + 1]),
        "levels": float(len(stated)),
    }
    p_value = float((1 + (chance >= statistic - 1e-12).sum()) / (N_DRAWS + 1))
    return TestResult("calibration", total, statistic, p_value, float(excess[place]), facts=facts)


def _excess_rise(share: FloatArray, stated: FloatArray) -> FloatArray:
    """Rise between neighbours, less the stated one: float64[..., k - 1]."""
    rise: FloatArray = np.diff(share, axis=-1) - np.diff(stated)
    return rise


def _scale(n: IntArray, stated: FloatArray) -> FloatArray:
    """Standard error of each rise, with half an answer's worth where the stated probabilities are 0 and 1."""
    variance = stated * (1 - stated) / n + 0.25 / n.astype(np.float64) ** 2
    error: FloatArray = np.sqrt(variance[1:] + variance[:-1])
    return error
