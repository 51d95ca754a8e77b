"""What Python agents hear: notices made of rows of the event log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from marketsim.core.venue import EVERYONE, Notice
from marketsim.exchange.codes import ACCEPTED, CANCELLED, EXPIRED, REDUCED, REJECTED, REPLACED, TRADE

TOPICS = {
    ACCEPTED: "accepted",
    CANCELLED: "cancelled",
    EXPIRED: "expired",
    REPLACED: "replaced",
    REDUCED: "reduced",
    REJECTED: "rejected",
}


class LogRow(NamedTuple):
    """One row of the event log; the columns of ``codes``."""

    message: int
    kind: int
    order_id: int
    other_id: int
    side: int
    price_ticks: int
    size_lots: int
    left_lots: int
    owner: int
    other_owner: int


class Audience(NamedTuple):
    """Who hears what."""

    in_kernel: int
    """Accounts above this are Python's."""
    symbols: Sequence[str]
    trades: frozenset[int]
    """Instruments whose trades are published."""
    quotes: frozenset[int]
    """Instruments whose quotes are published."""


def notices_of(
    rows: Sequence[LogRow],
    quotes: dict[int, tuple[int, int, int, int]],
    stamps: dict[int, tuple[int, int]],
    audience: Audience,
) -> Iterator[Notice]:
    """Yield the notices of whole messages: of each row in order, then the touch where the message changed it.

    Parameters
    ----------
    rows : sequence of LogRow
        Rows of the event log, all those of a message together.
    quotes : dict
        Touch after a message that changed it, by message number.
    stamps : dict
        Time in ns and instrument of each message, by its number.
    audience : Audience
        Who hears what.
    """
    for message, group in groupby(rows, key=lambda row: row.message):
        time_ns, instrument = stamps[message]
        events = list(group)
        symbol = audience.symbols[instrument]
        for row, left in zip(events, _lots_left(events), strict=True):
            if row.kind == TRADE:
                yield from _fills(row, left, time_ns, instrument, symbol, audience)
            elif row.owner > audience.in_kernel:
                yield Notice(time_ns, row.owner, TOPICS[row.kind], "", _details(row, instrument))
        if message in quotes and instrument in audience.quotes:
            bid, bid_size, ask, ask_size = quotes[message]
            touch = {
                "instrument": instrument,
                "bid_price_ticks": bid,
                "bid_size_lots": bid_size,
                "ask_price_ticks": ask,
                "ask_size_lots": ask_size,
            }
            yield Notice(time_ns, EVERYONE, "quote", f"{symbol}.quotes", touch)


def _lots_left(events: Sequence[LogRow]) -> list[int]:
    """Lots of the incoming order that are left after each row of its message: backwards from what rests at the end."""
    incoming, left, result = events[-1].order_id, 0, [0] * len(events)
    for place in reversed(range(len(events))):
        row = events[place]
        if row.kind in (ACCEPTED, REPLACED):
            left = row.left_lots
        result[place] = left
        if row.order_id == incoming and row.kind in (TRADE, EXPIRED, CANCELLED, REDUCED):
            left += row.size_lots
    return result


def _fills(row: LogRow, left: int, time_ns: int, instrument: int, symbol: str, audience: Audience) -> Iterator[Notice]:
    parties = (
        (row.owner, row.order_id, row.side, left, 0),
        (row.other_owner, row.other_id, -row.side, row.left_lots, 1),
    )
    for owner, order_id, side, lots_left, maker in parties:
        if owner > audience.in_kernel:
            data = {
                "instrument": instrument,
                "order_id": order_id,
                "side": side,
                "price_ticks": row.price_ticks,
                "size_lots": row.size_lots,
                "left_lots": lots_left,
                "maker": maker,
            }
            yield Notice(time_ns, owner, "fill", "", data)
    if instrument in audience.trades:
        trade = {
            "instrument": instrument,
            "price_ticks": row.price_ticks,
            "size_lots": row.size_lots,
            "side": row.side,
        }
        yield Notice(time_ns, EVERYONE, "trade", f"{symbol}.trades", trade)


def _details(row: LogRow, instrument: int) -> dict[str, int]:
    data = {
        "instrument": instrument,
        "order_id": row.order_id,
        "side": row.side,
        "price_ticks": row.price_ticks,
        "size_lots": row.size_lots,
        "left_lots": row.left_lots,
    }
    if row.kind == REJECTED:
        data["reason"] = row.other_id
    return data
