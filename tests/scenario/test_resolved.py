"""The resolved copy says everything, each key on a line of its own, and loads to the same scenario."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.scenario import load_scenario
from marketsim.scenario.writer import to_toml

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize("name", ["quickstart", "bring_your_own"])
def test_the_resolved_copy_of_a_shipped_scenario_loads_to_the_same(name, tmp_path):
    scenario = load_scenario(SCENARIOS / f"{name}.toml")
    (tmp_path / "scenario.toml").write_text(scenario.to_toml())
    again = load_scenario(tmp_path / "scenario.toml")
    assert again == scenario
    assert again.to_toml() == scenario.to_toml()


def test_every_default_is_written_out(folder, base):
    (folder / "x.toml").write_text(base)
    data = tomllib.loads(load_scenario("x.toml").to_toml())
    assert data["replicate"] == 0
    assert data["record"]["compression"] == "lz4"
    assert data["agents"][0]["order_latency"] == "0s"
    assert data["exchange"]["populations"][0]["name"] == "zero_intelligence"
    assert data["exchange"]["instruments"][0]["fundamental"]["step"] == "100ms"


def test_overrides_and_bases_are_part_of_the_copy(folder, base):
    (folder / "base.toml").write_text(base)
    (folder / "x.toml").write_text('extends = "base.toml"\n')
    scenario = load_scenario(
        "x.toml", ["exchange.populations.zero_intelligence.order_latency={ low='1ms', high='2ms' }"]
    )
    (folder / "resolved.toml").write_text(scenario.to_toml())
    assert load_scenario("resolved.toml") == scenario


def test_scenarios_with_different_keys_are_not_equal(folder, base):
    (folder / "x.toml").write_text(base)
    assert load_scenario("x.toml") != load_scenario("x.toml", ["seed=2"])
    assert load_scenario("x.toml") != "x.toml"


def test_a_scenario_cannot_be_changed(folder, base):
    (folder / "x.toml").write_text(base)
    with pytest.raises(ValueError, match="frozen"):
        load_scenario("x.toml").seed = 3


@pytest.mark.parametrize("name", ["quickstart", "bring_your_own"])
def test_a_shipped_scenario_says_its_question_source_expectation_and_cost(name):
    text = (SCENARIOS / f"{name}.toml").read_text()
    head = text[: text.index("\nname =")]
    for word in ("Question", "Source", "Expected", "Cost"):
        assert f"# {word} " in head


@pytest.mark.parametrize("name", ["quickstart", "bring_your_own"])
def test_each_key_of_a_shipped_scenario_stands_on_a_line_of_its_own(name):
    scenario = load_scenario(SCENARIOS / f"{name}.toml")
    assert len(set(scenario.sources.values())) == len(scenario.sources)


def test_the_quickstart_is_one_share_a_thousand_agents_and_two_in_python():
    scenario = load_scenario(SCENARIOS / "quickstart.toml")
    assert len(scenario.exchange.instruments) == 1
    assert 900 <= sum(population.count for population in scenario.exchange.populations) <= 1100
    assert {agent.kind: agent.count for agent in scenario.agents} == {"twap": 1, "quote_watcher": 1}
    assert scenario.duration == 30 * 60 * 10**9


values = st.one_of(st.integers(-(2**63), 2**63 - 1), st.booleans(), st.text(), st.floats(allow_nan=False))
keys = st.text(min_size=1, max_size=5)
leaves = st.one_of(values, st.lists(values, max_size=3))
tables = st.recursive(
    st.dictionaries(keys, leaves, min_size=1, max_size=3),
    lambda inside: st.dictionaries(
        keys, st.one_of(leaves, inside, st.lists(inside, min_size=1, max_size=2)), min_size=1
    ),
    max_leaves=8,
)


@given(tables)
def test_what_is_written_reads_back_the_same(data):
    assert tomllib.loads(to_toml(data)) == data
