"""Choices against closed forms, arrivals against Poisson, welfare against hand-made sums.

Seeds were fixed before the results were seen; frequencies are compared by chi-square at p = 0.0001.
"""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import integrate, stats

from marketsim.storefront.shopper_config import ShopperConfig
from tests.storefront.shops import HOUR, PLANTED, catalogue, rows_of, shop

VISITS = 20_000
N = 8
PRODUCTS = catalogue(1, N, seed=4)


def utilities(**coefficients):
    """Utility of each product as listed, in the order of the catalogue, which is that of the slots."""
    columns = {
        "ln_price": np.log(PRODUCTS.price_minor / 100),
        "price": PRODUCTS.price_minor / 100,
        "ln_reviews": np.log(PRODUCTS.reviews + 1),
        "rating": PRODUCTS.rating_tenths / 10,
        "quality": PRODUCTS.quality,
    }
    return sum(value * columns[name] for name, value in coefficients.items())


def shares(weights):
    return np.asarray(weights) / np.sum(weights)


def slots_of(shopper, products=PRODUCTS, seed=21, visits=VISITS, **keys):
    """How often each slot was bought from; the last number counts those who left."""
    venue = shop([{"name": "some", **shopper}], products=products, seed=seed, randomise={"trials": visits}, **keys)
    slot = rows_of(venue)["choices"].slot.to_numpy()
    return np.bincount(np.where(slot < 0, N, slot), minlength=N + 1)


def assert_fits(counts, probability):
    probability = np.append(probability, 1 - np.sum(probability)) if len(probability) == N else np.asarray(probability)
    possible = probability > 1e-12
    assert counts[~possible].sum() == 0
    expected = shares(probability[possible]) * counts.sum()
    assert stats.chisquare(counts[possible], expected).pvalue > 1e-4


def test_a_multinomial_logit_has_its_shares():
    taste = {"ln_price": -1.5, "rating": 2.0, "quality": 1.0}
    assert_fits(slots_of({"choice": taste}), shares(np.exp(utilities(**taste))))


def test_rows_columns_and_slots_move_the_choice():
    places = {"row": [1.0, -0.5], "column": [0.3, 0.0, -0.4], "slot": [0.0, 0.7]}
    value = np.repeat([1.0, -0.5], 4) + np.tile([0.3, 0.0, -0.4, 0.0], 2)
    value[1] += 0.7
    assert_fits(slots_of({"choice": places}), shares(np.exp(value)))


def test_leaving_is_an_alternative():
    taste = {"ln_price": -1.0}
    weights = np.exp([*utilities(**taste), -3.0])
    assert_fits(slots_of({"choice": {**taste, "outside": -3.0}}), shares(weights))


def test_a_nested_logit_has_its_shares():
    taste, scale, outside = {"ln_price": -1.0}, 0.4, -2.5
    value, nest = utilities(**taste), np.array([row["brand"] for row in PRODUCTS.attributes])
    probability = np.zeros(N)
    inclusive = {name: scale * np.log(np.exp(value[nest == name] / scale).sum()) for name in set(nest)}
    total = np.exp(outside) + sum(np.exp(list(inclusive.values())))
    for name, worth in inclusive.items():
        within = shares(np.exp(value[nest == name] / scale))
        probability[nest == name] = np.exp(worth) / total * within
    shopper = {"choice": {**taste, "outside": outside}, "nests": {"by": "brand", "dissimilarity": scale}}
    assert_fits(slots_of(shopper), probability)


def test_latent_classes_mix_their_shares():
    cheap, good = {"ln_price": -3.0}, {"quality": 4.0}
    classes = [{"share": 0.3, "choice": cheap}, {"share": 0.7, "choice": good}]
    mixed = 0.3 * shares(np.exp(utilities(**cheap))) + 0.7 * shares(np.exp(utilities(**good)))
    assert_fits(slots_of({"classes": classes, "count": 1 << 31}), mixed)


def test_a_mixed_logit_integrates_over_tastes():
    def share(product):
        def at(z):
            return stats.norm.pdf(z) * shares(np.exp(utilities(ln_price=-1.0 + 1.5 * z)))[product]

        return integrate.quad(at, -8, 8)[0]

    shopper = {"choice": {"ln_price": -1.0}, "deviations": {"ln_price": 1.5}, "count": 1 << 31}
    assert_fits(slots_of(shopper), [share(product) for product in range(N)])


def test_a_shopper_keeps_its_tastes_from_visit_to_visit():
    shopper = {"choice": {}, "deviations": {"quality": 100.0}, "count": 40}
    venue = shop([{"name": "some", **shopper}], products=PRODUCTS, randomise={"trials": 2000})
    choices = rows_of(venue)["choices"]
    for _, own in choices.groupby("shopper"):
        assert own["product"].value_counts(normalize=True).iloc[0] > 0.5
    assert choices["product"].nunique() > 1


def test_attention_by_position_hides_slots():
    look = [1.0, 0.5, 0.25]
    probability = np.zeros(N + 1)
    chances = np.array([1.0, 0.5] + [0.25] * 6)
    weights = np.exp(utilities(ln_price=-2.0))
    for seen in range(1 << N):
        mask = np.array([seen >> slot & 1 for slot in range(N)], bool)
        p = np.prod(np.where(mask, chances, 1 - chances))
        if p and mask.any():
            probability[:N] += p * np.where(mask, weights, 0.0) / weights[mask].sum()
    shopper = {"choice": {"ln_price": -2.0}, "attention": {"model": "position", "probabilities": look}}
    assert_fits(slots_of(shopper), probability[:N])


def test_attention_decays_as_a_power_of_the_slot_and_is_recorded():
    shopper = {"name": "some", "attention": {"model": "position", "decay": 1.0}}
    tables = rows_of(shop([shopper], products=PRODUCTS, randomise={"trials": VISITS}))
    seen = tables["impressions"].groupby("slot").examined.mean().to_numpy()
    assert np.allclose(seen, 1 / np.arange(1, 9), atol=0.015)
    assert (tables["impressions"].query("chosen == 1").examined == 1).all()


def test_a_cascade_takes_the_first_offer_that_is_good_enough():
    value, outside, persistence = utilities(ln_price=-1.0), -3.5, 0.8
    take = 1 / (1 + np.exp(outside - value))
    reach, probability = 1.0, []
    for p in take:
        probability.append(reach * p)
        reach *= (1 - p) * persistence
    shopper = {
        "choice": {"ln_price": -1.0, "outside": outside},
        "attention": {"model": "cascade", "persistence": persistence},
    }
    assert_fits(slots_of(shopper), probability)


@pytest.mark.parametrize(
    ("by", "kept"),
    [
        ("slot", [0, 1, 2]),
        ("price", np.argsort(PRODUCTS.price_minor, kind="stable")[:3]),
        ("rating", np.argsort(-PRODUCTS.rating_tenths, kind="stable")[:3]),
        ("reviews", np.argsort(-PRODUCTS.reviews, kind="stable")[:3]),
    ],
)
def test_a_consideration_set_keeps_the_best_few(by, kept):
    probability = np.zeros(N)
    probability[np.asarray(kept)] = 1 / 3
    assert_fits(slots_of({"consideration": {"size": 3, "by": by}}), probability)


def test_a_budget_rules_out_what_costs_more_and_nobody_buys_beyond_it():
    middle = int(np.median(PRODUCTS.price_minor))
    within = PRODUCTS.price_minor <= middle
    assert_fits(slots_of({"budget": f"{middle / 100:.2f}"}), within / within.sum())
    assert slots_of({"budget": "0.01"}).tolist() == [0] * N + [VISITS]


def test_a_wallet_empties():
    shopper = {"name": "some", "count": 5, "wallet": "500.00", "choice": {"ln_price": -1.0}}
    choices = rows_of(shop([shopper], products=PRODUCTS, randomise={"trials": 500}))["choices"]
    spent = choices.groupby("shopper").price_minor.sum()
    assert (spent <= 50_000).all()
    assert (spent > 50_000 - PRODUCTS.price_minor.min()).all()
    assert (choices.outcome == 0).any()


def test_needs_move_the_choice_and_are_counted_as_met():
    shopper = {"name": "some", "needs": {"colour": "red"}, "choice": {"need": 2.0}}
    choices = rows_of(shop([shopper], products=PRODUCTS, randomise={"trials": VISITS}))["choices"]
    expected = 4 * np.exp(2) / (4 * np.exp(2) + 4)
    assert abs(choices.need_met.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / VISITS)


def test_trials_visit_each_category_in_turn_evenly_over_the_run():
    choices = rows_of(shop(randomise={"trials": 5}, duration_ns=HOUR))["choices"]
    assert choices.category.tolist() == [0] * 5 + [1] * 5
    assert choices.time_ns.tolist() == [number * (HOUR // 10) for number in range(10)]


def test_poisson_arrivals_have_exponential_gaps_and_spread_over_shoppers_and_categories():
    shopper = {"name": "some", "count": 10, "arrivals": {"rate": 5000.0}}
    choices = rows_of(shop([shopper], duration_ns=2 * HOUR))["choices"]
    assert abs(len(choices) - 10_000) < 400
    gaps = np.diff(choices.time_ns, prepend=0) / HOUR * 5000
    assert stats.kstest(gaps, "expon").pvalue > 1e-4
    for counts in (choices.shopper.value_counts(), choices.category.value_counts()):
        assert stats.chisquare(counts).pvalue > 1e-4
    assert sorted(choices.shopper.unique()) == list(range(1, 11))


def test_a_daily_profile_shapes_arrivals_from_the_time_of_day_at_the_start():
    profile = [0.0] * 24
    profile[23], profile[1] = 1.0, 3.0
    shopper = {"name": "some", "arrivals": {"rate": 1000.0, "profile": profile}}
    times = rows_of(shop([shopper], start_ns=22 * HOUR, duration_ns=24 * HOUR))["choices"].time_ns
    counts = np.bincount((times // HOUR + 22) % 24, minlength=24)
    assert counts[[23, 1]].sum() == counts.sum()
    assert abs(counts[23] - 6000) < 300
    assert abs(counts[1] - 18000) < 500


def test_welfare_is_the_principals_utility_whatever_moved_the_choice():
    shopper = {"name": "some", "choice": {"sponsored": 3.0, **PLANTED}, "principal": {"price": -0.1, "quality": 2.0}}
    products = catalogue(1, 12, seed=9)
    venue = shop([shopper], products=products, randomise={"regime": "aces", "trials": 300})
    tables = rows_of(venue)
    shown = tables["impressions"].copy()
    shown["utility"] = -0.1 * shown.price_minor / 100 + 2.0 * products.quality[shown["product"]]
    choices = tables["choices"].set_index("choice_set")
    bought = shown[shown.chosen == 1].set_index("choice_set").utility
    np.testing.assert_allclose(choices.welfare, bought)
    np.testing.assert_allclose(choices.welfare_best_shown, shown.groupby("choice_set").utility.max())
    listed = -0.1 * products.price_minor / 100 + 2.0 * products.quality
    unseen = listed[8:].max()
    np.testing.assert_allclose(choices.welfare_best_listed, np.maximum(choices.welfare_best_shown, unseen))


def test_leaving_counts_for_welfare_where_it_is_possible():
    shopper = {"name": "some", "choice": {"price": -0.05, "outside": 100.0}, "principal": {"price": -1.0}}
    choices = rows_of(shop([shopper], products=PRODUCTS, randomise={"trials": 10}))["choices"]
    assert (choices.outcome == 0).all()
    assert (choices[["welfare", "welfare_best_shown", "welfare_best_listed"]] == 100.0).all().all()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"classes": [{"share": 0.4}, {"share": 0.4}]}, "sum to 1"),
        ({"classes": [{"share": 1.0}], "choice": {"price": 1.0}}, "either classes or choice"),
        ({"attention": {"model": "cascade"}}, "outside"),
        ({"queries": ["a"], "categories": ["b"]}, "either queries or categories"),
        ({"arrivals": {"rate": 1.0, "profile": [1.0]}}, "24 weights"),
        ({"count": 1 << 30, "wallet": "1.00"}, "10,000,000"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys, expected):
    with pytest.raises(ValidationError, match=expected):
        ShopperConfig.model_validate(keys)
