"""Statistics of one run as plain numbers: the columns of a sweep's results.

Each venue has its own; where a market has several instruments, a measure begins with the symbol. A measure that a run
has no value of, such as the spread of a market without quotes, is missing. Of a shop, the coefficients of the choice
model that its report fits are measures too, ``coefficient.ln(price)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from marketsim.core.run_directory import RunDirectory

if TYPE_CHECKING:
    from marketsim.analysis.storefront.summary import StorefrontSummary
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
    "choice_sets": ("Pages answered", ""),
    "purchases": ("Purchases", ""),
    "revenue": ("Revenue", "currency"),
    "price_mean": ("Mean price paid", "currency"),
    "sponsored_share": ("Purchases of sponsored offers", "share"),
    "welfare_share": ("Gain over random choice, of the best offers' gain", "share"),
    "regret_shown": ("Utility forgone against the best shown", ""),
    "regret_listed": ("Utility forgone against the best listed", ""),
    "missed_best_share": ("Answers that missed the best offer", "share"),
    "missed_needs_share": ("Answers that missed the needs", "share"),
    "invalid": ("Invalid answers", ""),
}
"""What a measure is called, and its unit."""

COEFFICIENT: Final = "coefficient."
"""What the coefficients of a shop's choice model begin with."""


def measure_run(run: RunDirectory) -> dict[str, float]:
    """Return the statistics of a run on disk, finite numbers only.

    Raises
    ------
    RunDirectoryError
        One of its files is damaged.
    """
    from marketsim.report.reading import read_run

    found = read_run(run)
    measures: dict[str, float] = dict(_exchange(found.exchange.instruments))
    if found.storefront is not None:
        measures |= dict(_storefront(found.storefront))
    return {name: value for name, value in measures.items() if math.isfinite(value)}


def title_of(measure: str) -> str:
    """Return a measure in words, with its unit: ``Mean spread (ticks)``."""
    if measure.startswith(COEFFICIENT):
        return f"Coefficient of {measure.removeprefix(COEFFICIENT)}"
    symbol, _, name = measure.rpartition(".")
    words, unit = WORDS.get(name, (name.replace("_", " "), ""))
    return f"{f'{symbol}: ' if symbol else ''}{words}{f' ({unit})' if unit else ''}"


def _exchange(instruments: Sequence[InstrumentSummary]) -> Iterator[tuple[str, float]]:
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


def _storefront(shop: StorefrontSummary) -> Iterator[tuple[str, float]]:
    """Yield what became of the pages of a shop, and the estimates of its choice model."""
    yield "choice_sets", shop.n_sets
    yield "purchases", shop.n_bought
    yield "invalid", shop.n_invalid
    yield "revenue", shop.revenue
    yield "price_mean", shop.price_mean
    yield "sponsored_share", shop.sponsored_bought.share
    yield "welfare_share", shop.welfare_share
    yield "regret_shown", shop.regret_shown
    yield "regret_listed", shop.regret_listed
    yield "missed_best_share", shop.missed.share
    if shop.needs_missed is not None:
        yield "missed_needs_share", shop.needs_missed.share
    for coefficient in shop.model.coefficients:
        yield f"{COEFFICIENT}{coefficient.name}", coefficient.estimate
