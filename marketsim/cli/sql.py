"""``marketsim sql``: query every table of a run or a sweep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli.options import AsJson, wide_console

if TYPE_CHECKING:
    from marketsim.experiments.sql import Database

SHOWN_ROWS = 100


def sql(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory or sweep directory.")],
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help='Such as "select arm, avg(price_ticks) from trades group by arm".')
    ] = "",
    tables: Annotated[bool, typer.Option("--tables", help="Say which tables and columns there are.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print at most; --json prints all.")] = SHOWN_ROWS,
    as_json: AsJson = False,
) -> None:
    """Run a SQL query over every table; in a sweep over all complete runs, with arm and factors as columns.

    Example: marketsim sql sweeps/tick_size-3f9a2c "select tick_size, count(*) from trades group by tick_size"
    """
    from marketsim.experiments.sql import open_database

    if not query and not tables:
        raise typer.BadParameter('expected a query such as "select count(*) from trades", or --tables')
    with open_database(directory) as database:
        if tables:
            _print_tables(database, as_json)
            return
        names, rows = database.rows(query)
    if as_json:
        typer.echo(json.dumps({"columns": names, "rows": rows}, default=str))
        return
    _print_rows(names, rows, limit)


def _print_tables(database: Database, as_json: bool) -> None:
    found: list[dict[str, Any]] = [
        {
            "name": each.name,
            "table": each.table.name,
            "description": each.table.description,
            "columns": [
                {
                    "name": column.name,
                    "type": column.type,
                    "unit": column.unit,
                    "description": column.description + (f": {column.labelled()}" if column.labels else ""),
                }
                for column in each.table.columns
            ],
            "joined": list(each.joined),
        }
        for each in database.tables
    ]
    if as_json:
        typer.echo(json.dumps({"tables": found}))
        return
    for table in found:
        typer.echo(f"{table['name']}  {table['description']}")
        width = max(len(column["name"]) for column in table["columns"])
        for column in table["columns"]:
            unit = f" [{column['unit']}]" if column["unit"] else ""
            typer.echo(f"  {column['name']:<{width}}  {column['type']:<8} {column['description']}{unit}")
        if table["joined"]:
            typer.echo(f"  and of each cell: {', '.join(table['joined'])}")
        typer.echo("")


def _print_rows(names: list[str], rows: list[tuple[Any, ...]], limit: int) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for number, name in enumerate(names):
        numeric = all(isinstance(row[number], int | float) for row in rows[:limit] if row[number] is not None)
        table.add_column(name, justify="right" if numeric and rows else "left")
    for row in rows[:limit]:
        table.add_row(
            *("" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)
        )
    wide_console().print(table)
    if len(rows) > limit:
        typer.echo(f"{len(rows) - limit:,} more rows: --limit or --json shows them", err=True)
