"""Value traders: each estimates the fundamental value from noisy looks and trades towards what it will be at the end.

At a wake an agent cancels its orders, looks at the value with Gaussian noise, updates its estimate as a Kalman filter
of an Ornstein-Uhlenbeck process does, and forecasts the value at the end of the run. Below the middle of the touch it
sells, else it buys; the limit lies a uniform number of ticks behind the opposite best, up to ``depth`` spreads, or at
it for a share of the orders. As in the reference configuration rmsc04 of ABIDES, with the variance of the estimate
updated as it should be.

References
----------
Byrd (2019), Explaining agent-based financial market simulation, arXiv:1909.11650, section 4: estimate and forecast.
Wah, Wright & Wellman (2017), Welfare effects of market making, JAIR 59, 613-650: the trader it follows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from marketsim.core import fmath
from marketsim.core.rng import uniforms
from marketsim.core.units import SECOND, Duration, Money
from marketsim.exchange.config import FundamentalConfig, PopulationConfig
from marketsim.exchange.population import Population, Start, StartContext
from marketsim.exchange.rules import (
    ASK,
    BID,
    BUY,
    END,
    SELL,
    cancel_all,
    fundamental,
    has_both_sides,
    limit_order,
    lognormal_size,
    nearest,
    wait,
)

LAST_LOOK = 0  # state_i, ns
# state_f: estimate and its variance in ticks, belief (mean in ticks, rate per ns, variance per ns), noise variance in
# ticks, mean wait in ns, order placement, order size
ESTIMATE, VARIANCE, MEAN, RATE, DIFFUSION, NOISE, WAIT, AGGRESSIVE, DEPTH, MEDIAN, SIGMA = range(11)


class Value(Population):
    """Traders who know something about the fundamental value."""

    class Config(PopulationConfig):
        """``kind = "value"``: trades towards an estimate of the fundamental value."""

        needs_fundamental: ClassVar[bool] = True

        mean_wait: Duration = 175 * SECOND
        """Mean time between two wakes of an agent; the times are exponential."""
        observation_deviation: Money = Field(default=Decimal(0), ge=0)
        """Standard deviation of the noise in a look at the fundamental value, in currency."""
        aggressive_share: float = Field(default=0.1, ge=0.0, le=1.0)
        """Share of orders at the opposite best price."""
        depth: int = Field(default=2, ge=1, le=1_000)
        """The other orders lie up to this many spreads behind the opposite best."""
        order_size: int = Field(default=100, ge=1, le=1_000_000_000)
        """Median order size, in lots."""
        order_size_sigma: float = Field(default=0.0, ge=0.0, le=5.0)
        """Standard deviation of the logarithm of the order size, which is log-normal; 0: always the median."""

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Return agents who know the mean, the rate and the volatility of the process, and its value at the start."""
        process = context.instrument.fundamental or FundamentalConfig()
        mean = context.ticks(context.instrument.open_price if process.mean is None else process.mean)
        noise, volatility = context.ticks(config.observation_deviation), context.ticks(process.volatility)
        state_f = np.zeros((context.count, 11))
        state_f[:, [ESTIMATE, MEAN]] = mean
        state_f[:, RATE] = process.reversion_rate / SECOND
        state_f[:, DIFFUSION] = volatility * volatility / SECOND
        state_f[:, NOISE] = noise * noise
        state_f[:, WAIT] = config.mean_wait
        state_f[:, AGGRESSIVE], state_f[:, DEPTH] = config.aggressive_share, config.depth
        state_f[:, MEDIAN], state_f[:, SIGMA] = config.order_size, config.order_size_sigma
        first = [wait(u, float(config.mean_wait)) for u in context.uniforms("first wake").tolist()]
        return Start(np.zeros((context.count, 1), np.int64), state_f, np.array(first, np.int64))

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Look, update the estimate, replace the order."""
        u_wait, u_look, u_place, u_aggressive = uniforms(counters, 0)
        coin, u_size, _, _ = uniforms(counters, 1)
        own = state_f[agent]
        look = fundamental(market) + fmath.sqrt(own[NOISE]) * fmath.normal_quantile(u_look)
        update_estimate(own, look, now - state_i[agent, LAST_LOOK])
        state_i[agent, LAST_LOOK] = now
        forecast = nearest(forecast_of(own, market[END] - now))
        size = lognormal_size(u_size, own[MEDIAN], own[SIGMA])
        side, price = BUY, forecast
        if has_both_sides(market):
            spread, behind = market[ASK] - market[BID], 0
            if u_aggressive >= own[AGGRESSIVE]:
                behind = int(u_place * own[DEPTH] * spread)
            price = market[ASK] - behind
            if forecast < (market[BID] + market[ASK]) >> 1:
                side, price = SELL, market[BID] + behind
        elif coin < 0.5:
            side = SELL
        cancel_all(out)
        if price > 0:
            limit_order(out, side, price, size, 0)
        return now + wait(u_wait, own[WAIT])


def update_estimate(own: Any, look: float, elapsed: int) -> None:
    """Move the estimate on by ``elapsed`` ns as the process would, then weigh it against a look at the value."""
    decay = fmath.exp(-own[RATE] * elapsed)
    predicted = own[MEAN] + (own[ESTIMATE] - own[MEAN]) * decay
    variance = own[VARIANCE] * decay * decay + spread_of(own, elapsed)
    if variance + own[NOISE] > 0.0:
        weight = variance / (variance + own[NOISE])
        own[ESTIMATE] = predicted + weight * (look - predicted)
        own[VARIANCE] = variance * (1.0 - weight)
    else:
        own[ESTIMATE] = look  # a look without noise


def spread_of(own: Any, elapsed: int) -> float:
    """Variance in ticks that the process gains in ``elapsed`` ns."""
    exponent = 2.0 * own[RATE] * elapsed
    if exponent < 1e-8:
        return float(own[DIFFUSION] * elapsed)
    return float(own[DIFFUSION] * (1.0 - fmath.exp(-exponent)) / (2.0 * own[RATE]))


def forecast_of(own: Any, ahead: int) -> float:
    """Value in ticks that the process is expected to have in ``ahead`` ns."""
    return float(own[MEAN] + (own[ESTIMATE] - own[MEAN]) * fmath.exp(-own[RATE] * max(ahead, 0)))
