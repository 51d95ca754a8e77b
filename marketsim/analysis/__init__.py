"""Numbers from tables: prices, spreads, depth, returns and accounts, without files and without a simulation."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.analysis.autocorrelation import Correlogram as Correlogram
    from marketsim.analysis.autocorrelation import autocorrelation as autocorrelation
    from marketsim.analysis.autocorrelation import bartlett_band as bartlett_band
    from marketsim.analysis.autocorrelation import correlogram as correlogram
    from marketsim.analysis.autocorrelation import robust_band as robust_band
    from marketsim.analysis.autocorrelation import white_noise_band as white_noise_band
    from marketsim.analysis.instruments import Instrument as Instrument
    from marketsim.analysis.quotes import QuoteSummary as QuoteSummary
    from marketsim.analysis.quotes import mid_price as mid_price
    from marketsim.analysis.quotes import quoted_spread as quoted_spread
    from marketsim.analysis.returns import choose_horizon as choose_horizon
    from marketsim.analysis.returns import compare_with_normal as compare_with_normal
    from marketsim.analysis.returns import excess_kurtosis as excess_kurtosis
    from marketsim.analysis.returns import hill_tail_index as hill_tail_index
    from marketsim.analysis.returns import log_returns as log_returns
    from marketsim.analysis.returns import volatility_per_minute as volatility_per_minute
    from marketsim.analysis.steps import BinnedSeries as BinnedSeries
    from marketsim.analysis.steps import sample_steps as sample_steps
    from marketsim.analysis.steps import time_weighted_mean as time_weighted_mean
    from marketsim.analysis.steps import weighted_quantile as weighted_quantile
    from marketsim.analysis.summary import ExchangeSummary as ExchangeSummary
    from marketsim.analysis.summary import HorizonReturns as HorizonReturns
    from marketsim.analysis.summary import InstrumentSummary as InstrumentSummary
    from marketsim.analysis.summary import ReturnSummary as ReturnSummary
    from marketsim.analysis.summary import summarise_exchange as summarise_exchange
    from marketsim.analysis.summary import summarise_returns as summarise_returns
    from marketsim.analysis.tabulation import SummaryRow as SummaryRow
    from marketsim.analysis.tabulation import summary_table as summary_table
    from marketsim.analysis.trades import TradeSummary as TradeSummary
    from marketsim.analysis.trades import order_signs as order_signs

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".autocorrelation": [
            "Correlogram",
            "autocorrelation",
            "bartlett_band",
            "correlogram",
            "robust_band",
            "white_noise_band",
        ],
        ".instruments": ["Instrument"],
        ".quotes": ["QuoteSummary", "mid_price", "quoted_spread"],
        ".returns": [
            "choose_horizon",
            "compare_with_normal",
            "excess_kurtosis",
            "hill_tail_index",
            "log_returns",
            "volatility_per_minute",
        ],
        ".steps": ["BinnedSeries", "sample_steps", "time_weighted_mean", "weighted_quantile"],
        ".summary": [
            "ExchangeSummary",
            "HorizonReturns",
            "InstrumentSummary",
            "ReturnSummary",
            "summarise_exchange",
            "summarise_returns",
        ],
        ".tabulation": ["SummaryRow", "summary_table"],
        ".trades": ["TradeSummary", "order_signs"],
    },
)
