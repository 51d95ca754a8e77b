"""Reading and writing LOBSTER files (lobsterdata.com), CSV or Parquet.

Times are integer nanoseconds and prices integers of 1/10,000, never floating point, so the half cents of hidden
executions survive. Faults are named by file and row, all at once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from marketsim.core.errors import Fault, InputError
from marketsim.exchange.lobster.checks import book_faults, message_faults, raise_faults
from marketsim.exchange.lobster.layout import MESSAGE_COLUMNS, LobsterBook, LobsterMessages
from marketsim.exchange.lobster.text import MESSAGE_FIELDS, book_fields, parse_rows, split_rows, usual_width

IntArray = npt.NDArray[np.int64]


def read_messages(path: str | Path) -> LobsterMessages:
    """Read a LOBSTER message file.

    Parameters
    ----------
    path : str or Path
        CSV as LOBSTER ships it, or Parquet with the columns time_ns, kind, order_id, size, price, direction.

    Raises
    ------
    InputError
        The file is missing, a folder or empty, or rows are truncated, garbled or impossible: ``faults`` lists them.
    """
    from marketsim.exchange.lobster.columns import parse_messages, read_parquet

    path = Path(path)
    data = _read_bytes(path, "a LOBSTER message file")
    faults: list[Fault] = []
    lines: IntArray | None = None
    if path.suffix == ".parquet":
        values: IntArray | None = read_parquet(path, MESSAGE_COLUMNS)
    else:
        values = parse_messages(data)
    if values is None:
        names = ", ".join(field.name for field in MESSAGE_FIELDS)
        values, lines, faults = parse_rows(path, split_rows(data), MESSAGE_FIELDS, f"6 columns: {names}")
    messages = LobsterMessages(path, *np.ascontiguousarray(values.T))
    raise_faults(path, faults + message_faults(messages, _lines(values) if lines is None else lines))
    return messages


def read_book(path: str | Path, rows: int | None = None) -> LobsterBook:
    """Read a LOBSTER book file.

    Parameters
    ----------
    path : str or Path
        CSV as LOBSTER ships it, or Parquet of the same columns; their number is four times the levels.
    rows : int, optional
        Read that many rows from the top only.

    Raises
    ------
    InputError
        As ``read_messages``; also where levels do not stand in the order of their prices.
    """
    from marketsim.exchange.lobster.columns import parse_book, read_parquet

    path = Path(path)
    data = _read_bytes(path, "a LOBSTER book file", rows)
    faults: list[Fault] = []
    lines: IntArray | None = None
    values: IntArray | None
    if path.suffix == ".parquet":
        values = read_parquet(path)[:rows]
        _check_width(path, 0, values.shape[1])
    else:
        values = parse_book(data)
    if values is None:
        cells = split_rows(data)
        width = usual_width(cells)
        _check_width(path, next(line for line, row in enumerate(cells, 1) if len(row) == width), width)
        values, lines, faults = parse_rows(path, cells, book_fields(width // 4), f"{width} columns as in most rows")
    book = LobsterBook(path, values)
    raise_faults(path, faults + book_faults(book, _lines(values) if lines is None else lines))
    return book


def write_messages(messages: LobsterMessages, path: str | Path) -> None:
    """Write messages as LOBSTER CSV, times with nine decimals; as Parquet where the name ends in ``.parquet``."""
    from marketsim.exchange.lobster.columns import write_table

    write_table(messages.columns(), Path(path))


def write_book(book: LobsterBook, path: str | Path) -> None:
    """Write a book as LOBSTER CSV; as Parquet where the name ends in ``.parquet``."""
    from marketsim.exchange.lobster.columns import write_table

    names = [field.name.replace(" ", "_") for field in book_fields(book.levels)]
    write_table(dict(zip(names, np.ascontiguousarray(book.values.T), strict=True)), Path(path))


def _read_bytes(path: Path, expected: str, rows: int | None = None) -> bytes:
    """Return what a file holds, or its first rows."""
    if path.is_dir():
        raise InputError(path, 0, "a folder", expected)
    try:
        with path.open("rb") as file:
            whole = rows is None or path.suffix == ".parquet"
            data = file.read() if whole else b"".join(line for _, line in zip(range(rows or 0), file, strict=False))
    except FileNotFoundError:
        raise InputError(path, 0, "no such file", expected) from None
    except OSError as error:
        raise InputError(path, 0, f"a file that cannot be read ({error.strerror})", expected) from None
    if not data.strip():
        raise InputError(path, 0, "an empty file", expected)
    return data


def _check_width(path: Path, line: int, width: int) -> None:
    if width == 0 or width % 4 != 0:
        found = f"{width} column{'' if width == 1 else 's'}"
        raise InputError(path, line, found, "four a level: ask price, ask size, bid price, bid size")


def _lines(values: IntArray) -> IntArray:
    """Line of each row where every line is a row."""
    return np.arange(1, len(values) + 1)
