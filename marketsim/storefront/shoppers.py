"""Shoppers as rows of numbers that the kernel reads: arrivals, tastes, attention, nests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from marketsim.core import fmath
from marketsim.core.units import HOUR, to_minor
from marketsim.core.venue import NEVER
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import BuyersConfig, GridConfig
from marketsim.storefront.kernel import memory
from marketsim.storefront.regimes import CURRENCY_DECIMALS
from marketsim.storefront.shopper_config import (
    AttentionConfig,
    ChoiceConfig,
    DeviationsConfig,
    PoissonConfig,
    ShopperConfig,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ATTENTION: Final = {"full": memory.FULL, "position": memory.POSITION, "cascade": memory.CASCADE}
YARDSTICKS: Final = {
    "slot": memory.BY_SLOT,
    "price": memory.BY_PRICE,
    "rating": memory.BY_RATING,
    "reviews": memory.BY_REVIEWS,
}
DEFAULT_OUTSIDE = 0.0
"""Utility of leaving where nothing says otherwise."""


def class_rows(table: ShopperConfig) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the classes of a population.

    Returns
    -------
    float64 array, shape (classes, CLASS_WORDS)
        Share of the class and those before it, utility of leaving.
    float64 arrays, shape (classes, N_FEATURES)
        Means and standard deviations of coefficients.
    """
    shares = [one.share for one in table.classes] or [1.0]
    deviations = [one.deviations for one in table.classes] or [table.deviations]
    outside = [DEFAULT_OUTSIDE if choice.outside is None else choice.outside for choice in table.choices]
    words = np.column_stack([np.cumsum(shares), outside]).astype(np.float64)
    return (
        words,
        np.array([coefficients(choice) for choice in table.choices]),
        np.array(list(map(coefficients, deviations))),
    )


def coefficients(config: ChoiceConfig | DeviationsConfig) -> FloatArray:
    """Return the numbers of a table, float64[N_FEATURES]."""
    return np.array([getattr(config, name) for name in memory.FEATURES], np.float64)


def place_utilities(choice: ChoiceConfig, grid: GridConfig) -> FloatArray:
    """Return the utility of each slot, float64[slots]: of its row, its column and its number."""
    slot = np.arange(grid.slots)
    on_page = slot % (grid.rows * grid.columns)
    places = ((choice.row, on_page // grid.columns), (choice.column, on_page % grid.columns), (choice.slot, slot))
    total = np.zeros(grid.slots)
    for effects, number in places:
        padded = np.zeros(grid.slots + max(len(effects), 1))
        padded[: len(effects)] = effects
        total += padded[number]
    return total


def look_probabilities(attention: AttentionConfig, slots: int) -> FloatArray:
    """Return the probability to look at each slot, float64[slots]."""
    if attention.model != "position":
        return np.ones(slots)
    given = attention.probabilities
    if given:
        return np.array([given[min(slot, len(given) - 1)] for slot in range(slots)])
    return np.array([fmath.exp(-attention.decay * fmath.log(slot + 1.0)) for slot in range(slots)])


def nest_codes(table: ShopperConfig, catalog: Catalog) -> IntArray:
    """Return the nest of each product, int64[products]; all 0 without nests."""
    if table.nests is None:
        return np.zeros(len(catalog), np.int64)
    by = table.nests.by
    values = list(catalog.category) if by == "category" else [row.get(by, "") for row in catalog.attributes]
    number = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return np.array([number[value] for value in values], np.int64)


def needs_met(table: ShopperConfig | BuyersConfig, catalog: Catalog) -> IntArray:
    """Return 1 for each product that has all attributes needed, int64[products]; all 0 where nothing is needed."""
    needs = table.needs
    is_needed = bool(needs) or table.need_price is not None
    met = [is_needed and all(row.get(key) == value for key, value in needs.items()) for row in catalog.attributes]
    return np.array(met, np.int64)


def need_price_minor(table: ShopperConfig | BuyersConfig) -> int:
    """Return the price up to which an offer meets the needs, in minor units."""
    return NEVER if table.need_price is None else to_minor(table.need_price, CURRENCY_DECIMALS)


def daily_profile(table: ShopperConfig) -> FloatArray:
    """Return how likely an arrival is to come in by the hour of the day, float64[HOURS]; 1 in the busiest hour."""
    weights = table.arrivals.profile if isinstance(table.arrivals, PoissonConfig) else ()
    profile = np.array(weights or np.ones(memory.HOURS), np.float64)
    return np.asarray(profile / profile.max(), np.float64)


def rate_per_ns(table: ShopperConfig) -> float:
    """Return the rate of arrivals in the busiest hour; 0 for trials."""
    if not isinstance(table.arrivals, PoissonConfig):
        return 0.0
    return table.arrivals.rate / HOUR / float(daily_profile(table).mean())


def population_row(
    table: ShopperConfig, trials: int, n_shelves: int, duration_ns: int, first_gap: float
) -> tuple[IntArray, FloatArray]:
    """Return the words and numbers of a population, without its places in other arrays.

    Parameters
    ----------
    table : ShopperConfig
        The population.
    trials : int
        Visits to each shelf, where it comes for trials.
    n_shelves : int
        Shelves that it visits.
    duration_ns : int
        Length of the run.
    first_gap : float
        Uniform draw for its first arrival.
    """
    words, numbers = np.zeros(memory.POPULATION_WORDS, np.int64), np.zeros(memory.POPULATION_FLOATS)
    consideration, attention, rate = table.consideration, table.attention, rate_per_ns(table)
    is_poisson = isinstance(table.arrivals, PoissonConfig)
    words[memory.W_NEXT] = int(-fmath.log(first_gap) / rate) if is_poisson else 0
    words[memory.W_MODE] = memory.POISSON if is_poisson else memory.TRIALS
    words[memory.W_COUNT] = table.count
    words[memory.W_CLASSES] = len(table.choices)
    words[memory.W_HAS_TASTES] = len(table.classes) > 1 or bool(class_rows(table)[2].any())
    words[memory.W_ATTENTION] = ATTENTION[attention.model]
    words[memory.W_CONSIDER] = consideration.size if consideration is not None else 0
    words[memory.W_CONSIDER_BY] = YARDSTICKS[consideration.by] if consideration is not None else 0
    words[memory.W_BUDGET] = NEVER if table.budget is None else to_minor(table.budget, CURRENCY_DECIMALS)
    words[memory.W_WALLET] = NEVER if table.wallet is None else to_minor(table.wallet, CURRENCY_DECIMALS)
    words[memory.W_SHELVES] = n_shelves
    words[memory.W_TRIALS] = trials
    words[memory.W_STEP] = duration_ns // (trials * n_shelves)
    words[memory.W_HAS_NESTS] = table.nests is not None
    words[memory.W_HAS_OUTSIDE] = table.choices[0].outside is not None
    words[memory.W_NEED_PRICE] = need_price_minor(table)
    numbers[memory.WF_RATE] = rate
    numbers[memory.WF_PERSISTENCE] = attention.persistence
    numbers[memory.WF_DISSIMILARITY] = table.nests.dissimilarity if table.nests is not None else 1.0
    return words, numbers


def numbers_of_shoppers(tables: Sequence[ShopperConfig]) -> list[int]:
    """Return the number of the first shopper of each population, then the first that is free; they count from 1."""
    return [1 + int(total) for total in np.cumsum([0, *(table.count for table in tables)])]


def planted_choice(tables: Sequence[ShopperConfig]) -> dict[str, Any] | None:
    """Return the coefficients that an estimate from the choices of these shoppers should find again.

    None where they are not all multinomial logits of one vector over everything that they are shown: a fit then finds
    something else, and rightly.
    """
    if not tables or any(_is_no_logit(table) or table.choice != tables[0].choice for table in tables):
        return None
    return tables[0].choice.model_dump(mode="json")


def _is_no_logit(table: ShopperConfig) -> bool:
    narrows = table.consideration is not None or table.budget is not None or table.wallet is not None
    narrows |= table.need_price is not None and table.choice.need != 0.0  # a step in the price, which no fit looks for
    varies = bool(table.classes) or table.nests is not None or bool(coefficients(table.deviations).any())
    return narrows or varies or table.attention.model != "full"
