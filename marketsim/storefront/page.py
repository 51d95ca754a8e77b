"""``Page``: what one shopper is shown, one object however it is viewed; ``Detail``: one of its products, opened.

Both are immutable, and a view is a function of them alone: every view of a page has the same offers in the same order.

>>> offer = Offer(slot=0, product=0, opaque_id="3f", title="Cork mat", description="", price_minor=4299)
>>> page = Page(query="mat", category="", rows=1, columns=1, number=1, pages=1, offers=(offer,), currency="USD")
>>> "$42.99" in page.to_html() and "$42.99" in page.to_text()
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from marketsim.storefront.views.html import Links
    from marketsim.storefront.views.png import Screenshot


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
    was_price_minor: int = 0
    """Price before the sale; 0: none."""
    rating_tenths: int = 0
    """0: not rated."""
    reviews: int = 0
    sponsored: bool = False
    overall_pick: bool = False
    best_seller: bool = False
    limited_time: bool = False
    scarcity: int = 0
    """The N of "only N left"; 0: not said."""
    image: str = ""
    """A picture as a ``data:`` URI; empty: it is drawn from the category and the attributes."""
    category: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    """Such as ``(("brand", "Alderwick"), ("colour", "black"))``."""

    @property
    def is_discounted(self) -> bool:
        """Whether it is shown on sale."""
        return self.was_price_minor > self.price_minor


class Viewable:
    """What can be looked at as HTML, PNG, JSON, Markdown and text."""

    def to_html(self, links: Links | None = None) -> str:
        """Return a whole HTML document that loads nothing; ``links`` name where its buttons lead, default nowhere."""
        from marketsim.storefront.views.html import html_of

        return html_of(self, links)

    def to_json(self, *, images: bool = False) -> str:
        """Return one JSON object, of the schema ``views.json.PAGE_SCHEMA`` or ``DETAIL_SCHEMA``.

        Parameters
        ----------
        images : bool
            Put pictures in, as ``data:`` URIs; otherwise words say what they show.
        """
        from marketsim.storefront.views.json import json_of

        return json_of(self, images=images)

    def to_markdown(self, *, images: bool = False) -> str:
        """Return CommonMark; with ``images`` pictures stand in it as ``data:`` URIs, otherwise as words."""
        from marketsim.storefront.views.markdown import markdown_of

        return markdown_of(self, images=images)

    def to_text(self) -> str:
        """Return the lines that an agent reads."""
        from marketsim.storefront.views.text import text_of

        return text_of(self)

    def to_png(self, *, width: int = 1280, renderer: str = "auto") -> Screenshot:
        """Return a picture of the HTML view taken by Chromium, or one drawn by Pillow; ``views.png.png_of``."""
        from marketsim.storefront.views.png import png_of

        return png_of(self, width=width, renderer=renderer)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        import html

        document = html.escape(self.to_html(), quote=True)
        return f'<iframe title="Page of a shop" sandbox width="100%" height="640" srcdoc="{document}"></iframe>'


@dataclass(frozen=True)
class Page(Viewable):
    """The offers that answer a search or fill a category, in the order of their slots.

    Raises
    ------
    ValueError
        Slots do not rise, two offers share an opaque id, or a number is out of range.
    """

    query: str
    category: str
    rows: int
    columns: int
    number: int
    """Of the first page held, from 1."""
    pages: int
    """How many there are in all."""
    offers: tuple[Offer, ...]
    currency: str

    def __post_init__(self) -> None:
        """Refuse what could not be looked at."""
        if min(self.rows, self.columns, self.pages) < 1 or not 1 <= self.number <= self.pages:
            raise ValueError(
                f"expected rows, columns and pages of at least 1 and a number among them; found {self.rows} x "
                f"{self.columns}, page {self.number} of {self.pages}"
            )
        slots = [offer.slot for offer in self.offers]
        if any(slot < 0 for slot in slots) or sorted(set(slots)) != slots:
            raise ValueError(f"expected offers in the order of their slots, from 0; found slots {slots}")
        names = [offer.opaque_id for offer in self.offers]
        if len(set(names)) < len(names) or not all(name.isalnum() and name.isascii() for name in names):
            raise ValueError("expected opaque ids of letters and digits, one for each offer")
        if any(offer.price_minor < 0 or not 0 <= offer.rating_tenths <= 50 for offer in self.offers):
            raise ValueError("expected prices of at least 0 and ratings from 0 to 50 tenths")

    @property
    def held(self) -> int:
        """Number of the last page held."""
        last = self.offers[-1].slot // (self.rows * self.columns) + 1 if self.offers else self.number
        return min(max(last, self.number), self.pages)

    def part(self, number: int) -> Page:
        """Return one page of several: the same offers, ids and slots.

        Raises
        ------
        ValueError
            There is no page of that number here.
        """
        if not self.number <= number <= self.held:
            raise ValueError(f"expected a page from {self.number} to {self.held}; found {number}")
        size = self.rows * self.columns
        first = (number - 1) * size
        return replace(
            self,
            number=number,
            offers=tuple(offer for offer in self.offers if first <= offer.slot < first + size),
        )

    def offer(self, opaque_id: str) -> Offer:
        """Return the offer that an id of this page stands for.

        Raises
        ------
        KeyError
            None has this id.
        """
        for offer in self.offers:
            if offer.opaque_id == opaque_id:
                return offer
        raise KeyError(opaque_id)

    def detail(self, opaque_id: str) -> Detail:
        """Return what a shopper sees who opens one offer; raises ``KeyError`` where none has this id."""
        return Detail(self.offer(opaque_id), self.currency)


@dataclass(frozen=True)
class Detail(Viewable):
    """One product, opened from a page: all that the page says of it, its description and its attributes."""

    offer: Offer
    currency: str
