"""A market to run: one or two toy venues and agents between them, in settings full of ties and zero latencies."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
from hypothesis import strategies as st

from marketsim.agents import Agent, AgentConfig, Seat
from marketsim.core.venue import Notice
from marketsim.simulation import Simulation
from marketsim.simulation.recorder import InMemory
from tests.oracles.all_in_mesa import AllInMesa, ToyReference
from tests.simulation.toy_venue import ToyCommand, ToyFlow, ToyPopulation, ToyVenue, flow_batch, follower, noise_trader

END = 1_000_000
GRID = 50_000  # with mean waits of 100,000 ns nearly every event shares its instant with others


class Setting(NamedTuple):
    n_venues: int = 2
    grid: int = 1
    market_data_latency: int = 0
    order_latency: int = 0
    decision_latency: int = 30_000
    flow_every: int = 0

    def populations(self) -> dict[str, list[ToyPopulation]]:
        traders = ToyPopulation("traders", noise_trader, 20, self.grid, 100_000, 0.1)
        followers = ToyPopulation("followers", follower, 5, self.grid, 80_000)
        shoppers = ToyPopulation("shoppers", noise_trader, 10, self.grid, 200_000, 0.2)
        first, second = [traders, followers], [shoppers, traders._replace(name="traders of the shop")]
        return {"exchange": first, "shop": second} if self.n_venues == 2 else {"exchange": first}


class Diarist(Agent):
    """Remembers all it heard, and when."""

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self.diary: list[list] = []

    def on_start(self) -> None:
        for venue in self.host.venues:
            self.listen(f"{venue.name}.ticks")

    def on_notice(self, notice: Notice) -> None:
        self.diary.append([self.now, notice.time_ns, notice.to, notice.channel, dict(notice.data)])
        self.act(notice)

    def act(self, notice: Notice) -> None: ...

    def state(self) -> dict[str, Any]:
        return {"diary": [list(entry) for entry in self.diary]}

    def restore(self, state: dict[str, Any]) -> None:
        self.diary = state["diary"]


class Arbitrageur(Diarist):
    """Answers each notice at the other venue, every third at the same one too; every fifth is reported back."""

    def act(self, notice: Notice) -> None:
        n, names = len(self.diary), [venue.name for venue in self.host.venues]
        here = names.index(notice.channel.partition(".")[0]) if notice.channel else 0
        value = notice.data["price"] * 7 + n + int(self.rng().integers(3))
        self.submit(ToyCommand(self.account, value % 1009, n % 5 == 0), names[(here + 1) % len(names)])
        if n % 3 == 0:
            self.submit(ToyCommand(self.account, (value + 5) % 1009), names[here])
        if n % 7 == 0:
            self.wake_in((n * 13_000) % 60_000, {"n": n})

    def on_wake(self, payload: Any) -> None:
        self.diary.append([self.now, "woke", payload])


class ToyConfig(AgentConfig):
    """Latency of decisions, on average; 0: none."""

    decision_latency: int = 0


class Ponderer(Diarist):
    """Asks a question on each notice; its virtual latency is drawn, its wall-clock delay is given."""

    overlap = "drop"
    delay: Callable[[], float] = staticmethod(lambda: 0.0)

    def act(self, notice: Notice) -> None:
        mean = self.config.decision_latency
        latency = int(self.rng().exponential(mean)) if mean else 0
        self.ask([notice.data["price"], len(self.diary)], latency, self.overlap)

    async def decide(self, question: list[int]) -> int:
        await asyncio.sleep(self.delay())
        return (question[0] * 3 + question[1]) % 1009

    def on_decision(self, answer: int) -> None:
        self.diary.append([self.now, "decided", answer])
        for venue in self.host.venues:
            self.submit(ToyCommand(self.account, answer), venue.name)


class Patient(Ponderer):
    """Lets its questions wait; it answers every fourth notice, or the queue would grow without end."""

    overlap = "queue"

    def act(self, notice: Notice) -> None:
        if len(self.diary) % 4 == 0:
            super().act(notice)


KINDS = {"arbitrageur": Arbitrageur, "ponderer": Ponderer, "patient": Patient, "slow": Ponderer}


def seats(setting: Setting) -> list[tuple[type[Agent], Seat]]:
    latencies = {
        "market_data_latency": setting.market_data_latency,
        "order_latency": setting.order_latency,
        "decision_latency": setting.decision_latency,
    }
    found = []
    for number, (name, kind) in enumerate(KINDS.items()):
        own = latencies | {"market_data_latency": 7, "order_latency": 0} if name == "slow" else latencies
        config = ToyConfig.model_construct(kind=name, name=name, count=1, instrument="", **own)
        found.append((kind, Seat(name, name, 0, config, dict.fromkeys(setting.populations(), 1 + number))))
    return found


def settle(agents: Sequence[Agent], delay: Callable[[], float]) -> None:
    for agent in agents:
        if isinstance(agent, Ponderer):
            agent.delay = delay


def market(
    setting: Setting, delay: Callable[[], float] = lambda: 0.0, kind: type[Simulation] = Simulation, **options: Any
) -> Simulation:
    """A simulation of the setting that keeps its tables in memory. ``options`` go to the venues."""
    recorder = options.pop("recorder", None) or InMemory()
    timeout_s = options.pop("decision_timeout_s", None)

    def build_venues() -> list[ToyVenue]:
        every = setting.flow_every
        return [ToyVenue(name, ps, flow_every=every, **options) for name, ps in setting.populations().items()]

    flows = {name: ToyFlow(setting.flow_every) for name in setting.populations()} if setting.flow_every else {}
    line = kind(
        build_venues(),
        END,
        seed=5,
        recorder=recorder,
        flows=flows,
        build_venues=build_venues,
        decision_timeout_s=timeout_s,
    )
    settle([line.add(kind, seat.config)[0] for kind, seat in seats(setting)], delay)
    return line


def add(line: Simulation, kind: type[Agent], name: str, **latencies: int) -> Any:
    """One more agent."""
    defaults = {"market_data_latency": 0, "order_latency": 0}
    config = AgentConfig.model_construct(kind=name, name=name, count=1, instrument="", **defaults | latencies)
    return line.add(kind, config)[0]


def logs(line: Simulation) -> list[list[tuple[int, ...]]]:
    """Every row of every venue's table."""
    for venue in line.venues:
        line.recorder.take(venue.tables())
    return [rows(line.recorder.table(f"{venue.name}/events")) for venue in line.venues]


def rows(table: pa.Table) -> list[tuple[int, ...]]:
    return list(zip(*[column.to_pylist() for column in table.columns], strict=True))


def diaries(line: Any) -> list[tuple]:
    """What the agents heard, and what they did not ask."""
    people = [line.agent(name) for name in KINDS] if isinstance(line, Simulation) else line.people
    return [(agent.diary, agent.questions_dropped, agent.questions_too_late) for agent in people]


def state_bytes(line: Simulation) -> list:
    """Everything that decides what happens next."""
    arrays, document = line.state()
    return [(name, array.tobytes()) for name, array in arrays.items()] + [json.dumps(document)]


def finished(line: Simulation, cuts: Sequence[int] = ()) -> tuple:
    """Run to the end, with cuts; return logs, diaries and state."""
    for instant in sorted(cuts):
        assert line.run(until=instant)
    assert line.run()
    return logs(line), diaries(line), state_bytes(line)


def reference(setting: Setting) -> tuple:
    """Logs and diaries of the same market all in Mesa."""

    def venues(model: AllInMesa) -> list[ToyReference]:
        members = enumerate(setting.populations().items())
        return [ToyReference(model, i, name, ps, setting.flow_every, flow_batch) for i, (name, ps) in members]

    line = AllInMesa(venues, END, seed=5)
    settle([line.add(kind, seat) for kind, seat in seats(setting)], lambda: 0.0)
    line.run()
    return [venue.rows for venue in line.venues], diaries(line)


SETTINGS = [
    Setting(n_venues, grid, market_data, order)
    for n_venues in (1, 2)
    for grid in (1, GRID)
    for market_data, order in ((0, 0), (0, GRID), (1000, 0), (GRID, 3 * GRID))
]

any_setting = st.builds(
    Setting,
    n_venues=st.sampled_from([1, 2]),
    grid=st.sampled_from([1, 1000, GRID]),
    market_data_latency=st.sampled_from([0, 1, GRID]),
    order_latency=st.sampled_from([0, 100, GRID, 4 * GRID]),
    decision_latency=st.sampled_from([0, 30_000, 500_000]),
    flow_every=st.sampled_from([0, 0, 2 * GRID]),
)
instants = st.one_of(st.integers(0, END), st.integers(0, END // GRID).map(lambda tick: tick * GRID))
