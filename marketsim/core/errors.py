"""Every error that marketsim raises on purpose.

    MarketSimError                exit code 1
    ├── ScenarioError             2   faults of a scenario file, all at once
    ├── InputError                2   a data file: file, row, found, expected
    ├── PluginError               2   a user's module: file and line
    ├── RunDirectoryError         2   a run directory that exists, is missing or is not one
    └── SimulationError           1   while simulating
        ├── AgentError            1   an agent's own code failed
        ├── DecisionError         1   an answer could not be had, through no fault of the agent's code
        │   └── BudgetError       3   a cap on calls, tokens or money is reached
        ├── PastError             1   a command or a wake for a time that is over
        ├── PopulationError       1   an in-kernel population broke its contract
        └── ZeroLatencyError      1   agents wake each other for ever at one instant

The command line prints ``str(error)`` on stderr and exits with ``error.exit_code``; a user's mistake has no traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from marketsim.core.durations import format_duration


class MarketSimError(Exception):
    """Base of all errors of this package."""

    exit_code = 1


class Fault(NamedTuple):
    """One fault of an input: where it stands, what was found there and what was expected.

    ``str(fault)`` is a line such as
    ``scenarios/x.toml:14: exchange.instruments.ACME.tick_size: found "-0.01", expected a positive decimal``.
    """

    file: str
    """The file, or the option that gave the value, such as ``--set``; empty where there is neither."""
    line: int
    """Line in the file, from 1; 0 where there is none."""
    path: str
    """Dotted path of the key; empty for the file as a whole."""
    found: str
    """What was found, as the user wrote it. Empty where ``expected`` is a whole sentence of its own."""
    expected: str
    """What was expected, without the word itself: ``a positive decimal such as "0.01"``."""

    def __str__(self) -> str:
        """Return the line for the user."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = f"found {self.found}, expected {self.expected}" if self.found else self.expected
        return ": ".join(part for part in (place, self.path, text) if part)


class ScenarioError(MarketSimError):
    """A scenario cannot be used. ``faults`` lists everything that is wrong with it."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InputError(MarketSimError):
    """A data file does not hold what it should; where several rows are at fault, ``faults`` lists them."""

    exit_code = 2

    def __init__(self, file: str | Path, row: int, found: str, expected: str, more: Iterable[Fault] = ()) -> None:
        self.file, self.row, self.found, self.expected = Path(file), row, found, expected
        self.faults: Sequence[Fault] = (Fault(str(file), row, "", found, expected), *more)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class PluginError(MarketSimError):
    """A user's module cannot be imported, or lacks the class that the scenario names."""

    exit_code = 2

    def __init__(self, file: str | Path, line: int, message: str) -> None:
        self.file, self.line, self.message = str(file), line, message
        super().__init__(str(Fault(str(file), line, "", "", message)))


class RunDirectoryError(MarketSimError):
    """A run directory exists already, does not exist, or cannot be read."""

    exit_code = 2


class SimulationError(MarketSimError):
    """Something went wrong while simulating; the tables written so far are whole."""


class AgentError(SimulationError):
    """An agent's own code raised an exception, which is ``__cause__``."""

    def __init__(self, agent: str, time_ns: int, cause: BaseException) -> None:
        self.agent, self.time_ns = agent, time_ns
        super().__init__(f"agent {agent} failed at {format_duration(time_ns)}: {type(cause).__name__}: {cause}")
        self.__cause__ = cause


class DecisionError(SimulationError):
    """An answer could not be had: the endpoint, a key, a record; never the agent's code. It has no traceback."""

    agent = ""
    """Whose decision it was; empty outside a simulation."""

    def __str__(self) -> str:
        """Return the text, after the name of the agent where there is one."""
        text = super().__str__()
        return f"{self.agent}: {text}" if self.agent else text


class BudgetError(DecisionError):
    """A cap on calls, tokens or money is reached. The run has a checkpoint and can go on with a larger one."""

    exit_code = 3
    run_dir = ""
    """Where the run is; empty outside a run."""

    def __init__(self, cap: str, text: str) -> None:
        self.cap = cap
        super().__init__(text)

    def __str__(self) -> str:
        """Return the text and, of a run, the command that goes on with it."""
        hint = f"\ngo on with: marketsim run --resume {self.run_dir} --set {self.cap}=..." if self.run_dir else ""
        return super().__str__() + hint


class PastError(SimulationError):
    """A command or a wake for a simulated time that is over."""


class PopulationError(SimulationError):
    """An in-kernel population broke its contract: a wrong signature, or a next wake that is not later than now."""


class ZeroLatencyError(SimulationError):
    """Agents without latency wake each other for ever at one simulated instant."""

    def __init__(self, agents: Sequence[str], time_ns: int, wakes: int) -> None:
        self.agents, self.time_ns, self.wakes = tuple(agents), time_ns, wakes
        names = ", ".join(self.agents)
        super().__init__(
            f"{wakes:,} wakes at {format_duration(time_ns)} and no end: {names}; "
            "give one of these agents a market_data_latency or an order_latency"
        )
