"""The engine's pages and choices equal those of a shop too simple to be wrong."""

import numpy as np

from tests.oracles import slow_storefront
from tests.storefront.shops import PLANTED, catalogue, pages, rows_of, shop

SHOWN = ("product", "price_minor", "rating_tenths", "reviews", "sponsored", "overall_pick", "scarcity")


def test_pages_and_choices_of_the_aces_law_equal_those_of_the_slow_shop():
    products, trials, seed = catalogue(), 60, 5
    shoppers = [{"name": "some", "choice": PLANTED}]
    tables = rows_of(shop(shoppers, products=products, seed=seed, randomise={"regime": "aces", "trials": trials}))
    impressions = {name: pages(tables["impressions"], name) for name in SHOWN}
    chosen = tables["choices"].slot.to_numpy()
    for page in range(2 * trials):
        category, trial = divmod(page, trials)
        numbers = products.products_of(f"category {category}")[:8]
        listed = {
            int(i): (int(products.price_minor[i]), int(products.rating_tenths[i]), int(products.reviews[i]))
            for i in numbers
        }
        offers = slow_storefront.aces_page(seed, "some", trial, category, listed)
        for name in SHOWN:
            assert impressions[name][page].tolist() == [offer[name] for offer in offers], (page, name)
        utilities = [
            slow_storefront.utility(offer, slot, float(products.quality[offer["product"]]), PLANTED)
            for slot, offer in enumerate(offers)
        ]
        assert chosen[page] == slow_storefront.logit_choice(seed, "some", trial, category, utilities)


def test_a_page_drawn_anew_is_the_page_that_was_shown():
    venue = shop([{"name": "some", "choice": PLANTED}], randomise={"regime": "aces", "trials": 20})
    impressions = rows_of(venue)["impressions"]
    for number in (0, 7, 39):
        shown, page = impressions[impressions.choice_set == number], venue.page(number)
        assert [offer.product for offer in page.offers] == shown["product"].tolist()
        assert [offer.price_minor for offer in page.offers] == shown.price_minor.tolist()
        assert [offer.scarcity for offer in page.offers] == shown.left.tolist()
        assert page.category == f"category {number // 20}"
    ids = [offer.opaque_id for number in (0, 7) for offer in venue.page(number).offers]
    assert len(set(ids)) == 16


def test_a_category_that_is_added_at_the_end_changes_no_other_page():
    before = rows_of(shop(products=catalogue(2), randomise={"regime": "aces", "trials": 10}))["impressions"]
    wider = catalogue(3)
    same = catalogue(2)
    for name in ("price_minor", "rating_tenths", "reviews"):
        getattr(wider, name)[: len(same)] = getattr(same, name)
    after = rows_of(shop(products=wider, randomise={"regime": "aces", "trials": 10}))["impressions"]
    columns = [*SHOWN, "propensity"]
    assert np.array_equal(before[columns].to_numpy(), after[columns].to_numpy()[: len(before)])
