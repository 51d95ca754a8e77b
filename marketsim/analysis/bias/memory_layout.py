"""Where each count stands in the rows that ``kernel`` fills."""

from __future__ import annotations

from typing import Final

N_LAGS: Final = 10
"""Autocorrelations: lags 1 to 10."""

KEPT: Final = (1 << N_LAGS) - 1
"""Bits of the latest answers that are kept."""

MAX_STREAK: Final = 10
"""Longer runs count as this long."""

LONG: Final = 3
"""Equal answers that make a streak."""

PAIR, TRIPLE, SWITCHING, STREAK, LAGS = 0, 4, 12, 22, 24
"""Where in a row of counts: pairs ab at 2 a + b; triples abc at 4 a + 2 b + c; for transitions from answer a at 5 a:
their number, sum of run lengths, of squared run lengths, switches, sum of run lengths of switches; transitions after a
streak, and switches among them; sums of products of deviations from the call's share at each lag."""

WIDTH: Final = LAGS + N_LAGS
