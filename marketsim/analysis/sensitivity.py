"""Sobol' indices: which share of a result's variance each factor causes.

The points and the estimators are SALib's. A first-order index is the share that a factor explains alone, a total index
that of everything in which it takes part; interactions are the difference.

References
----------
Sobol' (2001), Mathematics and Computers in Simulation 55(1-3), 271-280.
Saltelli et al. (2010), Computer Physics Communications 181(2), 259-270.
Herman & Usher (2017), SALib, J. Open Source Software 2(9), 97.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marketsim.analysis.columns import FloatArray

RESAMPLES = 1_000


@dataclass(frozen=True)
class SobolIndices:
    """Indices of each factor, with half-widths of their bootstrap intervals.

    Attributes
    ----------
    factors : tuple of str
        Names, in order.
    first, first_half, total, total_half : float64 array, shape (factors,)
        Shares of variance. Sampling error may take an estimate below 0 or above 1.
    second, second_half : float64 array, shape (factors, factors), or None
        Of pairs, above the diagonal; None where the design has no points for them.
    variance : float
        Of the results.
    """

    factors: tuple[str, ...]
    first: FloatArray
    first_half: FloatArray
    total: FloatArray
    total_half: FloatArray
    second: FloatArray | None
    second_half: FloatArray | None
    variance: float


def sobol_indices(
    value: FloatArray,
    factors: Sequence[str],
    rng: np.random.Generator,
    *,
    second_order: bool = False,
    level: float = 0.95,
) -> SobolIndices:
    """Return the Sobol' indices of results at the points of a Saltelli design.

    Parameters
    ----------
    value : float64 array, shape (points,)
        Results in the order of the design: factors + 2 of each base point, or 2 x factors + 2 with ``second_order``.
    factors : sequence of str
        Their names.
    rng : Generator
        Draws of the bootstrap.
    second_order : bool
        Whether the design has points for pairs.
    level : float
        Probability of the intervals.

    Raises
    ------
    ValueError
        A result is missing, they do not vary, or their number does not fit the factors.
    ModuleNotFoundError
        SALib is not installed.
    """
    from SALib.analyze import sobol

    value = np.asarray(value, np.float64)
    per_base = (2 if second_order else 1) * len(factors) + 2
    if len(value) == 0 or len(value) % per_base:
        raise ValueError(f"expected a multiple of {per_base} results; found {len(value)}")
    if not np.isfinite(value).all():
        raise ValueError(f"expected a result at every point; {int((~np.isfinite(value)).sum())} are missing")
    if value.std() == 0:
        raise ValueError("expected results that vary")
    problem = {"num_vars": len(factors), "names": list(factors), "bounds": [[0.0, 1.0]] * len(factors)}
    found: Any = sobol.analyze(
        problem,
        value,
        calc_second_order=second_order,
        num_resamples=RESAMPLES,
        conf_level=level,
        seed=int(rng.integers(1, 2**31)),
    )
    return SobolIndices(
        factors=tuple(factors),
        first=np.asarray(found["S1"]),
        first_half=np.asarray(found["S1_conf"]),
        total=np.asarray(found["ST"]),
        total_half=np.asarray(found["ST_conf"]),
        second=np.asarray(found["S2"]) if second_order else None,
        second_half=np.asarray(found["S2_conf"]) if second_order else None,
        variance=float(value.var()),
    )
