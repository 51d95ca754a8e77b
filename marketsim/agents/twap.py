"""``TwapExecutor``: trades an amount in equal slices at equal intervals."""

from __future__ import annotations

from typing import Any, ClassVar

from marketsim.agents.agent import Seat
from marketsim.agents.config import AgentConfig, TwapConfig
from marketsim.agents.trader import Trader, side_of
from marketsim.core.venue import Notice
from marketsim.exchange.codes import Side


class TwapExecutor(Trader):
    """Sends a market order at each slice for what the schedule asks and is neither filled nor on its way.

    After slice k of n the schedule asks for ``size_lots * k // n`` lots. What a slice could not trade, because the
    other side of the book was empty, is added to the next one; what the last slice could not trade is left undone.
    """

    Config: ClassVar[type[AgentConfig]] = TwapConfig

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self.filled_lots = 0
        """Lots traded, as far as it has heard."""
        self.paid_ticks = 0
        """Sum of price times lots of its trades."""
        self._slices_sent = 0
        self._working_lots = 0

    def on_start(self) -> None:
        """Ask for the first slice."""
        self.wake_in(self.config.begin)

    def on_wake(self, payload: Any) -> None:
        """Send a slice."""
        self._slices_sent += 1
        target = self.config.size_lots * self._slices_sent // self.config.slices
        lots = target - self.filled_lots - self._working_lots
        if lots > 0:
            send = self.buy if side_of(self.config.side) is Side.BUY else self.sell
            send(size_lots=lots)
            self._working_lots += lots
        if self._slices_sent < self.config.slices:
            self.wake_in(self.config.interval)

    def on_notice(self, notice: Notice) -> None:
        """Keep account of what was traded and what came back."""
        lots = notice.data["size_lots"]
        if notice.topic == "fill":
            self.filled_lots += lots
            self.paid_ticks += lots * notice.data["price_ticks"]
        if notice.topic in ("fill", "expired", "rejected"):
            self._working_lots -= lots

    @property
    def average_price_ticks(self) -> float:
        """Average price of its trades; nan before the first."""
        return self.paid_ticks / self.filled_lots if self.filled_lots else float("nan")

    def state(self) -> dict[str, Any]:
        """Return what it remembers."""
        return {
            "filled_lots": self.filled_lots,
            "paid_ticks": self.paid_ticks,
            "slices_sent": self._slices_sent,
            "working_lots": self._working_lots,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        self.filled_lots, self.paid_ticks = state["filled_lots"], state["paid_ticks"]
        self._slices_sent, self._working_lots = state["slices_sent"], state["working_lots"]
