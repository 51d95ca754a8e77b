"""Answers to one and the same item under two ways of asking: order, labels, snapshots of a model."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from marketsim.analysis.bias.results import TestResult, inestimable, two_sided
from marketsim.analysis.bias.share import binomial_tails
from marketsim.analysis.columns import IntArray


def paired_test(name: str, table: IntArray) -> TestResult:
    """Test whether two ways of asking give the same answers to the same items.

    Parameters
    ----------
    name : str
        Name of the test.
    table : int64 array, shape (k, k)
        Pairs: row the answer under the first way, column under the second. Two answers: McNemar's test in its exact
        form; more: Stuart and Maxwell's. Both ask whether the shares agree; pairs are independent.

    Returns
    -------
    TestResult
        The estimate is the share of pairs that differ; n counts pairs.
    """
    n = int(table.sum())
    differing = n - int(np.trace(table))
    if n == 0:
        return inestimable(name, 0, "no item was asked both ways", "pairs")
    if differing == 0:
        facts = {"differing": 0.0}
        return TestResult(name, n, 0.0, 1.0, 0.0, reason="", unit="pairs", facts=facts)
    statistic, p_value = mcnemar(int(table[0, 1]), int(table[1, 0])) if len(table) == 2 else stuart_maxwell(table)
    facts = {"differing": float(differing)}
    if len(table) == 2:
        facts |= {"to": float(table[0, 1]), "from": float(table[1, 0])}
    return TestResult(name, n, statistic, p_value, differing / n, unit="pairs", facts=facts)


def mcnemar(up: int, down: int) -> tuple[float, float]:
    """Return (up - down) / sqrt(up + down) and McNemar's exact p-value, from the counts of pairs that differ.

    References
    ----------
    McNemar (1947), Psychometrika 12(2), 153-157.
    """
    n = up + down
    lower, upper = binomial_tails(up, n, 0.5)
    return (up - down) / np.sqrt(n), two_sided(lower, upper)


def stuart_maxwell(table: IntArray) -> tuple[float, float]:
    """Return Stuart and Maxwell's statistic of marginal homogeneity, and its p-value from chi-square.

    Answers that never differ are left out; degrees of freedom are the rank of the differences' covariance.

    References
    ----------
    Stuart (1955), Biometrika 42, 412-416; Maxwell (1970), British J. Psychiatry 116, 651-655.
    """
    off = table - np.diag(np.diag(table))
    used = (off.sum(0) + off.sum(1)) > 0
    off = off[np.ix_(used, used)]
    difference = (off.sum(1) - off.sum(0)).astype(np.float64)
    covariance = np.diag(off.sum(1) + off.sum(0)).astype(np.float64) - off - off.T
    inverse = np.linalg.pinv(covariance)
    statistic = float(difference @ inverse @ difference)
    return statistic, float(chdtrc(int(np.linalg.matrix_rank(covariance)), statistic))
