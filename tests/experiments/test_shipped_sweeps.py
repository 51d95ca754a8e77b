"""Every sweep that ships: documented, valid, and with the signs that its head promises."""

from __future__ import annotations

from pathlib import Path

import pytest

import marketsim
from marketsim.experiments import load_sweep

SWEEPS = sorted((Path(__file__).resolve().parents[2] / "scenarios" / "sweeps").glob("*.toml"))


@pytest.mark.parametrize("file", SWEEPS, ids=lambda path: path.stem)
def test_it_opens_with_its_question_source_expectation_and_cost(file):
    head = [line for line in file.read_text().splitlines() if line.startswith("#")]
    for word in ("Question", "Source", "Expected", "Cost"):
        assert any(line.startswith(f"# {word}") for line in head), word


@pytest.mark.parametrize("file", SWEEPS, ids=lambda path: path.stem)
def test_it_is_valid_and_named_like_its_file(file):
    sweep = load_sweep(file)
    assert sweep.config.name == file.stem
    ends = {0, len(sweep.design) - 1}
    for number in ends:
        marketsim.load_scenario(sweep.config.scenario, sweep.design[number].overrides)


def shipped(name: str, out: Path) -> marketsim.Study:
    file = next(path for path in SWEEPS if path.stem == name)
    study = marketsim.sweep(file, out=out, jobs=2)
    assert study.status == "complete"
    return study


@pytest.mark.slow
def test_a_coarser_tick_widens_the_spread_until_it_is_the_tick(tmp_path):
    study = shipped("tick_size", tmp_path / "out")
    summary = study.summary().set_index(["measure", "tick_size"]).sort_index()
    currency, ticks = summary.loc["spread_mean"], summary.loc["spread_mean_ticks"]
    assert (currency["low"].to_numpy()[1:] > currency["high"].to_numpy()[:-1]).all()
    assert (ticks["high"].to_numpy()[1:] < ticks["low"].to_numpy()[:-1]).all()
    assert ticks["mean"].iloc[-1] == pytest.approx(1.0, abs=0.02)
    effects = study.effects(["spread_mean"]).set_index("point")
    assert (effects["low"] > 0).all()


@pytest.mark.slow
def test_the_spread_follows_the_rates_of_the_order_flow(tmp_path):
    study = shipped("order_flow", tmp_path / "out")
    signs = study.associations(["spread_mean_ticks"])["spread_mean_ticks"]
    assert signs["market_rate"] > 0.4
    assert signs["limit_rate"] < -0.4
    assert abs(signs["cancel_rate"]) < 0.3
    found = study.sensitivity("spread_mean_ticks")
    total = dict(zip(found.factors, found.total, strict=True))
    assert min(total["limit_rate"], total["market_rate"]) > 0.1
    assert total["cancel_rate"] < 0.1
    assert not any(study.run_path(cell).exists() for cell in (0, 100, 319))  # keep = "measures"


@pytest.mark.slow
def test_trend_followers_make_a_market_more_volatile(tmp_path):
    study = shipped("trend_followers", tmp_path / "out")
    effects = study.effects().set_index("measure")
    assert effects.loc["volatility_bp", "low"] > 0
    assert effects.loc["trades", "low"] > 0
    assert (effects["variance_ratio"] < 0.7).all()  # common random numbers help


@pytest.mark.slow
def test_respondents_trade_alike_in_every_sampling_regime_and_are_stamped(tmp_path):
    study = shipped("regimes_to_market", tmp_path / "out")
    assert study.provenance == ("respondent", "rule")
    effects = study.effects(["volatility_bp", "volume_lots"])
    assert ((effects["low"] <= 0) & (effects["high"] >= 0)).all()
    calls = study.sql("select cell_arm, arm, regime, count(*) as n from calls where picked group by all")
    assert (calls["cell_arm"] == calls["regime"]).all()  # the sweep's arm beside the calls' own column of that name
    assert set(calls["arm"]) == {"momentum", "contrarian"}
    page = study.report(tmp_path / "report.html").read_text()
    assert "SYNTHETIC: decisions in these runs came from synthetic respondents" in page
