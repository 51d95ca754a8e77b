"""The temperature law: softmax sampling divides logits by the temperature."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from marketsim.analysis.bias.logistic import fit_logistic, likelihood_ratio, saturated_log_likelihood
from marketsim.analysis.bias.results import MIN_RARER, TestResult, inestimable
from marketsim.analysis.columns import FloatArray, IntArray


def temperature_law_test(ones: IntArray, n: IntArray, temperature: FloatArray) -> TestResult:
    """Test logit p(T) = logit p(1) / T against a free share at every temperature.

    One parameter, logit p(1), by logistic regression on 1 / T without a constant; the deviance has temperatures - 1
    degrees. The law holds for the label probabilities of a single answer token with top_p = 1 and no reasoning: a share
    of 98.5 % at T = 1 is still 89 % at T = 2. Assumes independent answers. Temperature 0 is no sampling, and left out.

    Parameters
    ----------
    ones, n : int64 array, shape (k,)
        Counted answers, and all, at each temperature.
    temperature : float64 array, shape (k,)

    Returns
    -------
    TestResult
        The estimate is p(1) with its 95 % interval.
    """
    warm = temperature > 0
    ones, n, temperature = ones[warm], n[warm], temperature[warm]
    total, rarer = int(n.sum()), int(min(ones.sum(), (n - ones).sum()))
    if len(n) < 2:
        return inestimable("temperature_law", total, "it takes two temperatures above 0")
    if rarer < MIN_RARER:
        return inestimable(
            "temperature_law", total, f"the rarer answer was given {rarer} times, fewer than {MIN_RARER}"
        )
    fit = fit_logistic(1.0 / temperature[:, None], ones, n)
    statistic, p_value = likelihood_ratio(fit.log_likelihood, saturated_log_likelihood(ones, n), len(n) - 1)
    logit, error = float(fit.coefficient[0]), float(np.sqrt(fit.covariance[0, 0]))
    share, low, high = (float(expit(logit + z * error)) for z in (0.0, -1.96, 1.96))
    facts = {"logit": logit, "degrees": float(len(n) - 1), "temperatures": float(len(n))}
    return TestResult("temperature_law", total, statistic, p_value, share, low, high, facts=facts)
