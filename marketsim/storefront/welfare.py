"""What the person served makes of products: the principal's utility, and the best that a shelf holds for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from marketsim.core import fmath
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.kernel import memory
from marketsim.storefront.ranking import Shelf
from marketsim.storefront.shopper_config import PrincipalConfig, ShopperConfig
from marketsim.storefront.shoppers import DEFAULT_OUTSIDE

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

INTRINSIC = memory.FEATURES[: memory.N_INTRINSIC]


def principal_of(table: ShopperConfig) -> tuple[FloatArray, float]:
    """Return the principal's coefficients, float64[N_INTRINSIC], and its utility of not buying."""
    shares = [one.share for one in table.classes] or [1.0]
    means = np.array([[getattr(choice, name) for name in INTRINSIC] for choice in table.choices], np.float64)
    outside = [DEFAULT_OUTSIDE if choice.outside is None else choice.outside for choice in table.choices]
    left = float(np.dot(shares, outside))
    principal = table.principal
    if principal is None:
        return np.asarray(np.dot(shares, means), np.float64), left
    return principal_coefficients(principal), left if principal.outside is None else principal.outside


def principal_coefficients(principal: PrincipalConfig) -> FloatArray:
    """Return the numbers of a table, float64[N_INTRINSIC]."""
    return np.array([getattr(principal, name) for name in INTRINSIC], np.float64)


def listed_features(catalog: Catalog) -> FloatArray:
    """Return ln price, ln (reviews + 1) and quality of each product, float64[products, PRODUCT_FLOATS]."""
    table = np.zeros((len(catalog), memory.PRODUCT_FLOATS))
    for product, (price, reviews) in enumerate(zip(catalog.price_minor, catalog.reviews, strict=True)):
        table[product, memory.PF_LN_PRICE] = fmath.log(price / 100.0)
        table[product, memory.PF_LN_REVIEWS] = fmath.log(reviews + 1.0)
    table[:, memory.PF_QUALITY] = catalog.quality
    return table


def listed_utilities(catalog: Catalog, features: FloatArray, principal: FloatArray, needs: IntArray) -> FloatArray:
    """Return the principal's utility of each product as it is listed, float64[products]."""
    columns = (
        features[:, memory.PF_LN_PRICE],
        catalog.price_minor / 100.0,
        features[:, memory.PF_LN_REVIEWS],
        catalog.rating_tenths / 10.0,
        features[:, memory.PF_QUALITY],
        needs,
    )
    total = np.zeros(len(catalog))
    for coefficient, column in zip(principal, columns, strict=True):  # in the kernel's order, so that bits agree
        total = total + coefficient * column
    return total


def best_first(shelves: Sequence[Shelf], utilities: FloatArray) -> IntArray:
    """Return the products of each shelf by utility, best first, ties in the order of the catalogue, end to end."""
    ordered = []
    for shelf in shelves:
        products = np.sort(shelf.products)
        ordered.append(products[np.argsort(-utilities[products], kind="stable")])
    return np.concatenate(ordered).astype(np.int64)
