"""``Trader``: an agent with the exchange's orders at hand, and an account of what it has heard of them."""

from __future__ import annotations

from typing import Any, Literal, Protocol, cast

from marketsim.agents.agent import Agent, Seat
from marketsim.core.venue import Notice
from marketsim.exchange import commands
from marketsim.exchange.codes import OrderFlag, SelfTradePrevention, Side, TimeInForce
from marketsim.exchange.commands import Quote
from marketsim.exchange.config import ExchangeConfig

EXCHANGE = "exchange"
"""Name of the venue that traders trade at."""


class Market(Protocol):
    """What a trader asks the exchange."""

    config: ExchangeConfig

    def instrument_number(self, symbol: str) -> int:
        """Return an instrument's number; of the first where the symbol is empty."""

    def quote(self, symbol: str) -> Quote:
        """Return the touch."""


class Trader(Agent):
    """An agent that trades at the exchange. An empty symbol stands for the instrument of its scenario table.

    Orders are numbered when they are sent, so ``buy`` and ``sell`` return an id at once; whether they were accepted,
    filled or rejected is heard later, in ``on_notice``: topics ``accepted``, ``fill``, ``cancelled``, ``expired``,
    ``replaced``, ``reduced`` and ``rejected``, each with ``order_id`` in its data. Positions and cash are what the
    agent has heard of, ``market_data_latency`` behind the market.
    """

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self._orders_sent = 0
        self._positions: dict[int, int] = {}
        self._cash: dict[int, int] = {}

    # ---- Orders ----------------------------------------------------------------------------------------------

    def buy(
        self,
        symbol: str = "",
        price_ticks: int | None = None,
        size_lots: int = 1,
        *,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> int:
        """Send a buy order and return its id.

        Parameters
        ----------
        symbol : str
            Instrument; empty: that of the scenario table.
        price_ticks : int, optional
            Limit price; without one it is a market order, of which what finds no counterpart expires.
        size_lots : int
            Lots.
        tif : TimeInForce
            How long it stands.
        post_only : bool
            Have it rejected where it would take.
        self_trade : SelfTradePrevention
            What happens instead of a trade with an order of its own.
        """
        return self._order(Side.BUY, symbol, price_ticks, size_lots, _flags(tif, post_only, self_trade))

    def sell(
        self,
        symbol: str = "",
        price_ticks: int | None = None,
        size_lots: int = 1,
        *,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> int:
        """Send a sell order and return its id; arguments as for ``buy``."""
        return self._order(Side.SELL, symbol, price_ticks, size_lots, _flags(tif, post_only, self_trade))

    def cancel(self, order_id: int, symbol: str = "") -> None:
        """Send the cancellation of an order. One that has ended already is answered by ``rejected``."""
        self.submit(commands.cancel(self.trading_account, self.instrument(symbol), order_id), EXCHANGE)

    def cancel_all(self, symbol: str = "") -> None:
        """Send the cancellation of all its resting orders in an instrument."""
        self.submit(commands.cancel_all(self.trading_account, self.instrument(symbol)), EXCHANGE)

    def reduce(self, order_id: int, size_lots: int, symbol: str = "") -> None:
        """Take lots off an order, which keeps its place in the queue."""
        self.submit(commands.reduce(self.trading_account, self.instrument(symbol), order_id, size_lots), EXCHANGE)

    def replace(self, order_id: int, price_ticks: int, size_lots: int, symbol: str = "") -> None:
        """Give an order a new price and size; it loses its place unless only the size falls."""
        command = commands.replace(self.trading_account, self.instrument(symbol), order_id, price_ticks, size_lots)
        self.submit(command, EXCHANGE)

    def _order(self, side: Side, symbol: str, price_ticks: int | None, size_lots: int, flags: int) -> int:
        instrument = self.instrument(symbol)
        self._orders_sent += 1
        account = self.trading_account
        order_id = commands.own_id(account, self._orders_sent)
        if price_ticks is None:
            command = commands.market_order(account, instrument, order_id, side, size_lots)
        else:
            command = commands.limit_order(account, instrument, order_id, side, price_ticks, size_lots, flags)
        self.submit(command, EXCHANGE)
        return order_id

    @property
    def trading_account(self) -> int:
        """Its account number at the exchange."""
        return self.accounts[EXCHANGE]

    # ---- What it knows ---------------------------------------------------------------------------------------

    @property
    def symbol(self) -> str:
        """Symbol of the instrument of its scenario table; the first of the exchange where none is given."""
        return self._market.config.instruments[self.instrument()].symbol

    def instrument(self, symbol: str = "") -> int:
        """Return an instrument's number; errors as the exchange has them."""
        return self._market.instrument_number(symbol or self.config.instrument)

    def quote(self, symbol: str = "") -> Quote:
        """Return the touch at this instant.

        Raises
        ------
        ValueError
            The agent has a market-data latency, so it cannot see the present.
        """
        if self.market_data_latency_ns:
            name = symbol or self.symbol
            raise ValueError(
                f'quote() shows the present, and {self.name} has a market_data_latency; use listen("{name}.quotes")'
            )
        return self._market.quote(symbol or self.config.instrument)

    def position(self, symbol: str = "") -> int:
        """Return the lots bought minus the lots sold, as far as it has heard."""
        return self._positions.get(self.instrument(symbol), 0)

    def cash(self, symbol: str = "") -> int:
        """Return the minor units of cash received minus those paid for an instrument, as far as it has heard."""
        return self._cash.get(self.instrument(symbol), 0)

    @property
    def _market(self) -> Market:
        return cast(Market, self.host.venue(EXCHANGE))

    def note(self, notice: Notice) -> None:
        """Book a fill."""
        if notice.topic != "fill":
            return
        data = notice.data
        instrument, lots = data["instrument"], data["side"] * data["size_lots"]
        value = lots * data["price_ticks"] * self._market.config.instruments[instrument].tick_value_minor
        self._positions[instrument] = self._positions.get(instrument, 0) + lots
        self._cash[instrument] = self._cash.get(instrument, 0) - value

    def base_state(self) -> dict[str, Any]:
        """Return what the base classes remember."""
        books = {str(number): [lots, self._cash[number]] for number, lots in self._positions.items()}
        return {**super().base_state(), "orders_sent": self._orders_sent, "books": books}

    def restore_base(self, state: dict[str, Any]) -> None:
        """Inverse of ``base_state``."""
        super().restore_base(state)
        self._orders_sent = state["orders_sent"]
        self._positions = {int(number): lots for number, (lots, _) in state["books"].items()}
        self._cash = {int(number): cash for number, (_, cash) in state["books"].items()}


SideWord = Literal["buy", "sell"]


def side_of(word: SideWord) -> Side:
    """Return the side that a scenario's word means."""
    return Side.BUY if word == "buy" else Side.SELL


def _flags(tif: TimeInForce, post_only: bool, self_trade: SelfTradePrevention) -> int:
    return int(tif) | (int(OrderFlag.POST_ONLY) if post_only else 0) | int(self_trade)
