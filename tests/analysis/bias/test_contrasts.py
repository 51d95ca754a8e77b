"""What compares groups: temperatures, pairs, personas, histories, against closed forms and planted truth."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit, logit

from marketsim.analysis.bias.calibration import calibration_test
from marketsim.analysis.bias.history import history_tests
from marketsim.analysis.bias.logistic import fit_logistic, saturated_log_likelihood
from marketsim.analysis.bias.pairs import mcnemar, paired_test, stuart_maxwell
from marketsim.analysis.bias.personas import _objective, fit_mixed_logit, four_fifths_rule, persona_test
from marketsim.analysis.bias.temperature import temperature_law_test
from tests.analysis.bias.series import rng
from tests.oracles.coverage import exact_band

# ---- Logistic regression ------------------------------------------------------------------------------------


def test_a_logistic_regression_of_one_group_is_its_log_odds():
    fit = fit_logistic(np.ones((2, 1)), np.array([10, 20]), np.array([40, 60]))
    assert fit.coefficient[0] == pytest.approx(logit(0.3))
    assert fit.covariance[0, 0] == pytest.approx(1 / (100 * 0.3 * 0.7))


def test_with_a_column_a_row_it_reaches_the_saturated_likelihood():
    ones, n = np.array([3, 50, 20]), np.array([30, 60, 25])
    fit = fit_logistic(np.eye(3), ones, n)
    assert fit.log_likelihood == pytest.approx(saturated_log_likelihood(ones, n))


def test_separated_answers_do_not_stop_it():
    fit = fit_logistic(np.column_stack([np.ones(2), [0.0, 1.0]]), np.array([0, 50]), np.array([50, 50]))
    assert fit.log_likelihood == pytest.approx(0, abs=1e-6)


# ---- Temperature --------------------------------------------------------------------------------------------


def test_counts_that_follow_the_law_fit_it():
    temperature, n = np.array([0.5, 1.0, 2.0]), np.full(3, 10_000)
    ones = np.round(n * expit(logit(0.8) / temperature)).astype(int)
    found = temperature_law_test(ones, n, temperature)
    assert found.estimate == pytest.approx(0.8, abs=1e-3)
    assert found.p_value > 0.99
    assert found.low < 0.8 < found.high


def test_a_share_of_98_5_per_cent_at_one_is_89_per_cent_at_two():
    assert expit(logit(0.985) / 2) == pytest.approx(0.89, abs=0.001)


def test_a_share_that_does_not_move_with_temperature_breaks_the_law():
    found = temperature_law_test(np.array([700, 700]), np.array([1000, 1000]), np.array([1.0, 2.0]))
    assert found.p_value < 1e-7


def test_temperature_zero_is_left_out():
    found = temperature_law_test(np.array([100, 70, 60]), np.array([100, 100, 100]), np.array([0.0, 1.0, 2.0]))
    assert found.n == 200
    assert "two temperatures" in temperature_law_test(np.array([9, 9]), np.array([20, 20]), np.array([0.0, 1.0])).reason


# ---- Pairs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("up", "down"), [(3, 12), (7, 7), (0, 6)])
def test_mcnemar_is_the_exact_binomial_of_the_pairs_that_differ(up, down):
    assert mcnemar(up, down)[1] == pytest.approx(stats.binomtest(up, up + down).pvalue)


def test_stuart_maxwell_on_published_eyesight():
    # 7,477 women, grades of the right and the left eye (Stuart 1953, 1955): 11.96 on 3 degrees.
    eyes = np.array([[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]])
    statistic, p_value = stuart_maxwell(eyes)
    assert statistic == pytest.approx(11.957, abs=0.001)
    assert p_value == pytest.approx(stats.chi2.sf(11.957, 3), rel=1e-3)


def test_stuart_maxwell_of_two_answers_is_mcnemars_chi_square():
    assert stuart_maxwell(np.array([[50, 20], [8, 22]]))[0] == pytest.approx((20 - 8) ** 2 / 28)


def test_pairs_that_never_differ_show_nothing():
    found = paired_test("order_swap", np.diag([30, 40]))
    assert (found.p_value, found.estimate) == (1.0, 0.0)
    assert "no item" in paired_test("order_swap", np.zeros((2, 2), int)).reason


# ---- Personas -----------------------------------------------------------------------------------------------


def test_the_likelihood_of_a_mixed_logit_is_the_integral():
    ones, n = np.array([[3, 5], [0, 2], [8, 8]]), np.array([[8, 8], [8, 8], [8, 8]])
    fit = fit_mixed_logit(ones, n)
    total = 0.0
    for k, m in zip(ones, n, strict=True):

        def integrand(z, k=k, m=m):
            p = expit(fit.level + fit.deviation * z)
            return np.prod(p**k * (1 - p) ** (m - k)) * stats.norm.pdf(z)

        total += np.log(integrate.quad(integrand, -8, 8)[0])
    assert fit.log_likelihood == pytest.approx(total, abs=2e-4)


def test_the_gradient_of_a_mixed_logit_is_that_of_its_likelihood():
    ones, n = rng(23).binomial(6, 0.4, (30, 2)), np.full((30, 2), 6)
    at = np.array([-0.3, 0.2, -0.4])
    _, gradient = _objective(at, ones, n)
    for place, step in enumerate(1e-5 * np.eye(3)):
        slope = (_objective(at + step, ones, n)[0] - _objective(at - step, ones, n)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-2)


def test_planted_levels_and_deviation_are_recovered():
    draw = rng(21)
    level, deviation, items, repeats = np.array([-0.5, 0.4]), 1.2, 600, 10
    p = expit(level + deviation * draw.standard_normal((items, 1)))
    fit = fit_mixed_logit(draw.binomial(repeats, p), np.full((items, 2), repeats))
    assert fit.level == pytest.approx(level, abs=0.15)
    assert fit.deviation == pytest.approx(deviation, abs=0.15)


def test_items_that_differ_are_no_persona_gap_and_a_gap_is_found_beside_them():
    draw = rng(22)
    taste = 2.0 * draw.standard_normal((80, 1))
    none = draw.binomial(5, expit(np.hstack([taste, taste])))
    gap = draw.binomial(5, expit(np.hstack([taste, taste + 0.8])))
    n = np.full((80, 2), 5)
    assert persona_test(none, n).p_value > 0.05
    found = persona_test(gap, n)
    assert found.p_value < 0.001
    assert found.estimate == pytest.approx(0.8, abs=0.4)


def test_the_four_fifths_rule_compares_shares_and_has_no_p_value():
    found = four_fifths_rule(np.array([30, 50]), np.array([100, 100]))
    assert (found.estimate, found.verdict) == (pytest.approx(0.6), "found")
    assert np.isnan(found.p_value)
    assert four_fifths_rule(np.array([45, 50]), np.array([100, 100])).verdict == "not found"


# ---- Histories ----------------------------------------------------------------------------------------------


def _history(slope, growth, n=4000):
    polarity = np.repeat([-1.0, 0.0, 1.0], 3)
    length = np.tile([1.0, 4.0, 16.0], 3)
    scale = np.log2(1 + length)
    p = expit(0.2 + slope * polarity + growth * polarity * (scale - scale.mean()))
    return np.round(n * p).astype(int), np.full(9, n), polarity, length


def test_a_pull_of_the_history_is_estimated_and_its_growth_too():
    pull, grows = history_tests(*_history(0.5, 0.3))
    assert pull.estimate == pytest.approx(0.5, abs=0.02)
    assert grows.estimate == pytest.approx(0.3, abs=0.02)
    assert max(pull.p_value, grows.p_value) < 1e-6


def test_a_constant_pull_does_not_grow():
    pull, grows = history_tests(*_history(0.5, 0.0))
    assert pull.p_value < 1e-6
    assert grows.p_value > 0.5
    assert "two polarities" in history_tests(*_history(0.5, 0.0)[:2], np.ones(9), np.ones(9))[0].reason


# ---- Steps over the stated probability ----------------------------------------------------------------------


def test_a_step_is_found_where_it_is():
    stated = np.arange(0.0, 1.01, 0.1)
    n = np.full(11, 100)
    step = calibration_test(np.where(stated > 0.45, 100, 0), n, stated, rng(31))
    assert step.p_value == pytest.approx(1e-4)
    assert (step.facts["from"], step.facts["to"]) == pytest.approx((0.4, 0.5))
    assert "three stated" in calibration_test(n[:2], n[:2], stated[:2], rng(34)).reason


def test_a_rise_that_was_stated_is_no_step():
    stated, n = np.array([0.05, 0.1, 0.9, 0.95]), np.full(4, 200)
    found = calibration_test(np.round(n * stated).astype(int), n, stated, rng(35))
    assert found.estimate == pytest.approx(0)
    assert found.p_value > 0.5


def test_calibrated_answers_have_a_step_by_chance_alone(monkeypatch):
    monkeypatch.setattr("marketsim.analysis.bias.calibration.N_DRAWS", 199)
    stated, n = np.arange(0.0, 1.01, 0.1), np.full(11, 100)
    found = [
        calibration_test(rng(32, d).binomial(n, stated), n, stated, rng(33, d)).p_value <= 0.05 for d in range(400)
    ]
    low, high = exact_band(400, nominal=0.05)
    assert low <= sum(found) <= high
