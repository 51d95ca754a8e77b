"""What order flow looks like, as 21 distributions of LOBSTER files: the set of LOB-Bench.

References
----------
Nagy et al. (2025), LOB-Bench, arXiv 2502.09172: the set, re-implemented from its description.
Cont, Kukanov & Stoikov (2014), J. Financial Econometrics 12(1), 47-88: order-flow imbalance.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.exchange.lobster.layout import LobsterBook, LobsterMessages, LobsterType

FloatArray = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]

WINDOW: Final = 10
"""Messages over which order flow is summed, and over which the price may answer."""

MINUTE_NS: Final = 60_000_000_000

SCORES: Final = (
    "spread",
    "imbalance",
    "log_inter_arrival",
    "log_time_to_cancel",
    "ask_volume_touch",
    "bid_volume_touch",
    "ask_volume",
    "bid_volume",
    "limit_ask_depth",
    "limit_bid_depth",
    "cancel_ask_depth",
    "cancel_bid_depth",
    "limit_ask_level",
    "limit_bid_level",
    "cancel_ask_level",
    "cancel_bid_level",
    "volume_per_minute",
    "order_flow_imbalance",
    "order_flow_imbalance_up",
    "order_flow_imbalance_stay",
    "order_flow_imbalance_down",
)


class Flow(NamedTuple):
    """One session of order flow: messages, and the book after each."""

    messages: LobsterMessages
    book: LobsterBook


def scores(flow: Flow) -> dict[str, FloatArray]:
    """Return the values of each score in one session; a score without any has an empty array.

    Prices and depths are in LOBSTER units of 1/10,000, times in log ns, volumes in shares.
    """
    messages, book = flow
    ask, bid = book.prices(-1)[:, 0].astype(float), book.prices(1)[:, 0].astype(float)
    ask_size, bid_size = book.sizes(-1), book.sizes(1)
    whole = (ask_size[:, 0] > 0) & (bid_size[:, 0] > 0)
    touch = (ask_size[:, 0] + bid_size[:, 0])[whole]
    mid = np.where(whole, 0.5 * (ask + bid), np.nan)
    found: dict[str, FloatArray] = {
        "spread": (ask - bid)[whole],
        "imbalance": (bid_size[:, 0] - ask_size[:, 0])[whole] / touch,
        "log_inter_arrival": np.log1p(np.diff(messages.time_ns)),
        "log_time_to_cancel": _times_to_cancel(messages),
        "ask_volume_touch": ask_size[:, 0].astype(float),
        "bid_volume_touch": bid_size[:, 0].astype(float),
        "ask_volume": ask_size.sum(1).astype(float),
        "bid_volume": bid_size.sum(1).astype(float),
        "volume_per_minute": _volume_per_minute(messages),
    }
    for side, name in ((-1, "ask"), (1, "bid")):
        adds = (messages.kind == LobsterType.ADD) & (messages.direction == side)
        cancels = np.isin(messages.kind, (LobsterType.REDUCE, LobsterType.DELETE)) & (messages.direction == side)
        for what, rows in (("limit", adds), ("cancel", cancels)):
            found[f"{what}_{name}_depth"] = _depths(messages, mid, side, rows)
            found[f"{what}_{name}_level"] = _levels(messages, book, side, rows, before=what == "cancel")
    return found | _order_flow(ask, ask_size[:, 0], bid, bid_size[:, 0], mid)


def conditional_scores(flow: Flow) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return pairs (condition, value): ask volume given the spread, spread given time, spread given volatility.

    Time is the share of the session that has passed; volatility is the mean absolute move of the mid over the ten rows
    before, in price units.
    """
    book = flow.book
    ask, bid = book.prices(-1)[:, 0].astype(float), book.prices(1)[:, 0].astype(float)
    whole = (book.sizes(-1)[:, 0] > 0) & (book.sizes(1)[:, 0] > 0)
    spread, mid = (ask - bid)[whole], 0.5 * (ask + bid)[whole]
    moves = np.abs(np.diff(mid, prepend=mid[:1]))
    total = np.concatenate([[0.0], moves.cumsum()])
    place = np.arange(len(mid))
    volatility = (total[place + 1] - total[np.maximum(place + 1 - WINDOW, 0)]) / WINDOW
    share = np.flatnonzero(whole) / max(len(whole), 1)
    return {
        "ask_volume_given_spread": (spread, book.sizes(-1)[whole, 0].astype(float)),
        "spread_given_time": (share, spread),
        "spread_given_volatility": (volatility, spread),
    }


def _times_to_cancel(messages: LobsterMessages) -> FloatArray:
    """log(1 + ns) from an order's arrival to each withdrawal of it."""
    adds = messages.kind == LobsterType.ADD
    cancels = np.isin(messages.kind, (LobsterType.REDUCE, LobsterType.DELETE))
    ids, place = np.unique(messages.order_id[adds], return_index=True)
    born = messages.time_ns[adds][place]
    at = np.minimum(np.searchsorted(ids, messages.order_id[cancels]), max(len(ids) - 1, 0))
    if len(ids) == 0:
        return np.zeros(0)
    known = ids[at] == messages.order_id[cancels]
    waited: FloatArray = np.log1p(np.maximum(messages.time_ns[cancels][known] - born[at][known], 0))
    return waited


def _volume_per_minute(messages: LobsterMessages) -> FloatArray:
    """Shares traded in each whole minute of the session; a session below a minute is scaled up."""
    trades = np.isin(messages.kind, (LobsterType.EXECUTE, LobsterType.EXECUTE_HIDDEN))
    since = messages.time_ns - messages.time_ns[0]
    minutes = int(since[-1] // MINUTE_NS)
    if minutes == 0:
        scale = MINUTE_NS / max(int(since[-1]), 1)
        return np.array([messages.size[trades].sum() * scale])
    volume = np.bincount((since[trades] // MINUTE_NS).astype(int), messages.size[trades], minutes + 1)
    return np.asarray(volume[:minutes], float)


def _depths(messages: LobsterMessages, mid: FloatArray, side: int, rows: BoolArray) -> FloatArray:
    """Distance of prices behind the mid of the row before."""
    before = np.concatenate([[np.nan], mid[:-1]])
    depth = side * (before - messages.price)[rows]
    return depth[~np.isnan(depth)]


def _levels(messages: LobsterMessages, book: LobsterBook, side: int, rows: BoolArray, before: bool) -> FloatArray:
    """Number of the level that a message touched, from 1; beyond the file's levels one more than these."""
    at = np.flatnonzero(rows)
    at = at[at > 0]
    better = book.ranks(side)[at - before] < (-side * messages.price[at])[:, None]
    level: FloatArray = 1.0 + better.sum(1)
    return level


def _order_flow(
    ask: FloatArray, ask_size: npt.NDArray[np.int64], bid: FloatArray, bid_size: npt.NDArray[np.int64], mid: FloatArray
) -> dict[str, FloatArray]:
    """Order-flow imbalance of ten messages, and of those after which the mid moves up, stays, or moves down."""
    flow = bid_size[1:] * (bid[1:] >= bid[:-1]) - bid_size[:-1] * (bid[1:] <= bid[:-1])
    flow = flow - ask_size[1:] * (ask[1:] <= ask[:-1]) + ask_size[:-1] * (ask[1:] >= ask[:-1])
    n = len(flow) // WINDOW
    total = flow[: n * WINDOW].reshape(n, WINDOW).sum(1).astype(float)
    ends = mid[WINDOW : n * WINDOW + 1 : WINDOW]
    step = np.diff(ends, append=np.nan)
    return {
        "order_flow_imbalance": total,
        "order_flow_imbalance_up": total[step > 0],
        "order_flow_imbalance_stay": total[step == 0],
        "order_flow_imbalance_down": total[step < 0],
    }
