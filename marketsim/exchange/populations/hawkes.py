"""Self-exciting order flow: a multivariate Hawkes process of limit and market orders, drawn exactly.

Each agent sends limit buys, limit sells, market buys and market sells. An order of kind j raises the rate of kind k by
``decay * children[k][j]``, which fades at ``decay``, so that it has on average ``children[k][j]`` direct children of
kind k. With base rates mu the mean rates are ``(I - children)^-1 mu``, and the spectral radius of ``children`` is the
branching ratio. Prices, sizes and the cancellation of each resting order are those of zero intelligence.

With one decay for all kernels the time to the next event is exactly the earlier of an exponential one, from the base
rates, and of one that need not come, from the excitation: nothing is thinned but cancellations of orders that are gone.

References
----------
Hawkes (1971), Biometrika 58(1), 83-90: the process and its mean rates.
Dassios & Zhao (2013), Electronic Communications in Probability 18(62): exact simulation with exponential kernels.
Bacry, Mastromatteo & Muzy (2015), Market Microstructure and Liquidity 1(1): Hawkes processes of order flow.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from marketsim.core import fmath
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
    SELL,
    cancel_own,
    limit_order,
    lognormal_size,
    market_order,
    reference_price,
    wait,
)

NS = 1e9  # of a second
N_KINDS = 4  # limit buy, limit sell, market buy, market sell

REACH, BOUND, LAST = range(3)  # state_i: ticks, orders that may rest, time of the last wake
# state_f: excitation by kind, base rates, decay, order size, and what an order of kind j adds to the rate of kind k
HEAT, LIMIT, MARKET, CANCEL, DECAY, MEDIAN, SIGMA, KICK = 0, 4, 5, 6, 7, 8, 9, 10

_CHILDREN = [[0.35, 0.05, 0.15, 0.0], [0.05, 0.35, 0.0, 0.15], [0.0, 0.1, 0.4, 0.0], [0.1, 0.0, 0.0, 0.4]]


class Hawkes(Population):
    """Limit and market orders that excite each other."""

    class Config(PopulationConfig):
        """``kind = "hawkes"``: self-exciting limit and market orders, cancellations at a constant rate per order."""

        limit_rate: float = Field(default=0.1, ge=0.0, le=1e6)
        """Limit orders per agent and second that nothing excited, both sides together."""
        market_rate: float = Field(default=0.025, ge=0.0, le=1e6)
        """Market orders per agent and second that nothing excited, both sides together."""
        cancel_rate: float = Field(default=0.1, ge=0.0, le=1e6)
        """Cancellations per resting order and second."""
        children: list[list[float]] = _CHILDREN
        """Mean number of direct children: row k, column j for kind k from an order of kind j; kinds are limit buy,
        limit sell, market buy, market sell. The spectral radius is the branching ratio and below 1."""
        decay: float = Field(default=5.0, gt=0.0, le=1e6)
        """Rate per second at which excitation fades."""
        reach: int = Field(default=20, ge=1, le=100_000)
        """Limit prices lie 1 to this many ticks from the opposite best price, each as likely."""
        order_size: int = Field(default=100, ge=1, le=1_000_000_000)
        """Median order size, in lots."""
        order_size_sigma: float = Field(default=0.0, ge=0.0, le=5.0)
        """Standard deviation of the logarithm of the order size, which is log-normal; 0: always the median."""

        @model_validator(mode="after")
        def _is_stationary(self) -> Self:
            if self.limit_rate + self.market_rate <= 0.0:
                raise ValueError("expected limit_rate + market_rate above 0")
            if [len(row) for row in self.children] != [N_KINDS] * N_KINDS or min(map(min, self.children)) < 0.0:
                raise ValueError(f"expected children to be {N_KINDS} rows of {N_KINDS} numbers from 0 on")
            radius = float(abs(np.linalg.eigvals(np.array(self.children))).max())
            if not radius < 1.0:
                raise ValueError(f"expected children with a spectral radius below 1; found {radius:.3f}")
            return self

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Return agents that nothing has excited yet."""
        state_i = np.zeros((context.count, 3), np.int64)
        state_i[:, REACH] = config.reach
        state_f = np.zeros((context.count, KICK + N_KINDS * N_KINDS))
        state_f[:, LIMIT : CANCEL + 1] = np.array([config.limit_rate, config.market_rate, config.cancel_rate]) / NS
        state_f[:, DECAY] = config.decay / NS
        state_f[:, [MEDIAN, SIGMA]] = config.order_size, config.order_size_sigma
        state_f[:, KICK:] = np.ravel(config.children) * config.decay / NS
        rate = (config.limit_rate + config.market_rate) / NS
        first = np.array([wait(u, 1.0 / rate) for u in context.uniforms("first wake").tolist()], np.int64)
        state_i[:, LAST] = first
        return Start(state_i, state_f, first)

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Send the order or the cancellation that is due, let it excite, and draw when the next one is."""
        u_base, u_excited, u_event, u_price = uniforms(counters, 0)
        u_size, _, _, _ = uniforms(counters, 1)
        state = state_f[agent]
        fade = fmath.exp(-state[DECAY] * (now - state_i[agent, LAST]))
        heat = 0.0
        for kind in range(N_KINDS):
            state[HEAT + kind] *= fade
            heat += state[HEAT + kind]
        flow = state[LIMIT] + state[MARKET] + heat
        event = u_event * (flow + state[CANCEL] * state_i[agent, BOUND])
        resting = market[OPEN_ORDERS]
        if event < flow:
            kind = drawn_kind(state, event)
            resting += send_order(state, state_i[agent, REACH], kind, market, u_price, u_size, out)
            for other in range(N_KINDS):
                state[HEAT + other] += state[KICK + N_KINDS * other + kind]
                heat += state[KICK + N_KINDS * other + kind]
        else:
            k = int((event - flow) / state[CANCEL])
            if k < resting:
                cancel_own(out, k)
                resting -= 1
        state_i[agent, BOUND] = resting
        state_i[agent, LAST] = now
        base = state[LIMIT] + state[MARKET] + state[CANCEL] * resting
        return now + hawkes_wait(base, heat, state[DECAY], u_base, u_excited)


def drawn_kind(state: Any, event: float) -> int:
    """Kind of order whose part of the total rate holds ``event``."""
    reached = 0.0
    for kind in range(N_KINDS - 1):
        reached += 0.5 * state[LIMIT + kind // 2] + state[HEAT + kind]
        if event < reached:
            return kind
    return N_KINDS - 1


def send_order(state: Any, reach: int, kind: int, market: Any, u_price: float, u_size: float, out: Any) -> int:
    """Send an order of a kind; return 1 where it may rest."""
    side = SELL if kind & 1 else BUY
    size = lognormal_size(u_size, state[MEDIAN], state[SIGMA])
    if kind >= 2:
        market_order(out, side, size)
        return 0
    price = opposite_best(market, side) - side * (1 + int(u_price * reach))
    if price > 0:
        limit_order(out, side, price, size, 0)
        return 1
    return 0


def opposite_best(market: Any, side: int) -> int:
    """Price in ticks that distances count from: the other side's best, or a tick from what there is."""
    if side == BUY and market[ASK_SIZE] > 0:
        return int(market[ASK])
    if side == SELL and market[BID_SIZE] > 0:
        return int(market[BID])
    return reference_price(market) + side


def hawkes_wait(base: float, heat: float, decay: float, u_base: float, u_excited: float) -> int:
    """Time to the next event in whole ns, at least 1: the earlier of one from each part of the rate."""
    gap = wait(u_base, 1.0 / base)
    children = -fmath.log(u_excited) * decay
    if children < heat:
        gap = min(gap, 1 + int(-fmath.log(1.0 - children / heat) / decay))
    return gap
