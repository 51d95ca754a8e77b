"""Adaptive market makers: each keeps a ladder of orders around the mid, sized by the volume traded of late.

At a wake an agent cancels its orders and places ``levels`` bids and as many asks. The inner prices lie half a
smoothed spread from the middle, which leans towards the side of the incoming volume; the others follow ``spacing``
smoothed spreads apart. Each order is a share of the volume of the last ``lookback``. As in the reference
configuration rmsc04 of ABIDES, but that an agent who finds no two-sided market tries again at its next wake, and
without ladders on imbalance alerts.

Between ladders an agent looks at the volume ``LOOKS`` times per lookback; so the window is exact to that part.

References
----------
Byrd, Hybinette & Balch (2020), ABIDES, SIGSIM-PADS '20; Chakraborty & Kearns (2011), Market making and mean reversion,
EC '11, 307-314: the ladder.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from marketsim.core.rng import uniforms
from marketsim.core.units import MICROSECOND, MINUTE, Duration, Money, Price
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start, StartContext
from marketsim.exchange.rules import (
    ASK,
    BID,
    BUY,
    BUY_VOLUME,
    SELL,
    VOLUME,
    cancel_all,
    has_both_sides,
    limit_order,
    nearest,
    wait,
)

LOOKS = 60  # at the volume, per lookback
RING = 64  # looks remembered, at least LOOKS + 1

# state_i: time of the next ladder, time between looks, looks so far, last mid (0: none), levels, smallest size,
# then two rings of the volume so far, all and bought
NEXT_LADDER, INTERVAL, LOOKED, MID, LEVELS, LEAST, FIRST_LOOK = range(7)
# state_f: smoothed spread in ticks, weight of the new one, mean wait in ns, share, spacing, skew in ticks
SPREAD, WEIGHT, WAIT, SHARE, SPACING, SKEW = range(6)


class MarketMaker(Population):
    """Market makers that adapt to spread and volume."""

    class Config(PopulationConfig):
        """``kind = "market_maker"``: a ladder of orders around the mid, sized as a share of volume."""

        mean_wait: Duration = MINUTE
        """Mean time between two ladders of an agent; the times are exponential."""
        share_of_volume: float = Field(default=0.025, ge=0.0, le=1.0)
        """Size of each order, as a share of the volume of the last ``lookback``."""
        lookback: Annotated[Duration, Field(ge=MICROSECOND)] = MINUTE
        """How far back volume counts; at least 1us."""
        min_order_size: int = Field(default=1, ge=1, le=1_000_000_000)
        """Smallest order, in lots."""
        levels: int = Field(default=10, ge=1, le=100)
        """Orders per side."""
        spacing: float = Field(default=5.0, ge=0.0, le=1e6)
        """Distance between two orders of one side, in smoothed spreads; at least one tick."""
        smoothing: float = Field(default=0.75, gt=0.0, le=1.0)
        """Weight of the spread that is seen in the smoothed one."""
        start_spread: Price = Decimal("0.50")
        """Smoothed spread at the start, in currency."""
        skew: Money = Decimal("0.04")
        """How far the middle leans towards the side that all incoming volume was on, in currency."""

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Return agents without a mid, who look at the volume from time 0 on."""
        state_i = np.zeros((context.count, FIRST_LOOK + 2 * RING), np.int64)
        first = [wait(u, float(config.mean_wait)) for u in context.uniforms("first wake").tolist()]
        state_i[:, NEXT_LADDER] = first
        state_i[:, INTERVAL] = config.lookback // LOOKS
        state_i[:, LEVELS], state_i[:, LEAST] = config.levels, config.min_order_size
        state_f = np.zeros((context.count, 6))
        state_f[:, SPREAD], state_f[:, SKEW] = context.ticks(config.start_spread), context.ticks(config.skew)
        state_f[:, WEIGHT], state_f[:, WAIT] = config.smoothing, config.mean_wait
        state_f[:, SHARE], state_f[:, SPACING] = config.share_of_volume, config.spacing
        return Start(state_i, state_f, np.zeros(context.count, np.int64))

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Look at the volume; where it is time, replace the ladder."""
        own, real = state_i[agent], state_f[agent]
        if now >= own[LOOKED] * own[INTERVAL]:
            remember_volume(own, market)
        if now >= own[NEXT_LADDER]:
            u_wait, _, _, _ = uniforms(counters, 0)
            own[NEXT_LADDER] = now + wait(u_wait, real[WAIT])
            cancel_all(out)
            if has_both_sides(market):
                own[MID] = (market[BID] + market[ASK]) >> 1
                real[SPREAD] += real[WEIGHT] * (market[ASK] - market[BID] - real[SPREAD])
            if own[MID] > 0:
                place_ladder(own, real, market, out)
        return int(max(min(own[NEXT_LADDER], own[LOOKED] * own[INTERVAL]), now + 1))


def remember_volume(own: Any, market: Any) -> None:
    """Note the volume so far in the rings."""
    place = FIRST_LOOK + own[LOOKED] % RING
    own[place], own[place + RING] = market[VOLUME], market[BUY_VOLUME]
    own[LOOKED] += 1


def place_ladder(own: Any, real: Any, market: Any, out: Any) -> None:
    """Send the orders of both sides, from the lowest price up."""
    volume, bought = market[VOLUME], market[BUY_VOLUME]
    if own[LOOKED] > LOOKS:  # LOOKS intervals ago; earlier than that, all volume counts
        place = FIRST_LOOK + (own[LOOKED] - 1 - LOOKS) % RING
        volume, bought = volume - own[place], bought - own[place + RING]
    middle = own[MID]
    if volume > 0:
        middle = int(middle + real[SKEW] * (2.0 * bought / volume - 1.0))
    size = max(nearest(real[SHARE] * volume), own[LEAST])
    step = max(nearest(real[SPACING] * real[SPREAD]), 1)
    bid = middle - math.floor(0.5 * real[SPREAD])
    ask = middle + math.ceil(0.5 * real[SPREAD])
    for level in range(own[LEVELS]):
        price = bid - (own[LEVELS] - 1 - level) * step
        if price > 0:
            limit_order(out, BUY, price, size, 0)
    for level in range(own[LEVELS]):
        limit_order(out, SELL, ask + level * step, size, 0)
