"""Zero-intelligence order flow: Poisson limit orders, market orders and cancellations.

Each agent sends limit orders and market orders at constant rates, and each of its resting orders is cancelled at a
constant rate. Prices lie a uniform number of ticks behind the best price of the other side. Together the agents are
the Poisson models of Smith, Farmer, Gillemot & Krishnamurthy (2003) and, with one distance per tick, of Cont, Stoikov
& Talreja (2010).

An agent's events form one Poisson process of rate ``limit + market + cancel * n``, n the number of its resting orders
as far as it can know, thinned where an order is gone already: so rates are exact. Orders that are still on their way
because of a latency count from the agent's next wake on.

References
----------
Smith, Farmer, Gillemot & Krishnamurthy (2003), Quantitative Finance 3(6), 481-514: the model.
Cont, Stoikov & Talreja (2010), Operations Research 58(3), 549-563: rates by distance from the opposite best.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from marketsim.core.rng import uniforms
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start, StartContext
from marketsim.exchange.rules import (
    ASK,
    ASK_SIZE,
    BID,
    BID_SIZE,
    BUY,
    OPEN_ORDERS,
    OPEN_PRICE,
    SELL,
    cancel_own,
    limit_order,
    lognormal_size,
    market_order,
    reference_price,
    wait,
)

NS = 1e9  # of a second

REACH, FIXED, BOUND = range(3)  # state_i: ticks, whether distances count from the open price, orders that may rest
LIMIT, MARKET, CANCEL, MEDIAN, SIGMA = range(5)  # state_f: rates per ns, order size


class ZeroIntelligence(Population):
    """Poisson flow of limit orders, market orders and cancellations."""

    class Config(PopulationConfig):
        """``kind = "zero_intelligence"``: Poisson order flow without any purpose."""

        limit_rate: float = Field(default=0.2, ge=0.0, le=1e6)
        """Limit orders per agent and second."""
        market_rate: float = Field(default=0.05, ge=0.0, le=1e6)
        """Market orders per agent and second."""
        cancel_rate: float = Field(default=0.1, ge=0.0, le=1e6)
        """Cancellations per resting order and second."""
        reach: int = Field(default=20, ge=1, le=100_000)
        """Limit prices lie 1 to this many ticks from the reference price, each as likely."""
        reference: Literal["opposite_best", "open_price"] = "opposite_best"
        """What distances count from: the other side's best price, or the open price, so that nothing ever crosses."""
        order_size: int = Field(default=100, ge=1, le=1_000_000_000)
        """Median order size, in lots."""
        order_size_sigma: float = Field(default=0.0, ge=0.0, le=5.0)
        """Standard deviation of the logarithm of the order size, which is log-normal; 0: always the median."""

        @model_validator(mode="after")
        def _something_happens(self) -> Self:
            if self.limit_rate + self.market_rate <= 0.0:
                raise ValueError("expected limit_rate + market_rate above 0")
            return self

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Return agents whose first wakes are exponential draws, as everywhere later."""
        state_i = np.zeros((context.count, 3), np.int64)
        state_i[:] = config.reach, config.reference == "open_price", 0
        state_f = np.zeros((context.count, 5))
        state_f[:, :3] = np.array([config.limit_rate, config.market_rate, config.cancel_rate]) / NS
        state_f[:, 3:] = config.order_size, config.order_size_sigma
        rate = (config.limit_rate + config.market_rate) / NS
        first = [wait(u, 1.0 / rate) for u in context.uniforms("first wake").tolist()]
        return Start(state_i, state_f, np.array(first, np.int64))

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Send one limit order, market order or cancellation, as the rates have it."""
        u_wait, u_event, u_price, u_size = uniforms(counters, 0)
        limit_rate, market_rate, cancel_rate = state_f[agent, LIMIT], state_f[agent, MARKET], state_f[agent, CANCEL]
        resting, flow = market[OPEN_ORDERS], limit_rate + market_rate
        event = u_event * (flow + cancel_rate * state_i[agent, BOUND])
        if event < flow:
            side = BUY
            if u_price < 0.5:
                u_price = 2.0 * u_price
            else:
                side, u_price = SELL, 2.0 * u_price - 1.0
            size = lognormal_size(u_size, state_f[agent, MEDIAN], state_f[agent, SIGMA])
            if event < limit_rate:
                distance = 1 + int(u_price * state_i[agent, REACH])
                price = anchor(market, side, state_i[agent, FIXED]) - side * distance
                if price > 0:
                    limit_order(out, side, price, size, 0)
                    resting += 1
            else:
                market_order(out, side, size)
        else:
            k = int((event - flow) / cancel_rate)
            if k < resting:
                cancel_own(out, k)
                resting -= 1
        state_i[agent, BOUND] = resting
        return now + wait(u_wait, 1.0 / (flow + cancel_rate * resting))


def anchor(market: Any, side: int, is_fixed: int) -> int:
    """Price in ticks that distances count from: the other side's best, or a tick from what there is."""
    if is_fixed:
        return int(market[OPEN_PRICE])
    if side == BUY and market[ASK_SIZE] > 0:
        return int(market[ASK])
    if side == SELL and market[BID_SIZE] > 0:
        return int(market[BID])
    return reference_price(market) + side
