"""What Python agents ask of an exchange, and what it answers at once."""

from __future__ import annotations

from typing import NamedTuple

from marketsim.exchange.codes import ADD, CANCEL, CANCEL_ALL, IOC, MARKET, REDUCE, REPLACE


class OrderCommand(NamedTuple):
    """One message to a book. Use the functions below to make one."""

    agent: int
    """Account number of the sender."""
    instrument: int
    """Number of the instrument."""
    kind: int
    """A ``MessageKind``."""
    order_id: int
    """The sender's own id, ``own_id(agent, n)``; of the order that is meant, or of the new one."""
    side: int = 0
    """A ``Side``, for a new order."""
    price_ticks: int = 0
    size_lots: int = 0
    flags: int = 0
    """``OrderFlag``, added up."""


def own_id(agent: int, n: int) -> int:
    """Return the id of a Python agent's n-th order, n from 1: no two agents' ids meet."""
    return (agent << 32) + n


def limit_order(
    agent: int, instrument: int, order_id: int, side: int, price_ticks: int, size_lots: int, flags: int = 0
) -> OrderCommand:
    """Return the command for a limit order."""
    return OrderCommand(agent, instrument, ADD, order_id, int(side), price_ticks, size_lots, int(flags))


def market_order(agent: int, instrument: int, order_id: int, side: int, size_lots: int) -> OrderCommand:
    """Return the command for a market order; what finds no counterpart expires."""
    return OrderCommand(agent, instrument, ADD, order_id, int(side), 0, size_lots, MARKET | IOC)


def cancel(agent: int, instrument: int, order_id: int) -> OrderCommand:
    """Return the command to cancel an order."""
    return OrderCommand(agent, instrument, CANCEL, order_id)


def reduce(agent: int, instrument: int, order_id: int, size_lots: int) -> OrderCommand:
    """Return the command to take lots off an order, which keeps its place in the queue."""
    return OrderCommand(agent, instrument, REDUCE, order_id, size_lots=size_lots)


def replace(
    agent: int, instrument: int, order_id: int, price_ticks: int, size_lots: int, flags: int = 0
) -> OrderCommand:
    """Return the command to give an order a new price and size."""
    return OrderCommand(agent, instrument, REPLACE, order_id, 0, price_ticks, size_lots, int(flags))


def cancel_all(agent: int, instrument: int) -> OrderCommand:
    """Return the command to cancel all of an agent's orders in an instrument."""
    return OrderCommand(agent, instrument, CANCEL_ALL, 0)


class Quote(NamedTuple):
    """The touch of one book; a price is 0 where its size is 0, which says that the side is empty."""

    bid_price_ticks: int
    bid_size_lots: int
    ask_price_ticks: int
    ask_size_lots: int
    last_price_ticks: int
    """Price of the last trade; the open price before the first."""


class Level(NamedTuple):
    """One price of a book."""

    price_ticks: int
    size_lots: int
    orders: int


class Depth(NamedTuple):
    """The best levels of both sides, best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Account(NamedTuple):
    """What trading has done to an account, one entry per instrument."""

    position_lots: tuple[int, ...]
    cash_minor: tuple[int, ...]
    """In minor units of each instrument's currency, 10 to the power of minus its ``cash_decimals``."""
