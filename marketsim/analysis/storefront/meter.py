"""Counts over the pages of a run, batch by batch, so that memory does not grow with its length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from marketsim.analysis.columns import FloatArray, IntArray

SHOWN_COLUMNS: Final = ("slot", "product", "price_minor", "sponsored", "examined", "chosen")
ANSWER_COLUMNS: Final = (
    "time_ns",
    "category",
    "outcome",
    "price_minor",
    "need_met",
    "need_shown",
    "welfare",
    "welfare_best_shown",
    "welfare_best_listed",
    "welfare_mean_shown",
)
BOUGHT: Final = 1
N_OUTCOMES: Final = 4

STEP: Final = 0.1
"""Width of a bin of the logarithm of a price over the listed one."""
N_STEPS: Final = 12
"""Bins on either side of the listed price."""
ALMOST: Final = 1e-9
"""Utilities that differ by no more than this are equal."""


@dataclass
class PageMeter:
    """What was shown and chosen, by slot, product and price.

    Attributes
    ----------
    listed : int64 array, shape (products,)
        Listed price of each product, minor units; 0 where it is not known.
    slots : int
        Offers on all pages.
    """

    listed: IntArray
    slots: int
    by_slot: IntArray = field(init=False)
    """int64[3, slots]: shown, looked at, chosen."""
    by_product: IntArray = field(init=False)
    """int64[2, products]: shown, chosen."""
    by_price: IntArray = field(init=False)
    """int64[2, 2 N_STEPS + 1]: shown, chosen, by the logarithm of the price over the listed one."""
    log_ratio: FloatArray = field(init=False)
    """float64[2 N_STEPS + 1]: sum of those logarithms over the rows of each bin."""
    sponsored: IntArray = field(init=False)
    """int64[2]: shown and chosen offers with a sponsored tag."""

    def __post_init__(self) -> None:
        """Begin with nothing counted."""
        self.by_slot = np.zeros((3, self.slots), np.int64)
        self.by_product = np.zeros((2, len(self.listed)), np.int64)
        self.by_price = np.zeros((2, 2 * N_STEPS + 1), np.int64)
        self.log_ratio = np.zeros(2 * N_STEPS + 1)
        self.sponsored = np.zeros(2, np.int64)

    def add(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Count rows of ``storefront/impressions``."""
        slot, product, chosen = columns["slot"], columns["product"], columns["chosen"] == 1
        self._grow(int(product.max()) + 1)
        for number, rows in enumerate((slice(None), columns["examined"] == 1, chosen)):
            self.by_slot[number] += np.bincount(slot[rows], minlength=self.slots)
        for number, rows in enumerate((slice(None), chosen)):
            self.by_product[number] += np.bincount(product[rows], minlength=len(self.listed))
            self.sponsored[number] += int(columns["sponsored"][rows].sum())
        listed = self.listed[product]
        known = (listed > 0) & (columns["price_minor"] > 0)
        ratio = np.log(columns["price_minor"][known] / listed[known])
        place = price_bin(ratio)
        self.by_price[0] += np.bincount(place, minlength=2 * N_STEPS + 1)
        self.by_price[1] += np.bincount(place[chosen[known]], minlength=2 * N_STEPS + 1)
        self.log_ratio += np.bincount(place, ratio, minlength=2 * N_STEPS + 1)

    def _grow(self, n_products: int) -> None:
        """Make room for products of which no listing tells."""
        more = n_products - len(self.listed)
        if more > 0:
            self.listed = np.pad(self.listed, (0, more))
            self.by_product = np.pad(self.by_product, ((0, 0), (0, more)))


def price_bin(log_ratio: FloatArray) -> IntArray:
    """Return the bin of the logarithm of a price over the listed one, int64 from 0 to 2 N_STEPS; the ends are open."""
    nearest = np.floor(log_ratio / STEP + 0.5)
    return np.clip(nearest, -N_STEPS, N_STEPS).astype(np.int64) + N_STEPS


@dataclass
class AnswerMeter:
    """What became of the pages, and what that was worth to the persons served."""

    outcomes: IntArray = field(default_factory=lambda: np.zeros(N_OUTCOMES, np.int64))
    """int64[4]: left, bought, invalid, open."""
    revenue_minor: int = 0
    needs_shown: int = 0
    """Answers to pages on which an offer met all needs."""
    needs_missed: int = 0
    """Those of them that chose no such offer."""
    missed: int = 0
    """Answers worth less than the best that was shown."""
    answered: int = 0
    """Choice sets that were bought from or left: those that have a welfare."""
    welfare: FloatArray = field(default_factory=lambda: np.zeros(4))
    """float64[4]: sums over these of the utility of what was chosen, of the best shown, of the best on the shelf, and
    of an offer drawn at random from the page."""
    last_ns: int = 0

    def add(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Count rows of ``storefront/choices``."""
        outcome = columns["outcome"]
        self.outcomes += np.bincount(outcome, minlength=N_OUTCOMES)
        self.revenue_minor += int(columns["price_minor"].sum())
        self.last_ns = max(self.last_ns, int(columns["time_ns"].max()))
        has_answer = outcome <= BOUGHT
        could = has_answer & (columns["need_shown"] == 1)
        self.needs_shown += int(could.sum())
        self.needs_missed += int((could & (columns["need_met"] == 0)).sum())
        names = ("welfare", "welfare_best_shown", "welfare_best_listed", "welfare_mean_shown")
        chosen, best, listed, mean = (columns[name][has_answer] for name in names)
        self.answered += int(has_answer.sum())
        self.missed += int((chosen < best - ALMOST).sum())
        self.welfare += [chosen.sum(), best.sum(), listed.sum(), mean.sum()]
