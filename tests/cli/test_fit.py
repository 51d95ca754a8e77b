"""``marketsim fit``: what it prints, and what it says about files that cannot be used."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from marketsim.analysis.choice import conditional_logit
from marketsim.cli.main import app
from marketsim.core.rng import generator, stream_key
from tests.oracles import aces

SPECIFICATION = "row + col + ln(price) + rating + sponsored | fe(product)"


@pytest.fixture(scope="module")
def table():
    rng = generator(stream_key(2, 0, "tests", "fit", "cli"), 0, 0)
    table = aces.draw_trials(rng, aces.catalogue(rng, 2), 150)
    table["chosen"] = aces.draw_choices(rng, table)
    return table.drop(columns="taste")


@pytest.fixture
def csv(table, tmp_path):
    path = tmp_path / "choices.csv"
    table.to_csv(path, index=False)
    return path


def fit(*words):
    return CliRunner().invoke(app, ["fit", *map(str, words)])


def test_json_equals_the_library_call(table, csv):
    outcome = fit("choice", csv, "--spec", SPECIFICATION, "--json")
    assert outcome.exit_code == 0, outcome.output
    data = json.loads(outcome.stdout)
    result = conditional_logit(table, SPECIFICATION)
    assert data["n"] == 300
    assert data["log_likelihood"] == pytest.approx(result.log_likelihood)
    assert list(data["coefficients"]) == ["row", "col[1]", "col[2]", "col[3]", "ln(price)", "rating", "sponsored"]
    assert data["coefficients"]["ln(price)"]["estimate"] == pytest.approx(result.coefficient("ln(price)"))
    assert data["coefficients"]["row"]["se_robust"] == pytest.approx(result.standard_error("robust")[0])


def test_parquet_and_tabs_give_the_same(table, csv, tmp_path):
    table.to_parquet(tmp_path / "choices.parquet")
    table.to_csv(tmp_path / "choices.tsv", sep="\t", index=False)
    printed = {
        fit("choice", p, "--spec", "row").stdout for p in (csv, *tmp_path.glob("*.parquet"), *tmp_path.glob("*.tsv"))
    }
    assert len(printed) == 1


def test_columns_may_have_other_names(table, tmp_path):
    path = tmp_path / "other.csv"
    other = {"choice_set": "trial", "alternative": "item", "chosen": "bought"}
    table.rename(columns=other).to_csv(path, index=False)
    outcome = fit(
        "choice", path, "--spec", "row", "--choice-set", "trial", "--alternative", "item", "--chosen", "bought"
    )
    assert outcome.exit_code == 0
    assert "300 choice sets" in outcome.stdout


def test_the_plain_print_holds_effects_tests_and_published_figures(csv):
    outcome = fit("choice", csv, "--spec", SPECIFICATION, "--effects", "--published", "--iia", "3", "--fixed-effects")
    assert outcome.exit_code == 0, outcome.output
    for words in ("change of a probability of 10 %", "HHI", "independence of 3", "Claude Sonnet 4", "fe(product)[7]"):
        assert words in outcome.stdout


def test_effects_and_tests_are_in_the_json_too(csv):
    data = json.loads(fit("choice", csv, "--spec", SPECIFICATION, "--effects", "--iia", "3", "--json").stdout)
    assert data["effects"]["row"]["price_equivalent"] > 0
    assert sum(share["observed"] for share in data["shares"].values()) == pytest.approx(1)
    assert 0 <= data["tests"][0]["p_value"] <= 1


def test_latex_and_a_plot(csv, tmp_path):
    outcome = fit("choice", csv, "--spec", SPECIFICATION, "--latex", "--plot", tmp_path / "forest.svg")
    assert outcome.stdout.startswith(r"\begin{tabular}")
    assert "<svg" in (tmp_path / "forest.svg").read_text()


def test_component_effects_in_text_and_json(csv):
    assert "weighted by its logged propensity" in fit("amce", csv, "--draws", "19").stdout
    data = json.loads(fit("amce", csv, "--spec", "row + sponsored", "--draws", "19", "--json").stdout)
    assert list(data["effects"]) == ["row", "sponsored"]
    assert {"estimate", "se", "p_randomisation"} <= set(data["effects"]["row"])


def test_the_same_seed_gives_the_same_p_values(csv):
    words = ("amce", csv, "--spec", "sponsored", "--draws", "99", "--json")
    assert fit(*words).stdout == fit(*words).stdout
    assert fit(*words).stdout != fit(*words, "--seed", "2").stdout


def test_nested_tags_can_be_weighted(csv):
    order = "sponsored,overall_pick,scarcity"
    outcome = fit("amce", csv, "--spec", "scarcity", "--nested", order, "--weight", "--draws", "0")
    assert "stand for all, weighted by sponsored, overall_pick" in outcome.stdout


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("row + ln(prise)", "no column prise; did you mean price"),
        ("rating + I(rating*2)", "rating, I(rating*2) are collinear"),
        ("row + chosen", "chosen separates the choices"),
        ("row +", "cannot be read as a formula"),
    ],
)
def test_a_specification_that_cannot_be_used_ends_with_code_2(csv, specification, message):
    outcome = fit("choice", csv, "--spec", specification)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert "Traceback" not in outcome.output


def spoil(path, table, **cells):
    """Write the table with (column: (row, value)) replaced; row counts from 0."""
    spoilt = table.astype(object)
    for column, (row, value) in cells.items():
        spoilt.loc[row, column] = value
    spoilt.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("cells", "line", "message"),
    [
        ({"price": (15, "cheap")}, 17, 'found price = "cheap", expected a number'),
        ({"price": (15, -3.0)}, 17, "found ln of -3, expected ln of a number above 0"),
        ({"price": (15, None)}, 17, "found price = nothing, expected a number"),
        ({"chosen": (15, "perhaps")}, 17, 'found chosen = "perhaps", expected 0 or 1'),
        ({"choice_set": (15, None)}, 17, "found no choice_set, expected a value"),
    ],
)
def test_a_cell_that_cannot_be_used_is_located_by_line(table, tmp_path, cells, line, message):
    path = spoil(tmp_path / "x.csv", table, **cells)
    outcome = fit("choice", path, "--spec", "row + ln(price)")
    assert outcome.exit_code == 2
    assert outcome.stderr.strip() == f"{path}:{line}: {message}"


def test_two_chosen_in_a_set_are_located(table, tmp_path):
    row = int(np.flatnonzero(table["chosen"] == 0)[-1])
    first = int(np.flatnonzero((table["chosen"] == 1) & (table["choice_set"] == table["choice_set"][row]))[0])
    outcome = fit("choice", spoil(tmp_path / "x.csv", table, chosen=(row, 1)), "--spec", "row")
    assert outcome.exit_code == 2
    assert f"x.csv:{max(row, first) + 2}: found a second chosen alternative" in outcome.stderr


def test_lines_are_counted_past_quoted_line_breaks_and_blank_lines(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        'choice_set,alternative,chosen,title,price\n1,a,1,"two\nlines",3\n\n1,b,0,one,4\n2,a,0,one,4\n2,b,1,one,dear\n'
        "3,a,1,one,4\n3,b,0,one,5\n"
    )
    assert f"{path}:7: found price" in fit("choice", path, "--spec", "price").stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b"choice_set,alternative,chosen,x\n", "found no rows"),
        (b"choice_set,alternative,chosen,x\n1,a,1,2\n2,a,1,3\n", "found one alternative in every choice set"),
        (b"choice_set,alternative,chosen,x\n1,a,0,2\n1,b,0,3\n", "found no choice set with a chosen alternative"),
        (b"choice_set,alternative,chosen,x\n1,a,1,2\n1,b,0,3,4\n", ":3: found 5 cells, expected 4"),
        (b"choice_set,alternative,chosen,x\n1,a,1,\xff\xfe\n", "found bytes that are not UTF-8"),
        (b"choice_set,alternative,chosn,x\n1,a,1,2\n", "no column chosen; did you mean chosn"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, content, message):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    outcome = fit("choice", path, "--spec", "x")
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert "Traceback" not in outcome.output


def test_a_missing_file_a_directory_and_a_false_parquet_are_refused(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"not parquet")
    for path, message in [
        (tmp_path / "none.csv", "found no such file"),
        (tmp_path, "found a directory"),
        (tmp_path / "x.parquet", "no Parquet file"),
    ]:
        for command in (["choice", path, "--spec", "x"], ["amce", path]):
            outcome = fit(*command)
            assert outcome.exit_code == 2
            assert message in outcome.stderr


def test_component_effects_refuse_products_and_bad_options(csv):
    assert "without products" in fit("amce", csv, "--spec", "row:col").stderr
    assert fit("amce", csv, "--propensity", "row").exit_code == 2
    assert fit("choice", csv, "--spec", "row", "--plot", "x.bmp").exit_code == 2


def test_a_row_of_a_parquet_file_is_counted_from_one(table, tmp_path):
    table.assign(price=table["price"].where(table.index != 15)).to_parquet(tmp_path / "x.parquet")
    assert "x.parquet:16: found price = nothing" in fit("choice", tmp_path / "x.parquet", "--spec", "price").stderr


def test_every_command_has_help_with_an_example():
    for command in ("choice", "amce"):
        assert "Example: marketsim fit" in fit(command, "--help").stdout


def test_an_empty_frame_of_effects_cannot_happen(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame({"choice_set": [1, 1], "alternative": [1, 2], "chosen": [1, 0]}).to_csv(path, index=False)
    assert "no attribute to estimate" in fit("amce", path).stderr
