"""A page is one object: its parts, its ids, what it refuses, and that the engine shows each product of a shelf once."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.storefront.commands import BuyCommand, VisitCommand
from marketsim.storefront.page import Offer, Page
from marketsim.storefront.shown import Visit, page_of_rows
from tests.storefront.offers import pages, read_json
from tests.storefront.shops import catalogue, rows_of, shop


def small(n=3, **changes):
    offers = tuple(Offer(slot, slot, f"{slot:02x}", f"title {slot}", "", 100 + slot) for slot in range(n))
    fields = {"query": "", "category": "c", "rows": 1, "columns": 2, "number": 1, "pages": 2, "currency": "USD"}
    return Page(**{**fields, "offers": offers, **changes})


@given(pages())
def test_the_parts_of_a_page_are_its_offers_in_order(page):
    parts = [page.part(number) for number in range(1, page.held + 1)]
    assert sum((part.offers for part in parts), ()) == page.offers
    for number, part in enumerate(parts, 1):
        assert (part.number, part.held, part.pages) == (number, number, page.pages)
        assert len(part.offers) <= page.rows * page.columns
        assert part.part(number) == part
    for number in (0, page.held + 1):
        with pytest.raises(ValueError, match=f"expected a page from 1 to {page.held}; found {number}"):
            page.part(number)


def test_an_id_finds_its_offer_and_no_other():
    page = small()
    assert page.offer("01").title == "title 1"
    assert page.detail("01").offer is page.offers[1]
    for wrong in ("03", "", "1", "title 1"):
        with pytest.raises(KeyError):
            page.offer(wrong)


def test_a_page_cannot_be_changed():
    page = small()
    with pytest.raises(dataclasses.FrozenInstanceError):
        page.query = "other"
    with pytest.raises(AttributeError):
        page.offers[0].title = "other"


def test_a_page_by_hand_must_make_sense():
    first, second = small(2).offers
    faults = {
        "slots": {"offers": (second, first)},
        "opaque ids": {"offers": (first, second._replace(opaque_id="00"))},
        "letters and digits": {"offers": (first._replace(opaque_id='"><b'),)},
        "page 3 of 2": {"number": 3},
        "rows, columns": {"rows": 0},
        "prices": {"offers": (first._replace(price_minor=-1),)},
        "ratings": {"offers": (first._replace(rating_tenths=70),)},
    }
    for message, changes in faults.items():
        with pytest.raises(ValueError, match=message):
            small(**changes)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    regime=st.sampled_from(["fixed", "permutation", "aces", "factorial", "sobol"]),
    trial=st.integers(0, 39),
    n_pages=st.sampled_from([1, 2]),
)
def test_the_engine_shows_each_product_of_a_shelf_once_whatever_the_view(seed, regime, trial, n_pages):
    products = catalogue(2, 16)
    grid = {"rows": 2, "columns": 4, "pages": n_pages}
    venue = shop(products=products, seed=seed, page=grid, randomise={"regime": regime, "trials": 20})
    page = venue.page(trial)
    first = 16 * (trial // 20)
    assert sorted(offer.product for offer in page.offers) == list(range(first, first + 8 * n_pages))
    for offer in page.offers:
        assert offer.title == products.title[offer.product]
        assert offer.category == products.category[offer.product]
        assert dict(offer.attributes) == products.attributes[offer.product]
    titles = [products.title[offer.product] for offer in page.offers]
    assert [one["title"] for one in read_json(page.to_json())] == titles
    assert venue.page(trial) == page


def test_a_page_from_the_tables_is_the_page_that_was_shown():
    """A buyer in Python sees a page; the rows that the run records of it give the same page."""
    venue = shop(products=catalogue(1, 9), buyers=1, randomise={"regime": "aces", "trials": 4})
    account = 2
    venue.submit(VisitCommand(account, 0), 1)
    venue.advance(2, inclusive=False)
    (notice,) = venue.notices()
    number = notice.data["choice_set"]
    page = venue.page_shown(number)
    venue.submit(BuyCommand(account, number, page.offers[3].slot), 5)
    rows = rows_of(venue)["impressions"].query(f"choice_set == {number}").to_dict("records")
    visit = Visit(1, 0, number, "", "category 0")
    assert page_of_rows(rows, venue.catalog, venue.config, visit) == page


def test_ids_tell_neither_slot_nor_product_nor_trial():
    venue = shop(products=catalogue(1, 8), randomise={"regime": "permutation", "trials": 400})
    shown = [venue.page(trial).offers for trial in range(400)]
    names = np.array([[offer.opaque_id for offer in offers] for offers in shown])
    products = np.array([[offer.product for offer in offers] for offers in shown])
    assert len(np.unique(names)) == names.size
    rank_of_id = names.argsort(axis=1).argsort(axis=1)
    for other in (np.tile(np.arange(8), (400, 1)), products, np.tile(np.arange(400)[:, None], (1, 8)) % 8):
        counts = np.zeros((8, 8))
        np.add.at(counts, (rank_of_id.ravel(), other.ravel()), 1)
        chi2 = ((counts - 50) ** 2 / 50).sum()
        assert chi2 < 49 + 5 * math.sqrt(2 * 49), chi2
    assert not set(names.ravel()) & {f"{slot:010x}" for slot in range(10_000)}


def test_product_ids_of_the_catalogue_are_in_no_view():
    products = catalogue(1, 8)
    hidden = tuple(f"secretname{number}" for number in range(8))
    renamed = products.__class__(**{**vars(products), "product_id": hidden})
    page = shop(products=renamed, randomise={"regime": "aces", "trials": 3}).page(1)
    detail = page.detail(page.offers[0].opaque_id)
    for view in (page, detail):
        everything = view.to_html() + view.to_json(images=True) + view.to_markdown(images=True) + view.to_text()
        assert "secretname" not in everything


def test_a_notebook_shows_a_page_in_a_frame_without_scripts():
    assert small()._repr_html_().startswith('<iframe title="Page of a shop" sandbox ')
