"""Every scenario that ships: valid, documented, and the same bytes from the same seed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import marketsim

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = sorted((ROOT / "scenarios").rglob("*.toml"))
MARKETS = [file for file in SCENARIOS if not {"audit", "scenario"} & tomllib.loads(file.read_text()).keys()]
SHORT = {"duration": "20s"}


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: str(path.relative_to(ROOT / "scenarios")))
def test_it_opens_with_its_question_source_expectation_and_cost(file):
    head = [line for line in file.read_text().splitlines() if line.startswith("#")]
    for word in ("Question", "Source", "Expected", "Cost"):
        assert any(line.startswith(f"# {word}") for line in head), word


@pytest.mark.parametrize("file", MARKETS, ids=lambda path: str(path.relative_to(ROOT / "scenarios")))
def test_the_same_seed_gives_the_same_digest(file, tmp_path):
    digests = {marketsim.run(file, overrides=SHORT, out=tmp_path / name).digest for name in "ab"}
    assert len(digests) == 1
    assert None not in digests


def test_the_quickstart_shows_the_market_that_its_head_promises(tmp_path):
    run = marketsim.run(ROOT / "scenarios" / "quickstart.toml", out=tmp_path / "run")
    row = run.summary().loc["ACME"]
    assert 1 <= row["spread_mean_ticks"] <= 10
    assert row["two_sided_share"] > 0.99
    assert row["trades"] > 1_000
    agents = run.table("exchange/agents")
    assert (agents["kind"].isin(["twap", "quote_watcher"])).sum() == 2
    accounts = run.accounts
    assert accounts["position_lots"].sum() == 0
    assert accounts["cash_minor"].sum() == 0
    assert accounts.loc[accounts["kind"] == "twap", "position_lots"].item() == 600
