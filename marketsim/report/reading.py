"""A run directory as the report sees it: facts of its manifest, and measures of its tables."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from marketsim.analysis.instruments import Instrument
from marketsim.analysis.storefront.facts import ShopFacts
from marketsim.analysis.storefront.summary import STOREFRONT_COLUMNS, StorefrontSummary, summarise_storefront
from marketsim.analysis.summary import EXCHANGE_COLUMNS, summarise_exchange
from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import COMPLETE, REPORT, SCENARIO, RunDirectory, open_run_directory, write_whole
from marketsim.report.html import render_report
from marketsim.report.view import ReportInput

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_VERSIONS = ("python", "numba", "numpy", "mesa")
"""Versions that the foot of the page names; the manifest has all."""


def read_run(run: str | Path | RunDirectory) -> ReportInput:
    """Measure a run on disk, whatever its status.

    Tables are read part by part, so that memory does not grow with the length of the run.

    Parameters
    ----------
    run : str, Path or RunDirectory
        The run directory.

    Raises
    ------
    RunDirectoryError
        There is none, or one of its files is damaged.
    """
    run = run if isinstance(run, RunDirectory) else open_run_directory(run)
    manifest = run.manifest
    duration = int(manifest["duration"])
    present = [name for name in EXCHANGE_COLUMNS if name in manifest["tables"]]
    end = duration if run.status == COMPLETE else _last_time(run, present, duration)
    # Accounts and agents are written at the end: a table without a row was not reached.
    recorded = {name: _batches(run, name, EXCHANGE_COLUMNS[name]) for name in present}
    for late in ("exchange/accounts", "exchange/agents"):
        if late in recorded and not run.parts(late):
            del recorded[late]
    versions = manifest.get("versions", {})
    return ReportInput(
        name=str(manifest["name"]),
        seed=int(manifest["seed"]),
        status=run.status,
        digest=run.digest or "",
        start_ns=int(manifest["start"]),
        duration_ns=duration,
        exchange=summarise_exchange(
            recorded, [Instrument.from_manifest(entry) for entry in manifest.get("instruments", [])], 0, end
        ),
        command=f"marketsim run {shlex.quote(str(run.path / SCENARIO))}",
        seconds=run.seconds,
        counts=run.counts,
        versions={name: versions[name] for name in SHOWN_VERSIONS if name in versions},
        storefront=_storefront(run),
    )


def _storefront(run: RunDirectory) -> StorefrontSummary | None:
    """Measure the shop of a run; None where there is none."""
    entry = run.manifest.get("storefront")
    if entry is None:
        return None
    recorded = {name: _batches(run, name, columns) for name, columns in STOREFRONT_COLUMNS.items() if run.parts(name)}
    return summarise_storefront(recorded, ShopFacts.from_manifest(entry))


def write_report(
    run: str | Path | RunDirectory, out: str | Path | None = None, *, view: ReportInput | None = None
) -> Path:
    """Write the report of a run and return where it is.

    Parameters
    ----------
    run : str, Path or RunDirectory
        The run directory.
    out : str or Path, optional
        File to write; by default ``report.html`` in the run directory.
    view : ReportInput, optional
        What ``read_run`` gave, where the caller has it already.

    Raises
    ------
    RunDirectoryError
        There is no such run, one of its files is damaged, or the report cannot be written.
    """
    run = run if isinstance(run, RunDirectory) else open_run_directory(run)
    target = run.path / REPORT if out is None else Path(out)
    page = render_report(view or read_run(run))
    try:
        write_whole(target, page)
    except OSError as error:
        raise RunDirectoryError(f"{target}: cannot be written: {error.strerror or error}") from error
    return target


def _batches(run: RunDirectory, name: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table, one row group at a time."""
    for part in run.parts(name):
        try:
            with pq.ParquetFile(part) as file:
                yield from file.iter_batches(1 << 18, columns=list(columns))
        except (OSError, pa.ArrowException) as error:
            raise RunDirectoryError(f"{part}: cannot be read: {error}") from error


def _last_time(run: RunDirectory, names: Sequence[str], duration_ns: int) -> int:
    """Time until which a run that is not complete left rows; its whole duration where it left none."""
    last = 0
    for name in names:
        if "time_ns" in EXCHANGE_COLUMNS[name] and (parts := run.parts(name)):
            try:
                time = pq.read_table(parts[-1], columns=["time_ns"], partitioning=None)["time_ns"]
            except (OSError, pa.ArrowException) as error:
                raise RunDirectoryError(f"{parts[-1]}: cannot be read: {error}") from error
            last = max(last, pc.max(time).as_py() or 0)
    return last or duration_ns
