"""The page as one JSON object, and the schemas of it."""

from __future__ import annotations

import json
from typing import Any, Final

from marketsim.storefront.drawings import picture_uri, picture_words
from marketsim.storefront.page import Detail, Offer, Page, Viewable
from marketsim.storefront.views.words import one_line, tags

_ESCAPES: Final = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"})
"""So that the text may stand inside an HTML document or a script."""

OFFER_PROPERTIES: Final[dict[str, Any]] = {
    "id": {"type": "string", "description": "stands for the offer on this page, and for nothing on any other"},
    "title": {"type": "string"},
    "price": {"type": "number", "minimum": 0, "description": "in the page's currency"},
    "was_price": {"type": ["number", "null"], "description": "price before the sale; null: not on sale"},
    "rating": {"type": ["number", "null"], "minimum": 1, "maximum": 5, "description": "stars; null: not rated"},
    "review_count": {"type": "integer", "minimum": 0},
    "tags": {
        "type": "array",
        "items": {"enum": ["sponsored", "overall_pick", "best_seller", "limited_time", "discounted", "only_left"]},
    },
    "only_left": {"type": ["integer", "null"], "description": 'the N of "only N left"; null: not said'},
    "image": {"type": "string", "description": "what the picture shows, in words; with images, a data: URI"},
}

PAGE_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Page",
    "type": "object",
    "properties": {
        "query": {"type": ["string", "null"], "description": "what was searched for; null: a category is shown"},
        "category": {"type": ["string", "null"], "description": "null: a search of all"},
        "currency": {"type": "string", "description": "code such as USD"},
        "page": {"type": "integer", "minimum": 1, "description": "number of the first page in offers"},
        "pages": {"type": "integer", "minimum": 1},
        "rows": {"type": "integer", "minimum": 1, "description": "of one page"},
        "columns": {"type": "integer", "minimum": 1, "description": "offers in a row"},
        "offers": {
            "type": "array",
            "description": "in the order of their places: row by row, page by page",
            "items": {
                "type": "object",
                "properties": OFFER_PROPERTIES,
                "required": list(OFFER_PROPERTIES),
                "additionalProperties": False,
            },
        },
    },
    "required": ["query", "category", "currency", "page", "pages", "rows", "columns", "offers"],
    "additionalProperties": False,
}
"""JSON Schema of ``Page.to_json``."""

DETAIL_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Detail",
    "type": "object",
    "properties": {
        "currency": {"type": "string"},
        **OFFER_PROPERTIES,
        "description": {"type": "string"},
        "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["currency", *OFFER_PROPERTIES, "description", "attributes"],
    "additionalProperties": False,
}
"""JSON Schema of ``Detail.to_json``."""


def json_of(view: Viewable, *, images: bool) -> str:
    """Return a page or a product as JSON."""
    if isinstance(view, Detail):
        offer = view.offer
        content = {
            "currency": view.currency,
            **_offer(offer, images),
            "description": one_line(offer.description),
            "attributes": {one_line(name): one_line(value) for name, value in offer.attributes},
        }
    else:
        assert isinstance(view, Page)
        content = {
            "query": one_line(view.query) or None,
            "category": one_line(view.category) or None,
            "currency": view.currency,
            "page": view.number,
            "pages": view.pages,
            "rows": view.rows,
            "columns": view.columns,
            "offers": [_offer(offer, images) for offer in view.offers],
        }
    return json.dumps(content, ensure_ascii=False, indent=2).translate(_ESCAPES)


def _offer(offer: Offer, images: bool) -> dict[str, Any]:
    return {
        "id": offer.opaque_id,
        "title": one_line(offer.title),
        "price": offer.price_minor / 100,
        "was_price": offer.was_price_minor / 100 if offer.is_discounted else None,
        "rating": offer.rating_tenths / 10 if offer.rating_tenths else None,
        "review_count": offer.reviews,
        "tags": [tag.key for tag in tags(offer)],
        "only_left": offer.scarcity or None,
        "image": picture_uri(offer) if images else picture_words(offer),
    }
