"""Verdicts: corrections, the order of the gates, and what a failed gate makes unreadable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from marketsim.analysis.bias import Settings, TestResult, audit_group, give_verdicts
from marketsim.analysis.bias.multiplicity import benjamini_hochberg, holm
from marketsim.analysis.bias.wording import sentence
from tests.analysis.bias.series import coin, in_calls, markov, rng

p_values = st.lists(st.floats(1e-6, 1), min_size=1, max_size=12).map(np.array)


@given(p_values)
def test_benjamini_hochberg_is_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@given(p_values)
def test_holm_rejects_step_by_step(p):
    adjusted = holm(p)
    rejected = set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] * (len(p) - step) > 0.05:
            break
        rejected.add(int(place))
    assert set(np.flatnonzero(adjusted <= 0.05).tolist()) == rejected


def test_holm_never_ranks_a_larger_p_value_before_a_smaller_one():
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_a_test_without_p_value_does_not_count_among_the_many():
    assert holm(np.array([0.02, np.nan, 0.04])).tolist() == pytest.approx([0.04, np.nan, 0.04], nan_ok=True)


def audited(bits, size, **settings):
    results = audit_group(in_calls(bits, size), 0.5, "g", Settings(n_permutations=299, **settings))
    return {one.name: one for one in give_verdicts(results)}


def test_a_fair_coin_is_found_fair_and_independent():
    found = audited(coin(11, 2000), 10)
    assert {found[name].verdict for name in ("runs", "markov_1", "ljung_box", "dispersion", "binomial")} == {
        "not found"
    }
    assert found["equivalence"].verdict == "shown"


def test_a_failed_gate_makes_the_binomial_unreadable_and_leaves_the_test_by_calls():
    shares = rng(12).beta(2, 2, 60)
    found = audited((rng(13).random((60, 10)) < shares[:, None]).astype(int).ravel(), 10)
    assert found["dispersion"].verdict == "found"
    for name in ("binomial", "equivalence", "markov_order"):
        assert found[name].verdict == "unreadable"
        assert "dispersion within calls" in found[name].reason
    assert found["share_by_call"].verdict == "not found"
    assert found["share_by_call"].high - found["share_by_call"].low > found["binomial"].high - found["binomial"].low


def test_memory_makes_the_binomial_unreadable_too():
    found = audited(markov(5, 1000, 0.65), 1000)
    assert found["markov_1"].verdict == "found"
    assert found["binomial"].verdict == "unreadable"


def test_gates_are_corrected_by_holm_within_a_group_and_the_rest_across_groups():
    results = [
        TestResult("runs", 100, p_value=0.02, group="a"),
        TestResult("markov_1", 100, p_value=0.5, group="a"),
        TestResult("markov_1", 100, p_value=0.02, group="b"),
        TestResult("binomial", 100, 1, 0.03, 0.5, 0.4, 0.6, group="a", facts={"expected": 0.5}),
        TestResult("binomial", 100, 1, 0.9, 0.5, 0.4, 0.6, group="b", facts={"expected": 0.5}),
    ]
    found = give_verdicts(results)
    assert [one.p_adjusted for one in found] == pytest.approx([0.04, 0.5, 0.02, 0.06, 0.9])
    assert [one.verdict for one in found] == ["found", "not found", "found", "unreadable", "unreadable"]


def test_the_control_is_independent_of_the_answers_and_named_by_its_group():
    one, other = audited(markov(5, 1000, 0.65), 1000), audited(coin(6, 1000), 1000)
    assert one["markov_1"].control_p_value == other["markov_1"].control_p_value
    assert one["markov_1"].control_p_value > 0.01
    assert np.isnan(audited(coin(6, 1000), 1000, with_control=False)["runs"].control_p_value)


def test_every_verdict_has_a_sentence():
    for found in (audited(coin(11, 2000), 10), audited(markov(5, 1000, 0.65), 1000), audited(np.ones(50, int), 10)):
        for one in found.values():
            assert sentence(one).endswith((".", ")"))
    assert sentence(found["runs"]) == "Inestimable: one answer only was given."


def test_the_same_seed_gives_the_same_numbers_and_groups_do_not_shift_each_other():
    first, again = audited(coin(3, 400), 10), audited(coin(3, 400), 10)
    assert first == again
    other = {one.name: one for one in audit_group(in_calls(coin(3, 400), 10), 0.5, "h", Settings(n_permutations=299))}
    assert other["markov_1"].statistic == first["markov_1"].statistic
