"""``marketsim sweep``, ``sql`` and ``compare`` as a user types them."""

from __future__ import annotations

import json
import shutil
import signal
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

import marketsim as public
from marketsim.cli.main import app
from marketsim.experiments.directory import Outcome
from tests.experiments.markets import GRID, write_market, write_sweep


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A small sweep, and what the command printed."""
    folder = tmp_path_factory.mktemp("swept")
    file, out = write_sweep(folder, GRID), folder / "out"
    return out, CliRunner().invoke(app, ["sweep", str(file), "-j", "2", "--out", str(out)]), file


def test_sweep_prints_means_differences_and_where_the_report_is(swept):
    out, result, _ = swept
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "study: 8 of 8 cells complete" in text
    assert "means over 2 replicates" in text
    assert "differences from arm fine" in text
    assert (out / "report.html").is_file()


def test_the_json_of_sweep_has_its_keys_and_nothing_else_on_stdout(swept, marketsim):
    out, _, file = swept
    result = marketsim("sweep", file, "--json", "-o", out)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found == {"dir": str(out), "cells": 8, "complete": 8, "failed": 0, "status": "complete"}


def test_status_lists_counts_and_failures(swept, marketsim):
    found = json.loads(marketsim("sweep", "status", swept[0], "--json").stdout)
    assert (found["name"], found["status"], found["pending"], found["failures"]) == ("study", "complete", 0, [])
    assert "complete  8" in marketsim("sweep", "status", swept[0]).stdout


def test_report_and_export_write_where_they_are_told(swept, marketsim, tmp_path):
    result = marketsim("sweep", "report", swept[0], "--out", tmp_path / "page.html", "--json")
    assert json.loads(result.stdout) == {"report": str(tmp_path / "page.html")}
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert marketsim("sweep", "export", swept[0], "--out", tmp_path / "all.csv").exit_code == 0
    assert len(pd.read_csv(tmp_path / "all.csv")) == 8
    result = marketsim("sweep", "export", swept[0], "--summary", "--out", tmp_path / "means.parquet", "--json")
    assert json.loads(result.stdout)["rows"] == len(pd.read_parquet(tmp_path / "means.parquet")) == 4 * 3
    assert marketsim("sweep", "export", swept[0], "--out", "all.xlsx").exit_code == 2


def test_faults_of_a_sweep_are_lines_on_stderr_with_exit_code_2(marketsim, tmp_path):
    file = write_sweep(tmp_path, "[set]\ndurration = '1s'\n")
    result = marketsim("sweep", file, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{file}:3: durration: found an unknown key")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.toml"], "missing.toml: found no such file, expected a sweep in TOML"),
        (["status", "nowhere"], "nowhere: found no sweep directory: there is no such folder"),
        (["stat", "nowhere"], "unexpected extra argument"),
        (["x.toml", "-j", "0"], "greater than or equal to 1"),
        (["x.toml", "-j", "2", "--cluster", "tcp://127.0.0.1:1"], "leave out --jobs"),
    ],
)
def test_bad_input_of_sweep_is_a_message_and_exit_code_2(marketsim, words, message):
    result = marketsim("sweep", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nobody", "tcp://127.0.0.1"])
def test_a_cluster_that_is_not_there_is_named_before_anything_is_made(marketsim, tmp_path, address):
    file = write_sweep(tmp_path, GRID)
    result = marketsim("sweep", file, "--cluster", address, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert address in result.stderr
    assert "Dask scheduler" in result.stderr
    assert not (tmp_path / "out").exists()


# ---- sql -----------------------------------------------------------------------------------------------------


def test_sql_sees_every_run_with_arm_and_factors(swept, marketsim):
    query = (
        "select arm, traders, count(distinct cell) as cells, avg(spread_ticks) from quotes group by all order by all"
    )
    found = json.loads(marketsim("sql", swept[0], query, "--json").stdout)
    assert found["columns"][:3] == ["arm", "traders", "cells"]
    assert [row[:3] for row in found["rows"]] == [
        ["coarse", 40, 2],
        ["coarse", 60, 2],
        ["fine", 40, 2],
        ["fine", 60, 2],
    ]
    table = marketsim("sql", swept[0], "select cell, trades from cells order by cell", "--limit", "3")
    assert "trades" in table.stdout
    assert "5 more rows" in table.stderr


def test_sql_leaves_out_what_a_failed_cell_has_written(swept, marketsim, tmp_path):
    shutil.copytree(swept[0], tmp_path / "copy")
    directory = public.open_study(tmp_path / "copy").directory
    directory.claim()
    directory.write(Outcome(7, "failed", error="planted"))
    directory.release()
    found = json.loads(
        marketsim("sql", tmp_path / "copy", "select distinct cell from trades order by 1", "--json").stdout
    )
    assert found["rows"] == [[cell] for cell in range(7)]


def test_sql_documents_its_tables(swept, marketsim):
    text = marketsim("sql", swept[0], "--tables").stdout
    assert "best bid; 0 where bid_size_lots is 0 [ticks]" in text
    assert "and of each cell: cell, point, arm, replicate, traders" in text
    found = json.loads(marketsim("sql", swept[0], "--tables", "--json").stdout)["tables"]
    assert {"cells", "quotes", "trades", "messages"} <= {table["name"] for table in found}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select * fro trades", "syntax error"),
        ("select nothing from trades", 'Referenced column "nothing" not found'),
        ("select * from tradez", "Did you mean"),
        ("delete from cells", "expected a query"),
        ("copy trades to 'x.csv'", "expected a query"),
        ("select 1; select 2", "expected one query; found 2"),
        ("select * from read_csv('/etc/hostname')", "Permission Error"),
        ("", "expected a query such as"),
    ],
)
def test_a_wrong_query_is_a_message_and_exit_code_2(swept, marketsim, query, message):
    result = marketsim("sql", swept[0], query)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


# ---- compare -------------------------------------------------------------------------------------------------


def test_compare_says_where_two_runs_part(marketsim, tmp_path):
    file = write_market(tmp_path)
    for seed in (1, 2):
        public.run(file, seed=seed, out=tmp_path / str(seed))
    result = marketsim("compare", tmp_path / "1", tmp_path / "2")
    assert result.exit_code == 0
    assert "seed: 1 -> 2" in result.stdout
    assert "the logs part after 0." in result.stdout
    found = json.loads(marketsim("compare", tmp_path / "1", tmp_path / "1", "--json").stdout)
    assert found["identical"] is True
    assert found["first_difference"] is None
    assert found["scenario"] == []
    assert "identical: every row" in marketsim("compare", tmp_path / "1", tmp_path / "1").stdout


def test_compare_refuses_what_is_not_of_one_kind(swept, marketsim, tmp_path):
    run = swept[0] / "runs" / "cell=00000"
    result = marketsim("compare", run, swept[0])
    assert result.exit_code == 2
    assert "is a run and" in result.stderr
    assert marketsim("compare", run, tmp_path).exit_code == 2


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_says_how_to_go_on(marketsim_process, tmp_path):
    text = GRID.replace("[[factors]]", "set = { duration = '10min' }\n[[factors]]", 1)
    file, out = write_sweep(tmp_path, text), tmp_path / "out"
    process = marketsim_process("sweep", file, "--out", out, "-j", "1")
    journal = out / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"interrupted; go on with: marketsim sweep {file} --out {out}" in errors
    assert "Traceback" not in errors
    assert public.open_study(out).status == "interrupted"
