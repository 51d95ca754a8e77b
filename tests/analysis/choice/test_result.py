"""A result prints, exports and plots, and predicts on other tables."""

import json

import numpy as np
import pytest

import marketsim.analysis.choice as choice
from marketsim.analysis.choice import (
    ChoiceDataError,
    SpecificationError,
    amce,
    beside_published,
    conditional_logit,
)


@pytest.fixture
def fitted(rng, make_table):
    table = make_table(rng)
    return table, conditional_logit(table, "x + ln(price) + brand")


def test_json_holds_the_keys_of_the_contract(fitted):
    data = json.loads(fitted[1].to_json())
    assert data["n"] == 400
    assert data["log_likelihood"] == pytest.approx(fitted[1].log_likelihood)
    assert list(data["coefficients"]) == ["x", "ln(price)", "brand[B]", "brand[C]"]
    assert {"estimate", "se", "se_robust"} <= set(data["coefficients"]["ln(price)"])
    assert data["bases"] == {"brand": "A"}


def test_json_writes_null_for_what_is_no_number(rng, make_table):
    table = make_table(rng).assign(one=7)
    data = json.loads(conditional_logit(table, "x", cluster="one").to_json(), parse_constant=pytest.fail)
    assert data["coefficients"]["x"]["se_clustered"] is None


def test_text_states_the_base_the_errors_and_the_fit(fitted):
    text = str(fitted[1])
    assert "400 choice sets" in text
    assert "base of brand: A" in text
    assert "model standard errors" in text
    assert "McFadden pseudo R2" in text


def test_text_states_failures_by_arm(rng, make_table):
    table = make_table(rng)
    table["arm"] = np.where(table["choice_set"] < 200, "cheap", "dear")
    table.loc[table["choice_set"] < 10, "chosen"] = 0
    text = conditional_logit(table, "x", arm="arm").to_text()
    assert "invalid answers, credited to nobody: 10 of 400" in text
    assert "cheap" in text


def test_frame_has_a_row_a_coefficient_and_intervals_of_the_level_asked(fitted):
    wide, narrow = fitted[1].to_frame(level=0.99), fitted[1].to_frame(level=0.5)
    assert (wide["low"] < narrow["low"]).all()
    assert list(wide.columns) == ["estimate", "se", "se_robust", "z", "p_value", "low", "high"]


def test_clustered_errors_are_preferred_once_asked_for(rng, make_table):
    table = make_table(rng).assign(household=lambda t: t["choice_set"] // 5)
    result = conditional_logit(table, "x", cluster="household")
    frame = result.to_frame()
    assert frame.loc["x", "z"] == pytest.approx(frame.loc["x", "estimate"] / frame.loc["x", "se_clustered"])
    assert "clusters: household" in result.to_text()
    with pytest.raises(SpecificationError, match="no clustered covariance"):
        conditional_logit(table, "x").standard_error("clustered")


def test_a_cluster_must_not_change_within_a_choice_set(rng, make_table):
    table = make_table(rng)
    table["household"] = np.arange(len(table))
    with pytest.raises(ChoiceDataError, match="one cluster throughout the choice set"):
        conditional_logit(table, "x", cluster="household")


def test_latex_is_balanced_and_escaped(fitted):
    text = fitted[1].to_latex()
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    table, _ = fitted
    named = conditional_logit(table.rename(columns={"x": "x_1%"}), "`x_1%`").to_latex()
    assert r"x\_1\%" in named


def test_figure_draws_one_interval_a_term(fitted):
    result = fitted[1]
    figure = result.figure({"another": {"x": 0.5}})
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(result.terms)
    segments = axes.collections[0].get_segments()
    assert segments[0][:, 0] == pytest.approx(result.to_frame().loc["x", ["low", "high"]].to_numpy())
    figure.savefig("/dev/null", format="svg")


def test_component_effects_export_the_same_ways(fitted):
    result = amce(fitted[0], ["brand"])
    data = json.loads(result.to_json())
    assert data["n"] == 400
    assert list(data["effects"]) == ["brand[B]", "brand[C]"]
    assert "brand[B]" in result.to_latex()
    assert len(result.figure().axes[0].get_yticklabels()) == 2
    assert repr(result) == "<AmceResult: 2 effects, n = 400>"


def test_published_coefficients_stand_beside_those_of_the_same_name(fitted):
    frame = beside_published(fitted[1])
    assert frame.loc["ln(price)", "Claude Sonnet 4"] == -1.62
    assert np.isnan(frame.loc["x", "GPT-4.1"])


def test_predictions_sum_to_one_in_the_order_of_the_table(fitted, rng):
    table, result = fitted
    shuffled = table.iloc[rng.permutation(len(table))]
    share = result.predict(shuffled)
    assert share.groupby(shuffled["choice_set"]).sum().to_numpy() == pytest.approx(1)
    assert share.sort_index().to_numpy() == pytest.approx(result.predict(table).to_numpy())


def test_predictions_need_no_choices_and_respect_availability(fitted):
    table, result = fitted
    fresh = table.drop(columns="chosen").assign(available=(table["alternative"] != 0).astype(int))
    share = result.predict(fresh)
    assert (share[table["alternative"] == 0] == 0).all()


def test_a_level_that_was_not_estimated_is_refused(fitted):
    table, result = fitted
    with pytest.raises(ChoiceDataError, match='brand = "D", expected one of A, B, C') as error:
        result.predict(table.assign(brand=["D" if k == 9 else "A" for k in range(len(table))]))
    assert error.value.row == 9


def test_every_public_name_can_be_imported():
    for name in choice.__all__:
        assert getattr(choice, name) is not None
