"""What coefficients mean, against closed forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.analysis.choice import (
    SpecificationError,
    compensating_price_factor,
    concentration,
    conditional_logit,
    effects_table,
    marginal_effect,
    modal_product,
    money_surplus,
    price_equivalent,
    shares,
)


@pytest.fixture
def fitted(rng, make_table):
    table = make_table(rng)
    return table, conditional_logit(table, "x + ln(price) + brand")


def test_marginal_effect_is_the_change_of_a_probability_of_ten_percent(fitted):
    _, result = fitted
    b = result.coefficient("x")
    effect = marginal_effect(result, "x")
    assert effect.estimate == pytest.approx(0.1 * np.exp(b) / (0.9 + 0.1 * np.exp(b)) - 0.1)
    slope = (marginal_effect(result, "x", change=1 + 1e-6).estimate - effect.estimate) / (1e-6 * b)
    assert effect.se == pytest.approx(slope * result.standard_error()[0], rel=1e-4)
    assert effect.low < effect.estimate < effect.high


def test_marginal_effect_is_what_prediction_gives(fitted):
    """Nine rivals of equal utility: the baseline is 10 %, and raising x by 1 moves it as the formula says."""
    _, result = fitted
    table = pd.DataFrame(
        {"choice_set": 1, "alternative": range(10), "x": [1.0] + [0.0] * 9, "price": 20.0, "brand": "A"}
    )
    assert result.predict(table)[0] - 0.1 == pytest.approx(marginal_effect(result, "x").estimate)


def test_baseline_must_be_a_probability(fitted):
    with pytest.raises(ValueError, match="between 0 and 1; found 1.0"):
        marginal_effect(fitted[1], "x", baseline=1.0)


def test_price_equivalent_is_the_rise_that_undoes_a_regressor(fitted):
    _, result = fitted
    rise = price_equivalent(result, "x").estimate
    table = pd.DataFrame(
        {"choice_set": 1, "alternative": [0, 1], "x": [1.0, 0.0], "price": [20.0 * (1 + rise), 20.0], "brand": "A"}
    )
    assert result.predict(table).tolist() == pytest.approx([0.5, 0.5])


def test_price_equivalent_is_money_where_the_price_is_linear(rng, make_table):
    result = conditional_logit(make_table(rng), "x + price")
    effect = price_equivalent(result, "x", "price")
    assert effect.estimate == pytest.approx(-result.coefficient("x") / result.coefficient("price"))
    step = 1e-6
    slope = [
        (price_equivalent(_moved(result, k, step), "x", "price").estimate - effect.estimate) / step for k in range(2)
    ]
    spread = np.array(slope) @ result.covariance["model"] @ slope
    assert effect.se == pytest.approx(np.sqrt(spread), rel=1e-3)


def _moved(result, place, step):
    from dataclasses import replace

    estimate = result.estimate.copy()
    estimate[place] += step
    return replace(result, estimate=estimate)


def test_effects_are_tabled_in_percentage_points(fitted):
    _, result = fitted
    frame = effects_table(result, "ln(price)")
    assert frame.loc["x", "effect"] == pytest.approx(100 * marginal_effect(result, "x").estimate)
    assert frame.loc["x", "price_equivalent"] == pytest.approx(price_equivalent(result, "x").estimate)
    assert np.isnan(frame.loc["ln(price)", "price_equivalent"])


def test_shares_of_a_model_of_constants_are_the_observed_ones(rng):
    """Three products in every set and nothing else: exp of the effects are ratios of counts."""
    counts = {"a": 50, "b": 30, "c": 20}
    chosen = np.repeat(list(counts), list(counts.values()))
    table = pd.DataFrame(
        {
            "choice_set": np.repeat(np.arange(100), 3),
            "alternative": np.tile(["a", "b", "c"], 100),
            "chosen": (np.tile(["a", "b", "c"], 100) == np.repeat(chosen, 3)).astype(int),
        }
    )
    result = conditional_logit(table, "| fe(alternative)")
    assert result.estimate == pytest.approx(np.log([30 / 50, 20 / 50]))
    frame = shares(table, result)
    assert frame["observed"].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert frame["predicted"].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert concentration(frame["observed"]) == pytest.approx(0.38)
    assert modal_product(frame["observed"]) == ("a", 0.5)


def test_shares_within_markets_sum_to_one_each(fitted):
    table, result = fitted
    table = table.assign(half=table["choice_set"] % 2)
    frame = shares(table, result, by="brand", within="half")
    assert frame["observed"].groupby(level="half").sum().tolist() == pytest.approx([1, 1])
    assert frame["predicted"].groupby(level="half").sum().tolist() == pytest.approx([1, 1])
    assert frame["chosen"].sum() == result.n


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=20))
def test_concentration_lies_between_equal_shares_and_one(weights):
    share = pd.Series(weights) / sum(weights)
    assert 1 / len(weights) - 1e-12 <= concentration(share) <= 1 + 1e-12


def test_concentration_wants_shares():
    with pytest.raises(ValueError, match="sum to 1"):
        concentration(pd.Series([0.5, 0.6]))


def test_halving_all_prices_is_worth_doubling_them(fitted):
    table, result = fitted
    factor = compensating_price_factor(result, table, table.assign(price=table["price"] / 2))
    assert factor.to_numpy() == pytest.approx(2)
    assert factor.name == "compensating_price_factor"


def test_the_factor_restores_the_inclusive_value(fitted):
    table, result = fitted
    after = table.assign(x=table["x"] + (table["alternative"] == 0))
    factor = compensating_price_factor(result, table, after)
    raised = after.assign(price=after["price"] * factor.reindex(after["choice_set"]).to_numpy())
    assert result.inclusive_value(raised).to_numpy() == pytest.approx(result.inclusive_value(table).to_numpy())
    assert (factor > 1).all()


def test_a_discount_on_everything_is_worth_itself_in_money(rng, make_table):
    table = make_table(rng)
    result = conditional_logit(table, "x + price")
    assert money_surplus(result, table, table.assign(price=table["price"] - 3)).to_numpy() == pytest.approx(3)


def test_welfare_measures_refuse_the_wrong_price_and_other_choice_sets(fitted, rng, make_table):
    table, result = fitted
    linear = conditional_logit(table, "x + price")
    with pytest.raises(SpecificationError, match="use money_surplus"):
        compensating_price_factor(linear, table, table, "price")
    with pytest.raises(SpecificationError, match="needs a linear price"):
        money_surplus(result, table, table, "ln(price)")
    with pytest.raises(SpecificationError, match="same choice sets"):
        compensating_price_factor(result, table, table[table["choice_set"] > 3])


def test_a_coefficient_that_is_not_there_is_named_with_the_nearest(fitted):
    with pytest.raises(SpecificationError, match=r"no coefficient ln\(prise\); did you mean ln\(price\)"):
        price_equivalent(fitted[1], "x", "ln(prise)")
