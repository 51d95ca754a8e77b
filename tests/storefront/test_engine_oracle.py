"""The engine's pages and choices equal those of a shop too simple to be wrong, whatever the configuration."""

import numpy as np
import pytest
from hypothesis import given, settings

from marketsim.storefront.config import StorefrontConfig
from tests.oracles.slow_storefront import SlowShop
from tests.storefront.shops import HOUR, PLANTED, catalogue, rows_of, shop
from tests.storefront.strategies import shops

FLOATS = ("propensity", "welfare")


def plain(products):
    """A catalogue as the oracle takes it."""
    columns = zip(
        products.product_id,
        products.category,
        products.price_minor.tolist(),
        products.cost_minor.tolist(),
        products.rating_tenths.tolist(),
        products.reviews.tolist(),
        products.quality.tolist(),
        products.attributes,
        strict=True,
    )
    names = ("product_id", "category", "price", "cost", "rating", "reviews", "quality", "attributes")
    return [dict(zip(names, row, strict=True)) for row in columns]


def assert_equal_to_the_slow_shop(keys, products, seed=1, duration_ns=HOUR, start_ns=0):
    config = StorefrontConfig.model_validate(keys)
    every_key = config.model_dump()
    every_key["ranking"]["half_life"] = config.ranking.half_life  # in ns; a dump writes it as a scenario does
    slow = SlowShop(every_key, plain(products), seed, duration_ns, start_ns).run()
    tables = rows_of(shop(products=products, seed=seed, duration_ns=duration_ns, start_ns=start_ns, **keys))
    for name, rows in (("impressions", slow.impressions), ("choices", slow.choices)):
        if not rows:
            assert name not in tables
            continue
        frame = tables[name]
        assert set(rows[0]) == set(frame.columns)
        assert len(frame) == len(rows), name
        for column in frame:
            expected, found = np.array([row[column] for row in rows]), frame[column].to_numpy()
            if column.startswith(FLOATS):
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=column)
            else:
                np.testing.assert_array_equal(found, expected, err_msg=column)


@settings(max_examples=40)
@given(shops())
def test_every_shop_equals_the_slow_one(drawn):
    assert_equal_to_the_slow_shop(*drawn)


@pytest.mark.slow
@settings(max_examples=500)
@given(shops())
def test_many_shops_equal_the_slow_one(drawn):
    assert_equal_to_the_slow_shop(*drawn)


def test_the_aces_law_with_the_published_vector_equals_the_slow_shop():
    shoppers = [{"name": "some", "choice": PLANTED}]
    assert_equal_to_the_slow_shop(
        {"shoppers": shoppers, "ranking": {"policy": "fixed"}, "randomise": {"regime": "aces", "trials": 60}},
        catalogue(),
        seed=5,
    )


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
    columns = ["product", "price_minor", "rating_tenths", "reviews", "sponsored", "left", "propensity"]
    assert np.array_equal(before[columns].to_numpy(), after[columns].to_numpy()[: len(before)])
