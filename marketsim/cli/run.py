"""``marketsim run``: run a scenario, or go on with a run that was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli.options import AsJson, Force, OutDirectory, Overrides
from marketsim.core.durations import format_duration, format_time_of_day
from marketsim.core.errors import BudgetError

if TYPE_CHECKING:
    from marketsim.api import Progress, Run
    from marketsim.scenario.schema import Scenario

INTERRUPTED = 130
VENUES = ("exchange", "storefront")
SECOND = 1_000_000_000


def run(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO", help="Scenario file in TOML; left out with --resume.")
    ] = None,
    out: OutDirectory = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the scenario's own.")] = None,
    changes: Overrides = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run in DIR that was interrupted or killed.")
    ] = None,
    force: Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a scenario; print its main figures, its digest and the path of its report.

    Example: marketsim run scenarios/quickstart.toml --seed 7 --set exchange.populations.value.count=50
    """
    overrides = [*(changes or []), *([] if seed is None else [f"seed={seed}"])]
    if resume is not None:
        if scenario is not None or out is not None or seed is not None or force or dry_run:
            raise typer.BadParameter(
                "--resume DIR goes on with DIR as it was begun; it takes --json, and --set for keys that change no "
                "result, such as llm.budget.calls"
            )
        finished = _capped(lambda: _resumed(resume, overrides), as_json)
    elif scenario is None:
        raise typer.BadParameter("expected a scenario file, such as scenarios/quickstart.toml, or --resume DIR")
    else:
        from marketsim.scenario.loader import load_scenario

        loaded = load_scenario(scenario, overrides)
        if dry_run:
            _say_what_would_run(loaded, as_json)
            return
        finished = _capped(lambda: _started(loaded, out, force), as_json)
    if finished.status == "complete":
        report = finished.report()
        if as_json:
            _print_json(finished, report=str(report))
        else:
            _print_table(finished, report)
        return
    if as_json:
        _print_json(finished)
    typer.echo(f"interrupted; go on with: marketsim run --resume {finished.path}", err=True)
    raise typer.Exit(INTERRUPTED)


def _capped(go: Callable[[], Run], as_json: bool) -> Run:
    """Run; where a cap of [llm.budget] stops it, print what there is of it before the error goes on its way."""
    try:
        return go()
    except BudgetError as error:
        if as_json and error.run_dir:
            from marketsim.api import open_run

            _print_json(open_run(error.run_dir))
        raise


def _say_what_would_run(loaded: Scenario, as_json: bool) -> None:
    from marketsim.scenario.summary import summarize, summary_text

    typer.echo(json.dumps(summarize(loaded), indent=2) if as_json else summary_text(loaded))


def _started(loaded: Scenario, out: Path | None, force: bool) -> Run:
    _announce_compilation([name for name in VENUES if getattr(loaded, name) is not None])
    from marketsim.api import run as run_scenario

    with _progress(loaded.duration) as update:
        finished = run_scenario(loaded, out=out, force=force, progress=update)
    if loaded.storefront is not None and loaded.storefront.catalog != "builtin":
        for column, rule in finished.manifest["storefront"]["filled"].items():
            typer.echo(f"{loaded.storefront.catalog}: {column} filled in, {rule}", err=True)
    return finished


def _resumed(path: Path, overrides: list[str]) -> Run:
    from marketsim.api import open_run
    from marketsim.api import resume as resume_run

    begun = open_run(path)
    duration_ns = int(begun.manifest["duration"])
    _announce_compilation(begun.venues)
    with _progress(duration_ns) as update:
        return resume_run(path, update, overrides=overrides)


def _announce_compilation(venues: Sequence[str]) -> None:
    from marketsim.core.kernel_cache import cache_is_cold

    if any(cache_is_cold(f"marketsim.{venue}.kernel.engine") for venue in venues):
        typer.echo("compiling the kernels; this happens once and takes up to a minute", err=True)


@contextmanager
def _progress(duration_ns: int) -> Iterator[Progress | None]:
    """Show simulated time and events per second on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[clock]} simulated  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("running", total=duration_ns, clock="00:00:00", rate="")
        first: list[int] = []  # a resumed run has events behind it

        def update(now_ns: int, events: int) -> None:
            first[:] = first or [events]
            seconds = bar.tasks[task].elapsed or 0.0
            rate = f"{(events - first[0]) / seconds / 1e6:.2f} M events/s" if seconds > 0.0 else ""
            clock = format_time_of_day(now_ns // SECOND * SECOND)
            bar.update(task, completed=min(now_ns, duration_ns), clock=clock, rate=rate)

        yield update


def _print_json(finished: Run, **more: Any) -> None:
    facts = {
        "run_dir": str(finished.path),
        "status": finished.status,
        "digest": finished.digest,
        "seconds": finished.seconds,
        "counts": finished.counts,
    }
    summary: dict[str, Any] = {}
    if finished.status == "complete":
        summary["instruments"] = finished.measures()
        if "storefront" in finished.venues:
            summary["storefront"] = finished.storefront_measures()
    typer.echo(json.dumps({**facts, **summary, **more}))


def _print_table(finished: Run, report: Path) -> None:
    from rich.console import Console

    from marketsim.cli.run_tables import exchange_table, storefront_table

    manifest, console = finished.manifest, Console()
    title = f"{manifest['name']}, seed {manifest['seed']}, {format_duration(manifest['duration'])} simulated"
    if "exchange" in finished.venues:
        console.print(exchange_table(finished.measures(), title))
    if "storefront" in finished.venues:
        console.print(storefront_table(finished.storefront_measures(), title))
    console.print(f"digest   {finished.digest}", highlight=False, soft_wrap=True)
    console.print(f"seconds  {finished.seconds:.2f}", highlight=False)
    console.print(f"report   {report}", highlight=False, soft_wrap=True)
