"""The populations that ship, one file each."""

from marketsim.core.registry import Registry

_HOME = "marketsim.exchange.populations"

KINDS = Registry(
    {
        "zero_intelligence": f"{_HOME}.zero_intelligence:ZeroIntelligence",
        "hawkes": f"{_HOME}.hawkes:Hawkes",
        "gode_sunder": f"{_HOME}.gode_sunder:GodeSunder",
        "noise": f"{_HOME}.noise:Noise",
        "value": f"{_HOME}.value:Value",
        "momentum": f"{_HOME}.momentum:Momentum",
        "market_maker": f"{_HOME}.market_maker:MarketMaker",
    },
    what="population",
)
"""Every kind of ``[[exchange.populations]]``."""

__all__ = ["KINDS"]
