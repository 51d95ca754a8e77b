import subprocess
import sys

import pytest

from marketsim.agents import KINDS, Agent, AgentConfig, agent_class, config_class
from marketsim.agents.config import QuoteWatcherConfig, TwapConfig
from marketsim.agents.kinds import CONFIGS
from marketsim.core.errors import PluginError


def test_every_kind_that_ships_has_a_class_and_that_class_the_right_config():
    assert CONFIGS.keys() == KINDS.kinds.keys()
    for kind, config in CONFIGS.items():
        assert agent_class(kind).Config is config
        assert issubclass(agent_class(kind), Agent)
        assert config_class(kind) is config
        assert agent_class(kind).missing_for_resume() == []


def test_a_kind_of_ones_own_is_found_beside_the_scenario(tmp_path):
    (tmp_path / "own.py").write_text(
        "from marketsim.agents import Agent, AgentConfig\n"
        "class Mine(Agent):\n"
        "    class Config(AgentConfig):\n"
        "        mood: str = 'calm'\n"
    )
    assert agent_class("own:Mine", tmp_path).__name__ == "Mine"
    assert config_class("own:Mine", tmp_path)(kind="own:Mine").mood == "calm"
    assert agent_class("own:Mine", tmp_path).missing_for_resume() == ["state", "restore"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("class Mine: pass", "Mine is no agent; it must derive from marketsim.agents.Agent"),
        (
            "from marketsim.agents import Agent\nclass Mine(Agent):\n    class Config: pass",
            "Mine.Config must derive from marketsim.agents.AgentConfig",
        ),
    ],
)
def test_what_is_no_agent_is_refused(tmp_path, body, message):
    (tmp_path / f"odd{len(body)}.py").write_text(body)
    with pytest.raises(PluginError, match=message):
        config_class(f"odd{len(body)}:Mine", tmp_path)


def test_an_unknown_kind_is_refused_with_the_nearest_names():
    with pytest.raises(
        ValueError, match="expected a kind of agent: llm_buyer, llm_trader, quote_watcher, twap.*did you mean twap"
    ):
        config_class("twapp")


def test_configs_load_neither_mesa_nor_numba():
    code = (
        "import sys; from marketsim.agents import config_class; config_class('twap');"
        "print(sorted({'mesa', 'numba', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_several_agents_of_a_table_are_numbered_and_one_is_not():
    assert AgentConfig(kind="a", name="bob").agent_names() == ["bob"]
    assert AgentConfig(kind="a", count=3).agent_names() == ["a-1", "a-2", "a-3"]


def test_keys_of_the_kinds_that_ship_have_sensible_bounds():
    keys = {"side": "buy", "size_lots": 10, "interval": "1s", "slices": 2}
    assert TwapConfig(**keys).interval == 10**9
    for wrong in ({"side": "up"}, {"size_lots": 0}, {"interval": "0s"}, {"slices": 0}, {"size": 3}):
        with pytest.raises(ValueError, match="validation error"):
            TwapConfig(**keys | wrong)
    assert QuoteWatcherConfig().market_data_latency == 0
