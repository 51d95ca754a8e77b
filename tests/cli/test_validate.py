"""``marketsim validate`` says what a scenario would run, or all that is wrong with it; it loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marketsim.cli.main import app

SCENARIOS = Path(__file__).parents[2] / "scenarios"
QUICKSTART = str(SCENARIOS / "quickstart.toml")

HEAVY = ("numba", "mesa", "pandas", "matplotlib", "pyarrow", "scipy")


@pytest.fixture
def invoke():
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_a_valid_scenario_is_summed_up(invoke):
    result = invoke("validate", QUICKSTART, "--set", "exchange.populations.value.count=51", "--set", "duration=1h")
    assert result.exit_code == 0
    first, *rows = result.stdout.splitlines()
    assert first == f"{QUICKSTART} is valid"
    facts = dict(row.split(maxsplit=1) for row in rows)
    assert facts["time"] == "1h from 09:30:00"
    assert facts["instrument"].startswith("ACME, ")
    assert "51 value" in facts["populations"]
    assert facts["agents"] == "1 twap, 1 quote_watcher (2 in all)"


def test_json_holds_the_same(invoke):
    result = invoke("validate", QUICKSTART, "--json", "--set", "seed=5")
    facts = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (facts["valid"], facts["faults"], facts["seed"], facts["duration"]) == (True, [], 5, "30min")
    assert facts["instruments"] == ["ACME"]
    assert facts["agents"] == {"twap": 1, "quote_watcher": 1}


def test_it_says_that_the_code_of_modules_was_run(invoke):
    result = invoke("validate", str(SCENARIOS / "bring_your_own.toml"))
    assert result.exit_code == 0
    assert f"{SCENARIOS / 'my_market.py'} (its code was run to check this)" in result.stdout


def test_faults_go_to_stderr_with_exit_code_2(invoke, tmp_path):
    file = tmp_path / "x.toml"
    file.write_text('duration = "0s"\nsede = 1\n')
    result = invoke("validate", str(file))
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [[f"{file}:1", "duration"], [f"{file}:2", "sede"]]


def test_faults_as_json_name_file_line_and_key(invoke, tmp_path):
    file = tmp_path / "x.toml"
    file.write_text("\nseed = \n")
    result = invoke("validate", str(file), "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["valid"] is False
    assert [(fault["file"], fault["line"]) for fault in report["faults"]] == [(str(file), 2)]
    assert report["faults"][0]["message"].startswith(f"{file}:2: ")


@pytest.mark.parametrize("what", ["missing.toml", "."])
def test_a_file_that_is_none_is_a_message_and_no_traceback(invoke, what):
    result = invoke("validate", what)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{what}: found ")
    assert len(result.stderr.splitlines()) == 1


def test_it_loads_nothing_heavy():
    code = (
        "import sys; from marketsim.cli.main import main\n"
        f"sys.argv = ['marketsim', 'validate', {QUICKSTART!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
