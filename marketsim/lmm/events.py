"""Words of the order model: what an event is, as the market has it and as the model sees it.

A **record** is an event as it was, four integers: time since the event before in ns, kind, place, size in lots. The
place counts ticks behind the best price of the order's own side (negative: in front of it); market orders have place 0.
A **token** is the same four fields as the numbers of bins (``lmm.scale``); what a token leaves out of a record is its
residual, which is kept wherever records are.
"""

from __future__ import annotations

from typing import Final

GAP, KIND, PRICE, SIZE = range(4)
"""Fields of a record and of a token, in the order in which the model draws them."""

FIELDS: Final = ("gap", "kind", "price", "size")
N_VALUES: Final = (32, 6, 64, 32)
"""Tokens of each field."""

N_GAPS, N_KINDS, N_PRICES, N_SIZES = N_VALUES

LIMIT_BUY, LIMIT_SELL, MARKET_BUY, MARKET_SELL, CANCEL_BUY, CANCEL_SELL = range(N_KINDS)
"""Kinds; the lowest bit is the side of the order: 0 buyers, 1 sellers."""

KINDS: Final = ("limit_buy", "limit_sell", "market_buy", "market_sell", "cancel_buy", "cancel_sell")

# ---- Book: depth int64[side, ring], quote int64[N_QUOTES] -----------------------------------------------------
BEST, TOTAL, N_QUOTES = 0, 2, 4
"""``quote[BEST + side]`` in ticks, of an empty side the last one it had; ``quote[TOTAL + side]`` lots."""

# ---- Features: float32[N_FEATURES] ----------------------------------------------------------------------------
N_LEVELS: Final = 10
F_SPREAD, F_IMBALANCE, F_TOTAL, F_BEYOND, F_EMPTY, N_FEATURES = 20, 21, 22, 24, 26, 28
"""log(1 + lots) at ten prices a side (buyers first), log(1 + spread), imbalance at the touch, log of all lots, log of
lots past the tenth price, and whether a side is empty."""

# ---- Conditions: float32[N_CONDITIONS], the same for all events of a book --------------------------------------
CONDITIONS: Final = ("known", "zero_intelligence", "hawkes", "market", "log_volatility")
"""Whether the rest is known; the regime, one of three; logarithm of the volatility target, 0 for the usual."""

N_CONDITIONS: Final = len(CONDITIONS)

BLOCK: Final = 128
"""Events between two books that a shard keeps, and of one training window."""
