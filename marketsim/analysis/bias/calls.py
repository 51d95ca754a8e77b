"""Calls that give several answers: whether these resemble each other, and contrasts that allow for it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, chdtrc, stdtr, stdtrit

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.memory import n_permutations_for
from marketsim.analysis.bias.results import MIN_RARER, ONE_SHOT, TestResult, inestimable, two_sided
from marketsim.analysis.bias.share import clustered_variance
from marketsim.analysis.columns import IntArray

_MANY_CALLS: Final = 2_000
"""Above, the statistic is compared with its chi-square instead of random deals."""


def dispersion_test(answers: Answers, key: NDArray[np.uint64], n_deals: int | None = None) -> TestResult:
    """Test whether calls differ in their share by more (or less) than chance.

    Pearson's statistic of calls against the common share. The null deals all answers at random to calls of the given
    sizes; above 2,000 calls its chi-square with calls - 1 degrees. The estimate is the intraclass correlation
    (analysis of variance): 0 for independent answers, 1 where a call repeats one answer.

    Parameters
    ----------
    answers : Answers
    key : uint64 array, shape (2,)
        Stream of the random deals.
    n_deals : int, optional
        Default: 999, fewer for large groups.

    References
    ----------
    Ridout, Demétrio & Firth (1999), Biometrics 55(1), 137-148: the estimator.
    """
    name, n = "dispersion", answers.n
    if not answers.has_calls:
        return inestimable(name, n, "which answers share a call is not known: name the column with --call")
    if answers.is_one_shot or answers.n_calls < 2:
        reason = ONE_SHOT if answers.is_one_shot else "there is one call only"
        return inestimable(name, n, reason)
    if answers.n_rarer < MIN_RARER:
        few = "one answer only was given" if answers.n_rarer == 0 else ""
        return inestimable(
            name, n, few or f"the rarer answer was given {answers.n_rarer} times, fewer than {MIN_RARER}"
        )
    size, degrees = answers.size, answers.n_calls - 1
    statistic = pearson_dispersion(answers.ones, size)
    if answers.n_calls > _MANY_CALLS:
        p_value = two_sided(float(chdtr(degrees, statistic)), float(chdtrc(degrees, statistic)))
        note = "chi-square approximation: many calls"
    else:
        from marketsim.analysis.bias.kernel import deal_dispersion  # Numba, for those who need it

        n_deals = n_deals or n_permutations_for(n)
        drawn = deal_dispersion(size, answers.n_ones, key, n_deals)
        lower, upper = (drawn <= statistic + 1e-9).sum(), (drawn >= statistic - 1e-9).sum()
        p_value, note = two_sided((1 + lower) / (n_deals + 1), (1 + upper) / (n_deals + 1)), ""
    correlation = intraclass_correlation(answers.ones, size)
    facts = {"calls": answers.n_calls, "ratio": statistic / degrees, "design_effect": design_effect(correlation, size)}
    return TestResult(name, n, statistic, p_value, correlation, reason=note, facts=facts)


def pearson_dispersion(ones: IntArray, size: IntArray) -> float:
    """Sum over calls of (ones - size p)^2 / (size p (1 - p)), p the common share."""
    share = ones.sum() / size.sum()
    return float(((ones - size * share) ** 2 / (size * share * (1 - share))).sum())


def intraclass_correlation(ones: IntArray, size: IntArray) -> float:
    """Correlation of two answers of one call, by analysis of variance; NaN where no call holds two answers."""
    n, k = int(size.sum()), len(size)
    if n == k or k < 2:
        return np.nan
    share = ones.sum() / n
    between = float(((ones / size - share) ** 2 * size).sum() / (k - 1))
    within = float((ones - ones**2 / size).sum() / (n - k))
    typical = (n - (size**2).sum() / n) / (k - 1)
    scale = between + (typical - 1) * within
    return (between - within) / scale if scale > 0 else np.nan


def design_effect(correlation: float, size: IntArray) -> float:
    """How many times larger the variance of the share is than that of as many independent answers."""
    return float(1 + ((size**2).sum() / size.sum() - 1) * correlation)


# ---- Contrast of two ways of asking -------------------------------------------------------------------------


def contrast_test(name: str, one: Answers, other: Answers) -> TestResult:
    """Test whether two ways of asking give the answer equally often, each call being one observation.

    Difference of shares; each variance from its calls' deviations (a call of one answer is a call); Student's t with
    Welch and Satterthwaite's degrees. A plain comparison of two shares would count answers of one call as independent:
    with ten calls of fifty answers and a correlation of .1 within them it finds a difference 30 % of the time where
    there is none.

    Parameters
    ----------
    name : str
        Name of the test.
    one, other : Answers

    References
    ----------
    Welch (1947), Biometrika 34, 28-35; Donner & Klar (2000), Design and analysis of cluster randomization trials.
    """
    n = one.n + other.n
    reason = _why_no_contrast(one, other)
    if reason:
        return inestimable(name, n, reason)
    parts = [clustered_variance(side.ones, side.size) for side in (one, other)]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return inestimable(name, n, "neither way of asking varies between calls")
    degrees = variance**2 / sum(part**2 / free for part, free in parts if part > 0)
    difference, error = one.share - other.share, float(np.sqrt(variance))
    t, half = difference / error, float(stdtrit(degrees, 0.975)) * error
    p_value = float(2 * stdtr(degrees, -abs(t)))
    facts = {"one": one.share, "other": other.share, "degrees": degrees}
    return TestResult(name, n, t, p_value, difference, difference - half, difference + half, facts=facts)


def _why_no_contrast(one: Answers, other: Answers) -> str:
    if not (one.has_calls and other.has_calls):
        return "which answers share a call is not known: name the column with --call"
    if min(one.n_calls, other.n_calls) < 2:
        return "one of the two has one call only"
    both = one.n_ones + other.n_ones
    rarer = min(both, one.n + other.n - both)
    if rarer < MIN_RARER:
        return f"the rarer answer was given {rarer} times, fewer than {MIN_RARER}"
    return ""
