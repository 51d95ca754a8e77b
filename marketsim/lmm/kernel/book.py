"""The book that teachers and model act on, what the model sees of it, and what it allows.

It keeps lots by price. A side holds the prices up to ``reach`` ticks behind its best; what falls further behind is
dropped, so that every cancel has a token.
"""

import numpy as np

from marketsim.core import fmath
from marketsim.core.jit import inlined
from marketsim.lmm.events import (
    BEST,
    CANCEL_BUY,
    CANCEL_SELL,
    F_BEYOND,
    F_EMPTY,
    F_IMBALANCE,
    F_SPREAD,
    F_TOTAL,
    GAP,
    KIND,
    LIMIT_SELL,
    MARKET_BUY,
    MARKET_SELL,
    N_FEATURES,
    N_GAPS,
    N_LEVELS,
    N_PRICES,
    N_SIZES,
    PRICE,
    SIZE,
    TOTAL,
)

ONE = np.uint64(1)
ALL_VALUES = ~np.uint64(0)
LOG_LOTS = np.array([fmath.log(1.0 + lots) for lots in range(4096)], np.float32)

SIDE_SWAP = np.array([*range(10, 20), *range(10), 20, 21, 23, 22, 25, 24, 27, 26])
"""Seen from the sellers' side, features trade places in pairs and the imbalance changes its sign."""
SIDE_SIGN = np.where(np.arange(N_FEATURES) == F_IMBALANCE, -1.0, 1.0).astype(np.float32)


# ---- Places and changes -----------------------------------------------------------------------------------------


@inlined
def place(depth, quote, side, behind):
    """Place in the ring of the price ``behind`` ticks behind the best of its side."""
    return (quote[BEST + side] - (1 - 2 * side) * behind) & (depth.shape[1] - 1)


@inlined
def rest(depth, quote, scale, side, behind, lots):
    """Add lots ``behind`` ticks behind the best price (negative: in front of it)."""
    reach = scale.cancel_low[N_PRICES]
    if quote[TOTAL + side] > 0 and behind < 0:
        for level in range(max(0, reach + behind), reach):  # these are ``reach`` or more behind the new best price
            at = place(depth, quote, side, level)
            quote[TOTAL + side] -= depth[side, at]
            depth[side, at] = 0
    depth[side, place(depth, quote, side, behind)] += lots
    if quote[TOTAL + side] == 0 or behind < 0:
        quote[BEST + side] -= (1 - 2 * side) * behind
    quote[TOTAL + side] += lots


@inlined
def remove(depth, quote, side, behind, lots):
    """Take lots off a price that has them."""
    depth[side, place(depth, quote, side, behind)] -= lots
    quote[TOTAL + side] -= lots
    while quote[TOTAL + side] > 0 and depth[side, place(depth, quote, side, 0)] == 0:
        quote[BEST + side] -= 1 - 2 * side


@inlined
def execute(depth, quote, scale, kind, behind, lots):
    """Carry out one event that the book allows."""
    side = kind & 1
    if kind <= LIMIT_SELL:
        rest(depth, quote, scale, side, behind, lots)
    elif kind >= CANCEL_BUY:
        remove(depth, quote, side, behind, lots)
    else:
        while lots > 0 and quote[TOTAL + 1 - side] > 0:
            taken = min(lots, depth[1 - side, place(depth, quote, 1 - side, 0)])
            remove(depth, quote, 1 - side, 0, taken)
            lots -= taken


# ---- What the model sees ----------------------------------------------------------------------------------------


@inlined
def log_lots(lots):
    """log(1 + lots) as float32; small numbers from a table of the same values."""
    return LOG_LOTS[lots] if lots < 4096 else np.float32(fmath.log(1.0 + lots))


@inlined
def imbalance(depth, quote):
    """(bid - ask) / (bid + ask) in lots at the touch."""
    bid, ask = depth[0, place(depth, quote, 0, 0)], depth[1, place(depth, quote, 1, 0)]
    return (bid - ask) / max(bid + ask, 1)


@inlined
def read_features(depth, quote, feature):
    """Write what the model sees of a book into ``feature``, float32[N_FEATURES]."""
    for side in range(2):
        near = 0
        for level in range(N_LEVELS):
            lots = depth[side, place(depth, quote, side, level)]
            near += lots
            feature[N_LEVELS * side + level] = log_lots(lots)
        feature[F_TOTAL + side] = log_lots(quote[TOTAL + side])
        feature[F_BEYOND + side] = log_lots(quote[TOTAL + side] - near)
        feature[F_EMPTY + side] = quote[TOTAL + side] == 0
    feature[F_SPREAD] = log_lots(max(quote[BEST + 1] - quote[BEST], 0))
    feature[F_IMBALANCE] = imbalance(depth, quote)


# ---- Tokens -----------------------------------------------------------------------------------------------------


@inlined
def bin_of(low, value):
    """Number of the bin that holds a value; what lies outside belongs to the first or the last."""
    first, last = 0, low.size - 2
    while first < last:
        middle = (first + last + 1) >> 1
        if low[middle] <= value:
            first = middle
        else:
            last = middle - 1
    return first


@inlined
def price_bins(scale, kind):
    """Return where the bins of places begin, int64[N_PRICES + 1]."""
    return scale.cancel_low if kind >= CANCEL_BUY else scale.limit_low


@inlined
def encode(record, scale, token):
    """Write the token of a record, both int64[field]."""
    kind = record[KIND]
    token[GAP] = bin_of(scale.gap_low, record[GAP])
    token[KIND] = kind
    token[PRICE] = 0 if MARKET_BUY <= kind <= MARKET_SELL else bin_of(price_bins(scale, kind), record[PRICE])
    token[SIZE] = bin_of(scale.size_low, record[SIZE])


# ---- What the book allows: bit v of a uint64 says whether token v is possible --------------------------------------


@inlined
def first_bits(n):
    """The lowest n bits, n from 1 to 64."""
    return ALL_VALUES >> np.uint64(64 - n)


@inlined
def kind_mask(quote):
    """Kinds that are possible: nobody takes or cancels what is not there."""
    mask = 0b000011
    if quote[TOTAL] > 0:
        mask |= 1 << MARKET_SELL | 1 << CANCEL_BUY
    if quote[TOTAL + 1] > 0:
        mask |= 1 << MARKET_BUY | 1 << CANCEL_SELL
    return np.uint64(mask)


@inlined
def limit_range(quote, scale):
    """First and last place of a limit order, by the venue's rules and what tokens can say; at least one is possible.

    It stands at least a tick from the opposite best price and, where the scale has a ``limit_reach``, at most so many.
    """
    spread = quote[BEST + 1] - quote[BEST]
    nearest = max(1, spread + scale.limit_low[0])
    furthest = max(scale.limit_reach, nearest) if scale.limit_reach > 0 else scale.limit_low[N_PRICES] - 1 + spread
    return nearest - spread, min(furthest - spread, scale.limit_low[N_PRICES] - 1)


@inlined
def price_mask(depth, quote, scale, kind):
    """Prices that are possible for a kind."""
    if kind >= CANCEL_BUY:
        side, mask = kind & 1, np.uint64(0)
        for value in range(N_PRICES):
            held = np.uint64(0)
            for behind in range(scale.cancel_low[value], scale.cancel_low[value + 1]):
                held |= np.uint64(depth[side, place(depth, quote, side, behind)] > 0)
            mask |= held << np.uint64(value)
        return mask
    if kind >= MARKET_BUY:
        return ONE
    nearest, furthest = limit_range(quote, scale)
    first, last = bin_of(scale.limit_low, nearest), bin_of(scale.limit_low, furthest)
    return first_bits(last - first + 1) << np.uint64(first)


@inlined
def most_lots(depth, quote, scale, kind, behind):
    """Largest size of an order at a place."""
    if kind >= CANCEL_BUY:
        return depth[kind & 1, place(depth, quote, kind & 1, behind)]
    if kind >= MARKET_BUY:
        return quote[TOTAL + 1 - (kind & 1)]
    return scale.size_low[N_SIZES] - 1


@inlined
def size_mask(depth, quote, scale, kind, behind):
    """Sizes that are possible for a kind at a place."""
    return first_bits(bin_of(scale.size_low, most_lots(depth, quote, scale, kind, behind)) + 1)


# ---- From a token to a record: where in its bin ------------------------------------------------------------------


@inlined
def pick_place(depth, quote, scale, kind, value, u):
    """Place in a price bin for u from 0 to 1: by lots for a cancel, evenly for a limit order."""
    if kind >= CANCEL_BUY:
        side, first, end = kind & 1, scale.cancel_low[value], scale.cancel_low[value + 1]
        if end - first == 1:
            return first
        total = 0
        for behind in range(first, end):
            total += depth[side, place(depth, quote, side, behind)]
        left = np.int64(u * total)
        for behind in range(first, end):
            left -= depth[side, place(depth, quote, side, behind)]
            if left < 0:
                return behind
        return end - 1
    if kind >= MARKET_BUY:
        return np.int64(0)
    nearest, furthest = limit_range(quote, scale)
    first = max(scale.limit_low[value], nearest)
    return first + np.int64(u * (min(scale.limit_low[value + 1] - 1, furthest) - first + 1))


@inlined
def pick_size(scale, value, most, u):
    """Lots in a size bin for u from 0 to 1, at most ``most``."""
    first = scale.size_low[value]
    return first + np.int64(u * (min(scale.size_low[value + 1] - 1, most) - first + 1))


@inlined
def pick_gap(scale, value, u):
    """Time in a gap bin for u strictly between 0 and 1, in ns: even inside, exponential in the open last bin."""
    first = scale.gap_low[value]
    if value < N_GAPS - 1:
        return first + np.int64(u * (scale.gap_low[value + 1] - first))
    return first + np.int64(-fmath.log(1.0 - u) * scale.tail_mean_ns)
