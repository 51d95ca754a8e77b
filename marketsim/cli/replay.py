"""``marketsim replay``: rebuild an order book from real messages and compare it with the recorded one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from marketsim.exchange.replay import Agreement, Replay


def replay(
    messages: Annotated[Path, typer.Argument(metavar="MESSAGES", help="LOBSTER message file, CSV or Parquet.")],
    book: Annotated[
        Path | None, typer.Option(help="LOBSTER orderbook file to compare with, one row for each message.")
    ] = None,
    seed_book: Annotated[
        Path | None, typer.Option(help="Start from the first row of this orderbook file, which may have more levels.")
    ] = None,
    levels: Annotated[
        int | None, typer.Option(min=1, help="Levels to compare one by one; default: 10, or as many as there are.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rebuild the order book from real messages and count the rows that agree with the real book.

    Example: marketsim replay AAPL_message_10.csv --book AAPL_orderbook_10.csv
    """
    if levels is not None and book is None:
        raise typer.BadParameter("--levels says how much of a book to compare; it needs --book FILE")
    from marketsim.core.kernel_cache import cache_is_cold
    from marketsim.exchange.replay import replay_messages

    if cache_is_cold("marketsim.exchange.kernel.batch"):
        typer.echo("compiling the kernels; this happens once and takes up to a minute", err=True)
    with _progress() as update:
        found = replay_messages(messages, book, seed_book, levels, update)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        _print(found)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show the messages done on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("replaying", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(found: Replay) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    _print_types(console, found)
    if found.one_step is not None:
        _print_agreement(console, found)
    counts = found.counts
    for label, count in (
        ("removals of orders whose arrival is not in the file", counts.unknown_ids),
        ("removals of more than the rebuilt book had at that price", counts.nowhere),
        ("orders taken out because a newer one shows that they are gone", counts.gone),
        ("orders refused, their price or size beyond what a book holds", counts.refused),
        ("orders resting at the end, a seeded level counted as one", found.resting),
    ):
        console.print(f"{count:>9,}  {label}")
    console.print(f"{found.seconds:>9.2f}  seconds, {found.messages_per_second:,.0f} messages/s")
    if found.explanation():
        console.print()
        console.print(found.explanation())


def _print_types(console: Console, found: Replay) -> None:
    from rich.table import Table

    console.print(found.messages.name, soft_wrap=True)
    table = Table()
    table.add_column("messages")
    table.add_column("", justify="right")
    for kind, count in found.types.items():
        if count > 0:
            table.add_row(f"{kind.value} {kind.name.lower().replace('_', ' ')}", f"{count:,}")
    table.add_section()
    table.add_row("all", f"{found.rows:,}")
    console.print(table)


def _print_agreement(console: Console, found: Replay) -> None:
    from rich.table import Table

    table = Table(title="rows that agree with the recorded book")
    table.add_column("check")
    for name in ("agree", "of", "%"):
        table.add_column(name, justify="right")
    if found.one_step is not None:
        table.add_row("one step, all levels", *_cells(found.one_step))
    for level, agreement in enumerate(found.cumulative, start=1):
        table.add_row(f"cumulative, level {level}", *_cells(agreement))
    console.print(table)


def _cells(agreement: Agreement) -> tuple[str, str, str]:
    hundredths = 10_000 * agreement.agree // max(agreement.of, 1)  # cut, so that 100.00 means every row
    percent = f"{hundredths // 100}.{hundredths % 100:02d}" if agreement.of else "-"
    return f"{agreement.agree:,}", f"{agreement.of:,}", percent
