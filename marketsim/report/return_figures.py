"""Figures of returns: against a normal, and their autocorrelation."""

from __future__ import annotations

import math

import numpy as np

from marketsim.analysis.autocorrelation import Correlogram
from marketsim.analysis.returns import MIN_SAMPLE, NormalComparison
from marketsim.analysis.summary import InstrumentSummary, ReturnSummary
from marketsim.report.chart import Figure, Key, Panel
from marketsim.report.market_figures import QUOTES, TRADES, unrecorded
from marketsim.report.scales import duration_label, number_axis, signed
from marketsim.report.words import count, percent

TOO_FEW = f"There is nothing to show: fewer than {MIN_SAMPLE} returns, since the book seldom had orders on both sides."


def returns_figure(one: InstrumentSummary) -> Figure:
    """Draw the histogram of returns with the normal curve, and the quantiles of both."""
    returns, symbol = one.returns, one.instrument.symbol
    panels: tuple[tuple[Panel, ...], ...] = ()
    if returns is not None and returns.normal is not None:
        panels = ((_histogram(returns.normal), _quantiles(returns.normal)),)
    title = "Returns against a normal"
    return Figure(
        name=f"{symbol}-returns",
        title=title if returns is None else f"{title}, over {duration_label(returns.main.horizon_ns)}",
        panels=panels,
        keys=(Key("box", "neutral", "returns"), Key("line", "reference", "normal of the same mean and deviation")),
        alternative=f"Histogram and quantile plot of the returns of {symbol}. {_returns_found(one)}",
        reading=(
            "Bars: how often returns of each size occurred, beside the normal curve. Dots: quantiles of the returns "
            "against the normal's; a normal lies on the straight line. A peak above the curve, and ends that turn away "
            "from the line, mean fat tails: long calm and rare large moves, as in real markets."
        ),
        found=_returns_found(one),
    )


def _histogram(normal: NormalComparison) -> Panel:
    high = 1.08 * float(max(normal.density.max(), normal.normal_density.max()))
    panel = Panel(
        number_axis(-5.0, 5.0, "return (standard deviations)", 10),
        number_axis(0.0, high, "Density", 4),
        16.0,
        wide=False,
    )
    edge = normal.edge
    width = edge[1] - edge[0]
    zero = np.zeros(len(normal.density))
    panel.bars(edge[:-1] + 0.08 * width, edge[1:] - 0.08 * width, zero, normal.density, "neutral")
    panel.line((edge[:-1] + edge[1:]) / 2.0, normal.normal_density, "reference")
    return panel


def _quantiles(normal: NormalComparison) -> Panel:
    reach = 1.08 * max(3.5, float(np.abs(normal.quantile).max()))
    across = 1.08 * max(3.5, float(np.abs(normal.normal_quantile).max()))
    panel = Panel(
        number_axis(-across, across, "normal quantile (standard deviations)", 8),
        number_axis(-reach, reach, "Quantile of returns", 6),
        16.0,
        wide=False,
    )
    ends = min(reach, across)
    panel.line(np.array([-ends, ends]), np.array([-ends, ends]), "reference")
    panel.dots(normal.normal_quantile, normal.quantile, "quantile")
    return panel


def _returns_found(one: InstrumentSummary) -> str:
    returns = one.returns
    if returns is None:
        return _no_returns(one)
    main = returns.main
    if returns.normal is None:
        return f"There is nothing to compare: all {main.n:,} returns are the same, because the mid never moved."
    error = math.sqrt(24 / main.n)
    text = (
        f"{main.n:,} returns; excess kurtosis {signed(main.excess_kurtosis, 2)} (a normal has 0 \u00b1 {error:.2f}); "
        f"{percent(main.zero_share)} are zero."
    )
    if main.tail is not None:
        text += (
            f" Hill's tail index from the largest {main.tail.n_tail}: {main.tail.index:.2f} \u00b1 "
            f"{main.tail.standard_error:.2f} (real shares: about 3)."
        )
    missing = f" {count(main.n_missing, 'return')} without a mid at one end left out." if main.n_missing else ""
    return text + missing


def correlation_figure(one: InstrumentSummary) -> Figure:
    """Draw the autocorrelation of returns."""
    returns, symbol = one.returns, one.instrument.symbol
    found = _no_returns(one) if returns is None else _band_found(returns.correlogram)
    return Figure(
        name=f"{symbol}-autocorrelation",
        title="Autocorrelation of returns",
        panels=_correlogram_panels(None if returns is None else returns.correlogram, _lag_title(returns)),
        keys=(Key("dot", "stem", "autocorrelation"), Key("box", "chance", "95 % by chance")),
        alternative=f"Autocorrelation of the returns of {symbol} by lag. {found}",
        reading=(
            "Whether a rise is followed by a rise. In real markets little lies outside of the band after the first "
            "lags, for otherwise it could be traded on. A negative first lag is bounce between bid and ask, or "
            "quotes that overshoot. The band allows for volatility that comes in waves."
        ),
        found=found,
    )


def absolute_correlation_figure(one: InstrumentSummary) -> Figure:
    """Draw the autocorrelation of absolute returns."""
    returns, symbol = one.returns, one.instrument.symbol
    found = _no_returns(one) if returns is None else _band_found(returns.absolute_correlogram)
    return Figure(
        name=f"{symbol}-absolute-autocorrelation",
        title="Autocorrelation of |returns|",
        panels=_correlogram_panels(None if returns is None else returns.absolute_correlogram, _lag_title(returns)),
        keys=(Key("dot", "stem", "autocorrelation"), Key("box", "chance", "95 % by chance")),
        alternative=f"Autocorrelation of the absolute returns of {symbol} by lag. {found}",
        reading=(
            "Whether large moves, up or down, follow large moves. A slow decay above the band is volatility "
            "clustering, which real markets show for days; values inside of the band mean that volatility does not "
            "remember. A warming-up phase at the begin of a run also lifts it."
        ),
        found=found,
    )


def sign_figure(one: InstrumentSummary) -> Figure:
    """Draw the autocorrelation of the sides of aggressive orders."""
    signs, symbol = one.trades.signs, one.instrument.symbol
    found = _band_found(signs) if TRADES in one.recorded else unrecorded(TRADES)
    return Figure(
        name=f"{symbol}-signs",
        title="Autocorrelation of order signs",
        panels=_correlogram_panels(signs, "lag (aggressive orders)"),
        keys=(Key("dot", "stem", "autocorrelation"), Key("box", "chance", "95 % by chance")),
        alternative=f"Autocorrelation of the sides of aggressive orders of {symbol} by lag. {found}",
        reading=(
            "Whether buying follows buying. +1 for an order that took offers, \u22121 for one that hit bids; one that "
            "met several orders counts once. Real markets show a slow decay over hundreds of orders, because large "
            "orders are worked in pieces; independent traders show none."
        ),
        found=found,
    )


def _no_returns(one: InstrumentSummary) -> str:
    """Say why there are no returns."""
    return TOO_FEW if QUOTES in one.recorded else unrecorded(QUOTES)


def _lag_title(returns: ReturnSummary | None) -> str:
    return "lag" if returns is None else f"lag (steps of {duration_label(returns.main.horizon_ns)})"


def _correlogram_panels(found: Correlogram | None, title: str) -> tuple[tuple[Panel, ...], ...]:
    if found is None:
        return ()
    n_lags = len(found.value)
    lag = np.arange(1.0, n_lags + 1)
    low = min(-0.06, 1.1 * float(found.value.min()), -1.3 * float(found.band.max()))
    high = max(0.06, 1.1 * float(found.value.max()), 1.3 * float(found.band.max()))
    panel = Panel(number_axis(0.0, n_lags + 1.0, title, 6), number_axis(low, high, "Autocorrelation", 5), 13.0)
    wide = np.concatenate([[0.0], lag, [n_lags + 1.0]])
    band = np.concatenate([found.band[:1], found.band, found.band[-1:]])
    panel.band(wide, -band, band, "chance")
    panel.level(0.0, "zero")
    panel.stems(lag, found.value, "stem")
    return ((panel,),)


def _band_found(found: Correlogram | None) -> str:
    if found is None:
        return "There is nothing to show: the values do not vary, or are too few."
    return (
        f"First lag {signed(found.value[0], 3)}. {found.n_outside} of {len(found.value)} lags lie outside of the band; "
        f"chance alone would put about {found.n_expected_outside:.1f} there (n = {found.n:,})."
    )
