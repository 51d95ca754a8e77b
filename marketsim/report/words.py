"""Numbers as words of a sentence or cells of a table."""

from __future__ import annotations

import math

from marketsim.analysis.instruments import Instrument
from marketsim.report.scales import MISSING, signed


def count(number: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count(1, "trade"), count(1200, "trade")
    ('1 trade', '1,200 trades')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def decimal(value: float, decimals: int | None = None) -> str:
    """Write a number with three significant digits, or with ``decimals``; a dash for NaN.

    Examples
    --------
    >>> decimal(3.0042), decimal(1234.5), decimal(0.01234), decimal(float("nan"))
    ('3.00', '1,234', '0.0123', '–')
    """
    if not math.isfinite(value):
        return MISSING
    if decimals is None:
        size = math.floor(math.log10(abs(value))) if value else 0
        decimals = min(max(0, 2 - size), 6)
    return signed(value, decimals)


def percent(share: float) -> str:
    """Write a share in per cent; never 100.0 % for what falls short of it, nor 0.0 % for what does not.

    Examples
    --------
    >>> percent(0.25), percent(0.9999), percent(1.0)
    ('25.0 %', '> 99.9 %', '100 %')
    """
    if not math.isfinite(share):
        return MISSING
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share > 0.9995:
        return "> 99.9 %"
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def price(instrument: Instrument, ticks: float) -> str:
    """Write a price in currency; one decimal more than the tick's where it lies between two ticks."""
    if not math.isfinite(ticks):
        return MISSING
    extra = 0 if ticks == round(ticks) else 1
    return signed(instrument.price(ticks), instrument.price_decimals + extra)


def money(value: float) -> str:
    """Write an amount of money with its sign and two decimals."""
    return signed(value, 2)
