"""A small second venue: populations in Python that move one number, the price. Commands move it too.

The price is a checksum of everything that happened, so any change of order shows. It keeps the whole protocol of
``core.venue``, stops for every reason there is, and has a budget, a log and a heap small enough to run into.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from marketsim.core.errors import PastError
from marketsim.core.tables import Column, Table
from marketsim.core.venue import EVERYONE, NEVER, Notice, Stop

N_PRICES = 1_000_003
WAKE, COMMAND, FLOW = range(3)


def events_table(venue: str) -> Table:
    """The one table of a toy venue."""
    columns = [Column(name, "int64", "", name) for name in ("time_ns", "kind", "who", "value", "price")]
    return Table(f"{venue}/events", "one row an event", tuple(columns))


class ToyCommand(NamedTuple):
    agent: int
    value: int
    report: bool = False
    """Whether the sender hears when it has taken effect."""


class ToyPopulation(NamedTuple):
    """Traders with one rule; the name is also that of their draws."""

    name: str
    rule: Callable[..., tuple[int, int, bool]]
    count: int
    grid: int
    """Times are multiples of it."""
    mean: int = 0
    chance: float = 0.0
    """That all listeners hear of a trade."""


# ---- Rules, shared with the oracle: (population, memory, price, now, address) -> next wake, value, heard? -----


def draws(*address: Any) -> tuple[float, float, float]:
    """Three numbers in (0, 1)."""
    words = np.frombuffer(hashlib.blake2b(repr(address).encode(), digest_size=12).digest(), "<u4")
    return tuple((int(word) + 0.5) / 2**32 for word in words)


def noise_trader(population, memory, price, now, address):
    wait, value, luck = draws(*address)
    steps = 1 + int(2 * wait * population.mean / population.grid)
    return now + population.grid * steps, int(value * 1024), luck < population.chance


def follower(population, memory, price, now, address):
    value = (price - memory[0]) % 1024
    memory[0] = price
    return now + population.grid * max(population.mean // population.grid, 1), value, False


def sleepless(population, memory, price, now, address):
    return now, 0, False


class ToyVenue:
    """The venue. ``flow_every``: it asks for order flow at these intervals."""

    def __init__(self, name, populations, *, budget=200_000, log_rows=1 << 16, heap_rows=4, flow_every=0):
        self.name, self.table = name, events_table(name)
        self.members = [(p, row) for p in populations for row in range(p.count)]
        self.memory = [[0] for _ in self.members]
        self.wakes = [0] * len(self.members)
        self.heap: list[tuple[int, ...]] = []  # time, sequence, kind, who, value, report
        self.sequence, self.price, self.now, self.n_events = 0, 1, 0, 0
        self.flow_every, self.flow_at = flow_every, 0 if flow_every else NEVER
        self.budget, self.log_rows, self.heap_rows = budget, log_rows, heap_rows
        self.log: list[tuple[int, ...]] = []
        self.listening, self.news, self.n_agents = False, [], 0
        for who, (population, row) in enumerate(self.members):
            self._add(row * population.grid, WAKE, who, 0, 0)

    @property
    def events(self) -> int:
        return self.n_events

    def add_agent(self, name: str, kind: str, provenance: str) -> int:
        self.n_agents += 1
        return self.n_agents

    def finish(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        return iter(())

    def peek(self) -> int:
        return min(self.heap[0][0] if self.heap else NEVER, self.flow_at)

    def advance(self, until: int, inclusive: bool) -> Stop:
        limit = until + 1 if inclusive else until
        for _ in range(self.budget):
            if self.peek() >= limit:
                return Stop.HORIZON
            if self.flow_at <= self.peek():
                return Stop.NEED_FLOW
            if len(self.log) >= self.log_rows:
                return Stop.LOG_FULL
            if len(self.heap) > self.heap_rows:
                self.heap_rows *= 2
                return Stop.GROW
            stop = self._step()
            if stop is not Stop.HORIZON:
                return stop
        return Stop.BUDGET

    def _step(self) -> Stop:
        at, _, kind, who, value, report = self.heap[0]
        if kind == WAKE:
            population, row = self.members[who]
            address = (population.name, self.wakes[who], row)
            following, value, heard = population.rule(population, self.memory[who], self.price, at, address)
            if following <= at:
                return Stop.STUCK
            self.wakes[who] += 1
            heapq.heappop(self.heap)
            self._add(following, WAKE, who, 0, 0)
        else:
            heapq.heappop(self.heap)
        self.now, self.n_events = at, self.n_events + 1
        self.price = (self.price * (31, 17, 13)[kind] + value) % N_PRICES
        self.log.append((at, kind, who, value, self.price))
        if kind == WAKE and heard and self.listening:
            self.news.append(Notice(at, EVERYONE, "tick", f"{self.name}.ticks", {"price": self.price}))
        elif kind == COMMAND and report:
            self.news.append(Notice(at, who, "done", "", {"price": self.price, "value": value}))
        return Stop.NOTICE if self.news else Stop.HORIZON

    def notices(self) -> list[Notice]:
        news, self.news = self.news, []
        return news

    def listen(self, channel: str) -> None:
        if channel != f"{self.name}.ticks":
            raise ValueError(f"{self.name} has no channel {channel}; it has {self.name}.ticks")
        self.listening = True

    def submit(self, command: ToyCommand, at: int) -> None:
        if at < self.now:
            raise PastError(f"{command} for {at} ns, but {self.name} is at {self.now} ns already")
        self._add(at, COMMAND, command.agent, command.value, int(command.report))

    def give_flow(self, values: list[tuple[int, int]]) -> None:
        """Orders of a flow as (delay, value); asks again after ``flow_every``."""
        for delay, value in values:
            self._add(self.flow_at + delay, FLOW, 0, value, 0)
        self.flow_at += self.flow_every

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        rows = np.array(self.log, np.int64).reshape(-1, 5)
        self.log.clear()
        yield (
            self.table.name,
            pa.RecordBatch.from_arrays([pa.array(c) for c in rows.T.copy()], schema=self.table.schema),
        )

    def state(self) -> dict[str, np.ndarray]:
        return {
            "header": np.array([self.sequence, self.price, self.now, self.listening, self.flow_at, self.n_events]),
            "heap": np.array(sorted(self.heap), np.int64).reshape(-1, 6),
            "memory": np.array(self.memory, np.int64),
            "wakes": np.array(self.wakes, np.int64),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.sequence, self.price, self.now, listening, self.flow_at, self.n_events = state["header"].tolist()
        self.listening = bool(listening)
        self.heap = [tuple(row) for row in state["heap"].tolist()]
        self.memory, self.wakes = state["memory"].tolist(), state["wakes"].tolist()
        self.log.clear()

    def fault(self) -> str:
        population, _ = self.members[self.heap[0][3]]
        return f"population {population.name} at {self.name} asked to wake no later than now, {self.heap[0][0]} ns"

    def _add(self, at: int, kind: int, who: int, value: int, report: int) -> None:
        heapq.heappush(self.heap, (at, self.sequence, kind, who, value, report))
        self.sequence += 1


class ToyFlow:
    """A source of order flow: a few orders at a time, the n-th batch always the same."""

    def __init__(self, interval: int) -> None:
        self.interval, self.n = interval, 0

    def supply(self, venue: ToyVenue) -> None:
        venue.give_flow(flow_batch(self.n, self.interval))
        self.n += 1

    def state(self) -> dict[str, np.ndarray]:
        return {"n": np.array([self.n])}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.n = int(state["n"][0])


def flow_batch(n: int, interval: int) -> list[tuple[int, int]]:
    first, second, value = draws("flow", n)
    return [(int(first * interval), int(value * 1024)), (int(second * interval), n % 1024)]
