"""From numbers to positions and labels: axes with round ticks, and the wall clock of the simulated session."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from marketsim.analysis.columns import FloatArray

SECOND = 10**9
DAY = 86_400 * SECOND

MISSING = "\u2013"
"""What stands where there is no value."""

_CLOCK_STEPS = (
    *(scale * digit for scale in (10**6, 10**7, 10**8) for digit in (1, 2, 5)),
    *(seconds * SECOND for seconds in (1, 2, 5, 10, 15, 30)),
    *(minutes * 60 * SECOND for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)),
    *(days * DAY for days in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),
)


@dataclass(frozen=True)
class Axis:
    """One axis of a panel.

    Attributes
    ----------
    low, high : float
        Values at its two ends.
    ticks : tuple of (float, str)
        Where a label stands, and what it says.
    title : str
        What is drawn, with its unit.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str

    def place(self, value: FloatArray | float) -> FloatArray:
        """Place from 0 (low end) to 1 (high end); beyond the ends it stays at them."""
        share: FloatArray = np.clip((np.asarray(value, dtype=np.float64) - self.low) / (self.high - self.low), 0.0, 1.0)
        return share


def number_axis(low: float, high: float, title: str, n_ticks: int = 5, decimals: int | None = None) -> Axis:
    """Axis that holds ``low`` to ``high`` with about ``n_ticks`` round ticks.

    Parameters
    ----------
    decimals : int, optional
        At least so many in the labels, for prices; by default as many as the ticks need.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0) * 1e-3, low + 0.5 * (abs(low) or 1.0) * 1e-3
    step = round_step((high - low) / n_ticks)
    needed = max(0, -math.floor(math.log10(step) + 1e-9))
    digits = max(needed, decimals or 0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple((k * step, signed(k * step, digits)) for k in range(first, last + 1))
    return Axis(low, high, ticks, title)


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Ends of an axis that leaves a share of its length free at both sides."""
    margin = share * (high - low)
    return low - margin, high + margin


def round_step(least: float) -> float:
    """Least of 1, 2 and 5 times a power of ten that is no less than ``least``.

    Examples
    --------
    >>> round_step(0.03), round_step(7)
    (0.05, 10.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    digit = next(digit for digit in (1.0, 2.0, 5.0, 10.0) if digit * power >= least * (1 - 1e-9))
    return digit * power


def time_axis(begin_ns: int, end_ns: int, clock_ns: int, n_ticks: int = 7, title: str = "") -> Axis:
    """Axis of time stamps whose labels are the wall clock of the simulated session.

    Parameters
    ----------
    begin_ns, end_ns : int
        Time stamps at its ends.
    clock_ns : int
        Time of day at ``begin_ns``.
    """
    length = end_ns - begin_ns
    step = next((step for step in _CLOCK_STEPS if length / step <= n_ticks), _CLOCK_STEPS[-1])
    first = -(-clock_ns // step)
    moments = range(first * step, clock_ns + length + 1, step)
    days = clock_ns + length > DAY
    ticks = tuple((float(moment - clock_ns + begin_ns), clock_label(moment, step, days)) for moment in moments)
    return Axis(float(begin_ns), float(end_ns), ticks, title or "time of day")


def clock_label(time_of_day_ns: int, step_ns: int = SECOND, with_day: bool = False) -> str:
    """Write a time of day as finely as steps of ``step_ns`` need.

    Examples
    --------
    >>> clock_label(34_200 * SECOND, 60 * SECOND), clock_label(34_200 * SECOND + 5 * 10**6, 10**6)
    ('09:30', '09:30:00.005')
    """
    day, rest = divmod(time_of_day_ns, DAY)
    seconds, fraction = divmod(rest, SECOND)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    text = f"{hours:02d}:{minutes:02d}"
    if step_ns % (60 * SECOND):
        text += f":{seconds % 60:02d}"
    if step_ns % SECOND:
        text += f".{fraction // 10**6:03d}"
    return f"day {day + 1} {text}" if with_day else text


def duration_label(duration_ns: int) -> str:
    """Write a duration in words: ``"30 min"``, ``"6 h 30 min"``, ``"1.5 s"``.

    Examples
    --------
    >>> duration_label(23_400 * SECOND), duration_label(SECOND // 4)
    ('6 h 30 min', '250 ms')
    """
    if duration_ns < SECOND:
        return f"{duration_ns / 10**6:g} ms"
    if duration_ns < 60 * SECOND:
        return f"{duration_ns / SECOND:g} s"
    whole = timedelta(seconds=round(duration_ns / SECOND))
    minutes, seconds = divmod(whole.seconds, 60)
    parts = ((whole.days, "d"), (minutes // 60, "h"), (minutes % 60, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def signed(value: float, decimals: int) -> str:
    """Write a number with thousands set apart and a true minus sign; never minus zero; a dash where there is none."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else "\u2212" + text[1:]
    return text
