"""What the choices cannot tell: columns that depend on each other, and columns that decide every choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import linprog

from marketsim.analysis.choice.choice_sets import ChoiceSets, FloatArray
from marketsim.analysis.choice.errors import CollinearityError, SeparationError
from marketsim.analysis.choice.regressors import Regressors

_DEPENDENT: Final = 1e-11
"""Share of a column's variance within sets that the columns before it leave; below it, it is their combination."""
_NEGLIGIBLE: Final = 1e-6
_EFFECT: Final = re.compile(r"(fe\(.*?\))\[")


def refuse_collinear(information: FloatArray, names: Sequence[str]) -> None:
    """Check that every coefficient can be told from the others.

    Parameters
    ----------
    information : float64 array, shape (k, k)
        At coefficients of zero: the covariance of the columns within choice sets.
    names : sequence of str
        Names of the columns.

    Raises
    ------
    CollinearityError
        A column does not vary within choice sets, or is a combination of others within them; all are named.
    """
    variance = np.diag(information)
    flat = variance <= 1e-12
    constant = [names[int(k)] for k in np.flatnonzero(flat)]
    dependencies: list[tuple[str, ...]] = [(name,) for name in constant]
    reasons = [_flat_reason(name) for name in constant]
    varying = np.flatnonzero(~flat).tolist()
    norm = np.sqrt(variance[varying])
    for dependent in _dependencies(information[np.ix_(varying, varying)] / np.outer(norm, norm)):
        columns = _collapse([names[varying[k]] for k in dependent])
        dependencies.append(tuple(columns))
        reasons.append(f"{', '.join(columns)} are collinear within choice sets: leave one of them out")
    if dependencies:
        raise CollinearityError(dependencies, reasons)


def refuse_separation(x: Regressors, sets: ChoiceSets, names: Sequence[str]) -> None:
    """Check that no column, and no combination of columns, points to the chosen alternative in every set.

    Parameters
    ----------
    x : Regressors
        Columns of about equal scale.
    sets : ChoiceSets
    names : sequence of str

    Raises
    ------
    SeparationError
        Naming one column where one suffices, otherwise those of a combination.

    References
    ----------
    Albert & Anderson (1984), Biometrika 71, 1-10: complete and quasi-complete separation.
    """
    rows = x.to_array()
    lead = (np.repeat(rows[sets.chosen], sets.size, axis=0) - rows)[~sets.chosen]
    tolerance = 1e-9
    rises = (lead >= -tolerance).all(axis=0) | (lead <= tolerance).all(axis=0)
    alone = np.flatnonzero(rises & (np.abs(lead) > tolerance).any(axis=0))
    if len(alone):
        raise SeparationError([names[int(alone[0])]])
    found = linprog(-lead.sum(axis=0), A_ub=-lead, b_ub=np.zeros(len(lead)), bounds=(-1, 1), method="highs")
    if found.status == 0 and np.abs(found.x).max() > 0.5:  # directions form a cone: a true one is stretched to a bound
        raise SeparationError([names[int(k)] for k in np.flatnonzero(np.abs(found.x) > _NEGLIGIBLE)])


def _flat_reason(name: str) -> str:
    return (
        f"{name} is the same for every alternative of each choice set, so the choices cannot tell its effect; "
        f"multiply it by something that differs, such as {name}:alternative"
    )


def _dependencies(gram: FloatArray) -> list[list[int]]:
    """Return the columns of each dependency: every column that those before it explain, with those that explain it."""
    if _is_definite(gram):
        return []
    kept: list[int] = []
    found: list[list[int]] = []
    for k in range(len(gram)):
        weight = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept, k]) if kept else np.empty(0)
        if 1 - gram[kept, k] @ weight > _DEPENDENT:
            kept.append(k)
        else:
            found.append([*(kept[i] for i in np.flatnonzero(np.abs(weight) > _NEGLIGIBLE)), k])
    return found


def _is_definite(gram: FloatArray) -> bool:
    """Tell at once whether each column keeps some of its variance given those before it: a pivot of Cholesky's each."""
    try:
        return bool((np.diag(np.linalg.cholesky(gram)) ** 2 > _DEPENDENT).all())
    except np.linalg.LinAlgError:
        return False


def _collapse(names: list[str]) -> list[str]:
    """Write more than three levels of one fixed effect as ``fe(product)``."""
    effects = [match[1] for match in map(_EFFECT.match, names) if match]
    many = {effect for effect in effects if effects.count(effect) > 3}
    short = [match[1] if (match := _EFFECT.match(name)) and match[1] in many else name for name in names]
    return list(dict.fromkeys(short))
