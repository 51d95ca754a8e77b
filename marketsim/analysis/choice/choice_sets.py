"""Choice sets from a long table: one row an alternative, grouped, checked, and counted.

A set in which nothing was chosen is an invalid answer. It is an outcome of its own: counted, reported, and never
credited to an alternative, since crediting even 5 % of failures to the first slot moves its estimated effect more than
most real effects are large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketsim.analysis.choice.errors import ChoiceDataError, SpecificationError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_WORDS: Final = {
    "1": True,
    "0": False,
    "1.0": True,
    "0.0": False,
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
}


@dataclass(frozen=True)
class ChoiceColumns:
    """Names of the columns that say what was shown and what was chosen."""

    choice_set: str = "choice_set"
    alternative: str = "alternative"
    chosen: str = "chosen"
    available: str | None = None
    """1 where the alternative could be chosen; None: the column ``available`` where there is one."""


@dataclass(frozen=True)
class ChoiceSets:
    """Rows of a table grouped into choice sets; the rows of one set stand together.

    Attributes
    ----------
    row : int64 array, shape (n_rows,)
        Position of each row in the user's table.
    start : int64 array, shape (n_sets,)
        Where each set begins among the rows.
    chosen : bool array, shape (n_rows,)
        True once a set.
    """

    row: IntArray
    start: IntArray
    chosen: BoolArray

    @property
    def n_sets(self) -> int:
        """Number of choice sets."""
        return len(self.start)

    @property
    def n_rows(self) -> int:
        """Number of alternatives over all sets."""
        return len(self.row)

    @property
    def size(self) -> IntArray:
        """Alternatives in each set: int64 array, shape (n_sets,)."""
        return np.diff(np.append(self.start, self.n_rows))

    @property
    def set_number(self) -> IntArray:
        """Number of the set of each row: int64 array, shape (n_rows,)."""
        return np.repeat(np.arange(self.n_sets), self.size)

    def keep(self, rows: BoolArray) -> ChoiceSets:
        """Return the sets with these rows only; a set that loses its chosen row is left out whole."""
        has_choice = np.bincount(self.set_number[rows & self.chosen], minlength=self.n_sets) > 0
        rows = rows & has_choice[self.set_number]
        number = self.set_number[rows]
        return ChoiceSets(self.row[rows], np.flatnonzero(np.diff(number, prepend=-1)), self.chosen[rows])

    def keep_sets(self, sets: BoolArray) -> ChoiceSets:
        """Return these sets only: bool array, shape (n_sets,)."""
        return self.keep(sets[self.set_number])


@dataclass(frozen=True)
class Answers:
    """What became of the choice sets of a table.

    Attributes
    ----------
    valid : ChoiceSets
        Sets of at least one available alternative of which one was chosen.
    shown : ChoiceSets
        Every available row, of the sets without a choice too.
    n_sets, n_invalid : int
        All sets of the table, and those in which nothing was chosen.
    n_unavailable : int
        Rows left out since they could not be chosen.
    invalid_rows : int64 array
        First row of each invalid set in the user's table.
    set_rows : int64 array
        First row of every set in the user's table.
    """

    valid: ChoiceSets
    shown: ChoiceSets
    n_sets: int
    n_invalid: int
    n_unavailable: int
    invalid_rows: IntArray
    set_rows: IntArray

    def by_arm(self, arm: pd.Series[Any]) -> pd.DataFrame:
        """Return invalid answers by arm, with Wilson's 95 % interval of the rate.

        Parameters
        ----------
        arm : Series
            The arm of each row of the user's table.

        Returns
        -------
        DataFrame
            Index arm; columns sets, invalid, rate, low, high.
        """
        sets = arm.iloc[self.set_rows].value_counts(sort=False).sort_index()
        invalid = arm.iloc[self.invalid_rows].value_counts().reindex(sets.index, fill_value=0)
        bounds = [wilson_interval(int(k), int(n)) for k, n in zip(invalid, sets, strict=True)]
        low, high = zip(*bounds, strict=True)
        return pd.DataFrame({"sets": sets, "invalid": invalid, "rate": invalid / sets, "low": low, "high": high})


def read_answers(table: pd.DataFrame, columns: ChoiceColumns | None = None) -> Answers:
    """Group a long table into choice sets and check what was chosen.

    Parameters
    ----------
    table : DataFrame
        One row an alternative. The rows of a set need not stand together.
    columns : ChoiceColumns, optional
        Names of the columns.

    Raises
    ------
    SpecificationError
        A column is not there.
    ChoiceDataError
        An empty table, a missing or strange value, one alternative twice in a set, two chosen in a set, a chosen
        alternative that was not available, no set with a choice, or no set of two alternatives or more.
    """
    columns = columns or ChoiceColumns()
    for name in (columns.choice_set, columns.alternative, columns.chosen, columns.available or columns.chosen):
        require_column(table, name)
    if not len(table):
        raise ChoiceDataError(None, "no rows", "a row an alternative")
    for name in (columns.choice_set, columns.alternative):
        _refuse_missing(table, name)
    available = availability(table, columns)
    chosen = _flags(table, columns.chosen)
    bad = np.flatnonzero(chosen & ~available)
    if len(bad):
        raise ChoiceDataError(int(bad[0]), f"{columns.chosen} = 1 where the alternative was not available", "0")
    sets = pd.factorize(table[columns.choice_set])[0].astype(np.int64)
    _refuse_repeats(table, columns, sets)
    return _group(sets, chosen, available, columns)


def _group(sets: IntArray, chosen: BoolArray, available: BoolArray, columns: ChoiceColumns) -> Answers:
    order = np.argsort(sets, kind="stable")
    n_sets = int(sets.max()) + 1
    n_chosen = np.bincount(sets[chosen], minlength=n_sets)
    if (n_chosen > 1).any():
        rows = np.flatnonzero(chosen & (n_chosen > 1)[sets])
        twice = rows[sets[rows] == sets[rows[0]]]
        raise ChoiceDataError(
            int(twice[1]), "a second chosen alternative of its choice set", f"one (first: row {twice[0] + 1})"
        )
    valid_row = available[order] & (n_chosen == 1)[sets[order]]
    row = order[valid_row]
    if not len(row):
        raise ChoiceDataError(
            None, f"no choice set with a chosen alternative ({n_sets:,} sets)", f"{columns.chosen} = 1 once a set"
        )
    start = np.flatnonzero(np.diff(sets[row], prepend=-1))
    valid = ChoiceSets(row, start, chosen[row])
    if valid.size.max() < 2:
        raise ChoiceDataError(
            None, "one alternative in every choice set", "two or more, the chosen one and what it was preferred to"
        )
    first = order[np.flatnonzero(np.diff(sets[order], prepend=-1))]
    invalid = first[n_chosen[sets[first]] == 0]
    seen = order[available[order]]
    shown = ChoiceSets(seen, np.flatnonzero(np.diff(sets[seen], prepend=-1)), chosen[seen])
    return Answers(valid, shown, n_sets, len(invalid), int((~available).sum()), invalid, first)


def require_column(table: pd.DataFrame, name: str) -> None:
    """Check that a table has a column.

    Raises
    ------
    SpecificationError
        It has none of that name; the nearest name is given.
    """
    if name not in table.columns:
        names = [str(column) for column in table.columns]
        hint = nearest_name(name, names) or f"; the columns are {', '.join(names)}"
        raise SpecificationError(f"there is no column {name}{hint}")


def wilson_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval for a share.

    References
    ----------
    Wilson (1927), J. Am. Statist. Assoc. 22, 209-212.

    Examples
    --------
    >>> low, high = wilson_interval(0, 10)
    >>> print(f"{low:.3f} {high:.3f}")
    0.000 0.278
    """
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + level / 2))
    share, shrink = successes / trials, 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * float(np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)))
    return max(0.0, middle - half), min(1.0, middle + half)


def availability(table: pd.DataFrame, columns: ChoiceColumns) -> BoolArray:
    """Return the rows that could be chosen: all, where the table has no column that says so."""
    name = columns.available or "available"
    return _flags(table, name) if name in table.columns else np.ones(len(table), dtype=bool)


def _refuse_missing(table: pd.DataFrame, name: str) -> None:
    missing = np.flatnonzero(table[name].isna().to_numpy())
    if len(missing):
        raise ChoiceDataError(int(missing[0]), f"no {name}", "a value")


def _refuse_repeats(table: pd.DataFrame, columns: ChoiceColumns, sets: IntArray) -> None:
    repeated = pd.DataFrame({"set": sets, "alternative": table[columns.alternative].to_numpy()}).duplicated()
    rows = np.flatnonzero(repeated.to_numpy())
    if len(rows):
        value = table[columns.alternative].iloc[rows[0]]
        raise ChoiceDataError(
            int(rows[0]), f"{columns.alternative} {value} a second time in its choice set", "each alternative once"
        )


def _flags(table: pd.DataFrame, name: str) -> BoolArray:
    """Return a column of 0 and 1 (or true and false, yes and no) as booleans."""
    column = table[name]
    if column.dtype == bool:
        return np.asarray(column, dtype=bool)
    if pd.api.types.is_numeric_dtype(column):
        values: Sequence[Any] = column.map({0: False, 1: True}).to_list()
    else:
        values = column.astype(str).str.strip().str.lower().map(_WORDS).to_list()
    for row, value in enumerate(values):
        if value is not True and value is not False:
            raise ChoiceDataError(row, f"{name} = {show(column.iloc[row])}", "0 or 1")
    return np.array(values, dtype=bool)


def show(value: Any) -> str:
    """Return a cell as an error message shows it."""
    if isinstance(value, str):
        return f'"{value}"'
    return "nothing" if pd.isna(value) else str(value)
