"""A real exchange and a toy shop with agents between them, in settings with ties and latency 0."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa
from hypothesis import strategies as st

from marketsim.agents import Agent, AgentConfig, Seat, Trader
from marketsim.core.venue import Notice
from marketsim.exchange import Exchange
from marketsim.exchange.codes import EventKind, TimeInForce
from marketsim.exchange.config import DepthConfig, ExchangeConfig, InstrumentConfig
from marketsim.exchange.populations import KINDS as POPULATIONS
from marketsim.exchange.tables import TABLES
from marketsim.simulation import Simulation
from marketsim.simulation.recorder import InMemory
from tests.oracles.all_in_mesa import AllInMesa, Rank, ToyReference
from tests.oracles.slow_exchange import SlowExchange
from tests.simulation.toy_market import rows
from tests.simulation.toy_venue import ToyCommand, ToyPopulation, ToyVenue, noise_trader

END = 2_000_000_000
STEP = 10_000_000
TRADE = EventKind.TRADE


class Setting(NamedTuple):
    market_data_latency: int = 0
    order_latency: int = 0
    decision_latency: int = 30_000_000
    with_shop: bool = True
    population_latency: int = 0


def exchange_config(setting: Setting) -> ExchangeConfig:
    zero_intelligence = POPULATIONS.resolve("zero_intelligence").Config
    rates = {"limit_rate": 4.0, "market_rate": 1.0, "cancel_rate": 2.0}
    kind = "zero_intelligence"
    tables = [
        zero_intelligence(kind=kind, name=name, count=15, instrument=symbol, order_latency=latency, **rates)
        for name, symbol, latency in (("first", "ACME", "0s"), ("second", "BOLT", f"{setting.population_latency}ns"))
    ]
    instruments = [InstrumentConfig(symbol=symbol, open_price=Decimal("100.00")) for symbol in ("ACME", "BOLT")]
    return ExchangeConfig(instruments=instruments, populations=tables, depth=DepthConfig(interval="100ms", levels=3))


class Mover(Trader):
    """Follows ACME's quotes into BOLT, quotes there itself, cancels what grows old, and carries prices to the shop."""

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self.diary: list[list] = []
        self.working: list[int] = []

    def on_start(self) -> None:
        for channel in ("ACME.quotes", "BOLT.trades"):
            self.listen(channel)
        if "shop" in self.accounts:
            self.listen("shop.ticks")
        self.wake_in(STEP)

    def on_wake(self, payload: Any) -> None:
        self.diary.append([self.now, "woke", self.position("ACME"), self.cash("BOLT")])
        if len(self.working) > 3:
            self.cancel(self.working.pop(0), "BOLT")
        self.wake_in(STEP)

    def on_notice(self, notice: Notice) -> None:
        self.diary.append([self.now, notice.time_ns, notice.to, notice.topic, notice.channel, dict(notice.data)])
        n, data = len(self.diary), notice.data
        luck = int(self.rng().integers(4))
        if notice.topic == "quote" and n % 3 == 0 and data["bid_size_lots"]:
            self.working.append(self.buy("BOLT", data["bid_price_ticks"] - luck, 1 + n % 3))
        elif notice.topic == "trade" and n % 5 == 0:
            self.sell("ACME", None if luck == 0 else data["price_ticks"], 1, tif=TimeInForce.IOC)
        elif notice.topic == "fill" and "shop" in self.accounts:
            self.submit(ToyCommand(self.accounts["shop"], data["price_ticks"] % 1009, n % 2 == 0), "shop")
        elif notice.topic == "tick" and n % 4 == 0:
            self.ask([data["price"], n], self.decision_latency())
        elif notice.topic == "rejected" and data["reason"] and n % 2:
            self.cancel(data["order_id"], "ACME")  # hopeless, so rejected again

    def decision_latency(self) -> int:
        mean = self.config.decision_latency
        return int(self.rng().exponential(mean)) if mean else 0

    async def decide(self, question: list[int]) -> int:
        return question[0] % 5

    def on_decision(self, answer: int) -> None:
        self.diary.append([self.now, "decided", answer])
        self.sell("BOLT", 10_000 + answer, 2)

    def state(self) -> dict[str, Any]:
        return {"diary": self.diary, "working": list(self.working)}

    def restore(self, state: dict[str, Any]) -> None:
        self.diary, self.working = state["diary"], state["working"]


class MoverConfig(AgentConfig):
    decision_latency: int = 0


def mover_configs(setting: Setting) -> list[MoverConfig]:
    latencies = setting._asdict()
    keys = {key: latencies[key] for key in ("market_data_latency", "order_latency", "decision_latency")}
    others = keys | {"market_data_latency": 0, "order_latency": 0}
    return [
        MoverConfig.model_construct(kind="mover", name=name, count=1, instrument="", **values)
        for name, values in (("mover", keys), ("eager", others))
    ]


def shop_populations() -> list[ToyPopulation]:
    return [ToyPopulation("shoppers", noise_trader, 10, STEP, 10 * STEP, 0.3)]


def market(setting: Setting, *, log_rows: int = 1 << 18, budget: int = 200_000, shop_first: bool = False) -> Simulation:
    config = exchange_config(setting)

    def build_venues() -> Sequence[Any]:
        exchange = Exchange(config, seed=3, duration_ns=END, log_rows=log_rows, budget=budget)
        shop = [ToyVenue("shop", shop_populations(), budget=budget)] if setting.with_shop else []
        return [*shop, exchange] if shop_first else [exchange, *shop]

    line = Simulation(build_venues(), END, seed=3, recorder=InMemory(), build_venues=build_venues)
    for config_of_agent in mover_configs(setting):
        line.add(Mover, config_of_agent)
    return line


def diaries(line: Any) -> list[list]:
    people: list[Agent] = list(line.cast) if isinstance(line, Simulation) else line.people
    return [agent.diary for agent in people]


def logs(line: Simulation) -> dict[str, list]:
    for venue in line.venues:
        line.recorder.take(venue.tables())
    return {name: rows(line.recorder.table(name)) for name in line.recorder.tables()}


def state_bytes(line: Simulation) -> dict[str, Any]:
    arrays, document = line.state()
    return {name: array.tobytes() for name, array in arrays.items()} | document


def finished(line: Simulation, cuts: Sequence[int] = ()) -> tuple:
    for instant in sorted(cuts):
        assert line.run(until=instant)
    assert line.run()
    return logs(line), diaries(line), state_bytes(line)


# ---- The same market all in Mesa -------------------------------------------------------------------------------


class ExchangeInMesa(SlowExchange):
    """The slow exchange with its events on Mesa's list."""

    def __init__(self, model: AllInMesa, index: int, config: ExchangeConfig) -> None:
        rank = Rank(2 + 2 * index)

        def schedule(at: int, method: Any, *arguments: Any) -> None:
            model.at(at, rank, method, at, *arguments)

        super().__init__(config, 3, END, schedule, partial(model.tell, "exchange"))

    def instrument_number(self, symbol: str) -> int:
        return self.config.instrument_number(symbol)

    def tables(self) -> dict[str, pa.Table]:
        """What the engine would have recorded."""
        n_accounts, number_of = self.n_in_kernel + 3, range(len(self.books))
        accounts = [
            (END, agent, number, self.position[number, agent], self.cash[number, agent])
            for agent in range(n_accounts)
            for number in number_of
        ]
        found = {
            "exchange/messages": [_message(*row) for row in self.log if row[3] != TRADE],
            "exchange/trades": [_trade(*row) for row in self.log if row[3] == TRADE],
            "exchange/quotes": self.quotes,
            "exchange/depth": self.depths,
            "exchange/accounts": accounts,
        }
        return {name: _table(TABLES[name], found_rows) for name, found_rows in found.items()}


def _message(n, now, number, kind, order_id, other_id, side, price, size, left, owner, other_owner):
    rejected = kind == EventKind.REJECTED
    other, reason = (0, other_id) if rejected else (other_id, 0)
    return n, now, number, owner, kind, order_id, other, side, price, size, left, reason


def _trade(n, now, number, kind, order_id, other_id, side, price, size, left, owner, other_owner):
    return n, now, number, price, size, side, order_id, other_id, owner, other_owner, left


def _table(declaration, found_rows):
    columns = zip(*found_rows, strict=True) if found_rows else [[] for _ in declaration.columns]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, declaration.schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=declaration.schema)


def reference(setting: Setting) -> AllInMesa:
    """Run the same market all in Mesa."""
    config = exchange_config(setting)

    def venues(model: AllInMesa) -> list[Any]:
        shop = [ToyReference(model, 1, "shop", shop_populations())] if setting.with_shop else []
        return [ExchangeInMesa(model, 0, config), *shop]

    model = AllInMesa(venues, END, seed=3)
    in_kernel = model.venues[0].n_in_kernel
    for number, table in enumerate(mover_configs(setting), 1):
        accounts = {"exchange": in_kernel + number} | ({"shop": number} if setting.with_shop else {})
        model.add(Mover, Seat(table.label, table.label, 0, table, accounts))
    model.run()
    return model


any_setting = st.builds(
    Setting,
    market_data_latency=st.sampled_from([0, 1, STEP]),
    order_latency=st.sampled_from([0, 1000, STEP]),
    decision_latency=st.sampled_from([0, 30_000_000]),
    with_shop=st.booleans(),
    population_latency=st.sampled_from([0, 5_000_000]),
)
instants = st.one_of(st.integers(0, END - 1), st.integers(0, END // STEP - 1).map(lambda tick: tick * STEP))
