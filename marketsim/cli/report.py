"""``marketsim report``: write the HTML report of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, of a run that ended or not.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; default: report.html in the run directory.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the report of a run, one self-contained HTML file, and print its path.

    Example: marketsim report runs/quickstart-s1-3f9a2c --out quickstart.html
    """
    from marketsim.report import write_report

    path = write_report(run, out)
    typer.echo(json.dumps({"report": str(path)}) if as_json else str(path))
