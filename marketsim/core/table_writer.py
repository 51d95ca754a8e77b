"""Tables on their way to disk: a few buffers a table and one thread that writes.

Rows are copied into a buffer of one block (``core.digest``); a full buffer goes to the thread, which writes it as a row
group, adds it to the digest and gives it back. While it does, another buffer fills. There are so few that memory does
not grow with a run, and a disk that is too slow holds the simulation up instead of losing rows. A part has its name
once it is whole.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from marketsim.core.digest import BLOCK_ROWS, ColumnData, TableDigest
from marketsim.core.errors import RunDirectoryError, SimulationError
from marketsim.core.tables import Table

BLOCKS_PER_PART: Final = 64
MOST_BUFFERS: Final = 6
"""Buffers of one table: enough for the rows that an exchange gives at once."""

_DTYPES: Final = {"int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "float64": "f8", "bool": "?"}


class Part(NamedTuple):
    """One closed file of a table."""

    name: str
    rows: int


@dataclass
class Block:
    """Room for the rows of one block. Rows before ``written`` are on disk already, in a part that was closed early."""

    columns: dict[str, ColumnData]
    n: int = 0
    written: int = 0

    @classmethod
    def of(cls, table: Table) -> Block:
        """Return an empty block; a string column is a list."""
        empty: dict[str, ColumnData] = {}
        for column in table.columns:
            empty[column.name] = [] if column.type == "string" else np.zeros(BLOCK_ROWS, _DTYPES[column.type])
        return cls(empty)

    def take(self, batch: pa.RecordBatch, first: int) -> int:
        """Copy rows of a batch from ``first`` on, as many as there is room for; return how many."""
        rows: int = min(batch.num_rows - first, BLOCK_ROWS - self.n)
        for name, values in self.columns.items():
            column = batch.column(name).slice(first, rows)
            if isinstance(values, list):
                values.extend(column.to_pylist())
            else:
                values[self.n : self.n + rows] = column.to_numpy(zero_copy_only=False)
        self.n += rows
        return rows

    def rows(self, first: int) -> dict[str, ColumnData]:
        """Return the columns from row ``first`` on."""
        return {name: values[first : self.n] for name, values in self.columns.items()}

    def clear(self) -> None:
        """Make it empty."""
        self.n = self.written = 0
        for values in self.columns.values():
            if isinstance(values, list):
                values.clear()


@dataclass
class Job:
    """Something for the thread to do."""

    writer: TableWriter
    block: Block | None
    """Rows to write; none: close the part."""
    done: threading.Event = field(default_factory=threading.Event)


class WriterThread:
    """One thread that writes the blocks of all tables of a run. ``error`` is what stopped it."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="marketsim recorder", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Queue a job. The number of blocks bounds the queue."""
        self._jobs.put(job)

    def check(self) -> None:
        """Raise what went wrong, once it has.

        Raises
        ------
        SimulationError
            A table cannot be written: the disk is full, or the folder is gone.
        """
        if self.error is not None:
            raise SimulationError(f"cannot record: {self.error}") from self.error

    def close(self) -> None:
        """End the thread after the jobs that are queued."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if self.error is None:
                    job.writer.carry_out(job)
            except (OSError, pa.ArrowException) as error:
                self.error = error
            finally:
                job.writer.give_back(job)
                job.done.set()


class TableWriter:
    """One table of a run that is being recorded.

    Parameters
    ----------
    table : Table
        Its declaration.
    folder : Path
        Holds its parts.
    thread : WriterThread
        Shared by the tables of a run.
    compression : str
        As Parquet names it: ``"lz4"``, ``"zstd"``, ``"snappy"``, ``"none"``.
    """

    def __init__(self, table: Table, folder: Path, thread: WriterThread, compression: str = "lz4") -> None:
        self.table, self.folder, self.compression = table, folder, compression
        self.digest = TableDigest(table)
        self.parts: list[Part] = []
        self.rows = 0
        self._thread = thread
        self._free: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self._n_buffers = 1
        self._block = Block.of(table)
        self._file: pq.ParquetWriter | None = None
        self._rows_in_part = 0
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, batch: pa.RecordBatch) -> None:
        """Copy the rows of a batch; the batch may change afterwards.

        Raises
        ------
        SimulationError
            Earlier rows could not be written.
        """
        self._thread.check()
        first = 0
        while first < batch.num_rows:
            first += self._block.take(batch, first)
            if self._block.n == BLOCK_ROWS:
                self._thread.put(Job(self, self._block))
                self._block = self._free_block()
                self._thread.check()
        self.rows += batch.num_rows

    def _free_block(self) -> Block:
        """Return an empty buffer; wait for one where all are with the thread."""
        if self._n_buffers < MOST_BUFFERS and self._free.empty():
            self._n_buffers += 1
            return Block.of(self.table)
        return self._free.get()

    def close_part(self) -> None:
        """Bring every row to disk in whole files; rows appended later go into the next part."""
        jobs = [Job(self, self._block), Job(self, None)]
        for job in jobs:
            self._thread.put(job)
        jobs[-1].done.wait()
        self._thread.check()

    def digest_so_far(self) -> str:
        """Return the digest of all rows appended; only after ``close_part``."""
        return self.digest.with_rest(self._block.rows(0))

    def write_empty_part(self) -> None:
        """Write a part without rows, so that other programs find the columns of an empty table."""
        pq.write_table(self.table.schema.empty_table(), self.folder / "part-00000.parquet")

    def go_on_from(self, parts: Sequence[Part], blocks: Sequence[str]) -> None:
        """Take up a table where a checkpoint left it: drop every other file, and read the last rows back.

        Raises
        ------
        RunDirectoryError
            A part of the checkpoint is missing or has another number of rows.
        """
        keep = {part.name for part in parts}
        for file in sorted(self.folder.iterdir()):
            if file.name not in keep:
                file.unlink()
        for part in parts:
            _check_part(self.folder / part.name, part.rows)
        self.parts, self.digest = list(parts), TableDigest(self.table, blocks)
        self.rows = sum(part.rows for part in parts)
        rest = self.rows - len(blocks) * BLOCK_ROWS
        for batch in _last_rows(self.folder, self.parts, rest):
            self._block.take(batch, 0)
        self._block.written = self._block.n

    # ---- In the writer's thread ------------------------------------------------------------------------------

    def carry_out(self, job: Job) -> None:
        """Write a block's new rows, or close the part."""
        block = job.block
        if block is None:
            self._close_file()
            return
        if block.n > block.written:
            self._write(block.rows(block.written))
            block.written = block.n
        if block.n == BLOCK_ROWS:
            self.digest.add_block(block.columns)
            if self._rows_in_part >= BLOCKS_PER_PART * BLOCK_ROWS:
                self._close_file()

    def give_back(self, job: Job) -> None:
        """Return a full block to the free ones."""
        if job.block is not None and job.block.n == BLOCK_ROWS:
            job.block.clear()
            self._free.put(job.block)

    def _write(self, columns: Mapping[str, ColumnData]) -> None:
        arrays = [pa.array(columns[name], self.table.schema.field(name).type) for name in self.table.schema.names]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.table.schema)
        if self._file is None:
            strings = [column.name for column in self.table.columns if column.type == "string"]
            self._file = pq.ParquetWriter(
                self._partial, self.table.schema, compression=self.compression, use_dictionary=strings or False
            )
        self._file.write_batch(batch)
        self._rows_in_part += batch.num_rows

    def _close_file(self) -> None:
        if self._file is None:
            return
        self._file.close()
        name = f"part-{len(self.parts):05d}.parquet"
        os.replace(self._partial, self.folder / name)
        self.parts.append(Part(name, self._rows_in_part))
        self._file, self._rows_in_part = None, 0

    @property
    def _partial(self) -> Path:
        return self.folder / f"part-{len(self.parts):05d}.partial"


def _check_part(file: Path, rows: int) -> None:
    try:
        found = pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowException) as error:
        raise RunDirectoryError(f"{file}: the checkpoint needs this part: {error}") from error
    if found != rows:
        raise RunDirectoryError(f"{file}: found {found} rows, expected the {rows} of the checkpoint")


def _last_rows(folder: Path, parts: Sequence[Part], rows: int) -> list[pa.RecordBatch]:
    """Return the last rows of a table, reading no more row groups than that takes."""
    groups: list[pa.Table] = []
    missing = rows
    for part in reversed(parts):
        with pq.ParquetFile(folder / part.name) as file:
            for group in reversed(range(file.num_row_groups)):
                if missing <= 0:
                    break
                table: Any = file.read_row_group(group)
                groups.insert(0, table.slice(max(0, table.num_rows - missing)))
                missing -= groups[0].num_rows
    return [batch for group in groups for batch in group.to_batches()]
