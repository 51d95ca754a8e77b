"""Figures of price, spread and depth over the simulated session."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from marketsim.analysis.columns import FloatArray, IntArray
from marketsim.analysis.quotes import QuoteSummary
from marketsim.analysis.summary import InstrumentSummary
from marketsim.report.chart import Figure, Key, Panel
from marketsim.report.scales import SECOND, Axis, clock_label, number_axis, padded, round_step, signed, time_axis
from marketsim.report.words import count, decimal, percent, price

QUOTES, TRADES, DEPTH = "exchange/quotes", "exchange/trades", "exchange/depth"


@dataclass(frozen=True)
class Session:
    """When a run took place: time stamps of its begin and end, and the time of day at its begin."""

    begin_ns: int
    end_ns: int
    clock_ns: int

    def axis(self, n_ticks: int = 7) -> Axis:
        """Axis of the whole session."""
        return time_axis(self.begin_ns, self.end_ns, self.clock_ns, n_ticks, "time of day (simulated)")

    def clock(self, time_ns: int) -> str:
        """Time of day of a time stamp, to the second, or the millisecond for short sessions."""
        step = SECOND if self.end_ns - self.begin_ns >= 10 * SECOND else SECOND // 1000
        return clock_label(time_ns - self.begin_ns + self.clock_ns, step)


def price_figure(one: InstrumentSummary, session: Session) -> Figure:
    """Draw the mid with its range, the fundamental value, trades, and the volumes below."""
    instrument, quotes, trades = one.instrument, one.quotes, one.trades
    tick = float(instrument.tick_size)
    values = [quotes.mid.low, quotes.mid.high, np.array([trades.low_ticks, trades.high_ticks], dtype=np.float64)]
    if one.fundamental is not None:
        values += [one.fundamental.mean]
    low, high = _reach(tick * np.concatenate(values))
    keys = [Key("line", "mid", "mid price")]
    panels: tuple[tuple[Panel, ...], ...] = ()
    if np.isfinite(low):
        axis = number_axis(*padded(low, high), f"Price ({instrument.currency})", 5, instrument.price_decimals)
        across = session.axis() if not trades.n_trades else replace(session.axis(), ticks=(), title="")
        panel = Panel(across, axis, 20.0)
        middle = quotes.mid.middle_ns
        panel.band(middle, tick * quotes.mid.low, tick * quotes.mid.high, "mid-range")
        for side, style in ((-1, "sell"), (1, "buy")):
            shown = trades.shown_side == side
            panel.dots(_floats(trades.shown_time_ns[shown]), tick * trades.shown_price_ticks[shown], style)
        if one.fundamental is not None:
            panel.line(one.fundamental.middle_ns, tick * one.fundamental.mean, "fundamental")
            keys.append(Key("line", "fundamental", "fundamental value"))
        panel.line(middle, tick * quotes.mid.mean, "mid")
        panels = ((panel,),)
        if trades.n_trades:
            keys += [Key("dot", "buy", "buyer took"), Key("dot", "sell", "seller took")]
            panels += ((_volume_panel(one, session),),)
    return Figure(
        name=f"{instrument.symbol}-price",
        title="Mid price and trades",
        panels=panels,
        keys=tuple(keys),
        alternative=f"Line chart of the mid price of {instrument.symbol} with trades as dots. {_price_found(one)}",
        reading=(
            "The line is the mid price, half-way between best bid and best ask; the pale band around it runs from its "
            "lowest to its highest value in each of the intervals of the drawing. Dots are trades at the price paid, "
            "coloured by who took; the bars below are the lots taken by buyers (up) and by sellers (down)."
        ),
        found=_price_found(one),
    )


def _volume_panel(one: InstrumentSummary, session: Session) -> Panel:
    """Lots taken by buyers above zero, by sellers below."""
    trades = one.trades
    limit = float(max(trades.bought_lots.max(), trades.sold_lots.max(), 1))
    panel = Panel(session.axis(), mirrored_axis(limit, "Volume (lots)", 4), 6.0)
    edge = _floats(trades.edge_ns)
    gap = 0.12 * (edge[1:] - edge[:-1])
    zero = np.zeros(len(edge) - 1)
    panel.bars(edge[:-1] + gap, edge[1:] - gap, zero, _floats(trades.bought_lots), "buy")
    panel.bars(edge[:-1] + gap, edge[1:] - gap, zero, -_floats(trades.sold_lots), "sell")
    return panel


def _price_found(one: InstrumentSummary) -> str:
    instrument, quotes, trades = one.instrument, one.quotes, one.trades
    if QUOTES not in one.recorded:
        start = unrecorded(QUOTES)
    elif np.isnan(quotes.mid_last):
        start = "The book never had orders on both sides, so there was no mid price."
    else:
        change = quotes.mid_last / quotes.mid_first - 1 if quotes.mid_first else float("nan")
        start = (
            f"The mid went from {price(instrument, quotes.mid_first)} to {price(instrument, quotes.mid_last)} "
            f"{instrument.currency} ({signed(100 * change, 2)} %)."
        )
    if TRADES not in one.recorded:
        return f"{start} {unrecorded(TRADES)}"
    if not trades.n_trades:
        return f"{start} No trade took place."
    traded = (
        f"{count(trades.n_trades, 'trade')} of {count(trades.volume_lots, 'lot')} between "
        f"{price(instrument, trades.low_ticks)} and {price(instrument, trades.high_ticks)}; buyers took "
        f"{percent(trades.buy_volume_lots / trades.volume_lots)} of the volume."
    )
    every = f" One trade in {trades.shown_every:,} is drawn." if trades.shown_every > 1 else ""
    return f"{start} {traded}{every}"


def spread_figure(one: InstrumentSummary, session: Session) -> Figure:
    """Draw the spread over time, and beside it the share of time at each spread."""
    instrument, quotes = one.instrument, one.quotes
    panels: tuple[tuple[Panel, ...], ...] = ()
    if len(quotes.spread_level):
        high = _spread_limit(quotes)
        title = f"Spread (ticks of {instrument.tick_size} {instrument.currency})"
        panel = Panel(session.axis(6), number_axis(0.0, 1.06 * max(high, 1.0), title), 14.0)
        panel.band(quotes.spread.middle_ns, quotes.spread.low, quotes.spread.high, "spread-range")
        panel.line(quotes.spread.middle_ns, quotes.spread.mean, "mid")
        panel.level(quotes.spread_median, "reference")
        panels = ((panel, _spread_shares(quotes.spread_level, quotes.spread_share)),)
    return Figure(
        name=f"{instrument.symbol}-spread",
        title="Spread",
        panels=panels,
        keys=(
            Key("line", "mid", "mean of the interval"),
            Key("box", "spread-range", "least to greatest"),
            Key("line", "reference", "median of the run"),
        ),
        alternative=f"Line chart of the quoted spread of {instrument.symbol}, and bars of how long it stood at each "
        f"value. {_spread_found(one)}",
        reading=(
            "Best ask less best bid: what it costs to buy and sell again at once. A narrow, steady line is a liquid "
            "market; spikes are moments when orders at the touch were used up faster than they were replaced. Every "
            "value counts for as long as it stood."
        ),
        found=_spread_found(one),
    )


def _spread_limit(quotes: QuoteSummary) -> float:
    """Upper end of the drawing of the spread.

    A book that fills up after the begin, or runs empty once, would press the rest of the session to the ground.
    """
    high = quotes.spread.high[np.isfinite(quotes.spread.high)]
    return float(min(high.max(), 1.5 * np.quantile(high, 0.98)))


def _spread_shares(level: FloatArray, share: FloatArray, n_bars: int = 12) -> Panel:
    """Share of the time at each spread; where there are many, in bins of equal width."""
    low, high = float(level.min()), float(level.max())
    width = max(1.0, round_step((high - low + 1) / n_bars))
    place = np.floor((level - low) / width).astype(np.int64)
    height = (100.0 * np.bincount(place, share)).astype(np.float64)
    left = low - 0.5 + width * np.arange(float(len(height)))
    across = number_axis(low - 1.0, float(left[-1]) + width + 0.5, "spread (ticks)", 5)
    whole = tuple((value, label) for value, label in across.ticks if value == round(value))
    upward = number_axis(0.0, 1.06 * float(height.max()), "Time (%)")
    panel = Panel(replace(across, ticks=whole), upward, 14.0, wide=False)
    panel.bars(left + 0.1 * width, left + 0.9 * width, np.zeros(len(height)), height, "neutral")
    return panel


def _spread_found(one: InstrumentSummary) -> str:
    quotes = one.quotes
    if QUOTES not in one.recorded:
        return unrecorded(QUOTES)
    if not len(quotes.spread_level):
        return "There is no spread to show: the book never had orders on both sides."
    text = (
        f"Time-weighted mean {decimal(quotes.spread_mean)} ticks ({decimal(quotes.spread_mean_bp)} basis points of the "
        f"mid), median {decimal(quotes.spread_median, 0)}."
    )
    greatest = float(quotes.spread_level[-1])
    if greatest > _spread_limit(quotes):
        text += f" The greatest, {decimal(greatest, 0)} ticks, lies beyond the drawing."
    return f"{text} The book had orders on both sides for {percent(quotes.two_sided)} of the time."


def depth_figure(one: InstrumentSummary, session: Session) -> Figure:
    """Draw the lots on both sides over time, and beside it the mean lots by level."""
    depth, instrument = one.depth, one.instrument
    panels: tuple[tuple[Panel, ...], ...] = ()
    keys: tuple[Key, ...] = ()
    found = "The book was empty at every snapshot." if DEPTH in one.recorded else unrecorded(DEPTH)
    if depth is not None:
        middle = (depth.edge_ns[:-1] + depth.edge_ns[1:]) / 2.0
        limit = max(1.0, float(np.nanmax([depth.ask_lots[-1], depth.bid_lots[-1]])))
        panel = Panel(session.axis(6), mirrored_axis(limit, "Resting lots: asks up, bids down", 4), 17.0)
        for row in range(len(depth.reach) - 1, -1, -1):
            shade = f"shade-{len(depth.reach) - 1 - row}"
            panel.band(middle, np.zeros(len(middle)), depth.ask_lots[row], f"sell {shade}")
            panel.band(middle, -depth.bid_lots[row], np.zeros(len(middle)), f"buy {shade}")
        panels = ((panel, _profile_panel(depth.bid_profile, depth.ask_profile)),)
        words = ["touch" if levels == 1 else f"{levels} levels" for levels in depth.reach]
        keys = (
            *(Key("box", f"sell shade-{len(words) - 1 - k}", f"asks, {text}") for k, text in enumerate(words)),
            *(Key("box", f"buy shade-{len(words) - 1 - k}", f"bids, {text}") for k, text in enumerate(words)),
        )
        found = (
            f"On average {decimal(depth.bid_mean[0], 0)} lots were bid and {decimal(depth.ask_mean[0], 0)} offered at "
            f"the touch, {decimal(depth.bid_mean[-1], 0)} and {decimal(depth.ask_mean[-1], 0)} within "
            f"{count(depth.reach[-1], 'level')} ({count(depth.n_snapshots, 'snapshot')})."
        )
    return Figure(
        name=f"{instrument.symbol}-depth",
        title="Depth over time",
        panels=panels,
        keys=keys,
        alternative=f"Stacked areas of the lots resting on both sides of the book of {instrument.symbol}. {found}",
        reading=(
            "Lots that wait in the book, offers above zero and bids below; the darkest band is the touch, paler ones "
            "reach further from it. A side that thins out gives way to the next large order; a lasting imbalance "
            "leans on the price. The bars give the mean at each level."
        ),
        found=found,
    )


def _profile_panel(bid: FloatArray, ask: FloatArray) -> Panel:
    """Mean lots by level, 1 being the touch."""
    n_levels = len(bid)
    ticks = tuple((float(level), str(level)) for level in range(1, n_levels + 1) if level == 1 or level % 2 == 0)
    limit = max(1.0, float(max(bid.max(), ask.max())))
    across = Axis(0.4, n_levels + 0.6, ticks, "level from the touch")
    panel = Panel(across, mirrored_axis(limit, "Mean lots", 4), 17.0, wide=False)
    left: FloatArray = np.arange(1.0, n_levels + 1) - 0.4
    panel.bars(left, left + 0.8, np.zeros(n_levels), ask, "sell")
    panel.bars(left, left + 0.8, np.zeros(n_levels), -bid, "buy")
    return panel


def mirrored_axis(limit: float, title: str, n_ticks: int) -> Axis:
    """Axis with zero in its middle whose labels have no sign."""
    axis = number_axis(-1.06 * limit, 1.06 * limit, title, n_ticks)
    return Axis(axis.low, axis.high, tuple((value, label.lstrip("\u2212")) for value, label in axis.ticks), title)


def unrecorded(table: str) -> str:
    """Say that a table is not there, and how to get it."""
    return f"The table {table} was not recorded; add it to the scenario's [record] tables."


def _reach(value: FloatArray) -> tuple[float, float]:
    """Least and greatest of the values that are there; NaN where none is."""
    present = value[np.isfinite(value)]
    return (float(present.min()), float(present.max())) if len(present) else (float("nan"), float("nan"))


def _floats(value: IntArray) -> FloatArray:
    return value.astype(np.float64)
