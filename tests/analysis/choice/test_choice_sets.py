"""Grouping rows into choice sets, and everything that can be wrong with them."""

import numpy as np
import pandas as pd
import pytest

from marketsim.analysis.choice import (
    ChoiceColumns,
    ChoiceDataError,
    SpecificationError,
    conditional_logit,
    read_answers,
    wilson_interval,
)


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "choice_set": [1, 1, 2, 2, 2, 3, 3],
            "alternative": ["a", "b", "a", "b", "c", "a", "b"],
            "chosen": [1, 0, 0, 0, 1, 0, 0],
            "arm": ["control", "control", "control", "control", "control", "treated", "treated"],
        }
    )


def test_sets_of_unequal_size_are_grouped_and_a_set_without_a_choice_is_counted(table):
    answers = read_answers(table)
    assert answers.valid.size.tolist() == [2, 3]
    assert (answers.n_sets, answers.n_invalid) == (3, 1)
    assert answers.shown.size.tolist() == [2, 3, 2]


def test_invalid_answers_are_counted_by_arm_with_an_interval(table):
    frame = read_answers(table).by_arm(table["arm"])
    assert frame["invalid"].to_dict() == {"control": 0, "treated": 1}
    assert frame["sets"].to_dict() == {"control": 2, "treated": 1}
    assert frame.loc["control", "low"] == 0
    assert frame.loc["control", "high"] < 1


def test_rows_that_could_not_be_chosen_leave_their_set(table):
    answers = read_answers(table.assign(available=[1, 1, 0, 1, 1, 1, 1]))
    assert answers.valid.size.tolist() == [2, 2]
    assert answers.n_unavailable == 1


def test_availability_may_have_another_name(table):
    named = table.assign(in_stock=[1, 1, 0, 1, 1, 1, 1])
    assert read_answers(named, ChoiceColumns(available="in_stock")).valid.size.tolist() == [2, 2]


@pytest.mark.parametrize("values", [["yes", "no"], ["TRUE", "false"], ["1", "0"], [True, False], [1.0, 0.0]])
def test_choices_may_be_written_in_several_ways(table, values):
    written = table.assign(chosen=[values[0] if flag else values[1] for flag in table["chosen"]])
    assert read_answers(written).valid.chosen.tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("change", "row", "found"),
    [
        ({"chosen": [1, 1, 0, 0, 1, 0, 0]}, 1, "second chosen"),
        ({"chosen": [1, 0, 0, 0, 2, 0, 0]}, 4, "chosen = 2"),
        ({"chosen": [1, 0, 0, None, 1, 0, 0]}, 3, "chosen = nothing"),
        ({"chosen": ["yes", "no", "no", "maybe", "yes", "no", "no"]}, 3, 'chosen = "maybe"'),
        ({"choice_set": [1, 1, 2, None, 2, 3, 3]}, 3, "no choice_set"),
        ({"alternative": ["a", "b", "a", "b", "b", "a", "b"]}, 4, "alternative b a second time"),
        ({"available": [0, 1, 1, 1, 1, 1, 1]}, 0, "was not available"),
        ({"chosen": [0] * 7}, None, "no choice set with a chosen alternative"),
    ],
)
def test_a_faulty_table_is_refused_with_its_row(table, change, row, found):
    with pytest.raises(ChoiceDataError, match=found) as error:
        read_answers(table.assign(**change))
    assert error.value.row == row
    assert error.value.exit_code == 2


def test_one_alternative_in_every_set_is_refused(table):
    with pytest.raises(ChoiceDataError, match="one alternative in every choice set"):
        read_answers(table.iloc[[0, 4]])


def test_a_table_without_rows_is_refused(table):
    with pytest.raises(ChoiceDataError, match="no rows"):
        read_answers(table.iloc[:0])


def test_a_column_that_is_not_there_is_named_with_the_nearest(table):
    with pytest.raises(SpecificationError, match="no column choice_set; did you mean choiceset"):
        read_answers(table.rename(columns={"choice_set": "choiceset"}))


def test_a_set_of_one_alternative_says_nothing_and_is_counted(rng, make_table):
    table = make_table(rng, 50)
    more = pd.concat([table, table[table["chosen"] == 1].assign(choice_set=lambda t: t["choice_set"] + 900)])
    a, b = conditional_logit(table, "x"), conditional_logit(more, "x")
    assert b.estimate == pytest.approx(a.estimate)
    assert b.log_likelihood == pytest.approx(a.log_likelihood)
    assert (b.n, b.sample.n_informative) == (100, 50)


def test_wilson_interval_equals_its_definition():
    """Its bounds are the shares p whose normal approximation puts k / n exactly 1.96 standard errors away."""
    for bound in wilson_interval(3, 40):
        assert abs(3 / 40 - bound) == pytest.approx(1.959964 * np.sqrt(bound * (1 - bound) / 40), rel=1e-6)
