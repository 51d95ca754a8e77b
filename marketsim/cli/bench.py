"""``marketsim bench``: run one of a checkout's benchmark scripts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import marketsim
from marketsim.core.errors import InputError
from marketsim.core.registry import nearest_names

CONTEXT_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
"""What follows the name of the script is the script's."""


def bench(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Which: book, loop, record, startup, ...; without a name, the list.")
    ] = "",
) -> None:
    """Run a benchmark of this checkout, benchmarks/NAME.py; what follows the name goes to the script.

    Example: marketsim bench book --quick
    """
    folder = Path(marketsim.__file__).resolve().parent.parent / "benchmarks"
    scripts = {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}
    if not scripts:
        raise InputError(
            folder, 0, "no benchmarks", "a checkout of the repository: an installed package has none of its scripts"
        )
    if not name:
        typer.echo("\n".join(scripts))
        return
    if name not in scripts:
        raise InputError(folder, 0, f'"{name}"', f"one of {', '.join(scripts)}{nearest_names(name, scripts)}")
    raise typer.Exit(subprocess.run([sys.executable, str(scripts[name]), *context.args], check=False).returncode)
