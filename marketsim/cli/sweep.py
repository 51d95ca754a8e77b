"""``marketsim sweep``: run a sweep, or go on with it; its status, report and export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from marketsim.cli.options import AsJson, wide_console

if TYPE_CHECKING:
    from marketsim.experiments.study import Study
    from marketsim.experiments.sweep import Progress

INTERRUPTED = 130
SHOWN_FAILURES = 10
"""Failed cells that are listed on stderr; ``sweep status --json`` lists all."""


class SweepGroup(TyperGroup):
    """``sweep FILE``, unless the first word is one of the subcommands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words as FILE and options, or leave them to a subcommand."""
        if not args or args[0] not in self.commands:
            ctx.allow_interspersed_args, ctx.allow_extra_args = True, False
            return super().parse_args(ctx, args or ["--help"])
        own, self.params = self.params, []
        try:
            return super().parse_args(ctx, args)
        finally:
            self.params = own

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters of ``sweep FILE``; a subcommand's usage names none of them."""
        return super().get_params(ctx) if ctx.command is self else []


sweep = typer.Typer(
    cls=SweepGroup,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    subcommand_metavar="| status|report|export DIR",
)

SweepDirectoryArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Sweep directory.")]


@sweep.callback()
def run(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Sweep file in TOML.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Sweep directory, new or to go on with. Default: one in sweeps/."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, max=1024, help="Worker processes. Default: one a processor.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", metavar="ADDRESS", help="Dask scheduler whose workers run the cells: tcp://host:8786."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a sweep, or go on with it; print means with intervals and what the arms or points change.

    The same FILE goes on where it stopped. Cells that are complete are kept; those that failed are tried again.

    Example: marketsim sweep scenarios/sweeps/tick_size.toml -j 2
    """
    if ctx.invoked_subcommand is not None:
        return
    if file is None:
        raise typer.BadParameter("expected a sweep file, such as scenarios/sweeps/tick_size.toml")
    if jobs is not None and cluster is not None:
        raise typer.BadParameter("--cluster has workers of its own; leave out --jobs")
    from marketsim.api import sweep as run_sweep

    with _progress() as update:
        study = run_sweep(file, out=out, jobs=jobs, cluster=cluster, progress=update)
    counts = study.counts
    if as_json:
        facts = {"dir": str(study.path), **{key: counts[key] for key in ("cells", "complete", "failed")}}
        typer.echo(json.dumps({**facts, "status": study.status}))
    else:
        _print_study(study)
    _say_failures(study)
    if study.status == "interrupted":
        typer.echo(f"interrupted; go on with: marketsim sweep {file} --out {study.path}", err=True)
        raise typer.Exit(INTERRUPTED)
    if counts["failed"]:
        raise typer.Exit(1)


@sweep.command()
def status(directory: SweepDirectoryArgument, as_json: AsJson = False) -> None:
    """Say how far a sweep is, and which cells failed with what error.

    Example: marketsim sweep status sweeps/tick_size-3f9a2c
    """
    from marketsim.api import open_study

    study = open_study(directory)
    failures = study.failures.to_dict(orient="records")
    facts = {"dir": str(study.path), "name": study.config.name, "status": study.status, **study.counts}
    if as_json:
        typer.echo(json.dumps({**facts, "failures": failures}))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<9} {value}")
    for failure in failures:
        typer.echo(f"cell {failure['cell']}: {failure['error']} ({failure['attempts']} attempts)")


@sweep.command()
def report(
    directory: SweepDirectoryArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; default: report.html in DIR.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a sweep, one self-contained HTML file, and print its path.

    Example: marketsim sweep report sweeps/tick_size-3f9a2c --out tick_size.html
    """
    from marketsim.api import open_study

    path = open_study(directory).report(out)
    typer.echo(json.dumps({"report": str(path)}) if as_json else str(path))


@sweep.command()
def export(
    directory: SweepDirectoryArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="File to write: .csv or .parquet.")] = Path(
        "results.csv"
    ),
    summary: Annotated[
        bool, typer.Option("--summary", help="Means with intervals, one row a point and measure, not one a cell.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the results of a sweep as one table, a row a cell.

    Example: marketsim sweep export sweeps/tick_size-3f9a2c --out results.csv
    """
    from marketsim.api import open_study

    if out.suffix not in (".csv", ".parquet"):
        raise typer.BadParameter(f"found {out.name}, expected a name in .csv or .parquet", param_hint="--out")
    study = open_study(directory)
    table = study.summary() if summary else study.results
    if out.suffix == ".csv":
        table.to_csv(out, index=False)
    else:
        table.to_parquet(out, index=False)
    typer.echo(json.dumps({"file": str(out), "rows": len(table)}) if as_json else f"{out}: {len(table)} rows")


# ---- What is printed -----------------------------------------------------------------------------------------


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show cells done on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def update(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of)

        yield update


def _say_failures(study: Study) -> None:
    if not study.counts["failed"]:
        return
    failures = study.failures.to_dict(orient="records")
    for failure in failures[:SHOWN_FAILURES]:
        typer.echo(f"cell {failure['cell']} failed: {failure['error']} ({failure['attempts']} attempts)", err=True)
    more = f" and {len(failures) - SHOWN_FAILURES} more" if len(failures) > SHOWN_FAILURES else ""
    typer.echo(
        f"{study.counts['failed']} of {study.counts['cells']} cells failed{more}; "
        f"all: marketsim sweep status {study.path}",
        err=True,
    )


def _print_study(study: Study) -> None:
    console = wide_console()
    counts = study.counts
    console.print(f"{study.config.name}: {counts['complete']} of {counts['cells']} cells complete", highlight=False)
    if counts["complete"]:
        from marketsim.cli.study_tables import study_tables

        for table in study_tables(study):
            console.print(table)
        console.print(f"report   {study.report()}", highlight=False, soft_wrap=True)
    console.print(f"sweep    {study.path}", highlight=False, soft_wrap=True)
