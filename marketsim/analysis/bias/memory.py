"""Memory within calls: does an answer depend on those before it?

The null of every test is that within a call each order of its answers is equally likely. A fair coin in calls of ten
switches after three equal answers 63 % of the time, since streaks are selected from a finite call (Miller & Sanjurjo
2018, Econometrica 86(6), 2019-2047); and calls that differ in their share look like memory when pooled. Orders drawn
within each call allow for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from marketsim.analysis.bias import memory_layout as layout
from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.exact import binomial_distribution, runs_distribution, sum_distribution, tails
from marketsim.analysis.bias.markov import (
    choose_order,
    exchangeable_pairs,
    exchangeable_triples,
    likelihood_ratio_1,
    likelihood_ratio_2,
)
from marketsim.analysis.bias.results import MIN_RARER, ONE_SHOT, TestResult, inestimable, two_sided
from marketsim.analysis.columns import FloatArray, IntArray

MOST_PERMUTATIONS: Final = 999
FEWEST_PERMUTATIONS: Final = 299
PERMUTED_ANSWERS: Final = 150_000_000
"""Random orders times answers: large groups get fewer orders, never fewer than 299, with which a two-sided p-value can
pass Holm's correction for six gates."""

PERMUTED: Final = ("markov_1", "markov_2", "ljung_box", "recency", "streak", "trend", "markov_order")
"""Tests whose null comes from orders drawn at random."""


ONE_VALUE: Final = "calls so short that every order of their answers gives the same value"


def n_permutations_for(n: int) -> int:
    """Random orders for a group of so many answers; the number plus one is a multiple of 100 or 200."""
    allowed = PERMUTED_ANSWERS // max(n, 1)
    return int(
        MOST_PERMUTATIONS if allowed >= MOST_PERMUTATIONS else max(allowed // 100 * 100 - 1, FEWEST_PERMUTATIONS)
    )


# ---- What forbids an estimate -------------------------------------------------------------------------------


def why_no_memory(answers: Answers) -> str:
    """Return why memory cannot be tested; empty where it can."""
    if not answers.has_calls:
        return "which answers share a call is not known: name the column with --call, or say --one-call"
    if not answers.has_order:
        return "the order of the answers is not known: name its column with --order"
    if answers.n_rarer == 0:
        return "one answer only was given"
    if answers.n_rarer < MIN_RARER:
        return f"the rarer answer was given {answers.n_rarer} times, fewer than {MIN_RARER}"
    ones, size = _ones(answers), np.diff(answers.sequences())
    rarer = int(np.minimum(ones, size - ones).sum())
    if rarer < MIN_RARER:
        return f"in calls that hold both answers the rarer one was given {rarer} times, fewer than {MIN_RARER}"
    return ""


def _ones(answers: Answers) -> IntArray:
    return np.array([answers.n_ones]) if answers.is_one_shot else answers.ones


# ---- Exact tests --------------------------------------------------------------------------------------------


def runs_test(answers: Answers) -> TestResult:
    """Count runs of equal answers, against their exact distribution given each call's counts.

    Assumes that within a call every order is equally likely. Several calls: the distribution of the sum. The statistic
    is the standardised number of runs, negative where runs are few; the p-value is twice the smaller exact tail.

    References
    ----------
    Wald & Wolfowitz (1940), Annals of Mathematical Statistics 11(2), 147-162.
    """
    reason = why_no_memory(answers)
    if reason:
        return inestimable("runs", answers.n, reason)
    start, ones = answers.sequences(), _ones(answers)
    size = np.diff(start)
    n_runs = len(size) + _n_switches(answers.answer, start)
    mean, variance = runs_moments(ones, size)
    if variance < 1e-9:
        return inestimable("runs", answers.n, ONE_VALUE)
    z = (n_runs - mean) / np.sqrt(variance)
    shapes, times = np.unique(np.stack([ones, size - ones]), axis=1, return_counts=True)
    parts = [(runs_distribution(int(a), int(b)), int(k)) for (a, b), k in zip(shapes.T, times, strict=True)]
    distribution = sum_distribution(parts)
    if distribution is None:
        p_value, note = 2 * float(ndtr(-abs(z))), "normal approximation with exact moments: many large calls"
    else:
        p_value, note = two_sided(*tails(distribution, n_runs)), ""
    return TestResult("runs", answers.n, z, p_value, n_runs, reason=note, facts={"expected": mean})


def runs_moments(ones: IntArray, size: IntArray) -> tuple[float, float]:
    """Return mean and variance of the number of runs, summed over calls, when every order is equally likely."""
    n, product = size.astype(np.float64), 2.0 * ones * (size - ones)
    mean = 1.0 + product / n
    many = n > 1
    variance = product[many] * (product[many] - n[many]) / (n[many] ** 2 * (n[many] - 1.0))
    return float(mean.sum()), float(variance.sum())


def first_item_test(answers: Answers) -> TestResult:
    """Compare the first answers of calls with the calls' other answers.

    Assumes that within a call every order is equally likely, so that its first answer is a 1 with the call's share:
    the number of ones among the first answers is a sum of independent, unequal coins, whose distribution is exact.
    """
    name, n = "first_item", answers.n
    reason = why_no_memory(answers)
    if reason:
        return inestimable(name, n, reason)
    if answers.is_one_shot or answers.n_calls < 2:
        return inestimable(name, n, ONE_SHOT if answers.is_one_shot else "there is one call only")
    share = answers.ones / answers.size
    mixed = (share > 0) & (share < 1)
    if mixed.sum() < MIN_RARER:
        return inestimable(name, n, f"{int(mixed.sum())} calls hold both answers, fewer than {MIN_RARER}")
    first = answers.answer[answers.start[:-1]][mixed]
    values, times = np.unique(share[mixed], return_counts=True)
    observed, mean = int(first.sum()), float(share[mixed].sum())
    z = (observed - mean) / np.sqrt((share[mixed] * (1 - share[mixed])).sum())
    parts = [(binomial_distribution(int(k), float(p)), 1) for p, k in zip(values, times, strict=True)]
    distribution = sum_distribution(parts)
    p_value = 2 * float(ndtr(-abs(z))) if distribution is None else two_sided(*tails(distribution, observed))
    n_mixed = int(mixed.sum())
    return TestResult(name, n_mixed, z, p_value, observed / n_mixed, unit="calls", facts={"expected": mean / n_mixed})


# ---- Tests by permutation -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class MemoryCounts:
    """Counts of the observed order (row 0) and of random ones; see ``memory_layout``."""

    table: FloatArray
    ones: IntArray
    size: IntArray
    """Of each sequence; the same in every order."""

    @property
    def n(self) -> int:
        """Number of answers."""
        return int(self.size.sum())

    @property
    def transitions(self) -> FloatArray:
        """By answer before, length of its run (0 for the first transition of a call), switched: [rows, 2, 11, 2]."""
        return self.table[:, : layout.LAGS].reshape(-1, 2, layout.N_STREAKS, 2)

    @property
    def pairs(self) -> FloatArray:
        """Transitions a to b: float64[rows, 2, 2]."""
        return _to_answers(self.transitions.sum(axis=2))

    @property
    def triples(self) -> FloatArray:
        """Transitions a, b to c: float64[rows, 2, 2, 2]."""
        after_other = _to_answers(self.transitions[:, :, 1])
        after_same = _to_answers(self.transitions[:, :, 2:].sum(axis=2))
        triples = np.empty((len(self.table), 2, 2, 2))
        for b in (0, 1):
            triples[:, b, b], triples[:, 1 - b, b] = after_same[:, b], after_other[:, b]
        return triples

    @property
    def switching(self) -> FloatArray:
        """By answer: transitions, run lengths, their squares, switches, run lengths of switches: [rows, 2, 5]."""
        length = np.maximum(np.arange(layout.N_STREAKS), 1.0)
        every, switched = self.transitions.sum(axis=3), self.transitions[..., 1]
        sums = (every.sum(-1), every @ length, every @ length**2, switched.sum(-1), switched @ length)
        return np.stack(sums, axis=-1)

    @property
    def streak(self) -> FloatArray:
        """Transitions after a streak, switches among them: float64[rows, 2]."""
        after = self.transitions[:, :, layout.LONG :].sum(axis=(1, 2))
        return np.stack([after.sum(-1), after[:, 1]], axis=-1)

    @property
    def lags(self) -> FloatArray:
        """Sums of lagged products of deviations: float64[rows, N_LAGS]."""
        return self.table[:, layout.LAGS :]


def _to_answers(by_switch: FloatArray) -> FloatArray:
    """Turn counts by (answer before, switched) into counts by (answer before, answer): [rows, 2, 2]."""
    return np.stack([by_switch[:, 0], by_switch[:, 1, ::-1]], axis=1)


def count(answers: Answers, key: NDArray[np.uint64], n_permutations: int) -> MemoryCounts:
    """Count the observed order of answers and ``n_permutations`` random ones."""
    from marketsim.analysis.bias.kernel import count_memory  # Numba, for those who need it

    table = count_memory(answers.answer, answers.sequences(), key, n_permutations)
    return MemoryCounts(table, _ones(answers), np.diff(answers.sequences()))


def memory_tests(answers: Answers, key: NDArray[np.uint64], n_permutations: int | None = None) -> list[TestResult]:
    """Return every test whose null is permutation within calls.

    Parameters
    ----------
    answers : Answers
    key : uint64 array, shape (2,)
        Stream of the random orders.
    n_permutations : int, optional
        Default: 999, fewer for more than half a million answers, 299 at least.

    Returns
    -------
    list of TestResult
        ``markov_1``, ``markov_2``, ``ljung_box``, ``recency``, ``streak``, ``trend``, ``markov_order``.
    """
    reason = why_no_memory(answers)
    if reason:
        return [inestimable(name, answers.n, reason) for name in PERMUTED]
    counts = count(answers, key, n_permutations or n_permutations_for(answers.n))
    by_pairs = likelihood_ratio_1(counts.pairs, exchangeable_pairs(counts.ones, counts.size))
    by_triples = likelihood_ratio_2(counts.triples, exchangeable_triples(counts.ones, counts.size))
    return [
        _upper("markov_1", counts, by_pairs),
        _upper("markov_2", counts, by_triples),
        _upper("ljung_box", counts, ljung_box(counts)),
        _recency(answers, counts),
        _streak(counts),
        _trend(counts),
        _order(counts),
    ]


def ljung_box(counts: MemoryCounts) -> FloatArray:
    """Ljung and Box's statistic over the first ten lags: one a row of counts.

    (n + 2) / n sum_k (n (r_k - E r_k))^2 / n_k, where n r_k sums over calls the products of deviations from the call's
    own share at lag k, over their variance; n_k is the number of products, and E r_k what random orders give (in
    one call -(n - k) / (n (n - 1))). With one long call it is the textbook one, n (n + 2) sum r_k^2 / (n - k).

    References
    ----------
    Ljung & Box (1978), Biometrika 65(2), 297-303.
    """
    square = counts.ones * (counts.size - counts.ones) / np.maximum(counts.size, 1)
    expected, n_products = expected_products(counts.ones, counts.size)
    usable = n_products > 0
    excess = counts.n * (counts.lags - expected)[:, usable] / square.sum()
    statistic: FloatArray = (counts.n + 2) / counts.n * (excess**2 / n_products[usable]).sum(axis=1)
    return statistic


def expected_products(ones: IntArray, size: IntArray) -> tuple[FloatArray, IntArray]:
    """Return what sums of lagged products are in random orders, and how many products they have: [N_LAGS] twice."""
    products = np.maximum(size[:, None] - np.arange(1, layout.N_LAGS + 1), 0)
    square = ones * (size - ones) / np.maximum(size, 1)
    expected: FloatArray = -(square / np.maximum(size * (size - 1), 1)) @ products
    return expected, products.sum(axis=0)


def trend_statistic(switching: FloatArray) -> FloatArray:
    """Correlation of switching with run length within each answer, studentised: about standard normal by chance."""
    n, length, square, switched, both = np.moveaxis(switching, -1, 0)
    safe = np.maximum(n, 1.0)
    covariance = both - length * switched / safe
    variance = (square - length**2 / safe) * (switched - switched**2 / safe) / safe
    total = variance.sum(-1)
    ratio: FloatArray = np.divide(covariance.sum(-1), np.sqrt(total), out=np.zeros(len(n)), where=total > 0)
    return ratio


def _recency(answers: Answers, counts: MemoryCounts) -> TestResult:
    """Test the number of switches; the estimate is their share beyond what random orders give."""
    ones, size = _ones(answers), np.diff(answers.sequences())
    switches = counts.pairs[:, 0, 1] + counts.pairs[:, 1, 0]
    n_transitions = int((size - 1).sum())
    mean, variance = runs_moments(ones, size)
    expected = mean - len(size)
    if variance < 1e-9:
        return inestimable("recency", n_transitions, ONE_VALUE, "transitions")
    z = (switches[0] - expected) / np.sqrt(variance)
    rate, chance, half = switches[0] / n_transitions, expected / n_transitions, 1.96 * np.sqrt(variance) / n_transitions
    facts = {"rate": rate, "expected": chance, "permutations": len(switches) - 1}
    excess = rate - chance
    return TestResult(
        "recency",
        n_transitions,
        z,
        _two_tailed(switches),
        excess,
        excess - half,
        excess + half,
        unit="transitions",
        facts=facts,
    )


def _streak(counts: MemoryCounts) -> TestResult:
    """Test the share of switches after three equal answers."""
    after, switched = counts.streak.T
    if after[0] < 2 * MIN_RARER:
        reason = f"{int(after[0])} transitions follow {layout.LONG} equal answers, fewer than {2 * MIN_RARER}"
        return inestimable("streak", int(after[0]), reason, "transitions")
    rate = switched / np.maximum(after, 1.0)
    chance = rate[1:].mean()
    z = (rate[0] - chance) / max(float(rate[1:].std()), 1e-300)
    facts = {"expected": float(chance), "permutations": len(rate) - 1}
    return TestResult("streak", int(after[0]), z, _two_tailed(rate), rate[0], unit="transitions", facts=facts)


def _trend(counts: MemoryCounts) -> TestResult:
    statistic = trend_statistic(counts.switching)
    if not np.ptp(statistic) > 1e-9:
        return inestimable("trend", counts.n, ONE_VALUE, "transitions")
    facts = {"expected": float(statistic[1:].mean()), "permutations": len(statistic) - 1}
    n = int(counts.switching[0, :, 0].sum())
    return TestResult("trend", n, statistic[0], _two_tailed(statistic), unit="transitions", facts=facts)


def _order(counts: MemoryCounts) -> TestResult:
    """Choose the order of a chain; no test, so there is no p-value."""
    choice = choose_order(counts.triples[0])
    if choice.n == 0:
        return inestimable("markov_order", counts.n, "the calls are too short: it takes three answers in a row")
    facts = {f"bic_{order}": value for order, value in enumerate(choice.bic)}
    return TestResult("markov_order", choice.n, estimate=choice.order, unit="transitions", facts=facts)


def _upper(name: str, counts: MemoryCounts, statistic: FloatArray) -> TestResult:
    """Test a statistic that is large where there is memory."""
    if not np.ptp(statistic) > 1e-9:
        return inestimable(name, counts.n, ONE_VALUE)
    p_value = (1 + (statistic[1:] >= statistic[0] - 1e-9).sum()) / len(statistic)
    return TestResult(name, counts.n, statistic[0], float(p_value), facts={"permutations": len(statistic) - 1})


def _two_tailed(statistic: FloatArray) -> float:
    """Twice the smaller permutation tail; the observed order is one of the orders, so it is exact."""
    observed, drawn = statistic[0], statistic[1:]
    lower, upper = (drawn <= observed + 1e-9).sum(), (drawn >= observed - 1e-9).sum()
    return two_sided((1 + lower) / len(statistic), (1 + upper) / len(statistic))


def _n_switches(bits: NDArray[np.uint8], start: IntArray) -> int:
    """Number of neighbours that differ, across calls not counted."""
    differs = bits[1:] != bits[:-1]
    edges = start[1:-1] - 1
    return int(differs.sum() - differs[edges].sum())
