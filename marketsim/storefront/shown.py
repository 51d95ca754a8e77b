"""From the numbers of the kernel to a ``Page``, with ids that tell nothing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from marketsim.storefront.kernel import memory
from marketsim.storefront.page import Offer, Page

if TYPE_CHECKING:
    from marketsim.storefront.engine import Storefront
    from marketsim.storefront.pending import OpenPage


def opaque_id(seed: int, replicate: int, choice_set: int, slot: int) -> str:
    """Return ten hexadecimal digits that stand for an offer of one page, and for nothing on any other."""
    text = json.dumps([seed, replicate, "storefront", "offer", choice_set, slot])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:10]


def page_of(shop: Storefront, shown: OpenPage, seed: int, replicate: int) -> Page:
    """Return a page that lies in memory as the kernel made it."""
    catalog, config, choice_set = shop.catalog, shop.config, int(shown.facts[0])
    shelf = shop.shelf(int(shown.facts[2]))
    offers = []
    for slot, row in enumerate(shown.offers[: shown.shown].tolist()):
        product = row[memory.O_PRODUCT]
        offers.append(
            Offer(
                slot=slot,
                product=product,
                opaque_id=opaque_id(seed, replicate, choice_set, slot),
                title=catalog.title[product],
                description=catalog.description[product],
                price_minor=row[memory.O_PRICE],
                was_price_minor=row[memory.O_WAS] if row[memory.O_WAS] > row[memory.O_PRICE] else 0,
                rating_tenths=row[memory.O_RATING],
                reviews=row[memory.O_REVIEWS],
                sponsored=bool(row[memory.O_SPONSORED]),
                overall_pick=bool(row[memory.O_PICK]),
                best_seller=bool(row[memory.O_BEST_SELLER]),
                limited_time=bool(row[memory.O_LIMITED]),
                scarcity=row[memory.O_LEFT],
                image=catalog.image[product],
                category=catalog.category[product],
                attributes=tuple(catalog.attributes[product].items()),
            )
        )
    return Page(
        query=shop.queries[shelf.query] if shelf.query >= 0 else "",
        category=shop.categories[shelf.category] if shelf.category >= 0 else "",
        rows=config.page.rows,
        columns=config.page.columns,
        number=1,
        pages=config.page.pages,
        offers=tuple(offers),
        currency=config.currency,
    )
