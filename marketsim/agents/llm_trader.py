"""``LlmTrader``: a language model that trades. It sees the market and its account; the ledger is the engine's."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import BaseModel, Field, create_model

from marketsim.agents.agent import Seat
from marketsim.agents.config import AgentConfig
from marketsim.agents.llm_agent import Mind
from marketsim.agents.llm_config import LlmTraderConfig
from marketsim.agents.trader import Trader
from marketsim.core.units import SECOND
from marketsim.core.venue import Notice
from marketsim.exchange.codes import Side
from marketsim.exchange.commands import Quote
from marketsim.llm.prompts import untrusted_json
from marketsim.llm.question import ANSWER, Option
from marketsim.llm.sampler import Decision

OPTIONS = (
    Option("buy", "send a buy order"),
    Option("sell", "send a sell order"),
    Option("hold", "do nothing"),
)


class LlmTrader(Trader):
    """Asks a model each period whether to buy, sell or hold, and sends what it says.

    A new order cancels what of the earlier ones still rests. An order that could take the position beyond
    ``limit_lots`` is not sent and counted in ``orders_blocked``; so is one at a price below one tick.
    """

    Config: ClassVar[type[AgentConfig]] = LlmTraderConfig

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self.mind = Mind(self)
        self.orders_blocked = 0
        """Orders that the position limit kept back."""
        self._resting: dict[int, int] = {}  # order id to lots, as heard
        self._mids: deque[float] = deque(maxlen=self.config.prices)
        self._trades: deque[dict[str, Any]] = deque(maxlen=self.config.trades)
        self._heard: list[int] | None = None  # the touch, where it comes late

    @classmethod
    def provenance_of(cls, config: Any, model: Any) -> str:
        """Return where decisions come from."""
        provenance: str = model.llm.provenance(model.llm.settings(config))
        return provenance

    @property
    def decides_at_once(self) -> bool:
        """Whether answers come from a record alone."""
        return self.mind.is_replayed

    def on_start(self) -> None:
        """Listen, and wake first at a random time within one period."""
        if self.config.trades:
            self.listen(f"{self.symbol}.trades")
        if self.market_data_latency_ns:
            self.listen(f"{self.symbol}.quotes")
        self.wake_in(int(self.rng().integers(self.config.period)))

    def on_wake(self, payload: Any) -> None:
        """Ask, on what is seen now."""
        self.wake_in(self.config.period)
        seen = self._seen()
        if seen is not None:
            self.mind.ask(untrusted_json(seen))

    async def decide(self, question: Any) -> tuple[Decision, dict[str, Any]]:
        """Ask the model."""
        config: LlmTraderConfig = self.config
        fields = {
            "persona": config.persona,
            "state": question["seen"],
            "limit_lots": config.limit_lots,
            "max_order_lots": config.max_order_lots,
            "symbol": self._instrument.symbol,
        }
        return await self.mind.decide(question, fields, OPTIONS, order_form(config.max_order_lots), "hold")

    def on_decision(self, answer: Any) -> None:
        """Send the order."""
        value = self.mind.take(answer)
        if value is None:
            return
        sent = self._send(value) if value[ANSWER] != "hold" and value["size_lots"] else "nothing"
        self.mind.remember({"elapsed_s": self.now // SECOND, **value, "sent": sent})

    def _send(self, value: dict[str, Any]) -> str:
        side, lots, limit = (
            (Side.BUY if value[ANSWER] == "buy" else Side.SELL),
            value["size_lots"],
            value["limit_price"],
        )
        ticks = None if limit is None else round(limit / self._tick_size)
        after = self.position() + int(side) * lots
        if abs(after) > self.config.limit_lots or (ticks is not None and ticks < 1):
            self.orders_blocked += 1
            return "nothing: beyond the limit"
        if self._resting:
            self.cancel_all()
        (self.buy if side is Side.BUY else self.sell)(price_ticks=ticks, size_lots=lots)
        return "market order" if ticks is None else "limit order"

    # ---- What it sees ----------------------------------------------------------------------------------------

    def on_notice(self, notice: Notice) -> None:
        """Keep the last trades, the touch where it comes late, and own orders that rest."""
        data = notice.data
        if notice.topic == "trade":
            taker = "buy" if data["side"] > 0 else "sell"
            self._trades.append({"price": self._price(data["price_ticks"]), "lots": data["size_lots"], "taker": taker})
        elif notice.topic == "quote":
            names = ("bid_price_ticks", "bid_size_lots", "ask_price_ticks", "ask_size_lots")
            self._heard = [data[name] for name in names]
        elif notice.topic == "accepted" or (notice.topic == "fill" and data["order_id"] in self._resting):
            self._resting[data["order_id"]] = data["left_lots"]
            if not data["left_lots"]:
                del self._resting[data["order_id"]]
        elif notice.topic in ("cancelled", "expired"):
            self._resting.pop(data["order_id"], None)

    def _seen(self) -> dict[str, Any] | None:
        """Return what a prompt shows, None before there is anything to be seen."""
        quote = self._touch()
        if quote is None:
            return None
        bid, bid_lots, ask, ask_lots = quote[:4]
        if bid_lots and ask_lots:
            self._mids.append(self._price(bid + ask) / 2)
        decimals = self._instrument.cash_decimals
        return {
            "instrument": self._instrument.symbol,
            "elapsed_s": self.now // SECOND,
            "tick_size": self._tick_size,
            "best_bid": self._price(bid) if bid_lots else None,
            "bid_lots": bid_lots,
            "best_ask": self._price(ask) if ask_lots else None,
            "ask_lots": ask_lots,
            "recent_mids": list(self._mids),
            "recent_trades": list(self._trades),
            "account": {
                "position_lots": self.position(),
                "limit_lots": self.config.limit_lots,
                "cash": self.cash() / 10**decimals,
                "resting_orders": len(self._resting),
            },
            "memory": self.mind.memory,
        }

    def _touch(self) -> Quote | list[int] | None:
        return self._heard if self.market_data_latency_ns else self.quote()

    @property
    def _instrument(self) -> Any:
        return self._market.config.instruments[self.instrument()]

    @property
    def _tick_size(self) -> float:
        return float(self._instrument.tick_size)

    def _price(self, ticks: int) -> float:
        return float(ticks * self._instrument.tick_size)

    # ---- State -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what it remembers."""
        return {
            "mind": self.mind.state(),
            "orders_blocked": self.orders_blocked,
            "resting": {str(order): lots for order, lots in self._resting.items()},
            "mids": list(self._mids),
            "trades": list(self._trades),
            "heard": self._heard,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        self.mind.restore(state["mind"])
        self.orders_blocked = state["orders_blocked"]
        self._resting = {int(order): lots for order, lots in state["resting"].items()}
        self._mids.extend(state["mids"])
        self._trades.extend(state["trades"])
        self._heard = state["heard"]


@lru_cache(maxsize=64)
def order_form(max_order_lots: int) -> type[BaseModel]:
    """Return the fields of an answer: lots, and a limit price where there is one."""
    lots = Field(default=1, ge=0, le=max_order_lots, description=f"lots, 0 to {max_order_lots}")
    limit = Field(default=None, gt=0, description="limit price in currency, null for a market order")
    form: type[BaseModel] = create_model("Order", size_lots=(int, lots), limit_price=(float | None, limit))
    return form
