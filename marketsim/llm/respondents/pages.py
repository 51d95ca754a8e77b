"""Reading a page of a shop as it is shown, in any of its views: what a shopper that can read would take from it."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from marketsim.llm.request import Json

TAGS = {
    "sponsored": "sponsored",
    "overall pick": "overall_pick",
    "best seller": "best_seller",
    "limited-time offer": "limited_time",
    "discounted": "discounted",
}


class SeenOffer(NamedTuple):
    """An offer as it can be read off a page."""

    id: str
    price: float
    rating: float
    """Stars; 0: not rated."""
    reviews: int
    tags: frozenset[str]
    only_left: int
    """0: not said."""


def page_in(text: str) -> str:
    """Return the text between ``<page>`` and ``</page>``; empty where there is none."""
    found = re.search(r"<page>\n(.*?)\n</page>", text, re.DOTALL)
    return found[1] if found else ""


def offers_in(page: str) -> list[SeenOffer]:
    """Return the offers of a page in the order shown; JSON, HTML, Markdown and plain text are told apart."""
    if page.lstrip().startswith("{"):
        return [_from_json(offer) for offer in json.loads(page).get("offers", ())]
    if "<main" in page:
        parts = re.split(r'<li id="offer-(\w+)">', page)
        return [_from_html(name, body) for name, body in zip(parts[1::2], parts[2::2], strict=True)]
    if re.search(r"^\d+\. \*\*", page, re.MULTILINE):
        parts = re.split(r"^\d+\. \*\*.*\*\* \(id (\w+)\)$", page, flags=re.MULTILINE)
        plain = [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", part) for part in parts]
        return [_from_lines(name, body) for name, body in zip(plain[1::2], plain[2::2], strict=True)]
    parts = re.split(r"^offer (\w+)$", page, flags=re.MULTILINE)
    return [_from_lines(name, body) for name, body in zip(parts[1::2], parts[2::2], strict=True)]


def _from_json(offer: Json) -> SeenOffer:
    return SeenOffer(
        offer["id"],
        float(offer["price"]),
        float(offer["rating"] or 0.0),
        int(offer["review_count"]),
        frozenset(offer["tags"]) - {"only_left"},
        int(offer["only_left"] or 0),
    )


def _from_html(name: str, body: str) -> SeenOffer:
    tags = re.findall(r'<li class="tag (\w+)">', body)
    return SeenOffer(
        name,
        _number(r"<strong>[^\d<]*([\d,]+\.\d\d)", body),
        _number(r'<p class="rating">.*?<span>([\d.]+)<', body),
        int(_number(r'<span class="reviews">([\d,]+) review', body)),
        frozenset(tags) - {"only_left"},
        int(_number(r'<li class="tag only_left">Only (\d+) left', body)),
    )


def _from_lines(name: str, body: str) -> SeenOffer:
    listed = re.search(r"^[ -]*tags: (.*)$", body, re.MULTILINE | re.IGNORECASE)
    words = [word.strip().lower() for word in listed[1].split(",")] if listed else []
    left = [re.fullmatch(r"only (\d+) left", word) for word in words]
    return SeenOffer(
        name,
        _number(r"^[ -]*price: [^\d\n]*([\d,]+\.\d\d)", body),
        _number(r"^[ -]*rating: ([\d.]+) out of", body),
        int(_number(r"^[ -]*rating: .*?([\d,]+) reviews?$", body)),
        frozenset(TAGS[word] for word in words if word in TAGS),
        next((int(match[1]) for match in left if match), 0),
    )


def _number(pattern: str, body: str) -> float:
    found = re.search(pattern, body, re.MULTILINE | re.IGNORECASE)
    return float(found[1].replace(",", "")) if found else 0.0
