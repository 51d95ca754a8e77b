"""A user's own kinds: found beside the scenario, checked by their own Config, and located when they are faulty."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import pytest

from marketsim.scenario import load_scenario

POPULATION = """\
import numpy as np
from pydantic import Field

from marketsim.core.units import Duration
from marketsim.exchange import Population, PopulationConfig, Start


class Sleeper(Population):
    class Config(PopulationConfig):
        nap: Duration = 1_000_000_000
        weights: list[float] = Field(default_factory=lambda: [1.0])
        table: tuple[tuple[int, int], ...] = ()

    @classmethod
    def start(cls, config, context):
        zeros = np.zeros((context.count, 1), np.int64)
        return Start(zeros, zeros.astype(float), zeros[:, 0])

    @staticmethod
    def wake(state_i, state_f, agent, now, market, counters, out):
        return now + 1


class WithoutWake(Population):
    @classmethod
    def start(cls, config, context):
        return None


class WrongWake(WithoutWake):
    @staticmethod
    def wake(now):
        return now + 1


class NoPopulation:
    pass
"""


def scenario_text(module: str, kind: str, keys: str = "") -> str:
    return f"""\
duration = "1min"

[[exchange.instruments]]
symbol = "ACME"
open_price = 100

[[exchange.populations]]
kind = "{module}:{kind}"
count = 3
{keys}
"""


@pytest.fixture
def module(folder, request):
    """The name of a module of this test alone, so that no test sees another's."""
    name = f"plugin_{zlib.crc32(request.node.name.encode())}"
    (folder / f"{name}.py").write_text(POPULATION)
    yield name
    for loaded in [loaded for loaded in sys.modules if loaded.split("@")[0] == name]:
        del sys.modules[loaded]


def test_a_population_beside_the_scenario_brings_its_own_keys(folder, module):
    keys = 'nap = "2s"\nweights = [0.5, 1.5]\ntable = [[1, 2], [3, 4]]'
    (folder / "x.toml").write_text(scenario_text(module, "Sleeper", keys))
    scenario = load_scenario("x.toml")
    (population,) = scenario.exchange.populations
    assert (population.nap, population.weights, population.table) == (2_000_000_000, [0.5, 1.5], ((1, 2), (3, 4)))
    assert population.name == f"{module}:Sleeper"
    assert scenario.plugins == {module: folder}
    assert scenario.folder_of(population.kind) == folder
    assert scenario.folder_of("noise") is None


def test_the_resolved_copy_finds_the_module_from_anywhere(folder, module):
    (folder / "x.toml").write_text(scenario_text(module, "Sleeper"))
    scenario = load_scenario("x.toml")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "scenario.toml").write_text(scenario.to_toml())
    assert load_scenario("elsewhere/scenario.toml") == scenario


def test_a_module_is_looked_for_beside_the_file_that_names_it(folder, module):
    (folder / "sub").mkdir()
    (folder / "sub" / "base.toml").write_text(scenario_text(module, "Sleeper"))
    (folder / f"{module}.py").rename(folder / "sub" / f"{module}.py")
    (folder / "x.toml").write_text('extends = "sub/base.toml"\n')
    assert load_scenario("x.toml").plugins == {module: folder / "sub"}


def test_plugins_names_another_folder_relative_to_the_file(folder, module):
    (folder / "lib").mkdir()
    (folder / f"{module}.py").rename(folder / "lib" / f"{module}.py")
    (folder / "x.toml").write_text(scenario_text(module, "Sleeper") + f'\n[plugins]\n{module} = "lib"\n')
    assert load_scenario("x.toml").plugins == {module: folder / "lib"}


def test_keys_of_a_plugin_are_checked_like_all_others(faults_of, module):
    faults = faults_of(scenario_text(module, "Sleeper", 'naps = 3\nnap = 5\nweights = ["a"]\ntable = [[1, "b"]]'))
    path = f"exchange.populations.{module}:Sleeper"
    assert faults[0].startswith(f"x.toml:10: {path}.naps: found an unknown key, expected one of kind, name, count, ")
    assert "did you mean nap" in faults[0]
    assert faults[1].startswith(f"x.toml:11: {path}.nap: found 5, expected ")
    assert faults[2] == f'x.toml:12: {path}.weights.#1: found "a", expected a number'
    assert faults[3] == f'x.toml:13: {path}.table.#1.#2: found "b", expected an integer'


def test_a_module_that_is_not_there_is_reported_where_it_is_named(faults_of, folder):
    assert faults_of(scenario_text("nowhere_at_all", "Sleeper")) == [
        "x.toml:8: exchange.populations.nowhere_at_all:Sleeper.kind: "
        f"found no module nowhere_at_all in {folder} or among the installed ones"
    ]


def test_an_error_in_the_module_is_reported_at_its_own_line(faults_of, folder, module):
    (folder / f"{module}.py").write_text("import numpy\n\nvalue = 1 / 0\n")
    (fault,) = faults_of(scenario_text(module, "Sleeper"))
    assert fault == (
        f"{module}.py:3: ZeroDivisionError: division by zero "
        f"(the kind of exchange.populations.{module}:Sleeper, x.toml:8)"
    )


def test_a_syntax_error_in_the_module_is_reported_at_its_own_line(faults_of, folder, module):
    (folder / f"{module}.py").write_text("import numpy\n\ndef broken(:\n")
    (fault,) = faults_of(scenario_text(module, "Sleeper"))
    assert fault.startswith(f"{module}.py:3: SyntaxError: ")


def test_a_class_that_is_not_there_gives_the_nearest(faults_of, module):
    (fault,) = faults_of(scenario_text(module, "Sleper"))
    assert fault.startswith(f"x.toml:8: exchange.populations.{module}:Sleper.kind: ")
    assert fault.endswith("found no class Sleper in it; did you mean Sleeper?")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("WithoutWake", "wake: found none, expected a static method wake(state_i, state_f, agent, now, market"),
        ("WrongWake", "expected wake(state_i, state_f, agent, now, market, counters, out) -> int"),
        ("NoPopulation", "expected a subclass of marketsim.exchange.Population"),
    ],
)
def test_a_class_that_is_no_population_is_refused_before_anything_runs(faults_of, module, kind, words):
    (fault,) = faults_of(scenario_text(module, kind))
    assert fault.startswith(f"x.toml:8: exchange.populations.{module}:{kind}.kind: ")
    assert words in fault


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("class Mine:\n    pass\n", "must derive from marketsim.agents.Agent"),
        (
            "from marketsim.agents import Agent\n\nclass Mine(Agent):\n    class Config:\n        pass\n",
            "Mine.Config must derive from marketsim.agents.AgentConfig",
        ),
        (
            "from marketsim.agents import Agent\n\nclass Mine(Agent):\n    Config = None\n",
            "Mine.Config must derive from marketsim.agents.AgentConfig",
        ),
    ],
)
def test_a_class_that_is_no_agent_is_refused(faults_of, folder: Path, module, code, words):
    (folder / f"{module}.py").write_text(code)
    market = 'duration = "1min"\n\n[[exchange.instruments]]\nsymbol = "A"\nopen_price = 1\n'
    (fault,) = faults_of(f'{market}\n[[agents]]\nkind = "{module}:Mine"\n')
    assert fault.startswith(f"x.toml:8: agents.{module}:Mine.kind: ")
    assert words in fault
