"""One line of progress on stderr, in simulated time; silent where stderr is not a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from marketsim.core.durations import format_time_of_day

REDRAW_SECONDS = 0.1


class Progress:
    """A line such as ``42 %  00:12:36 of 00:30:00  7.2 M events/s``, redrawn ten times a second at most.

    Parameters
    ----------
    total_ns : int
        Simulated time at the end.
    stream : text stream, optional
        Where the line goes; stderr by default.
    enabled : bool, optional
        Whether to write at all; by default only to a terminal.

    Examples
    --------
    >>> with Progress(10_000_000_000, enabled=False) as progress:
    ...     progress.update(5_000_000_000, events=1_000)
    """

    def __init__(self, total_ns: int, stream: TextIO | None = None, enabled: bool | None = None) -> None:
        self._total_ns, self._stream = total_ns, stream if stream is not None else sys.stderr
        self.enabled = self._stream.isatty() if enabled is None else enabled
        self._begun = self._drawn = time.monotonic()
        self._first_events: int | None = None
        self._width = 0

    def update(self, now_ns: int, events: int) -> None:
        """Say that simulated time is ``now_ns`` and that ``events`` were done in all."""
        if not self.enabled:
            return
        if self._first_events is None:  # a resumed run does not start from 0
            self._first_events = events
        moment = time.monotonic()
        if moment - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = moment
        self._draw(self._line(now_ns, (events - self._first_events) / (moment - self._begun)))

    def close(self) -> None:
        """Wipe the line."""
        if self.enabled and self._width:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()

    def __enter__(self) -> Self:
        """Return itself; leaving the block wipes the line."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the line, also after an error."""
        self.close()

    def _line(self, now_ns: int, events_per_second: float) -> str:
        share = 100 * now_ns // max(self._total_ns, 1)
        second = 1_000_000_000
        now, total = (format_time_of_day(value // second * second) for value in (now_ns, self._total_ns))
        return f"{share:3d} %  {now} of {total}  {_rate(events_per_second)} events/s"

    def _draw(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)


def _rate(value: float) -> str:
    """Return a number with three digits and a prefix: ``7.21 M``."""
    for size, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{prefix}"
    return f"{value:.3g}"
