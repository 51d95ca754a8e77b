"""Agents in Python: the classes to derive from, and those that ship."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.agents.agent import Agent as Agent
    from marketsim.agents.agent import Seat as Seat
    from marketsim.agents.config import AgentConfig as AgentConfig
    from marketsim.agents.kinds import KINDS as KINDS
    from marketsim.agents.kinds import agent_class as agent_class
    from marketsim.agents.kinds import config_class as config_class
    from marketsim.agents.quote_watcher import QuoteWatcher as QuoteWatcher
    from marketsim.agents.trader import Trader as Trader
    from marketsim.agents.twap import TwapExecutor as TwapExecutor

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".agent": ["Agent", "Seat"],
        ".config": ["AgentConfig"],
        ".kinds": ["KINDS", "agent_class", "config_class"],
        ".quote_watcher": ["QuoteWatcher"],
        ".trader": ["Trader"],
        ".twap": ["TwapExecutor"],
    },
)
