"""Statistics of one run: those of its own summary, by venue and by instrument."""

from __future__ import annotations

from pathlib import Path

import pytest

import marketsim
from marketsim.experiments.measures import measure_run, title_of
from tests.experiments.markets import write_market

SHOP = Path(__file__).resolve().parents[2] / "scenarios" / "storefront_quickstart.toml"


def test_measures_of_an_exchange_are_those_of_its_summary(tmp_path):
    run = marketsim.run(write_market(tmp_path), out=tmp_path / "run")
    found, row = measure_run(run.directory), run.measures()[0]
    for name in ("trades", "volume_lots", "spread_mean_ticks", "spread_mean", "two_sided_share", "last_mid"):
        assert found[name] == pytest.approx(row[name])
    assert found["quote_updates"] == len(run.quotes)


def test_instruments_are_told_apart_and_what_was_not_recorded_is_missing(tmp_path):
    more = '\n[record]\ntables = ["exchange/trades"]\n'
    text = write_market(tmp_path, more).read_text()
    second = '\n[[exchange.instruments]]\nsymbol = "OTHER"\ntick_size = "0.01"\nopen_price = "50"\n'
    file = tmp_path / "two.toml"
    file.write_text(text.replace("\n[[exchange.populations]]", f"{second}\n[[exchange.populations]]"))
    found = measure_run(marketsim.run(file, out=tmp_path / "run").directory)
    assert set(found) == {"ACME.trades", "ACME.volume_lots", "OTHER.trades", "OTHER.volume_lots"}
    assert found["ACME.trades"] > found["OTHER.trades"] == 0


def test_measures_of_a_shop_are_those_of_its_summary_and_its_model(tmp_path):
    run = marketsim.run(SHOP, overrides={"storefront.randomise.trials": 60}, out=tmp_path / "run")
    found, row = measure_run(run.directory), run.storefront_measures()
    for name in ("choice_sets", "purchases", "revenue", "price_mean", "sponsored_share", "welfare_share"):
        assert found[name] == pytest.approx(row[name])
    assert found["coefficient.ln(price)"] < 0 < found["coefficient.rating"]


def test_measures_have_titles_with_units():
    assert title_of("spread_mean_ticks") == "Mean spread (ticks)"
    assert title_of("ACME.trades") == "ACME: Trades"
    assert title_of("coefficient.ln(price)") == "Coefficient of ln(price)"
    assert title_of("my_measure") == "my measure"
