"""What a reader of a shop's tables needs to know beside them, as the manifest of a run has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from marketsim.analysis.columns import FloatArray

RANDOMISED: Final = ("permutation", "aces", "factorial", "sobol", "identical")
"""Regimes that draw at least the order of the offers; elsewhere an estimate would credit places with what put the
offers there."""

_TERMS: Final = {
    "ln_price": "ln(price)",
    "price": "price",
    "ln_reviews": "ln(reviews+1)",
    "rating": "rating",
    "sponsored": "sponsored",
    "overall_pick": "overall_pick",
    "best_seller": "best_seller",
    "limited_time": "limited_time",
    "discounted": "discounted",
    "scarcity": "scarcity",
}
"""Coefficient of a shopper to term of a specification, in the order in which figures show them."""


@dataclass(frozen=True)
class ShopFacts:
    """A shop as its manifest describes it.

    Attributes
    ----------
    currency : str
    rows, columns, pages : int
        The grid of offers.
    regime : str
        What is drawn at random.
    categories, queries : tuple of str
        By number.
    shoppers : tuple of str
        Names of the tables of shoppers.
    has_needs : bool
        Whether somebody served asks for attributes or a price.
    planted : mapping of str to number or list of numbers, or None
        Coefficients of the shoppers' choice where all of them choose by one multinomial logit over all that they are
        shown, so that a fit should find them again.
    """

    currency: str
    rows: int
    columns: int
    pages: int
    regime: str
    categories: tuple[str, ...]
    queries: tuple[str, ...] = ()
    shoppers: tuple[str, ...] = ()
    has_needs: bool = False
    planted: Mapping[str, Any] | None = field(default=None)

    @classmethod
    def from_manifest(cls, entry: Mapping[str, Any]) -> ShopFacts:
        """Return the facts under the key ``storefront`` of a manifest."""
        return cls(
            currency=entry["currency"],
            rows=int(entry["rows"]),
            columns=int(entry["columns"]),
            pages=int(entry["pages"]),
            regime=entry["regime"],
            categories=tuple(entry["categories"]),
            queries=tuple(entry["queries"]),
            shoppers=tuple(entry["shoppers"]),
            has_needs=bool(entry["has_needs"]),
            planted=entry["planted"],
        )

    @property
    def slots(self) -> int:
        """Offers on all pages."""
        return self.rows * self.columns * self.pages

    @property
    def is_randomised(self) -> bool:
        """Whether the regime draws what the shoppers are shown."""
        return self.regime in RANDOMISED

    def planted_terms(self, by_slot: bool = False) -> dict[str, float]:
        """Return what a fit should find, by the names that it gives to its coefficients.

        Places are taken against the last one, as a fit does. ``by_slot``: for a specification with ``slot`` instead of
        ``row + col``.
        """
        if self.planted is None:
            return {}
        value = self.planted
        row, column = _padded(value["row"], self.rows), _padded(value["column"], self.columns)
        found = dict(_against_last("slot", self._slot_utilities(row, column))) if by_slot else {}
        if not by_slot:
            found |= dict(_against_last("row", row)) | dict(_against_last("col", column))
        return found | {term: float(value[name]) for name, term in _TERMS.items()}

    @property
    def has_planted_slots(self) -> bool:
        """Whether slots were given utilities of their own, beyond those of rows and columns."""
        return self.planted is not None and any(self.planted["slot"])

    def _slot_utilities(self, row: FloatArray, column: FloatArray) -> FloatArray:
        slot = np.arange(self.slots)
        on_page = slot % (self.rows * self.columns)
        own = _padded((self.planted or {}).get("slot", ()), self.slots)
        return np.asarray(row[on_page // self.columns] + column[on_page % self.columns] + own, np.float64)


TERMS: Final = tuple(_TERMS.values())
"""Terms that a fit may have beside those of places."""


def _padded(values: Sequence[float], n: int) -> FloatArray:
    row = np.zeros(n)
    row[: min(len(values), n)] = values[:n]
    return row


def _against_last(name: str, values: FloatArray) -> list[tuple[str, float]]:
    if len(values) == 2:
        return [(name, float(values[0] - values[1]))]
    return [(f"{name}[{number + 1}]", float(value - values[-1])) for number, value in enumerate(values[:-1])]
