"""Durations and times of day: integer nanoseconds inside, text such as ``"250ms"`` and ``"09:30:00"`` outside."""

from __future__ import annotations

import re
from typing import Final

NANOSECOND: Final = 1
MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

UNITS: Final = {
    "ns": NANOSECOND,
    "us": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "min": MINUTE,
    "h": HOUR,
    "d": DAY,
}
"""Units of a duration string, in nanoseconds."""

MAX_DURATION: Final = 36_500 * DAY
"""A hundred years: below 2**62, so that sums of two times never overflow an int64."""

DURATION_PATTERN: Final = r"^[0-9]{1,19}(\.[0-9]{1,18})?(ns|us|ms|s|min|h|d)$"
TIME_OF_DAY_PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$"

DURATION_EXPECTED: Final = 'expected a duration such as "250ms" (units: ns, us, ms, s, min, h, d)'
TIME_EXPECTED: Final = 'expected a time of day such as "09:30:00"'


def parse_duration(text: str) -> int:
    """Return a duration in nanoseconds.

    Parameters
    ----------
    text : str
        A number and a unit, ``"250ms"``, ``"1.5s"`` or ``"10min"``; units are ns, us, ms, s, min, h and d.

    Raises
    ------
    ValueError
        The text is no duration, is not a whole number of nanoseconds, or exceeds a hundred years.

    Examples
    --------
    >>> parse_duration("1.5ms")
    1500000
    """
    if not re.fullmatch(DURATION_PATTERN, text, re.ASCII):
        raise ValueError(DURATION_EXPECTED)
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    whole, _, fraction = number.partition(".")
    unit = UNITS[text[len(number) :]]
    nanoseconds, rest = divmod(int(whole + fraction) * unit, int("1" + "0" * len(fraction)))
    if rest:
        raise ValueError("expected a whole number of nanoseconds")
    if nanoseconds > MAX_DURATION:
        raise ValueError('expected at most a hundred years, "36500d"')
    return nanoseconds


def format_duration(nanoseconds: int) -> str:
    """Return the shortest duration string that ``parse_duration`` reads back to the same number.

    It takes the largest unit that divides the duration: ``1_500_000`` is ``"1500us"``, never a fraction. A negative
    number, which no scenario can hold, gets a minus sign.

    Examples
    --------
    >>> format_duration(600_000_000_000), format_duration(1_500_000), format_duration(0)
    ('10min', '1500us', '0s')
    """
    if nanoseconds == 0:
        return "0s"
    unit, size = next((unit, size) for unit, size in reversed(UNITS.items()) if nanoseconds % size == 0)
    return f"{nanoseconds // size}{unit}"


def parse_time_of_day(text: str) -> int:
    """Return the nanoseconds since midnight of ``"HH:MM"``, ``"HH:MM:SS"`` or ``"HH:MM:SS.fraction"``.

    Raises
    ------
    ValueError
        The text is no time of day, or has more than nine digits of fraction.
    """
    if not re.fullmatch(TIME_OF_DAY_PATTERN, text, re.ASCII):
        raise ValueError(TIME_EXPECTED)
    clock, _, fraction = text.partition(".")
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return hours * HOUR + minutes * MINUTE + sum(seconds) * SECOND + int(fraction.ljust(9, "0"))


def format_time_of_day(nanoseconds: int) -> str:
    """Return ``"HH:MM:SS"`` with as many digits of fraction as it takes; beyond midnight it goes on, ``"25:00:00"``."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{hour:02d}:{minute:02d}:{second:02d}{digits}"
