"""The page as Pillow draws it, for machines without a browser: the same offers in the same places, plainer.

Letters come from DejaVu Sans, which Matplotlib brings along: Latin, Greek and Cyrillic, no East Asian scripts.
"""

from __future__ import annotations

import base64
import binascii
import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from marketsim.storefront.drawings import draw, picture_words
from marketsim.storefront.page import Detail, Offer, Page, Viewable
from marketsim.storefront.views.words import (
    Tag,
    attribute_name,
    heading,
    money,
    numbering,
    one_line,
    rating,
    reviews,
    tags,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

GROUND, CARD, INK, SOFT, LINE = "#f5f4f0", "#ffffff", "#1f2723", "#59635d", "#e2e0d8"
ACCENT, ACCENT_PALE, ACCENT_INK = "#1f5f4a", "#e3f0e9", "#17493a"
STAR, STAR_OFF = "#b86e00", "#d9d5ca"
TAG_COLOURS: Final = {
    "sponsored": (SOFT, "#f5f4f0"),
    "overall_pick": ("#ffffff", ACCENT),
    "best_seller": ("#6d3c05", "#fbecd4"),
}
OTHER_TAG: Final = ("#8d1f1f", "#fbe6e3")
"""Colours of letters and ground, as in data/page.css."""

MARGIN: Final = 24
GAP: Final = 16
STARS: Final = 92
"""Width of five stars and the space behind them."""


def columns_at(width: int) -> int:
    """Return the most columns that a page of this width has, as in data/page.css."""
    return 2 if width < 720 else 3 if width < 960 else 1000


def image_of(view: Viewable, width: int) -> Image:
    """Return a page or a product as a picture ``width`` pixels wide."""
    sheet = _Sheet(width)
    if isinstance(view, Detail):
        sheet.detail(view)
    else:
        assert isinstance(view, Page)
        sheet.page(view)
    return sheet.finished()


class _Sheet:
    """A picture that grows downwards; ``y`` is where it goes on."""

    def __init__(self, width: int) -> None:
        from PIL import Image as Images
        from PIL.ImageDraw import Draw

        self.width, self.y = width, MARGIN
        self.image: Image = Images.new("RGB", (width, 1200), GROUND)
        self.painter: ImageDraw = Draw(self.image)

    def finished(self) -> Image:
        return self.image.crop((0, 0, self.width, self.y))

    def page(self, page: Page) -> None:
        n = len(page.offers)
        self._write(MARGIN, heading(page), 22, INK, bold=True, width=self.width - 2 * MARGIN)
        self._write(MARGIN, f"{n} product{'' if n == 1 else 's'}", 14, SOFT)
        self.y += 10
        columns = min(page.columns, columns_at(self.width))
        card = (self.width - 2 * MARGIN - (columns - 1) * GAP) // columns
        for first in range(0, n, columns):
            row = page.offers[first : first + columns]
            height = max(_card_height(offer, page.currency, card) for offer in row)
            self._reserve(height + GAP)
            for place, offer in enumerate(row):
                self._card(offer, page.currency, MARGIN + place * (card + GAP), card, height)
            self.y += height + GAP
        self._write(MARGIN, numbering(page), 14, SOFT)
        self.y += MARGIN

    def detail(self, detail: Detail) -> None:
        offer, width = detail.offer, self.width - 2 * MARGIN
        self._reserve(width)
        picture = min(width, 560)
        self._paste(offer, MARGIN, self.y, picture)
        self.y += round(picture * 0.8) + GAP
        self.y += self._tags(offer, MARGIN, self.y, width)
        self._write(MARGIN, one_line(offer.title), 26, INK, bold=True, width=width)
        self.y += self._stars(offer, MARGIN, self.y, width)
        self.y += self._price(offer, detail.currency, MARGIN, self.y, width) + 8
        self._write(MARGIN, one_line(offer.description), 15, INK, width=width)
        self.y += 10
        for name, value in offer.attributes:
            self._write(MARGIN, f"{attribute_name(name)}: {one_line(value)}", 14, SOFT, width=width)
        self.y += MARGIN

    def _card(self, offer: Offer, currency: str, x: int, width: int, height: int) -> None:
        top, inner = self.y, width - 24
        self.painter.rounded_rectangle((x, top, x + width, top + height), 14, CARD, LINE)
        y = top + 12
        self._paste(offer, x + 12, y, inner)
        y += round(inner * 0.8) + 10
        y += self._tags(offer, x + 12, y, inner)
        for line in _wrapped(one_line(offer.title), _font(15, True), inner):
            self.painter.text((x + 12, y), line, INK, _font(15, True))
            y += 21
        y += self._stars(offer, x + 12, y, inner)
        self._price(offer, currency, x + 12, y, inner)
        bottom = top + height - 14
        self.painter.rounded_rectangle((x + 12, bottom - 38, x + width - 12, bottom), 19, ACCENT_PALE)
        self.painter.text((x + width / 2, bottom - 19), "Add to cart", ACCENT_INK, _font(15, True), "mm")

    def _tags(self, offer: Offer, x: int, y: int, width: int) -> int:
        lines = 0
        for tag, line, left in _placed_tags(offer, width):
            ink, ground = TAG_COLOURS.get(tag.key, OTHER_TAG)
            size = round(_font(12, True).getlength(tag.words)) + 14
            self.painter.rounded_rectangle(
                (x + left, y + 25 * line, x + left + size, y + 25 * line + 20), 6, ground, LINE if ink == SOFT else None
            )
            self.painter.text((x + left + 7, y + 25 * line + 10), tag.words, ink, _font(12, True), "lm")
            lines = line + 1
        return 25 * lines + (4 if lines else 0)

    def _stars(self, offer: Offer, x: int, y: int, width: int) -> int:
        if offer.rating_tenths:
            for place in range(5):
                share = min(max(offer.rating_tenths / 10 - place, 0.0), 1.0)
                _star(self.image, x + 17 * place, y + 3, share)
        words, is_split = _rating_words(offer, width)
        left = x + (STARS if offer.rating_tenths else 0)
        self.painter.text((left, y + 2), words[0], SOFT, _font(13))
        if is_split:
            self.painter.text((x, y + 22), words[1], SOFT, _font(13))
        return 26 + 20 * is_split

    def _price(self, offer: Offer, currency: str, x: int, y: int, width: int) -> int:
        words = money(offer.price_minor, currency)
        font = _fitting(words, width)
        self.painter.text((x, y), words, INK, font)
        if not offer.is_discounted:
            return 32
        was, is_split = money(offer.was_price_minor, currency), _is_price_split(offer, currency, width)
        left, top = (x, y + 26) if is_split else (x + round(font.getlength(words)) + 8, y + 6)
        self.painter.text((left, top), was, SOFT, _font(14))
        self.painter.line((left, top + 9, left + _font(14).getlength(was), top + 9), SOFT, 1)
        return 32 + 22 * is_split

    def _write(self, x: int, text: str, size: int, ink: str, *, bold: bool = False, width: int = 10_000) -> None:
        font = _font(size, bold)
        for line in _wrapped(text, font, width):
            self._reserve(2 * size)
            self.painter.text((x, self.y), line, ink, font)
            self.y += round(1.45 * size)

    def _paste(self, offer: Offer, x: int, y: int, width: int) -> None:
        self.image.paste(_picture(offer, width), (x, y))

    def _reserve(self, height: int) -> None:
        """Make the sheet longer where something of this height would not fit."""
        from PIL import Image as Images
        from PIL.ImageDraw import Draw

        if self.y + height + MARGIN > self.image.height:
            longer = Images.new("RGB", (self.width, 2 * self.image.height + height), GROUND)
            longer.paste(self.image)
            self.image, self.painter = longer, Draw(longer)


def _card_height(offer: Offer, currency: str, width: int) -> int:
    inner = width - 24
    split = 20 * _rating_words(offer, inner)[1] + 22 * _is_price_split(offer, currency, inner)
    lines = len(_wrapped(one_line(offer.title), _font(15, True), inner))
    rows = max((line for _, line, _ in _placed_tags(offer, inner)), default=-1) + 1
    return 22 + round(inner * 0.8) + (25 * rows + 4 if rows else 0) + 21 * lines + 26 + 32 + split + 62


def _rating_words(offer: Offer, width: int) -> tuple[tuple[str, str], bool]:
    """Return rating and reviews as one text, or two where they do not fit beside the stars, and whether it is two."""
    if not offer.rating_tenths:
        return (rating(offer), reviews(offer)), True
    stars = f"{offer.rating_tenths / 10:.1f}"
    together = f"{stars} · {reviews(offer)}"
    fits = STARS + _font(13).getlength(together) <= width
    return ((together, ""), False) if fits else ((stars, reviews(offer)), True)


def _is_price_split(offer: Offer, currency: str, width: int) -> bool:
    """Say whether the price before the sale does not fit beside the price."""
    if not offer.is_discounted:
        return False
    now, was = money(offer.price_minor, currency), money(offer.was_price_minor, currency)
    return _fitting(now, width).getlength(now) + 8 + _font(14).getlength(was) > width


def _fitting(words: str, width: int) -> FreeTypeFont:
    """Return the largest letters, from 20 down, in which an amount fits."""
    sizes = (size for size in range(20, 7, -1) if _font(size, True).getlength(words) <= width)
    return _font(next(sizes, 7), True)


def _placed_tags(offer: Offer, width: int) -> list[tuple[Tag, int, int]]:
    """Return each tag with its line and its distance from the left."""
    placed, line, left = [], 0, 0
    for tag in tags(offer):
        size = round(_font(12, True).getlength(tag.words)) + 14
        if left and left + size > width:
            line, left = line + 1, 0
        placed.append((tag, line, left))
        left += size + 5
    return placed


def _wrapped(text: str, font: FreeTypeFont, width: int) -> list[str]:
    """Return a text cut into lines that fit, words that are too long among them."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        lines += [line] if line else []
        while len(word) > 1 and font.getlength(word) > width:
            n = max(1, int(len(word) * width / font.getlength(word)))
            lines.append(word[:n])
            word = word[n:]
        line = word
    return [*lines, line] if line else lines


def _star(image: Image, x: int, y: int, share: float) -> None:
    mark, lit = _star_mark()
    image.paste(STAR_OFF, (x, y), mark)
    cut = round(share * mark.width)
    if cut:
        image.paste(STAR, (x, y), mark.crop((0, 0, cut, lit)))


@cache
def _star_mark() -> tuple[Image, int]:
    from math import cos, pi, sin

    from PIL import Image, ImageDraw

    large = Image.new("L", (64, 64))
    points = [(32 + (30, 12)[n % 2] * sin(n * pi / 5), 34 - (30, 12)[n % 2] * cos(n * pi / 5)) for n in range(10)]
    ImageDraw.Draw(large).polygon(points, 255)
    return large.resize((16, 16), Image.Resampling.LANCZOS), 16


def _picture(offer: Offer, width: int) -> Image:
    """Return the picture of an offer; one that Pillow cannot read, such as an SVG of one's own, becomes its words."""
    from PIL import Image, ImageDraw, ImageOps

    height = round(width * 0.8)
    if not offer.image:
        return draw(offer.category, offer.title, offer.attributes).to_image(width)
    try:
        content = base64.b64decode(offer.image.partition(",")[2], validate=True)
        with Image.open(io.BytesIO(content)) as picture:
            return ImageOps.fit(picture.convert("RGB"), (width, height))
    except (OSError, ValueError, binascii.Error, Image.DecompressionBombError):
        empty = Image.new("RGB", (width, height), LINE)
        painter = ImageDraw.Draw(empty)
        for number, line in enumerate(_wrapped(picture_words(offer), _font(13), width - 20)[:6]):
            painter.text((10, 10 + 18 * number), line, SOFT, _font(13))
        return empty


@cache
def _font(size: int, bold: bool = False) -> FreeTypeFont:
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)
