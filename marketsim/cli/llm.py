"""``marketsim llm``: what an endpoint can do, and what was asked of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from marketsim.cli.options import AsJson

llm = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@llm.callback()
def about() -> None:
    """Probe endpoints of language models, and read the records of what they answered."""


@llm.command()
def probe(
    endpoint: Annotated[
        str, typer.Option("--endpoint", metavar="URL", help='Address of the API, or "respondents".')
    ] = "respondents",
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="Name of the model.")] = "uniform",
    key_env: Annotated[
        str, typer.Option("--key-env", metavar="VARIABLE", help="Environment variable that holds the key.")
    ] = "",
    api: Annotated[Literal["chat", "responses"], typer.Option("--api", help="Which API to speak.")] = "chat",
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds that one try may take.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Ask a model nine questions and say what it can do; the card is kept for later runs.

    Example: marketsim llm probe --endpoint http://127.0.0.1:8080/v1 --model smollm2
    """
    from marketsim.llm.client import Access
    from marketsim.llm.probe import keep_card
    from marketsim.llm.probe import probe as ask_it
    from marketsim.llm.transport import Patience

    card = ask_it(Access(endpoint.rstrip("/"), key_env, Patience(timeout_s=timeout)), model, api)
    file = keep_card(card)
    typer.echo(json.dumps({**card.to_json(), "file": str(file)}) if as_json else f"{card.to_text()}\nkept in {file}")


@llm.command()
def records(
    place: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, or a record store.")],
    agent: Annotated[str, typer.Option("--agent", metavar="NAME", help="Print the calls of one agent.")] = "",
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write every record as a line of JSON.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete records: of --agent, or from before --before.")
    ] = False,
    before: Annotated[str, typer.Option("--before", metavar="DATE", help="With --prune: older than this date.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what was asked and answered in a run; write it out, or delete some of it.

    Example: marketsim llm records runs/llm_traders-s1-3f9a2c --agent momentum-1
    """
    from marketsim.llm.record import RecordStore

    if (before and not prune) or (prune and not (agent or before)):
        raise typer.BadParameter("--prune needs --agent or --before, and --before needs --prune")
    file = place / "llm" / "record.sqlite" if place.is_dir() else place
    with RecordStore(file, read_only=not prune) as store:
        if prune:
            removed = store.prune(agent=agent, before=before)
            typer.echo(
                json.dumps({"removed": removed, "left": len(store)}) if as_json else f"removed {removed:,} records"
            )
        elif export is not None:
            with export.open("w") as out:
                out.writelines(f"{line}\n" for line in store.export())
            typer.echo(json.dumps({"file": str(export), "records": len(store)}) if as_json else f"wrote {export}")
        elif agent:
            _print_calls(store, agent, as_json)
        else:
            _print_counts(store.counts(), as_json)


def _print_counts(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"models": rows}))
        return
    for row in rows:
        span = row["first"] if row["first"] == row["last"] else f"{row['first']} to {row['last']}"
        typer.echo(f"{row['answers']:>8,}  {row['model']} at {row['endpoint']}  {span}")


def _print_calls(store: Any, agent: str, as_json: bool) -> None:
    from marketsim.llm.response import read_response

    calls = []
    for entry in store.entries(agent):
        number, attempt = entry.draw
        response = read_response(entry.request["endpoint"], entry.raw, entry.key, number, attempt, "recorded")
        texts = [completion.text or completion.refusal for completion in response.completions]
        calls.append({**entry.origin._asdict(), "date": entry.raw.date, "attempt": attempt, "texts": texts})
    if as_json:
        typer.echo(json.dumps({"calls": calls}))
        return
    for call in calls:
        typer.echo(
            f"step {call['step']}, attempt {call['attempt']}: {' | '.join(call['texts']) or 'no answer in time'}"
        )
