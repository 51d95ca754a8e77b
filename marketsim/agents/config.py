"""``[[agents]]``: the scenario tables of agents that live in Python.

Imports neither Mesa nor Numba, so that a scenario is validated without them; the agents themselves stand in their own
files and name these classes as their ``Config``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from marketsim.core.config import Section
from marketsim.core.units import Duration

MAX_AGENTS = 1_000_000


class AgentConfig(Section):
    """``[[agents]]``: agents of one kind, in Python. Each kind adds keys of its own."""

    kind: str
    """What they are: a kind that ships, or ``"my_module:MyAgent"``."""
    name: str = Field(default="", pattern=r"^[^.\s]{0,64}$")
    """Unique name of the table; it also addresses their random draws. Default: the kind."""
    count: int = Field(default=1, ge=1, le=MAX_AGENTS)
    """Number of agents. Where there are several they are called name-1, name-2, ..."""
    instrument: str = ""
    """Symbol of what they trade or watch; default: the first instrument."""
    market_data_latency: Duration = 0
    """Delay from an event to the moment they hear of it."""
    order_latency: Duration = 0
    """Delay from a decision to the arrival of their orders."""

    @property
    def label(self) -> str:
        """The name, or the kind where none is given."""
        return self.name or self.kind

    def agent_names(self) -> list[str]:
        """Names of the single agents, in order."""
        if self.count == 1:
            return [self.label]
        return [f"{self.label}-{number}" for number in range(1, self.count + 1)]


class TwapConfig(AgentConfig):
    """``kind = "twap"``: trades an amount in equal slices at equal intervals, with market orders."""

    kind: str = "twap"
    """``"twap"``."""
    side: Literal["buy", "sell"]
    """Side of the parent order."""
    size_lots: int = Field(ge=1, le=1 << 40)
    """Lots to trade in all."""
    begin: Duration = 0
    """Simulated time of the first slice."""
    interval: Annotated[Duration, Field(ge=1)]
    """Time between two slices."""
    slices: int = Field(ge=1, le=1_000_000)
    """Number of slices. What a slice could not trade is added to the next one."""


class QuoteWatcherConfig(AgentConfig):
    """``kind = "quote_watcher"``: hears every change of the touch and keeps its averages; it never trades."""

    kind: str = "quote_watcher"
    """``"quote_watcher"``."""
