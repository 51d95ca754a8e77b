"""The report of a run as one HTML page that needs nothing beside itself.

No script, no font, no picture is loaded from anywhere; the page may be mailed, archived and printed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marketsim
from marketsim.analysis.accounts import PopulationAccounts
from marketsim.analysis.summary import HorizonReturns, InstrumentSummary
from marketsim.report.chart import Figure
from marketsim.report.market_figures import QUOTES, TRADES, Session, depth_figure, price_figure, spread_figure
from marketsim.report.pages import page_template
from marketsim.report.provenance import deciders, is_synthetic, provenance_sentence
from marketsim.report.return_figures import (
    absolute_correlation_figure,
    correlation_figure,
    returns_figure,
    sign_figure,
)
from marketsim.report.scales import MISSING, clock_label, duration_label, signed
from marketsim.report.storefront_section import Tile, shop_section
from marketsim.report.view import ReportInput
from marketsim.report.words import count, decimal, money, percent, price

_STOPPED = {
    "interrupted": "This run was interrupted",
    "failed": "This run failed",
    "running": "This run had not ended when the report was made",
}


@dataclass(frozen=True)
class Section:
    """One instrument in the page."""

    symbol: str
    tiles: tuple[Tile, ...]
    figures: tuple[Figure, ...]
    small_figures: tuple[Figure, ...]
    horizons: tuple[tuple[str, ...], ...]
    accounts: tuple[tuple[str, ...], ...]
    account_notes: str


def render_report(run: ReportInput) -> str:
    """Return the page.

    Parameters
    ----------
    run : ReportInput
        Facts and measures; nothing is computed here but places on paper.
    """
    return page_template("report.html").render(_context(run))


def _context(run: ReportInput) -> dict[str, Any]:
    exchange, who = run.exchange, deciders(run)
    session = Session(exchange.begin_ns, exchange.end_ns, run.start_ns)
    return {
        "run": run,
        "version": marketsim.__version__,
        "facts": _facts(run),
        "warning": _warning(run, session),
        "provenance": provenance_sentence(who),
        "synthetic": is_synthetic(who),
        "sections": [_section(one, session) for one in exchange.instruments],
        "overview": [_overview_row(one) for one in exchange.instruments],
        "shop": None if run.storefront is None else shop_section(run.storefront),
        "counts": [(name, f"{rows:,}") for name, rows in sorted(run.counts.items())],
        "versions": sorted(run.versions.items()),
    }


def _facts(run: ReportInput) -> list[tuple[str, str]]:
    """Facts of the run for the head of the page: names and values."""
    exchange, shop = run.exchange, run.storefront
    passed = exchange.end_ns - exchange.begin_ns
    end = run.start_ns + passed
    n_agents = sum(len(population.agents) for population in exchange.populations)
    names = count(len(exchange.populations), "population")
    facts = [
        ("Seed", str(run.seed)),
        ("Session", f"{clock_label(run.start_ns)} to {clock_label(end)} ({duration_label(passed)}, simulated)"),
    ]
    if exchange.instruments or shop is None:
        facts += [
            ("Agents", f"{n_agents:,} in {names}" if n_agents else MISSING),
            ("Instruments", ", ".join(one.instrument.symbol for one in exchange.instruments) or MISSING),
        ]
    if shop is not None:
        grid = f"{shop.facts.rows} by {shop.facts.columns}"
        pages = f" on {shop.facts.pages} pages" if shop.facts.pages > 1 else ""
        categories = count(len(shop.facts.categories), "category").replace("categorys", "categories")
        facts += [
            ("Shoppers", f"{sum(one.count for one in shop.shoppers):,}" if shop.shoppers else MISSING),
            ("Shop", f"{categories}, {grid} offers{pages}"),
            ("Regime", shop.facts.regime),
        ]
    facts.append(("Status", run.status))
    if run.seconds is not None:
        facts.append(("Computed in", f"{decimal(run.seconds)} s"))
    return facts


def _warning(run: ReportInput, session: Session) -> str:
    """What the reader must know of a run that did not come to its end; empty for a complete one."""
    if run.status == "complete":
        return ""
    reached = session.clock(run.exchange.end_ns)
    due = clock_label(run.start_ns + run.duration_ns)
    stopped = _STOPPED.get(run.status, f"This run is {run.status}")
    return f"{stopped}: the figures cover the session until {reached} of {due}."


def _section(one: InstrumentSummary, session: Session) -> Section:
    returns = one.returns
    return Section(
        symbol=one.instrument.symbol,
        tiles=_tiles(one),
        figures=(
            price_figure(one, session),
            spread_figure(one, session),
            depth_figure(one, session),
            returns_figure(one),
        ),
        small_figures=(correlation_figure(one), absolute_correlation_figure(one), sign_figure(one)),
        horizons=() if returns is None else tuple(_horizon_row(row) for row in returns.by_horizon),
        accounts=_account_rows(one),
        account_notes=_account_notes(one),
    )


def _tiles(one: InstrumentSummary) -> tuple[Tile, ...]:
    instrument, quotes, trades, returns = one.instrument, one.quotes, one.trades, one.returns
    has_trades, has_quotes = TRADES in one.recorded, QUOTES in one.recorded
    per_order = count(trades.n_aggressive_orders, "aggressive order") if has_trades else "not recorded"
    quoted = f"of the time; {count(quotes.n_updates, 'quote')}" if has_quotes else "not recorded"
    return (
        Tile("Trades", f"{trades.n_trades:,}" if has_trades else MISSING, per_order),
        Tile("Volume", f"{trades.volume_lots:,}" if has_trades else MISSING, _lots(instrument.lot_size)),
        Tile("Mean spread", decimal(quotes.spread_mean), f"ticks; {decimal(quotes.spread_mean_bp)} bp of the mid"),
        Tile(
            "Volatility",
            MISSING if returns is None else decimal(1e4 * returns.main.volatility),
            "bp per root minute",
        ),
        Tile("Last mid", price(instrument, quotes.mid_last), f"{instrument.currency}; {_change(one)}"),
        Tile("Two-sided", percent(quotes.two_sided) if has_quotes else MISSING, quoted),
    )


def _lots(lot_size: int) -> str:
    return "lots of one unit" if lot_size == 1 else f"lots of {lot_size:,} units"


def _change(one: InstrumentSummary) -> str:
    quotes = one.quotes
    if not quotes.mid_first > 0:
        return MISSING
    return f"{signed(100 * (quotes.mid_last / quotes.mid_first - 1), 2)} %"


def _overview_row(one: InstrumentSummary) -> tuple[str, ...]:
    return (one.instrument.symbol, *(tile.value for tile in _tiles(one)))


def _horizon_row(row: HorizonReturns) -> tuple[str, ...]:
    tail = MISSING if row.tail is None else f"{row.tail.index:.2f} \u00b1 {row.tail.standard_error:.2f}"
    return (
        duration_label(row.horizon_ns),
        f"{row.n:,}",
        decimal(1e4 * row.deviation),
        decimal(1e4 * row.volatility),
        signed(row.excess_kurtosis, 2),
        tail,
        signed(row.first_autocorrelation, 3),
        percent(row.zero_share),
    )


def _account_rows(one: InstrumentSummary) -> tuple[tuple[str, ...], ...]:
    """One row a population, and their sum."""
    lines: Sequence[PopulationAccounts] = one.accounts
    rows = [
        (
            line.population.name,
            line.population.kind,
            f"{line.n_agents:,}",
            f"{line.made_lots:,}",
            f"{line.taken_lots:,}",
            signed(line.position_lots, 0),
            money(line.profit),
            money(line.profit_mean),
            MISSING if line.n_agents == 1 else f"{money(line.profit_least)} to {money(line.profit_most)}",
        )
        for line in lines
    ]
    if not rows:
        return ()
    total = (
        "all",
        "",
        f"{sum(line.n_agents for line in lines):,}",
        f"{sum(line.made_lots for line in lines):,}",
        f"{sum(line.taken_lots for line in lines):,}",
        signed(sum(line.position_lots for line in lines), 0),
        money(round(sum(line.profit for line in lines), 6)),
        "",
        "",
    )
    return (*rows, total)


def _account_notes(one: InstrumentSummary) -> str:
    instrument = one.instrument
    if not one.accounts:
        return "Final accounts were not recorded."
    mark = "the last trade" if math.isnan(one.quotes.mid_last) else "the last mid"
    return (
        f"Positions in lots, profit and loss in {instrument.currency}: cash from trades, and the position at "
        f"{price(instrument, one.mark_ticks)}, {mark}. What one gains another loses, so both add up to zero."
    )
