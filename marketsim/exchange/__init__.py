"""The exchange: order books, in-kernel agents, accounts."""

from marketsim.core.lazy import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".book": ["OrderBook"],
        ".codes": [
            "EventKind",
            "MessageKind",
            "OrderFlag",
            "OrderStatus",
            "RejectReason",
            "SelfTradePrevention",
            "Side",
            "TimeInForce",
        ],
        ".commands": ["Account", "Depth", "Level", "OrderCommand", "Quote", "own_id"],
        ".config": ["DepthConfig", "ExchangeConfig", "FundamentalConfig", "InstrumentConfig", "PopulationConfig"],
        ".engine": ["Exchange"],
        ".population": ["Population", "Start", "StartContext"],
    },
)
