"""Randomised regimes as numbers that the kernel reads, and the points of Sobol's sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.core.units import to_minor
from marketsim.storefront.config import RankingConfig
from marketsim.storefront.kernel import memory
from marketsim.storefront.ranking import weights_of
from marketsim.storefront.regime_config import RandomiseConfig

CURRENCY_DECIMALS = 2
LN_2 = 0.6931471805599453


def law_of(config: RandomiseConfig, ranking: RankingConfig) -> NDArray[np.float64]:
    """Return the numbers of a regime and of a ranking, float64[N_LAW]."""
    law, levels, same, weights = np.zeros(memory.N_LAW), config.levels, config.identical, weights_of(ranking)
    is_identical = config.regime == "identical"
    numbers = {
        memory.L_PRICE_DEVIATION: same.price_deviation if is_identical else config.price_deviation,
        memory.L_RATING_WIDTH: config.a,
        memory.L_REVIEW_DEVIATION: config.review_deviation,
        memory.L_SPONSORED_CHANCE: config.sponsored_chance,
        memory.L_SPONSORED_MOST: config.sponsored_most,
        memory.L_PICK_CHANCE: config.overall_pick_chance,
        memory.L_SCARCITY_CHANCE: config.scarcity_chance,
        memory.L_PRICE_LEVELS: len(levels.price),
        memory.L_RATING_LEVELS: len(levels.rating),
        memory.L_REVIEW_LEVELS: len(levels.reviews),
        memory.L_TAG_SPONSORED: "sponsored" in levels.tags,
        memory.L_TAG_PICK: "overall_pick" in levels.tags,
        memory.L_TAG_SCARCITY: "scarcity" in levels.tags,
        memory.L_PRICE_CUT: same.price_cut,
        memory.L_PRICE_CUT_MINOR: to_minor(same.price_cut_money, CURRENCY_DECIMALS),
        memory.L_RATING_GAIN_TENTHS: round(10 * same.rating_gain),
        memory.L_RATING_DEVIATION: same.rating_deviation,
        memory.L_VELOCITY_WEIGHT: weights.velocity,
        memory.L_EXPLORATION_WEIGHT: weights.exploration,
        memory.L_VELOCITY_DECAY: LN_2 / ranking.half_life if weights.velocity else 0.0,
    }
    law[list(numbers)] = list(numbers.values())
    return law


def level_table(config: RandomiseConfig) -> NDArray[np.float64]:
    """Return the levels of a factorial, float64[LEVEL_ROWS, MAX_LEVELS]: price, rating, reviews."""
    table = np.zeros((memory.LEVEL_ROWS, memory.MAX_LEVELS))
    for row, values in enumerate((config.levels.price, config.levels.rating, config.levels.reviews)):
        table[row, : len(values)] = values
    return table


def sobol_directions(dimensions: int) -> NDArray[np.int64]:
    """Return the direction numbers of a Sobol sequence, int64[dimensions, SOBOL_LOG], of SOBOL_BITS bits each.

    SciPy gives points; in its order two neighbours around 2^j differ by the direction numbers j and j - 1.

    References
    ----------
    Joe & Kuo (2008), SIAM J. Scientific Computing 30(5), 2635-2654: the direction numbers that SciPy uses.
    """
    from scipy.stats import qmc

    directions = np.zeros((dimensions, memory.SOBOL_LOG), np.int64)
    for bit in range(memory.SOBOL_LOG):
        sequence = qmc.Sobol(dimensions, scramble=False, bits=memory.SOBOL_BITS)
        if bit:
            sequence.fast_forward((1 << bit) - 1)
        before, after = (sequence.random(2) * float(1 << memory.SOBOL_BITS)).astype(np.int64)
        directions[:, bit] = before ^ after
    return directions
