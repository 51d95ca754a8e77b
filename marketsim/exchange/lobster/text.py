"""LOBSTER files read line by line: slow and exact, it names every row that is at fault.

``marketsim.exchange.lobster.files`` comes here where the fast way meets anything but plain rows of numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core.errors import Fault

IntArray = npt.NDArray[np.int64]

_INTEGER: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_SECONDS: Final = re.compile(r"(\d{1,9})(?:\.(\d+))?", re.ASCII)
_LINE_END: Final = re.compile(r"\r\n|\n|\r")


class Field(NamedTuple):
    """One column of a LOBSTER file."""

    name: str
    """What an error calls it."""
    parse: Callable[[str], int | None]
    """The exact value of a text; None where it is none."""
    expected: str
    """What an error says was expected."""


def integer(text: str) -> int | None:
    """Return the value of a plain integer of at most 18 digits."""
    return int(text) if _INTEGER.fullmatch(text) else None


def nanoseconds(text: str) -> int | None:
    """Return seconds with any number of decimals as integer nanoseconds, rounded half up.

    Examples
    --------
    >>> nanoseconds("34200.004241176"), nanoseconds("34200.1"), nanoseconds("34200.0000000005")
    (34200004241176, 34200100000000, 34200000000001)
    """
    match = _SECONDS.fullmatch(text)
    if match is None:
        return None
    decimals = (match[2] or "").ljust(10, "0")
    return int(match[1]) * 1_000_000_000 + int(decimals[:9]) + (decimals[9] >= "5")


MESSAGE_FIELDS: Final = (
    Field("time", nanoseconds, "seconds after midnight such as 34200.004241176"),
    Field("type", integer, "an integer type from 1 to 7"),
    Field("order id", integer, "an integer order id"),
    Field("size", integer, "an integer size"),
    Field("price", integer, "an integer price in 1/10,000"),
    Field("direction", integer, "a direction, 1 or -1"),
)


def book_fields(levels: int) -> list[Field]:
    """Return the columns of a book file: ask price, ask size, bid price, bid size of each level."""
    return [
        Field(
            f"{side} {what} {level}",
            integer,
            f"an integer {side} {what} of level {level}" + (" in 1/10,000" if what == "price" else ""),
        )
        for level in range(1, levels + 1)
        for side in ("ask", "bid")
        for what in ("price", "size")
    ]


def split_rows(data: bytes) -> list[list[str]]:
    """Return the cells of each line, without the spaces around them; blank lines at the end do not count."""
    text = data.decode("utf-8-sig", errors="backslashreplace").rstrip()
    return [[cell.strip() for cell in line.split(",")] for line in _LINE_END.split(text)] if text else []


def usual_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the commonest number of columns: a garbled first row must not decide."""
    return Counter(map(len, rows)).most_common(1)[0][0]


def parse_rows(
    path: Path, rows: Sequence[Sequence[str]], fields: Sequence[Field], columns: str
) -> tuple[IntArray, IntArray, list[Fault]]:
    """Return the rows that can be read, the line of each from 1, and the faults of the others.

    Parameters
    ----------
    path : Path
        The file, for the faults.
    rows : sequence of sequences of str
        Cells of each line.
    fields : sequence of Field
        What the cells should be.
    columns : str
        What a fault says where a row has another number of cells: ``"6 columns: time, ..."``.

    Returns
    -------
    values : int64 array, shape (rows read, len(fields))
    lines : int64 array, shape (rows read,)
    faults : list of Fault
    """
    values: list[list[int]] = []
    lines: list[int] = []
    faults: list[Fault] = []
    for line, row in enumerate(rows, start=1):
        if len(row) != len(fields):
            found = "an empty row" if row == [""] else f"{len(row)} column{'s' if len(row) != 1 else ''}"
            faults.append(Fault(str(path), line, "", found, columns))
            continue
        parsed = [field.parse(cell) for field, cell in zip(fields, row, strict=True)]
        good = [value for value in parsed if value is not None]
        if len(good) == len(fields):
            values.append(good)
            lines.append(line)
            continue
        faults.extend(
            Fault(str(path), line, "", f'"{_shortened(cell)}"', field.expected)
            for field, cell, value in zip(fields, row, parsed, strict=True)
            if value is None
        )
    table = np.array(values, np.int64).reshape(-1, len(fields))
    return table, np.array(lines, np.int64), faults


def _shortened(cell: str, length: int = 40) -> str:
    return cell if len(cell) <= length else cell[: length - 3] + "..."
