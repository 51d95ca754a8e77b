"""How attributes were drawn: the probability of what each row got, and drawing it anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from marketsim.analysis.choice.choice_sets import BoolArray, ChoiceSets, FloatArray, IntArray, require_column
from marketsim.analysis.choice.design import CodedFactor, code_levels
from marketsim.analysis.choice.errors import ChoiceDataError, SpecificationError
from marketsim.analysis.choice.expressions import as_numbers

Law = Callable[[np.random.Generator], tuple[Any, FloatArray]]
"""Draws an attribute anew, given everything else: values and the propensity of each, one a row of the table."""

PREFIX: Final = "propensity_"
MAX_LEVELS: Final = 24
_CERTAIN: Final = 1 - 1e-12


@dataclass(frozen=True)
class Randomisation:
    """How the attributes were drawn.

    Attributes
    ----------
    propensities : mapping of str to str
        Attribute to the column with the probability of the level that the row got, given what was drawn before it.
        An attribute that is not here uses ``propensity_<attribute>`` where there is one; otherwise it is assumed that,
        given the levels shown in a choice set, every order of them over its alternatives was equally likely.
    nested : sequence of str
        Attributes drawn one after the other, each among the rows that none of those before has marked.
    nested_by : "condition" or "weight"
        What to do about rows that an earlier attribute has marked. "condition": speak of the other rows only.
        "weight": let those stand for all rows, weighting with the propensities of the earlier attributes too.
    laws : mapping of str to Law
        How to draw an attribute anew, for randomisation inference; without one, its levels are permuted within choice
        sets, among the rows that could have had another level.
    """

    propensities: Mapping[str, str] = field(default_factory=dict)
    nested: Sequence[str] = ()
    nested_by: Literal["condition", "weight"] = "condition"
    laws: Mapping[str, Law] = field(default_factory=dict)

    def earlier(self, name: str) -> Sequence[str]:
        """Return the attributes drawn before this one."""
        nested = list(self.nested)
        return nested[: nested.index(name)] if name in nested else ()

    def propensity(self, name: str, table: pd.DataFrame, sets: ChoiceSets) -> FloatArray | None:
        """Return the logged propensity of each row's level, or None.

        Raises
        ------
        ChoiceDataError
            A propensity that is no probability.
        """
        column = self.propensities.get(name)
        if column is None:
            if PREFIX + name not in table.columns:
                return None
            column = PREFIX + name
        require_column(table, column)
        values = as_numbers(table[column], column)
        refuse_improper(values[sets.row], column, sets.row)
        return values[sets.row]


@dataclass(frozen=True)
class Assignment:
    """What one attribute was on the rows shown.

    Attributes
    ----------
    level : int64 array, shape (n_rows,)
        0 is the base.
    weight : float64 array, shape (n_rows,)
        One over the probability of that level; 0 where it could be no other.
    may_differ : bool array, shape (n_rows,)
        Rows that could have had another level.
    is_logged : bool
        The probability comes from the table, not from the assumption that all orders were equally likely.
    stands_for_all : bool
        The rows that may differ are weighted to stand for all rows.
    earlier_weight : float64 array, shape (n_rows,)
        The part of the weight that does so: one over the propensities of earlier attributes.
    """

    level: IntArray
    weight: FloatArray
    may_differ: BoolArray
    is_logged: bool
    stands_for_all: bool
    earlier_weight: FloatArray

    def usable(self, sets: ChoiceSets, level: int) -> BoolArray:
        """Return the rows that count for ``level`` against the base.

        Where orders are assumed equally likely, a set counts only if both levels were shown in it.
        """
        if self.is_logged:
            return self.may_differ
        both = np.ones(sets.n_sets, dtype=bool)
        for wanted in (0, level):
            shown = sets.set_number[self.may_differ & (self.level == wanted)]
            both &= np.bincount(shown, minlength=sets.n_sets) > 0
        return self.may_differ & both[sets.set_number]


def read_assignment(
    factor: CodedFactor, level: IntArray, table: pd.DataFrame, sets: ChoiceSets, randomisation: Randomisation
) -> Assignment:
    """Find the probability of what each row got.

    Raises
    ------
    SpecificationError
        Weighting for nested attributes without logged propensities.
    ChoiceDataError
        A propensity that is no probability.
    """
    earlier = randomisation.earlier(factor.name)
    free = np.ones(sets.n_rows, dtype=bool)
    for name in earlier:
        free &= code_levels(name, table, sets.row, MAX_LEVELS)[1] == 0
    logged = randomisation.propensity(factor.name, table, sets)
    if logged is not None:
        free &= logged < _CERTAIN
    share = _permutation_share(level, free, sets) if logged is None else logged
    stands_for_all = bool(earlier) and randomisation.nested_by == "weight"
    before = _earlier_weight(factor.name, table, sets, randomisation) if stands_for_all else np.ones(sets.n_rows)
    return Assignment(level, np.where(free, before / share, 0.0), free, logged is not None, stands_for_all, before)


def _earlier_weight(name: str, table: pd.DataFrame, sets: ChoiceSets, randomisation: Randomisation) -> FloatArray:
    weight = np.ones(sets.n_rows)
    for other in (*randomisation.earlier(name), name):
        logged = randomisation.propensity(other, table, sets)
        if logged is None:
            raise SpecificationError(f"weighting for {name} needs the logged propensity of {other}")
        if other != name:
            weight = weight / logged
    return weight


def _permutation_share(level: IntArray, free: BoolArray, sets: ChoiceSets) -> FloatArray:
    """Return the share of each row's own level among the free rows of its set; 1 for rows that are not free."""
    width = int(level.max()) + 1
    cell = sets.set_number * width + level
    same = np.bincount(cell[free], minlength=sets.n_sets * width)
    total = np.bincount(sets.set_number[free], minlength=sets.n_sets)
    share: FloatArray = np.ones(sets.n_rows)
    share[free] = same[cell[free]] / total[sets.set_number[free]]
    return share


def redraw(law: Law, factor: CodedFactor, rng: np.random.Generator, sets: ChoiceSets, like: Assignment) -> Assignment:
    """Return what a law draws, as an assignment; earlier attributes stay as they are.

    Raises
    ------
    SpecificationError
        The law returns other lengths than the table's, or a level that the table does not have.
    ChoiceDataError
        A propensity that is no probability.
    """
    values, share = law(rng)
    values, share = np.asarray(values), np.asarray(share, dtype=np.float64)
    if values.shape != share.shape or len(values) <= int(sets.row.max()):
        raise SpecificationError(
            f"the law of {factor.name} must give a value and a propensity for each row of the table"
        )
    level = pd.Index(factor.levels or ()).get_indexer(pd.Index(values[sets.row])).astype(np.int64)
    if (level < 0).any():
        raise SpecificationError(f"the law of {factor.name} draws a level that the table does not have")
    refuse_improper(share[sets.row], f"propensity of {factor.name}", sets.row)
    free = share[sets.row] < _CERTAIN
    weight = np.where(free, like.earlier_weight / share[sets.row], 0.0)
    return Assignment(level, weight, free, True, like.stands_for_all, like.earlier_weight)


def permuted_sums(
    score: FloatArray, usable: BoolArray, sets: ChoiceSets, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Return the sum of the chosen rows' scores once levels are permuted within sets among the usable rows.

    One row of a set is chosen, so a permutation brings it the score of a usable row drawn uniformly: float64[draws].
    """
    rows = np.flatnonzero(usable)
    count = np.bincount(sets.set_number[rows], minlength=sets.n_sets)
    first = np.cumsum(count) - count
    chosen = sets.set_number[usable & sets.chosen]
    sums = np.empty(draws)
    for draw in range(draws):
        sums[draw] = score[rows[first[chosen] + rng.integers(count[chosen])]].sum()
    return sums


def refuse_improper(values: FloatArray, column: str, rows: IntArray) -> None:
    """Check that propensities lie above 0 and up to 1; ChoiceDataError names the first row that does not."""
    bad = np.flatnonzero(~((values > 0) & (values <= 1)))
    if len(bad):
        raise ChoiceDataError(int(rows[bad[0]]), f"{column} = {values[bad[0]]:g}", "a probability above 0 and up to 1")
