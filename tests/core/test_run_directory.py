import json

import pyarrow as pa
import pytest

from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import (
    COMPLETE,
    INTERRUPTED,
    create_run_directory,
    file_hashes,
    fresh_path,
    open_run_directory,
    versions,
    write_whole,
)
from marketsim.core.table_writer import TableWriter, WriterThread
from marketsim.core.tables import Column, Table

TABLE = Table("toy/rows", "Rows.", (Column("n", "int64", "", "a number"), Column("m", "int16", "", "another")))


def batch(values):
    columns = [pa.array(values, pa.int64()), pa.array([value % 10 for value in values], pa.int16())]
    return pa.RecordBatch.from_arrays(columns, schema=TABLE.schema)


@pytest.fixture
def run(tmp_path):
    return create_run_directory(tmp_path / "run", {"name": "toy", "seed": 1})


def describe(run, rows):
    columns = {column.name: column.type for column in TABLE.columns}
    run.write_manifest(tables={TABLE.name: {"rows": rows, "digest": None, "columns": columns, "blocks": []}})


def test_a_new_run_is_running_and_says_what_made_it(run):
    opened = open_run_directory(run.path)
    assert opened.status == "running"
    assert opened.digest is None
    assert opened.seconds == 0.0
    assert opened.counts == {}
    assert opened.manifest["name"] == "toy"
    assert opened.manifest["versions"] == versions()
    assert {"marketsim", "python", "numpy", "numba", "mesa", "pyarrow"} <= set(opened.manifest["versions"])


def test_tables_come_as_arrow_and_as_frames(run):
    describe(run, 5)
    thread = WriterThread()
    writer = TableWriter(TABLE, run.path / TABLE.name, thread)
    for values in ([1, 2, 3], [14, 15]):
        writer.append(batch(values))
        writer.close_part()
    thread.close()
    assert run.table("toy/rows")["n"].to_pylist() == [1, 2, 3, 14, 15]
    assert run.table("toy/rows", ["m"]).column_names == ["m"]
    assert run.frame("toy/rows")["m"].tolist() == [1, 2, 3, 4, 5]
    assert run.counts == {"toy/rows": 5}


def test_a_table_without_parts_is_empty_and_has_its_columns(run):
    describe(run, 0)
    assert run.table("toy/rows").schema.equals(TABLE.schema, check_metadata=False)
    assert run.table("toy/rows", ["m"]).schema.names == ["m"]


def test_half_written_parts_are_not_read(run):
    describe(run, 2)
    folder = run.path / "toy/rows"
    thread = WriterThread()
    writer = TableWriter(TABLE, folder, thread)
    writer.append(batch([1, 2]))
    writer.close_part()
    thread.close()
    (folder / "part-00001.partial").write_bytes(b"PAR1 half")
    assert open_run_directory(run.path).table("toy/rows").num_rows == 2


def test_a_damaged_part_is_an_error_that_names_the_table(run):
    describe(run, 2)
    (run.path / "toy/rows").mkdir(parents=True)
    (run.path / "toy/rows/part-00000.parquet").write_bytes(b"no parquet")
    with pytest.raises(RunDirectoryError, match="toy/rows: cannot be read"):
        run.table("toy/rows")


def test_a_table_that_was_not_recorded_is_an_error_that_lists_the_others(run):
    describe(run, 2)
    with pytest.raises(RunDirectoryError, match="found no table toy/trades; it has toy/rows"):
        run.table("toy/trades")


def test_a_run_directory_that_exists_is_refused_and_replaced_by_force(run):
    (run.path / "old").write_text("old")
    with pytest.raises(RunDirectoryError, match="exists already; --force replaces it"):
        create_run_directory(run.path, {})
    create_run_directory(run.path, {"name": "new"}, force=True)
    assert not (run.path / "old").exists()
    assert open_run_directory(run.path).manifest["name"] == "new"


def test_force_never_replaces_what_is_no_run(tmp_path):
    (tmp_path / "thesis.tex").write_text("important")
    for force in (False, True):
        with pytest.raises(RunDirectoryError, match="exists and is no run directory"):
            create_run_directory(tmp_path, {}, force=force)
        with pytest.raises(RunDirectoryError, match="exists and is no run directory"):
            create_run_directory(tmp_path / "thesis.tex", {}, force=force)
    assert (tmp_path / "thesis.tex").read_text() == "important"


def test_force_never_follows_a_link(tmp_path, run):
    link = tmp_path / "link"
    link.symlink_to(run.path)
    with pytest.raises(RunDirectoryError, match="is a link"):
        create_run_directory(link, {}, force=True)
    assert open_run_directory(run.path).status == "running"


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    assert create_run_directory(tmp_path / "empty", {}).status == "running"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot be made"):
        create_run_directory(tmp_path / "file" / "run", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as a manifest"),
        ("[]", "cannot be read as a manifest"),
        ("{}", "cannot be read as a manifest"),
        ('{"schema_version": 99}', "found schema_version 99, expected 1"),
    ],
)
def test_a_damaged_manifest_is_an_error(run, text, message):
    (run.path / "manifest.json").write_text(text)
    with pytest.raises(RunDirectoryError, match=message):
        open_run_directory(run.path)


def test_what_is_no_run_directory_cannot_be_opened(tmp_path):
    with pytest.raises(RunDirectoryError, match="it has no manifest.json"):
        open_run_directory(tmp_path)
    with pytest.raises(RunDirectoryError, match="there is no such folder"):
        open_run_directory(tmp_path / "nowhere")


def test_the_manifest_is_replaced_as_a_whole(run):
    run.write_manifest(status=COMPLETE, digest="ab")
    again = json.loads((run.path / "manifest.json").read_text())
    assert (again["status"], again["digest"], again["seed"]) == (COMPLETE, "ab", 1)
    assert [file.name for file in run.path.iterdir()] == ["manifest.json"]
    run.write_manifest(status=INTERRUPTED)
    assert open_run_directory(run.path).status == INTERRUPTED


def test_fresh_paths_differ_and_say_name_and_seed(tmp_path):
    paths = {fresh_path(tmp_path, "quick", 7) for _ in range(20)}
    assert len(paths) > 15
    assert all(path.name.startswith("quick-s7-") and len(path.name) == len("quick-s7-") + 6 for path in paths)


def test_hashes_are_those_of_the_files(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_hashes([tmp_path / "a"]) == {str((tmp_path / "a").resolve()): digest}
    with pytest.raises(RunDirectoryError, match="cannot be read"):
        file_hashes([tmp_path / "b"])


def test_a_text_is_written_whole(tmp_path):
    write_whole(tmp_path / "text", "one")
    write_whole(tmp_path / "text", "two")
    assert (tmp_path / "text").read_text() == "two"
    assert [file.name for file in tmp_path.iterdir()] == ["text"]
