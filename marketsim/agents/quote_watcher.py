"""``QuoteWatcher``: hears every change of the touch and keeps its averages over time."""

from __future__ import annotations

from typing import Any, ClassVar

from marketsim.agents.agent import Seat
from marketsim.agents.config import AgentConfig, QuoteWatcherConfig
from marketsim.agents.trader import Trader
from marketsim.core.venue import Notice


class QuoteWatcher(Trader):
    """Averages are over simulated time in which both sides were quoted, as this agent heard it."""

    Config: ClassVar[type[AgentConfig]] = QuoteWatcherConfig

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self.n_quotes = 0
        """Changes of the touch heard so far."""
        self._since = 0
        self._spread = 0  # ticks; 0: one side is empty
        self._quoted_ns = 0
        self._spread_ns = 0  # ticks times ns

    def on_start(self) -> None:
        """Listen to the quotes of its instrument."""
        self.listen(f"{self.symbol}.quotes")

    def on_notice(self, notice: Notice) -> None:
        """Close the time of the quote before and open this one's."""
        quote = notice.data
        self._close_interval()
        self.n_quotes += 1
        has_both = quote["bid_size_lots"] > 0 and quote["ask_size_lots"] > 0
        self._spread = quote["ask_price_ticks"] - quote["bid_price_ticks"] if has_both else 0

    def _close_interval(self) -> None:
        if self._spread:
            self._quoted_ns += self.now - self._since
            self._spread_ns += self._spread * (self.now - self._since)
        self._since = self.now

    @property
    def mean_spread_ticks(self) -> float:
        """Time-weighted mean spread up to the last quote heard; nan before there was one on both sides."""
        return self._spread_ns / self._quoted_ns if self._quoted_ns else float("nan")

    def state(self) -> dict[str, Any]:
        """Return what it remembers."""
        return {
            "n_quotes": self.n_quotes,
            "since": self._since,
            "spread": self._spread,
            "quoted_ns": self._quoted_ns,
            "spread_ns": self._spread_ns,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        self.n_quotes, self._since, self._spread = state["n_quotes"], state["since"], state["spread"]
        self._quoted_ns, self._spread_ns = state["quoted_ns"], state["spread_ns"]
