"""What the rule of an in-kernel agent may read and do: plain functions, compiled with the rule that calls them.

A rule is ``wake(state_i, state_f, agent, now, market, counters, out) -> next wake``. It reads ``market`` by the names
below, draws with ``core.rng.uniforms(counters, block)``, and sends messages through the functions of this module.
Everything works with and without Numba, and gives the same bits.
"""

from __future__ import annotations

import math
from typing import Any, Final

from marketsim.core import fmath
from marketsim.exchange.codes import ADD, CANCEL_ALL, CANCEL_OWN, IOC, MARKET

# ---- market: int64[N_MARKET], one instrument as it is at the wake, and the agent's own account there ---------
(
    BID,  # best bid in ticks; meaningless where BID_SIZE is 0
    BID_SIZE,  # lots at the best bid; 0: no bid
    ASK,
    ASK_SIZE,
    LAST,  # price of the last trade in ticks; the open price before the first
    VOLUME,  # lots traded so far
    BUY_VOLUME,  # lots of it where the incoming order was a buy
    TRADES,  # number of trades so far
    FUNDAMENTAL,  # fundamental value in ticks times FUNDAMENTAL_SCALE; 0 without one
    OPEN_PRICE,  # in ticks
    END,  # time at which the run ends, in ns
    POSITION,  # own position in lots
    CASH,  # own cash from trades in this instrument, in minor units
    OPEN_ORDERS,  # own resting orders
) = range(14)
N_MARKET: Final = 16

FUNDAMENTAL_SCALE: Final = 1 << 20
"""``market[FUNDAMENTAL]`` counts the fundamental value in this fraction of a tick."""

NEVER: Final = 1 << 62
"""A next wake that never comes."""

# ---- out: int64[rows, 8]; the first row is a header whose first number counts the messages ------------------
OUT_KIND, OUT_ORDER, OUT_SIDE, OUT_PRICE, OUT_SIZE, OUT_FLAGS = range(6)
N_OUT_FIELDS: Final = 8
MAX_MESSAGES: Final = 255
"""Most messages of one wake; one more is an error that names the population."""

BUY: Final = 1
SELL: Final = -1


def send(out: Any, kind: int, order: int, side: int, price: int, size: int, flags: int) -> None:
    """Send one message; what does not fit is counted, so that the engine can refuse the wake."""
    row = out[0, 0] + 1
    out[0, 0] = row
    if row < out.shape[0]:
        out[row, OUT_KIND] = kind
        out[row, OUT_ORDER] = order
        out[row, OUT_SIDE] = side
        out[row, OUT_PRICE] = price
        out[row, OUT_SIZE] = size
        out[row, OUT_FLAGS] = flags


def limit_order(out: Any, side: int, price: int, size: int, flags: int) -> None:
    """Send a limit order: ``side`` is BUY or SELL, ``price`` in ticks, ``size`` in lots, ``flags`` as in ``codes``."""
    send(out, ADD, 0, side, price, size, flags)


def market_order(out: Any, side: int, size: int) -> None:
    """Send a market order over ``size`` lots; what finds no counterpart expires."""
    send(out, ADD, 0, side, 0, size, MARKET | IOC)


def cancel_all(out: Any) -> None:
    """Cancel every own resting order."""
    send(out, CANCEL_ALL, 0, 0, 0, 0, 0)


def cancel_own(out: Any, k: int) -> None:
    """Cancel the k-th oldest own resting order, k from 0 to ``market[OPEN_ORDERS] - 1``."""
    send(out, CANCEL_OWN, k, 0, 0, 0, 0)


# ---- What is seen ---------------------------------------------------------------------------------------------


def fundamental(market: Any) -> float:
    """Fundamental value in ticks."""
    return float(market[FUNDAMENTAL]) / 1048576.0  # FUNDAMENTAL_SCALE, a power of two: exact


def has_both_sides(market: Any) -> bool:
    """Say whether there is a bid and an ask."""
    return bool(market[BID_SIZE] > 0 and market[ASK_SIZE] > 0)


def reference_price(market: Any) -> int:
    """Middle of the touch rounded down, in ticks; with one side empty the other's best, else the last trade."""
    if market[BID_SIZE] > 0:
        if market[ASK_SIZE] > 0:
            return int(market[BID] + market[ASK]) >> 1
        return int(market[BID])
    if market[ASK_SIZE] > 0:
        return int(market[ASK])
    return int(market[LAST])


# ---- Draws ----------------------------------------------------------------------------------------------------


def nearest(x: float) -> int:
    """Nearest integer, halves up."""
    return math.floor(x + 0.5)


def exponential(u: float, mean: float) -> float:
    """Exponential draw with that mean from a uniform one."""
    return -fmath.log(u) * mean


def wait(u: float, mean_ns: float) -> int:
    """Exponential waiting time in whole ns, at least 1; a Poisson process to within a nanosecond."""
    return 1 + int(exponential(u, mean_ns))


def lognormal_size(u: float, median: float, sigma: float) -> int:
    """Order size in lots: log-normal with that median and log-deviation, rounded, at least 1."""
    if sigma > 0.0:
        return max(nearest(median * fmath.exp(sigma * fmath.normal_quantile(u))), 1)
    return max(nearest(median), 1)


KERNEL_FUNCTIONS: Final = (
    send,
    limit_order,
    market_order,
    cancel_all,
    cancel_own,
    fundamental,
    has_both_sides,
    reference_price,
    nearest,
    exponential,
    wait,
    lognormal_size,
)
"""What a rule may call besides ``core.fmath`` and ``core.rng``."""
