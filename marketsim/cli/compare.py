"""``marketsim compare``: what two runs have different."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli.options import AsJson, wide_console

if TYPE_CHECKING:
    from marketsim.experiments.comparison import Comparison
    from marketsim.experiments.first_difference import FirstDifference

SHOWN_KEYS = 30


def compare(
    a: Annotated[Path, typer.Argument(metavar="RUN_A", help="Run directory, or sweep directory.")],
    b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another one of the same kind.")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs: keys of the scenario, the first event where the logs part, statistics with paired tests.

    Two runs are paired by blocks of time, two sweeps by cells of the same factor values, arm and replicate.

    Example: marketsim compare runs/quickstart-s1-3f9a2c runs/quickstart-s2-9b1d07
    """
    from marketsim.experiments.comparison import compare_runs

    found = compare_runs(a, b)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    if found.identical:
        typer.echo(f"identical: every row that counts is the same; digest {found.digests[0]}")
    _print_scenario(found)
    if found.first is not None:
        _print_first(found.first)
    elif not found.identical and found.kind == "runs":
        typer.echo("the logs do not part: every table that both recorded is the same")
    _print_statistics(found)


def _print_scenario(found: Comparison) -> None:
    if not found.scenario:
        typer.echo("the scenarios have the same keys")
        return
    typer.echo("keys that differ")
    for key in found.scenario[:SHOWN_KEYS]:
        typer.echo(f"  {key.path}: {_value(key.a)} -> {_value(key.b)}")
    if len(found.scenario) > SHOWN_KEYS:
        typer.echo(f"  and {len(found.scenario) - SHOWN_KEYS} more: --json shows them")


def _print_first(first: FirstDifference) -> None:
    when = "" if first.time_ns is None else f" after {first.time_ns / 1e9:.9f} s"
    typer.echo(f"the logs part{when}: {first.table}, row {first.row}")
    for name, row in (("a", first.a), ("b", first.b)):
        typer.echo(f"  {name}: " + ("no such row" if row is None else ", ".join(f"{k}={v}" for k, v in row.items())))


def _print_statistics(found: Comparison) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    table.add_column("measure", no_wrap=True)
    for name in ("a", "b", "difference", "95 % interval", "p", "pairs"):
        table.add_column(name, justify="right")
    for row in found.statistics:
        interval = "" if row.low is None or row.high is None else f"{_number(row.low)} to {_number(row.high)}"
        p = "" if row.p_value is None else f"{row.p_value:.2g}"
        pairs = f"{row.n} {row.pairs}" if row.pairs else ""
        table.add_row(row.measure, _number(row.a), _number(row.b), _number(row.difference), interval, p, pairs)
    wide_console().print(table)


def _number(value: float | None) -> str:
    from marketsim.report.words import decimal

    return "" if value is None else decimal(value)


def _value(value: Any) -> str:
    from marketsim.scenario.wording import show_value

    return "nothing" if value is None else show_value(value)
