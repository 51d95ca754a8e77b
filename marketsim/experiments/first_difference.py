"""Where the logs of two runs part: the first row that differs, table by table.

Blocks of 65,536 rows whose chained digests agree are equal and are not read. Accounts are compared by the names of
their agents, since one agent more gives all that follow it another number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from marketsim.core.digest import BLOCK_ROWS
from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import RunDirectory

TIME = "time_ns"

AGENTS = "exchange/agents"
ACCOUNTS = ("agent", "taker_agent", "maker_agent")
"""Columns of the exchange's tables that hold numbers of accounts."""

Names = NDArray[np.object_]
"""Name of each account, by its number."""


@dataclass(frozen=True)
class FirstDifference:
    """The first row in which a table of two runs differs.

    Attributes
    ----------
    table : str
        Its name.
    row : int
        From 0.
    time_ns : int or None
        The earlier of the two rows' times; None in a table without time.
    a, b : dict or None
        The two rows; None where one table has ended.
    """

    table: str
    row: int
    time_ns: int | None
    a: dict[str, Any] | None
    b: dict[str, Any] | None


def differences(a: RunDirectory, b: RunDirectory) -> list[FirstDifference]:
    """Return the first difference of each table that both runs recorded, the earliest first; none where all agree.

    Raises
    ------
    RunDirectoryError
        A file is damaged.
    """
    names = sorted(set(a.manifest["tables"]) & set(b.manifest["tables"]))
    accounts = _account_names(a), _account_names(b)
    found = [difference for name in names if (difference := _in_table(a, b, name, accounts)) is not None]
    return sorted(found, key=lambda each: (each.time_ns is None, each.time_ns or 0, each.table))


def _account_names(run: RunDirectory) -> Names | None:
    """Return the name of each account; None where the run did not record them."""
    if AGENTS not in run.manifest["tables"] or not run.parts(AGENTS):
        return None
    table = run.table(AGENTS, ["agent", "name"])
    names = np.full(int(np.max(table["agent"].to_numpy())) + 1, "", object)
    names[table["agent"].to_numpy()] = table["name"].to_pylist()
    return names


def _with_names(table: pa.Table, name: str, names: Names | None) -> pa.Table:
    """Put names in place of the numbers of accounts."""
    if names is None or not name.startswith("exchange/") or name == AGENTS:
        return table
    for column in set(ACCOUNTS) & set(table.column_names):
        place = table.column_names.index(column)
        table = table.set_column(place, column, pa.array(names[table.column(column).to_numpy()], pa.string()))
    return table


def _in_table(
    a: RunDirectory, b: RunDirectory, name: str, accounts: tuple[Names | None, Names | None]
) -> FirstDifference | None:
    first, second = a.manifest["tables"][name], b.manifest["tables"][name]
    if first.get("digest") is not None and first.get("digest") == second.get("digest"):
        return None
    columns = [column for column in first["columns"] if column in second["columns"]]
    skipped = _equal_blocks(first.get("blocks") or [], second.get("blocks") or []) * BLOCK_ROWS
    rows = _blocks(a, name, columns, skipped), _blocks(b, name, columns, skipped)
    begin = skipped
    while True:
        one, other = next(rows[0], None), next(rows[1], None)
        if accounts[0] is not None and accounts[1] is not None:
            one, other = (
                None if table is None else _with_names(table, name, names)
                for table, names in zip((one, other), accounts, strict=True)
            )
        if one is None and other is None:
            return None
        shared = min(one.num_rows if one else 0, other.num_rows if other else 0)
        row = _first_row(one, other, shared) if one and other else None
        if row is None and (one is None or other is None or one.num_rows != other.num_rows):
            row = shared
        if row is not None:
            return _difference(name, begin + row, _row(one, row), _row(other, row))
        begin += shared


def _equal_blocks(first: list[str], second: list[str]) -> int:
    """Return how many blocks the two tables begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def _blocks(run: RunDirectory, name: str, columns: list[str], skip: int) -> Iterator[pa.Table]:
    """Yield a table in pieces of ``BLOCK_ROWS`` rows, without the first ``skip``."""
    waiting: list[pa.RecordBatch] = []
    n_waiting = 0
    for part in run.parts(name):
        try:
            with pq.ParquetFile(part) as file:
                if skip >= file.metadata.num_rows:
                    skip -= file.metadata.num_rows
                    continue
                for batch in file.iter_batches(BLOCK_ROWS, columns=columns):
                    piece = batch.slice(min(skip, batch.num_rows))
                    skip -= batch.num_rows - piece.num_rows
                    waiting.append(piece.select(columns))
                    n_waiting += piece.num_rows
                    while n_waiting >= BLOCK_ROWS:
                        table = pa.Table.from_batches(waiting)
                        yield table.slice(0, BLOCK_ROWS)
                        waiting = table.slice(BLOCK_ROWS).to_batches()
                        n_waiting -= BLOCK_ROWS
        except (OSError, pa.ArrowException) as error:
            raise RunDirectoryError(f"{part}: cannot be read: {error}") from error
    if n_waiting:
        yield pa.Table.from_batches(waiting)


def _first_row(one: pa.Table, other: pa.Table, n: int) -> int | None:
    """Return the first of ``n`` rows that differs; None where none does."""
    differs = np.zeros(n, bool)
    for column in one.column_names:
        left, right = (table.column(column).slice(0, n).to_numpy() for table in (one, other))
        equal = left == right
        if left.dtype.kind == "f":
            equal |= np.isnan(left) & np.isnan(right)
        differs |= ~equal
    rows = np.flatnonzero(differs)
    return int(rows[0]) if len(rows) else None


def _row(table: pa.Table | None, row: int) -> dict[str, Any] | None:
    if table is None or row >= table.num_rows:
        return None
    found: dict[str, Any] = table.slice(row, 1).to_pylist()[0]
    return found


def _difference(name: str, row: int, a: dict[str, Any] | None, b: dict[str, Any] | None) -> FirstDifference:
    times = [each[TIME] for each in (a, b) if each is not None and TIME in each]
    return FirstDifference(name, row, min(times) if times else None, a, b)
