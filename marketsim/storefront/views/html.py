"""The page as one HTML document: no script, no font, no picture from anywhere else; light or dark, at any width.

Its places are those of the grid from 960 pixels of width on; narrower screens show the same offers, in the same order,
in fewer columns. Texts are escaped by Jinja2. A picture is an ``<img>`` of a ``data:`` URI, in which a browser runs no
script and loads nothing; the document's content security policy forbids the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from marketsim.storefront.drawings import picture_uri, picture_words
from marketsim.storefront.page import Detail, Offer, Page, Viewable
from marketsim.storefront.views.words import attribute_name, heading, money, numbering, one_line, rating, reviews, tags

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class Links:
    """Where the controls of a page lead, for a server that shows it; empty: nowhere.

    Paths on the same server, such as ``/offer/{id}``: ``{id}`` stands for an offer's opaque id, ``{number}`` for the
    number of a page.

    Raises
    ------
    ValueError
        A path does not begin with one ``/``, so that it could lead elsewhere.
    """

    search: str = ""
    """Takes the form field ``query`` by GET."""
    page: str = ""
    """Shows another page: ``/page/{number}``."""
    open: str = ""
    """Shows an offer: ``/offer/{id}``."""
    buy: str = ""
    """Takes an empty POST: ``/buy/{id}``."""
    back: str = ""
    """From an offer to its page."""

    def __post_init__(self) -> None:
        """Refuse paths that could lead elsewhere."""
        for name, path in vars(self).items():
            if path and (not path.startswith("/") or path.startswith(("//", "/\\"))):
                raise ValueError(f"{name}: expected a path on this server, such as /offer/{{id}}; found {path}")


def html_of(view: Viewable, links: Links | None) -> str:
    """Return a page or a product as a document."""
    links = links or Links()
    if isinstance(view, Detail):
        return _templates().get_template("detail.html").render(_detail(view, links))
    assert isinstance(view, Page)
    return _templates().get_template("page.html").render(_page(view, links))


def _page(page: Page, links: Links) -> dict[str, Any]:
    n = len(page.offers)
    return {
        "title": heading(page),
        "query": one_line(page.query),
        "count": f"{n} product{'' if n == 1 else 's'}",
        "numbering": numbering(page),
        "pages": [(number, page.number <= number <= page.held) for number in range(1, page.pages + 1)],
        "columns": page.columns,
        "offers": [_offer(offer, page.currency) for offer in page.offers],
        "links": links,
    }


def _detail(detail: Detail, links: Links) -> dict[str, Any]:
    offer = detail.offer
    return {
        "title": one_line(offer.title),
        "query": "",
        "offer": _offer(offer, detail.currency),
        "description": one_line(offer.description),
        "attributes": [(attribute_name(name), one_line(value)) for name, value in offer.attributes],
        "links": links,
    }


def _offer(offer: Offer, currency: str) -> dict[str, Any]:
    return {
        "id": offer.opaque_id,
        "title": one_line(offer.title),
        "picture": picture_uri(offer),
        "alt": picture_words(offer),
        "price": money(offer.price_minor, currency),
        "was": money(offer.was_price_minor, currency) if offer.is_discounted else "",
        "rating": f"{offer.rating_tenths / 10:.1f}" if offer.rating_tenths else rating(offer),
        "stars": offer.rating_tenths,
        "reviews": reviews(offer),
        "tags": tags(offer),
    }


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["css"] = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return environment
