"""Fundamental values: the numbers that the kernel needs to move one.

On a grid of times ``step`` apart the value x moves by ``x' = m + (x - m) exp(-k step) + s z + jumps``, with the exact
transition of an Ornstein-Uhlenbeck process, ``s^2 = volatility^2 (1 - exp(-2 k step)) / (2 k)``, and a Poisson number
of normal jumps of either sign. It does not fall below 0. The draws of a step are addressed by its number, so the path
does not depend on who asks for it, and is the same for populations of any size.

References
----------
Byrd (2019), Explaining agent-based financial market simulation, arXiv:1909.11650, section 3: the process.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.core import fmath
from marketsim.core.units import SECOND
from marketsim.exchange.config import FundamentalConfig, InstrumentConfig
from marketsim.exchange.kernel.memory import (
    V_DECAY,
    V_DEVIATION,
    V_JUMP_DEVIATION,
    V_JUMP_MEAN,
    V_JUMP_RATE,
    V_MEAN,
    V_NO_JUMP,
    V_VALUE,
    VALUE_WORDS,
)


def transition(config: FundamentalConfig) -> tuple[float, float]:
    """Return the share of a distance from the mean that is left after one step, and the deviation of its noise.

    The noise is in currency.
    """
    seconds = config.step / SECOND
    decay = fmath.exp(-config.reversion_rate * seconds)
    if config.reversion_rate * seconds < 1e-9:  # the limit; the difference below would lose its digits
        return decay, config.volatility * fmath.sqrt(seconds)
    variance = (1.0 - decay * decay) / (2.0 * config.reversion_rate)
    return decay, config.volatility * fmath.sqrt(variance)


def fundamental_values(instrument: InstrumentConfig) -> NDArray[np.float64]:
    """Return the kernel's numbers for an instrument, float64[VALUE_WORDS] in ticks; zeros without a fundamental."""
    values = np.zeros(VALUE_WORDS)
    config = instrument.fundamental
    if config is None:
        return values
    tick = float(instrument.tick_size)
    mean = float(instrument.open_price if config.mean is None else config.mean) / tick
    decay, deviation = transition(config)
    jumps = config.jump_rate * config.step / SECOND
    values[[V_VALUE, V_MEAN]] = mean
    values[V_DECAY], values[V_DEVIATION] = decay, deviation / tick
    values[V_NO_JUMP], values[V_JUMP_RATE] = fmath.exp(-jumps), jumps
    values[V_JUMP_MEAN], values[V_JUMP_DEVIATION] = config.jump_mean / tick, config.jump_deviation / tick
    return values
