"""Compiled loops over the answers of a group, as observed or dealt at random.

For a random order no array is shuffled: each place gets a 1 with the probability that ones among the call's remaining
answers have, which makes every order equally likely, and the counts are taken on the way.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from marketsim.analysis.bias.memory_layout import KEPT, LAGS, MAX_STREAK, N_LAGS, N_STREAKS, WIDTH
from marketsim.core.jit import errstate, kernel
from marketsim.core.rng import NUMBER, counters, uniforms

LANE_BITS: Final = 6
LANE: Final = (1 << LANE_BITS) - 1
"""Ten counters of 63 share a word: one addition counts the products at all ten lags."""

SPREAD: Final = np.array(
    [sum((word >> lag & 1) << (LANE_BITS * lag) for lag in range(N_LAGS)) for word in range(1 << N_LAGS)], np.int64
)
"""The latest ten answers with each bit in a lane of its own."""


@kernel
def _count_memory(bits, start, ones, address, first, last, out):
    """Fill rows ``first`` to ``last - 1`` of ``out``: row 0 is the observed order, row r the r-th random one."""
    product = np.zeros(N_LAGS, np.int64)
    head = np.zeros(N_LAGS, np.int64)
    four = np.zeros(4)
    for row in range(first, last):
        address[NUMBER] = row
        place = 0
        for call in range(start.size - 1):
            begin, end = start[call], start[call + 1]
            n, left = end - begin, ones[call]
            n_ones = left
            product[:] = 0
            recent = 0  # the latest answers, one a bit
            last_one, streak, packed = 0, 0, 0
            for t in range(n):
                if row == 0:
                    x = int(bits[begin + t])
                else:
                    if place & 3 == 0:
                        four[0], four[1], four[2], four[3] = uniforms(address, place >> 2)
                    x = int(four[place & 3] * (n - t) < left)
                    left -= x
                    place += 1
                if t < N_LAGS:
                    head[t] = x
                if t > 0:
                    switched = int(x != last_one)
                    out[row, 2 * (last_one * N_STREAKS + min(streak, MAX_STREAK)) + switched] += 1
                    streak = switched + (1 - switched) * max(streak + 1, 2)
                    packed += x * SPREAD[recent]
                    if t % LANE == 0:  # before a lane can run over
                        for lag in range(N_LAGS):
                            product[lag] += (packed >> (LANE_BITS * lag)) & LANE
                        packed = 0
                recent = (recent << 1 | x) & KEPT
                last_one = x
            share = n_ones / max(n, 1)
            tail_ones, head_ones = 0, 0
            for lag in range(1, min(n - 1, N_LAGS) + 1):
                tail_ones += (recent >> (lag - 1)) & 1
                head_ones += head[lag - 1]
                products = product[lag - 1] + ((packed >> (LANE_BITS * (lag - 1))) & LANE)
                edges = 2 * n_ones - tail_ones - head_ones
                out[row, LAGS + lag - 1] += products - share * edges + share * share * (n - lag)


def count_memory(
    bits: NDArray[np.uint8], start: NDArray[np.int64], key: NDArray[np.uint64], n_permutations: int
) -> NDArray[np.float64]:
    """Count transitions, switches by run length and lagged products, observed and permuted within calls.

    Parameters
    ----------
    bits : uint8 array, shape (n,)
        Answers, sequence after sequence.
    start : int64 array, shape (n_sequences + 1,)
        Where each sequence begins.
    key : uint64 array, shape (2,)
        From ``core.rng.stream_key``: permutation r has the address (key, number r).
    n_permutations : int

    Returns
    -------
    float64 array, shape (1 + n_permutations, WIDTH)
        Row 0 is the observed order.
    """
    total = np.concatenate([[0], np.cumsum(bits, dtype=np.int64)])
    out = np.zeros((1 + n_permutations, WIDTH))
    address: Any = counters(key, 0, 0)
    with errstate():
        _count_memory(bits, start, np.diff(total[start]), address, 0, 1 + n_permutations, out)
    return out


@kernel
def _deal(size, n_ones, address, last, out):
    """Fill ``out`` with the dispersion of deals 1, 2, ...: ones dealt to calls of these sizes."""
    total = 0
    for call in range(size.size):
        total += size[call]
    share = n_ones / total
    scale = share * (1.0 - share)
    four = np.zeros(4)
    for deal in range(last):
        address[NUMBER] = deal + 1
        left, place, statistic = n_ones, 0, 0.0
        for call in range(size.size):
            ones = 0
            for _ in range(size[call]):
                if place & 3 == 0:
                    four[0], four[1], four[2], four[3] = uniforms(address, place >> 2)
                x = int(four[place & 3] * (total - place) < left)
                left -= x
                ones += x
                place += 1
            statistic += (ones - size[call] * share) ** 2 / (size[call] * scale)
        out[deal] = statistic


def deal_dispersion(size: NDArray[np.int64], n_ones: int, key: NDArray[np.uint64], n_deals: int) -> NDArray[np.float64]:
    """Return Pearson's dispersion of random deals of all answers to calls.

    Parameters
    ----------
    size : int64 array, shape (n_calls,)
        Answers of each call.
    n_ones : int
        Ones among all answers.
    key : uint64 array, shape (2,)
        From ``core.rng.stream_key``: deal r has the address (key, number r).
    n_deals : int

    Returns
    -------
    float64 array, shape (n_deals,)
        Sum over calls of (ones - size p)^2 / (size p (1 - p)).
    """
    out = np.zeros(n_deals)
    with errstate():
        _deal(size, n_ones, counters(key, 0, 0), n_deals, out)
    return out
