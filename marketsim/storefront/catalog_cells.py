"""The cells of a catalogue's file: each is read, checked, or filled in by the rule of its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from marketsim.core.errors import Fault, InputError

MAX_PRICE: Final = Decimal(10) ** 9
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
"""An amount with commas between thousands; any other comma might be a decimal one, and is refused."""


class Rows:
    """The rows of a file, and what is wrong with them.

    Parameters
    ----------
    path : Path
        The file, for messages.
    columns : mapping of str to list of str
        Its cells, as text; empty where there is none.
    first_row : int
        Number of the first row, as a reader counts.
    rules : mapping of str to str
        How a column is filled, in words.
    """

    def __init__(self, path: Path, columns: Mapping[str, list[str]], first_row: int, rules: Mapping[str, str]) -> None:
        self._path, self._columns, self._first, self._rules = path, columns, first_row, rules
        self._n = len(next(iter(columns.values())))
        self._faults: list[Fault] = []
        self._filled: dict[str, int] = {}

    def texts(self, name: str, expected: str = "", *, unique: bool = False) -> tuple[str, ...]:
        """Return a column of texts; where ``expected`` is given none may be empty."""
        values = self._cells(name)
        seen: dict[str, int] = {}
        for row, value in enumerate(values):
            if expected and not value:
                self._add(row, name, "nothing", expected)
            elif unique and value in seen:
                self._add(row, name, f'"{value}"', f"an id of its own; row {self._first + seen[value]} has this one")
            elif not value:
                self._fill(name)
            seen.setdefault(value, row)
        return tuple(values)

    def numbers(
        self,
        name: str,
        read: Callable[[str], Any],
        expected: str,
        is_good: Callable[[Any], bool],
        default: Any = None,
        *,
        optional: bool = False,
    ) -> list[Any]:
        """Return a column of numbers, each cell read and checked.

        ``default`` is one value, or one per row; None: the cell must be there, unless ``optional``.
        """
        result = []
        for row, text in enumerate(self._cells(name)):
            value = default[row] if isinstance(default, list) else default
            if text or (value is None and not optional):
                try:
                    value = read(text)
                    is_fine = bool(is_good(value))
                except (ValueError, InvalidOperation, OverflowError):
                    is_fine = False
                if not is_fine:
                    self._add(row, name, f'"{text}"' if text else "nothing", expected)
                    value = 1
            else:
                self._fill(name)
            result.append(value)
        return result

    def converted(self, name: str, convert: Callable[[str], str]) -> tuple[str, ...]:
        """Return a column of texts, each converted; what ``convert`` raises as ``ValueError`` is what is expected."""
        result = []
        for row, text in enumerate(self._cells(name)):
            try:
                result.append(convert(text) if text else "")
            except ValueError as error:
                self._add(row, name, f'"{text[:60]}"', str(error))
            if not text:
                self._fill(name)
        return tuple(result)

    def attributes(self, others: Collection[str]) -> tuple[dict[str, str], ...]:
        """Return all columns but ``others``, row by row, without empty cells."""
        names = [name for name in self._columns if name not in others]
        return tuple(
            {name: self._columns[name][row] for name in names if self._columns[name][row]} for row in range(self._n)
        )

    def filled(self) -> dict[str, str]:
        """Return each column that was filled in, with the number of cells and the rule."""
        return {
            name: f"{f'all {n:,}' if n == self._n else f'{n:,} of {self._n:,}'} cells: {rule}"
            for name, rule in self._rules.items()
            if (n := self._filled.get(name))
        }

    def raise_faults(self) -> None:
        """Raise all faults that were found, in the order of rows."""
        faults: Sequence[Fault] = sorted(self._faults, key=lambda fault: fault.line)
        if faults:
            first, *more = faults
            raise InputError(self._path, first.line, first.found, first.expected, more)

    def _cells(self, name: str) -> list[str]:
        return self._columns.get(name) or [""] * self._n

    def _fill(self, name: str) -> None:
        self._filled[name] = self._filled.get(name, 0) + 1

    def _add(self, row: int, name: str, found: str, expected: str) -> None:
        self._faults.append(Fault(str(self._path), self._first + row, "", f"{name} {found}", expected))


def money(text: str) -> int:
    """Return an amount such as ``19.99``, ``$19.99`` or ``1,299.00`` in hundredths."""
    plain = text.removeprefix("$")
    value = Decimal(plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain)
    if not value.is_finite() or abs(value) > MAX_PRICE or value * 100 != int(value * 100):
        raise ValueError(text)
    return int(value * 100)


def tenths(text: str) -> int:
    """Return stars in tenths: of ``4.5``, or of ``90%``, which is of five stars."""
    value = Decimal(text.removesuffix("%")) / (20 if text.endswith("%") else 1)
    return int((value * 10).to_integral_value(rounding="ROUND_HALF_UP"))


def count(text: str) -> int:
    """Return a whole number, which may be written as ``12.0``."""
    value = Decimal(text)
    if value != int(value):
        raise ValueError(text)
    return int(value)


def address_name(text: str) -> str:
    """Return the last part of an address, without its suffix."""
    return text.rsplit("/", 1)[-1].rsplit("}", 1)[-1].removesuffix(".html")
