"""Momentum traders: each follows the crossing of a fast and a slow average of the mids it has seen.

At a wake with both sides quoted an agent notes the mid. Once it has noted more than ``slow`` of them it buys at the
best ask where the mean of the last ``fast`` is at least that of the last ``slow``, else it sells at the best bid.
What does not trade at once rests for good. As in the reference configuration rmsc04 of ABIDES.

References
----------
Byrd, Hybinette & Balch (2020), ABIDES, SIGSIM-PADS '20: the momentum agent.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from marketsim.core.rng import uniforms
from marketsim.core.units import SECOND, Duration
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start, StartContext
from marketsim.exchange.rules import (
    ASK,
    BID,
    BUY,
    SELL,
    has_both_sides,
    limit_order,
    lognormal_size,
    wait,
)

SEEN, FAST, SLOW, FIRST_MID = range(4)  # state_i: mids noted, lengths of the averages, then a ring of twice the mids
WAIT, MEDIAN, SIGMA = range(3)  # state_f


class Momentum(Population):
    """Traders who follow the trend."""

    class Config(PopulationConfig):
        """``kind = "momentum"``: follows the crossing of two moving averages."""

        mean_wait: Duration = 37 * SECOND
        """Mean time between two wakes of an agent; the times are exponential."""
        fast: int = Field(default=20, ge=1, le=10_000)
        """Mids in the fast average."""
        slow: int = Field(default=50, ge=2, le=10_000)
        """Mids in the slow average."""
        order_size: int = Field(default=100, ge=1, le=1_000_000_000)
        """Median order size, in lots."""
        order_size_sigma: float = Field(default=0.0, ge=0.0, le=5.0)
        """Standard deviation of the logarithm of the order size, which is log-normal; 0: always the median."""

        @model_validator(mode="after")
        def _fast_is_shorter(self) -> Self:
            if self.fast >= self.slow:
                raise ValueError("expected fast below slow")
            return self

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Return agents who have seen nothing yet."""
        state_i = np.zeros((context.count, FIRST_MID + config.slow), np.int64)
        state_i[:, FAST], state_i[:, SLOW] = config.fast, config.slow
        state_f = np.zeros((context.count, 3))
        state_f[:] = config.mean_wait, config.order_size, config.order_size_sigma
        first = [wait(u, float(config.mean_wait)) for u in context.uniforms("first wake").tolist()]
        return Start(state_i, state_f, np.array(first, np.int64))

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Note the mid; follow the trend."""
        u_wait, u_size, _, _ = uniforms(counters, 0)
        own = state_i[agent]
        if has_both_sides(market):
            own[FIRST_MID + own[SEEN] % own[SLOW]] = market[BID] + market[ASK]
            own[SEEN] += 1
            if own[SEEN] > own[SLOW]:
                size = lognormal_size(u_size, state_f[agent, MEDIAN], state_f[agent, SIGMA])
                # sums of integers, multiplied out: no rounding decides
                if sum_of_last(own, own[FAST]) * own[SLOW] >= sum_of_last(own, own[SLOW]) * own[FAST]:
                    limit_order(out, BUY, market[ASK], size, 0)
                else:
                    limit_order(out, SELL, market[BID], size, 0)
        return now + wait(u_wait, state_f[agent, WAIT])


def sum_of_last(own: Any, n: int) -> int:
    """Sum of the last ``n`` entries of the ring."""
    total = 0
    for back in range(1, n + 1):
        total += own[FIRST_MID + (own[SEEN] - back) % own[SLOW]]
    return total
