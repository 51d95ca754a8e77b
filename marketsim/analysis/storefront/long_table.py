"""The choices of a run as the long table that estimators take: one row an offer shown."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

IMPRESSION_COLUMNS: Final = (
    "choice_set",
    "shopper",
    "category",
    "page",
    "slot",
    "row",
    "column",
    "product",
    "price_minor",
    "was_price_minor",
    "rating_tenths",
    "reviews",
    "sponsored",
    "overall_pick",
    "best_seller",
    "limited_time",
    "scarcity",
    "chosen",
    "propensity_sponsored",
    "propensity_overall_pick",
    "propensity_scarcity",
)
"""Columns of ``storefront/impressions`` that are needed."""

CHOICE_COLUMNS: Final = ("choice_set", "outcome")
LISTING_COLUMNS: Final = ("product", "product_id", "price_minor")

OUTCOME: Final = "run_outcome"
"""Column of the long table that tells a run's from a table of any other source."""

LEFT, BOUGHT, INVALID, OPEN = range(4)
"""Outcomes in ``storefront/choices``."""

_SAME: Final = (
    "sponsored",
    "overall_pick",
    "best_seller",
    "limited_time",
    "scarcity",
    "propensity_sponsored",
    "propensity_overall_pick",
    "propensity_scarcity",
)


def choice_table(
    impressions: pd.DataFrame, choices: pd.DataFrame | None = None, listings: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the choices of a shop as a long table.

    Parameters
    ----------
    impressions : DataFrame
        ``storefront/impressions``, at least ``IMPRESSION_COLUMNS``, codes as numbers.
    choices : DataFrame, optional
        ``storefront/choices``, for the outcome of sets in which nothing was bought.
    listings : DataFrame, optional
        ``storefront/listings``, for the ids of products; without it they are numbers.

    Returns
    -------
    DataFrame
        choice_set, alternative, chosen, run_outcome, shopper, category, product, page, slot (from 1), row, col; price,
        reviews and rating as shown (currency, count, stars); sponsored, overall_pick, best_seller, limited_time,
        discounted, scarcity (0 or 1), propensities. ``alternative`` is the product, or the slot where one product
        stands in several. ``run_outcome`` is ``LEFT`` to ``OPEN``; -1 where the choices are not given.
    """
    product = impressions["product"].to_numpy()
    if listings is not None:
        names = pd.Series(listings["product_id"].to_numpy(), index=listings["product"].to_numpy())
        product = names.reindex(product).to_numpy()
    slot = impressions["slot"].to_numpy() + 1
    repeated = impressions.duplicated(["choice_set", "product"]).any()
    table = pd.DataFrame(
        {
            "choice_set": impressions["choice_set"],
            "alternative": slot if repeated else product,
            "chosen": impressions["chosen"],
            OUTCOME: _outcomes(impressions, choices),
            "shopper": impressions["shopper"],
            "category": impressions["category"],
            "product": product,
            "page": impressions["page"],
            "slot": slot,
            "row": impressions["row"],
            "col": impressions["column"],
            "price": impressions["price_minor"] / 100.0,
            "reviews": impressions["reviews"],
            "rating": impressions["rating_tenths"] / 10.0,
            "discounted": (impressions["was_price_minor"] > impressions["price_minor"]).astype(np.int8),
        }
    )
    return table.assign(**{name: impressions[name].to_numpy() for name in _SAME})


def bought_only(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sets in which something was bought or an answer was invalid, without those that were left or open.

    Leaving is a choice, not a failure: what is left says which offer is bought by those who buy, and under the
    multinomial logit that has the same coefficients.
    """
    return table[~table[OUTCOME].isin([LEFT, OPEN])].reset_index(drop=True)


def _outcomes(impressions: pd.DataFrame, choices: pd.DataFrame | None) -> np.ndarray:
    if choices is None:
        return np.full(len(impressions), -1)
    known = pd.Series(choices["outcome"].to_numpy(), index=choices["choice_set"].to_numpy())
    return known.reindex(impressions["choice_set"]).fillna(-1).to_numpy().astype(np.int64)
