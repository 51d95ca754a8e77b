"""``marketsim prompts``: what the agents with a language model are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from marketsim.cli.options import AsJson

prompts = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@prompts.callback()
def about() -> None:
    """Show the prompts that ship; a scenario puts its own in their place with the key prompt."""


@prompts.command()
def show(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Kind of agent, such as llm_trader.")],
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Check a prompt of your own for this kind and show it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the prompt of a kind of agent, with its version and the fields that it may use.

    Example: marketsim prompts show llm_trader
    """
    from marketsim.core.registry import nearest_names
    from marketsim.llm.prompts import FIELDS, load_prompt

    if kind not in FIELDS:
        hint = nearest_names(kind, FIELDS)
        raise typer.BadParameter(f"expected one of {', '.join(sorted(FIELDS))}; found {kind}{hint}", param_hint="KIND")
    prompt = load_prompt(kind, file)
    if as_json:
        facts = {"kind": kind, "version": prompt.version, "digest": prompt.digest, "fields": list(FIELDS[kind])}
        typer.echo(json.dumps({**facts, "source": prompt.source}))
        return
    typer.echo(f"{prompt.identity}; fields: {', '.join(FIELDS[kind])}", err=True)
    typer.echo(prompt.source.rstrip("\n"))
