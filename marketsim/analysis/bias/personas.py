"""Persona gaps: a logit with a random intercept of each item, and the four-fifths rule beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from marketsim.analysis.bias.logistic import likelihood_ratio
from marketsim.analysis.bias.results import FOUND, MIN_RARER, NOT_FOUND, TestResult, inestimable
from marketsim.analysis.columns import FloatArray, IntArray

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_MODE_STEPS: Final = 6
_LEAST_LOG_DEVIATION: Final = -5.0


@dataclass(frozen=True)
class MixedLogit:
    """Logit P(yes) of item i and persona j = level_j + deviation z_i, with z_i standard normal."""

    level: FloatArray
    deviation: float
    log_likelihood: float


def fit_mixed_logit(ones: IntArray, n: IntArray, common: bool = False) -> MixedLogit:
    """Fit by maximum likelihood, the integral over items by adaptive Gauss-Hermite quadrature.

    Parameters
    ----------
    ones, n : int64 array, shape (items, personas)
        Counted answers, and all; n may be 0.
    common : bool
        Whether all personas have one level.

    References
    ----------
    Pinheiro & Bates (1995), J. Computational and Graphical Statistics 4(1), 12-35: adaptive quadrature.
    """
    from scipy.optimize import minimize

    if common:
        ones, n = ones.sum(axis=1, keepdims=True), n.sum(axis=1, keepdims=True)
    share = (ones.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1.0)
    start = np.append(np.log(share / (1 - share)), 0.0)
    bounds = [(-30.0, 30.0)] * len(share) + [(_LEAST_LOG_DEVIATION, 3.0)]
    found = minimize(_objective, start, args=(ones, n), jac=True, bounds=bounds, method="L-BFGS-B")
    return MixedLogit(found.x[:-1], float(np.exp(found.x[-1])), -float(found.fun))


def _objective(parameter: FloatArray, ones: IntArray, n: IntArray) -> tuple[float, FloatArray]:
    """Return minus the log likelihood and its gradient, by Fisher's identity."""
    level, deviation = parameter[:-1], float(np.exp(parameter[-1]))
    mode, width = _modes(level, deviation, ones, n)
    z = mode[:, None] + width[:, None] * _NODES  # [item, node]
    eta = level + deviation * z[:, :, None]  # [item, node, persona]
    inner = (ones[:, None, :] * eta - n[:, None, :] * np.logaddexp(0.0, eta)).sum(-1)
    log_weight = np.log(_WEIGHTS / np.sqrt(2 * np.pi)) + 0.5 * _NODES**2 + np.log(width)[:, None]
    term = inner - 0.5 * z**2 + log_weight
    peak = term.max(axis=1, keepdims=True)
    value = peak[:, 0] + np.log(np.exp(term - peak).sum(axis=1))
    posterior = np.exp(term - value[:, None])
    residual = ones[:, None, :] - n[:, None, :] * expit(eta)
    slope = np.einsum("iq,iqj->j", posterior, residual)
    spread = deviation * float(np.einsum("iq,iqj,iq->", posterior, residual, z))
    return -float(value.sum()), -np.append(slope, spread)


def _modes(level: FloatArray, deviation: float, ones: IntArray, n: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return where each item's integrand peaks and how wide it is: float64[items] twice."""
    mode = np.zeros(len(ones))
    curvature = np.ones(len(ones))
    for _ in range(_MODE_STEPS):
        p = expit(level + deviation * mode[:, None])
        slope = deviation * (ones - n * p).sum(axis=1) - mode
        curvature = deviation**2 * (n * p * (1 - p)).sum(axis=1) + 1.0
        mode = mode + np.clip(slope / curvature, -1.0, 1.0)
    return mode, 1.0 / np.sqrt(curvature)


def persona_test(ones: IntArray, n: IntArray) -> TestResult:
    """Test whether personas move the answer to the same items, by likelihood ratio in a mixed logit.

    Assumes a normal random intercept of each item, independent of the persona. The estimate is the widest gap between
    two personas on the logit scale, adjusted for the items.

    Parameters
    ----------
    ones, n : int64 array, shape (items, personas)
    """
    total, rarer = int(n.sum()), int(min(ones.sum(), (n - ones).sum()))
    if n.shape[1] < 2 or (n.sum(axis=0) == 0).any():
        return inestimable("persona", total, "it takes answers of two personas")
    if len(n) < 2:
        return inestimable("persona", total, "it takes two items: name their column with --item")
    if rarer < MIN_RARER:
        return inestimable("persona", total, f"the rarer answer was given {rarer} times, fewer than {MIN_RARER}")
    free, common = fit_mixed_logit(ones, n), fit_mixed_logit(ones, n, common=True)
    degrees = n.shape[1] - 1
    statistic, p_value = likelihood_ratio(common.log_likelihood, free.log_likelihood, degrees)
    facts = {
        "deviation": free.deviation,
        "degrees": float(degrees),
        "lowest": float(np.argmin(free.level)),
        "highest": float(np.argmax(free.level)),
    }
    return TestResult("persona", total, statistic, p_value, float(np.ptp(free.level)), facts=facts)


def four_fifths_rule(ones: IntArray, n: IntArray) -> TestResult:
    """Compare the lowest share with four fifths of the highest; a rule of thumb without a p-value.

    Parameters
    ----------
    ones, n : int64 array, shape (personas,)

    References
    ----------
    Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D.
    """
    total = int(n.sum())
    if len(n) < 2 or n.min() < MIN_RARER or ones.sum() < MIN_RARER:
        return inestimable("four_fifths", total, f"it takes two personas, and {MIN_RARER} answers of each")
    share = ones / n
    ratio = float(share.min() / share.max())
    facts = {"lowest": float(share.min()), "highest": float(share.max())}
    return TestResult(
        "four_fifths", total, ratio, estimate=ratio, verdict=FOUND if ratio < 0.8 else NOT_FOUND, facts=facts
    )
