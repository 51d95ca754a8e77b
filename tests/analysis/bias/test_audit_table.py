"""The audit of a whole table: who is compared with whom, and what is unreadable across groups."""

import numpy as np
import pytest
from scipy.special import expit, logit

from marketsim.analysis.bias import (
    AnswerDataError,
    AnswerTable,
    Columns,
    Factor,
    Settings,
    audit_categorical,
    audit_table,
)
from marketsim.analysis.bias.contrasts import pair_table
from tests.analysis.bias.series import rng

QUICK = Settings(n_permutations=299, with_control=False)


def table_of(answer, call=None, order=None, **factors):
    """Answers with factors given as arrays."""
    n = len(answer)
    return AnswerTable(
        Factor.of([str(word) for word in answer]),
        {name: Factor.of([str(word) for word in np.broadcast_to(column, n)]) for name, column in factors.items()},
        None if call is None else np.asarray(call, np.int64),
        None if order is None else np.asarray(order, np.float64),
    )


def across(audit):
    return {(one.result.name, one.result.group): one.result for one in audit.across}


def bits(number, n, p):
    return (rng(number).random(n) < p).astype(int)


def test_regimes_are_compared_two_by_two_within_each_group():
    n = 400
    answer = np.concatenate([bits(41, n, 0.3), bits(42, n, 0.6), bits(43, n, 0.3), bits(44, n, 0.3)])
    regime, model = np.tile(np.repeat(["batch", "one_shot"], n), 2), np.repeat(["a", "b"], 2 * n)
    calls = np.arange(4 * n) // 10
    table = table_of(answer, calls, np.arange(4 * n), regime=regime, model=model)
    found = across(audit_table(table, Columns(("model",), regime="regime"), settings=QUICK))
    assert found["regime_contrast", "model=a: regime batch against one_shot"].verdict == "found"
    assert found["regime_contrast", "model=b: regime batch against one_shot"].verdict == "not found"


def test_the_temperature_law_is_unreadable_where_answers_are_not_independent():
    shares = np.repeat(rng(45).beta(1, 1, 80), 10)
    answer = np.concatenate([bits(46, 800, shares), bits(47, 800, expit(logit(0.5) / 2))])
    table = table_of(answer, np.arange(1600) // 10, np.arange(1600), t=np.repeat([1.0, 2.0], 800))
    audit = audit_table(table, Columns(temperature="t"), settings=QUICK)
    found = across(audit)["temperature_law", ""]
    assert found.verdict == "unreadable"
    assert "t=1.0" in found.reason


def test_items_asked_both_ways_are_paired_in_their_order():
    answer = ["a", "b", "a", "a", "b", "b", "a", "", "a"]
    item = [1, 1, 2, 2, 3, 1, 1, 2, 4]
    table = table_of(answer, item=item)
    pairs = pair_table(table, np.arange(5), np.arange(5, 9), "item")
    assert pairs.tolist() == [[0, 1], [1, 0]]  # item 1: a-b, b-a; item 2 has one valid answer, 3 and 4 no partner


def test_an_effect_of_the_order_is_found_by_pairs():
    items = np.tile(np.arange(200), 2)
    taste = rng(48).normal(0, 1, 200)[items]
    first = np.repeat([1.0, -1.0], 200)
    answer = bits(49, 400, expit(taste + first))
    table = table_of(answer, item=items, order_of_options=np.where(first > 0, "ab", "ba"))
    columns = Columns(swap="order_of_options", item="item")
    assert (
        across(audit_table(table, columns, settings=QUICK))["order_swap", "order_of_options ab against ba"].verdict
        == "found"
    )
    nameless = across(audit_table(table, Columns(swap="order_of_options"), settings=QUICK))["order_swap", ""]
    assert "--item" in nameless.reason


def test_personas_are_named_and_the_four_fifths_rule_stands_beside():
    items = np.tile(np.arange(100), 2)
    answer = bits(50, 200, expit(rng(51).normal(0, 1, 100)[items] + np.repeat([1.5, -1.5], 100)))
    table = table_of(answer, item=items, persona=np.repeat(["nurse", "broker"], 100))
    found = across(audit_table(table, Columns(persona="persona", item="item"), settings=QUICK))
    assert found["persona", "persona nurse against broker"].verdict == "found"
    assert found["four_fifths", ""].verdict == "found"


def test_histories_may_be_words_or_numbers():
    polarity = np.repeat(["yes", "no"], 500)
    answer = np.concatenate([bits(52, 500, 0.7), bits(53, 500, 0.3)])
    audit = audit_table(table_of(answer, history=polarity), Columns(history="history"), settings=QUICK)
    assert across(audit)["history", ""].verdict == "found"
    with pytest.raises(AnswerDataError, match="found history = maybe, expected yes, no, none"):
        audit_table(table_of(answer, history=np.repeat(["yes", "maybe"], 500)), Columns(history="history"))


def test_several_answers_are_each_audited_against_the_rest():
    shares = rng(54).choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2])
    audit = audit_categorical(table_of(shares, np.arange(600) // 10, np.arange(600)), settings=QUICK)
    assert [group.name for group in audit.groups] == ["answer=a", "answer=b", "answer=c"]
    assert across(audit)["chi_square", ""].verdict == "found"
    assert audit.groups[0].profile.expected == pytest.approx(1 / 3)
    assert audit.n == 600


def test_a_categorical_answer_that_repeats_makes_the_chi_square_unreadable():
    words = np.repeat(rng(55).choice(["a", "b", "c"], 200), 5)
    found = across(audit_categorical(table_of(words, np.zeros(1000), np.arange(1000)), settings=QUICK))
    assert found["chi_square", ""].verdict == "unreadable"


def test_levels_that_are_numbers_are_in_the_order_of_numbers():
    table = table_of([1, 0] * 30, p=np.repeat([5, 10, 100], 20))
    audit = audit_table(table, Columns(("p",), stated="p", percent=True), settings=QUICK)
    assert [group.name for group in audit.groups] == ["p=5", "p=10", "p=100"]
