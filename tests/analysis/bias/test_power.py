"""Answers needed: the published figures, and that the number found does what it says."""

import pytest

from marketsim.analysis.bias.power import Design, answers_needed, power_of_switches


@pytest.mark.parametrize(("share", "n"), [(0.43, 399), (0.45, 783), (0.48, 4904)])
def test_shares_against_one_half_take_the_known_numbers(share, n):
    assert answers_needed("binomial", Design(share - 0.5)).n == n


def test_fairness_within_five_points_takes_857():
    assert answers_needed("equivalence", Design(0.05)).n == 857


@pytest.mark.parametrize(("n", "switch", "power"), [(400, 0.58, 0.9), (1000, 0.55, 0.89)])
def test_switching_is_found_with_the_known_power(n, switch, power):
    found = power_of_switches(n, switch)
    assert found == pytest.approx(power, abs=0.01)
    assert answers_needed("recency", Design(switch - 0.5, power=found)).n == pytest.approx(n, abs=2)


def test_short_calls_take_more_answers_since_transitions_do_not_cross_them():
    one, ten = (answers_needed("recency", Design(0.05, per_call=k)).n for k in (1, 10))
    assert ten == pytest.approx(one * 10 / 9, rel=0.02)
    assert ten % 10 == 0


def test_a_contrast_pays_for_answers_that_resemble_each_other():
    plain, clustered = (
        answers_needed("regime_contrast", Design(0.1, per_call=50, correlation=rho)).n for rho in (0.0, 0.1)
    )
    assert clustered / plain == pytest.approx(5.9, rel=0.1)


def test_simulated_numbers_are_found_and_say_so(monkeypatch):
    monkeypatch.setattr("marketsim.analysis.bias.power.SIMULATED_REPETITIONS", 60)
    found = answers_needed("dispersion", Design(0.1, per_call=10))
    assert "simulation" in found.method
    assert found.power >= 0.8
    assert 200 <= found.n <= 600  # 60 calls of 10 give .97 in 2,000 repetitions
    assert answers_needed("first_item", Design(0.25, per_call=10)).n <= 600


@pytest.mark.parametrize(
    ("test", "design"), [("recency", Design(0.0)), ("binomial", Design(1.5)), ("dispersion", Design(0.1))]
)
def test_what_makes_no_sense_is_refused(test, design):
    with pytest.raises(ValueError, match="expected"):
        answers_needed(test, design)
