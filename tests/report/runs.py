"""Runs on disk and in memory that tests of the report make from invented tables."""

import pyarrow.parquet as pq

from marketsim.analysis import Instrument, summarise_exchange
from marketsim.core.run_directory import create_run_directory
from marketsim.report import ReportInput
from tests.analysis.synthetic import MINUTE, SECOND, market_tables

SYMBOLS = ("ACME", "BOLT", "CRUX")
START = 34_200 * SECOND


def view(tables=None, minutes=5, instruments=1, **changes):
    """What the report of invented tables is made of."""
    tables = market_tables(minutes=minutes, instruments=instruments) if tables is None else tables
    units = [Instrument(symbol) for symbol in SYMBOLS[:instruments]]
    facts = {
        "name": "invented",
        "seed": 7,
        "status": "complete",
        "digest": "0123abcd" * 8,
        "start_ns": START,
        "duration_ns": minutes * MINUTE,
        "exchange": summarise_exchange(tables, units, 0, minutes * MINUTE),
        "command": "marketsim run runs/invented-s7-000000/scenario.toml",
        "seconds": 1.25,
        "counts": {name: table.num_rows for name, table in tables.items()},
        "versions": {"numpy": "2.4.0"},
    }
    return ReportInput(**(facts | changes))


def write_run(path, tables=None, minutes=5, parts=2, status="complete", declared=()):
    """A run directory with invented tables, each cut into parts."""
    tables = market_tables(minutes=minutes) if tables is None else tables
    manifest = {
        "name": "invented",
        "seed": 7,
        "start": START,
        "duration": minutes * MINUTE,
        "instruments": [{"symbol": "ACME", "tick_size": "0.01", "lot_size": 1, "currency": "USD", "cash_decimals": 2}],
    }
    run = create_run_directory(path, manifest)
    described = {name: {"rows": table.num_rows, "columns": {}} for name, table in tables.items()}
    described |= {name: {"rows": 0, "columns": {}} for name in declared}
    for name, table in tables.items():
        folder = path / name
        folder.mkdir(parents=True)
        size = -(-table.num_rows // parts)
        for number in range(parts):
            pq.write_table(table.slice(number * size, size), folder / f"part-{number:05d}.parquet")
    digest = "0123abcd" * 8 if status == "complete" else None
    run.write_manifest(tables=described, status=status, digest=digest, timings={"seconds": 1.25})
    return run
