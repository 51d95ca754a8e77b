"""Statistics of one run as plain numbers: the columns of a sweep's results.

Each venue has its own; where a market has several instruments, a measure begins with the symbol. A measure that a run
has no value of, such as the spread of a market without quotes, is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from marketsim.core.run_directory import RunDirectory

if TYPE_CHECKING:
    from marketsim.analysis.summary import InstrumentSummary

WORDS: Final = {
    "trades": ("Trades", ""),
    "volume_lots": ("Volume", "lots"),
    "spread_mean_ticks": ("Mean spread", "ticks"),
    "spread_mean": ("Mean spread", "currency"),
    "spread_mean_bp": ("Mean spread", "bp of the mid"),
    "spread_median_ticks": ("Median spread", "ticks"),
    "two_sided_share": ("Share of time with both sides", ""),
    "quote_updates": ("Quote updates", ""),
    "volatility_bp": ("Volatility", "bp per root minute"),
    "excess_kurtosis": ("Excess kurtosis of returns", ""),
    "autocorrelation": ("First autocorrelation of returns", ""),
    "last_mid": ("Last mid", "currency"),
    "seconds": ("Wall-clock time", "s"),
}
"""What a measure is called, and its unit."""


def measure_run(run: RunDirectory) -> dict[str, float]:
    """Return the statistics of a run on disk, finite numbers only.

    Raises
    ------
    RunDirectoryError
        One of its files is damaged.
    """
    measures: dict[str, float] = {}
    if run.manifest.get("instruments"):
        measures |= dict(_exchange(run))
    return {name: value for name, value in measures.items() if math.isfinite(value)}


def title_of(measure: str) -> str:
    """Return a measure in words, with its unit: ``Mean spread (ticks)``."""
    symbol, _, name = measure.rpartition(".")
    words, unit = WORDS.get(name, (name.replace("_", " "), ""))
    return f"{f'{symbol}: ' if symbol else ''}{words}{f' ({unit})' if unit else ''}"


def _exchange(run: RunDirectory) -> Iterator[tuple[str, float]]:
    from marketsim.report.reading import read_run

    instruments = read_run(run).exchange.instruments
    for one in instruments:
        prefix = f"{one.instrument.symbol}." if len(instruments) > 1 else ""
        for name, value in _instrument(one):
            yield prefix + name, float(value)


def _instrument(one: InstrumentSummary) -> Iterator[tuple[str, float]]:
    """Yield what was recorded of one instrument."""
    quotes, trades, returns = one.quotes, one.trades, one.returns
    if "exchange/trades" in one.recorded:
        yield "trades", trades.n_trades
        yield "volume_lots", trades.volume_lots
    if "exchange/quotes" not in one.recorded:
        return
    yield "spread_mean_ticks", quotes.spread_mean
    yield "spread_mean", one.instrument.price(quotes.spread_mean)
    yield "spread_mean_bp", quotes.spread_mean_bp
    yield "spread_median_ticks", quotes.spread_median
    yield "two_sided_share", quotes.two_sided
    yield "quote_updates", quotes.n_updates
    if returns is not None:
        yield "volatility_bp", 1e4 * returns.main.volatility
        yield "excess_kurtosis", returns.main.excess_kurtosis
        yield "autocorrelation", returns.main.first_autocorrelation
    yield "last_mid", one.instrument.price(quotes.mid_last)
