"""Columns of Arrow tables as NumPy arrays, one batch at a time.

Every measure of this package that reads a table goes through ``read_columns``, so that a table may be a whole
``pyarrow.Table`` or a stream of record batches that never stands in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
TableLike: TypeAlias = "pa.Table | Iterable[pa.RecordBatch]"
"""A table, or its record batches in order."""


def read_columns(table: TableLike, names: Sequence[str]) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yield the named columns of each batch that holds rows.

    Parameters
    ----------
    table : pyarrow.Table, or iterable of pyarrow.RecordBatch
        Rows in the order in which they were recorded.
    names : sequence of str
        Columns to read; others are left alone.

    Yields
    ------
    dict of str to array, shape (rows,)
        Integers of any width become int64, floats float64, strings objects.

    Raises
    ------
    ValueError
        The table lacks one of the columns.
    """
    batches = table.to_batches() if hasattr(table, "to_batches") else table
    for batch in batches:
        present = batch.schema.names
        missing = [name for name in names if name not in present]
        if missing:
            raise ValueError(f"found a table with the columns {', '.join(present)}; expected also {', '.join(missing)}")
        if batch.num_rows:
            yield {name: _widen(batch.column(name).to_numpy(zero_copy_only=False)) for name in names}


def split_by(key: IntArray, columns: dict[str, npt.NDArray[Any]]) -> Iterator[tuple[int, dict[str, npt.NDArray[Any]]]]:
    """Yield (value of the key, its rows) for each value that ``key`` takes, in increasing order."""
    values = np.flatnonzero(np.bincount(key))
    if len(values) == 1:
        yield int(values[0]), columns
        return
    for value in values:
        rows = key == value
        yield int(value), {name: column[rows] for name, column in columns.items()}


def _widen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a column the one integer and the one float type that the measures compute with."""
    if column.dtype.kind in "iu":
        return column.astype(np.int64, copy=False)
    if column.dtype.kind == "f":
        return column.astype(np.float64, copy=False)
    return column
