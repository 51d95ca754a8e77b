"""SQL over every table of a run or of all complete runs of a sweep, with DuckDB.

A table is called by its name without the package, ``trades``, and by its whole name in quotes, ``"exchange/trades"``.
In a sweep every table has the columns ``cell``, ``point``, ``arm``, ``replicate`` and the factors joined to it, with
``cell_`` in front where the table has a column of that name, and there is one table more, ``cells``: the results, one
row a cell. The database is in memory and reads the files of the
directory alone; it can write nothing.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import marketsim
from marketsim.core.errors import MarketSimError
from marketsim.core.run_directory import RunDirectory, open_run_directory
from marketsim.core.tables import Column, Table
from marketsim.experiments.directory import COMPLETE, RUNS, is_sweep_directory
from marketsim.experiments.measures import title_of

if TYPE_CHECKING:
    import pandas as pd

    from marketsim.experiments.study import Study

CELLS_TABLE = "cells"

DERIVED: Mapping[str, Mapping[str, tuple[Column, str]]] = {
    "exchange/quotes": {
        "spread_ticks": (
            Column("spread_ticks", "int64", "ticks", "best ask less best bid; null where a side is empty"),
            "case when bid_size_lots > 0 and ask_size_lots > 0 then ask_price_ticks - bid_price_ticks end",
        ),
        "mid_ticks": (
            Column("mid_ticks", "float64", "ticks", "mean of best bid and best ask; null where a side is empty"),
            "case when bid_size_lots > 0 and ask_size_lots > 0 then (ask_price_ticks + bid_price_ticks) / 2 end",
        ),
    },
}
"""Columns that queries have beside those on disk."""

PARTS = "part-*.parquet"

_SQL_TYPES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float64": "double",
    "bool": "boolean",
    "string": "varchar",
}


class QueryError(MarketSimError):
    """A query that DuckDB refuses, or one that would write."""

    exit_code = 2


@dataclass(frozen=True)
class QueryTable:
    """A table that queries can name.

    Attributes
    ----------
    name : str
        Short name.
    table : Table
        Its declaration: description, columns, units.
    joined : tuple of str
        Columns that a sweep adds.
    """

    name: str
    table: Table
    joined: tuple[str, ...] = ()


class Database:
    """A DuckDB connection over the tables of one directory; made by ``open_database``."""

    def __init__(self, connection: Any, tables: Sequence[QueryTable]) -> None:
        self._connection, self.tables = connection, tuple(tables)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        self._connection.close()

    def frame(self, query: str) -> pd.DataFrame:
        """Return the rows of a query as a frame.

        Raises
        ------
        QueryError
            The query is wrong, or is no query.
        """
        frame: pd.DataFrame = self._result(query).df()
        return frame

    def rows(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns of a query, and its rows; errors as for ``frame``."""
        result = self._result(query)
        return [column[0] for column in result.description], result.fetchall()

    def _result(self, query: str) -> Any:
        import duckdb

        try:
            statements = self._connection.extract_statements(query)
            if len(statements) != 1:
                raise QueryError(f"expected one query; found {len(statements)}")
            if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                word = statements[0].type.name.lower()
                raise QueryError(
                    f"expected a query such as select ... from trades; found {word}: runs are never changed"
                )
            return self._connection.execute(statements[0])
        except duckdb.Error as error:
            raise QueryError(_readable(str(error))) from None


def open_database(path: str | Path) -> Database:
    """Return a database over a run directory or a sweep directory.

    Raises
    ------
    RunDirectoryError
        There is neither.
    MarketSimError
        DuckDB, the extra ``sql``, is not installed.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise MarketSimError("SQL needs DuckDB: pip install 'marketsim[sql]'") from None
    path = Path(path)
    connection = duckdb.connect(":memory:")
    if is_sweep_directory(path):
        tables = _open_sweep(connection, path)
    else:
        tables = _open_run(connection, open_run_directory(path))
    connection.execute(f"set allowed_directories = [{_text(str(path.resolve()))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return Database(connection, tables)


def declared_tables() -> dict[str, Table]:
    """Return every table that a package declares in its ``tables.py``, by name."""
    found: dict[str, Table] = {}
    for package in pkgutil.iter_modules(marketsim.__path__, "marketsim."):
        name = f"{package.name}.tables"
        if package.ispkg and name != "marketsim.core.tables" and importlib.util.find_spec(name) is not None:
            found |= {
                value.name: value for value in vars(importlib.import_module(name)).values() if isinstance(value, Table)
            }
    return found


# ---- Views ---------------------------------------------------------------------------------------------------


def _open_run(connection: Any, run: RunDirectory) -> list[QueryTable]:
    declared = declared_tables()
    names = sorted(name for name in run.counts if name in declared)
    for name, short in _short_names(names).items():
        _create_views(connection, name, short, _source(run.path / name, declared[name]))
    return [QueryTable(short, _with_derived(declared[name])) for name, short in _short_names(names).items()]


def _aliases(joined: Sequence[str], table: Table) -> dict[str, str]:
    """Return what the columns of a cell are called in a table; one that has such a column itself gets ``cell_arm``."""
    own = {column.name for column in table.columns}
    return {name: f"cell_{name}" if name in own else name for name in joined}


def _with_derived(table: Table) -> Table:
    more = tuple(column for column, _ in DERIVED.get(table.name, {}).values())
    return Table(table.name, table.description, (*table.columns, *more))


def _open_sweep(connection: Any, path: Path) -> list[QueryTable]:
    from marketsim.experiments.study import open_study

    study = open_study(path)
    joined = ("point", "arm", "replicate", *study.factors)
    connection.register("_cells", study.results)
    connection.execute(f"create table {CELLS_TABLE} as select * from _cells")
    connection.unregister("_cells")
    declared = declared_tables()
    names = _recorded(study, declared)
    taken = _short_names(names, (CELLS_TABLE,))
    for name, short in taken.items():
        source = _partitions(path / RUNS, declared[name])
        columns = ", ".join(
            f"{CELLS_TABLE}.{_quoted(column)} as {_quoted(alias)}"
            for column, alias in _aliases(joined, declared[name]).items()
        )
        query = (
            f"select rows.*, {columns} from ({source}) as rows join {CELLS_TABLE} using (cell) "
            f"where {CELLS_TABLE}.status = '{COMPLETE}'"
        )
        _create_views(connection, name, short, query)
    found = [
        QueryTable(short, _with_derived(declared[name]), ("cell", *_aliases(joined, declared[name]).values()))
        for name, short in taken.items()
    ]
    return [_cells_declaration(study), *found]


def _recorded(study: Study, declared: Mapping[str, Table]) -> list[str]:
    """Return the tables that the complete runs hold, as far as the first ones show."""
    table = study.results
    names: set[str] = set()
    for cells in table[table["status"] == COMPLETE].groupby("point").first()["cell"].tolist() if len(table) else ():
        folder = study.run_path(int(cells))
        names |= {name for name in declared if any(folder.joinpath(name).glob("part-*.parquet"))}
    return sorted(names)


def _source(folder: Path, table: Table) -> str:
    """Return the query of a run's table: of its parts, or of no rows where it has none."""
    derived = "".join(f", {how} as {_quoted(name)}" for name, (_, how) in DERIVED.get(table.name, {}).items())
    if any(folder.glob("part-*.parquet")):
        names = ", ".join(_quoted(column.name) for column in table.columns)
        rows = f"select {names} from read_parquet({_text(str(folder.absolute() / PARTS))}, hive_partitioning = false)"
    else:
        types = ", ".join(
            f"cast(null as {_SQL_TYPES[column.type]}) as {_quoted(column.name)}" for column in table.columns
        )
        rows = f"select {types} where false"
    return f"select *{derived} from ({rows})"


def _partitions(runs: Path, table: Table) -> str:
    """Return the query of one table of all runs; the cell stands in the name of its folder."""
    derived = "".join(f", {how} as {_quoted(name)}" for name, (_, how) in DERIVED.get(table.name, {}).items())
    names = ", ".join(_quoted(column.name) for column in table.columns)
    pattern = _text(str(runs.absolute() / "cell=*" / table.name / PARTS))
    files = f"read_parquet({pattern}, hive_partitioning = true, hive_types = {{'cell': bigint}})"
    return f"select cell, {names}{derived} from {files}"


def _create_views(connection: Any, name: str, short: str, query: str) -> None:
    connection.execute(f"create view {_quoted(name)} as {query}")
    connection.execute(f"create view {_quoted(short)} as select * from {_quoted(name)}")


def _short_names(names: Sequence[str], taken: Sequence[str] = ()) -> dict[str, str]:
    """Return the last word of each name; with the package in front where two packages share it."""
    last = [name.rpartition("/")[2] for name in names]
    return {
        name: word if last.count(word) == 1 and word not in taken else name.replace("/", "_")
        for name, word in zip(names, last, strict=True)
    }


def _cells_declaration(study: Study) -> QueryTable:
    words = {
        "cell": "number of the cell",
        "point": "number of the combination of factor values and arm",
        "arm": "arm",
        "replicate": "number of the repetition",
        "status": "complete, failed or pending",
        "digest": "digest of the run",
        "seconds": "wall-clock time of simulating and recording",
        "attempts": "how often it was tried",
        "error": "why its last attempt failed",
    }
    kinds = {"i": "int64", "f": "float64"}
    columns = [
        Column(
            name,
            kinds.get(values.dtype.kind, "string"),
            "s" if name == "seconds" else "",
            words.get(name) or (f"factor {study.factor(name).path}" if name in study.factors else title_of(name)),
        )
        for name, values in ((str(name), values) for name, values in study.results.items())
    ]
    table = Table(CELLS_TABLE, "The cells of the sweep and their measures, one row each.", tuple(columns))
    return QueryTable(CELLS_TABLE, table)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _readable(message: str) -> str:
    """Return DuckDB's message without the empty lines that it draws."""
    lines: Iterator[str] = (line.rstrip() for line in message.splitlines())
    return "\n".join(line for line in lines if line)
