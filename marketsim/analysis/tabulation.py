"""The few figures that the end of a run prints, one row an instrument."""

from __future__ import annotations

import math
from typing import TypedDict

from marketsim.analysis.summary import ExchangeSummary, InstrumentSummary


class SummaryRow(TypedDict):
    """One instrument; None where there is nothing to measure, or it was not recorded. Ready for JSON."""

    symbol: str
    trades: int | None
    volume_lots: int | None
    spread_mean_ticks: float | None
    """Time-weighted."""
    spread_mean: float | None
    """The same in currency."""
    spread_median_ticks: float | None
    two_sided_share: float | None
    """Share of the time with orders on both sides."""
    volatility_bp: float | None
    """Realised volatility, basis points per root minute."""
    last_mid: float | None
    """In currency."""
    currency: str


def summary_table(summary: ExchangeSummary) -> list[SummaryRow]:
    """Return trades, volume, spread and volatility of each instrument."""
    return [_row(one) for one in summary.instruments]


def _row(one: InstrumentSummary) -> SummaryRow:
    instrument, quotes = one.instrument, one.quotes
    has_trades, has_quotes = "exchange/trades" in one.recorded, "exchange/quotes" in one.recorded
    return SummaryRow(
        symbol=instrument.symbol,
        trades=one.trades.n_trades if has_trades else None,
        volume_lots=one.trades.volume_lots if has_trades else None,
        spread_mean_ticks=_or_none(quotes.spread_mean),
        spread_mean=_or_none(instrument.price(quotes.spread_mean)),
        spread_median_ticks=_or_none(quotes.spread_median),
        two_sided_share=quotes.two_sided if has_quotes else None,
        volatility_bp=None if one.returns is None else _or_none(1e4 * one.returns.main.volatility),
        last_mid=_or_none(instrument.price(quotes.mid_last)),
        currency=instrument.currency,
    )


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
