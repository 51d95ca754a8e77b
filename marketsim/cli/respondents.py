"""``marketsim respondents``: synthetic models behind a loopback endpoint."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

respondents = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@respondents.callback()
def about() -> None:
    """Serve synthetic models with planted behaviour, for anyone's tests of a client."""


@respondents.command()
def serve(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Other draws from the same requests.")] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME", help="What the first, second, ... try of each request meets."),
    ] = None,
    always: Annotated[bool, typer.Option("--always", help="Begin again after the last fault.")] = False,
    delay: Annotated[float, typer.Option("--delay", min=0.0, help="Seconds that an answer takes.")] = 0.0,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help='Where your own models, "my_module:MyModel", are.')
    ] = Path("."),
) -> None:
    """Serve chat completions, responses and models on loopback until Ctrl-C; the address is the first line printed.

    Faults: rate_limit, server_error, timeout, disconnect, truncated, invalid_json, refusal, quota.

    Example: marketsim respondents serve --port 0 --fault rate_limit --fault server_error
    """
    from typing import cast

    from marketsim.llm.respondents.faults import Fault, FaultPlan
    from marketsim.llm.respondents.registry import RESPONDENTS
    from marketsim.llm.respondents.server import RespondentServer

    try:
        plan = FaultPlan([cast(Fault, name) for name in fault or ()], always=always)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None
    ended = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    with RespondentServer(port, seed=seed, faults=plan, delay_s=delay, folder=folder.resolve()) as server:
        typer.echo(server.base_url)
        typer.echo(f"serving {', '.join(sorted(RESPONDENTS.kinds))}; Ctrl-C ends it", err=True)
        while not ended.wait(0.5):
            pass
