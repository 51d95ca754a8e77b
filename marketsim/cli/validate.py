"""``marketsim validate``: checks a scenario without running it."""

from __future__ import annotations

import json

import typer

from marketsim.cli.options import AsJson, Overrides, ScenarioFile
from marketsim.core.errors import ScenarioError


def validate(file: ScenarioFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Check a scenario and say what it would run; all faults at once, each with file and line.

    A kind of your own, "my_module:Name", is checked by importing its module, which runs its code.

    Example: marketsim validate scenarios/quickstart.toml --set exchange.populations.value.count=50
    """
    from marketsim.scenario import load_scenario
    from marketsim.scenario.summary import summarize, summary_text

    try:
        scenario = load_scenario(file, overrides or ())
    except ScenarioError as error:
        if not as_json:
            raise
        faults = [fault._asdict() | {"message": str(fault)} for fault in error.faults]
        typer.echo(json.dumps({"valid": False, "faults": faults}, indent=2))
        raise typer.Exit(error.exit_code) from None
    if as_json:
        typer.echo(json.dumps({"valid": True, "faults": [], **summarize(scenario)}, indent=2))
    else:
        typer.echo(f"{file} is valid\n{summary_text(scenario)}")
