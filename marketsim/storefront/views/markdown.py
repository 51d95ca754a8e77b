"""The page as CommonMark. Every character of a text that could be markup is escaped."""

from __future__ import annotations

import re
from typing import Final

from marketsim.storefront.drawings import picture_uri, picture_words
from marketsim.storefront.page import Detail, Offer, Page, Viewable
from marketsim.storefront.views.words import attribute_name, heading, money, numbering, one_line, rating, reviews, tags

_MARKUP: Final = re.compile(r"([!-/:-@\[-`{-~])")
"""ASCII punctuation, each of which CommonMark lets a backslash precede; so no address turns into a link either."""


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def markdown_of(view: Viewable, *, images: bool) -> str:
    """Return a page or a product as CommonMark."""
    if isinstance(view, Detail):
        return "\n".join(_detail_lines(view, images)) + "\n"
    assert isinstance(view, Page)
    lines = [f"# {escaped(heading(view))}", ""]
    first = view.offers[0].slot + 1 if view.offers else 1
    for number, offer in enumerate(view.offers, first):
        mark = f"{number}. "
        facts = _offer_lines(offer, view.currency, images)
        lines.append(f"{mark}**{escaped(offer.title)}** (id {offer.opaque_id})")
        lines += [f"{' ' * len(mark)}- {fact}" for fact in facts]
    return "\n".join([*lines, "", f"{numbering(view)}."]) + "\n"


def _offer_lines(offer: Offer, currency: str, images: bool) -> list[str]:
    was = f", was ~~{escaped(money(offer.was_price_minor, currency))}~~" if offer.is_discounted else ""
    shown = ", ".join(escaped(tag.words) for tag in tags(offer))
    words = escaped(picture_words(offer))
    return [
        f"![{words}]({picture_uri(offer)})" if images else f"Picture: {words}",
        f"Price: **{escaped(money(offer.price_minor, currency))}**{was}",
        f"Rating: {escaped(rating(offer))}, {escaped(reviews(offer))}",
        *([f"Tags: {shown}"] if shown else []),
    ]


def _detail_lines(detail: Detail, images: bool) -> list[str]:
    offer = detail.offer
    lines = [f"# {escaped(offer.title)}", "", f"- Id: {offer.opaque_id}"]
    lines += [f"- {fact}" for fact in _offer_lines(offer, detail.currency, images)]
    if offer.attributes:
        lines += [f"- {escaped(attribute_name(name))}: {escaped(value)}" for name, value in offer.attributes]
    return [*lines, "", escaped(offer.description)] if offer.description else lines
