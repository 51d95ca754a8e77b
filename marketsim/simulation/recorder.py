"""Where the tables of a run go: nowhere, into memory, or into a run directory."""

from __future__ import annotations

import contextlib
import shutil
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pyarrow as pa

from marketsim.core.digest import BLOCK_ROWS, ColumnData, TableDigest, run_digest
from marketsim.core.errors import SimulationError
from marketsim.core.run_directory import CHECKPOINT, COMPLETE, FAILED, INTERRUPTED, RUNNING, RunDirectory
from marketsim.core.table_writer import Block, Part, TableWriter, WriterThread
from marketsim.core.tables import Table
from marketsim.simulation.checkpoint import State, read_checkpoint, write_checkpoint

DEFAULT_COMPRESSION = "lz4"
DEFAULT_CHECKPOINT_EVERY_S = 60.0

Rows = Iterable[tuple[str, pa.RecordBatch]]
"""Batches with the names of their tables."""


class Recorder(Protocol):
    """What a simulation asks of its recorder."""

    checkpoint_every_s: float | None
    """Wall-clock seconds between two checkpoints; None: there are none."""

    def begin(self) -> None:
        """A leg of the run begins."""

    def take(self, rows: Rows) -> None:
        """Take rows of a venue; the batches may change afterwards."""

    def checkpoint(self, state: State, seconds: float, *, interrupted: bool) -> None:
        """Bring all rows to disk, then the state that goes with them."""

    def finish(self, seconds: float) -> None:
        """The run is complete."""

    def fail(self, error: BaseException, seconds: float) -> None:
        """The run ends early; keep what is there."""


class Discard:
    """Drops every row, so that a venue's log never fills."""

    checkpoint_every_s: float | None = None

    def begin(self) -> None:
        """Do nothing."""

    def take(self, rows: Rows) -> None:
        """Read the tables and forget them."""
        for _ in rows:
            pass

    def checkpoint(self, state: State, seconds: float, *, interrupted: bool) -> None:
        """Do nothing."""

    def finish(self, seconds: float) -> None:
        """Do nothing."""

    def fail(self, error: BaseException, seconds: float) -> None:
        """Do nothing."""


class InMemory(Discard):
    """Keeps every row: for forks and notebooks. Memory grows with the run."""

    def __init__(self) -> None:
        self._batches: dict[str, list[pa.RecordBatch]] = {}

    def take(self, rows: Rows) -> None:
        """Copy the rows."""
        for name, batch in rows:
            copy = pa.RecordBatch.from_pydict(batch.to_pydict(), schema=batch.schema)
            self._batches.setdefault(name, []).append(copy)

    def table(self, name: str) -> pa.Table:
        """Return all rows of a table so far."""
        return pa.Table.from_batches(self._batches[name])

    def tables(self) -> list[str]:
        """Return the names of the tables that have rows."""
        return sorted(self._batches)


class RunRecorder:
    """Writes a run directory.

    Parameters
    ----------
    run : RunDirectory
        Freshly made, or one that a checkpoint is to be taken up from.
    tables : iterable of Table
        Declarations of what is recorded; a venue's other tables are dropped.
    compression : str or mapping of str to str
        For all tables, or by table with ``"default"`` for the rest.
    checkpoint_every_s : float, optional
        Wall-clock seconds between two checkpoints.
    """

    def __init__(
        self,
        run: RunDirectory,
        tables: Iterable[Table],
        compression: str | Mapping[str, str] = DEFAULT_COMPRESSION,
        checkpoint_every_s: float | None = DEFAULT_CHECKPOINT_EVERY_S,
    ) -> None:
        self.run, self.checkpoint_every_s = run, checkpoint_every_s
        self._thread = WriterThread()
        self._writers = {
            table.name: TableWriter(
                table, run.path / table.name, self._thread, _compression_of(table.name, compression)
            )
            for table in tables
        }
        self._seconds_before = run.seconds

    def begin(self) -> None:
        """Claim the directory and say that the run is running; raises ``RunDirectoryError`` where another has it."""
        self.run.claim()
        self._describe(status=RUNNING)

    def take(self, rows: Rows) -> None:
        """Copy the rows of recorded tables; raises ``SimulationError`` where the disk refuses."""
        for name, batch in rows:
            writer = self._writers.get(name)
            if writer is not None:
                writer.append(batch)

    def checkpoint(self, state: State, seconds: float, *, interrupted: bool) -> None:
        """Close the parts, then write the state beside what is needed to go on with the tables."""
        for writer in self._writers.values():
            writer.close_part()
        tables = {
            name: {"parts": [list(part) for part in writer.parts], "blocks": writer.digest.blocks}
            for name, writer in self._writers.items()
        }
        record = {"tables": tables, "seconds": self._seconds_before + seconds}
        try:
            write_checkpoint(self.run.path / CHECKPOINT, State(state.arrays, {**state.document, "record": record}))
            self._describe(status=INTERRUPTED if interrupted else RUNNING, seconds=seconds)
        except OSError as error:
            raise SimulationError(f"cannot write a checkpoint: {error}") from error
        if interrupted:
            self.run.release()

    def finish(self, seconds: float) -> None:
        """Close the parts and write the digests; the checkpoint has served."""
        for writer in self._writers.values():
            writer.close_part()
        self._thread.close()
        digests = {name: w.digest_so_far() for name, w in self._writers.items() if w.digest.counts}
        for writer in self._writers.values():
            if not writer.parts:
                writer.write_empty_part()
        self._describe(status=COMPLETE, seconds=seconds, digests=digests, digest=run_digest(digests))
        shutil.rmtree(self.run.path / CHECKPOINT, ignore_errors=True)
        self.run.release()

    def fail(self, error: BaseException, seconds: float) -> None:
        """Close what can be closed and say what went wrong. A second Ctrl-C is no failure but an interrupt."""
        for writer in self._writers.values():
            with contextlib.suppress(SimulationError):  # the disk is full already
                writer.close_part()
        self._thread.close()
        cause = error.__cause__ or error
        text = "".join(traceback.format_exception(cause))
        status = INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
        with contextlib.suppress(OSError):  # the manifest then still says running
            self._describe(status=status, seconds=seconds, error={"message": str(error), "traceback": text})
        self.run.release()

    def go_on(self, state: State | None) -> None:
        """Take up the tables at a checkpoint and drop the rows after it.

        Parameters
        ----------
        state : State or None
            As ``saved_state`` gave it; None drops all rows.

        Raises
        ------
        RunDirectoryError
            A part that the checkpoint needs is damaged, or another process writes this run.
        """
        self.run.claim()
        record: dict[str, Any] = {"tables": {}, "seconds": 0.0} if state is None else state.document["record"]
        for name, writer in self._writers.items():
            kept = record["tables"].get(name, {"parts": [], "blocks": []})
            writer.go_on_from([Part(*part) for part in kept["parts"]], kept["blocks"])
        self._seconds_before = record["seconds"]
        self.run.manifest.pop("error", None)

    def _describe(
        self, status: str | None = None, seconds: float = 0.0, digests: Mapping[str, str] | None = None, **keys: Any
    ) -> None:
        """Write the manifest."""
        tables = {
            name: {
                "rows": sum(part.rows for part in writer.parts),
                "digest": (digests or {}).get(name),
                "columns": {column.name: column.type for column in writer.table.columns},
                "blocks": writer.digest.blocks,
            }
            for name, writer in self._writers.items()
        }
        timings = {**self.run.manifest["timings"], "seconds": self._seconds_before + seconds}
        if status is not None:
            keys["status"] = status
        self.run.write_manifest(tables=tables, timings=timings, **keys)


def saved_state(run: RunDirectory) -> State | None:
    """Return the last checkpoint; None where the run was killed before its first.

    Raises
    ------
    RunDirectoryError
        The checkpoint is damaged.
    """
    return read_checkpoint(run.path / CHECKPOINT)


def digest_of_tables(tables: Mapping[str, pa.Table], declarations: Iterable[Table]) -> str:
    """Return the digest that a run with these tables has; a table without rows must be there too."""
    digests = {}
    for declaration in declarations:
        if not declaration.digest_columns or declaration.name not in tables:
            continue
        digest, block = TableDigest(declaration), Block.of(declaration)
        for batch in tables[declaration.name].to_batches():
            first = 0
            while first < batch.num_rows:
                first += block.take(batch, first)
                if block.n == BLOCK_ROWS:
                    digest.add_block(block.columns)
                    block.clear()
        rest: dict[str, ColumnData] = block.rows(0)
        digests[declaration.name] = digest.with_rest(rest)
    return run_digest(digests)


def _compression_of(name: str, compression: str | Mapping[str, str]) -> str:
    if isinstance(compression, str):
        return compression
    return compression.get(name, compression.get("default", DEFAULT_COMPRESSION))
