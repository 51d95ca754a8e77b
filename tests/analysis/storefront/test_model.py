"""The model of a report: it holds what was drawn at random, and says why where there is none."""

import numpy as np
import pytest

from marketsim.analysis.storefront import ShopFacts, choice_table, summarise_storefront
from marketsim.analysis.storefront.model import ENDOGENOUS, TOO_FEW, specification_of
from tests.storefront.shops import PLANTED, catalogue, shop

TASTE = {"ln_price": -1.5, "rating": 1.0, "sponsored": 0.8}


def measured(trials=150, shopper=None, **keys):
    """What the report of a small shop is made of."""
    shopper = {"name": "some", "choice": TASTE} if shopper is None else shopper
    randomise = {"trials": trials, **keys.pop("randomise", {})}
    venue = shop([shopper], products=catalogue(2, 8, seed=2), randomise=randomise, seed=3, **keys)
    tables = {}
    while True:
        stop = venue.advance(venue._duration, inclusive=False)
        for name, batch in venue.tables():
            tables.setdefault(name, []).append(batch)
        if not stop:
            break
    for name, batch in venue.finish():
        tables.setdefault(name, []).append(batch)
    facts = ShopFacts.from_manifest(venue.facts())
    return summarise_storefront(tables, facts), tables, facts


@pytest.mark.parametrize(
    ("randomise", "expected"),
    [
        ({"regime": "permutation"}, "row + col | fe(product)"),
        (
            {"regime": "aces"},
            "row + col + ln(price) + ln(reviews+1) + rating + sponsored + overall_pick + scarcity | fe(product)",
        ),
        ({"regime": "factorial", "levels": {"tags": ["scarcity"]}}, "row + col + ln(price) + scarcity | fe(product)"),
        ({"regime": "identical", "identical": {"price_deviation": 0.2}}, "row + col + ln(price)"),
        ({"regime": "fixed"}, ""),
    ],
)
def test_the_specification_holds_what_the_regime_drew(randomise, expected):
    _, tables, facts = measured(trials=20, randomise=randomise)
    frame = tables["storefront/impressions"][0].to_pandas()
    assert specification_of(choice_table(frame), facts) == expected


def test_estimates_stand_beside_what_was_planted_and_published():
    summary, _, _ = measured(trials=400, randomise={"regime": "aces"})
    model = {one.name: one for one in summary.model.coefficients}
    assert model["ln(price)"].planted == -1.5
    assert model["row"].planted == 0.0
    assert model["rating"].published["Claude Sonnet 4"] == 4.91
    for one in model.values():
        assert abs(one.estimate - one.planted) < 2 * (one.high - one.low)
    for effect in summary.model.effects:
        assert abs(effect.estimate - effect.modelled) < 1.5 * (effect.high - effect.low), effect.name
    shown = summary.by_price[0] > 100
    observed = summary.by_price[1][shown] / summary.by_price[0][shown]
    assert np.abs(summary.model.price_response[shown] - observed).max() < 0.06


def test_nothing_is_estimated_where_nothing_was_drawn():
    summary, _, _ = measured(ranking={"policy": "velocity"}, randomise={"regime": "fixed"})
    assert (summary.model.coefficients, summary.model.effects) == ((), ())
    assert summary.model.reason == ENDOGENOUS
    alone, _, _ = measured(page={"rows": 1, "columns": 1}, randomise={"regime": "permutation"})
    assert alone.model.reason == TOO_FEW


def test_separation_is_a_reason_and_no_failure():
    shopper = {"name": "some", "choice": {"ln_price": -1000.0}}
    randomise = {"regime": "identical", "identical": {"price_cut": 0.2}}
    summary, _, _ = measured(shopper=shopper, randomise=randomise)
    assert "separates" in summary.model.reason
    assert len(summary.model.effects) == 4  # which need no model


def test_shoppers_that_are_no_single_logit_plant_nothing():
    plain = {"name": "some", "choice": PLANTED}
    others = [{"deviations": {"rating": 1.0}}, {"attention": {"model": "position"}}, {"budget": "30.00"}]
    others += [{"consideration": {"size": 3}}, {"nests": {"by": "brand", "dissimilarity": 0.5}}, {"wallet": "99.00"}]
    assert shop([plain]).facts()["planted"] is not None
    for other in others:
        assert shop([{**plain, **other}]).facts()["planted"] is None
    assert shop([plain, {"name": "more", "choice": {"rating": 1.0}}]).facts()["planted"] is None
    assert shop([plain, {"name": "more", "choice": PLANTED}]).facts()["planted"] is not None
    assert shop(()).facts()["planted"] is None


def test_leaving_keeps_the_coefficients_of_those_who_buy():
    shopper = {"name": "some", "choice": {**TASTE, "outside": 2.0}}
    summary, _, _ = measured(trials=800, shopper=shopper, randomise={"regime": "aces"})
    assert 0.1 < summary.n_left / summary.n_sets < 0.9
    assert summary.model.n == summary.n_bought
    for one in summary.model.coefficients:
        assert abs(one.estimate - one.planted) < 2 * (one.high - one.low), one.name
    for effect in summary.model.effects:
        assert abs(effect.estimate - effect.modelled) < 1.5 * (effect.high - effect.low), effect.name
