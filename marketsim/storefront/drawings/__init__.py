"""Pictures of products, drawn by code from what the catalogue says of them: category, type and colour."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from marketsim.storefront.drawings import home, kitchen, parcel, personal, sport
from marketsim.storefront.drawings.colours import digits, mixed, shades, tint
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import HEIGHT, WIDTH, Drawing
from marketsim.storefront.views.words import one_line

if TYPE_CHECKING:
    from marketsim.storefront.page import Offer

BY_CATEGORY: Final[Mapping[str, Callable[[Drawing, Look], None]]] = {
    "coffee grinder": kitchen.coffee_grinder,
    "frying pan": kitchen.frying_pan,
    "water bottle": sport.water_bottle,
    "running shoes": sport.running_shoes,
    "yoga mat": sport.yoga_mat,
    "backpack": sport.backpack,
    "desk lamp": home.desk_lamp,
    "office chair": home.office_chair,
    "wall clock": home.wall_clock,
    "bluetooth speaker": personal.bluetooth_speaker,
    "toothbrush": personal.toothbrush,
    "umbrella": personal.umbrella,
}
"""Categories that have a drawing of their own; all others are drawn as a package."""


def draw(category: str, title: str, attributes: tuple[tuple[str, str], ...] = ()) -> Drawing:
    """Return the drawing of a product.

    Its ``colour``, ``type`` and ``material`` among the attributes are followed; what they leave open, such as how wide
    a handle is, the title decides, so that no two products look the same.
    """
    known = {name.lower(): value for name, value in attributes}
    colour = known.get("colour", known.get("color", ""))
    look = Look(
        colour=shades(colour, title),
        kind=known.get("type", "").lower(),
        material=known.get("material", "").lower(),
        digits=digits(title),
    )
    drawing = Drawing()
    back = tint(category.lower())
    drawing.rect(0, 0, WIDTH, HEIGHT, back)
    painter = BY_CATEGORY.get(category.lower(), parcel.package)
    if painter is not home.wall_clock:  # which hangs; all others stand on something
        drawing.ellipse(100, 141, 62, 7, mixed(back, "#45505c", 0.16))
    painter(drawing, look)
    return drawing


def picture_uri(offer: Offer) -> str:
    """Return the picture of an offer as a ``data:`` URI: its own, or one drawn."""
    return offer.image or _drawn_uri(offer.category, offer.title, offer.attributes)


def picture_words(offer: Offer) -> str:
    """Return what the picture of an offer shows, on one line, for those who do not see it."""
    if offer.image:
        return f"photo of {one_line(offer.title)}"
    category = offer.category.lower()
    if category not in BY_CATEGORY:
        return one_line(f"drawing: package of {category}" if category else "drawing: package")
    known = {name.lower(): value for name, value in offer.attributes}
    return one_line(f"drawing: {known.get('colour', known.get('color', '')).lower()} {category}")


@lru_cache(maxsize=4096)
def _drawn_uri(category: str, title: str, attributes: tuple[tuple[str, str], ...]) -> str:
    svg = draw(category, title, attributes).to_svg()
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("ascii")).decode("ascii")
