import numpy as np
import pytest

from marketsim.core.errors import ScenarioError
from marketsim.storefront.config import RankingConfig
from marketsim.storefront.ranking import bayesian_rating, build_shelves
from marketsim.storefront.search import SearchIndex
from tests.storefront.shops import HOUR, catalogue, pages, rows_of, shop


def shown(products, policy, **keys):
    venue = shop(products=products, ranking={"policy": policy, **keys}, randomise={"trials": 3})
    return pages(rows_of(venue)["impressions"], "product")


def test_each_static_policy_puts_its_best_first():
    products = catalogue(1, 12)
    best = {
        "price": np.argsort(products.price_minor, kind="stable"),
        "rating": np.argsort(-bayesian_rating(products, 20.0), kind="stable"),
        "margin": np.argsort(-(products.price_minor - products.cost_minor) / products.price_minor, kind="stable"),
    }
    for policy, order in best.items():
        assert (shown(products, policy) == order[:8]).all(), policy


def test_the_bayesian_rating_is_pulled_to_the_mean_by_its_prior():
    products = catalogue(1, 3)
    products.rating_tenths[:], products.reviews[:] = [50, 40, 30], [0, 60, 20]
    mean = (60 * 4 + 20 * 3) / 80
    expected = [mean, (10 * mean + 240) / 70, (10 * mean + 60) / 30]
    np.testing.assert_allclose(bayesian_rating(products, 10.0), expected)
    np.testing.assert_allclose(bayesian_rating(products, 0.0), [mean, 4.0, 3.0])


def test_ties_go_to_the_smaller_id_whatever_the_order_of_the_catalogue():
    products = catalogue(1, 8)
    products.price_minor[:] = 500
    renamed = products.__class__(**{**vars(products), "product_id": tuple("hgfedcba")})
    for policy in ("price", "velocity"):  # before the first sale all velocities are alike
        assert (shown(renamed, policy)[0] == np.arange(8)[::-1]).all()
    assert (shown(renamed, "price") == np.arange(8)[::-1]).all()


def test_an_order_of_ones_own_comes_first_and_the_rest_follow_the_catalogue():
    assert (shown(catalogue(1, 10), "fixed", order=["p004", "p002"]) == [4, 2, 0, 1, 3, 5, 6, 7]).all()


def test_a_random_policy_shows_each_product_in_each_slot_equally_often():
    products = catalogue(1, 12)
    venue = shop(products=products, ranking={"policy": "random"}, randomise={"trials": 6000})
    order = pages(rows_of(venue)["impressions"], "product")
    counts = np.array([np.bincount(order[:, slot], minlength=12) for slot in range(8)])
    assert (abs(counts - 500) < 5 * np.sqrt(500)).all()


def test_velocity_brings_up_what_sold_lately_and_forgets_by_half_lives():
    products = catalogue(1, 8)
    venue = shop(
        [{"name": "some", "choice": {"price": -100.0}}],
        products=products,
        ranking={"policy": "velocity", "half_life": "10min"},
        randomise={"trials": 7},
        duration_ns=7 * HOUR // 6,
    )
    order = pages(rows_of(venue)["impressions"], "product")
    assert (order[0] == np.arange(8)).all()
    assert (order[1:, 0] == np.argmin(products.price_minor)).all()
    sales = venue._shop.sales[np.argmin(products.price_minor)]
    assert sales == pytest.approx(sum(0.5**k for k in range(7)), rel=1e-9)  # one sale each 10 min


def test_search_finds_words_and_ranks_by_them():
    products = catalogue(2, 9)
    index = SearchIndex(products)
    assert np.flatnonzero(index.scores("thing 4")).tolist() == list(range(18))
    assert index.scores("thing 4").argmax() == 4
    assert not index.scores("zebra").any()
    shelves = build_shelves(products, ["category 0"], ["red thing 4"], RankingConfig())
    assert shelves[1].products[0] == 4
    venue = shop([{"name": "some", "queries": ["thing 4"]}], products=products, ranking={}, randomise={"trials": 2})
    tables = rows_of(venue)
    assert pages(tables["impressions"], "product")[0, 0] == 4
    assert (tables["choices"].category == -1).all()
    assert (tables["choices"]["query"] == 0).all()


def test_a_search_that_finds_less_than_a_page_shows_what_there_is():
    products = catalogue(1, 9)
    titles = ("rare lamp", "rare chair", *products.title[2:])
    some = products.__class__(**{**vars(products), "title": titles})
    tables = rows_of(shop([{"name": "some", "queries": ["rare"]}], products=some, ranking={}, randomise={"trials": 2}))
    assert tables["impressions"].groupby("choice_set").size().tolist() == [2, 2]
    with pytest.raises(ScenarioError, match=r'shoppers\.some\.queries.*found "zebra".*finds 0'):
        shop([{"name": "some", "queries": ["zebra"]}], products=some)


def test_sold_slots_hold_the_products_that_paid_and_are_tagged():
    products = catalogue(1, 10)
    sold = {"slots": [2, 5], "products": ["p009"]}
    venue = shop(products=products, sponsored=sold, randomise={"trials": 4})
    impressions = rows_of(venue)["impressions"]
    order, tagged = pages(impressions, "product"), pages(impressions, "sponsored")
    margin = products.price_minor - products.cost_minor
    margin[9] = -1
    second = margin.argmax()
    assert order[0, 1] == 9
    assert order[0, 4] == second
    assert (tagged == [0, 1, 0, 0, 1, 0, 0, 0]).all()
    organic = [product for product in range(10) if product not in (9, second)]
    assert order[0, [0, 2, 3, 5, 6, 7]].tolist() == organic[:6]
    shuffled = rows_of(shop(products=products, sponsored=sold, randomise={"regime": "permutation", "trials": 50}))
    marked = shuffled["impressions"].query("sponsored == 1")
    assert set(marked["product"]) == {9, second}
    assert marked.slot.nunique() == 8


def test_tags_placed_by_hand_are_shown():
    tags = {
        "overall_pick": ["p001"],
        "best_seller": ["p002"],
        "limited_time": ["p003"],
        "left": {"p004": 3},
        "was_price": {"p005": "999.00"},
    }
    shoppers = [{"name": "some", "choice": {"discounted": 9.0}}]
    venue = shop(shoppers, products=catalogue(1, 8), tags=tags, randomise={"trials": 200})
    tables = rows_of(venue)
    first = tables["impressions"].iloc[:8]
    for slot, name in ((1, "overall_pick"), (2, "best_seller"), (3, "limited_time"), (4, "scarcity")):
        assert first[name].tolist() == [int(slot == other) for other in range(8)]
    assert first.left[4] == 3
    assert first.was_price_minor[5] == 99_900
    assert (tables["choices"].slot == 5).mean() > 0.95


def test_several_pages_run_on_in_slots():
    venue = shop(products=catalogue(1, 12), page={"rows": 1, "columns": 3, "pages": 4}, randomise={"trials": 1})
    rows = rows_of(venue)["impressions"]
    assert rows.page.tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert rows.column.tolist() == [1, 2, 3] * 4
    assert rows.slot.tolist() == list(range(12))
