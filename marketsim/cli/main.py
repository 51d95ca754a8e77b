"""``marketsim``: finds the command, imports its file alone, and turns errors into messages and exit codes.

A command is a function of the name of its file, ``marketsim/cli/validate.py: validate``, or a ``typer.Typer`` that
groups several; ``CONTEXT_SETTINGS`` there are its settings. Exit codes: 0 done, 1 failed, 2 bad input, 3 budget cap
reached, 130 interrupted.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from marketsim import __version__
from marketsim.core.errors import MarketSimError, SimulationError

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 plus the number of the signal, as shells have it."""

COMMANDS: Final = {
    "run": "Simulate a scenario and write a run directory with its report.",
    "validate": "Check a scenario and say what it would run.",
    "schema": "Print the JSON Schema of scenario files.",
    "replay": "Rebuild an order book from real messages.",
    "report": "Write the report of a run again.",
    "fit": "Estimate what moves choices: fit choice, fit amce.",
    "page": "Look at a page of a shop: page show, page export-aces.",
    "audit": "Test what language models answer: audit answers, sampling, run, power.",
    "llm": "Probe endpoints of language models, and read what they answered.",
    "prompts": "Show what agents with a language model are told.",
    "respondents": "Serve synthetic models on a loopback endpoint.",
    "sweep": "Run many versions of a scenario: sweep FILE; sweep status, report, export.",
    "compare": "Compare two runs: scenarios, first differing event, statistics.",
    "sql": "Query every table of a run or a sweep.",
    "lmm": "The order model: lmm prepare, train, sample, eval.",
    "bench": "Run one of the benchmarks of a checkout.",
}
"""Every command and what it does, so that --help imports none of them."""


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name; one is imported when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a command, importing its file."""
        if name not in self._loaded:
            if name not in COMMANDS:
                raise KeyError(name)
            module = importlib.import_module(f"marketsim.cli.{name}")
            found = getattr(module, name)
            if not isinstance(found, typer.Typer):  # otherwise a group of commands, such as fit
                single = typer.Typer(add_completion=False, rich_markup_mode=None)
                single.command(name, context_settings=getattr(module, "CONTEXT_SETTINGS", None))(found)
                found = single
            self._loaded[name] = typer.main.get_command(found)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        """Replace a command."""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Forget a command that was imported."""
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """Return the number of commands."""
        return len(COMMANDS)


class CommandGroup(TyperGroup):
    """The group of all commands; errors that users can cause end in a message and an exit code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = LazyCommands()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; every error of a user becomes a message on stderr."""
        try:
            return super().invoke(ctx)
        except MarketSimError as error:
            _say(describe(error))
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            _say("interrupted")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # typer ends quietly where the reader of a pipe has gone
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            _say(f"{error.filename}: {error.strerror}" if error.filename is not None else str(error.strerror))
            sys.exit(1)


def describe(error: MarketSimError) -> str:
    """Return an error as the command line prints it: its text, after the traceback of the user's own code."""
    cause = error.__cause__
    if not isinstance(error, SimulationError) or cause is None:
        return str(error)
    package = str(Path(importlib.import_module("marketsim").__file__ or "").parent)
    frames = traceback.extract_tb(cause.__traceback__)
    while frames and frames[0].filename.startswith(package):  # how we called it is no help
        del frames[0]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join([*lines, *traceback.format_exception_only(cause), str(error)])


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"marketsim {__version__}")
        raise typer.Exit()


app = typer.Typer(
    cls=CommandGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback()
def marketsim(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Simulate financial and e-commerce markets from scenario files.

    Example: marketsim run scenarios/quickstart.toml
    """


def main() -> None:
    """Entry point of the ``marketsim`` script."""
    app()


if __name__ == "__main__":
    main()
