"""``marketsim lmm``: the order model, from data to judgement."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli.options import AsJson
from marketsim.core.errors import InputError

if TYPE_CHECKING:
    from marketsim.lmm.training import Progress

lmm = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

OutFolder = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder to write.")]
Seed = Annotated[int, typer.Option(min=0, help="Of every draw.")]


@lmm.callback()
def about() -> None:
    """Train, run and judge a generative model of order flow."""


# ---- Data -------------------------------------------------------------------------------------------------------


@lmm.command()
def prepare(
    out: OutFolder,
    source: Annotated[
        Path | None, typer.Argument(metavar="[SOURCE]", help="LOBSTER message file, or a run directory.")
    ] = None,
    book: Annotated[
        Path | None, typer.Option(help="LOBSTER orderbook file; its first row is the book after the first message.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Instrument of the run directory; default: the only one.")] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Without SOURCE: zero_intelligence or hawkes. May be repeated."),
    ] = None,
    volatility: Annotated[
        list[float] | None, typer.Option(min=0.01, help="Volatility target of the teachers. May be repeated.")
    ] = None,
    events: Annotated[int, typer.Option(min=1000, help="Events of the teachers, in all.")] = 2_000_000,
    books: Annotated[int, typer.Option(min=10, help="Books of each teacher and volatility.")] = 20,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Make training data of recorded order flow, or of a teacher whose every probability is known.

    Example: marketsim lmm prepare --teacher hawkes --events 2000000 -o data/hawkes

    Example: marketsim lmm prepare AAPL_message_50.csv --book AAPL_orderbook_50.csv -o data/aapl
    """
    if (source is None) == (not teacher):
        raise typer.BadParameter("give either SOURCE, a message file or a run directory, or --teacher")
    if source is None:
        from marketsim.lmm.prepare import prepare_teachers

        try:
            path = prepare_teachers(out, teacher or [], events, seed, books, volatility or [1.0])
        except ValueError as error:
            raise InputError("--teacher", 0, "", str(error)) from None
    else:
        from marketsim.lmm.recorded import prepare_messages, prepare_run

        path = prepare_run(out, source, symbol) if source.is_dir() else prepare_messages(out, source, book)
    manifest = json.loads(path.read_text(encoding="utf-8"))
    found = {"dir": str(out), "events": manifest["events"], "bins": manifest["bins_digest"], **manifest["source"]}
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        typer.echo(f"{name}: {value}")


# ---- Training ---------------------------------------------------------------------------------------------------


@lmm.command()
def train(
    data: Annotated[Path, typer.Option(metavar="DIR", help="What prepare wrote.")],
    out: OutFolder,
    size: Annotated[str, typer.Option(help="ci, small, base or large.")] = "ci",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 4000,
    rate: Annotated[float, typer.Option(min=1e-6, max=1.0, help="Learning rate.")] = 4e-3,
    every: Annotated[int, typer.Option(min=1, help="Steps between two validations, which save the state.")] = 200,
    windows: Annotated[int, typer.Option(min=1, help="Windows of a step.")] = 32,
    events: Annotated[int, typer.Option(min=64, help="Events of a window; best twice the model's own.")] = 128,
    seed: Seed = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a training in this folder stopped.")] = False,
    half: Annotated[bool, typer.Option("--half", help="Keep the weights in 16 bits.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads of PyTorch.")] = 1,
    device: Annotated[str, typer.Option(help="cpu; training on a GPU is not there yet.")] = "cpu",
    as_json: AsJson = False,
) -> None:
    """Train a model; Ctrl-C keeps the state, and --resume goes on with the same result as without the break.

    Example: marketsim lmm train --size ci --data data/hawkes -o models/mine
    """
    from marketsim.lmm.sizes import SIZES

    if size not in SIZES:
        raise InputError("--size", 0, f'"{size}"', f"one of {', '.join(SIZES)}")
    torch = need_torch(device)
    from marketsim.lmm.shards import Shards
    from marketsim.lmm.training import Training, TrainingConfig

    torch.set_num_threads(threads)
    config = TrainingConfig(size, steps, windows, events, rate=rate, seed=seed, every=every)
    training = Training(config, Shards(data), out, resume)
    with _progress(steps) as report:
        finished = training.run(report)
    if not finished:
        typer.echo(
            f"stopped after step {training.step:,} of {steps:,}; go on with the same command and --resume", err=True
        )
        raise typer.Exit(130)
    words = ["marketsim", "lmm", "train", "--size", size, "--data", str(data), "--steps", str(steps)]
    words += [
        "--rate",
        f"{rate:g}",
        "--every",
        str(every),
        "--windows",
        str(windows),
        "--events",
        str(events),
        "--seed",
        str(seed),
    ]
    card = training.finish(shlex.join([*words, *(["--half"] if half else []), "-o", str(out)]), half)
    if as_json:
        typer.echo(json.dumps(card))
    else:
        print_figures(card["figures"])


def need_torch(device: str = "cpu") -> Any:
    """Return PyTorch.

    Raises
    ------
    InputError
        It is not installed, or the device is none that can be used.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise InputError("torch", 0, "no such package", "PyTorch: pip install 'marketsim[lmm]'") from None
    if device not in ("cpu", "cuda"):
        raise InputError("--device", 0, f'"{device}"', "cpu")
    if device == "cuda":
        found = "a GPU" if torch.cuda.is_available() else "no GPU that PyTorch can use"
        raise InputError("--device", 0, f"cuda and {found}", "cpu: training on a GPU is not there yet")
    return torch


def print_figures(figures: dict[str, Any]) -> None:
    """Print bits per event and what share of the gap to the truth is closed."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(title="bits per event on the test split")
    table.add_column("")
    names = list(next(iter(figures["bits"].values())))
    for name in names:
        table.add_column(name, justify="right")
    for name, row in figures["bits"].items():
        table.add_row(name, *(f"{row[field]:.3f}" for field in names))
    console.print(table)
    for name, value in figures.items():
        if name.startswith("share"):
            console.print(f"{name}: {value:.3f}")
    if figures.get("fields_below_teacher"):
        console.print(
            f"fields in which the model beats the truth, so that it saw the future: {figures['fields_below_teacher']}"
        )


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[Progress], None]]:
    """Show step, loss and validation on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda progress: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("training", total=steps)
        last = ""

        def report(progress: Any) -> None:
            nonlocal last
            if progress.validation is not None:
                last = f", validation {progress.validation:.3f}"
            bar.update(task, completed=progress.step, description=f"{progress.loss:.3f} bits{last}")

        yield report


# ---- Rollouts and judgement -------------------------------------------------------------------------------------


ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.")]


@lmm.command()
def sample(
    model: ModelFolder,
    out: OutFolder,
    minutes: Annotated[float, typer.Option(min=0.001, help="Simulated minutes of each book.")] = 5.0,
    books: Annotated[int, typer.Option(min=1, help="Books, each with draws of its own.")] = 64,
    regime: Annotated[
        str | None, typer.Option(help="zero_intelligence, hawkes or market; default: those of the beginnings.")
    ] = None,
    volatility: Annotated[float, typer.Option(min=0.01, help="Volatility target; needs --regime.")] = 1.0,
    levels: Annotated[int, typer.Option(min=1, help="Levels of the orderbook files.")] = 10,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Let a model play books on, and write LOBSTER files and one Parquet table of all events. Needs no PyTorch.

    Example: marketsim lmm sample models/ci --minutes 5 --books 64 -o runs/generated
    """
    import time

    from marketsim.lmm.checkpoint import load_checkpoint
    from marketsim.lmm.conditions import condition_vector
    from marketsim.lmm.rollout import MINUTE, rollouts, write_rollouts

    if volatility != 1.0 and regime is None:
        raise typer.BadParameter("--volatility says how much a regime moves prices; it needs --regime NAME")
    try:
        told = None if regime is None else condition_vector(regime, volatility)
    except ValueError as error:
        raise InputError("--regime", 0, "", str(error)) from None
    loaded = load_checkpoint(model)
    _say_where_cold()
    begun = time.process_time()
    played = rollouts(loaded, books, int(minutes * MINUTE), seed, told)
    seconds = time.process_time() - begun
    n_events = sum(len(one.record) for one in played)
    files = sum(1 for _ in write_rollouts(out, played, loaded.scale, levels))
    found = {"dir": str(out), "books": books, "events": n_events, "files": files, "cpu_seconds": round(seconds, 2)}
    typer.echo(json.dumps(found) if as_json else "\n".join(f"{name}: {value}" for name, value in found.items()))


@lmm.command(name="eval")
def evaluate(
    generated: Annotated[
        Path, typer.Argument(metavar="MODEL|FOLDER", help="A model, or a folder of generated LOBSTER files.")
    ],
    reference: Annotated[
        Path | None,
        typer.Option(help="Folder of LOBSTER files to compare with; for a model, default: the teachers of its card."),
    ] = None,
    books: Annotated[int, typer.Option(min=8, help="Books that a model and its teachers play.")] = 48,
    minutes: Annotated[float, typer.Option(min=0.1, help="Simulated minutes of each.")] = 3.0,
    seed: Seed = 1,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="HTML page to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge generated order flow: distances from a reference, each with an interval and the reference's own floor.

    Example: marketsim lmm eval models/ci -o eval.html

    Example: marketsim lmm eval generated/ --reference real/ --json
    """
    from marketsim.lmm.checkpoint import WEIGHTS, load_checkpoint
    from marketsim.lmm.evaluation import Budget, judge_folder, judge_model

    _say_where_cold()
    if (generated / WEIGHTS).is_file():
        budget = Budget(books, minutes, seed)
        judgement = judge_model(load_checkpoint(generated), budget, reference, lambda text: typer.echo(text, err=True))
    elif reference is None:
        raise InputError(generated, 0, "no model", "one, or a folder of LOBSTER files and --reference FOLDER")
    else:
        judgement = judge_folder(generated, reference)
    if out is not None:
        from marketsim.report.lmm_page import render_judgement

        out.write_text(render_judgement(judgement), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"scores": judgement.scores, "notes": judgement.notes}))
    else:
        _print_scores(judgement)


def _print_scores(judgement: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(title=judgement.title)
    for name in ("rung", "score", "value", "95 % interval", "floor", "zero intelligence"):
        table.add_column(name, justify="left" if name == "score" else "right", overflow="fold")
    for score in judgement.scores:
        interval = f"{score['low']:.3f} to {score['high']:.3f}"
        null = f"{score['null']:.3f}" if "null" in score else ""
        table.add_row(
            str(score["rung"]), score["name"], f"{score['value']:.3f}", interval, f"{score['floor']:.3f}", null
        )
    console.print(table)
    for note in judgement.notes:
        console.print(note)


def _say_where_cold() -> None:
    from marketsim.core.kernel_cache import cache_is_cold

    if cache_is_cold("marketsim.lmm.kernel.network"):
        typer.echo("compiling the kernels; this happens once and takes up to a minute", err=True)
