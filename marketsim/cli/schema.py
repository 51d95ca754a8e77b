"""``marketsim schema``: the JSON Schema of scenario files."""

from __future__ import annotations

import json

import typer

from marketsim.cli.options import OutFile


def schema(out: OutFile = None) -> None:
    """Print the JSON Schema of scenario files, every kind that ships included, for editors and other programs.

    Example: marketsim schema --out scenario.schema.json
    """
    from marketsim.scenario.json_schema import scenario_schema

    text = json.dumps(scenario_schema(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
