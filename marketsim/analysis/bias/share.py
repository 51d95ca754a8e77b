"""How often the answer is given: exact binomial, equivalence, chi-square, and by calls."""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, chdtrc, stdtr, stdtrit

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.results import TestResult, inestimable, two_sided
from marketsim.analysis.columns import FloatArray, IntArray

MARGIN = 0.05
"""Half-width of the range of shares that count as equal to the stated one, unless told otherwise."""


def exact_interval(ones: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share; it covers at least ``level`` of the time, whatever the share.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26(4), 404-413.
    """
    if n == 0:
        return np.nan, np.nan
    tail = (1.0 - level) / 2.0
    low = betaincinv(ones, n - ones + 1, tail) if ones else 0.0
    high = betaincinv(ones + 1, n - ones, 1.0 - tail) if ones < n else 1.0
    return float(low), float(high)


def binomial_test(answers: Answers, expected: float) -> TestResult:
    """Test that a share is the expected one, by the exact binomial distribution.

    Assumes independent answers of one probability. The statistic is the count of the answer; the p-value is twice the
    smaller tail, so that it is below .05 just where the 95 % interval leaves the expected share out.

    Parameters
    ----------
    answers : Answers
    expected : float
        Stated probability, 0 to 1.
    """
    if answers.n == 0:
        return inestimable("binomial", 0, "there is no valid answer")
    low, high = exact_interval(answers.n_ones, answers.n)
    lower, upper = binomial_tails(answers.n_ones, answers.n, expected)
    return TestResult(
        "binomial",
        answers.n,
        answers.n_ones,
        two_sided(lower, upper),
        answers.share,
        low,
        high,
        facts={"expected": expected},
    )


def binomial_tails(ones: int, n: int, p: float) -> tuple[float, float]:
    """Return P(X <= ones) and P(X >= ones) of a binomial count."""
    lower = 1.0 if ones >= n else float(bdtr(ones, n, p))
    upper = 1.0 if ones <= 0 else float(bdtrc(ones - 1, n, p))
    return lower, upper


def equivalence_test(answers: Answers, expected: float, margin: float = MARGIN) -> TestResult:
    """Test that a share lies within a margin of the expected one (TOST): the claim is fairness, so it must be shown.

    Two exact one-sided binomial tests; the p-value is the larger one. Assumes independent answers of one probability.
    The interval is the 90 % one, which lies inside the margin where the claim is shown at 5 %.

    References
    ----------
    Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15(6), 657-680.
    """
    if answers.n == 0:
        return inestimable("equivalence", 0, "there is no valid answer")
    low, high = expected - margin, expected + margin
    above = binomial_tails(answers.n_ones, answers.n, low)[1] if low > 0 else 0.0
    below = binomial_tails(answers.n_ones, answers.n, high)[0] if high < 1 else 0.0
    interval = exact_interval(answers.n_ones, answers.n, 0.90)
    difference = answers.share - expected
    facts = {"expected": expected, "margin": margin}
    return TestResult("equivalence", answers.n, difference, max(above, below), answers.share, *interval, facts=facts)


def share_by_call(answers: Answers, expected: float) -> TestResult:
    """Test that a share is the expected one where answers of one call may depend on each other.

    The ratio of totals over calls, its variance from the calls' deviations, Student's t with calls - 1 degrees.
    Assumes independent calls; approximate with few calls.
    """
    name, n = "share_by_call", answers.n
    if not answers.has_calls:
        return inestimable(name, n, "which answers share a call is not known")
    if answers.is_one_shot:
        return inestimable(name, n, "every call holds one answer: the exact binomial is the test")
    if answers.n_calls < 2:
        return inestimable(name, n, "there is one call only")
    if answers.n_rarer == 0:
        return inestimable(name, n, "one answer only was given")
    variance, degrees = clustered_variance(answers.ones, answers.size)
    if variance == 0:
        return inestimable(name, n, "every call has the same share")
    error = float(np.sqrt(variance))
    t = (answers.share - expected) / error
    half = float(stdtrit(degrees, 0.975)) * error
    p_value = float(2 * stdtr(degrees, -abs(t)))
    low, high = max(answers.share - half, 0.0), min(answers.share + half, 1.0)
    return TestResult(name, n, t, p_value, answers.share, low, high, facts={"expected": expected, "degrees": degrees})


def clustered_variance(ones: IntArray, size: IntArray) -> tuple[float, int]:
    """Return the variance of a share over calls, and its degrees of freedom.

    Sum of squared deviations ``ones - share * size`` over calls, times calls / (calls - 1), over the squared total.
    """
    n_calls, total = len(size), int(size.sum())
    deviation = ones - ones.sum() / total * size
    return float(n_calls / (n_calls - 1) * (deviation @ deviation) / total**2), n_calls - 1


def chi_square_test(count: IntArray, expected: FloatArray | None = None) -> TestResult:
    """Test the shares of several answers against equal or stated ones.

    Pearson's statistic; assumes independent answers, and five expected of each.

    Parameters
    ----------
    count : int64 array, shape (k,)
        How often each answer was given.
    expected : float64 array, shape (k,), optional
        Stated probabilities; by default equal.
    """
    n, k = int(count.sum()), len(count)
    share = np.full(k, 1.0 / k) if expected is None else expected
    if k < 2:
        return inestimable("chi_square", n, "one answer only was given")
    if n * share.min() < 5:
        return inestimable("chi_square", n, f"fewer than five expected of an answer ({n * share.min():.1f})")
    statistic = float(((count - n * share) ** 2 / (n * share)).sum())
    p_value = float(chdtrc(k - 1, statistic))
    return TestResult("chi_square", n, statistic, p_value, facts={"degrees": k - 1, "largest": float(count.max() / n)})
