"""The matrix of a specification: what each column is called, and how categories are coded.

A constant of the choice set cancels from every comparison, so categories are always coded against a base and a
covariate that does not vary within sets may only stand in a product: ``income:alternative``. formulaic lays the
columns out.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from formulaic import ModelSpec, SimpleFormula
from formulaic.parser.types import Factor as FormulaFactor
from formulaic.parser.types import Term as FormulaTerm

from marketsim.analysis.choice.choice_sets import ChoiceSets, FloatArray, IntArray, show
from marketsim.analysis.choice.errors import ChoiceDataError, CollinearityError, SpecificationError
from marketsim.analysis.choice.expressions import Expression, as_numbers
from marketsim.analysis.choice.formula import Specification

if TYPE_CHECKING:
    Column = pd.Series[Any]

POSITIONS: Final = ("row", "col", "column", "slot", "position")
"""Columns of whole numbers that are places on a page, hence categories, with the last place as base."""

_ALIAS: Final = re.compile(r"f(\d+)(?:\[(T\.)?(\d+)\])?")


@dataclass(frozen=True)
class CodedFactor:
    """A factor of the formula: numbers, or levels of which the first is the base."""

    name: str
    """As typed."""
    expression: Expression
    levels: tuple[Any, ...] | None
    """None where the factor is a number; otherwise its levels, the base first."""

    def coefficient(self, number: int) -> str:
        """Return the name of a level's coefficient: as typed where there is only one, ``col[1]`` otherwise."""
        levels = self.levels or ()
        return self.name if len(levels) <= 2 else f"{self.name}[{levels[number]}]"

    def code(self, table: pd.DataFrame) -> FloatArray | IntArray:
        """Return numbers, or the place of each row's level among ``levels``.

        Raises
        ------
        ChoiceDataError
            A cell is empty or no number, or holds a level that is not among ``levels``.
        """
        values = self.expression.values(table)
        if self.levels is None:
            return as_numbers(values, self.name) if isinstance(values, pd.Series) else values
        column = pd.Series(values, copy=False)
        codes: IntArray = pd.Index(self.levels).get_indexer(pd.Index(column)).astype(np.int64)
        bad = np.flatnonzero(codes < 0)
        if len(bad):
            known = ", ".join(map(str, self.levels))
            raise ChoiceDataError(int(bad[0]), f"{self.name} = {show(column.iloc[bad[0]])}", f"one of {known}")
        return codes


@dataclass(frozen=True)
class Design:
    """How a table becomes the matrix of a specification; made once, used on other tables to predict.

    Attributes
    ----------
    specification : Specification
        The formula.
    factors : tuple of CodedFactor
        Its factors and their levels.
    names : tuple of str
        Name of each column.
    bases : dict of str to str
        For each categorical factor, the level that the others are compared with.
    """

    specification: Specification
    factors: tuple[CodedFactor, ...]
    names: tuple[str, ...]
    bases: dict[str, str]
    _terms: tuple[tuple[str, ...], ...]
    _kept: tuple[int, ...]

    def matrix(self, table: pd.DataFrame, rows: IntArray) -> FloatArray:
        """Return float64[len(rows), len(names)] for these rows of a table.

        Raises
        ------
        SpecificationError
            A column is not there.
        ChoiceDataError
            A cell cannot be used; its row is the one in ``table``.
        """
        if not self.names:
            return np.empty((len(rows), 0))
        frame = _frame(self.factors, table, rows)
        full, _ = _lay_out(self._terms, self.factors, frame)
        return np.ascontiguousarray(full[:, self._kept])


def make_design(specification: Specification, table: pd.DataFrame, sets: ChoiceSets) -> Design:
    """Decide how each factor is coded, from the rows of the given sets.

    Raises
    ------
    SpecificationError
        A column is not there, or the base of a category is none of its levels.
    CollinearityError
        A constant, or a category of one level.
    ChoiceDataError
        A cell cannot be used.
    """
    if () in specification.terms:
        raise CollinearityError(
            [("1",)], ["1 is the same for every alternative of a choice set, so the choices cannot tell its effect"]
        )
    used = table.iloc[sets.row]
    with _rows_of(sets.row):
        factors = tuple(_classify(text, used) for text in specification.factors)
    if not factors:
        return Design(specification, (), (), {}, (), ())
    frame = _frame(factors, table, sets.row)
    constant = {factor.name for factor, name in zip(factors, frame, strict=True) if _is_constant(frame[name], sets)}
    names = {text: factor.name for text, factor in zip(specification.factors, factors, strict=True)}
    typed = [tuple(names[factor] for factor in term) for term in specification.terms]
    absorbed = _absorbed(typed, constant)
    terms = (*absorbed, *typed)
    _, columns = _lay_out(terms, factors, frame)
    kept = [(place, name) for place, (term, name) in enumerate(columns) if term not in absorbed]
    bases = {factor.name: str(factor.levels[0]) for factor in factors if factor.levels}
    return Design(specification, factors, tuple(n for _, n in kept), bases, terms, tuple(place for place, _ in kept))


def code_levels(text: str, table: pd.DataFrame, rows: IntArray, max_levels: int) -> tuple[CodedFactor, IntArray]:
    """Return a factor with few levels, numbers included, and the level of each of these rows; level 0 is the base.

    Raises
    ------
    SpecificationError
        More than ``max_levels`` levels.
    CollinearityError
        One level only.
    ChoiceDataError
        A cell cannot be used.
    """
    used = table.iloc[rows]
    with _rows_of(rows):
        factor = _classify(text, used)
        if factor.levels is None:
            values = np.unique(factor.code(used)).tolist()
            if len(values) > max_levels:
                raise SpecificationError(
                    f"{text} has {len(values):,} levels; cut it into a few, such as I({text} > 100)"
                )
            if len(values) < 2:
                raise CollinearityError(
                    [(text,)], [f"{text} has one level only, {values[0]:g}, so it has no effect to estimate"]
                )
            levels = tuple(int(value) if float(value).is_integer() else value for value in values)
            factor = CodedFactor(factor.name, factor.expression, levels)
        return factor, factor.code(used).astype(np.int64)


class _rows_of:
    """Turns the row of a fault from a selection into the row of the whole table."""

    def __init__(self, rows: IntArray) -> None:
        self._rows = rows

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ChoiceDataError) and error.row is not None:
            raise ChoiceDataError(int(self._rows[error.row]), error.found, error.expected) from None


def _classify(text: str, table: pd.DataFrame) -> CodedFactor:
    expression = Expression(text)
    name = expression.column if expression.column is not None and not expression.is_categorical else text
    values = expression.values(table)
    if not isinstance(values, pd.Series):
        values = pd.Series(values)
    is_place = not expression.is_categorical and str(name).lower() in POSITIONS and _is_place(values)
    if not (expression.is_categorical or is_place or is_category(values)):
        return CodedFactor(name, expression, None)
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        raise ChoiceDataError(int(missing[0]), f"no {name}", "a value")
    levels = levels_of(values)
    if len(levels) < 2:
        raise CollinearityError(
            [(name,)], [f"{name} has one level only, {levels[0]}, so the choices cannot tell its effect"]
        )
    base = expression.base if expression.base is not None else levels[-1 if is_place else 0]
    if base not in levels:
        raise SpecificationError(
            f"{text}: {base} is not a level of the column; its levels are {', '.join(map(str, levels))}"
        )
    return CodedFactor(name, expression, (base, *(level for level in levels if level != base)))


def is_category(values: Column) -> bool:
    """Tell whether a column holds categories: text, unless most of its cells are numbers, or a pandas category."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return True
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    numbers = pd.to_numeric(values.astype(object), errors="coerce").notna().sum()
    return bool(2 * numbers <= values.notna().sum())


def levels_of(values: Column) -> list[Any]:
    """Return the levels of a category that occur, in its own order where it has one, sorted otherwise."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        occurring = set(values.unique())
        return [level for level in values.cat.categories if level in occurring]
    return sorted(values.unique().tolist(), key=lambda level: (str(type(level)), level))


def _is_place(values: Column) -> bool:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values) or values.isna().any():
        return False
    levels = set(values.unique().tolist())
    return all(float(level).is_integer() for level in levels) and not levels <= {0, 1}


def _frame(factors: tuple[CodedFactor, ...], table: pd.DataFrame, rows: IntArray) -> pd.DataFrame:
    used = table.iloc[rows]
    columns: dict[str, Any] = {}
    with _rows_of(rows):
        for number, factor in enumerate(factors):
            values: Any = factor.code(used)
            if factor.levels is not None:
                values = pd.Categorical.from_codes(
                    values.astype(np.int64), categories=pd.RangeIndex(len(factor.levels))
                )
            columns[f"f{number}"] = values
    return pd.DataFrame(columns)


def _is_constant(column: Column, sets: ChoiceSets) -> bool:
    values = column.cat.codes.to_numpy() if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()
    return bool((values == values[sets.start][sets.set_number]).all())


def _absorbed(terms: list[tuple[str, ...]], constant: set[str]) -> list[tuple[str, ...]]:
    """Return the products of set constants inside a term: the choice set's own constant spans them already."""
    found: dict[tuple[str, ...], None] = {}
    for term in terms:
        fixed = [factor for factor in term if factor in constant]
        for length in range(1, len(fixed) + 1):
            for part in itertools.combinations(fixed, length):
                if len(part) < len(term) and part not in terms:
                    found[part] = None
    return list(found)


def _lay_out(
    terms: tuple[tuple[str, ...], ...], factors: tuple[CodedFactor, ...], frame: pd.DataFrame
) -> tuple[FloatArray, list[tuple[tuple[str, ...], str]]]:
    """Return the matrix of all terms, and for each of its columns the term and the name."""
    alias = {factor.name: f"f{number}" for number, factor in enumerate(factors)}
    aliased = [FormulaTerm([FormulaFactor(alias[name], eval_method="lookup") for name in term]) for term in terms]
    constant = FormulaTerm([FormulaFactor("1", eval_method="literal")])
    spec = ModelSpec.from_spec(
        SimpleFormula([constant, *aliased], _ordering="none"), output="numpy", na_action="ignore"
    )
    built = spec.get_model_matrix(frame)
    structure = built.model_spec.structure[1:]
    columns = [
        (term, _name_column(column, factors))
        for term, part in zip(terms, structure, strict=True)
        for column in part.columns
    ]
    return np.asarray(built, dtype=np.float64)[:, 1:], columns


def _name_column(column: str, factors: tuple[CodedFactor, ...]) -> str:
    return ":".join(_name_part(match, factors) for match in _ALIAS.finditer(column))


def _name_part(match: re.Match[str], factors: tuple[CodedFactor, ...]) -> str:
    factor = factors[int(match[1])]
    if factor.levels is None or match[3] is None:
        return factor.name
    is_against_base = match[2] is not None
    return factor.coefficient(int(match[3])) if is_against_base else f"{factor.name}[{factor.levels[int(match[3])]}]"
