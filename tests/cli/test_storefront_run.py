"""What a user of a shop types and sees: run, its table and JSON, fit on the run directory."""

import json

import pytest

from tests.storefront.shops import SCENARIOS

QUICKSTART = SCENARIOS / "storefront_quickstart.toml"
SPEC = "row + col + ln(price) + ln(reviews+1) + rating + sponsored + overall_pick + scarcity | fe(product)"
LEAVE = "storefront.shoppers.planted.choice.outside=22.0"


def test_a_run_ends_with_a_table_of_the_shop(marketsim, tmp_path):
    result = marketsim("run", QUICKSTART, "-o", tmp_path / "run")
    assert result.exit_code == 0
    for words in (
        "choice sets",
        "purchases",
        "revenue",
        "mean price paid",
        "missed the best",
        "welfare share",
        "digest",
    ):
        assert words in result.stdout
    assert "instrument" not in result.stdout
    assert "missed the needs" not in result.stdout


def test_json_keeps_its_contract_and_adds_the_shop(marketsim, tmp_path):
    result = marketsim("run", QUICKSTART, "-o", tmp_path / "run", "--json")
    facts = json.loads(result.stdout)
    assert {"run_dir", "status", "digest", "seconds", "counts", "storefront", "report"} <= set(facts)
    assert facts["storefront"]["choice_sets"] == facts["counts"]["storefront/choices"] == 4500
    assert facts["storefront"]["missed_best"]["low"] < facts["storefront"]["missed_best"]["share"]
    assert facts["instruments"] == []


def test_instructions_show_their_failure_rate(marketsim, tmp_path):
    result = marketsim("run", SCENARIOS / "instructions" / "brand.toml", "-o", tmp_path / "run")
    assert "missed the needs" in result.stdout
    assert "Wilson" in result.stdout


@pytest.fixture
def left(marketsim, tmp_path):
    """A run in which some leave."""
    result = marketsim("run", QUICKSTART, "-o", tmp_path / "left", "--set", LEAVE, "--json")
    return tmp_path / "left", json.loads(result.stdout)


def test_fit_choice_takes_a_run_and_says_who_left(marketsim, left):
    path, facts = left
    bought = facts["storefront"]["purchases"]
    assert 500 < bought < 4000
    result = marketsim("fit", "choice", path, "--spec", SPEC, "--json")
    assert result.exit_code == 0
    fitted = json.loads(result.stdout)
    assert fitted["n"] == bought
    assert fitted["invalid"] == 0
    assert f"left out: {4500 - bought:,} of 4,500" in result.stderr
    row = fitted["coefficients"]["rating"]
    assert abs(row["estimate"] - 4.91) < 4 * row["se"]


def test_fit_amce_takes_a_run_with_all_its_pages(marketsim, left):
    path, facts = left
    result = marketsim("fit", "amce", path, "--spec", "row + sponsored", "--draws", "0", "--json")
    fitted = json.loads(result.stdout)
    assert (fitted["n"], fitted["invalid"]) == (4500, facts["storefront"]["left"])
    assert fitted["effects"]["row"]["low"] > 0


def test_fit_refuses_a_run_without_a_shop(marketsim, tmp_path):
    quickstart = SCENARIOS / "quickstart.toml"
    marketsim("run", quickstart, "-o", tmp_path / "market", "--set", "duration=1s")
    result = marketsim("fit", "choice", tmp_path / "market", "--spec", "price")
    assert result.exit_code == 2
    assert "storefront/impressions" in result.stderr
    assert "Traceback" not in result.stderr
