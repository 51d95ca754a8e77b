"""Durations, times of day, money and prices: exact inside, readable outside.

Simulated time is an integer number of nanoseconds, money and prices are exact decimals. The annotated types
``Duration``, ``TimeOfDay``, ``Money`` and ``Price`` are for pydantic models: they read what stands in a TOML file and
write the same. What needs no pydantic stands in ``core.durations`` and is exported from here too.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from marketsim.core.durations import (
    DAY,
    DURATION_EXPECTED,
    DURATION_PATTERN,
    HOUR,
    MAX_DURATION,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    NANOSECOND,
    SECOND,
    TIME_EXPECTED,
    TIME_OF_DAY_PATTERN,
    UNITS,
    format_duration,
    format_time_of_day,
    parse_duration,
    parse_time_of_day,
)

__all__ = [
    "DAY",
    "HOUR",
    "MAX_DURATION",
    "MICROSECOND",
    "MILLISECOND",
    "MINUTE",
    "NANOSECOND",
    "SECOND",
    "UNITS",
    "Duration",
    "Money",
    "Price",
    "TimeOfDay",
    "format_decimal",
    "format_duration",
    "format_time_of_day",
    "parse_decimal",
    "parse_duration",
    "parse_time_of_day",
    "to_minor",
    "to_ticks",
]

DECIMAL_PATTERN: Final = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,12})?$"
POSITIVE_PATTERN: Final = r"^\+?[0-9]{1,15}(\.[0-9]{1,12})?$"

_MAX_DECIMAL: Final = Decimal(10) ** 15
_DECIMAL_PLACES: Final = 12

# ---- Decimals -----------------------------------------------------------------------------------------------


def parse_decimal(value: object) -> Decimal:
    """Return an exact decimal.

    Parameters
    ----------
    value : str, int, Decimal or float
        A float stands for the shortest decimal that gives it: 0.1 is ``Decimal("0.1")``.

    Raises
    ------
    ValueError
        Not a number, infinite, 10**15 or beyond, or with more than twelve decimal places.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError('expected a decimal such as "0.01"')
    if isinstance(value, str) and not re.fullmatch(r"^[+-]?[0-9]+(\.[0-9]+)?$", value, re.ASCII):
        raise ValueError('expected a decimal such as "0.01"')
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError('expected a decimal such as "0.01"') from None
    if not number.is_finite():
        raise ValueError('expected a finite decimal such as "0.01"')
    if abs(number) >= _MAX_DECIMAL:
        raise ValueError("expected a decimal of at most 15 digits before the point")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _DECIMAL_PLACES:
        raise ValueError(f"expected at most {_DECIMAL_PLACES} decimal places")
    return number


def format_decimal(number: Decimal) -> str:
    """Return a decimal without exponent, its digits as they were written: ``"100.00"``."""
    return f"{number:f}"


def to_ticks(price: Decimal, tick_size: Decimal) -> int:
    """Return a price in ticks.

    Raises
    ------
    ValueError
        The price is not a whole number of ticks.

    Examples
    --------
    >>> to_ticks(Decimal("100.25"), Decimal("0.05"))
    2005
    """
    ticks = price / tick_size
    whole = int(ticks)
    if whole * tick_size != price:
        raise ValueError(f"expected a multiple of the tick size {format_decimal(tick_size)}")
    return whole


def to_minor(amount: Decimal, decimals: int) -> int:
    """Return money in minor units, such as cents where ``decimals`` is 2.

    Raises
    ------
    ValueError
        The amount is not a whole number of minor units.
    """
    scaled = amount.scaleb(decimals)
    if scaled != int(scaled):
        raise ValueError(f"expected at most {decimals} decimal places")
    return int(scaled)


# ---- Types for pydantic models ------------------------------------------------------------------------------


def _read_duration(value: Any) -> int:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        raise ValueError(f'expected a unit too: a string such as "{value}s" or "{value}ms"')
    raise ValueError(DURATION_EXPECTED)


def _read_time_of_day(value: Any) -> int:
    if isinstance(value, datetime.time) and value.tzinfo is None:  # TOML has times of its own
        return parse_time_of_day(value.isoformat())
    if isinstance(value, str):
        return parse_time_of_day(value)
    raise ValueError(TIME_EXPECTED)


def _read_price(value: Any) -> Decimal:
    try:
        number = parse_decimal(value)
    except ValueError as error:
        raise ValueError(
            str(error).replace("a decimal", "a positive decimal").replace("a finite", "a positive")
        ) from None
    if number <= 0:
        raise ValueError('expected a positive decimal such as "0.01"')
    return number


def _schema(pattern: str, description: str, *examples: str) -> WithJsonSchema:
    text = {"type": "string", "pattern": pattern, "description": description, "examples": list(examples)}
    return WithJsonSchema(text)


def _number_schema(pattern: str, description: str, *examples: str) -> WithJsonSchema:
    kinds = [{"type": "string", "pattern": pattern}, {"type": "number"}]
    return WithJsonSchema({"anyOf": kinds, "description": description, "examples": list(examples)})


Duration = Annotated[
    int,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration, return_type=str),
    _schema(DURATION_PATTERN, "a number and a unit: ns, us, ms, s, min, h or d", "250ms", "1.5s", "10min"),
]
"""Nanoseconds inside; a string such as ``"250ms"`` in TOML and in dumps. A bare number is an error."""

TimeOfDay = Annotated[
    int,
    BeforeValidator(_read_time_of_day),
    PlainSerializer(format_time_of_day, return_type=str),
    _schema(TIME_OF_DAY_PATTERN, "HH:MM:SS, seconds and their fraction optional", "09:30:00"),
]
"""Nanoseconds since midnight inside; ``"09:30:00"`` in TOML and in dumps."""

Money = Annotated[
    Decimal,
    BeforeValidator(parse_decimal),
    PlainSerializer(format_decimal, return_type=str),
    _number_schema(DECIMAL_PATTERN, "an exact decimal, as a string or a number", "0.003", "-1.50"),
]
"""An exact decimal of any sign; a decimal string or a number in TOML, a string in dumps."""

Price = Annotated[
    Decimal,
    BeforeValidator(_read_price),
    PlainSerializer(format_decimal, return_type=str),
    _number_schema(POSITIVE_PATTERN, "a positive exact decimal, as a string or a number", "0.01", "100.00"),
]
"""A positive exact decimal; a decimal string or a number in TOML, a string in dumps."""
