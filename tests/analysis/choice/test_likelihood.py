"""The fit against the likelihood written out set by set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.analysis.choice import conditional_logit
from marketsim.analysis.choice.choice_sets import ChoiceSets
from marketsim.analysis.choice.likelihood import derivatives, inclusive_values, log_likelihood, probabilities
from marketsim.analysis.choice.logit import fit_logit
from marketsim.analysis.choice.regressors import Dummies, Regressors
from marketsim.core.rng import generator, stream_key
from tests.oracles import logit as oracle


@st.composite
def problems(draw):
    """Rows of two numbers and a fixed effect of three columns, in sets of 1 to 5, and coefficients."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    rng = generator(stream_key(draw(st.integers(0, 10_000)), 0, "tests", "problems", "draw"), 0, 0)
    n_rows = sum(sizes)
    start = np.cumsum([0, *sizes[:-1]])
    chosen = np.zeros(n_rows, dtype=bool)
    chosen[start + [rng.integers(size) for size in sizes]] = True
    effect = Dummies(rng.integers(0, 4, n_rows), 3)
    x = Regressors(rng.normal(size=(n_rows, 2)), (effect,))
    return x, ChoiceSets(np.arange(n_rows), start, chosen), sizes, rng.normal(size=5)


@given(problems())
@settings(max_examples=60)
def test_likelihood_and_derivatives_equal_those_written_out(problem):
    x, sets, sizes, beta = problem
    matrix = x.to_array()
    assert np.allclose(x.utility(beta), matrix @ beta)
    assert log_likelihood(x, sets, beta) == pytest.approx(oracle.log_likelihood(matrix, sizes, sets.chosen, beta))
    mean, information = derivatives(x, sets, beta)
    score = matrix[sets.chosen] - mean
    assert np.allclose(score, oracle.scores(matrix, sizes, sets.chosen, beta))
    assert np.allclose(score.sum(axis=0), oracle.gradient(matrix, sizes, sets.chosen, beta), atol=1e-6)
    assert np.allclose(information, oracle.information(matrix, sizes, beta))


def test_two_fixed_effects_share_their_block_of_the_information(rng):
    n_sets, size = 50, 4
    effects = (Dummies(rng.integers(0, 4, n_sets * size), 3), Dummies(rng.integers(0, 3, n_sets * size), 2))
    x = Regressors(rng.normal(size=(n_sets * size, 1)), effects)
    sets = ChoiceSets(np.arange(n_sets * size), np.arange(n_sets) * size, np.tile([True, False, False, False], n_sets))
    beta = rng.normal(size=6)
    assert np.allclose(derivatives(x, sets, beta)[1], oracle.information(x.to_array(), [size] * n_sets, beta))


def test_probabilities_of_huge_utilities_neither_overflow_nor_vanish():
    sets = ChoiceSets(np.arange(4), np.array([0, 2]), np.array([True, False, True, False]))
    share = probabilities(np.array([1000.0, 1000.0, -1000.0, -np.inf]), sets)
    assert share.tolist() == [0.5, 0.5, 1.0, 0.0]
    assert inclusive_values(np.array([1000.0, 1000.0, -1000.0, -np.inf]), sets) == pytest.approx(
        [1000 + np.log(2), -1000]
    )


def test_the_fit_is_where_the_gradient_written_out_vanishes(rng, make_table):
    table = make_table(rng)
    fit = fit_logit(table, "x + ln(price) + brand")
    x, sizes = fit.result.design.matrix(table, fit.sets.row), fit.sets.size.tolist()
    gradient = oracle.gradient(x, sizes, fit.sets.chosen, fit.result.estimate)
    assert np.abs(gradient).max() < 1e-4
    value = oracle.log_likelihood(x, sizes, fit.sets.chosen, fit.result.estimate)
    assert fit.result.log_likelihood == pytest.approx(value, abs=1e-8)


def test_standard_errors_come_from_the_inverse_information_and_from_scores(rng, make_table):
    table = make_table(rng)
    table["household"] = table["choice_set"] // 4
    fit = fit_logit(table, "x + ln(price) + brand", cluster="household")
    x, sizes = fit.result.design.matrix(table, fit.sets.row), fit.sets.size.tolist()
    inverse = np.linalg.inv(oracle.information(x, sizes, fit.result.estimate))
    assert np.allclose(fit.result.covariance["model"], inverse, rtol=1e-6)
    score = oracle.scores(x, sizes, fit.sets.chosen, fit.result.estimate)
    n = len(score)
    assert np.allclose(fit.result.covariance["robust"], n / (n - 1) * inverse @ score.T @ score @ inverse, rtol=1e-5)
    total = np.array([score[k : k + 4].sum(axis=0) for k in range(0, n, 4)])
    g = len(total)
    assert np.allclose(fit.result.covariance["clustered"], g / (g - 1) * inverse @ total.T @ total @ inverse, rtol=1e-5)


def test_copying_every_choice_set_within_its_cluster_changes_no_clustered_error(rng, make_table):
    table = make_table(rng)
    again = table.assign(choice_set=table["choice_set"] + 10_000)
    both = type(table)(np.concatenate([table.to_numpy(object), again.to_numpy(object)]), columns=table.columns)
    both = both.infer_objects()
    both["household"] = both["choice_set"] % 10_000
    once = conditional_logit(table, "x + ln(price)")
    twice = conditional_logit(both, "x + ln(price)", cluster="household")
    assert twice.standard_error("clustered") == pytest.approx(once.standard_error("robust"), rel=1e-6)
    assert twice.standard_error("model") == pytest.approx(once.standard_error("model") / np.sqrt(2), rel=1e-6)


def test_order_of_rows_and_numbering_of_sets_change_nothing(rng, make_table):
    table = make_table(rng, 100)
    shuffled = table.iloc[rng.permutation(len(table))].assign(choice_set=lambda t: "set " + t["choice_set"].astype(str))
    a, b = (conditional_logit(t, "x + ln(price) + brand") for t in (table, shuffled))
    assert b.estimate == pytest.approx(a.estimate, rel=1e-8)


def test_units_of_a_regressor_only_rescale_its_coefficient(rng, make_table):
    table = make_table(rng, 200)
    table["cents"] = 1e9 + 100 * table["price"]
    a, b = conditional_logit(table, "x + price"), conditional_logit(table, "x + cents")
    assert b.coefficient("cents") == pytest.approx(a.coefficient("price") / 100, rel=1e-5)
    assert b.log_likelihood == pytest.approx(a.log_likelihood, rel=1e-9)


def test_two_alternatives_and_one_share_have_the_closed_form():
    """30 of 40 choose the alternative with x = 1: the coefficient is ln(30/10), its variance 1/30 + 1/10."""
    import pandas as pd

    first = np.arange(40) < 30
    table = pd.DataFrame(
        {
            "choice_set": np.repeat(np.arange(40), 2),
            "alternative": np.tile(["a", "b"], 40),
            "x": np.tile([1, 0], 40),
            "chosen": np.column_stack([first, ~first]).ravel(),
        }
    )
    result = conditional_logit(table, "x")
    assert result.coefficient("x") == pytest.approx(np.log(3))
    assert result.standard_error("model")[0] == pytest.approx(np.sqrt(1 / 30 + 1 / 10))
    assert result.log_likelihood == pytest.approx(30 * np.log(0.75) + 10 * np.log(0.25))
    assert result.pseudo_r2 == pytest.approx(1 - result.log_likelihood / (40 * np.log(0.5)))
