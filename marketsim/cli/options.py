"""Arguments and options that mean the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 140
"""Columns of a table that goes into a file or a pipe."""

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file in TOML.")]
"""A scenario. Whether it exists is left to the loader, whose message is better."""

Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a key of the scenario, tables by name: exchange.populations.value.count=50. May be repeated.",
    ),
]
"""``--set``: hand ``value or ()`` to ``load_scenario``."""

OutDirectory = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Run directory to write. Default: a fresh one in runs/."),
]
OutFile = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write. Default: standard output.")
]


def wide_console() -> Console:
    """Return a console for tables, which are not squeezed where no terminal is."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, PIPED_WIDTH))


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]
