"""Tables on their way to disk: parts, blocks, resuming, and a disk that refuses."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.core import digest, table_writer
from marketsim.core.errors import RunDirectoryError, SimulationError
from marketsim.core.table_writer import Part, TableWriter, WriterThread
from marketsim.core.tables import Column, Table

TABLE = Table(
    "toy/rows",
    "Rows.",
    (
        Column("n", "int64", "", "a number"),
        Column("small", "int8", "", "a small number"),
        Column("x", "float64", "", "a float"),
        Column("word", "string", "", "a word"),
    ),
)
BLOCK = 8


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of eight rows and parts of two blocks, so that a few rows meet every boundary."""
    monkeypatch.setattr(table_writer, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(digest, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(table_writer, "BLOCKS_PER_PART", 2)


@pytest.fixture
def thread():
    thread = WriterThread()
    yield thread
    thread.close()


def batch(first, count):
    n = list(range(first, first + count))
    columns = [n, [value % 100 for value in n], [value / 7 for value in n], [f"w{value}" for value in n]]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, TABLE.schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=TABLE.schema)


def read(folder):
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in sorted(folder.glob("part-*.parquet"))])


def write(folder, thread, sizes, closes=()):
    writer, first = TableWriter(TABLE, folder, thread), 0
    for number, size in enumerate(sizes):
        writer.append(batch(first, size))
        first += size
        if number in closes:
            writer.close_part()
    writer.close_part()
    return writer


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=12), st.sets(st.integers(0, 11), max_size=4))
def test_rows_come_back_and_the_digest_does_not_depend_on_parts(tmp_path_factory, sizes, closes):
    thread, total = WriterThread(), sum(sizes)
    writer = write(tmp_path_factory.mktemp("a"), thread, sizes, closes)
    plain = write(tmp_path_factory.mktemp("b"), thread, [total])
    thread.close()
    assert writer.rows == total == sum(part.rows for part in writer.parts)
    assert writer.digest_so_far() == plain.digest_so_far()
    if total:
        assert read(writer.folder).equals(pa.Table.from_batches([batch(0, total)]))


def test_the_digest_does_not_depend_on_compression(tmp_path, thread):
    digests = set()
    for codec in ("none", "lz4", "zstd", "snappy"):
        writer = TableWriter(TABLE, tmp_path / codec, thread, codec)
        writer.append(batch(0, 20))
        writer.close_part()
        digests.add(writer.digest_so_far())
    assert len(digests) == 1


def test_the_caller_may_change_a_batch_after_appending_it(tmp_path, thread):
    import numpy as np

    table = Table("toy/n", "Numbers.", (Column("n", "int64", "", "a number"),))
    values = np.arange(3)
    writer = TableWriter(table, tmp_path / "n", thread)
    writer.append(pa.RecordBatch.from_arrays([pa.array(values)], schema=table.schema))
    values[:] = -1
    writer.close_part()
    assert read(tmp_path / "n")["n"].to_pylist() == [0, 1, 2]


def test_parts_are_closed_when_they_are_large_enough_and_have_their_name_only_then(tmp_path, thread):
    writer = TableWriter(TABLE, tmp_path, thread)
    writer.append(batch(0, 5 * BLOCK + 3))
    while len(writer.parts) < 2:  # the thread is at it
        pass
    assert sorted(file.name for file in tmp_path.glob("*.parquet")) == ["part-00000.parquet", "part-00001.parquet"]
    writer.close_part()
    assert [part.rows for part in writer.parts] == [16, 16, 11]
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("after", [0, 3, BLOCK, BLOCK + 1, 2 * BLOCK, 40])
def test_a_table_goes_on_from_a_checkpoint_as_if_nothing_had_happened(tmp_path, thread, after):
    whole = write(tmp_path / "whole", thread, [60])
    first = write(tmp_path / "cut", thread, [after])
    parts, blocks = list(first.parts), list(first.digest.blocks)
    first.append(batch(after, 13))  # lost by the kill
    first.close_part()
    (tmp_path / "cut" / "part-00009.partial").write_bytes(b"half")
    resumed = TableWriter(TABLE, tmp_path / "cut", thread)
    resumed.go_on_from(parts, blocks)
    resumed.append(batch(after, 60 - after))
    resumed.close_part()
    assert resumed.digest_so_far() == whole.digest_so_far()
    assert read(tmp_path / "cut").equals(read(tmp_path / "whole"))
    assert not list((tmp_path / "cut").glob("*.partial"))


def test_a_part_that_the_checkpoint_needs_and_that_changed_is_an_error(tmp_path, thread):
    writer = write(tmp_path, thread, [5])
    again = TableWriter(TABLE, tmp_path, thread)
    with pytest.raises(RunDirectoryError, match=r"part-00000.parquet: found 5 rows, expected the 6 of the checkpoint"):
        again.go_on_from([Part(writer.parts[0].name, 6)], [])
    with pytest.raises(RunDirectoryError, match=r"part-00001.parquet: the checkpoint needs this part"):
        again.go_on_from([writer.parts[0], Part("part-00001.parquet", 3)], [])


def test_a_disk_that_refuses_is_raised_at_the_next_append_and_closed_parts_stay(tmp_path, monkeypatch):
    thread = WriterThread()
    writer = write(tmp_path, thread, [10])

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    first = 10

    def until_it_raises():
        nonlocal first
        for _ in range(20):
            writer.append(batch(first, 7))
            first += 7

    with pytest.raises(SimulationError, match=r"cannot record: \[Errno 28\] No space left on device"):
        until_it_raises()
    with pytest.raises(SimulationError, match="cannot record"):
        writer.close_part()
    thread.close()
    assert read(tmp_path).num_rows == 10


def test_a_table_without_rows_leaves_its_columns(tmp_path, thread):
    writer = TableWriter(TABLE, tmp_path, thread)
    writer.close_part()
    assert writer.parts == []
    writer.write_empty_part()
    assert read(tmp_path).schema.equals(TABLE.schema)
