"""What the heads of the shop's scenarios promise."""

import re

import numpy as np
import pytest

import marketsim
from marketsim.analysis.choice import ACES_SPECIFICATION, conditional_logit
from marketsim.storefront.catalog import Catalog
from tests.storefront.shops import SCENARIOS

RATIONALITY = sorted((SCENARIOS / "rationality").glob("*.toml"))
INSTRUCTIONS = sorted((SCENARIOS / "instructions").glob("*.toml"))
WAYS = {"best": "missed_best", "needs": "missed_needs"}
OBEDIENT = ["storefront.shoppers.planted.choice.need=1000"]


def promised(file):
    """Which failure the head names, and its rate."""
    what, rate = re.search(r'"missed the (best|needs)" (?:about )?([\d.]+) %', file.read_text()).groups()
    return WAYS[what], float(rate) / 100


def probabilities(run):
    """The logit's probability of each offer shown, [page, slot], from the scenario's coefficients and nothing else."""
    table, choice = run.choice_table(), run.scenario.storefront.shoppers[0].choice
    catalog = Catalog.builtin()
    quality = dict(zip(catalog.product_id, catalog.quality.tolist(), strict=True))
    value = choice.ln_price * np.log(table["price"]) + choice.ln_reviews * np.log(table["reviews"] + 1)
    value += choice.rating * table["rating"] + choice.quality * table["product"].map(quality)
    value += np.array(choice.row)[table["row"] - 1] + np.array(choice.column)[table["col"] - 1]
    value += sum(getattr(choice, tag) * table[tag] for tag in ("sponsored", "overall_pick", "scarcity"))
    value += choice.need * meets(run, table)
    value = value.to_numpy().reshape(-1, 8)
    weight = np.exp(value - value.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


def meets(run, table):
    """1 where an offer meets the needs."""
    shopper, catalog = run.scenario.storefront.shoppers[0], Catalog.builtin()
    attributes = dict(zip(catalog.product_id, catalog.attributes, strict=True))
    if not shopper.needs and shopper.need_price is None:
        return np.zeros(len(table))
    has = table["product"].map(lambda name: shopper.needs.items() <= attributes[name].items())
    price = np.inf if shopper.need_price is None else float(shopper.need_price)
    return (has & (table["price"] <= price + 1e-9)).to_numpy().astype(float)


def assert_fails_as_a_logit(run, failure, expected, promise):
    """``expected``: the logit's probability of a failure on each page that counts."""
    row = run.storefront_measures()[failure]
    n, rate = row["trials"], row["share"]
    assert n == len(expected)
    error = np.sqrt((expected * (1 - expected)).sum()) / n
    assert abs(rate - expected.mean()) < 4 * error
    assert row["low"] < rate < row["high"]
    assert abs(rate - promise) < 0.02


@pytest.mark.parametrize("file", RATIONALITY, ids=lambda file: file.stem)
def test_rationality_fails_at_the_rate_of_the_logit(file, tmp_path):
    run = marketsim.run(file, out=tmp_path / "run")
    failure, promise = promised(file)
    table = run.choice_table()
    worth = (table["rating"] - table["price"]).to_numpy().reshape(-1, 8)
    best = worth >= worth.max(axis=1, keepdims=True) - 1e-9
    if file.stem == "base":
        assert best.all()
        assert run.storefront_measures()[failure]["successes"] == promise == 0
        return
    assert (best.sum(axis=1) == 1).mean() > 0.4  # an offer that is better than all others, but for ties of ratings
    assert_fails_as_a_logit(run, failure, 1 - (probabilities(run) * best).sum(axis=1), promise)


@pytest.mark.parametrize("name", ["price_cut_1_cent", "random_price_high_variance"])
def test_a_shopper_to_whom_prices_are_everything_obeys_dominance(name, tmp_path):
    file = SCENARIOS / "rationality" / f"{name}.toml"
    run = marketsim.run(file, overrides=["storefront.shoppers.planted.choice.price=-1000"], out=tmp_path / "run")
    assert run.storefront_measures()["missed_best"]["share"] < 0.02
    assert run.storefront_measures()["welfare_share"] > 0.98


@pytest.mark.parametrize("file", [file for file in INSTRUCTIONS if file.stem != "base"], ids=lambda file: file.stem)
def test_instructions_are_missed_at_the_rate_of_the_logit(file, tmp_path):
    run = marketsim.run(file, out=tmp_path / "run")
    failure, promise = promised(file)
    met = meets(run, run.choice_table()).reshape(-1, 8)
    could = met.any(axis=1)
    assert could.mean() > 0.5
    assert_fails_as_a_logit(run, failure, 1 - (probabilities(run) * met).sum(axis=1)[could], promise)


def test_a_shopper_to_whom_instructions_are_everything_obeys(tmp_path):
    run = marketsim.run(SCENARIOS / "instructions" / "colour.toml", overrides=OBEDIENT, out=tmp_path / "run")
    assert run.storefront_measures()["missed_needs"]["successes"] == 0


def test_without_an_instruction_nothing_is_missed(tmp_path):
    run = marketsim.run(SCENARIOS / "instructions" / "base.toml", out=tmp_path / "run")
    assert run.storefront_measures()["missed_needs"] is None


def test_the_quickstart_gives_each_planted_number_within_its_interval(tmp_path):
    run = marketsim.run(SCENARIOS / "storefront_quickstart.toml", out=tmp_path / "run")
    assert (run.counts["storefront/choices"], run.counts["storefront/impressions"]) == (4500, 36_000)
    assert len(run.choices) == 4500
    assert set(run.choices["outcome"]) == {"bought"}
    result = conditional_logit(run.choice_table(), ACES_SPECIFICATION)
    text = (SCENARIOS / "storefront_quickstart.toml").read_text()
    head = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    told = re.search(
        r"row 1 (\S+), columns 1 to 3 (\S+) (\S+) (\S+), ln price (\S+), ln reviews (\S+), rating (\S+), "
        r"sponsored (\S+), overall pick (\S+), scarcity (\S+)\.",
        head,
    )
    frame = result.to_frame()
    for number, (name, value) in enumerate(zip(result.terms, map(float, told.groups()), strict=True)):
        assert frame["low"].iloc[number] <= value <= frame["high"].iloc[number], name
