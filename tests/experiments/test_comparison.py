"""Where two runs part, and their statistics side by side."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import marketsim
from marketsim.core.digest import BLOCK_ROWS, TableDigest
from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import RunDirectory
from marketsim.core.tables import Column, Table
from marketsim.experiments import compare_runs
from marketsim.experiments.first_difference import differences
from tests.experiments.markets import GRID, planted, write_market

N = 2 * BLOCK_ROWS + 1_000
TABLE = Table("test/rows", "Rows.", (Column("time_ns", "int64", "ns", "when"), Column("word", "string", "", "what")))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs: seeds 1 and 2, and seed 1 with one trader more."""
    folder = tmp_path_factory.mktemp("runs")
    file = write_market(folder)
    longer = {"duration": "60s"}
    one_more = {**longer, "exchange.populations.zero_intelligence.count": 61}
    marketsim.run(file, seed=1, overrides=longer, out=folder / "one")
    marketsim.run(file, seed=2, overrides=longer, out=folder / "two")
    marketsim.run(file, seed=1, overrides=one_more, out=folder / "more")
    return folder


def write_run(folder, time_ns: np.ndarray, words: list[str], cuts: list[int]) -> RunDirectory:
    """Write a run of one table, its parts cut anywhere, its digests as a recorder would write them."""
    table = pa.table({"time_ns": time_ns, "word": words})
    digest = TableDigest(TABLE)
    whole = len(time_ns) // BLOCK_ROWS * BLOCK_ROWS
    for first in range(0, whole, BLOCK_ROWS):
        block = slice(first, first + BLOCK_ROWS)
        digest.add_block({"time_ns": time_ns[block], "word": words[block]})
    last = digest.with_rest({"time_ns": time_ns[whole:], "word": words[whole:]})
    folder.joinpath("test/rows").mkdir(parents=True)
    for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(time_ns)], strict=True)):
        pq.write_table(table.slice(begin, end - begin), folder / f"test/rows/part-{number:05d}.parquet")
    columns = {"time_ns": "int64", "word": "string"}
    entry = {"rows": len(time_ns), "digest": last, "blocks": digest.blocks, "columns": columns}
    return RunDirectory(folder, {"tables": {"test/rows": entry}})


@pytest.mark.parametrize("row", [0, 7, BLOCK_ROWS - 1, BLOCK_ROWS, 2 * BLOCK_ROWS + 5, N - 1])
def test_the_first_row_that_differs_is_found_however_the_parts_are_cut(tmp_path, row):
    time_ns, words = np.arange(N), ["a"] * N
    first = write_run(tmp_path / "a", time_ns, words, [100, 70_000])
    changed = words.copy()
    changed[row] = "b"
    changed[N - 1] = "c"
    second = write_run(tmp_path / "b", time_ns, changed, [BLOCK_ROWS])
    (found,) = differences(first, second)
    assert (found.table, found.row, found.time_ns) == ("test/rows", row, row)
    assert found.a == {"time_ns": row, "word": "a"}
    assert found.b == {"time_ns": row, "word": changed[row]}


@pytest.mark.parametrize("length", [0, 1, BLOCK_ROWS, BLOCK_ROWS + 3])
def test_a_log_that_ends_earlier_differs_where_it_ends(tmp_path, length):
    time_ns, words = np.arange(N), ["a"] * N
    first = write_run(tmp_path / "a", time_ns, words, [])
    second = write_run(tmp_path / "b", time_ns[:length], words[:length], [])
    (found,) = differences(first, second)
    assert (found.row, found.b) == (length, None)
    assert found.a == {"time_ns": length, "word": "a"}


def test_equal_tables_are_not_read(tmp_path):
    runs = [write_run(tmp_path / name, np.arange(9), ["a"] * 9, []) for name in "ab"]
    (tmp_path / "b" / "test/rows/part-00000.parquet").write_bytes(b"damaged")
    assert differences(*runs) == []


def test_the_first_event_is_that_of_the_trader_who_is_one_too_many(runs):
    found = compare_runs(runs / "one", runs / "more")
    assert [(key.path, key.a, key.b) for key in found.scenario] == [
        ("exchange.populations.zero_intelligence.count", 60, 61)
    ]
    assert found.first is not None
    messages = marketsim.open_run(runs / "more").table("exchange/messages", labels=False)
    agents = marketsim.open_run(runs / "more").table("exchange/agents").set_index("agent")["name"]
    own = messages[messages["agent"].map(agents) == "zero_intelligence-61"]
    assert found.first.b is not None
    assert found.first.b["agent"] == "zero_intelligence-61"
    assert found.first.time_ns == own["time_ns"].min()


def test_different_seeds_part_at_the_first_event(runs):
    found = compare_runs(runs / "one", runs / "two")
    assert not found.identical
    assert [key.path for key in found.scenario] == ["seed"]
    assert found.first is not None
    times = [marketsim.open_run(runs / name).messages["time_ns"].min() for name in ("one", "two")]
    assert found.first.time_ns == min(times)
    json.dumps(found.as_dict())


def test_statistics_stand_side_by_side_with_a_test_over_blocks_of_time(runs):
    found = compare_runs(runs / "one", runs / "two")
    measures = [marketsim.open_run(runs / name).measures()[0] for name in ("one", "two")]
    by_name = {row.measure: row for row in found.statistics}
    for name in ("trades", "volume_lots", "spread_mean_ticks"):
        row = by_name[name]
        assert (row.a, row.b) == (measures[0][name], measures[1][name])
        assert row.difference == pytest.approx(measures[1][name] - measures[0][name])
    volume = by_name["volume_lots"]
    assert (volume.n, volume.pairs) == (10, "blocks of time")
    assert volume.low is not None
    assert volume.high is not None
    assert (volume.low + volume.high) / 2 == pytest.approx(volume.difference)
    assert 0 <= volume.p_value <= 1


def test_a_run_is_identical_to_itself(runs):
    found = compare_runs(runs / "one", runs / "one")
    assert found.identical
    assert found.first is None
    assert all(row.difference == 0 for row in found.statistics)


def test_two_sweeps_are_compared_cell_by_cell(tmp_path):
    for name, shift in (("a", 0.0), ("b", 2.0)):
        folder = tmp_path / name
        folder.mkdir()
        text = GRID.replace(
            'measures = ["trades", "spread_mean_ticks", "volume_lots"]\n', f"set = {{ duration = '{shift + 1:g}s' }}"
        )
        planted(folder, text, lambda sweep, cell, shift=shift: cell * (1 + shift), failed=(3,) if shift else ())
    found = compare_runs(tmp_path / "a" / "out", tmp_path / "b" / "out")
    assert found.kind == "sweeps"
    assert ("set.duration", "1s", "3s") in [(key.path, key.a, key.b) for key in found.scenario]
    (row,) = found.statistics
    assert (row.measure, row.n, row.pairs) == ("y", 7, "cells")
    assert row.difference == pytest.approx(2 * (sum(range(8)) - 3) / 7)
    assert not found.identical
    assert compare_runs(tmp_path / "a" / "out", tmp_path / "a" / "out").identical


def test_runs_of_another_kind_or_schema_are_named(runs, tmp_path):
    write_run(tmp_path / "other", np.arange(3), ["a"] * 3, []).write_manifest(schema_version=1, status="complete")
    with pytest.raises(RunDirectoryError, match="tables of exchange and .* of test; expected runs of one kind"):
        compare_runs(runs / "one", tmp_path / "other")
    old = write_run(tmp_path / "old", np.arange(3), ["a"] * 3, [])
    old.write_manifest(schema_version=0, status="complete")
    with pytest.raises(RunDirectoryError, match="found schema_version 0, expected 1"):
        compare_runs(runs / "one", tmp_path / "old")
    with pytest.raises(RunDirectoryError, match="there is no such folder"):
        compare_runs(runs / "one", tmp_path / "nowhere")
