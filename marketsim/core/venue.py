"""The protocol between the time line and an engine that hosts a market.

A venue is an engine, not a market: one exchange engine holds every instrument and every book. The time line
(``marketsim.simulation.clock``) knows venues only through this file, so a venue can be used, tested and
replaced alone. Times are integer nanoseconds of simulated time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NEVER = 1 << 62
"""A time beyond every run: what ``peek`` returns when nothing is left to happen."""

EVERYONE = 0
"""Addressee of a notice that goes to all who listen on its channel."""

EVENTS_PER_CALL = 200_000
"""A venue returns from ``advance`` at least this often, so that progress and Ctrl-C are served."""


class Stop(IntEnum):
    """Why ``advance`` returned. Whatever the reason, the next call goes on with the next event."""

    HORIZON = 0
    """Nothing is left before the horizon."""
    NOTICE = 1
    """Python agents must hear something before more may happen."""
    LOG_FULL = 2
    """The caller must take the tables."""
    GROW = 3
    """An array was too small; the venue has grown it already, call again."""
    NEED_FLOW = 4
    """A source of order flow in Python is due."""
    BUDGET = 5
    """``EVENTS_PER_CALL`` events were done."""
    STUCK = 6
    """A rule asked to wake no later than now; ``Venue.fault`` says which."""


class Notice(NamedTuple):
    """Something that Python agents hear: a report to one of them, or market data to all who listen."""

    time_ns: int
    """When it happened; an agent hears it its market-data latency later."""
    to: int
    """Account number of the addressee, or ``EVERYONE``."""
    topic: str
    """What happened: ``"fill"``, ``"accepted"``, ``"quote"``, ..."""
    channel: str
    """Where it was published, such as ``"ACME.quotes"``; empty for a report to one agent."""
    data: dict[str, int]
    """The details, as JSON can hold them."""


class Command(Protocol):
    """What an agent asks of a venue; each venue defines its own."""

    @property
    def agent(self) -> int:
        """Account number of the sender."""


class Venue(Protocol):
    """An engine on the time line."""

    name: str

    @property
    def events(self) -> int:
        """Events carried out so far, for progress and speed."""

    def add_agent(self, name: str, kind: str, provenance: str) -> int:
        """Return the account number of a new Python agent.

        Parameters
        ----------
        name, kind : str
            Name of the agent, kind of its scenario table.
        provenance : str
            Where its decisions come from: ``"rule"``, ``"respondent"``, ``"recorded"`` or ``"live"``.

        Raises
        ------
        SimulationError
            The venue has started.
        """

    def peek(self) -> int:
        """Return the time of the next event, or ``NEVER``."""

    def advance(self, until: int, inclusive: bool) -> Stop:
        """Carry out events before ``until`` (and at it, where ``inclusive``) until there is a reason to stop."""

    def notices(self) -> Sequence[Notice]:
        """Return what Python agents must hear since the last call, in order."""

    def listen(self, channel: str) -> None:
        """Publish on ``channel`` from now on.

        Raises
        ------
        ValueError
            The venue has no such channel.
        """

    def submit(self, command: Any, at: int) -> None:
        """Take a command that takes effect at ``at``, behind what already stands at that instant.

        Raises
        ------
        PastError
            ``at`` is over.
        """

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows recorded since the last call; a batch is valid until the next ``advance``."""

    def finish(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield what is written once, at the end of a run."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that decides what happens next; ``restore`` is its inverse."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state that ``state`` gave."""

    def fault(self) -> str:
        """Return the reason for ``Stop.STUCK`` in words that name the population."""
