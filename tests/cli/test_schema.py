"""``marketsim schema`` prints a JSON Schema, or writes it."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from marketsim.cli.main import app
from marketsim.scenario.json_schema import scenario_schema


def test_it_prints_the_schema():
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == scenario_schema()


def test_it_writes_the_schema_to_a_file(tmp_path):
    file = tmp_path / "scenario.schema.json"
    result = CliRunner().invoke(app, ["schema", "--out", str(file)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(file.read_text()) == scenario_schema()


def test_a_file_that_cannot_be_written_is_a_message(tmp_path):
    file = tmp_path / "missing" / "scenario.schema.json"
    result = CliRunner().invoke(app, ["schema", "-o", str(file)])
    assert result.exit_code == 1
    assert result.stderr == f"{file}: No such file or directory\n"
