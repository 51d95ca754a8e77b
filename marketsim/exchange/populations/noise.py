"""Noise traders: each sends one order at the opposite best price, on a coin's side, at a time drawn in advance.

As in the reference configuration rmsc04 of ABIDES, but that no time lies before the start of the run. What is not
traded at once rests for good.

References
----------
Byrd, Hybinette & Balch (2020), ABIDES, SIGSIM-PADS '20: the noise agent.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from marketsim.core.rng import uniforms
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start, StartContext
from marketsim.exchange.rules import (
    ASK,
    ASK_SIZE,
    BID,
    BID_SIZE,
    BUY,
    NEVER,
    SELL,
    limit_order,
    lognormal_size,
)

MEDIAN, SIGMA = range(2)  # state_f


class Noise(Population):
    """Traders with one order each."""

    class Config(PopulationConfig):
        """``kind = "noise"``: one order per agent, at the opposite best price."""

        schedule: Literal["u_quadratic", "uniform"] = "u_quadratic"
        """How the times of orders spread over the run: busy at both ends as 12 (x - 1/2)^2, or evenly."""
        order_size: int = Field(default=100, ge=1, le=1_000_000_000)
        """Median order size, in lots."""
        order_size_sigma: float = Field(default=0.0, ge=0.0, le=5.0)
        """Standard deviation of the logarithm of the order size, which is log-normal; 0: always the median."""

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Draw the time of each agent's order."""
        share = context.uniforms("time")
        if config.schedule == "u_quadratic":
            share = np.array([u_quadratic(u) for u in share.tolist()])
        state_f = np.zeros((context.count, 2))
        state_f[:] = config.order_size, config.order_size_sigma
        times = np.floor(share * context.duration_ns).astype(np.int64)
        return Start(np.zeros((context.count, 1), np.int64), state_f, times)

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Send the order, where the other side has a price."""
        coin, u_size, _, _ = uniforms(counters, 0)
        size = lognormal_size(u_size, state_f[agent, MEDIAN], state_f[agent, SIGMA])
        if coin < 0.5:
            if market[ASK_SIZE] > 0:
                limit_order(out, BUY, market[ASK], size, 0)
        elif market[BID_SIZE] > 0:
            limit_order(out, SELL, market[BID], size, 0)
        return NEVER


def u_quadratic(u: float) -> float:
    """Return the number from 0 to 1 with density 12 (x - 1/2)^2 that a uniform draw stands for.

    The cube root is found by bisection: the C library's differs from one processor to the next.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if 0.5 + 4.0 * (middle - 0.5) * (middle - 0.5) * (middle - 0.5) < u:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
