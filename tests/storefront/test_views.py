"""Every view shows the same offers in the same order; no text of a product turns into markup or a fact of its own."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import marketsim.storefront.views as views
from marketsim.storefront.page import Offer, Page
from marketsim.storefront.views.html import Links
from marketsim.storefront.views.json import DETAIL_SCHEMA, PAGE_SCHEMA
from tests.storefront.offers import ATTACKS, Document, pages, plain, read_html, read_json, read_text

CSS = Path(views.__file__).parents[1] / "data" / "page.css"
views_of_drawn_pages = settings(max_examples=50)
COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable("strikethrough")
HTML_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "div", "span", "search", "form", "label", "input"),
    *("button", "main", "h1", "h2", "p", "ol", "ul", "li", "article", "img", "strong", "s", "nav", "dl", "dt", "dd"),
}
TAG_WORDS = {
    "sponsored": "Sponsored",
    "overall_pick": "Overall pick",
    "best_seller": "Best seller",
    "limited_time": "Limited-time offer",
    "discounted": "Discounted",
}


def expected_tags(offer):
    found = [name for name in ("sponsored", "overall_pick", "best_seller", "limited_time") if getattr(offer, name)]
    found += ["discounted"] if offer.was_price_minor > offer.price_minor else []
    return found + (["only_left"] if offer.scarcity else [])


def expected_words(offer):
    return [TAG_WORDS.get(name, f"Only {offer.scarcity} left") for name in expected_tags(offer)]


def amount(minor, currency):
    number = f"{minor / 100:,.2f}"
    return {"USD": f"${number}", "EUR": f"€{number}"}.get(currency, f"{number} {currency}")


@views_of_drawn_pages
@given(pages())
def test_html_shows_each_offer_in_order(page):
    found = read_html(page.to_html())
    assert [one["id"] for one in found] == [offer.opaque_id for offer in page.offers]
    for one, offer in zip(found, page.offers, strict=True):
        assert one["title"] == plain(offer.title)
        assert one["price"] == amount(offer.price_minor, page.currency)
        assert one.get("was") == (amount(offer.was_price_minor, page.currency) if offer.was_price_minor else None)
        stars = f"{offer.rating_tenths / 10:.1f} out of 5 stars" if offer.rating_tenths else "not rated"
        assert one["rating"] == f"{stars} {offer.reviews:,} review{'s' * (offer.reviews != 1)}"
        assert one["tags"] == expected_tags(offer)
        assert one.get("words", []) == expected_words(offer)
        assert one["alt"].startswith("drawing: ")


@views_of_drawn_pages
@given(pages())
def test_json_shows_each_offer_in_order(page):
    text = page.to_json()
    content = json.loads(text)
    assert list(content) == PAGE_SCHEMA["required"]
    assert (content["query"] or "", content["category"] or "") == (plain(page.query), plain(page.category))
    assert len(content["offers"]) == len(page.offers)
    for one, offer in zip(content["offers"], page.offers, strict=True):
        assert list(one) == PAGE_SCHEMA["properties"]["offers"]["items"]["required"]
        assert one == {
            "id": offer.opaque_id,
            "title": plain(offer.title),
            "price": offer.price_minor / 100,
            "was_price": offer.was_price_minor / 100 if offer.was_price_minor else None,
            "rating": offer.rating_tenths / 10 if offer.rating_tenths else None,
            "review_count": offer.reviews,
            "tags": expected_tags(offer),
            "only_left": offer.scarcity or None,
            "image": one["image"],
        }
    assert not re.search("[<>&\u2028\u2029]", text)


@views_of_drawn_pages
@given(pages())
def test_text_shows_each_offer_in_order(page):
    found = read_text(page.to_text())
    assert [one["id"] for one in found] == [offer.opaque_id for offer in page.offers]
    for one, offer in zip(found, page.offers, strict=True):
        assert one["title"] == plain(offer.title)
        was = f" (was {amount(offer.was_price_minor, page.currency)})" if offer.was_price_minor else ""
        assert one["price"] == amount(offer.price_minor, page.currency) + was
        assert one.get("tags", "") == ", ".join(expected_words(offer)).lower()
        assert f"{offer.reviews:,} review" in one["rating"]


@views_of_drawn_pages
@given(pages(least=1))
def test_markdown_shows_each_offer_in_order_and_nothing_of_it_is_markup(page):
    tokens = COMMONMARK.parse(page.to_markdown())
    inline = [child for token in tokens for child in token.children or []]
    forbidden = {"html_inline", "link_open", "image", "code_inline", "em_open", "hardbreak"}
    assert not forbidden & {token.type for token in inline}
    assert {token.type for token in tokens} <= {
        *("heading_open", "heading_close", "ordered_list_open", "ordered_list_close", "bullet_list_open", "inline"),
        *("bullet_list_close", "list_item_open", "list_item_close", "paragraph_open", "paragraph_close"),
    }
    lines = ["".join(child.content for child in token.children) for token in tokens if token.type == "inline"]
    titles = [line for line in lines if re.search(r" ?\(id [0-9a-f]{10}\)$", line)]
    expected = [f"{plain(offer.title)} (id {offer.opaque_id})" for offer in page.offers]
    assert [line.replace("**** ", " ") for line in titles] == expected
    prices = [line for line in lines if line.startswith("Price: ")]
    for line, offer in zip(prices, page.offers, strict=True):
        assert line.startswith(f"Price: {amount(offer.price_minor, page.currency)}")


@views_of_drawn_pages
@given(pages(least=1), st.integers(0, 100))
def test_an_opened_product_is_the_same_in_every_view(page, place):
    offer = page.offers[place % len(page.offers)]
    detail = page.detail(offer.opaque_id)
    content = json.loads(detail.to_json())
    assert list(content) == DETAIL_SCHEMA["required"]
    assert (content["id"], content["title"]) == (offer.opaque_id, plain(offer.title))
    assert content["description"] == plain(offer.description)
    (shown,) = read_html(detail.to_html())
    assert (shown["title"], shown["tags"]) == (plain(offer.title), expected_tags(offer))
    document = Document(detail.to_html())
    values = [plain(one["text"]) for one in document.find("dd")]
    assert values == [plain(value) for _, value in offer.attributes]
    lines = detail.to_text().splitlines()
    assert lines[1] == f"  title: {plain(offer.title)}".rstrip() or not plain(offer.title)
    assert {token.type for token in COMMONMARK.parse(detail.to_markdown())} <= {
        *("heading_open", "heading_close", "bullet_list_open", "bullet_list_close", "list_item_open", "inline"),
        *("list_item_close", "paragraph_open", "paragraph_close"),
    }


@views_of_drawn_pages
@given(pages(), st.sampled_from([None, Links("/search", "/page/{number}", "/offer/{id}", "/buy/{id}", "/")]))
def test_html_has_only_its_own_elements_and_loads_nothing(page, links):
    views_of = [page, *(page.detail(offer.opaque_id) for offer in page.offers[:2])]
    for view in views_of:
        for element in Document(view.to_html(links)).elements:
            assert element["tag"] in HTML_TAGS | ({"a"} if links else set())
            attributes = element["attributes"]
            assert not [name for name in attributes if name.startswith("on") or name == "srcset"]
            assert not {"href", "action"} & set(attributes) or links is not None
            for name in ("href", "action"):
                assert re.fullmatch(r"/[a-z0-9/]*", attributes.get(name, "/"))
            assert attributes.get("src", "data:image/").startswith("data:image/")
            assert re.fullmatch(r"--(columns:\d+|share:\d+%)", attributes.get("style", "--columns:1"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_text_of_a_page_is_escaped_in_every_view(attack):
    offer = Offer(0, 0, "0a", attack, attack, 100, category=attack, attributes=((attack, attack),))
    page = Page(attack, attack, 1, 1, 1, 1, (offer,), "USD")
    for view in (page, page.detail("0a")):
        document = Document(view.to_html())
        assert {one["tag"] for one in document.elements} <= HTML_TAGS
        assert [one for one in document.elements if one["text"] and plain(attack) in plain(one["text"])]
        assert plain(attack) in list(strings(json.loads(view.to_json())))
        assert sum(line.startswith("offer ") for line in view.to_text().splitlines()) == 1
        assert "\x1b" not in view.to_text() + view.to_markdown() + view.to_html()


def strings(value):
    """Every text in a JSON value."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


@views_of_drawn_pages
@given(pages(least=1))
def test_no_view_tells_the_number_of_a_product(page):
    other = Page(
        **{
            **vars(page),
            "offers": tuple(offer._replace(product=offer.product + 1_000_003) for offer in page.offers),
        }
    )
    assert page.to_html() == other.to_html()
    assert page.to_json(images=True) == other.to_json(images=True)
    assert page.to_markdown(images=True) == other.to_markdown(images=True)
    assert page.to_text() == other.to_text()


@views_of_drawn_pages
@given(pages(least=1))
def test_looking_changes_nothing(page):
    before = repr(page)
    first = [page.to_html(), page.to_json(), page.to_markdown(), page.to_text()]
    assert [page.to_html(), page.to_json(), page.to_markdown(), page.to_text()] == first
    assert repr(page) == before


@settings(max_examples=20)
@given(pages(least=1))
def test_pictures_go_along_where_they_are_asked_for(page):
    for offer, one in zip(page.offers, read_json(page.to_json(images=True)), strict=True):
        assert one["image"].startswith("data:image/svg+xml;base64,")
        assert f"]({one['image']})" in page.to_markdown(images=True)
        assert f'src="{one["image"]}"' in page.to_html()
        assert read_json(page.to_json())[offer.slot]["image"].startswith("drawing: ")


def test_a_document_has_landmarks_labels_and_one_heading():
    offers = tuple(Offer(slot, 0, f"{slot:02x}", "Lamp", "", 100, rating_tenths=45) for slot in range(4))
    page = Page("lamp", "", 1, 2, 1, 2, offers, "USD")
    document = Document(page.to_html())
    for landmark in ("header", "main", "nav", "search", "h1"):
        assert len(document.find(landmark)) == 1, landmark
    assert document.elements[0]["attributes"] == {"lang": "en"}
    (field,), (label,) = document.find("input"), document.find("label")
    assert label["attributes"]["for"] == field["attributes"]["id"]
    assert plain(label["text"])
    assert all(plain(one["text"]) for one in document.find("button"))
    assert all(one["attributes"]["alt"] and one["attributes"]["width"] for one in document.find("img"))
    known = [one["attributes"]["id"] for one in document.elements if "id" in one["attributes"]]
    assert len(known) == len(set(known))
    for element in document.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert element["attributes"].get(name, known[0]) in known
    (policy,) = [one for one in document.find("meta") if one["attributes"].get("http-equiv")]
    assert policy["attributes"]["content"].startswith("default-src 'none'; img-src data:;")


def test_links_lead_nowhere_else():
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "offer"):
        with pytest.raises(ValueError, match="a path on this server"):
            Links(open=path)


def test_the_style_sheet_loads_nothing_and_letters_stand_out():
    css = CSS.read_text()
    assert "url(" not in css
    assert "@import" not in css
    schemes = re.findall(r":root \{(.*?)\}", css, re.S)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        pairs = [("ink", "ground"), ("ink", "card"), ("soft", "ground"), ("soft", "card"), ("on-accent", "accent")]
        pairs += [("accent-ink", "accent-pale"), ("warm-ink", "warm-pale"), ("red-ink", "red-pale"), ("accent", "card")]
        pairs += [("soft", "field"), ("ink", "field")]
        for letters, ground in pairs:
            assert contrast(colours[letters], colours[ground]) >= 4.5, (letters, ground)
        assert contrast(colours["star"], colours["card"]) >= 3.0


def contrast(one, other):
    """Contrast of two colours by WCAG 2.2, 1 to 21."""

    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
