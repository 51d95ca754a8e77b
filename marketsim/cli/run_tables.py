"""What the end of ``marketsim run`` prints: one table for the exchange, one for the shop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from marketsim.analysis.storefront import StorefrontRow
    from marketsim.analysis.storefront.tabulation import RateRow
    from marketsim.analysis.tabulation import SummaryRow


def exchange_table(rows: Sequence[SummaryRow], title: str) -> Table:
    """Return one line an instrument."""
    table = Table(box=SIMPLE_HEAD, title=title)
    table.add_column("instrument")
    for name in ("trades", "volume (lots)", "spread (ticks)", "volatility (bp/√min)", "last mid"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row["symbol"],
            _number(row["trades"], ",d"),
            _number(row["volume_lots"], ",d"),
            _number(row["spread_mean_ticks"], ".2f"),
            _number(row["volatility_bp"], ".2f"),
            _number(row["last_mid"], ",.4f", f" {row['currency']}"),
        )
    return table


def storefront_table(row: StorefrontRow, title: str) -> Table:
    """Return one line a figure."""
    table = Table(box=SIMPLE_HEAD, title=title, show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("note")
    for cells in _storefront_lines(row):
        table.add_row(*cells)
    return table


def _storefront_lines(row: StorefrontRow) -> Iterator[tuple[str, str, str]]:
    currency = row["currency"]
    yield "choice sets", f"{row['choice_sets']:,}", ""
    yield "purchases", f"{row['purchases']:,}", ""
    yield "left", f"{row['left']:,}", "without buying"
    if row["invalid"]:
        yield "invalid", f"{row['invalid']:,}", "answers that name no offer of the page"
    if row["open"]:
        yield "open", f"{row['open']:,}", "pages without an answer by the end"
    yield "revenue", f"{row['revenue']:,.2f}", currency
    yield "mean price paid", _number(row["price_mean"], ",.2f"), currency
    yield "sponsored", _percent(row["sponsored_share"]), "of purchases"
    yield "missed the best", _percent(row["missed_best"]["share"]), _interval(row["missed_best"])
    if row["missed_needs"] is not None:
        yield "missed the needs", _percent(row["missed_needs"]["share"]), _interval(row["missed_needs"])
    yield "welfare share", _percent(row["welfare_share"]), "0: offers at random, 100: the best shown"


def _interval(rate: RateRow) -> str:
    if rate["low"] is None or rate["high"] is None:
        return ""
    return f"{100 * rate['low']:.1f} to {100 * rate['high']:.1f} (Wilson, 95 %)"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"
