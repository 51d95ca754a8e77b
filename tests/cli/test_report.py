import json

import pytest
import typer
from typer.testing import CliRunner

from marketsim.cli.report import report
from marketsim.core.errors import RunDirectoryError
from tests.report.runs import write_run

app = typer.Typer()
app.command()(report)


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_report_writes_the_page_and_prints_its_path(tmp_path):
    run = write_run(tmp_path / "run", minutes=1)
    result = call(run.path)
    assert result.exit_code == 0
    assert result.stdout.strip() == str(run.path / "report.html")
    assert (run.path / "report.html").read_text().startswith("<!doctype html>")


def test_report_writes_where_out_says_and_prints_json(tmp_path):
    run = write_run(tmp_path / "run", minutes=1)
    result = call(run.path, "-o", tmp_path / "page.html", "--json")
    assert json.loads(result.stdout) == {"report": str(tmp_path / "page.html")}
    assert (tmp_path / "page.html").exists()


def test_report_of_no_run_is_a_run_directory_error(tmp_path):
    result = call(tmp_path / "nothing")
    assert isinstance(result.exception, RunDirectoryError)


def test_help_has_an_example():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        assert "Example: marketsim report runs/" in call("--help").stdout
