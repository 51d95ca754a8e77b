"""Plain CSV of numbers and Parquet, by Arrow: the fast way to read and write LOBSTER files.

A file that holds anything else is left to ``marketsim.exchange.lobster.text``, which is slow and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv, parquet

from marketsim.core.errors import InputError

IntArray = npt.NDArray[np.int64]

_PLAIN: Final = b"0123456789.,-\r\n"
_DECIMALS: Final = 12  # of the seconds; times 10 ** 12 they fit an int64 for a hundred days
_UNIT: Final = 10 ** (_DECIMALS - 9)


def parse_messages(data: bytes) -> IntArray | None:
    """Return the six columns of a message file, shape (rows, 6); None where it is not plain.

    Seconds become integer nanoseconds, rounded half up.
    """
    table = _parse_csv(data, [pa.decimal128(30, _DECIMALS)] + [pa.int64()] * 5)
    if table is None:
        return None
    words = np.frombuffer(table.column(0).chunk(0).buffers()[1], np.int64).reshape(-1, 2)[: len(table)]
    if words[:, 1].any() or (words[:, 0] < 0).any():  # negative, or beyond the low word
        return None
    values = np.empty((len(table), 6), np.int64)
    values[:, 0] = (words[:, 0] + _UNIT // 2) // _UNIT
    for column in range(1, 6):
        values[:, column] = table.column(column).to_numpy()
    return values


def parse_book(data: bytes) -> IntArray | None:
    """Return the columns of a book file, shape (rows, 4 * levels); None where it is not plain."""
    width = data.partition(b"\n")[0].count(b",") + 1
    table = _parse_csv(data, [pa.int64()] * width) if width % 4 == 0 else None
    return None if table is None else _matrix(table)


def read_parquet(path: Path, names: Sequence[str] | None = None) -> IntArray:
    """Return integer columns of a Parquet file, shape (rows, columns): those of ``names``, or all.

    Raises
    ------
    InputError
        It is no Parquet file, or lacks a column, or a column holds anything but integers.
    """
    expected = "a Parquet file of LOBSTER columns"
    try:
        table = parquet.read_table(path)
        lacking = [name for name in names or () if name not in table.column_names]
        if lacking:
            raise InputError(path, 0, f"the columns {', '.join(table.column_names)}", f"also {', '.join(lacking)}")
        table = table.select(names or table.column_names)
        table = table.cast(pa.schema([pa.field(name, pa.int64()) for name in table.column_names]))
    except pa.ArrowException as error:
        raise InputError(path, 0, f"{error}".splitlines()[0], expected) from None
    if len(table) == 0 or any(column.null_count for column in table.columns):
        raise InputError(path, 0, "no rows" if len(table) == 0 else "missing values", expected)
    return _matrix(table)


def write_table(columns: Mapping[str, IntArray], path: Path) -> None:
    """Write columns as CSV without a header, ``time_ns`` as seconds; as Parquet where the name ends in ``.parquet``."""
    arrays: dict[str, Any] = {name: pa.array(column) for name, column in columns.items()}
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(arrays), path)
        return
    if "time_ns" in columns:
        # Arrow would write decimals below a microsecond as 5E-9.
        arrays["time_ns"] = pa.array([f"{t // 10**9}.{t % 10**9:09d}" for t in columns["time_ns"].tolist()])
    csv.write_csv(pa.table(arrays), path, csv.WriteOptions(include_header=False, quoting_style="none"))


def _is_plain(data: bytes) -> bool:
    """Whether nothing is there that Arrow reads and we refuse: 0x1F, 1e5, words for missing values, "5.", ".5"."""
    return not data.translate(None, _PLAIN) and b".," not in data and b"\n." not in data and not data.startswith(b".")


def _parse_csv(data: bytes, types: Sequence[Any]) -> pa.Table | None:
    if not _is_plain(data):
        return None
    names = [str(number) for number in range(len(types))]
    try:
        table = csv.read_csv(
            pa.py_buffer(data),
            csv.ReadOptions(column_names=names),
            csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=dict(zip(names, types, strict=True)), null_values=[], strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table.combine_chunks()


def _matrix(table: pa.Table) -> IntArray:
    values = np.empty((len(table), table.num_columns), np.int64)
    for column in range(table.num_columns):
        values[:, column] = table.column(column).to_numpy()
    return values
