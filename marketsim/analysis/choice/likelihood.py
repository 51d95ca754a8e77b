"""The likelihood of the conditional logit, its derivatives, and Newton's method.

McFadden (1974), Conditional logit analysis of qualitative choice behavior, in Zarembka (ed.), Frontiers in
Econometrics. The log likelihood is concave, so Newton's method with step halving finds its maximum where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from marketsim.analysis.choice.choice_sets import ChoiceSets, FloatArray
from marketsim.analysis.choice.errors import ConvergenceError
from marketsim.analysis.choice.identification import refuse_collinear, refuse_separation
from marketsim.analysis.choice.regressors import Regressors

MAX_ITERATIONS: Final = 60
_LOOK_FOR_SEPARATION: Final = 12
_DECREMENT: Final = 1e-14
_STEP: Final = 1e-5


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is greatest.

    Attributes
    ----------
    estimate : float64 array, shape (k,)
        Coefficients.
    log_likelihood : float
        At the maximum.
    information : float64 array, shape (k, k)
        Minus the second derivative there.
    scores : float64 array, shape (n_sets, k)
        First derivative of each set's log likelihood there.
    iterations : int
        Steps taken.
    """

    estimate: FloatArray
    log_likelihood: float
    information: FloatArray
    scores: FloatArray
    iterations: int


def probabilities(utility: FloatArray, sets: ChoiceSets) -> FloatArray:
    """Return the logit probability of each row within its set; a utility may be minus infinity.

    Parameters
    ----------
    utility : float64 array, shape (n_rows,)
    sets : ChoiceSets

    Returns
    -------
    float64 array, shape (n_rows,)
    """
    size = sets.size
    raised = np.exp(utility - np.repeat(np.maximum.reduceat(utility, sets.start), size))
    share: FloatArray = raised / np.repeat(np.add.reduceat(raised, sets.start), size)
    return share


def inclusive_values(utility: FloatArray, sets: ChoiceSets) -> FloatArray:
    """Return ln of the sum of e^utility over each set: float64 array, shape (n_sets,)."""
    top = np.maximum.reduceat(utility, sets.start)
    raised = np.exp(utility - np.repeat(top, sets.size))
    value: FloatArray = top + np.log(np.add.reduceat(raised, sets.start))
    return value


def log_likelihood(x: Regressors, sets: ChoiceSets, beta: FloatArray) -> float:
    """Return the log likelihood at ``beta``."""
    utility = x.utility(beta)
    return float(utility[sets.chosen].sum() - inclusive_values(utility, sets).sum())


def derivatives(x: Regressors, sets: ChoiceSets, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean row of each set under the model, float64[n_sets, k], and the information, float64[k, k].

    The score of a set is its chosen row less that mean; the information is the covariance of rows under the model,
    summed over sets.
    """
    share = probabilities(x.utility(beta), sets)
    mean = x.means(share, sets)
    return mean, x.moments(share) - mean.T @ mean


def maximise(x: Regressors, sets: ChoiceSets, names: Sequence[str]) -> Maximum:
    """Return the maximum of the likelihood.

    Parameters
    ----------
    x : Regressors
        The matrix.
    sets : ChoiceSets
        Its rows.
    names : sequence of str
        Names of the columns, for messages.

    Raises
    ------
    CollinearityError
        Columns that cannot be told apart within choice sets.
    SeparationError
        Columns that decide choices without exception.
    ConvergenceError
        No maximum after 60 steps.
    """
    scaled, scale = x.standardised(sets)
    chosen = scaled.pick(np.flatnonzero(sets.chosen)).to_array()
    beta = np.zeros(scaled.n_columns)
    mean, information = derivatives(scaled, sets, beta)
    refuse_collinear(information, names)
    value = log_likelihood(scaled, sets, beta)
    for iteration in range(MAX_ITERATIONS):
        try:
            step = cho_solve(cho_factor(information), (chosen - mean).sum(axis=0))
        except LinAlgError:
            refuse_separation(scaled, sets, names)
            message = f"the likelihood is flat after {iteration} steps: the columns are nearly collinear"
            raise ConvergenceError(message) from None
        decrement = (chosen - mean).sum(axis=0) @ step
        if decrement < _DECREMENT and np.abs(step).max(initial=0.0) < _STEP:
            return Maximum(
                beta / scale, value, information * np.outer(scale, scale), (chosen - mean) * scale, iteration
            )
        if iteration == _LOOK_FOR_SEPARATION:
            refuse_separation(scaled, sets, names)
        beta, value = _climb(scaled, sets, beta, step, value)
        mean, information = derivatives(scaled, sets, beta)
    raise ConvergenceError(f"no maximum of the likelihood after {MAX_ITERATIONS} steps of Newton's method")


def _climb(
    x: Regressors, sets: ChoiceSets, beta: FloatArray, step: FloatArray, value: float
) -> tuple[FloatArray, float]:
    """Return beta and the likelihood after a step, halved until the likelihood does not fall."""
    slack = 1e-12 * max(1.0, abs(value))
    for _ in range(30):
        reached = log_likelihood(x, sets, beta + step)
        if reached >= value - slack:
            break
        step = step / 2
    return beta + step, reached
