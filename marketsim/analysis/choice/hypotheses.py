"""Tests of conditional logits: Wald, likelihood ratio, and Hausman and McFadden's of independence of alternatives."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import chi2

from marketsim.analysis.choice.choice_sets import FloatArray, read_answers, require_column
from marketsim.analysis.choice.errors import SpecificationError
from marketsim.analysis.choice.logit import Fit, fit_logit
from marketsim.analysis.choice.result import Covariance, LogitResult


@dataclass(frozen=True)
class ChiSquareTest:
    """A statistic that is chi-square distributed where the hypothesis holds.

    Attributes
    ----------
    hypothesis : str
        In words.
    statistic, degrees : float, int
        The statistic and its degrees of freedom.
    p_value : float
        Probability of a statistic at least as large; NaN where the statistic is of no use.
    note : str
        What to know before trusting it; empty where there is nothing.
    """

    hypothesis: str
    statistic: float
    degrees: int
    p_value: float
    note: str = ""

    def __str__(self) -> str:
        """Return one line."""
        line = f"{self.hypothesis}: chi-square({self.degrees}) = {self.statistic:.3f}, p = {self.p_value:.4g}"
        return f"{line} ({self.note})" if self.note else line


def wald_test(result: LogitResult, names: Sequence[str], covariance: Covariance | None = None) -> ChiSquareTest:
    """Test that several coefficients are all zero.

    Parameters
    ----------
    result : LogitResult
    names : sequence of str
        Coefficients.
    covariance : "model", "robust" or "clustered", optional
        Which covariance; default as for the result's intervals.

    Raises
    ------
    SpecificationError
        A coefficient is not there, or none is given.
    """
    if not names:
        raise SpecificationError("a Wald test needs a coefficient")
    restrictions = np.zeros((len(names), len(result.names)))
    restrictions[np.arange(len(names)), [result.place(name) for name in names]] = 1.0
    test = wald_test_of(result, restrictions, np.zeros(len(names)), covariance)
    return ChiSquareTest(f"{', '.join(names)} = 0", test.statistic, test.degrees, test.p_value)


def wald_test_of(
    result: LogitResult, restrictions: FloatArray, values: FloatArray, covariance: Covariance | None = None
) -> ChiSquareTest:
    """Test linear restrictions R b = r.

    Parameters
    ----------
    result : LogitResult
    restrictions : float64 array, shape (q, k)
        R, with a column for each of ``result.names``; of full row rank.
    values : float64 array, shape (q,)
        r.

    Raises
    ------
    SpecificationError
        R has another shape, or dependent rows.
    """
    q = len(values)
    if restrictions.shape != (q, len(result.names)) or np.linalg.matrix_rank(restrictions) < q:
        raise SpecificationError(f"restrictions must be {q} independent rows of {len(result.names)} numbers")
    gap = restrictions @ result.estimate - values
    spread = restrictions @ result.covariance_of(covariance) @ restrictions.T
    statistic = float(gap @ np.linalg.solve(spread, gap))
    return ChiSquareTest("R b = r", statistic, q, float(chi2.sf(statistic, q)))


def likelihood_ratio_test(restricted: LogitResult, full: LogitResult) -> ChiSquareTest:
    """Test a specification against a larger one that contains it.

    Raises
    ------
    SpecificationError
        The two have different choice sets, or the first is not smaller.
    """
    degrees = len(full.names) - len(restricted.names)
    if degrees <= 0:
        raise SpecificationError(
            "the full specification must have more coefficients than the restricted one; "
            f"found {len(full.names)} against {len(restricted.names)}"
        )
    mine, others = restricted.sample, full.sample
    if (mine.n_valid, mine.log_likelihood_null) != (others.n_valid, others.log_likelihood_null):
        raise SpecificationError("the two specifications were estimated on different choice sets")
    statistic = 2 * (full.log_likelihood - restricted.log_likelihood)
    if statistic < -1e-6:
        raise SpecificationError(f"{full.specification} does not contain {restricted.specification}: it fits worse")
    return ChiSquareTest(
        f"{restricted.specification} against {full.specification}",
        statistic,
        degrees,
        float(chi2.sf(statistic, degrees)),
    )


def hausman_mcfadden(
    result: LogitResult,
    table: pd.DataFrame,
    omit: Sequence[Hashable],
    column: str | None = None,
    specification: str | None = None,
) -> ChiSquareTest:
    """Test independence of irrelevant alternatives: the same coefficients once some alternatives are gone.

    The omitted alternatives leave every choice set, with the sets in which they were chosen; the formula's coefficients
    that both samples identify against the same base are compared.

    Parameters
    ----------
    result : LogitResult
        The fit on all alternatives.
    table : DataFrame
        The table that it was made from.
    omit : sequence
        Alternatives to leave out, as they stand in ``column``.
    column : str, optional
        Where they stand; default: the column of alternatives.
    specification : str, optional
        For the smaller sample, where the omitted alternatives alone identify some of the terms.

    Returns
    -------
    ChiSquareTest
        Hausman and McFadden's statistic, from the difference of the two inverse informations. Where that difference is
        not clearly positive definite, which is common in finite samples, its place takes the covariance of the
        difference as the choice sets' scores give it, and ``note`` says so.

    Raises
    ------
    SpecificationError
        None of the alternatives is there, the column is not, or no coefficient can be compared.
    CollinearityError, SeparationError
        What is left does not identify the coefficients.

    References
    ----------
    Hausman & McFadden (1984), Econometrica 52, 1219-1240.
    """
    name = column or result.columns.alternative
    require_column(table, name)
    is_omitted = table[name].isin(list(omit)).to_numpy()
    if not is_omitted.any():
        raise SpecificationError(f"no row has {name} = {', '.join(map(str, omit))}")
    number = table[result.columns.choice_set]
    chosen = read_answers(table, result.columns).valid
    lost = number.iloc[chosen.row[chosen.chosen & is_omitted[chosen.row]]]
    rest = table[~is_omitted & ~number.isin(lost)]
    smaller = fit_logit(rest, specification or result.specification, columns=result.columns)
    shared = [t for t in result.terms if t in smaller.result.terms and _base(result, t) == _base(smaller.result, t)]
    if not shared:
        raise SpecificationError("the two samples share no coefficient with the same base")
    here, there = [result.place(t) for t in shared], [smaller.result.place(t) for t in shared]
    scale = np.sqrt(np.diag(result.covariance["model"])[here])
    gap = (smaller.result.estimate[there] - result.estimate[here]) / scale
    spread = smaller.result.covariance["model"][np.ix_(there, there)] - result.covariance["model"][np.ix_(here, here)]
    spread, note = spread / np.outer(scale, scale), ""
    if np.linalg.eigvalsh(spread)[0] < _CLEARLY_POSITIVE:
        larger = fit_logit(table, result.specification, columns=result.columns, min_choices=result.sample.min_choices)
        spread = _joint_spread(larger, here, smaller, there, table, rest) / np.outer(scale, scale)
        note = "the difference of the inverse informations is not positive definite; covariance from scores"
    statistic, degrees = float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap), int(np.linalg.matrix_rank(spread))
    p_value = float(chi2.sf(statistic, degrees)) if degrees else float("nan")
    return ChiSquareTest(f"independence of {', '.join(map(str, omit))}", statistic, degrees, p_value, note)


_CLEARLY_POSITIVE: Final = 1e-3
"""Least variance that leaving alternatives out must add in every direction, as a share of the variance there."""


def _joint_spread(
    larger: Fit, here: list[int], smaller: Fit, there: list[int], table: pd.DataFrame, rest: pd.DataFrame
) -> FloatArray:
    """Return the covariance of the difference of two fits, from each choice set's contribution to it."""
    name = larger.result.columns.choice_set
    first = pd.DataFrame(larger.influence(here), index=table[name].iloc[larger.sets.row[larger.sets.start]])
    second = pd.DataFrame(smaller.influence(there), index=rest[name].iloc[smaller.sets.row[smaller.sets.start]])
    away: FloatArray = second.sub(first, fill_value=0.0).to_numpy()
    spread: FloatArray = away.T @ away
    return spread


def _base(result: LogitResult, term: str) -> tuple[object, ...]:
    """Return the levels that a coefficient is measured against: leaving out a base changes what the others mean."""
    parts = term.split(":")
    bases: list[object] = [
        base for name, base in result.design.bases.items() if any(p == name or p.startswith(f"{name}[") for p in parts)
    ]
    return tuple(bases)
