"""``Page``: what one shopper is shown, one object however it is viewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Offer(NamedTuple):
    """A product as it is shown."""

    slot: int
    """Place, from 0, running on from page to page."""
    product: int
    """Number in the catalogue; never shown."""
    opaque_id: str
    """What stands for it on the page: it tells neither product nor place."""
    title: str
    description: str
    price_minor: int
    was_price_minor: int
    """Price before the sale; 0: none."""
    rating_tenths: int
    reviews: int
    sponsored: bool
    overall_pick: bool
    best_seller: bool
    limited_time: bool
    scarcity: int
    """The N of "only N left"; 0: not said."""
    image: str


@dataclass(frozen=True)
class Page:
    """The offers that answer a search or fill a category, in the order of their slots."""

    query: str
    category: str
    rows: int
    columns: int
    number: int
    """Of the first page held, from 1."""
    pages: int
    offers: tuple[Offer, ...]
    currency: str
