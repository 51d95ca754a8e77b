"""Wald, likelihood ratio, and Hausman and McFadden's test."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from marketsim.analysis.choice import (
    SpecificationError,
    conditional_logit,
    hausman_mcfadden,
    likelihood_ratio_test,
    wald_test,
)
from marketsim.analysis.choice.hypotheses import wald_test_of
from tests.oracles.coverage import exact_band


def test_a_wald_test_of_one_coefficient_is_its_squared_z(rng, make_table):
    result = conditional_logit(make_table(rng), "x + ln(price) + brand")
    test = wald_test(result, ["x"])
    frame = result.to_frame()
    assert test.statistic == pytest.approx(frame.loc["x", "z"] ** 2)
    assert test.p_value == pytest.approx(frame.loc["x", "p_value"])
    assert str(test).startswith("x = 0: chi-square(1) = ")


def test_a_wald_test_of_several_uses_their_covariance(rng, make_table):
    result = conditional_logit(make_table(rng), "x + ln(price) + brand")
    b, v = result.estimate[2:], result.covariance["robust"][2:, 2:]
    test = wald_test(result, ["brand[B]", "brand[C]"], "robust")
    assert test.statistic == pytest.approx(b @ np.linalg.inv(v) @ b)
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, 2))


def test_restrictions_may_be_any_linear_ones(rng, make_table):
    result = conditional_logit(make_table(rng), "x + ln(price)")
    at_estimate = wald_test_of(result, np.array([[1.0, 1.0]]), np.array([result.estimate.sum()]))
    assert at_estimate.statistic == pytest.approx(0, abs=1e-20)
    with pytest.raises(SpecificationError, match="independent rows"):
        wald_test_of(result, np.array([[1.0, 1.0], [2.0, 2.0]]), np.zeros(2))


def test_likelihood_ratio_is_twice_the_gain_and_near_wald(rng, make_table):
    table = make_table(rng, 1500)
    small, large = conditional_logit(table, "x + ln(price)"), conditional_logit(table, "x + ln(price) + brand")
    test = likelihood_ratio_test(small, large)
    assert test.statistic == pytest.approx(2 * (large.log_likelihood - small.log_likelihood))
    assert test.degrees == 2
    assert test.statistic == pytest.approx(wald_test(large, ["brand[B]", "brand[C]"]).statistic, rel=0.1)


def test_likelihood_ratio_refuses_what_is_not_nested_or_not_the_same_data(rng, make_table):
    table = make_table(rng, 100)
    small, large = conditional_logit(table, "x"), conditional_logit(table, "ln(price) + brand")
    with pytest.raises(SpecificationError, match="more coefficients"):
        likelihood_ratio_test(large, small)
    with pytest.raises(SpecificationError, match="different choice sets"):
        likelihood_ratio_test(small, conditional_logit(make_table(rng, 90), "x + brand"))
    strong, weak = conditional_logit(table, "ln(price)"), conditional_logit(table, "income:brand")
    with pytest.raises(SpecificationError, match="does not contain"):
        likelihood_ratio_test(strong, weak)


def red_and_blue(rng, n_sets, correlation):
    """Car, red bus, blue bus: the buses' unseen merits are correlated, which breaks independence."""
    x = rng.normal(size=(n_sets, 3))
    shared = rng.gumbel(size=n_sets)
    noise = rng.gumbel(size=(n_sets, 3))
    noise[:, 1:] = (1 - correlation) * noise[:, 1:] + correlation * 3 * shared[:, None]
    chosen = (x + noise).argmax(axis=1)[:, None] == np.arange(3)
    return pd.DataFrame(
        {
            "choice_set": np.repeat(np.arange(n_sets), 3),
            "alternative": np.tile(["car", "red", "blue"], n_sets),
            "x": x.ravel(),
            "chosen": chosen.astype(int).ravel(),
        }
    )


def test_dependent_alternatives_are_found_out(rng):
    table = red_and_blue(rng, 1500, 0.7)
    result = conditional_logit(table, "x + C(alternative, base='car')")
    assert hausman_mcfadden(result, table, ["blue"]).p_value < 0.01


def test_independent_alternatives_are_rarely_rejected(rng):
    n_draws, rejected = 80, 0
    for _ in range(n_draws):
        table = red_and_blue(rng, 300, 0.0)
        result = conditional_logit(table, "x + C(alternative, base='car')")
        rejected += hausman_mcfadden(result, table, ["blue"]).p_value < 0.05
    assert rejected <= exact_band(n_draws, nominal=0.05)[1]


def test_a_difference_of_informations_that_is_not_positive_falls_back_on_scores(rng, make_table):
    """Leaving out a rare alternative hardly changes the information; the test says what it did."""
    table = make_table(rng, 300, sizes=(4, 5))
    result = conditional_logit(table, "x + ln(price)")
    notes = [hausman_mcfadden(result, table, [k]).note for k in range(5)]
    tests = [hausman_mcfadden(result, table, [k]) for k in range(5)]
    assert all(0 <= test.p_value <= 1 and test.statistic >= 0 for test in tests)
    assert set(notes) <= {
        "",
        "the difference of the inverse informations is not positive definite; covariance from scores",
    }


def test_coefficients_against_an_omitted_base_are_not_compared(rng):
    table = red_and_blue(rng, 400, 0.0)
    result = conditional_logit(table, "x + alternative")
    assert hausman_mcfadden(result, table, ["blue"]).degrees == 1


def test_an_alternative_that_is_not_there_is_named(rng):
    table = red_and_blue(rng, 50, 0.0)
    with pytest.raises(SpecificationError, match="no row has alternative = green"):
        hausman_mcfadden(conditional_logit(table, "x"), table, ["green"])
