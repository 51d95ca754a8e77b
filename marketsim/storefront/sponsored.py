"""Slots that are sold, placed by hand."""

from __future__ import annotations

from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import SponsoredConfig
from marketsim.storefront.ranking import Shelf


def placements(catalog: Catalog, shelf: Shelf, config: SponsoredConfig) -> dict[int, int]:
    """Return which product of a shelf stands in each slot that is sold.

    Products of the configuration come first, in its order, then those with the greatest margin, ties by id.

    Returns
    -------
    dict of int to int
        Product to slot, from 0.
    """
    on_shelf = set(shelf.products.tolist())
    number = {name: product for product, name in enumerate(catalog.product_id)}
    named = [number[name] for name in config.products if number[name] in on_shelf]
    margin = catalog.price_minor - catalog.cost_minor
    rest = sorted(on_shelf - set(named), key=lambda product: (-margin[product], catalog.product_id[product]))
    return dict(zip(named + rest, (slot - 1 for slot in config.slots), strict=False))
