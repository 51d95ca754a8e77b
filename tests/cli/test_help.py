"""The frame of the command line: help without imports, examples everywhere, errors as messages with exit codes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from marketsim import __version__
from marketsim.cli import main as frame
from marketsim.core.errors import AgentError, InputError, MarketSimError, ScenarioError, SimulationError


def invoke(*arguments: str):
    return CliRunner().invoke(frame.app, list(arguments))


def test_help_lists_every_command():
    result = invoke("--help")
    assert result.exit_code == 0
    for name, what in frame.COMMANDS.items():
        assert f"{name} " in result.stdout
        assert what in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", frame.COMMANDS)
def test_every_command_has_help_with_an_example(name):
    below = getattr(frame.LazyCommands()[name], "commands", None) or {"": None}
    for word in below:
        words = [name, word] if word else [name]
        result = invoke(*words, "--help")
        assert result.exit_code == 0
        assert f"Example: marketsim {' '.join(words)}" in " ".join(result.stdout.split())


def test_help_imports_no_command_and_nothing_heavy():
    code = (
        "import sys; from marketsim.cli.main import main\n"
        "sys.argv = ['marketsim', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "commands = [name for name in sys.modules if name.startswith('marketsim.cli.')]\n"
        "assert commands == ['marketsim.cli.main'], commands\n"
        "heavy = ('numba', 'numpy', 'mesa', 'pandas', 'pydantic', 'pyarrow')\n"
        "loaded = [name for name in heavy if name in sys.modules]\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)


def test_the_version_is_that_of_the_package():
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (0, f"marketsim {__version__}\n")


def test_an_unknown_command_gives_the_nearest_and_exit_code_2():
    result = invoke("validat")
    assert result.exit_code == 2
    assert "Did you mean 'validate'?" in result.stderr


def test_an_unknown_option_is_exit_code_2():
    assert invoke("validate", "--nope", "x.toml").exit_code == 2


def _fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException):
    module = importlib.import_module("marketsim.cli.schema")

    def schema() -> None:
        raise error

    monkeypatch.setattr(module, "schema", schema)
    return invoke("schema")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ScenarioError([]), 2),
        (InputError("messages.csv", 3, "text", "an integer"), 2),
        (SimulationError("went wrong"), 1),
        (MarketSimError("went wrong"), 1),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "runs"), 1),
    ],
)
def test_errors_end_in_exit_codes_and_no_traceback(monkeypatch, error, code):
    result = _fail_with(monkeypatch, error)
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_a_defect_of_marketsim_is_not_hidden(monkeypatch):
    result = _fail_with(monkeypatch, ZeroDivisionError("a defect"))
    assert isinstance(result.exception, ZeroDivisionError)


def test_an_agents_own_error_shows_where_in_its_code():
    namespace: dict[str, object] = {}
    exec(compile("def on_wake():\n    return 1 / 0\n", "my_market.py", "exec"), namespace)
    try:
        namespace["on_wake"]()
    except ZeroDivisionError as cause:
        error = AgentError("mine-3", 1_500_000_000, cause)
    lines = frame.describe(error).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any('File "my_market.py", line 2, in on_wake' in line for line in lines)
    assert lines[-2:] == [
        "ZeroDivisionError: division by zero",
        "agent mine-3 failed at 1500ms: ZeroDivisionError: division by zero",
    ]
