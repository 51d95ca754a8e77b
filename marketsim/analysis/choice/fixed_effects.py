"""Fixed effects: an effect of its own for each product (or each value of another column).

A product that is never chosen has the effect minus infinity: leaving it out of every choice set gives the same
likelihood, and so does leaving its rivals out where a product is always chosen. With LLM buyers that is the normal
case; such products are listed, not estimated. Effects are compared within choice sets only, so one product is the base
in each group of products that are ever shown together: one a category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from marketsim.analysis.choice.choice_sets import BoolArray, ChoiceSets, IntArray, require_column, show
from marketsim.analysis.choice.design import levels_of
from marketsim.analysis.choice.errors import ChoiceDataError, SeparationError, SpecificationError
from marketsim.analysis.choice.regressors import Dummies

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Exclusion:
    """One step of leaving out: some levels from every set, or their rivals from the sets where they stand."""

    levels: IntArray
    always: bool
    """The levels were always chosen, so that their rivals go; otherwise they go themselves."""

    def surviving(self, code: IntArray, alive: BoolArray, set_number: IntArray) -> BoolArray:
        """Return the rows that stay: where a set holds rows of both kinds, the losers go."""
        wins = np.isin(code, self.levels) == self.always
        n_sets = int(set_number[-1]) + 1 if len(set_number) else 0
        has_winner = np.bincount(set_number[alive & wins], minlength=n_sets) > 0
        stays: BoolArray = alive & (wins | ~has_winner[set_number])
        return stays


@dataclass(frozen=True)
class FixedEffect:
    """The fixed effects of one column, and what became of each of its levels.

    Attributes
    ----------
    column : str
        Name of the column.
    levels : tuple
        Every level that was shown.
    base_of : int64 array, shape (n_levels,)
        The level whose effect is zero in each level's group; a level is identified up to that base.
    estimated : int64 array
        Levels with a column of the matrix, in its order.
    n_chosen : int64 array, shape (n_levels,)
        How often each was chosen.
    exclusions : tuple of Exclusion
        What was left out, in order.
    below_threshold : int64 array
        Levels left out since they were chosen less often than the caller asked for. That selects on the outcome.
    """

    column: str
    levels: tuple[Any, ...]
    base_of: IntArray
    estimated: IntArray
    n_chosen: IntArray
    exclusions: tuple[Exclusion, ...] = ()
    below_threshold: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns: ``fe(product)[kettle]``."""
        return tuple(f"fe({self.column})[{self.levels[level]}]" for level in self.estimated)

    @property
    def never_chosen(self) -> tuple[Any, ...]:
        """Levels left out of every set since they were never chosen."""
        return tuple(self._excluded(always=False))

    @property
    def always_chosen(self) -> tuple[Any, ...]:
        """Levels whose sets were left out since they were always chosen."""
        return tuple(self._excluded(always=True))

    @property
    def bases(self) -> tuple[Any, ...]:
        """The level of each group whose effect is zero."""
        return tuple(self.levels[base] for base in sorted(set(self.base_of[self.estimated].tolist())))

    def dummies(self, code: IntArray) -> Dummies:
        """Return the columns of rows with these levels."""
        column = np.full(len(self.levels), len(self.estimated))
        column[self.estimated] = np.arange(len(self.estimated))
        return Dummies(column[code], len(self.estimated))

    def code(self, table: pd.DataFrame, rows: IntArray) -> IntArray:
        """Return the level of each of these rows.

        Raises
        ------
        ChoiceDataError
            A level that the model was not estimated on.
        """
        column = table[self.column].iloc[rows]
        codes: IntArray = pd.Index(self.levels).get_indexer(pd.Index(column)).astype(np.int64)
        bad = np.flatnonzero(codes < 0)
        if len(bad):
            value = show(column.iloc[bad[0]])
            raise ChoiceDataError(
                int(rows[bad[0]]), f"{self.column} = {value}", "a level that the model was estimated on"
            )
        return codes

    def _excluded(self, always: bool) -> Iterator[Any]:
        for exclusion in self.exclusions:
            if exclusion.always == always:
                yield from (self.levels[level] for level in exclusion.levels)


def absorb(
    columns: Sequence[str], table: pd.DataFrame, sets: ChoiceSets, min_choices: int = 1
) -> tuple[tuple[FixedEffect, ...], ChoiceSets]:
    """Lay out fixed effects, and leave out what they explain without exception.

    Parameters
    ----------
    columns : sequence of str
        Columns with an effect for each level.
    table, sets
        The user's table and its valid choice sets.
    min_choices : int
        Levels chosen less often go, with the sets in which they were chosen. Above 1 this selects on the outcome; it is
        here to compare with studies that did so.

    Returns
    -------
    tuple of FixedEffect, ChoiceSets
        The effects, and the sets that are left: two alternatives or more in each.

    Raises
    ------
    SpecificationError
        A column is not there.
    ChoiceDataError
        A cell is empty.
    SeparationError
        No set is left.
    """
    coded = {column: _code(column, table, sets) for column in columns}
    n_chosen = {c: np.bincount(code[sets.chosen], minlength=len(levels)) for c, (levels, code) in coded.items()}
    alive = np.ones(sets.n_rows, dtype=bool)
    rare: dict[str, IntArray] = {}
    for column, (_, code) in coded.items():
        rare[column] = np.flatnonzero((n_chosen[column] > 0) & (n_chosen[column] < min_choices))
        lost = np.bincount(sets.set_number[np.isin(code, rare[column]) & sets.chosen], minlength=sets.n_sets) > 0
        alive &= ~np.isin(code, rare[column]) & ~lost[sets.set_number]
    found: dict[str, list[Exclusion]] = {column: [] for column in columns}
    alive = _exclude(coded, found, alive, sets)
    left = sets.keep(_contested(alive, sets))
    if not left.n_sets:
        names = [f"fe({column})" for column in columns]
        raise SeparationError(names) if columns else SpecificationError("no choice set of two alternatives is left")
    kept = np.flatnonzero(_contested(alive, sets))
    effects = []
    for column, (levels, code) in coded.items():
        base_of, estimated = _groups(code[kept], left, len(levels))
        effects.append(
            FixedEffect(column, levels, base_of, estimated, n_chosen[column], tuple(found[column]), rare[column])
        )
    return tuple(effects), left


def _code(column: str, table: pd.DataFrame, sets: ChoiceSets) -> tuple[tuple[Any, ...], IntArray]:
    require_column(table, column)
    values = table[column].iloc[sets.row]
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        raise ChoiceDataError(int(sets.row[missing[0]]), f"no {column}", "a value")
    levels = tuple(levels_of(values))
    return levels, pd.Index(levels).get_indexer(pd.Index(values)).astype(np.int64)


def _contested(alive: BoolArray, sets: ChoiceSets) -> BoolArray:
    """Return the rows of sets in which two or more alternatives are left."""
    return alive & (np.bincount(sets.set_number[alive], minlength=sets.n_sets) > 1)[sets.set_number]


def _exclude(
    coded: dict[str, tuple[tuple[Any, ...], IntArray]],
    found: dict[str, list[Exclusion]],
    alive: BoolArray,
    sets: ChoiceSets,
) -> BoolArray:
    """Leave out levels without a finite effect until none is left; what is left out may make others so."""
    while True:
        before = int(alive.sum())
        for column, (levels, code) in coded.items():
            for always in (False, True):
                extreme = _extreme(code, _contested(alive, sets), sets, len(levels), always)
                if len(extreme):
                    found[column].append(Exclusion(extreme, always))
                    alive = found[column][-1].surviving(code, alive, sets.set_number)
        if int(alive.sum()) == before:
            return alive


def _extreme(code: IntArray, alive: BoolArray, sets: ChoiceSets, n_levels: int, always: bool) -> IntArray:
    """Return the levels that, in sets with other levels, are never chosen (or always)."""
    pair = np.unique(sets.set_number[alive] * n_levels + code[alive])
    is_mixed = np.bincount(pair // n_levels, minlength=sets.n_sets) > 1
    shown = np.bincount(pair[is_mixed[pair // n_levels]] % n_levels, minlength=n_levels)
    decided = alive & sets.chosen & is_mixed[sets.set_number]
    chosen = np.bincount(code[decided], minlength=n_levels)
    return np.flatnonzero((shown > 0) & (chosen == (shown if always else 0)))


def _groups(code: IntArray, sets: ChoiceSets, n_levels: int) -> tuple[IntArray, IntArray]:
    """Return each level's base, and the levels that get a column."""
    shown = np.bincount(code, minlength=n_levels) > 0
    ones = np.ones(len(code))
    links = coo_array((ones, (sets.set_number, sets.n_sets + code)), shape=(sets.n_sets + n_levels,) * 2)
    label = connected_components(links, directed=False)[1][sets.n_sets :]
    base_of = np.arange(n_levels)
    for group in np.unique(label[shown]):
        members = np.flatnonzero((label == group) & shown)
        base_of[members] = members[0]
    return base_of, np.flatnonzero(shown & (base_of != np.arange(n_levels)))
