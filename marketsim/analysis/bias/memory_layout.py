"""Where each count stands in the rows that ``kernel.count_memory`` fills.

A transition from answer a, after a run of s equal answers, with or without a switch, is counted at
``2 (a N_STREAKS + s) + switched``. The first transition of a call has s = 0: its run is 1 long, but there is no answer
before it. Behind them stand, for each lag, the sums of products of deviations from the call's own share.
"""

from __future__ import annotations

from typing import Final

N_LAGS: Final = 10
"""Autocorrelations: lags 1 to 10."""

KEPT: Final = (1 << N_LAGS) - 1
"""Bits of the latest answers that are kept."""

MAX_STREAK: Final = 10
"""Longer runs count as this long."""

N_STREAKS: Final = MAX_STREAK + 1

LONG: Final = 3
"""Equal answers that make a streak."""

LAGS: Final = 4 * N_STREAKS

WIDTH: Final = LAGS + N_LAGS
