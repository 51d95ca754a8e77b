"""Result files of ACES: what we write its analysis reads, and what it writes we read, malformed rows by line."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import marketsim
from marketsim.analysis.storefront.aces import COLUMNS, REQUIRED, from_aces, is_aces, to_aces
from marketsim.cli.main import app

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "storefront_quickstart.toml"
SAME = (
    "price",
    "reviews",
    "rating",
    "sponsored",
    "overall_pick",
    "best_seller",
    "limited_time",
    "discounted",
    "scarcity",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    changes = [
        "storefront.randomise.trials=40",
        "storefront.shoppers.planted.choice.outside=20.0",
        "storefront.tags.best_seller=['yoga-mat-02']",
        "storefront.tags.was_price={'desk-lamp-01'='500.00'}",
    ]
    return marketsim.run(SCENARIO, overrides=changes, out=tmp_path_factory.mktemp("aces") / "run")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("aces") / "results.csv"
    outcome = CliRunner().invoke(app, ["page", "export-aces", str(run.path), "--out", str(path)])
    assert (outcome.exit_code, outcome.output) == (0, "")
    return path


def experiment(number=1, selected=2, model="m1", **columns):
    """Eight offers as the analysis of ACES reads them, with no column more."""
    return pd.DataFrame(
        {
            "query": "mousepad",
            "experiment_label": "exp",
            "experiment_number": number,
            "model_name": model,
            "title": [f"Pad {place}" for place in range(8)],
            "assigned_position": range(8),
            "price": np.linspace(5.0, 12.0, 8),
            "rating_count": np.arange(8) * 10,
            "rating": 4.5,
            "sponsored": [True, *[False] * 7],
            "overall_pick": [*[False] * 7, True],
            "low_stock": False,
            "selected": [int(place == selected) for place in range(8)],
            **columns,
        }
    )


def test_a_run_goes_out_and_comes_back_unchanged(run, exported):
    ours = run.choice_table()
    back = from_aces(pd.read_csv(exported))
    assert len(back) == len(ours) == 40 * 9 * 8
    for name in ("row", "col", "slot", "product", "chosen", *SAME):
        assert back[name].tolist() == ours[name].tolist(), name
    assert (pd.factorize(back["choice_set"])[0] == pd.factorize(ours["choice_set"])[0]).all()
    assert ours[["best_seller", "discounted", "sponsored", "scarcity"]].any().all()


def test_what_is_written_is_what_the_analysis_of_aces_reads(run, exported):
    """Its steps, once more: valid experiments, row and column from the position, the logarithms."""
    table = pd.read_csv(exported)
    assert list(table.columns) == list(COLUMNS)
    keys = ["model_name", "experiment_label", "query", "experiment_number"]
    valid = table.groupby(keys).filter(lambda one: one["selected"].sum() >= 1)
    assert valid.groupby(keys).ngroups == (run.choices.outcome == "bought").sum()
    assert 0 < valid.groupby(keys).ngroups < 360
    row, column = valid["assigned_position"] // 4 + 1, valid["assigned_position"] % 4 + 1
    first = run.impressions.set_index(["choice_set", "slot"]).loc[
        list(zip(valid["experiment_number"], valid["position_in_experiment"], strict=True))
    ]
    assert (first["row"].to_numpy() == row).all()
    assert (first["column"].to_numpy() == column).all()
    assert np.isfinite(np.log(valid["price"])).all()
    for name in ("sponsored", "overall_pick", "low_stock"):
        assert table[name].dtype == bool
    assert ((table["low_stock"] == 1) == table["stock_quantity"].notna()).all()
    assert set(table["model_name"]) == {"marketsim planted"}
    assert set(table["experiment_label"]) == {"aces"}
    assert (table.groupby("title")["original_price"].nunique() == 1).all()


def test_each_buyer_goes_by_its_name():
    """Two tables of shoppers and two agents; numbers run on from one to the next."""
    impressions = pd.DataFrame(
        {
            "choice_set": [0, 1, 2, 3],
            "shopper": [1, 3, 4, 5],
            "category": 0,
            "slot": 0,
            "product": 0,
            "price_minor": 100,
            "was_price_minor": 0,
            "rating_tenths": 40,
            "reviews": 1,
            "left": [0, 0, 2, 0],
            "chosen": [1, 0, 1, 1],
            **dict.fromkeys(("sponsored", "overall_pick", "best_seller", "limited_time"), 0),
        }
    )
    listings = pd.DataFrame(
        {
            "product": [0],
            "product_id": ["p"],
            "title": ["P"],
            "price_minor": [90],
            "rating_tenths": [41],
            "reviews": [2],
        }
    )
    choices = pd.DataFrame({"choice_set": [0, 1, 2, 3], "query": [-1, 0, -1, -1]})
    agents = pd.DataFrame({"first_shopper": [1, 4, 3, 5], "name": ["crowd", "llm-1", "few", "llm-2"]})
    found = to_aces(impressions, listings, choices=choices, agents=agents, categories=["C"], queries=["q"], label="x")
    assert found["model_name"].tolist() == [f"marketsim {name}" for name in ("crowd", "few", "llm-1", "llm-2")]
    assert found["query"].tolist() == ["C", "q", "C", "C"]
    assert found["stock_quantity"].fillna(0).tolist() == [0, 0, 2, 0]
    assert found["original_price"].tolist() == [0.9] * 4


def test_fit_choice_reads_both_alike(run, exported):
    specification = "row + col + ln(price) + ln(reviews+1) + rating + sponsored | fe(product)"
    words = ["--spec", specification, "--json"]
    one, other = (
        json.loads(CliRunner().invoke(app, ["fit", "choice", str(path), *words]).stdout)
        for path in (run.path, exported)
    )
    assert one["coefficients"] == other["coefficients"]


def test_the_least_that_aces_writes_is_enough():
    table = pd.concat([experiment(1), experiment(2, selected=5), experiment(1, selected=0, model="m2")])
    found = from_aces(table.reset_index(drop=True))
    assert set(REQUIRED) == set(table.columns)
    assert found["choice_set"].unique().tolist() == [
        "m1 / mousepad / exp / 1",
        "m1 / mousepad / exp / 2",
        "m2 / mousepad / exp / 1",
    ]
    assert np.flatnonzero(found["chosen"]).tolist() == [2, 13, 16]
    assert found["row"].tolist()[:8] == [1] * 4 + [2] * 4
    assert found["col"].tolist()[:8] == [1, 2, 3, 4] * 2
    assert found["product"].tolist()[:2] == ["Pad 0", "Pad 1"]
    assert found["sponsored"].tolist()[:2] == [1, 0]
    assert not found["best_seller"].any()


def test_matches_by_title_count_and_errors_are_nobodys_choice():
    by_title, several = experiment(1), experiment(2)
    by_title["selected"] *= 2
    several["selected"] = -2
    nothing = experiment(3, selected=None)
    found = from_aces(pd.concat([by_title, several, nothing], ignore_index=True))
    assert found.groupby("choice_set", sort=False)["chosen"].sum().tolist() == [1, 0, 0]


def test_copies_of_one_product_are_told_apart_by_their_places():
    found = from_aces(experiment(title="The same pad"))
    assert found["alternative"].tolist() == list(range(1, 9))
    assert set(found["product"]) == {"The same pad"}


def test_files_without_a_grid_are_read_as_lists():
    table = experiment().drop(columns="experiment_label")
    names = {
        "selected": "chosen",
        "rating_count": "number_of_reviews",
        "overall_pick": "overall_pick_tag",
        "low_stock": "scarcity_tag",
        "model_name": "model",
        "assigned_position": "position_in_experiment",
    }
    found = from_aces(table.rename(columns=names))
    assert found["row"].tolist() == list(range(1, 9))
    assert set(found["col"]) == {1}
    assert found["reviews"].tolist() == list(range(0, 80, 10))
    assert found["overall_pick"].tolist() == [0] * 7 + [1]


def test_other_tables_are_left_alone():
    assert not is_aces(pd.DataFrame({"choice_set": [1], "alternative": [1], "chosen": [1]}))
    assert not is_aces(experiment().assign(choice_set=1))
    assert is_aces(experiment())


FAULTS = {
    "price": ("free", 'price "free", expected a price above 0'),
    "rating": ("7", 'rating "7", expected stars from 0 to 5'),
    "rating_count": ("-1", 'rating_count "-1", expected a number of at least 0'),
    "selected": ("3", 'selected "3", expected a whole number from -2 to 2'),
    "assigned_position": ("0", 'assigned_position "0", expected a place that no other offer of the experiment has'),
    "sponsored": ("maybe", 'sponsored "maybe", expected True or False'),
    "low_stock": ("7", 'low_stock "7", expected True or False'),
}


def fit(text, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(text)
    return CliRunner().invoke(app, ["fit", "choice", str(path), "--spec", "ln(price)"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_malformed_row_is_named_by_its_line(tmp_path, name):
    table = pd.read_csv(io.StringIO(experiment().to_csv(index=False)), dtype=str)
    table.loc[5, name] = FAULTS[name][0]
    outcome = fit(table.to_csv(index=False), tmp_path)
    assert outcome.exit_code == 2
    assert f"results.csv:7: found {FAULTS[name][1]}\n" in outcome.stderr


def test_all_malformed_rows_come_at_once_but_not_without_end(tmp_path):
    table = experiment(price=["a", 1, "", 2, 3, -4, 5, 6])
    lines = fit(table.to_csv(index=False), tmp_path).stderr.splitlines()
    assert [line.split(": ")[0].rsplit(":")[-1] for line in lines] == ["2", "4", "7"]
    assert "found price nothing, expected" in lines[1]
    many = pd.concat([experiment(number, price="x") for number in range(10)])
    assert fit(many.to_csv(index=False), tmp_path).stderr.splitlines()[-1].endswith("60 more rows are at fault")
    two = experiment(1)
    two["selected"] = [1, 0, 0, 1, 0, 0, 0, 0]
    assert ":5: found selected" in fit(two.to_csv(index=False), tmp_path).stderr
    outcome = fit(experiment().drop(columns="rating").to_csv(index=False), tmp_path)
    assert "expected a column rating" in outcome.stderr


def test_what_does_not_fit_is_said(tmp_path):
    narrow = marketsim.run(
        SCENARIO,
        overrides=["storefront.randomise.trials=1", "storefront.page={rows=4, columns=2}"],
        out=tmp_path / "run",
    )
    outcome = CliRunner().invoke(app, ["page", "export-aces", str(narrow.path), "--label", "mine"])
    assert outcome.stderr == "2 columns a page; the analysis of ACES takes every 4 offers for a row\n"
    assert set(pd.read_csv(io.StringIO(outcome.stdout))["experiment_label"]) == {"mine"}
    missing = CliRunner().invoke(app, ["page", "export-aces", str(tmp_path)])
    assert missing.exit_code == 2
