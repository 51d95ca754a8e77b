"""Whether what a model sees of its own past answers pulls the next one."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from marketsim.analysis.bias.logistic import fit_logistic, likelihood_ratio
from marketsim.analysis.bias.results import MIN_RARER, TestResult, inestimable
from marketsim.analysis.columns import FloatArray, IntArray


def history_tests(ones: IntArray, n: IntArray, polarity: FloatArray, length: FloatArray) -> list[TestResult]:
    """Test the polarity of the history, and polarity by length.

    Logit P(answer) = a + b log2(1 + length) + c polarity + d polarity (log2(1 + length) - its mean); likelihood ratios
    of c, and of d beside c. Assumes independent answers.

    Parameters
    ----------
    ones, n : int64 array, shape (m,)
        Counted answers, and all, for each kind of history.
    polarity : float64 array, shape (m,)
        From -1 (a history of the other answer) to +1 (of the counted one).
    length : float64 array, shape (m,)
        Answers that the history shows.

    Returns
    -------
    list of TestResult
        ``history`` and ``history_length``; estimates are c and d, facts the share at polarity -1 and +1.
    """
    total, rarer = int(n.sum()), int(min(ones.sum(), (n - ones).sum()))
    names = ("history", "history_length")
    if len(np.unique(polarity)) < 2:
        return [inestimable(name, total, "it takes histories of two polarities") for name in names]
    if rarer < MIN_RARER:
        reason = f"the rarer answer was given {rarer} times, fewer than {MIN_RARER}"
        return [inestimable(name, total, reason) for name in names]
    scale = np.log2(1.0 + length)
    centred = scale - (n * scale).sum() / total
    plain = np.stack([np.ones(len(n)), centred], axis=1) if np.ptp(scale) > 0 else np.ones((len(n), 1))
    pulled = np.column_stack([plain, polarity])
    fits = [fit_logistic(matrix, ones, n) for matrix in (plain, pulled)]
    statistic, p_value = likelihood_ratio(fits[0].log_likelihood, fits[1].log_likelihood, 1)
    slope, error = float(fits[1].coefficient[-1]), float(np.sqrt(fits[1].covariance[-1, -1]))
    facts = {
        f"share_{sign}": float(expit(fits[1].coefficient[0] + side * slope)) for sign, side in (("no", -1), ("yes", 1))
    }
    pull = TestResult(
        "history", total, statistic, p_value, slope, slope - 1.96 * error, slope + 1.96 * error, facts=facts
    )
    if np.ptp(scale[np.abs(polarity) > 0]) == 0:
        return [pull, inestimable("history_length", total, "all histories have one length")]
    grown = fit_logistic(np.column_stack([pulled, polarity * centred]), ones, n)
    statistic, p_value = likelihood_ratio(fits[1].log_likelihood, grown.log_likelihood, 1)
    slope, error = float(grown.coefficient[-1]), float(np.sqrt(grown.covariance[-1, -1]))
    low, high = slope - 1.96 * error, slope + 1.96 * error
    return [pull, TestResult("history_length", total, statistic, p_value, slope, low, high)]
