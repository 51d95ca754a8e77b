"""Tables made of what the kernel wrote: batches that own their memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketsim.core.tables import Table
from marketsim.exchange import tables
from marketsim.exchange.codes import (
    LOG_KIND,
    LOG_LEFT,
    LOG_MESSAGE,
    LOG_ORDER,
    LOG_OTHER,
    LOG_OTHER_OWNER,
    LOG_OWNER,
    LOG_PRICE,
    LOG_SIDE,
    LOG_SIZE,
    REJECTED,
    TRADE,
)
from marketsim.exchange.kernel.memory import S_BOOK, S_TIME

IntArray = NDArray[np.int64]

_DTYPES = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64, "float64": np.float64}


def batch_of(table: Table, columns: Sequence[Any]) -> pa.RecordBatch:
    """Return columns, copied to the types that a table declares, as a batch."""
    arrays = [
        pa.array(values, pa.string())
        if column.type == "string"
        else pa.array(np.array(values, dtype=_DTYPES[column.type], copy=True))
        for column, values in zip(table.columns, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


def log_batches(
    log: IntArray, stamps: IntArray, first_message: int, wanted: frozenset[str]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield messages and trades of the event log.

    Parameters
    ----------
    log : int64 array, shape (N_LOG_COLUMNS, rows)
        The rows written.
    stamps : int64 array, shape (N_STAMP_COLUMNS, messages)
        Time and instrument of the messages from ``first_message`` on.
    wanted : frozenset of str
        Names of the tables to make.
    """
    is_trade = log[LOG_KIND] == TRADE
    if tables.MESSAGES.name in wanted and not is_trade.all():
        yield tables.MESSAGES.name, _messages(log[:, ~is_trade], stamps, first_message)
    if tables.TRADES.name in wanted and is_trade.any():
        yield tables.TRADES.name, _trades(log[:, is_trade], stamps, first_message)


def _messages(log: IntArray, stamps: IntArray, first_message: int) -> pa.RecordBatch:
    place = log[LOG_MESSAGE] - first_message
    is_rejected = log[LOG_KIND] == REJECTED
    columns = (
        log[LOG_MESSAGE],
        stamps[S_TIME, place],
        stamps[S_BOOK, place],
        log[LOG_OWNER],
        log[LOG_KIND],
        log[LOG_ORDER],
        np.where(is_rejected, 0, log[LOG_OTHER]),
        log[LOG_SIDE],
        log[LOG_PRICE],
        log[LOG_SIZE],
        log[LOG_LEFT],
        np.where(is_rejected, log[LOG_OTHER], 0),
    )
    return batch_of(tables.MESSAGES, columns)


def _trades(log: IntArray, stamps: IntArray, first_message: int) -> pa.RecordBatch:
    place = log[LOG_MESSAGE] - first_message
    columns = (
        log[LOG_MESSAGE],
        stamps[S_TIME, place],
        stamps[S_BOOK, place],
        log[LOG_PRICE],
        log[LOG_SIZE],
        log[LOG_SIDE],
        log[LOG_ORDER],
        log[LOG_OTHER],
        log[LOG_OWNER],
        log[LOG_OTHER_OWNER],
        log[LOG_LEFT],
    )
    return batch_of(tables.TRADES, columns)


def quotes_batch(quotes: IntArray, stamps: IntArray, first_message: int) -> pa.RecordBatch:
    """Return the changes of the touch, int64[N_QUOTE_COLUMNS, rows], as a batch."""
    times = stamps[S_TIME, quotes[0] - first_message]
    return batch_of(tables.QUOTES, (quotes[0], times, *quotes[1:]))


def depth_batch(depths: IntArray) -> pa.RecordBatch:
    """Return samples of the book, int64[N_DEPTH_COLUMNS, rows], as a batch."""
    return batch_of(tables.DEPTH, tuple(depths))


def fundamentals_batch(places: IntArray, samples: NDArray[np.float64]) -> pa.RecordBatch:
    """Return samples of fundamental values as a batch."""
    return batch_of(tables.FUNDAMENTALS, (places[S_TIME], places[S_BOOK], samples))
