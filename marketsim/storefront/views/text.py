"""The text that an agent reads: one fact a line, so that no text of a product can pass for another fact."""

from __future__ import annotations

from marketsim.storefront.drawings import picture_words
from marketsim.storefront.page import Detail, Offer, Page, Viewable
from marketsim.storefront.views.words import attribute_name, heading, money, numbering, one_line, rating, reviews, tags


def text_of(view: Viewable) -> str:
    """Return a page or a product as lines of text."""
    if isinstance(view, Detail):
        return "\n".join(_detail_lines(view)) + "\n"
    assert isinstance(view, Page)
    n = len(view.offers)
    lines = [heading(view), f"{n} product{'' if n == 1 else 's'} here. {numbering(view)}.", ""]
    for offer in view.offers:
        lines += [f"offer {offer.opaque_id}", *(f"  {line}" for line in _offer_lines(offer, view.currency)), ""]
    return "\n".join(lines)


def _offer_lines(offer: Offer, currency: str) -> list[str]:
    was = f" (was {money(offer.was_price_minor, currency)})" if offer.is_discounted else ""
    shown = ", ".join(tag.words.lower() for tag in tags(offer))
    return [
        f"title: {one_line(offer.title)}",
        f"price: {money(offer.price_minor, currency)}{was}",
        f"rating: {rating(offer)}, {reviews(offer)}",
        *([f"tags: {shown}"] if shown else []),
        f"picture: {picture_words(offer)}",
    ]


def _detail_lines(detail: Detail) -> list[str]:
    offer = detail.offer
    lines = [f"offer {offer.opaque_id}", *(f"  {line}" for line in _offer_lines(offer, detail.currency))]
    if offer.description:
        lines.append(f"  description: {one_line(offer.description)}")
    return lines + [f"  {attribute_name(name)}: {one_line(value)}" for name, value in offer.attributes]
