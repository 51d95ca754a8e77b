"""What a user gets wrong about a shop: every fault on its line, all at once."""

import textwrap

import pytest

from marketsim.core.errors import ScenarioError
from marketsim.scenario import load_scenario
from marketsim.storefront.config import StorefrontConfig
from marketsim.storefront.engine import Storefront
from tests.storefront.shops import HOUR, catalogue, shop

MANY = """
    name = "bad"
    duration = "1min"
    [storefront]
    categories = ["Desk lamp", "Umbrela"]
    page = { rows = 5, columns = 4 }
    [storefront.ranking]
    policy = "fixed"
    order = ["desk-lamp-01", "desk-lamp-1"]
    [storefront.sponsored]
    slots = [1, 30]
    products = ["nothing"]
    [storefront.tags]
    was_price = { mug = "3.00" }
    [storefront.randomise]
    regime = "aces"
    sponsored_chance = 1.5
    a = -0.1
    [storefront.randomise.identical]
    price_cut = 2.0
    [[storefront.shoppers]]
    name = "some"
    attention = { model = "position", probabilities = [0.5, 2.0] }
    needs = { color = "red" }
    [[storefront.shoppers]]
    name = "classes"
    [[storefront.shoppers.classes]]
    share = 0.4
    [[storefront.shoppers.classes]]
    share = 0.4
"""

EXPECTED = (
    (5, "categories.#2", '"Umbrela"', "did you mean Umbrella?"),
    (6, "page", "20 slots", "at most 12, as category Desk lamp has 12 products"),
    (9, "ranking.order.#2", '"desk-lamp-1"', "the id of a product of the catalogue; did you mean"),
    (11, "sponsored.slots.#2", "30", "a slot of the page, from 1 to 20"),
    (12, "sponsored.products.#1", '"nothing"', "the id of a product"),
    (14, "tags.was_price.mug", '"mug"', "the id of a product"),
    (17, "randomise.sponsored_chance", "1.5", "a number from 0 to 1"),
    (18, "randomise.a", "-0.1", "a number from 0 to 1"),
    (20, "randomise.identical.price_cut", "2.0", "a number from 0 to 1"),
    (23, "shoppers.some.attention.probabilities.#2", "2.0", "a number from 0 to 1"),
    (24, "shoppers.some.needs", '"color"', "did you mean colour?"),
    (27, "shoppers.classes.classes", "[a table, a table]", "shares that sum to 1"),
)


def faults_of(tmp_path, text):
    file = tmp_path / "bad.toml"
    file.write_text(textwrap.dedent(text))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    return sorted(caught.value.faults, key=lambda fault: fault.line)


def test_all_faults_are_found_at_once_each_on_its_line(tmp_path):
    found = faults_of(tmp_path, MANY)
    assert len(found) == len(EXPECTED)
    for fault, (line, path, value, expected) in zip(found, EXPECTED, strict=True):
        assert (fault.line, fault.path, fault.found) == (line, f"storefront.{path}", value)
        assert expected in fault.expected


SMALL = """
    duration = "1min"
    [storefront]
    page = {{ rows = {rows}, columns = {columns} }}
    {keys}
"""


@pytest.mark.parametrize(
    ("rows", "columns", "keys", "path", "expected"),
    [
        (2, 4, 'ranking = { order = ["desk-lamp-01", "desk-lamp-01"] }', "ranking.order", "each product once"),
        (2, 4, "sponsored = { slots = [2, 2] }", "sponsored.slots", "each slot once"),
        (20, 21, "", "page.columns", "from 1 to 20"),
        (20, 20, "", "page", "at most 12, as category"),
        (1, 5, 'randomise = { regime = "aces" }', "randomise.sponsored_most", "at most 3, so that offers are left"),
        (1, 2, 'randomise = { regime = "aces", sponsored_most = 1 }', "page", "at least 3, one for each tag"),
        (2, 4, "randomise = { trials = 0 }", "randomise.trials", "an integer from 1"),
        (2, 4, 'shoppers = [{ name = "a" }, { name = "a" }]', "shoppers", "a name of its own"),
        (2, 4, 'shoppers = [{ name = "a", categories = ["Sofa"] }]', "shoppers.a.categories.#1", "a category"),
    ],
)
def test_each_fault_has_its_key(tmp_path, rows, columns, keys, path, expected):
    faults = faults_of(tmp_path, SMALL.format(rows=rows, columns=columns, keys=keys))
    assert any(path in fault.path and expected in f"{fault.expected}" for fault in faults), faults


def test_more_slots_than_a_kernel_holds_are_refused(tmp_path):
    keys = 'page = { rows = 20, columns = 20, pages = 2 }\n    randomise = { regime = "identical" }'
    (fault,) = faults_of(tmp_path, f"duration = '1min'\n[storefront]\n{keys}")
    assert "at most 400 slots" in fault.expected


def test_a_faulty_catalogue_and_a_faulty_scenario_are_told_together(tmp_path):
    (tmp_path / "mine.csv").write_text("product_id,category,title,price\na,Cup,Cup,-1\nb,Cup,Cup,x\n")
    text = 'duration = "1min"\n[storefront]\ncatalog = "mine.csv"\nrandomise = { a = 7.0 }\n'
    faults = faults_of(tmp_path, text)
    assert [fault.line for fault in faults if fault.file.endswith("mine.csv")] == [2, 3]
    assert any(fault.path == "storefront.randomise.a" for fault in faults)


def test_a_shop_without_a_scenario_refuses_the_same():
    with pytest.raises(ScenarioError, match=r"storefront\.page: found 8 slots, expected at most 3"):
        shop(products=catalogue(2, 3))
    config = StorefrontConfig.model_validate({"sponsored": {"slots": [9]}})
    with pytest.raises(ScenarioError, match=r"storefront\.sponsored\.slots\.1: found 9"):
        Storefront(config, seed=1, duration_ns=HOUR, catalog=catalogue())


def test_a_run_too_short_for_its_trials_is_refused():
    with pytest.raises(ScenarioError, match=r"duration: found 5 ns, expected at least 20 ns"):
        shop(randomise={"trials": 10}, duration_ns=5)
