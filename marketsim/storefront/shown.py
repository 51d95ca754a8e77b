"""From the numbers of the kernel, or of a run's tables, to a ``Page``, with ids that tell nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import StorefrontConfig
from marketsim.storefront.kernel import memory
from marketsim.storefront.page import Offer, Page

if TYPE_CHECKING:
    from marketsim.storefront.engine import Storefront
    from marketsim.storefront.pending import OpenPage


class Visit(NamedTuple):
    """Which page of which run it is, and what it answers."""

    seed: int
    replicate: int
    choice_set: int
    query: str
    """Empty where a category is shown."""
    category: str
    """Empty where it is a search of all."""


def opaque_id(seed: int, replicate: int, choice_set: int, slot: int) -> str:
    """Return ten hexadecimal digits that stand for an offer of one page, and for nothing on any other."""
    text = json.dumps([seed, replicate, "storefront", "offer", choice_set, slot])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:10]


def page_of(shop: Storefront, shown: OpenPage, seed: int, replicate: int) -> Page:
    """Return a page that lies in memory as the kernel made it."""
    shelf = shop.shelf(int(shown.facts[2]))
    visit = Visit(
        seed,
        replicate,
        int(shown.facts[0]),
        shop.queries[shelf.query] if shelf.query >= 0 else "",
        shop.categories[shelf.category] if shelf.category >= 0 else "",
    )
    rows = [
        {
            "slot": slot,
            "product": row[memory.O_PRODUCT],
            "price_minor": row[memory.O_PRICE],
            "was_price_minor": row[memory.O_WAS],
            "rating_tenths": row[memory.O_RATING],
            "reviews": row[memory.O_REVIEWS],
            "sponsored": row[memory.O_SPONSORED],
            "overall_pick": row[memory.O_PICK],
            "best_seller": row[memory.O_BEST_SELLER],
            "limited_time": row[memory.O_LIMITED],
            "left": row[memory.O_LEFT],
        }
        for slot, row in enumerate(shown.offers[: shown.shown].tolist())
    ]
    return page_of_rows(rows, shop.catalog, shop.config, visit)


def page_of_rows(rows: Sequence[Mapping[str, Any]], catalog: Catalog, config: StorefrontConfig, visit: Visit) -> Page:
    """Return a page from its rows of ``storefront/impressions``, in the order of slots."""
    offers = []
    for row in rows:
        product, slot = int(row["product"]), int(row["slot"])
        is_sale = row["was_price_minor"] > row["price_minor"]
        offers.append(
            Offer(
                slot=slot,
                product=product,
                opaque_id=opaque_id(visit.seed, visit.replicate, visit.choice_set, slot),
                title=catalog.title[product],
                description=catalog.description[product],
                price_minor=int(row["price_minor"]),
                was_price_minor=int(row["was_price_minor"]) if is_sale else 0,
                rating_tenths=int(row["rating_tenths"]),
                reviews=int(row["reviews"]),
                sponsored=bool(row["sponsored"]),
                overall_pick=bool(row["overall_pick"]),
                best_seller=bool(row["best_seller"]),
                limited_time=bool(row["limited_time"]),
                scarcity=int(row["left"]),
                image=catalog.image[product],
                category=catalog.category[product],
                attributes=tuple(catalog.attributes[product].items()),
            )
        )
    return Page(
        query=visit.query,
        category=visit.category,
        rows=config.page.rows,
        columns=config.page.columns,
        number=1,
        pages=config.page.pages,
        offers=tuple(offers),
        currency=config.currency,
    )
