"""The part of the report that tells of a shop."""

import re
from dataclasses import replace

import pytest

import marketsim
from marketsim.analysis.storefront import summarise_storefront
from marketsim.core.errors import RunDirectoryError
from marketsim.report import render_report
from marketsim.report.storefront_figures import page_map, price_figure, share_figure
from marketsim.report.storefront_section import shop_section
from tests.analysis.storefront.tables import FACTS, all_tables
from tests.report.runs import view
from tests.storefront.shops import SCENARIOS

FIGURES = ("shop-coefficients", "shop-effects", "shop-page", "shop-price", "shop-shares")


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "shop"
    run = marketsim.run(SCENARIOS / "storefront_quickstart.toml", out=path)
    return run, run.report().read_text()


def hand_made(**changes):
    return summarise_storefront(all_tables(), replace(FACTS, **changes))


def test_a_shop_has_all_its_figures_and_no_empty_exchange(quickstart):
    _, page = quickstart
    for name in FIGURES:
        assert f'id="{name}"' in page
    assert "Final accounts" not in page
    assert "Instruments" not in page
    assert "Rule-driven" in page
    assert "9 categories, 2 by 4 offers" in page


def test_coefficients_stand_beside_the_planted_and_the_published_ones(quickstart):
    run, page = quickstart
    model = run._view.storefront.model
    inside = sum(one.low <= one.planted <= one.high for one in model.coefficients)
    assert f"{inside} of 10 intervals hold the planted number" in page
    rows = {row[0]: row for row in shop_section(run._view.storefront).published}
    assert rows["rating"][3:] == ("4.91", "4.91", "8.30", "5.39", "11.15", "9.25", "4.22")
    assert rows["scarcity"][3:] == ("−0.05", *["–"] * 6)
    assert "Gemini 3 Pro" in page


def test_the_heat_map_has_a_cell_a_slot_and_the_shares_of_the_tables(quickstart):
    run, page = quickstart
    cells = re.findall(r'<div class="cell" style="--heat:(\d+)%"><b>([\d.]+) %</b><small>([\d,]+)</small>', page)
    bought = run.choices["slot"].value_counts().sort_index()
    assert [int(n.replace(",", "")) for _, _, n in cells] == bought.tolist()
    assert [float(share) for _, share, _ in cells] == pytest.approx((bought / 45).tolist(), abs=0.06)
    assert max(int(heat) for heat, _, _ in cells) == 62


def test_failures_have_their_interval(quickstart):
    run, page = quickstart
    rate = run.storefront_measures()["missed_best"]
    assert f"{100 * rate['low']:.1f} % to {100 * rate['high']:.1f} % (Wilson, 95 %)" in page
    assert f"{rate['successes']:,}" in page


def test_a_shop_beside_an_exchange_has_a_section_of_its_own():
    page = render_report(view(storefront=hand_made()))
    assert 'id="instrument-1"' in page
    assert 'id="shop"' in page
    assert page.index('id="instrument-1"') < page.index('id="shop"')
    assert "Instruments" in page


def test_names_from_a_catalogue_are_escaped():
    tables = all_tables()
    facts = replace(FACTS, categories=("<script>alert(1)</script>", "Pens"))
    page = render_report(view(storefront=summarise_storefront(tables, facts)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_answers_without_a_purchase_are_named_in_the_tile():
    section = shop_section(hand_made())
    assert section.tiles[0].note == "of 4 choice sets; 1 left; 1 invalid"
    assert section.tiles[3].label == "Missed the needs"
    assert [row[1:3] for row in section.rates] == [("2", "3"), ("1", "2"), ("1", "4")]
    assert shop_section(hand_made(has_needs=False)).tiles[3].label == "Missed the best"


def test_synthetic_respondents_are_stamped_on_every_figure():
    summary = hand_made()
    respondents = replace(summary.shoppers[0], provenance="respondent")
    page = render_report(view(storefront=replace(summary, shoppers=(respondents,))))
    assert page.count('class="stamp"') >= len(FIGURES)
    assert "SYNTHETIC" in page


def test_figures_say_why_they_are_empty():
    empty = summarise_storefront({}, FACTS)
    assert page_map(empty).panels == price_figure(empty).panels == share_figure(empty).panels == ()
    assert "was not recorded" in page_map(empty).found
    fixed = hand_made(regime="fixed")
    page = render_report(view(storefront=fixed))
    assert "Nothing was drawn at random" in page
    assert "which they were not" in page


def test_a_run_that_recorded_no_impressions_still_has_a_report(tmp_path):
    overrides = {"record.tables": ["storefront/choices"]}
    run = marketsim.run(SCENARIOS / "storefront_quickstart.toml", overrides=overrides, out=tmp_path / "run")
    assert "was not recorded" in run.report().read_text()
    assert run.storefront_measures()["purchases"] == 4500
    with pytest.raises(RunDirectoryError, match="storefront/impressions"):
        run.choice_table()


def test_a_fit_says_that_pages_were_left_and_shows_no_empty_column(tmp_path):
    overrides = ["storefront.randomise.trials=60", "storefront.shoppers.planted.choice.outside=20.0"]
    overrides.append('storefront.shoppers.planted.attention={ model = "position" }')
    run = marketsim.run(SCENARIOS / "storefront_quickstart.toml", overrides=overrides, out=tmp_path / "run")
    page = run.report().read_text()
    assert "Made from those of the 540 that were bought from." in page
    assert "planted in the scenario" not in page
    assert ">Planted<" not in page
    section = shop_section(run._view.storefront)
    assert {len(row) for row in section.published} == {len(section.published_heads)}
