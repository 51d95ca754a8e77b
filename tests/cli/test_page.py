"""``marketsim page show`` shows exactly the page that a trial of the run has."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

import marketsim as package

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "storefront_quickstart.toml"
TRIALS = "storefront.randomise.trials=6"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The quickstart with six trials a category."""
    return package.run(SCENARIO, overrides=[TRIALS], out=tmp_path_factory.mktemp("page") / "run")


def shown(run, choice_set):
    """What the run recorded of a page, as a program reads it off its view."""
    rows = run.impressions.loc[run.impressions.choice_set == choice_set].sort_values("slot")
    titles = run.table("storefront/listings").set_index("product").title
    tags = ["sponsored", "overall_pick", "best_seller", "limited_time"]
    return [
        {
            "title": titles[row["product"]],
            "price": row.price_minor / 100,
            "rating": row.rating_tenths / 10,
            "review_count": row.reviews,
            "tags": [name for name in tags if row[name]] + ["only_left"] * int(row.left > 0),
            "only_left": row.left or None,
        }
        for _, row in rows.iterrows()
    ]


def offers(text):
    names = ("title", "price", "rating", "review_count", "tags", "only_left")
    return [{name: offer[name] for name in names} for offer in json.loads(text)["offers"]]


@pytest.mark.parametrize("choice_set", [0, 3, 17, 53])
def test_a_trial_has_the_page_that_the_run_recorded(marketsim, run, choice_set):
    result = marketsim("page", "show", SCENARIO, "--set", TRIALS, "--trial", choice_set, "--as", "json")
    assert result.exit_code == 0, result.stderr
    assert offers(result.stdout) == shown(run, choice_set)


def test_a_trial_may_be_counted_within_a_category(marketsim, run):
    category = run.manifest["storefront"]["categories"].index("Yoga mat")
    sets = run.choices.loc[run.choices.category == category, "choice_set"].tolist()
    for trial in (0, 5):
        words = ("--set", TRIALS, "--trial", trial, "--category", "Yoga mat", "--as", "json")
        result = marketsim("page", "show", SCENARIO, *words)
        assert json.loads(result.stdout)["category"] == "Yoga mat"
        assert offers(result.stdout) == shown(run, sets[trial])


def test_a_run_shows_the_pages_that_its_scenario_has(marketsim, run):
    for words in (("--trial", 17), ("--trial", 2, "--category", "Office chair")):
        drawn = marketsim("page", "show", SCENARIO, "--set", TRIALS, *words, "--as", "html")
        assert marketsim("page", "show", run.path, *words, "--as", "html").stdout == drawn.stdout
    for words, message in (
        (("--trial", 54), "expected the number of a page of the run; found 54"),
        (("--trial", 6, "--category", "Backpack"), "expected a trial from 0 to 5 of Backpack; found 6"),
        (("--category", "Lamp"), "expected a category out of"),
        (("--set", TRIALS), "a run is what it was"),
    ):
        result = marketsim("page", "show", run.path, *words)
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.split())


def test_every_format_goes_to_a_file_or_to_standard_output(marketsim, tmp_path):
    begins = {"html": "<!doctype html>", "json": "{", "markdown": "# Coffee grinder", "text": "Coffee grinder"}
    for name, start in begins.items():
        printed = marketsim("page", "show", SCENARIO, "--as", name)
        assert printed.stdout.startswith(start)
        written = marketsim("page", "show", SCENARIO, "--as", name, "--out", "page.out")
        assert (written.exit_code, written.stdout) == (0, "")
        assert (tmp_path / "page.out").read_text() == printed.stdout


def test_a_picture_says_who_drew_it(marketsim, tmp_path):
    words = ("--as", "png", "--out", "page.png", "--renderer", "pillow", "--width", 800)
    result = marketsim("page", "show", SCENARIO, *words)
    image = Image.open(io.BytesIO((tmp_path / "page.png").read_bytes()))
    assert result.stderr == f"page.png: 800 x {image.height} pixels, drawn by pillow\n"
    assert result.stdout == ""


def test_pictures_go_into_text_formats_where_they_are_asked_for(marketsim):
    for name in ("json", "markdown"):
        assert "data:image/svg+xml" not in marketsim("page", "show", SCENARIO, "--as", name).stdout
        assert "data:image/svg+xml" in marketsim("page", "show", SCENARIO, "--as", name, "--images").stdout


def test_one_page_of_several_and_a_product_of_it(marketsim):
    words = ("--set", "storefront.page.rows=1", "--set", "storefront.page.pages=2", "--as", "json")
    whole = json.loads(marketsim("page", "show", SCENARIO, *words).stdout)
    parts = [json.loads(marketsim("page", "show", SCENARIO, *words, "--page", n).stdout) for n in (1, 2)]
    assert parts[0]["offers"] + parts[1]["offers"] == whole["offers"]
    assert [part["page"] for part in parts] == [1, 2]
    last = whole["offers"][-1]
    detail = json.loads(marketsim("page", "show", SCENARIO, *words, "--open", last["id"]).stdout)
    assert {name: detail[name] for name in last} == last
    assert detail["attributes"]["brand"]


FAULTS = {
    ("--trial", "54"): "expected the number of a page, from 0 to 53; found 54",
    ("--trial", "-1"): "Input should be greater than or equal to 0",
    ("--trial", "6", "--category", "Backpack"): "expected a trial from 0 to 5 of Backpack; found 6",
    ("--category", "Umbrella"): "expected a category out of Coffee grinder",
    ("--as", "pdf"): "found pdf, expected html, png, json, markdown or text",
    ("--as", "png"): "a picture needs a file to go to: --out page.png",
    ("--page", "2"): "expected a page from 1 to 1; found 2",
    ("--open", "nothing"): "found nothing, expected an id of this page",
    ("--renderer", "brush"): "found brush, expected auto, chromium or pillow",
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_is_not_there_is_an_error(marketsim, words):
    result = marketsim("page", "show", SCENARIO, "--set", TRIALS, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert FAULTS[words] in " ".join(result.stderr.split())


def test_scenarios_without_a_page_to_show_are_errors(marketsim, quickstart):
    result = marketsim("page", "show", quickstart())
    assert result.exit_code == 2
    assert "found no [storefront], expected a scenario with a shop" in result.stderr
    assert marketsim("run", quickstart(), "--set", "duration=1ms", "--out", "run").exit_code == 0
    for words in (("show", "run"), ("show", "run", "--category", "Lamp"), ("export-aces", "run")):
        result = marketsim("page", *words)
        assert result.exit_code == 2
        assert "expected a run of a" in result.stderr


def test_it_is_said_what_was_filled_in(marketsim, tmp_path):
    rows = "".join(f"p{number},Coffee grinder,Grinder {number},{number + 1}\n" for number in range(8))
    (tmp_path / "shop.csv").write_text("product_id,category,title,price\n" + rows)
    words = ("--set", f'storefront.catalog="{tmp_path}/shop.csv"', "--set", 'storefront.categories=["Coffee grinder"]')
    result = marketsim("page", "show", SCENARIO, *words)
    assert result.exit_code == 0
    said = f"{tmp_path}/shop.csv: cost filled in, all 8 cells: 60 % of the price\n"
    assert said in result.stderr
    assert "Grinder 7" in result.stdout
    words = (SCENARIO, *words, "--set", "storefront.randomise.trials=1")
    assert said in marketsim("run", *words, "--out", "run").stderr
    checked = marketsim("validate", *words).stdout
    assert "catalogue  8 products in 1 category\n" in checked
    assert "filled in  cost, all 8 cells: 60 % of the price\n" in checked
    assert (
        json.loads(marketsim("validate", *words, "--json").stdout)["catalogue"]["filled"]["reviews"] == "all 8 cells: 0"
    )
