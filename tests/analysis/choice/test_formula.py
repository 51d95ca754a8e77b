"""Specifications: what can be written, how it is named, and how it is coded."""

import numpy as np
import pandas as pd
import pytest

from marketsim.analysis.choice import (
    ChoiceDataError,
    CollinearityError,
    SpecificationError,
    conditional_logit,
    read_answers,
)
from marketsim.analysis.choice.design import make_design
from marketsim.analysis.choice.formula import parse_specification


@pytest.fixture
def table(rng, make_table):
    table = make_table(rng, 120, sizes=(4,))
    table["row"] = table["alternative"] // 2 + 1
    table["col"] = table["alternative"] % 4 + 1
    table["flag"] = rng.integers(0, 2, len(table))
    table["list price"] = table["price"] + rng.random(len(table))
    return table


def names(table, specification):
    return make_design(parse_specification(specification), table, read_answers(table).valid).names


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        ("ln(price) + ln(x*x+1)", ["ln(price)", "ln(x*x+1)"]),
        ("ln( price )", ["ln( price )"]),
        ("row + flag", ["row", "flag"]),
        ("col", ["col[1]", "col[2]", "col[3]"]),
        ("brand", ["brand[B]", "brand[C]"]),
        ("C(col, base=2)", ["C(col, base=2)[1]", "C(col, base=2)[3]", "C(col, base=2)[4]"]),
        ("I(brand == 'B') + `list price`", ["I(brand == 'B')", "list price"]),
        ("income:brand", ["income:brand[B]", "income:brand[C]"]),
        ("x*flag", ["x", "flag", "x:flag"]),
        ("(x + flag):price", ["x:price", "flag:price"]),
        ("x + price - price + 0", ["x"]),
    ],
)
def test_coefficients_are_named_as_typed(table, specification, expected):
    assert list(names(table, specification)) == expected


def test_places_on_the_page_are_categories_with_the_last_as_base(table):
    design = make_design(parse_specification("row + col"), table, read_answers(table).valid)
    assert design.bases == {"row": "2", "col": "4"}
    matrix = design.matrix(table, np.arange(len(table)))
    assert (matrix[:, 0] == (table["row"] == 1)).all()
    assert (matrix[:, 3] == (table["col"] == 3)).all()


def test_a_place_written_as_zero_and_one_stays_a_number(table):
    design = make_design(parse_specification("row"), table.assign(row=table["row"] - 1), read_answers(table).valid)
    assert (design.names, design.bases) == (("row",), {})


def test_a_place_can_be_made_a_number(table):
    assert names(table, "I(col)") == ("I(col)",)


def test_any_base_gives_the_same_likelihood_and_shifted_effects(table):
    a, b = conditional_logit(table, "x + C(brand, base='A')"), conditional_logit(table, "x + C(brand, base='C')")
    assert b.log_likelihood == pytest.approx(a.log_likelihood)
    shift = a.coefficient("C(brand, base='A')[C]")
    assert b.coefficient("C(brand, base='C')[A]") == pytest.approx(-shift)


def test_a_product_with_a_constant_of_the_set_keeps_one_level_as_base(table):
    result = conditional_logit(table, "x + brand + income:brand")
    assert result.terms[-2:] == ("income:brand[B]", "income:brand[C]")


def test_a_pandas_category_keeps_its_order(table):
    ordered = table.assign(brand=pd.Categorical(table["brand"], categories=["C", "B", "A"]))
    assert names(ordered, "brand") == ("brand[B]", "brand[A]")


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("prise", "no column prise; did you mean price"),
        ("ln(prise)", "no column prise; did you mean price"),
        ("x | fe(brnd)", "no column brnd; did you mean brand"),
        ("lnn(price)", "lnn is not a function.*did you mean ln"),
        ("x +", "cannot be read as a formula"),
        ("ln(price", "cannot be read as a formula"),
        ("", "specification is empty"),
        ("x | brand", "expected fixed effects such as fe"),
        ("x | fe(brand) | fe(brand)", "one bar at most"),
        ("C(brand, base='Z')", "Z is not a level.*A, B, C"),
        ("C(brand, 2)", "is not C\\(column\\)"),
        ("2:x", "a number cannot stand in a term"),
        ("I(x.__class__)", "cannot stand in a formula"),
        ("I(open('secret'))", "open is not a function"),
        ("I([y for y in x])", "cannot stand in a formula"),
        ("ln(brand + 'a')", "text where a number is needed"),
    ],
)
def test_a_specification_that_cannot_be_used_says_why(table, specification, message):
    with pytest.raises((SpecificationError, ChoiceDataError), match=message):
        conditional_logit(table.assign(brand=table["brand"]), specification.replace("ln(brand +", "ln(x +"))


@pytest.mark.parametrize(
    ("specification", "column", "value", "found"),
    [
        ("ln(price)", "price", -1.0, "ln of -1"),
        ("ln(price)", "price", 0.0, "ln of 0"),
        ("x", "x", np.nan, "x = nothing"),
        ("x", "x", np.inf, "x = inf"),
        ("sqrt(price)", "price", -4.0, "sqrt of -4"),
        ("I(1/x)", "x", 0.0, "= inf"),
        ("brand", "brand", None, "no brand"),
        ("x | fe(brand)", "brand", None, "no brand"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named_with_its_row(table, specification, column, value, found):
    bad = table.copy()
    bad.loc[17, column] = value
    with pytest.raises(ChoiceDataError, match=found) as error:
        conditional_logit(bad, specification)
    assert error.value.row == 17


def test_text_in_a_column_of_numbers_is_an_error_and_no_category(table):
    bad = table.astype({"price": object})
    bad.loc[5, "price"] = "cheap"
    with pytest.raises(ChoiceDataError, match='price = "cheap", expected a number') as error:
        conditional_logit(bad, "price")
    assert error.value.row == 5


def test_junk_in_an_invalid_set_does_not_matter(table):
    junk = table.copy()
    junk.loc[junk["choice_set"] == 3, ["chosen", "price"]] = [0, -1]
    assert conditional_logit(junk, "ln(price)").sample.n_invalid == 1


@pytest.mark.parametrize(
    ("specification", "columns"),
    [
        ("1 + x", [("1",)]),
        ("x + income", [("income",)]),
        ("x + price + I(2*price) + flag", [("price", "I(2*price)")]),
        ("x + brand + I(brand == 'B')", [("brand[B]", "I(brand == 'B')")]),
        ("x + constant", [("constant",)]),
        ("x + quality | fe(brand)", [("quality", "fe(brand)[B]", "fe(brand)[C]")]),
    ],
)
def test_collinear_columns_are_named(table, specification, columns):
    table = table.assign(constant=1.0, quality=table["brand"].map({"A": 1.0, "B": 3.0, "C": 2.5}))
    with pytest.raises(CollinearityError) as error:
        conditional_logit(table, specification)
    assert [set(found) for found in error.value.columns] == [set(expected) for expected in columns]
    for name in columns[0]:
        assert name in str(error.value)


def test_a_long_dependency_names_the_fixed_effects_once(table):
    table = table.assign(product=np.arange(len(table)) % 6, quality=np.arange(len(table)) % 6 * 1.5)
    with pytest.raises(CollinearityError, match=r"quality, fe\(product\) are collinear"):
        conditional_logit(table, "x + quality | fe(product)")
