"""What the time line costs: events per second with one and two venues, and with 0, 10 and 1,000 agents in Python.

    python benchmarks/loop.py [ROUNDS]

Every round measures everything once, so that what slows the machine slows all of it; medians, lowest and highest.
Nothing is written to disk. Venues are exchanges with zero-intelligence traders in the kernel; an event is a message to
a book.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from marketsim.agents import AgentConfig, Trader
from marketsim.core.venue import Notice
from marketsim.exchange import Exchange
from marketsim.exchange.codes import TimeInForce
from marketsim.exchange.config import ExchangeConfig, InstrumentConfig
from marketsim.exchange.populations import KINDS
from marketsim.simulation import Simulation

SECOND = 1_000_000_000
BUSY = 1_000.0  # limit orders per agent and second


class Silent(Trader):
    """Wakes a hundred times a second and does nothing."""

    def on_start(self) -> None:
        self.wake_in(10_000_000)

    def on_wake(self, payload: Any) -> None:
        self.wake_in(10_000_000)


class Listener(Trader):
    """Hears every trade of one exchange."""

    n_heard = 0

    def on_start(self) -> None:
        self.listen("LEFT.trades")

    def on_notice(self, notice: Notice) -> None:
        self.n_heard += 1


class Forwarder(Listener):
    """Answers every trade it hears with an order, and hears the reports on it."""

    def on_notice(self, notice: Notice) -> None:
        self.n_heard += 1
        if notice.topic == "trade":  # answered by two reports: expired, accepted
            self.buy(price_ticks=1, tif=TimeInForce.IOC)


def exchange(name: str, rate: float, end: int) -> Exchange:
    """An exchange with a thousand agents, each of whom sends ``rate`` limit orders a second and as many of the rest."""
    kind = "zero_intelligence"
    population = KINDS.resolve(kind).Config(
        kind=kind, name=name, count=1000, limit_rate=rate, market_rate=rate / 4, cancel_rate=rate / 2
    )
    instrument = InstrumentConfig(symbol=name.upper(), open_price=Decimal("100.00"))
    config = ExchangeConfig(instruments=[instrument], populations=[population])
    venue = Exchange(config, seed=1, duration_ns=end, tables=())
    venue.name = name
    return venue


def events_per_second(rates: Sequence[float], end: int, people: int = 0) -> float:
    """Millions of events a second; ``people`` agents in Python that wake 100 times a second."""
    venues = [exchange(name, rate, end) for name, rate in zip(("left", "right"), rates, strict=False)]
    simulation = Simulation(venues, end, seed=1)
    if people:
        simulation.add(Silent, AgentConfig(kind="bench:Silent", name="silent", count=people))
    seconds = timed(simulation.run)
    return simulation.events / seconds / 1e6


def microseconds_per_wake(kind: type[Listener], end: int) -> float:
    """What one agent costs per notice: against the same market without it."""
    seconds = {}
    for people in (False, True):
        venue = exchange("left", BUSY / 10, end)
        venue.name = "exchange"  # where traders trade
        simulation = Simulation([venue], end, seed=1)
        agents = simulation.add(kind, AgentConfig(kind="bench:Listener", name="listener")) if people else []
        seconds[people] = timed(simulation.run)
    return (seconds[True] - seconds[False]) / agents[0].n_heard * 1e6


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


FIGURES: dict[str, tuple[str, str, Callable[[], float]]] = {
    "one busy venue": ("M events/s", "10.0", lambda: events_per_second([BUSY], SECOND)),
    "second venue 100 times slower": ("M events/s", "7.4", lambda: events_per_second([BUSY, BUSY / 100], SECOND)),
    "two venues equally busy": ("M events/s", "1.25", lambda: events_per_second([BUSY, BUSY], SECOND // 10)),
    "one busy venue, 10 agents": ("M events/s", "", lambda: events_per_second([BUSY], SECOND, 10)),
    "one busy venue, 1,000 agents": ("M events/s", "", lambda: events_per_second([BUSY], SECOND, 1000)),
    "an agent hears a notice": ("us", "5.6", lambda: microseconds_per_wake(Listener, SECOND)),
    "an agent hears, one in three times it sends": ("us", "8.9", lambda: microseconds_per_wake(Forwarder, SECOND)),
}


def main(rounds: int = 5) -> None:
    """Measure and print."""
    exchange("left", BUSY, 1000).advance(0, False)  # compiles
    figures: dict[str, list[float]] = {name: [] for name in FIGURES}
    for _ in range(rounds):
        for name, (_, _, measure) in FIGURES.items():
            figures[name].append(measure())
    print(f"{'':44} median      lowest to highest   bare loop over a toy kernel")
    for name, (unit, aim, _) in FIGURES.items():
        values = figures[name]
        print(f"{name:44} {statistics.median(values):6.2f} {unit:11} {min(values):6.2f} to {max(values):6.2f}   {aim}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
