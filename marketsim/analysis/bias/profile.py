"""What a group's answers look like, as numbers for a drawing: run lengths, transitions, correlations, calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.memory import why_no_memory
from marketsim.analysis.bias.share import exact_interval
from marketsim.analysis.columns import FloatArray, IntArray

N_LENGTHS: Final = 12
"""Run lengths told apart; the last stands for all longer ones."""

N_LAGS: Final = 20


@dataclass(frozen=True)
class Memory:
    """Order of the answers within calls.

    Attributes
    ----------
    run_length : int64 array, shape (N_LENGTHS,)
        Runs of 1, 2, ..., N_LENGTHS or more equal answers.
    chance_run_length : float64 array, shape (N_LENGTHS,)
        Expected when every order within a call is equally likely.
    transitions : int64 array, shape (2, 2)
        Row the answer before, column the next.
    chance_transitions : float64 array, shape (2, 2)
        Expected in random orders.
    correlation, band : float64 array, shape (m,)
        Autocorrelation about its expectation in random orders, at lags 1 to m, and half the width of its 95 % band.
    """

    run_length: IntArray
    chance_run_length: FloatArray
    transitions: IntArray
    chance_transitions: FloatArray
    correlation: FloatArray
    band: FloatArray


@dataclass(frozen=True)
class Profile:
    """One group.

    Attributes
    ----------
    n, n_invalid, n_ones, n_calls : int
        Valid answers, invalid ones, those counted, and calls (0 where they are not known).
    low, high : float
        Clopper and Pearson's 95 % interval of the share.
    expected : float
        Stated probability.
    call_ones, call_size : int64 array, shape (n_calls,)
        Counted answers and answers of each call; empty where calls are not known or hold one answer.
    memory : Memory or None
        None where it cannot be tested.
    """

    n: int
    n_invalid: int
    n_ones: int
    n_calls: int
    low: float
    high: float
    expected: float
    call_ones: IntArray
    call_size: IntArray
    memory: Memory | None

    @property
    def share(self) -> float:
        """Share of the counted answer; NaN without answers."""
        return self.n_ones / self.n if self.n else np.nan


def profile_of(answers: Answers, n_invalid: int, expected: float) -> Profile:
    """Describe one group of binary answers."""
    low, high = exact_interval(answers.n_ones, answers.n)
    several = answers.has_calls and not answers.is_one_shot and answers.n_calls > 1
    nothing = np.zeros(0, np.int64)
    return Profile(
        n=answers.n,
        n_invalid=n_invalid,
        n_ones=answers.n_ones,
        n_calls=answers.n_calls if answers.has_calls else 0,
        low=low,
        high=high,
        expected=expected,
        call_ones=answers.ones if several else nothing,
        call_size=answers.size if several else nothing,
        memory=None if why_no_memory(answers) else _memory(answers),
    )


def _memory(answers: Answers) -> Memory:
    start = answers.sequences()
    size = np.diff(start)
    total = np.concatenate([[0], np.cumsum(answers.answer, dtype=np.int64)])
    ones = np.diff(total[start])
    call = np.repeat(np.arange(len(size)), size)
    bits, same_call = answers.answer, call[1:] == call[:-1]
    pair = (2 * bits[:-1].astype(np.int64) + bits[1:])[same_call]
    new = np.concatenate([[True], (bits[1:] != bits[:-1]) | ~same_call])
    length = np.diff(np.concatenate([np.flatnonzero(new), [answers.n]]))
    from marketsim.analysis.bias.markov import exchangeable_pairs

    correlation, band = _correlation(answers, call, ones, size)
    return Memory(
        run_length=np.bincount(np.minimum(length, N_LENGTHS), minlength=N_LENGTHS + 1)[1:],
        chance_run_length=expected_run_lengths(ones, size),
        transitions=np.bincount(pair, minlength=4).reshape(2, 2),
        chance_transitions=exchangeable_pairs(ones, size),
        correlation=correlation,
        band=band,
    )


def expected_run_lengths(ones: IntArray, size: IntArray) -> FloatArray:
    """Expected runs of 1, 2, ..., N_LENGTHS or more, summed over calls, when every order is equally likely.

    A run of at least r ones begins at the start of a call, or after a zero: with k ones among n answers that is
    (k)_r / (n)_r + (n - r) (k)_r (n - k) / (n)_(r + 1), in falling factorials.

    References
    ----------
    Mood (1940), Annals of Mathematical Statistics 11(4), 367-392.
    """
    at_least = np.zeros(N_LENGTHS + 1)
    for k in (ones.astype(np.float64), (size - ones).astype(np.float64)):
        n = size.astype(np.float64)
        chance = np.ones(len(n))
        for r in range(1, N_LENGTHS + 1):
            chance = chance * np.maximum(k - r + 1, 0) / np.maximum(n - r + 1, 1)
            at_least[r - 1] += (chance * (1 + np.maximum(n - r, 0) * (size - k) / np.maximum(n - r, 1))).sum()
    exactly = at_least[:-1] - at_least[1:]
    exactly[-1] = at_least[N_LENGTHS - 1]
    return exactly


def _correlation(answers: Answers, call: IntArray, ones: IntArray, size: IntArray) -> tuple[FloatArray, FloatArray]:
    """Autocorrelation of deviations from the call's share, about its expectation in random orders."""
    deviation = answers.answer - (ones / np.maximum(size, 1))[call]
    power = float(deviation @ deviation)
    square = ones * (size - ones) / np.maximum(size, 1)
    value, band = [], []
    for lag in range(1, min(N_LAGS, int(size.max()) - 1) + 1):
        together = call[lag:] == call[:-lag]
        products = np.maximum(size - lag, 0)
        expected = -(square / np.maximum(size * (size - 1), 1)) @ products
        value.append((float((deviation[lag:] * deviation[:-lag])[together].sum()) - expected) / power)
        band.append(1.96 * np.sqrt(products.sum()) / answers.n)
    return np.array(value), np.array(band)
