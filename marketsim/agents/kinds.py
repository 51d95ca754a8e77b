"""The kinds of agents that ship, and how a kind becomes a class. Imports neither Mesa nor Numba."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from marketsim.agents.config import AgentConfig, QuoteWatcherConfig, TwapConfig
from marketsim.agents.llm_config import LlmBuyerConfig, LlmTraderConfig
from marketsim.core.errors import PluginError
from marketsim.core.registry import Registry, is_plugin

KINDS: Final = Registry(
    {
        "llm_buyer": "marketsim.agents.llm_buyer:LlmBuyer",
        "llm_trader": "marketsim.agents.llm_trader:LlmTrader",
        "quote_watcher": "marketsim.agents.quote_watcher:QuoteWatcher",
        "twap": "marketsim.agents.twap:TwapExecutor",
    },
    what="kind of agent",
)
"""Kind to class; a user's own kind is ``"my_module:MyAgent"``."""

CONFIGS: Final[dict[str, type[AgentConfig]]] = {
    "llm_buyer": LlmBuyerConfig,
    "llm_trader": LlmTraderConfig,
    "quote_watcher": QuoteWatcherConfig,
    "twap": TwapConfig,
}
"""Kind to the class of its scenario table."""


def agent_class(kind: str, base_dir: Path | None = None) -> Any:
    """Return the class of a kind of agent; loading a user's own runs its module.

    Raises
    ------
    ValueError
        There is no such kind; the text begins with ``expected``.
    PluginError
        The user's module cannot be imported, or the class is no ``marketsim.agents.Agent``.
    """
    found = KINDS.resolve(kind, base_dir)
    if is_plugin(kind):
        from marketsim.agents.agent import Agent  # loads Mesa, which the user's module has done already

        if not issubclass(found, Agent):
            raise PluginError(kind, 0, f"{found.__name__} is no agent; it must derive from marketsim.agents.Agent")
        if not (isinstance(found.Config, type) and issubclass(found.Config, AgentConfig)):
            raise PluginError(kind, 0, f"{found.__name__}.Config must derive from marketsim.agents.AgentConfig")
    return found


def config_class(kind: str, base_dir: Path | None = None) -> type[AgentConfig]:
    """Return the class of a kind's scenario table; errors as for ``agent_class``. Kinds that ship load nothing else."""
    if kind in CONFIGS:
        return CONFIGS[kind]
    config: type[AgentConfig] = agent_class(kind, base_dir).Config
    return config
