"""A population and an agent of one's own, for ``bring_your_own.toml``. Copy this file and change what they do.

``Contrarian`` lives in the kernel: one plain function that is compiled at the start of a run, so thousands of agents
cost little. ``DipBuyer`` lives in Python: it may use any library, and a wake costs some microseconds.
"""

from typing import Any

import numpy as np
from pydantic import Field

from marketsim.agents import AgentConfig, Trader
from marketsim.core.rng import uniforms
from marketsim.core.units import SECOND, Duration
from marketsim.core.venue import Notice
from marketsim.exchange import Population, PopulationConfig, Start, StartContext, TimeInForce
from marketsim.exchange.rules import ASK, BID, BUY, SELL, cancel_all, has_both_sides, limit_order, wait

LAST_MID = 0  # state_i: twice the mid at the last wake, 0 before the first
WAIT, SIZE, THRESHOLD = range(3)  # state_f


class Contrarian(Population):
    """Traders who bet that the last move comes back."""

    class Config(PopulationConfig):
        """``kind = "my_market:Contrarian"``."""

        mean_wait: Duration = 10 * SECOND
        """Mean time between two wakes of an agent; the times are exponential."""
        order_size: int = Field(default=50, ge=1, le=1_000_000)
        """Lots of an order."""
        threshold_ticks: float = Field(default=2.0, ge=0.0, le=1e6)
        """Smallest move of the mid between two wakes that it bets against."""

    @classmethod
    def start(cls, config: Any, context: StartContext) -> Start:
        """Return the state of each agent, one row an agent, and the time of its first wake."""
        state_i = np.zeros((context.count, 1), np.int64)
        state_f = np.zeros((context.count, 3))
        state_f[:] = config.mean_wait, config.order_size, config.threshold_ticks
        first = [wait(u, float(config.mean_wait)) for u in context.uniforms("first wake").tolist()]
        return Start(state_i, state_f, np.array(first, np.int64))

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Join the best ask after a rise and the best bid after a fall; return the time of the next wake."""
        u_wait, _, _, _ = uniforms(counters, 0)
        if has_both_sides(market):
            mid = market[BID] + market[ASK]
            move = mid - state_i[agent, LAST_MID]
            if state_i[agent, LAST_MID] > 0 and abs(move) >= 2.0 * state_f[agent, THRESHOLD]:
                cancel_all(out)
                size = int(state_f[agent, SIZE])
                if move > 0:
                    limit_order(out, SELL, market[ASK], size, 0)
                else:
                    limit_order(out, BUY, market[BID], size, 0)
            state_i[agent, LAST_MID] = mid
        return now + wait(u_wait, state_f[agent, WAIT])


class DipBuyer(Trader):
    """Buys where the best ask is well below the average it remembers, until it holds enough."""

    class Config(AgentConfig):
        """``kind = "my_market:DipBuyer"``."""

        discount_ticks: int = Field(default=5, ge=1, le=1_000_000)
        """How far below its average the best ask must be."""
        memory: int = Field(default=500, ge=1, le=1_000_000)
        """Quotes over which its average forgets."""
        order_size: int = Field(default=100, ge=1, le=1_000_000)
        """Lots of an order."""
        most_lots: int = Field(default=1_000, ge=1, le=1_000_000_000)
        """Lots it wants to hold."""

    def __init__(self, model: Any, seat: Any) -> None:
        super().__init__(model, seat)
        self.average_ticks = 0.0
        self.on_its_way_lots = 0

    def on_start(self) -> None:
        """Listen to the best prices."""
        self.listen(f"{self.symbol}.quotes")

    def on_notice(self, notice: Notice) -> None:
        """Hear a quote, or what became of an order."""
        data = notice.data
        if notice.topic in ("fill", "expired", "rejected"):
            self.on_its_way_lots -= data["size_lots"]
        if notice.topic != "quote" or not data["ask_size_lots"]:
            return
        ask = data["ask_price_ticks"]
        if not self.average_ticks:
            self.average_ticks = float(ask)
        self.average_ticks += (ask - self.average_ticks) / self.config.memory
        room = self.config.most_lots - self.position() - self.on_its_way_lots
        if ask <= self.average_ticks - self.config.discount_ticks and room > 0:
            size = min(self.config.order_size, room)
            self.buy(price_ticks=ask, size_lots=size, tif=TimeInForce.IOC)
            self.on_its_way_lots += size

    def state(self) -> dict[str, Any]:
        """Return all it remembers, so that an interrupted run can go on."""
        return {"average_ticks": self.average_ticks, "on_its_way_lots": self.on_its_way_lots}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        self.average_ticks, self.on_its_way_lots = state["average_ticks"], state["on_its_way_lots"]
