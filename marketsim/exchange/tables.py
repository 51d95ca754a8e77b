"""The tables that an exchange writes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from marketsim.core.tables import Column, Table
from marketsim.exchange.codes import EventKind, RejectReason, Side

_MESSAGE = Column("message", "int64", "", "number of the message in the exchange, from 0")
_TIME = Column("time_ns", "int64", "ns", "simulated time since the start of the run")
_INSTRUMENT = Column("instrument", "int32", "", "number of the instrument, from 0, in the order of the scenario")


def _labels(codes: type[IntEnum]) -> Mapping[int, str]:
    return {int(code): code.name.lower() for code in codes}


MESSAGES: Final = Table(
    "exchange/messages",
    "What became of each message: one row per event of an order that is no trade.",
    (
        _MESSAGE,
        _TIME,
        _INSTRUMENT,
        Column("agent", "int64", "", "account of the order's owner; 0: none"),
        Column("event", "int8", "", "what happened", labels=_labels(EventKind)),
        Column("order_id", "int64", "", "id of the order"),
        Column("other_id", "int64", "", "id of the order it met, where self-trade prevention took lots off it; else 0"),
        Column("side", "int8", "", "side of the order; 0 where it is not known", labels=_labels(Side)),
        Column("price_ticks", "int64", "ticks", "limit price; 0 for a market order"),
        Column(
            "size_lots",
            "int64",
            "lots",
            "lots asked for, or taken off where the order was cancelled, reduced or expired",
        ),
        Column("left_lots", "int64", "lots", "lots of the order that rest after the event"),
        Column("reason", "int8", "", "why it was rejected", labels=_labels(RejectReason)),
    ),
)

TRADES: Final = Table(
    "exchange/trades",
    "One row per trade, a match of one incoming with one resting order at the resting order's price.",
    (
        _MESSAGE,
        _TIME,
        _INSTRUMENT,
        Column("price_ticks", "int64", "ticks", "price"),
        Column("size_lots", "int64", "lots", "lots traded"),
        Column("taker_side", "int8", "", "side of the incoming order", labels=_labels(Side)),
        Column("taker_order_id", "int64", "", "id of the incoming order"),
        Column("maker_order_id", "int64", "", "id of the resting order"),
        Column("taker_agent", "int64", "", "account of the incoming order; 0: none"),
        Column("maker_agent", "int64", "", "account of the resting order; 0: none"),
        Column("maker_left_lots", "int64", "lots", "lots of the resting order that still rest"),
    ),
)

QUOTES: Final = Table(
    "exchange/quotes",
    "The best prices, one row per message that changed them or the lots there.",
    (
        _MESSAGE,
        _TIME,
        _INSTRUMENT,
        Column("bid_price_ticks", "int64", "ticks", "best bid; 0 where bid_size_lots is 0"),
        Column("bid_size_lots", "int64", "lots", "lots at the best bid; 0: no bid"),
        Column("ask_price_ticks", "int64", "ticks", "best ask; 0 where ask_size_lots is 0"),
        Column("ask_size_lots", "int64", "lots", "lots at the best ask; 0: no ask"),
    ),
)

DEPTH: Final = Table(
    "exchange/depth",
    "The book at fixed times, one row per occupied price level.",
    (
        _TIME,
        _INSTRUMENT,
        Column("side", "int8", "", "side of the book", labels=_labels(Side)),
        Column("level", "int16", "", "place of the level on its side; 1: the best price"),
        Column("price_ticks", "int64", "ticks", "price of the level"),
        Column("size_lots", "int64", "lots", "lots that rest there"),
        Column("orders", "int64", "", "orders that rest there"),
    ),
)

FUNDAMENTALS: Final = Table(
    "exchange/fundamentals",
    "The fundamental value at fixed times, of the instruments that have one.",
    (_TIME, _INSTRUMENT, Column("value_ticks", "float64", "ticks", "fundamental value")),
)

ACCOUNTS: Final = Table(
    "exchange/accounts",
    "What trading did to each account by the end of the run.",
    (
        _TIME,
        Column("agent", "int64", "", "account; 0: orders without owner"),
        _INSTRUMENT,
        Column("position_lots", "int64", "lots", "lots bought minus lots sold"),
        Column("cash_minor", "int64", "minor units", "cash received minus cash paid, in units of 10^-cash_decimals"),
    ),
)

AGENTS: Final = Table(
    "exchange/agents",
    "Who stands behind each account.",
    (
        Column("agent", "int64", "", "account, from 1"),
        Column("name", "string", "", "name of the scenario table, with a number where it makes several agents"),
        Column("kind", "string", "", "kind of the scenario table"),
        Column(
            "provenance", "string", "", "where decisions come from: rule, respondent, recorded or live", digest=False
        ),
    ),
)

TABLES: Final = {table.name: table for table in (MESSAGES, TRADES, QUOTES, DEPTH, FUNDAMENTALS, ACCOUNTS, AGENTS)}
"""Every table of the exchange by name."""
