"""Invented tables of an exchange: a price that wanders with clustered volatility, quotes, trades, depth, accounts.

They have the columns of a recorded run, so that analysis and report are tested without running an engine.
"""

import numpy as np
import pyarrow as pa

SECOND = 10**9
MINUTE = 60 * SECOND

POPULATIONS = (
    ("zero_intelligence", "zero_intelligence", 60),
    ("value", "value", 30),
    ("momentum", "momentum", 8),
    ("market_maker", "market_maker", 2),
    ("executor", "twap", 1),
)
"""Name, kind and count of the agents; they are numbered from 1."""


def market_tables(seed=1, minutes=30, quotes_per_second=20, instruments=1, start_ns=0):
    """All tables of a run of some instruments with the populations of ``POPULATIONS``."""
    parts = [_one_instrument(seed + 100 * k, minutes, quotes_per_second, k, start_ns) for k in range(instruments)]
    tables = {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}
    tables = {name: table.sort_by("time_ns") for name, table in tables.items()}
    tables["exchange/agents"] = agents_table()
    return tables


def agents_table():
    rows = [
        (name if count == 1 else f"{name}-{number}", kind)
        for name, kind, count in POPULATIONS
        for number in range(1, count + 1)
    ]
    return pa.table(
        {
            "agent": pa.array(range(1, len(rows) + 1), pa.int64()),
            "name": [name for name, _ in rows],
            "kind": [kind for _, kind in rows],
            "provenance": ["rule"] * len(rows),
        }
    )


def quotes_table(rows):
    """Quotes from tuples (time_ns, bid price, bid size, ask price, ask size) of instrument 0."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    names = ("time_ns", "bid_price_ticks", "bid_size_lots", "ask_price_ticks", "ask_size_lots")
    return pa.table(
        {
            "message": np.arange(1, columns.shape[1] + 1),
            "instrument": np.zeros(columns.shape[1], dtype=np.int32),
            **dict(zip(names, columns, strict=True)),
        }
    )


def trades_table(rows):
    """Trades from tuples (time_ns, price, size, taker side, taker order, taker, maker) of instrument 0."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    names = ("time_ns", "price_ticks", "size_lots", "taker_side", "taker_order_id", "taker_agent", "maker_agent")
    return pa.table(
        {
            "message": np.arange(1, columns.shape[1] + 1),
            "instrument": np.zeros(columns.shape[1], dtype=np.int32),
            **dict(zip(names, columns, strict=True)),
        }
    )


def garch(rng, n, scale, persistence=0.95, reaction=0.12):
    """Innovations whose variance follows GARCH(1, 1) with the unconditional standard deviation ``scale``."""
    alpha, beta = reaction, persistence - reaction
    variance, out = scale**2, np.empty(n)
    for k, z in enumerate(rng.standard_normal(n)):
        out[k] = z * np.sqrt(variance)
        variance = scale**2 * (1 - alpha - beta) + alpha * out[k] ** 2 + beta * variance
    return out


def _one_instrument(seed, minutes, quotes_per_second, number, start_ns):
    rng = np.random.default_rng(seed)
    duration = minutes * MINUTE
    second = np.cumsum(garch(rng, minutes * 60 + 1, 2.2))
    n = minutes * 60 * quotes_per_second
    time = start_ns + np.sort(rng.integers(SECOND, duration, n))
    wave = np.interp(time - start_ns, np.arange(len(second)) * SECOND, second)
    mid = 10_000 + 400 * number + wave
    spread = 1 + rng.geometric(0.5, n)
    bid = np.round(mid - spread / 2).astype(np.int64)
    quotes = {
        "message": np.arange(1, n + 1),
        "time_ns": time,
        "instrument": np.full(n, number, np.int32),
        "bid_price_ticks": bid,
        "bid_size_lots": rng.geometric(0.02, n),
        "ask_price_ticks": bid + spread,
        "ask_size_lots": rng.geometric(0.02, n),
    }
    return {
        "exchange/quotes": pa.table(quotes),
        "exchange/trades": pa.table(_trades(rng, quotes, number)),
        "exchange/depth": pa.table(_depth(rng, minutes, number, start_ns)),
        "exchange/fundamentals": pa.table(_fundamental(second, number, start_ns)),
        "exchange/accounts": pa.table(_accounts(rng, number, start_ns + duration, 10_000 + 400 * number)),
    }


def _trades(rng, quotes, number):
    n = len(quotes["time_ns"]) // 6
    row = np.sort(rng.choice(len(quotes["time_ns"]), n, replace=False))
    side = np.where(np.convolve(rng.standard_normal(n + 20), np.ones(21), "valid") > 0, 1, -1)
    n_agents = sum(count for _, _, count in POPULATIONS)
    return {
        "message": quotes["message"][row],
        "time_ns": quotes["time_ns"][row],
        "instrument": np.full(n, number, np.int32),
        "price_ticks": np.where(side > 0, quotes["ask_price_ticks"][row], quotes["bid_price_ticks"][row]),
        "size_lots": rng.geometric(0.1, n),
        "taker_side": side.astype(np.int8),
        "taker_order_id": np.repeat(np.arange(n), 2)[:n],
        "maker_order_id": np.arange(n) + 10**6,
        "taker_agent": rng.integers(1, n_agents + 1, n),
        "maker_agent": rng.integers(1, n_agents + 1, n),
        "maker_left_lots": np.zeros(n, np.int64),
    }


def _depth(rng, minutes, number, start_ns):
    time, side, level = (
        axis.ravel()
        for axis in np.meshgrid(np.arange(1, minutes * 60 + 1) * SECOND, [1, -1], np.arange(1, 11), indexing="ij")
    )
    wave = 1 + 0.4 * np.sin(time / duration_of_a_wave(minutes)) * side
    return {
        "time_ns": start_ns + time,
        "instrument": np.full(len(time), number, np.int32),
        "side": side.astype(np.int8),
        "level": level.astype(np.int16),
        "price_ticks": 10_000 - side * level,
        "size_lots": 1 + rng.poisson(40 * wave * (1 + level / 4)),
        "orders": np.full(len(time), 3, np.int64),
    }


def duration_of_a_wave(minutes):
    return minutes * MINUTE / 9


def _fundamental(second, number, start_ns):
    smooth = np.convolve(np.pad(second, 30, "edge"), np.ones(61) / 61, "valid")
    return {
        "time_ns": start_ns + np.arange(len(second)) * SECOND,
        "instrument": np.full(len(second), number, np.int32),
        "value_ticks": 10_000 + 400 * number + smooth,
    }


def _accounts(rng, number, end_ns, price):
    n = sum(count for _, _, count in POPULATIONS)
    position = rng.integers(-300, 301, n)
    position[-1] -= position.sum()
    profit = np.round(rng.normal(0, 4000, n)).astype(np.int64)
    profit[-1] -= profit.sum()
    return {
        "time_ns": np.full(n, end_ns),
        "agent": np.arange(1, n + 1),
        "instrument": np.full(n, number, np.int32),
        "position_lots": position,
        "cash_minor": profit - position * price,
    }
