"""Each randomiser against its law: chi-square of what is discrete, Kolmogorov-Smirnov of what is not, propensities.

Seeds were fixed before the results were seen; the threshold of a p-value is 0.001 over about 20 tests.
"""

import numpy as np
import pytest
from scipy import stats

from tests.storefront.shops import catalogue, pages, rows_of, shop

TRIALS = 6_000
P_VALUE = 0.001 / 20


@pytest.fixture(scope="module")
def aces():
    return drawn(regime="aces")


def drawn(seed=11, products=None, **randomise):
    products = catalogue(1, 8) if products is None else products
    venue = shop(products=products, seed=seed, randomise={"trials": TRIALS, **randomise})
    return products, rows_of(venue)["impressions"]


def fits(counts, expected=None):
    assert stats.chisquare(counts, expected).pvalue > P_VALUE


@pytest.mark.parametrize("regime", ["permutation", "aces", "factorial", "sobol"])
def test_each_page_is_a_permutation_and_each_product_is_in_each_slot_equally_often(regime):
    _, impressions = drawn(regime=regime)
    order = pages(impressions, "product")
    assert (np.sort(order, axis=1) == np.arange(8)).all()
    for product in range(8):
        fits(np.bincount(np.argwhere(order == product)[:, 1], minlength=8))
    pairs = order[:, 0] * 8 + order[:, 7]
    counts = np.bincount(pairs, minlength=64).reshape(8, 8)
    fits(counts[~np.eye(8, dtype=bool)])


def test_aces_prices_reviews_and_ratings_have_their_distributions(aces):
    products, impressions = aces
    by_product = impressions.sort_values(["choice_set", "product"])
    price, reviews = pages(by_product, "price_minor"), pages(by_product, "reviews")
    rating = pages(by_product, "rating_tenths")
    for product in range(8):
        factor = np.log(price[:, product] / products.price_minor[product])
        assert stats.kstest(factor, "norm", args=(0.0, 0.3)).pvalue > P_VALUE
        stars = products.rating_tenths[product] / 10
        a = (rating[:, product] / 10 - stars) / (5 - stars)
        assert abs(a.mean()) < 0.03
        assert abs(a.std() - 0.8 / np.sqrt(3)) < 0.02
        low, high = np.floor(10 * (stars - 0.8 * (5 - stars)) + 0.5), np.floor(10 * (stars + 0.8 * (5 - stars)) + 0.5)
        assert (rating[:, product].min(), rating[:, product].max()) == (low, high)
    many = products.reviews > 500
    factor = np.log(reviews[:, many] / products.reviews[many]).ravel()
    assert stats.kstest(factor, "norm").pvalue > P_VALUE
    assert abs(np.corrcoef(np.log(price[:, 0]), np.log(price[:, 1]))[0, 1]) < 0.05


def test_aces_tags_obey_their_nested_law(aces):
    _, impressions = aces
    sponsored, pick, scarce = (pages(impressions, name) for name in ("sponsored", "overall_pick", "scarcity"))
    assert ((sponsored + pick + scarce) <= 1).all()
    fits(np.bincount(sponsored.sum(axis=1), minlength=5), TRIALS * np.array([0.5, 0.125, 0.125, 0.125, 0.125]))
    fits(np.bincount(pick.sum(axis=1)), [TRIALS / 2, TRIALS / 2])
    fits(np.bincount(scarce.sum(axis=1)), [TRIALS / 2, TRIALS / 2])
    for tag in (sponsored, pick, scarce):
        fits(tag.sum(axis=0))
    left = impressions.left[impressions.left > 0]
    fits(np.bincount(left, minlength=6)[1:])
    assert ((impressions.left > 0) == (impressions.scarcity == 1)).all()


def test_aces_factors_are_independent_of_each_other_of_places_and_of_the_trial_before(aces):
    products, impressions = aces
    impressions = impressions.sort_values(["choice_set", "product"], ignore_index=True)
    product = impressions["product"]
    stars = products.rating_tenths[product] / 10
    factors = {
        "price": np.log(impressions.price_minor / products.price_minor[product]),
        "rating": (impressions.rating_tenths / 10 - stars) / (5 - stars),
        "reviews": np.log((impressions.reviews + 1) / (products.reviews[product] + 1)),
        "slot": impressions.slot,
        "sponsored": impressions.sponsored,
        "left": impressions.left,
    }
    values = np.array([np.asarray(column, dtype=float) for column in factors.values()])
    values -= np.array([[row[product == each].mean() for each in range(8)] for row in values])[:, product]
    together = np.corrcoef(values) * np.sqrt(values.shape[1])
    before = [np.corrcoef(row[:-8], row[8:])[0, 1] * np.sqrt(values.shape[1]) for row in values]  # a trial is 8 rows
    nested = {4, 5}  # a sponsored tag keeps the other away
    free = [together[i, j] for i in range(6) for j in range(i) if {i, j} != nested]
    assert together[4, 5] < -4.5
    assert np.abs(free).max() < 4.5
    assert np.abs(before).max() < 4.5


def test_aces_propensities_are_the_probabilities_of_what_was_drawn(aces):
    _, impressions = aces
    free = np.ones((TRIALS, 8), dtype=bool)
    chance = 0.5 * 2.5 / 8
    total = np.full((TRIALS, 8), 1 / 8)
    for name in ("sponsored", "overall_pick", "scarcity"):
        has, logged = pages(impressions, name) == 1, pages(impressions, f"propensity_{name}")
        chance = chance if name == "sponsored" else 0.5 / free.sum(axis=1, keepdims=True)
        expected = np.where(free, np.where(has, chance, 1 - chance), 1.0)
        np.testing.assert_allclose(logged, expected, rtol=1e-12)
        free &= ~has
        total = total * expected
    np.testing.assert_allclose(pages(impressions, "propensity"), total, rtol=1e-12)
    weights = impressions.sponsored / impressions.propensity_sponsored  # inverse weights bring back all offers
    assert abs(weights.mean() - 1) < 0.05


def test_the_width_of_ratings_is_a_key():
    products, impressions = drawn(regime="aces", a=0.0)
    assert (impressions.rating_tenths == products.rating_tenths[impressions["product"]]).all()


def test_a_factorial_draws_each_cell_equally_often_and_independently():
    levels = {"price": [0.5, 1.0, 2.0], "rating": [0.0, 0.1], "tags": ["sponsored", "scarcity"]}
    products, impressions = drawn(regime="factorial", levels=levels)
    factor = impressions.price_minor / products.price_minor[impressions["product"]]
    price = np.digitize(factor, [0.75, 1.5])
    rating = impressions.rating_tenths - products.rating_tenths[impressions["product"]]
    cell = ((price * 2 + rating) * 2 + impressions.sponsored) * 2 + impressions.scarcity
    fits(np.bincount(cell, minlength=24))
    fits(np.bincount(cell[impressions.slot == 0], minlength=24))
    np.testing.assert_allclose(impressions.propensity, 1 / 8 / 6 / 4)
    np.testing.assert_allclose(impressions.propensity_sponsored, 0.5)
    np.testing.assert_allclose(impressions.propensity_overall_pick, 1.0)


def test_tags_of_a_factorial_are_independent_of_places_prices_and_each_other():
    levels = {"price": [0.5, 2.0], "tags": ["sponsored", "overall_pick", "scarcity"]}
    products, impressions = drawn(regime="factorial", levels=levels)
    dear = (impressions.price_minor > products.price_minor[impressions["product"]]).astype(int)
    tags = [impressions[name] for name in ("sponsored", "overall_pick", "scarcity")]
    fits(np.bincount(((tags[0] * 2 + tags[1]) * 2 + tags[2]) * 2 + dear, minlength=16))
    for tag in tags:
        fits(np.bincount(tag * 8 + impressions.slot, minlength=16))


def test_sobol_points_cover_the_law_more_evenly_than_draws():
    def discrepancy(impressions, products):
        """Largest gap between the prices' factors of a product and their law, averaged over products."""
        by_product = impressions.sort_values(["choice_set", "product"])
        factor = np.log(pages(by_product, "price_minor")[:512] / products.price_minor)
        return np.mean([stats.kstest(column, "norm", args=(0.0, 0.3)).statistic for column in factor.T])

    products, sobol = drawn(regime="sobol")
    _, random = drawn(regime="aces")
    assert discrepancy(sobol, products) < 0.3 * discrepancy(random, products)
    tags = pages(sobol, "sponsored").sum(axis=1)
    fits(np.bincount(tags, minlength=5), TRIALS * np.array([0.5, 0.125, 0.125, 0.125, 0.125]))


def test_the_fixed_regime_shows_offers_as_listed_in_the_order_of_the_ranking():
    products, impressions = drawn(regime="fixed")
    assert (pages(impressions, "product") == np.arange(8)).all()
    assert (impressions.price_minor == products.price_minor[impressions["product"]]).all()
    assert (impressions.propensity == 1.0).all()


def test_identical_offers_differ_in_one_place_alone():
    products, impressions = drawn(regime="identical", identical={"price_cut": 0.05})
    price = pages(impressions, "price_minor")
    cut = price < products.price_minor[0]
    assert (cut.sum(axis=1) == 1).all()
    assert (price[cut] == np.floor(0.95 * products.price_minor[0] + 0.5)).all()
    fits(cut.sum(axis=0))
    assert (impressions["product"] == 0).all()
    _, gained = drawn(regime="identical", identical={"rating_gain": 0.1})
    assert (np.sort(pages(gained, "rating_tenths"), axis=1)[:, -2:] - products.rating_tenths[0] == [0, 1]).all()


def test_identical_offers_can_each_draw_their_price():
    products, impressions = drawn(regime="identical", identical={"price_deviation": 0.1})
    factor = np.log(impressions.price_minor / products.price_minor[0])
    assert stats.kstest(factor[::5], "norm", args=(0.0, 0.1)).pvalue > P_VALUE


def test_two_searches_that_find_the_same_products_draw_their_own_numbers():
    products = catalogue(1, 8)
    shopper = {"name": "some", "queries": ["thing", "category"]}
    venue = shop([shopper], products=products, ranking={}, randomise={"regime": "aces", "trials": 50})
    shown = rows_of(venue)["impressions"].sort_values(["choice_set", "product"])
    price = pages(shown, "price_minor")
    assert (price[:50] != price[50:]).mean() > 0.95
