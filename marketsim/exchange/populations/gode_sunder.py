"""Traders of Gode and Sunder: random shouts of one unit, with a budget constraint (ZI-C) or without one (ZI-U).

Odd agents buy (the first, the third, ...), the others sell. Each has a value, or cost, for each of its units and
trades them in turn, the best first. At a wake it takes its order back and shouts a new price, uniform over what its
budget allows: from one tick to the value for a buyer, from the cost to the ceiling for a seller; without the
constraint from one tick to the ceiling.

References
----------
Gode & Sunder (1993), Journal of Political Economy 101(1), 119-137: both traders; allocative efficiency.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from marketsim.core.rng import uniforms
from marketsim.core.units import SECOND, Price
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start, StartContext
from marketsim.exchange.rules import BUY, NEVER, POSITION, SELL, cancel_all, limit_order, wait

SIDE, UNITS, CEILING, IS_CONSTRAINED, FIRST_VALUE = range(5)  # state_i, prices in ticks
WAIT = 0  # state_f, ns


class GodeSunder(Population):
    """Zero-intelligence traders with private values."""

    class Config(PopulationConfig):
        """``kind = "gode_sunder"``: random shouts of single units by traders with private values."""

        units: int = Field(default=4, ge=1, le=1_000)
        """Units, of one lot each, that a trader has to buy or to sell."""
        value_low: Price = Decimal("80.00")
        """Lowest private value or cost of a unit, in currency."""
        value_high: Price = Decimal("120.00")
        """Highest private value or cost of a unit, in currency; they are uniform between the two."""
        ceiling: Price = Decimal("200.00")
        """Highest price that is ever shouted, in currency."""
        constrained: bool = True
        """Whether traders keep to their values (ZI-C) or not (ZI-U)."""
        shout_rate: float = Field(default=1.0, gt=0.0, le=1e6)
        """Shouts per trader and second."""

        @model_validator(mode="after")
        def _prices_rise(self) -> Self:
            if not self.value_low < self.value_high <= self.ceiling:
                raise ValueError("expected value_low < value_high <= ceiling")
            return self

    @classmethod
    def start(cls, config: Config, context: StartContext) -> Start:
        """Draw the values of each trader's units."""
        low, high = context.ticks(config.value_low), context.ticks(config.value_high)
        state_i = np.zeros((context.count, FIRST_VALUE + config.units), np.int64)
        is_buyer = np.arange(context.count) % 2 == 0
        state_i[:, SIDE] = np.where(is_buyer, BUY, SELL)
        state_i[:, UNITS], state_i[:, CEILING] = config.units, int(context.ticks(config.ceiling))
        state_i[:, IS_CONSTRAINED] = config.constrained
        draws = [low + context.uniforms(f"value {unit}") * (high - low) for unit in range(config.units)]
        values = np.sort(np.rint(np.column_stack(draws)).astype(np.int64), axis=1)
        state_i[:, FIRST_VALUE:] = np.where(is_buyer[:, None], values[:, ::-1], values)
        state_f = np.full((context.count, 1), SECOND / config.shout_rate)
        first = [wait(u, SECOND / config.shout_rate) for u in context.uniforms("first wake").tolist()]
        return Start(state_i, state_f, np.array(first, np.int64))

    @staticmethod
    def wake(state_i: Any, state_f: Any, agent: int, now: int, market: Any, counters: Any, out: Any) -> int:
        """Shout a price for the next unit."""
        own, done = state_i[agent], abs(market[POSITION])
        cancel_all(out)
        if done >= own[UNITS]:
            return NEVER
        u_wait, u_price, _, _ = uniforms(counters, 0)
        low, high = 1, own[CEILING]
        if own[IS_CONSTRAINED] != 0:
            value = own[FIRST_VALUE + done]
            if own[SIDE] == BUY:
                high = value
            else:
                low = value
        limit_order(out, own[SIDE], low + int(u_price * (high - low + 1)), 1, 0)
        return now + wait(u_wait, state_f[agent, WAIT])
