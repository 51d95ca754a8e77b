"""The words that every view shares: amounts, ratings, tags, and texts on one line."""

from __future__ import annotations

from typing import Final, NamedTuple

from marketsim.storefront.page import Offer, Page

SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
"""Currencies whose symbol stands in front of the amount; others follow it by their code."""


class Tag(NamedTuple):
    """A tag of an offer."""

    key: str
    """As programs read it."""
    words: str
    """As people do."""


def one_line(text: str) -> str:
    """Return a text on one line, without what could hide words, turn them round or forge a line of its own.

    Characters that Unicode counts as not printable become spaces: controls, line separators, bidirectional marks,
    joiners and tags without width, private use.
    """
    shown = text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
    return " ".join(shown.split())


def money(minor: int, currency: str) -> str:
    """Return an amount with its currency: ``$89.99``, or ``89.99 SEK``."""
    amount = f"{minor // 100:,}.{minor % 100:02d}"
    return f"{SYMBOLS[currency]}{amount}" if currency in SYMBOLS else f"{amount} {currency}"


def rating(offer: Offer) -> str:
    """Return ``4.5 out of 5 stars``, or that there is no rating."""
    return f"{offer.rating_tenths / 10:.1f} out of 5 stars" if offer.rating_tenths else "not rated"


def reviews(offer: Offer) -> str:
    """Return ``1,204 reviews``."""
    return f"{offer.reviews:,} review{'' if offer.reviews == 1 else 's'}"


def tags(offer: Offer) -> list[Tag]:
    """Return the tags of an offer, always in one order; how many are left is the last."""
    found = [
        (offer.sponsored, Tag("sponsored", "Sponsored")),
        (offer.overall_pick, Tag("overall_pick", "Overall pick")),
        (offer.best_seller, Tag("best_seller", "Best seller")),
        (offer.limited_time, Tag("limited_time", "Limited-time offer")),
        (offer.is_discounted, Tag("discounted", "Discounted")),
        (offer.scarcity > 0, Tag("only_left", f"Only {offer.scarcity} left")),
    ]
    return [tag for is_shown, tag in found if is_shown]


def heading(page: Page) -> str:
    """Return what the page answers: a search, or a category."""
    if page.query:
        return f"Results for “{one_line(page.query)}”"
    return one_line(page.category) or "All products"


def numbering(page: Page) -> str:
    """Return ``Page 2 of 3``, or ``Pages 1 to 3 of 3``."""
    if page.held > page.number:
        return f"Pages {page.number} to {page.held} of {page.pages}"
    return f"Page {page.number} of {page.pages}"


def attribute_name(name: str) -> str:
    """Return the name of an attribute as a heading: ``Battery life``."""
    words = one_line(name.replace("_", " "))
    return words[:1].upper() + words[1:]
