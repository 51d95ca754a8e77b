"""What one factor of a formula may say, such as ``ln(reviews+1)``, and its value on every row.

The expression is read, never run: columns, numbers, + - * / **, comparisons and a few functions, nothing else. So a
formula from a file cannot do anything but arithmetic, and a cell that cannot be used is named with its row.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from formulaic.utils.code import sanitize_variable_names

from marketsim.analysis.choice.choice_sets import FloatArray, require_column, show
from marketsim.analysis.choice.errors import ChoiceDataError, SpecificationError, nearest_name

if TYPE_CHECKING:
    Column = pd.Series[Any]

_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _logarithm(values: FloatArray) -> FloatArray:
    bad = np.flatnonzero(~(values > 0))
    if len(bad):
        raise ChoiceDataError(int(bad[0]), f"ln of {values[bad[0]]:g}", "ln of a number above 0")
    return np.log(values)


def _root(values: FloatArray) -> FloatArray:
    bad = np.flatnonzero(values < 0)
    if len(bad):
        raise ChoiceDataError(int(bad[0]), f"sqrt of {values[bad[0]]:g}", "sqrt of a number of 0 or more")
    return np.sqrt(values)


_FUNCTIONS: Final[dict[str, Callable[[FloatArray], FloatArray]]] = {
    "I": lambda values: values,
    "abs": np.abs,
    "exp": np.exp,
    "ln": _logarithm,
    "log": _logarithm,
    "log1p": lambda values: _logarithm(values + 1),
    "sqrt": _root,
}
FUNCTIONS: Final = ("C", *_FUNCTIONS)
"""What may be called in a formula; ``C(x, base=v)`` makes a column categorical, ``log`` is the natural logarithm
too."""


class Expression:
    """A factor of a formula as typed.

    Raises
    ------
    SpecificationError
        It holds anything but columns, numbers, arithmetic, comparisons and ``FUNCTIONS``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._aliases: dict[str, str] = {}
        code = sanitize_variable_names(text, {}, self._aliases, template="_column_{}")
        try:
            self._tree: ast.expr = ast.parse(code.strip(), mode="eval").body
        except SyntaxError:
            raise SpecificationError(f"{text} is not an expression such as ln(price)") from None
        self.is_categorical = isinstance(self._tree, ast.Call) and _function_name(self._tree) == "C"
        self.base: Any = None
        if isinstance(self._tree, ast.Call) and self.is_categorical:
            self._tree = self._categorical(self._tree)
        self._check(self._tree)

    @property
    def column(self) -> str | None:
        """The column, where the expression is nothing but one."""
        return self._name(self._tree) if isinstance(self._tree, ast.Name) else None

    def columns(self) -> set[str]:
        """Return the columns that it needs."""
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        names = (node for node in ast.walk(self._tree) if isinstance(node, ast.Name))
        return {self._name(node) for node in names if id(node) not in called}

    def values(self, table: pd.DataFrame) -> Column | FloatArray:
        """Return the column itself, or the numbers that the expression gives: one a row.

        Raises
        ------
        SpecificationError
            A column is not there.
        ChoiceDataError
            A cell is empty or is no number, or the result is not finite.
        """
        for name in sorted(self.columns()):
            require_column(table, name)
        value = self._evaluate(self._tree, table)
        if isinstance(value, pd.Series):
            return value
        numbers = np.broadcast_to(np.asarray(value, dtype=np.float64), len(table))
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            raise ChoiceDataError(int(bad[0]), f"{self.text} = {numbers[bad[0]]}", "a finite number")
        return numbers

    def _categorical(self, call: ast.Call) -> ast.expr:
        ok = len(call.args) == 1 and all(word.arg == "base" for word in call.keywords)
        if not ok:
            raise SpecificationError(f"{self.text} is not C(column) or C(column, base=level)")
        for word in call.keywords:
            try:
                self.base = ast.literal_eval(word.value)
            except ValueError:
                raise SpecificationError(f"the base of {self.text} is neither a number nor a quoted text") from None
        return call.args[0]

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Name() | ast.Constant(value=bool() | int() | float() | str()):
                return
            case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
                parts = [left, right]
            case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
                parts = [operand]
            case ast.Compare(left, [op], [right]) if type(op) in _COMPARISONS:
                parts = [left, right]
            case ast.Call(ast.Name(name), [argument], []) if name in _FUNCTIONS:
                parts = [argument]
            case ast.Call():
                name = _function_name(node)
                raise SpecificationError(
                    f"{self.text}: {name} is not a function of one argument that a formula may call "
                    f"({', '.join(FUNCTIONS)}){nearest_name(name, FUNCTIONS)}"
                )
            case _:
                raise SpecificationError(f"{self.text}: {ast.unparse(node)} cannot stand in a formula")
        for part in parts:
            self._check(part)

    def _evaluate(self, node: ast.expr, table: pd.DataFrame) -> Any:
        match node:
            case ast.Name():
                return table[self._name(node)]
            case ast.Constant(value):
                return value
            case ast.BinOp(left, op, right):
                with np.errstate(all="ignore"):
                    return _ARITHMETIC[type(op)](self._numbers(left, table), self._numbers(right, table))
            case ast.UnaryOp(ast.USub(), operand):
                return -self._numbers(operand, table)
            case ast.UnaryOp(_, operand):
                return self._numbers(operand, table)
            case ast.Compare(left, [op], [right]):
                return self._compare(op, left, right, table)
            case ast.Call(ast.Name(name), [argument]):
                with np.errstate(over="ignore"):
                    return _FUNCTIONS[name](np.broadcast_to(self._numbers(argument, table), len(table)))
        raise SpecificationError(f"{self.text}: {ast.unparse(node)} cannot stand in a formula")

    def _compare(self, op: ast.cmpop, left: ast.expr, right: ast.expr, table: pd.DataFrame) -> FloatArray:
        compare = _COMPARISONS[type(op)]
        is_text = any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (left, right))
        if is_text:
            a, b = self._evaluate(left, table), self._evaluate(right, table)
        else:
            a, b = self._numbers(left, table), self._numbers(right, table)
        return np.asarray(compare(a, b), dtype=np.float64)

    def _numbers(self, node: ast.expr, table: pd.DataFrame) -> Any:
        value = self._evaluate(node, table)
        if isinstance(value, pd.Series):
            return as_numbers(value, str(value.name))
        if isinstance(value, str):
            raise SpecificationError(f'{self.text}: "{value}" is text where a number is needed')
        return value

    def _name(self, node: ast.Name) -> str:
        return self._aliases.get(node.id, node.id)


def as_numbers(column: Column, name: str) -> FloatArray:
    """Return a column as float64.

    Raises
    ------
    ChoiceDataError
        A cell is empty, text or not finite; the first one is named.
    """
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise ChoiceDataError(int(bad[0]), f"{name} = {show(column.iloc[bad[0]])}", "a number")
    return numbers


def _function_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)
