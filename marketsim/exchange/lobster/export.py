"""The order flow of a run as LOBSTER files, which any tool for real order books can read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.exchange.codes import EventKind
from marketsim.exchange.lobster.files import write_book, write_messages
from marketsim.exchange.lobster.layout import PRICE_UNITS, LobsterBook, LobsterMessages, LobsterType
from marketsim.exchange.lobster.reconstruction import Reconstruction, ReconstructionCounts

IntArray = npt.NDArray[np.int64]


class _Event(NamedTuple):
    """One row of either table, trades as seen by the resting order."""

    message: int
    kind: int
    time_ns: int
    order_id: int
    side: int
    price_ticks: int
    size_lots: int
    left_lots: int


class _Resting(NamedTuple):
    price_ticks: int
    lots: int
    side: int


_MESSAGE_COLUMNS: Final = (
    "message",
    "event",
    "time_ns",
    "order_id",
    "side",
    "price_ticks",
    "size_lots",
    "left_lots",
)
_TRADE_COLUMNS: Final = (
    "message",
    "time_ns",
    "maker_order_id",
    "taker_side",
    "price_ticks",
    "size_lots",
    "maker_left_lots",
)


def export_lobster(
    messages: Any,
    trades: Any,
    tick_size: str | Decimal,
    folder: str | Path,
    symbol: str,
    levels: int = 10,
    start_ns: int = 0,
) -> tuple[Path, Path]:
    """Write the order flow of one instrument as LOBSTER message and orderbook CSV.

    A message becomes as many rows as orders it touched: a trade is type 4 of the resting order, what rests type 1, a
    reduction or a replacement that keeps its place type 2, another replacement types 3 and 1. Orders that never rest
    leave only their trades. The first book row is the book after the first row, from an empty book.

    Parameters
    ----------
    messages, trades : pandas.DataFrame or pyarrow.Table
        Tables ``exchange/messages`` and ``exchange/trades`` of one instrument, from the start of the run.
    tick_size : str or Decimal
        In currency, a multiple of 0.0001, the unit of LOBSTER prices.
    folder : str or Path
        Where to write; it is made where it is not there.
    symbol : str
        First part of the files' names: ``ACME_message_10.csv`` and ``ACME_orderbook_10.csv``.
    levels : int
        Levels a side in the orderbook file.
    start_ns : int
        Time of day at which the run's time 0 is, in ns.

    Returns
    -------
    message, orderbook : Path
        The files written. Sizes are lots.

    Raises
    ------
    ValueError
        The tick is not a multiple of 0.0001, no order ever rested, or the tables do not tell the whole story.
    """
    units = Decimal(tick_size) * PRICE_UNITS
    if units < 1 or units % 1 != 0:
        raise ValueError(f"LOBSTER prices: found the tick size {tick_size}, expected a multiple of 0.0001")
    folder = Path(folder)
    paths = tuple(folder / f"{symbol}_{what}_{levels}.csv" for what in ("message", "orderbook"))
    gap = f"the tables of {symbol} do not begin with an empty book, or rows are missing"
    try:
        rows = np.array(list(lobster_rows(messages, trades)), np.int64).reshape(-1, 6)
    except _UnknownOrderError as error:
        raise ValueError(f"{gap}: {error}") from None
    if len(rows) == 0:
        raise ValueError(f"no order of {symbol} ever rested, so there is no book to write")
    rows[:, 0] += start_ns
    rows[:, 4] *= int(units)
    written = LobsterMessages(paths[0], *np.ascontiguousarray(rows.T))
    book = Reconstruction(int(units))
    values = np.concatenate([values for _, values in book.books(written, levels)])
    if book.counts != ReconstructionCounts():
        raise ValueError(f"{gap}: {book.counts}")
    folder.mkdir(parents=True, exist_ok=True)
    write_messages(written, paths[0])
    write_book(LobsterBook(paths[1], values), paths[1])
    return paths[0], paths[1]


class _UnknownOrderError(ValueError):
    """The tables speak of an order whose arrival they do not tell."""


def lobster_rows(messages: Any, trades: Any) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Yield (time_ns, type, order id, lots, price in ticks, direction) for each change of the visible book."""
    resting: dict[int, _Resting] = {}
    for _, group in groupby(_events(messages, trades), itemgetter(0)):
        events = list(group)
        own = events[-1]
        if own.kind == EventKind.REPLACED and own.order_id not in resting:
            raise _UnknownOrderError(f"order {own.order_id} is replaced, but does not rest")
        if own.kind == EventKind.REPLACED and _moves(own, resting[own.order_id]):
            old = resting.pop(own.order_id)
            yield own.time_ns, LobsterType.DELETE, own.order_id, old.lots, old.price_ticks, old.side
        for event in events:
            yield from _rows_of(event, resting)


def _rows_of(event: _Event, resting: dict[int, _Resting]) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Yield the row of one event, if it changes the visible book, and keep ``resting`` up to date."""
    _, kind, time_ns, order_id, side, price_ticks, _, left = event
    old = resting.pop(order_id, None)
    if kind == EventKind.REJECTED:
        if old is not None:  # a replacement was refused
            resting[order_id] = old
        return
    if old is not None:
        price_ticks, side, lots = old.price_ticks, old.side, old.lots - left
        what = LobsterType.REDUCE if left > 0 else LobsterType.DELETE
        if kind == EventKind.TRADE:
            what = LobsterType.EXECUTE
    elif kind in (EventKind.ACCEPTED, EventKind.REPLACED):
        what, lots = LobsterType.ADD, left
    elif kind == EventKind.TRADE:
        raise _UnknownOrderError(f"order {order_id} trades, but does not rest")
    else:  # an incoming order lost lots before it could rest
        return
    if left > 0:
        resting[order_id] = _Resting(price_ticks, left, side)
    if lots > 0:
        yield time_ns, what, order_id, lots, price_ticks, side


def _moves(replaced: _Event, old: _Resting) -> bool:
    """Whether an order lost its place in the queue by a replacement."""
    return replaced.price_ticks != old.price_ticks or replaced.size_lots > old.lots


def _events(messages: Any, trades: Any) -> list[_Event]:
    """Return the rows of both tables in the order of their messages, fills before the message's own event."""
    number, time_ns, maker, taker_side, price, size, left = _columns(trades, _TRADE_COLUMNS)
    kind = [int(EventKind.TRADE)] * len(number)
    fills = zip(number, kind, time_ns, maker, [-side for side in taker_side], price, size, left, strict=True)
    own = zip(*_columns(messages, _MESSAGE_COLUMNS), strict=True)
    return sorted((_Event(*row) for row in chain(fills, own)), key=itemgetter(0))


def _columns(table: Any, names: tuple[str, ...]) -> list[list[int]]:
    return [np.asarray(table[name]).tolist() for name in names]
