"""Pictures: drawings of products, screenshots, and pages that Pillow draws where there is no browser."""

import base64
import io
import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from PIL import Image, ImageChops

from marketsim.storefront.catalog import Catalog
from marketsim.storefront.drawings import BY_CATEGORY, draw, picture_uri
from marketsim.storefront.drawings.colours import NAMED, shades
from marketsim.storefront.page import Detail, Offer, Page
from marketsim.storefront.views import png
from marketsim.storefront.views.drawn import GAP, MARGIN

BUILTIN = Catalog.builtin()


def drawing_of(product):
    return draw(BUILTIN.category[product], BUILTIN.title[product], tuple(BUILTIN.attributes[product].items()))


def offer_of(slot, product, **changes):
    offer = Offer(
        slot=slot,
        product=product,
        opaque_id=f"{slot:02x}",
        title=BUILTIN.title[product],
        description=BUILTIN.description[product],
        price_minor=int(BUILTIN.price_minor[product]),
        rating_tenths=int(BUILTIN.rating_tenths[product]),
        reviews=int(BUILTIN.reviews[product]),
        category=BUILTIN.category[product],
        attributes=tuple(BUILTIN.attributes[product].items()),
    )
    return offer._replace(**changes)


def page_of(*products, columns=4, **changes):
    offers = tuple(offer_of(slot, product, **changes) for slot, product in enumerate(products))
    return Page("", "Things", -(-len(products) // columns), columns, 1, 1, offers, "USD")


def pixels(screenshot):
    return Image.open(io.BytesIO(screenshot.png)).convert("RGB")


def test_every_category_of_the_built_in_catalogue_has_a_drawing_of_its_own():
    assert {name.lower() for name in BUILTIN.categories} == set(BY_CATEGORY)


def test_drawings_are_svg_that_refers_to_nothing_and_no_two_are_alike():
    seen = {}
    for product in range(len(BUILTIN)):
        svg = drawing_of(product).to_svg()
        tags = {re.sub(r"\{.*\}", "", element.tag) for element in ET.fromstring(svg).iter()}
        assert tags <= {"svg", "rect", "ellipse", "polygon", "polyline"}
        assert "href" not in svg
        assert "url(" not in svg
        assert seen.setdefault(svg, product) == product, BUILTIN.title[product]
        assert len(svg) < 10_000


def test_pillow_paints_what_the_svg_says():
    product = BUILTIN.title.index("Farrowby Silent Wall Clock, 30 cm")
    drawing = drawing_of(product)
    image = drawing.to_image(200)
    assert image.size == (200, 160)
    back = drawing.shapes[0].colour
    assert _hex(image, 2, 2) == back
    face = next(shape for shape in reversed(drawing.shapes) if shape.kind == "ellipse" and shape.numbers[2] > 30)
    x, y, half_width, half_height = face.numbers
    for side in (-1, 1):
        for rise in (-1, 1):
            assert _hex(image, round(x + side * 0.39 * half_width), round(y + rise * 0.39 * half_height)) == face.colour
            assert _hex(image, round(x + side * 1.2 * half_width), round(y + rise * 1.2 * half_height)) == back
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):  # between the face and its rim
        assert _hex(image, round(x + dx * (half_width + 3)), round(y + dy * (half_height + 3))) not in (
            back,
            face.colour,
        )


def test_a_drawing_follows_the_colour_of_the_product():
    for word in ("red", "navy", "Dark Blue", "charcoal"):
        svg = draw("Backpack", "A bag", (("colour", word),)).to_svg()
        assert shades(word).main in svg
    assert shades("Dark Blue").main == NAMED["blue"]
    assert (
        draw("Backpack", "A bag", (("color", "red"),)).to_svg()
        == draw("Backpack", "A bag", (("colour", "red"),)).to_svg()
    )


def test_what_has_no_drawing_of_its_own_is_drawn_as_a_package():
    drawn = {draw("Cookies", f"Cookies number {number}").to_svg() for number in range(50)}
    assert len(drawn) == 50


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_a_page_that_pillow_draws_has_each_picture_in_its_place(width):
    products = [3, 40, 80, 120, 17, 60]
    picture = page_of(*products).to_png(width=width, renderer="pillow")
    assert (picture.renderer, picture.reason, picture.width) == ("pillow", "", width)
    image = pixels(picture)
    assert image.size == (picture.width, picture.height)
    columns = {1280: 4, 800: 3, 390: 2}[width]
    card = (width - 2 * MARGIN - (columns - 1) * GAP) // columns
    inner = card - 24
    tops = {}
    for place, product in enumerate(products):
        row, column = divmod(place, columns)
        left = MARGIN + column * (card + GAP) + 12
        tile = drawing_of(product).to_image(inner)
        start = tops.get(row, tops.get(row - 1, 0) + 1)
        found = [y for y in range(start, image.height - tile.height + 1) if _is_at(image, tile, left, y)]
        assert found, (width, product)
        tops[row] = found[0]


def _is_at(image, tile, left, top):
    if image.getpixel((left, top)) != tile.getpixel((0, 0)):
        return False
    box = (left, top, left + tile.width, top + tile.height)
    return ImageChops.difference(image.crop(box), tile).getbbox() is None


def test_a_page_that_pillow_draws_shows_every_fact():
    plain = pixels(page_of(5).to_png(renderer="pillow"))
    changes = [
        {"title": "Another title"},
        {"price_minor": 1},
        {"was_price_minor": 99_999},
        {"rating_tenths": 11},
        {"reviews": 1},
        {"sponsored": True},
        {"overall_pick": True},
        {"best_seller": True},
        {"limited_time": True},
        {"scarcity": 3},
        {"scarcity": 4},
    ]
    seen = [plain, *(pixels(page_of(5, **change).to_png(renderer="pillow")) for change in changes)]
    for one, other in itertools.combinations(seen, 2):
        assert one.size != other.size or ImageChops.difference(one, other).getbbox() is not None


def test_long_words_and_strange_scripts_stay_within_the_picture():
    title = "x" * 400 + " 日本語 " + "word " * 40
    many = {"reviews": 10**7, "price_minor": 10**8, "was_price_minor": 10**9, "scarcity": 99, "limited_time": True}
    picture = page_of(5, 6, title=title, **many).to_png(width=390, renderer="pillow")
    assert picture.width == 390
    ground = Image.new("RGB", (MARGIN, picture.height), "#f5f4f0")
    right = pixels(picture).crop((390 - MARGIN + 1, 0, 390, picture.height))
    assert ImageChops.difference(right, ground.crop((0, 0, MARGIN - 1, picture.height))).getbbox() is None


def test_a_product_that_pillow_draws_shows_its_description_and_attributes():
    offer = offer_of(0, 5)
    pictures = [
        Detail(offer._replace(**change), "USD").to_png(renderer="pillow")
        for change in ({}, {"description": "Other words."}, {"attributes": (("brand", "Other"),)})
    ]
    for one, other in itertools.combinations(map(pixels, pictures), 2):
        assert one.size != other.size or ImageChops.difference(one, other).getbbox() is not None


def test_a_picture_of_ones_own_is_pasted_and_svg_becomes_words():
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40), "#ff0000").save(buffer, "PNG")
    own = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    image = pixels(page_of(5, image=own).to_png(renderer="pillow"))
    assert sum(n for n, colour in image.getcolors(10**6) if colour == (255, 0, 0)) > 10_000
    assert picture_uri(offer_of(0, 5, image=own)) == own
    svg = "data:image/svg+xml;base64," + base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    assert page_of(5, image=svg).to_png(renderer="pillow").png[:4] == b"\x89PNG"


def test_without_a_browser_pillow_draws_and_the_result_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv(png.BROWSER_VARIABLE, str(tmp_path / "none"))
    picture = page_of(5).to_png()
    assert picture.renderer == "pillow"
    assert "no Chromium" in picture.reason
    assert Image.open(io.BytesIO(picture.png)).text["Software"] == "marketsim, pillow"
    with pytest.raises(png.BrowserError, match="no Chromium on the path"):
        page_of(5).to_png(renderer="chromium")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv(png.BROWSER_VARIABLE, str(broken))
    assert "took no picture" in page_of(5).to_png().reason


def test_widths_and_renderers_that_make_no_sense_are_refused():
    for options in ({"width": 10}, {"renderer": "brush"}):
        with pytest.raises(ValueError, match="expected a width from 320 to 4000 and a renderer"):
            page_of(5).to_png(**options)


@pytest.mark.skipif(png.find_browser() is None, reason="needs Chromium")
def test_chromium_takes_a_picture_of_the_whole_page():
    products = [3, 40, 80, 120, 17, 60]
    picture = page_of(*products).to_png(renderer="chromium")
    assert (picture.renderer, picture.width, picture.reason) == ("chromium", 1280, "")
    image = pixels(picture)
    assert "Software" in Image.open(io.BytesIO(picture.png)).text
    assert image.getpixel((2, image.height - 2)) == (0xF5, 0xF4, 0xF0)  # the ground goes on below the last card
    backs = [drawing_of(product).shapes[0].colour for product in products[:4]]
    width = (1280 - 88) / 4
    row = next(y for y in range(80, 400) if _hex(image, 44 + 30, y) == backs[0])
    assert [_hex(image, round(20 + 24 + column * width + 30), row + 6) for column in range(4)] == backs


def _hex(image, x, y):
    return "#{:02x}{:02x}{:02x}".format(*image.getpixel((x, y)))
