"""The conditional logit: what moves a choice, from a long table and a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from marketsim.analysis.choice.choice_sets import (
    ChoiceColumns,
    ChoiceSets,
    FloatArray,
    IntArray,
    read_answers,
    require_column,
)
from marketsim.analysis.choice.design import make_design
from marketsim.analysis.choice.errors import ChoiceDataError, CollinearityError
from marketsim.analysis.choice.fixed_effects import absorb
from marketsim.analysis.choice.formula import parse_specification
from marketsim.analysis.choice.likelihood import Maximum, maximise
from marketsim.analysis.choice.regressors import Regressors
from marketsim.analysis.choice.result import LogitResult, Sample

if TYPE_CHECKING:
    from marketsim.analysis.choice.choice_sets import Answers


def conditional_logit(
    table: pd.DataFrame,
    specification: str,
    *,
    columns: ChoiceColumns | None = None,
    cluster: str | None = None,
    arm: str | None = None,
    min_choices: int = 1,
) -> LogitResult:
    """Estimate the conditional logit of a specification by maximum likelihood.

    Parameters
    ----------
    table : DataFrame
        One row an alternative: choice set, alternative, chosen (0 or 1), covariates.
    specification : str
        Terms joined by + (``:`` multiplies, ``*`` adds main effects), then after a bar the fixed effects:
        ``"row + col + ln(price) + ln(reviews+1) + rating | fe(product)"``. Text columns are categories with the first
        level as base, whole numbers in ``row``, ``col``, ``column``, ``slot``, ``position`` with the last; ``C(x,
        base=2)`` says otherwise. A category of two levels has one coefficient, named as typed; one of more has
        ``col[1]``, ``col[2]``, ...
    columns : ChoiceColumns, optional
        Names of the columns that say what was shown and chosen.
    cluster : str, optional
        Column of the clusters within which choice sets may depend on each other; constant within a set.
    arm : str, optional
        Column by which invalid answers are counted.
    min_choices : int
        Leave out levels of fixed effects chosen less often than this. Above 1 the sample is selected on the outcome,
        and the result says so.

    Returns
    -------
    LogitResult

    Raises
    ------
    SpecificationError
        The formula cannot be read or names a column that is not there.
    CollinearityError, SeparationError
        Columns without an estimate of their own; they are named.
    ChoiceDataError
        A cell cannot be used; its row is named.
    ConvergenceError
        No maximum was found.

    References
    ----------
    McFadden (1974), in Zarembka (ed.), Frontiers in Econometrics, 105-142.
    """
    return fit_logit(table, specification, columns=columns, cluster=cluster, arm=arm, min_choices=min_choices).result


@dataclass(frozen=True)
class Fit:
    """An estimate with what it was made of, for tests that need each choice set's contribution."""

    result: LogitResult
    maximum: Maximum
    sets: ChoiceSets

    def influence(self, places: Sequence[int]) -> FloatArray:
        """Return what each choice set adds to these estimates, to first order: float64[n_sets, len(places)]."""
        return self.maximum.scores @ self.result.covariance["model"][:, places]


def fit_logit(
    table: pd.DataFrame,
    specification: str,
    *,
    columns: ChoiceColumns | None = None,
    cluster: str | None = None,
    arm: str | None = None,
    min_choices: int = 1,
) -> Fit:
    """Return the result of ``conditional_logit`` with the scores behind it; arguments and errors as there."""
    parsed = parse_specification(specification)
    answers = read_answers(table, columns)
    if arm is not None:
        require_column(table, arm)
    design = make_design(parsed, table, answers.valid)
    effects, sets = absorb(parsed.fixed_effects, table, answers.valid, min_choices)
    dummies = tuple(effect.dummies(effect.code(table, sets.row)) for effect in effects)
    names = (*design.names, *(name for effect in effects for name in effect.names))
    if not names:
        raise CollinearityError([], ["the specification has no column: every fixed effect is a base"])
    maximum = maximise(Regressors(design.matrix(table, sets.row), dummies), sets, names)
    covariance = {"model": invert(maximum.information), "robust": sandwich(maximum, np.arange(sets.n_sets))}
    if cluster is not None:
        covariance["clustered"] = sandwich(maximum, _clusters(table, cluster, sets))
    result = LogitResult(
        specification=specification,
        names=names,
        estimate=maximum.estimate,
        covariance=covariance,
        log_likelihood=maximum.log_likelihood,
        sample=_sample(answers, sets, min_choices),
        design=design,
        effects=effects,
        columns=columns or ChoiceColumns(),
        iterations=maximum.iterations,
        cluster=cluster,
        invalid_by_arm=None if arm is None else answers.by_arm(table[arm]),
    )
    return Fit(result, maximum, sets)


def invert(information: FloatArray) -> FloatArray:
    """Return the inverse of an information matrix, scaled first so that units do not cost digits."""
    scale = np.sqrt(np.diag(information))
    inverse: FloatArray = np.linalg.inv(information / np.outer(scale, scale)) / np.outer(scale, scale)
    return inverse


def sandwich(maximum: Maximum, cluster: IntArray) -> FloatArray:
    """Return the covariance that holds whether or not the model is right, with sets depending within clusters.

    Parameters
    ----------
    maximum : Maximum
        The fit.
    cluster : int64 array, shape (n_sets,)
        Number of each set's cluster, from 0; the number of the set itself for the heteroskedasticity-robust covariance.

    Returns
    -------
    float64 array, shape (k, k)
        Inverse information x scores' products x inverse information x g / (g - 1), with g clusters.

    References
    ----------
    White (1982), Econometrica 50, 1-25; Liang & Zeger (1986), Biometrika 73, 13-22.
    """
    n_clusters = int(cluster.max()) + 1
    scores = np.zeros((n_clusters, maximum.scores.shape[1]))
    np.add.at(scores, cluster, maximum.scores)
    bread = invert(maximum.information)
    small = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
    return small * bread @ (scores.T @ scores) @ bread


def _clusters(table: pd.DataFrame, cluster: str, sets: ChoiceSets) -> IntArray:
    require_column(table, cluster)
    code = pd.factorize(table[cluster])[0].astype(np.int64)[sets.row]
    first = code[sets.start][sets.set_number]
    bad = np.flatnonzero((code != first) | (code < 0))
    if len(bad):
        row = int(sets.row[bad[0]])
        raise ChoiceDataError(row, f"{cluster} = {table[cluster].iloc[row]}", "one cluster throughout the choice set")
    return pd.factorize(code[sets.start])[0].astype(np.int64)


def _sample(answers: Answers, sets: ChoiceSets, min_choices: int) -> Sample:
    return Sample(
        n_sets=answers.n_sets,
        n_invalid=answers.n_invalid,
        n_unavailable=answers.n_unavailable,
        n_valid=answers.valid.n_sets,
        n_informative=sets.n_sets,
        n_rows=sets.n_rows,
        log_likelihood_null=-float(np.log(answers.valid.size).sum()),
        min_choices=min_choices,
    )
