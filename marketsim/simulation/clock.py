"""The loop: venues and Python agents on one line of simulated time. The only file that touches Mesa's event list.

Intervals are half-open: a run until t leaves what stands at t to the next run. At one instant Mesa's events come first,
in the order they were scheduled, then the venues by index. The loop takes the venue that is furthest behind and lets it
run to whatever comes next elsewhere, so no venue is ever ahead of a wake-up, nothing is rolled back, and zero latency
is legal.

Law: cutting a run anywhere, with the same commands at the same simulated times, changes no log, notice or state.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from mesa.experimental.devs.eventlist import EventList, Priority, SimulationEvent

from marketsim.agents.agent import HOOKS, Agent
from marketsim.core.errors import PastError, PopulationError, ZeroLatencyError
from marketsim.core.venue import NEVER, Notice, Stop, Venue

MOST_WAKES_AT_ONE_INSTANT = 10_000
TURNS_PER_PULSE = 256


class Entry(NamedTuple):
    """One thing that a Python agent will do: what a checkpoint stores."""

    time_ns: int
    agent: Agent
    hook: str
    payload: Any


class Agenda:
    """What Python agents will do, in Mesa's event list, as (time, agent, name of a hook, payload).

    Never a callable: Mesa holds those by weak references, so a lambda vanishes without a word, and no checkpoint could
    store them. Nor a float for a time.
    """

    def __init__(self) -> None:
        self._events = EventList()
        self.now = 0

    def add(self, at: int, agent: Agent, hook: str, payload: Any = None) -> None:
        """Have an agent's hook called at ``at``, behind what stands there already.

        Raises
        ------
        TypeError
            ``at`` is no int, or there is no such hook.
        PastError
            ``at`` is over.
        """
        if type(at) is not int:
            raise TypeError(f"a time must be an int of nanoseconds; found {at!r}, a {type(at).__name__}")
        if at < self.now:
            raise PastError(f"{hook} of {agent.name} at {at} ns, but it is {self.now} ns already")
        if hook not in HOOKS:
            raise TypeError(f"expected a hook, one of {', '.join(HOOKS)}; found {hook!r}")
        self._events.add_event(SimulationEvent(at, agent.carry_out, Priority.DEFAULT, [hook, payload]))

    def first(self) -> SimulationEvent | None:
        """Return the next event. Cancelled ones are dropped from the root of the heap here.

        Mesa's ``peak_ahead`` is wrong after a cancellation, and its ``pop_event`` takes the live event behind them too.
        """
        heap = self._events._events
        while heap and heap[0].CANCELED:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def take_first(self) -> Entry:
        """Take the next event from the list."""
        return _entry(self._events.pop_event())

    def forget(self, agent: Agent) -> None:
        """Cancel everything that an agent would do."""
        for event in self._live():
            if _entry(event).agent is agent:
                event.cancel()

    def entries(self) -> list[Entry]:
        """Return all that is to come, in order. Added to an empty agenda in this order it makes this one again."""
        return [_entry(event) for event in sorted(self._live())]

    def restore(self, now: int, entries: Iterable[Entry]) -> None:
        """Replace everything."""
        self._events.clear()
        self.now = now
        for entry in entries:
            self.add(*entry)

    def _live(self) -> list[SimulationEvent]:
        return [event for event in self._events._events if not event.CANCELED]


def _entry(event: SimulationEvent) -> Entry:
    hook, payload = event.function_args
    return Entry(event.time, event.fn().__self__, hook, payload)


class Keeper(Protocol):
    """What the loop leaves to its owner."""

    def tell(self, venue: Venue, notices: Sequence[Notice]) -> None:
        """Put notices on the agenda."""

    def record(self, venue: Venue) -> None:
        """Take a venue's tables."""

    def supply(self, venue: Venue) -> None:
        """Give a venue the order flow that it asked for."""

    def is_ready(self, agent: Agent) -> bool:
        """Say whether an agent's answer is there; wait a moment for it."""

    def carry_out(self, entry: Entry) -> None:
        """Call an agent's hook."""

    def pulse(self) -> None:
        """Called between two events every now and then: the place for progress and checkpoints."""


class Clock:
    """The loop and the time.

    Parameters
    ----------
    venues : sequence of Venue
        In the order in which they act at one instant.
    end : int
        Simulated time at which everything ends, in ns.
    keeper : Keeper
        The simulation.
    """

    def __init__(self, venues: Sequence[Venue], end: int, keeper: Keeper) -> None:
        self.venues, self.end, self.agenda = venues, end, Agenda()
        self.interrupted = False
        """Set to stop between two events."""
        self._keeper = keeper
        self._woken: Counter[str] = Counter()  # at this instant; it outlives a run, or cutting could hide a loop
        self._n_woken = 0
        self._serve_stop: dict[Stop, Callable[[Venue], None]] = {
            Stop.NOTICE: lambda venue: keeper.tell(venue, venue.notices()),
            Stop.LOG_FULL: keeper.record,
            Stop.NEED_FLOW: keeper.supply,
            Stop.STUCK: _refuse_stuck,
        }

    @property
    def now(self) -> int:
        """Simulated time in ns: of the agent that acts, or the instant up to which was run."""
        return self.agenda.now

    def run(self, until: int) -> bool:
        """Do everything before ``until`` and before the end.

        Returns
        -------
        bool
            False where an interrupt came first; another run goes on from there.
        """
        until, turns = min(until, self.end), 0
        while not self.interrupted:
            turns += 1
            if turns % TURNS_PER_PULSE == 0:
                self._keeper.pulse()
            event = self.agenda.first()
            horizon = until if event is None else min(event.time, until)
            leg = self._next_leg(horizon)
            if leg is not None:
                venue, limit, inclusive = leg
                self._serve(venue, venue.advance(limit, inclusive))
            elif event is None or event.time >= until:
                self._move_to(max(until, self.now))
                for venue in self.venues:  # nothing is left to do before now; a venue learns that it is this late
                    venue.advance(self.now, inclusive=False)
                return True
            else:
                self._do_first(event)
        return False

    def _next_leg(self, horizon: int) -> tuple[Venue, int, bool] | None:
        """Return the venue that is furthest behind, and how far it may run: to the horizon or the next other venue.

        Of two venues with events at one instant the lower index goes first; so only that one may run through the
        other's instant.
        """
        times = [venue.peek() for venue in self.venues]
        earliest = min(times)
        if earliest >= horizon:
            return None
        index = times.index(earliest)
        limit, inclusive = horizon, False
        for other, other_time in enumerate(times):
            if other != index and other_time < limit:
                limit, inclusive = other_time, index < other
        return self.venues[index], limit, inclusive

    def _serve(self, venue: Venue, stop: Stop) -> None:
        serve = self._serve_stop.get(stop)
        if serve is not None:
            serve(venue)
        elif stop is Stop.BUDGET:
            self._keeper.pulse()

    def _do_first(self, event: SimulationEvent) -> None:
        """Carry out the agenda's first event. One that must wait for an answer stays there, for interrupts."""
        hook = event.function_args[0]
        if hook == "on_decision" and not self._keeper.is_ready(_entry(event).agent):
            self._keeper.pulse()
            return
        entry = self.agenda.take_first()
        self._move_to(entry.time_ns)
        self._count_wake(entry.agent)
        self._keeper.carry_out(entry)

    def _count_wake(self, agent: Agent) -> None:
        self._woken[agent.name] += 1
        self._n_woken += 1
        if self._n_woken > MOST_WAKES_AT_ONE_INSTANT:
            names = [f"{name} ({count:,})" for name, count in self._woken.most_common(5)]
            raise ZeroLatencyError(names, self.now, self._n_woken)

    def _move_to(self, instant: int) -> None:
        if instant != self.now:
            self.agenda.now, self._n_woken = instant, 0
            self._woken.clear()

    def wakes(self) -> dict[str, int]:
        """Return how often each agent woke at this instant, for a checkpoint."""
        return dict(self._woken)

    def restore_wakes(self, wakes: dict[str, int]) -> None:
        """Inverse of ``wakes``."""
        self._woken, self._n_woken = Counter(wakes), sum(wakes.values())


def earliest(clock: Clock) -> int:
    """Return the simulated time up to which everything is done."""
    event = clock.agenda.first()
    coming = min(venue.peek() for venue in clock.venues)
    return min(coming, clock.end) if event is None else min(coming, event.time, clock.end)


def _refuse_stuck(venue: Venue) -> None:
    raise PopulationError(venue.fault())


__all__ = ["MOST_WAKES_AT_ONE_INSTANT", "NEVER", "Agenda", "Clock", "Entry", "Keeper", "earliest"]
