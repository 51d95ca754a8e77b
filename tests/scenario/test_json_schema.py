"""The JSON Schema agrees with the loader on what a scenario may hold."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from marketsim.agents.kinds import KINDS as AGENTS
from marketsim.exchange.populations import KINDS as POPULATIONS
from marketsim.scenario import load_scenario
from marketsim.scenario.json_schema import scenario_schema

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = scenario_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_every_kind_that_ships_is_in_it():
    definitions = scenario_schema()["$defs"]
    for array, registry in (("exchange.populations", POPULATIONS), ("agents", AGENTS)):
        for kind in registry.kinds:
            definition = definitions[f"{array}.{kind}"]
            assert definition["properties"]["kind"]["const"] == kind
            assert "kind" in definition["required"]


@pytest.mark.parametrize("name", ["quickstart", "bring_your_own"])
def test_shipped_scenarios_satisfy_it(validator, name):
    validator.validate(tomllib.loads((SCENARIOS / f"{name}.toml").read_text()))


def test_a_resolved_scenario_satisfies_it(validator):
    validator.validate(tomllib.loads(load_scenario(SCENARIOS / "bring_your_own.toml").to_toml()))


@pytest.mark.parametrize(
    ("row", "change"),
    [
        ("seed = 1", "seed = -1"),
        ("seed = 1", "sede = 1"),
        ("count = 50", "cuont = 50"),
        ("limit_rate = 0.5", 'limit_rate = "fast"'),
        ('kind = "zero_intelligence"', 'kind = "zero_inteligence"'),
        ('side = "buy"', 'side = "by"'),
        ('duration = "30min"', "duration = 30"),
        ('duration = "30min"\n', ""),
        ('tick_size = "0.01"', 'tick_size = "-0.01"'),
    ],
)
def test_what_the_loader_refuses_it_refuses_too(validator, base, row, change):
    assert validator.is_valid(tomllib.loads(base))
    assert not validator.is_valid(tomllib.loads(base.replace(row, change)))


def test_a_scenario_that_extends_another_need_not_say_everything(validator):
    assert validator.is_valid({"extends": "base.toml", "seed": 3})
    assert not validator.is_valid({"seed": 3})
