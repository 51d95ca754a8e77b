"""A stage for single agents: an exchange without populations, a counterpart that quotes, and the agents under test."""

from decimal import Decimal
from typing import Any

from marketsim.agents import Agent, Trader
from marketsim.agents.config import AgentConfig
from marketsim.core.durations import SECOND
from marketsim.exchange import Exchange
from marketsim.exchange.config import ExchangeConfig, InstrumentConfig
from marketsim.simulation import Simulation

END = 60 * SECOND


class Counterpart(Trader):
    """Sends what it is told to, at the times it is told: ``script`` is [(time, method, arguments), ...]."""

    script: tuple[Any, ...] = ()

    def on_start(self):
        self.heard = []
        for number, (at, _, _) in enumerate(self.script):
            self.wake_at(at, number)

    def on_wake(self, payload):
        _, method, arguments = self.script[payload]
        getattr(self, method)(**arguments)

    def on_notice(self, notice):
        self.heard.append((notice.time_ns, notice.topic, notice.data))


def stage(script: list[tuple[int, str, dict[str, Any]]] = (), symbols: tuple[str, ...] = ("ACME",)) -> Simulation:
    """A simulation in which one counterpart follows a script."""
    instruments = [InstrumentConfig(symbol=symbol, open_price=Decimal("100.00"), lot_size=10) for symbol in symbols]
    config = ExchangeConfig(instruments=instruments)
    simulation = Simulation([Exchange(config, seed=1, duration_ns=END)], END, seed=1)
    kind = type("Counterpart", (Counterpart,), {"script": tuple(script)})
    simulation.add(kind, AgentConfig(kind="test:Counterpart", name="counterpart"))
    return simulation


def enter(simulation: Simulation, kind: type[Agent], **keys: Any) -> Any:
    """Put one agent on the stage."""
    keys = {"kind": "test", "name": "agent"} | keys
    config_class = kind.Config
    return simulation.add(kind, config_class(**keys))[0]
