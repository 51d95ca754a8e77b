"""Recorded order flow as training data: LOBSTER files, and runs of our own exchange.

A single session is cut into contiguous blocks, training first, with a gap between: a model of one is a demonstration,
and no figure of it says anything about markets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core.errors import InputError
from marketsim.core.jit import errstate
from marketsim.core.run_directory import open_run_directory
from marketsim.exchange.lobster.export import lobster_rows
from marketsim.exchange.lobster.files import read_book, read_messages
from marketsim.exchange.lobster.reconstruction import common_tick
from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.events import BLOCK, GAP, N_PRICES, N_QUOTES
from marketsim.lmm.kernel.encode import play
from marketsim.lmm.kernel.lobster import N_COUNTS, records_of
from marketsim.lmm.scale import Scale, fit_scale, widening
from marketsim.lmm.shards import Session, write_shards
from marketsim.lmm.teacher import read_batch

IntArray = npt.NDArray[np.int64]

REACH = 2048
"""Ticks behind the best price up to which a recorded book is kept, at most."""

GAP_EVENTS = BLOCK
"""Events between two splits of one session that belong to neither."""


class Recorded(NamedTuple):
    """One session as records."""

    record: IntArray
    """int64[event, field]"""
    depth: IntArray
    """int64[side, ring]: the book before the first."""
    quote: IntArray
    counts: dict[str, int]
    """Rows that did not fit: see ``kernel.lobster``."""


def prepare_messages(folder: Path, messages: Path, book: Path | None = None) -> Path:
    """Write training data of a LOBSTER message file.

    Parameters
    ----------
    folder : Path
        Where to write.
    messages : Path
        Message file, CSV or Parquet.
    book : Path, optional
        Orderbook file: its first row, the book after the first message, is where the book begins; else it is empty.

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    InputError
        A file cannot be used, or is too short to be split.
    """
    found = read_messages(messages)
    seed = None if book is None else read_book(book, rows=1).values[0]
    tick = common_tick(found, [] if seed is None else [seed])
    first = 0 if seed is None else 1
    columns = (found.time_ns, found.kind, found.size, found.price // tick, found.direction)
    rows = np.stack(columns, axis=1)[first:]
    if len(rows) == 0:
        raise InputError(messages, 0, "one message", "more")
    source = {
        "kind": "lobster",
        "messages": str(messages),
        "book": None if book is None else str(book),
        "tick": int(tick),
        "rows": len(found),
    }
    return _write(folder, messages, rows, _book_ticks(seed, tick), source)


def prepare_run(folder: Path, run: Path, symbol: str | None = None) -> Path:
    """Write training data of one instrument of a run that recorded messages and trades.

    Parameters
    ----------
    folder, run : Path
        Where to write, and the run directory.
    symbol : str, optional
        Instrument; may be left out where there is one.

    Raises
    ------
    InputError, RunDirectoryError
        It is no run, lacks a table, or is too short to be split.
    """
    opened = open_run_directory(run)
    symbols = _symbols(run)
    if symbol is None and len(symbols) == 1:
        symbol = symbols[0]
    if symbol not in symbols:
        raise InputError(run, 0, f"instrument {symbol}", f"--symbol, one of {', '.join(symbols)}")
    number = symbols.index(symbol)
    tables = []
    for name in ("exchange/messages", "exchange/trades"):
        frame = opened.frame(name)
        tables.append(frame[frame["instrument"] == number])
    try:
        rows = np.array(list(lobster_rows(*tables)), np.int64).reshape(-1, 6)[:, [0, 1, 3, 4, 5]]
    except ValueError as error:
        raise InputError(run, 0, str(error), "tables from the start of the run") from None
    if len(rows) == 0:
        raise InputError(run, 0, f"no order of {symbol}", "a run with orders that rest")
    source = {"kind": "run", "run": str(run), "symbol": symbol, "rows": len(rows)}
    return _write(folder, run, np.ascontiguousarray(rows), [], source)


def records_from(rows: IntArray, levels: list[tuple[int, int, int]], scale: Scale) -> Recorded:
    """Return LOBSTER rows as records.

    Parameters
    ----------
    rows : int64 array, shape (rows, 5)
        Time in ns, type, lots, price in ticks, direction of the resting order.
    levels : list of (side, price in ticks, lots)
        The book to begin with; side 0 for buyers.
    scale : Scale
        Its reach says how deep a book is kept.
    """
    depth, quote = _opening(levels, int(rows[0, 3]), scale)
    before = depth.copy(), quote.copy()
    out, counts = np.empty((4 * len(rows) + 1000, 4), np.int64), np.zeros(N_COUNTS, np.int64)
    with errstate():
        n = records_of(rows, depth, quote, scale, out, counts)
    names = ("unknown", "clipped", "gone", "beyond")
    return Recorded(out[:n].copy(), *before, dict(zip(names, counts.tolist(), strict=True)))


def _write(
    folder: Path, file: Path, rows: IntArray, levels: list[tuple[int, int, int]], source: dict[str, Any]
) -> Path:
    wide = Scale(
        np.arange(33), 1.0, np.arange(N_PRICES + 1) - 16, widening(0, REACH, N_PRICES), np.arange(1, 34), 0
    )  # no bins yet: only its reach is used
    n_train = int(0.8 * len(records_from(rows, levels, wide).record))
    if n_train < 1000:
        raise InputError(file, 0, f"{n_train:,} events for training", "at least 1,000")
    scale = fit_scale(records_from(rows, levels, wide).record[:n_train])
    found = records_from(rows, levels, scale)
    n, (depth, quote) = len(found.record), (found.depth, found.quote)
    sessions, begin = [], 0
    condition = condition_vector("market")
    for split, end in (("train", n_train), ("validation", int(0.9 * n)), ("test", n)):
        first = begin if begin == 0 else begin + GAP_EVENTS
        _play(found.record[begin:first], depth, quote, scale)
        if end - first < BLOCK + 1:
            raise InputError(file, 0, f"{max(end - first, 0):,} events for {split}", f"at least {BLOCK + 1}")
        sessions.append(Session(split, found.record[first:end], depth.copy(), quote.copy(), condition))
        _play(found.record[first:end], depth, quote, scale)
        begin = end
    fidelity = token_fidelity(found, scale)
    about = {
        **source,
        "left_out_or_mended": found.counts,
        "tokens": fidelity,
        "claim": "a demonstration on one session",
    }
    return write_shards(folder, sessions, scale, about)


def token_fidelity(found: Recorded, scale: Scale) -> dict[str, Any]:
    """Return what tokens lose of records: share of events that tokens alone give back, and mean errors of each field.

    With their residuals they must give back everything: ``exact`` says whether they do.
    """
    depth, quote = found.depth[None].copy(), found.quote[None].copy()
    batch = read_batch(found.record[None], depth, quote, scale, np.zeros((1, 5)))
    token = batch.token[0]
    residual = scale.residuals(found.record, token)
    alone = scale.decode(token, np.zeros_like(residual))
    error = np.abs(alone - found.record)
    return {
        "exact": bool((scale.decode(token, residual) == found.record).all()),
        "whole_events_from_tokens": round(float((error[:, 1:] == 0).all(1).mean()), 4),
        "mean_error_ticks": round(float(error[:, 2].mean()), 4),
        "mean_error_lots": round(float(error[:, 3].mean()), 4),
        "mean_error_gap_share": round(float((error[:, GAP] / np.maximum(found.record[:, GAP], 1)).mean()), 4),
    }


def _play(record: IntArray, depth: IntArray, quote: IntArray, scale: Scale) -> None:
    """Play records on one book."""
    n_blocks = len(record) // BLOCK + 1
    with errstate():
        play(
            record,
            depth,
            quote,
            scale,
            np.zeros((n_blocks, 2, scale.reach), np.int32),
            np.zeros((n_blocks, N_QUOTES), np.int64),
            BLOCK,
        )


def _book_ticks(row: Any, tick: int) -> list[tuple[int, int, int]]:
    if row is None:
        return []
    sides = [1, 0] * (len(row) // 4)
    pairs = zip(sides, row[::2].tolist(), row[1::2].tolist(), strict=True)
    return [(side, price // tick, lots) for side, price, lots in pairs if lots > 0]


def _opening(levels: list[tuple[int, int, int]], price: int, scale: Scale) -> tuple[IntArray, IntArray]:
    depth = np.zeros((2, scale.ring), np.int64)
    quote = np.array([price, price + 1, 0, 0], np.int64)
    for side in range(2):
        own = [(at, lots) for s, at, lots in levels if s == side]
        if own:
            best = max(own)[0] if side == 0 else min(own)[0]
            quote[side] = best
            for at, lots in own:
                if abs(at - best) < scale.reach:
                    depth[side, at % scale.ring] = lots
                    quote[2 + side] += lots
    return depth, quote


def _symbols(run: Path) -> list[str]:
    import tomllib

    scenario = tomllib.loads(run.joinpath("scenario.toml").read_text(encoding="utf-8"))
    return [str(one["symbol"]) for one in scenario.get("exchange", {}).get("instruments", [])]
