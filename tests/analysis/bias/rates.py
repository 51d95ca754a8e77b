"""How often each test finds something: where there is nothing, and where a behaviour is planted.

Every experiment draws many repetitions of one design at once from a planted respondent, and gives the p-values of the
tests named. ``benchmarks/audit.py`` writes the table of 2,000 repetitions; the slow tests run fewer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.calibration import calibration_test
from marketsim.analysis.bias.calls import contrast_test, dispersion_test
from marketsim.analysis.bias.history import history_tests
from marketsim.analysis.bias.memory import first_item_test, memory_tests, runs_test
from marketsim.analysis.bias.pairs import paired_test
from marketsim.analysis.bias.personas import persona_test
from marketsim.analysis.bias.share import binomial_test, chi_square_test, equivalence_test, share_by_call
from marketsim.analysis.bias.temperature import temperature_law_test
from marketsim.core.rng import generator, stream_key
from marketsim.llm.respondents import respondent_for

PERMUTATIONS = 199
MEMORY = ("runs", "markov_1", "markov_2", "ljung_box", "recency", "streak", "trend")
EXACT = frozenset({"runs", "first_item", "binomial", "equivalence", "order_swap", "snapshot_drift", "calibration"})
"""Exact or conservative: their rate may lie below .05."""

Results = dict[str, float]


class Experiment(NamedTuple):
    """One design: what is planted, how it is asked, and which tests should find it (``found``) or not (``quiet``)."""

    name: str
    draw: Callable[[int], list[Results]]
    n: int
    found: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()


def draws(name: str, number: int = 0) -> np.random.Generator:
    return generator(stream_key(5, 0, "tests", name, "answers"), number, 0)


def in_calls(bits: np.ndarray) -> Answers:
    """Answers of a table of calls: a row a call."""
    n_calls, size = bits.shape
    return Answers(np.ascontiguousarray(bits.ravel()), np.arange(0, n_calls * size + 1, size, dtype=np.int64))


def tests_of(answers: Answers, number: int) -> Results:
    key = stream_key(number, 0, "tests", "rates", "orders")
    results = [
        runs_test(answers),
        first_item_test(answers),
        *memory_tests(answers, key, PERMUTATIONS),
        dispersion_test(answers, stream_key(number, 0, "tests", "rates", "deals"), PERMUTATIONS),
        binomial_test(answers, 0.5),
        share_by_call(answers, 0.5),
    ]
    return {one.name: one.p_value for one in results}


def series(model: str, n_calls: int, size: int) -> Callable[[int], list[Results]]:
    """Answers in calls: all tests of one group."""

    def draw(repetitions: int) -> list[Results]:
        respondent = respondent_for(model)
        bits = respondent.series(draws(f"{model} {n_calls} {size}"), repetitions * n_calls, size)
        tables = bits.reshape(repetitions, n_calls, size)
        return [tests_of(in_calls(table), number) for number, table in enumerate(tables)]

    return draw


def contrast(one: tuple[str, int, int], other: tuple[str, int, int]) -> Callable[[int], list[Results]]:
    """Two ways of asking: (respondent, calls, answers a call) each."""

    def draw(repetitions: int) -> list[Results]:
        sides = []
        for side, (model, n_calls, size) in enumerate((one, other)):
            rng = draws(f"{one} {other}", side)
            sides.append(respondent_for(model).series(rng, repetitions * n_calls, size).reshape(repetitions, -1, size))
        return [
            {"regime_contrast": contrast_test("regime_contrast", in_calls(a), in_calls(b)).p_value}
            for a, b in zip(*sides, strict=True)
        ]

    return draw


def temperatures(law: bool, n: int) -> Callable[[int], list[Results]]:
    """Temperatures 0.5, 1 and 2; with or without the law."""
    temperature = np.array([0.5, 1.0, 2.0])
    model = respondent_for("temperature_law?p=0.7")
    p = np.array([model.at(t) if law else model.at(1.0) for t in temperature])

    def draw(repetitions: int) -> list[Results]:
        counts = draws(f"temperature {law} {n}").binomial(n, p, (repetitions, 3))
        return [{"temperature_law": temperature_law_test(ones, np.full(3, n), temperature).p_value} for ones in counts]

    return draw


def swaps(model: str, n_items: int) -> Callable[[int], list[Results]]:
    """Pairs of items asked in both orders."""

    def draw(repetitions: int) -> list[Results]:
        rng = draws(f"swap {model}")
        worth = rng.integers(0, 6, (repetitions, n_items, 2)).astype(float)
        both = []
        for first in (1.0, -1.0):
            p = _chance(model, worth, first)
            both.append((rng.random(p.shape) < p).astype(int))
        tables = [np.bincount(2 * a + b, minlength=4).reshape(2, 2) for a, b in zip(*both, strict=True)]
        return [{"order_swap": paired_test("order_swap", table).p_value} for table in tables]

    return draw


def _chance(model: str, worth: np.ndarray, first: float) -> np.ndarray:
    respondent = respondent_for(model)
    name = model.partition("?")[0]
    if name in ("position_logit", "always_a"):
        taste = 0.5 * (worth[..., 0] - worth[..., 1])
        law = respondent.law(first) if name == "always_a" else respondent.law(taste, first)
        return np.broadcast_to(law, taste.shape)
    if name == "prospect_theory":
        values = [respondent.value(1000 * worth[..., side], 0.5 if side else 0.9) / 20 for side in (0, 1)]
        return respondent.law(*values)
    if name == "hyperbolic":
        return respondent.law(20 * worth[..., 0], 30.0, 20 * worth[..., 1], 0.0)
    return respondent.law(worth[..., 0], worth[..., 1])


def categories(n: int, k: int = 3) -> Callable[[int], list[Results]]:
    """Several answers, and pairs of them under two snapshots; ten times as many repetitions, since they cost little."""

    def draw(repetitions: int) -> list[Results]:
        rng = draws(f"categories {n}")
        results = []
        for _ in range(10 * repetitions):
            one, other = rng.integers(0, k, (2, n))
            table = np.bincount(k * one + other, minlength=k * k).reshape(k, k)
            pairs = paired_test("snapshot_drift", table).p_value
            results.append(
                {"chi_square": chi_square_test(np.bincount(one, minlength=k)).p_value, "stuart_maxwell": pairs}
            )
        return results

    return draw


def snapshots(step: float, n_items: int) -> Callable[[int], list[Results]]:
    """The same items asked of two snapshots."""

    def draw(repetitions: int) -> list[Results]:
        rng, sides = draws(f"snapshots {step}"), []
        for number in (0, 1):
            respondent = respondent_for(f"drift?step={step}&snapshot={number}")
            sides.append(respondent.series(rng, repetitions * n_items, 1).reshape(repetitions, n_items).astype(int))
        tables = [np.bincount(2 * a + b, minlength=4).reshape(2, 2) for a, b in zip(*sides, strict=True)]
        return [{"snapshot_drift": paired_test("snapshot_drift", table).p_value} for table in tables]

    return draw


def personas(gap: float, n_items: int) -> Callable[[int], list[Results]]:
    """Items of different taste, asked with and without the trait."""

    def draw(repetitions: int) -> list[Results]:
        rng = draws(f"personas {gap}")
        taste = rng.standard_normal((repetitions, n_items, 1))
        p = respondent_for(f"persona_gap?gap={gap}").law(taste, np.array([0.0, 1.0]))
        ones = rng.binomial(2, p)
        return [{"persona": persona_test(table, np.full(table.shape, 2)).p_value} for table in ones]

    return draw


def histories(pull: float, growth: float, n: int) -> Callable[[int], list[Results]]:
    """Histories of three polarities and four lengths, shown in the prompt."""
    polarity, length = (a.ravel() for a in np.meshgrid([-1.0, 0.0, 1.0], [1.0, 3.0, 7.0, 15.0]))
    p = respondent_for(f"history_polarity?pull={pull}&growth={growth}").after(polarity, length)

    def draw(repetitions: int) -> list[Results]:
        counts = draws(f"histories {pull} {growth}").binomial(n // 12, p, (repetitions, 12))
        return [
            {one.name: one.p_value for one in history_tests(ones, np.full(12, n // 12), polarity, length)}
            for ones in counts
        ]

    return draw


def stated(step: bool, n: int) -> Callable[[int], list[Results]]:
    """Eleven stated probabilities."""
    levels = np.linspace(0.0, 1.0, 11)
    p = respondent_for("step_mixer?width=0.05").law(levels) if step else levels

    def draw(repetitions: int) -> list[Results]:
        rng = draws(f"stated {step}")
        counts = rng.binomial(n, p, (repetitions, 11))
        return [{"calibration": calibration_test(ones, np.full(11, n), levels, rng).p_value} for ones in counts]

    return draw


def edge(n: int) -> Callable[[int], list[Results]]:
    """Answers that are just not equivalent, and fair ones, at the n that gives 80 % power."""

    def draw(repetitions: int) -> list[Results]:
        at_edge, fair = (draws(f"edge {n}", k).binomial(n, p, repetitions) for k, p in enumerate((0.55, 0.5)))
        return [
            {"equivalence": _equivalence(int(a), n), "equivalence of a fair one": _equivalence(int(b), n)}
            for a, b in zip(at_edge, fair, strict=True)
        ]

    return draw


def _equivalence(ones: int, n: int) -> float:
    return equivalence_test(Answers.of(np.arange(n) < ones), 0.5).p_value


EXPERIMENTS = (
    # ---- Nothing there: every rate must be that of chance -----------------------------------------------------
    Experiment("coin, one call of 400", series("bernoulli", 1, 400), 400, quiet=(*MEMORY, "binomial")),
    Experiment(
        "p = .3, 40 calls of 10",
        series("bernoulli?p=0.3", 40, 10),
        400,
        quiet=(*MEMORY, "first_item", "dispersion"),
    ),
    Experiment("coin, 40 calls of 10", series("bernoulli", 40, 10), 400, quiet=("share_by_call", "binomial")),
    Experiment(
        "one-shot against batch, independent",
        contrast(("bernoulli", 500, 1), ("bernoulli", 10, 50)),
        1000,
        quiet=("regime_contrast",),
    ),
    Experiment("the law at three temperatures", temperatures(True, 200), 600, quiet=("temperature_law",)),
    Experiment("three answers alike", categories(300), 300, quiet=("chi_square", "stuart_maxwell")),
    Experiment("just beyond the margin; fair", edge(900), 900, ("equivalence of a fair one",), ("equivalence",)),
    Experiment("no persona gap, items differ", personas(0.0, 60), 240, quiet=("persona",)),
    Experiment("no pull of the history", histories(0.0, 0.0, 600), 600, quiet=("history", "history_length")),
    Experiment("as stated, 11 levels", stated(False, 100), 1100, quiet=("calibration",)),
    Experiment("no drift", snapshots(0.0, 200), 400, quiet=("snapshot_drift",)),
    # ---- Planted behaviours -----------------------------------------------------------------------------------
    Experiment("bernoulli p = .43", series("bernoulli?p=0.43", 1, 420), 420, ("binomial",), MEMORY),
    Experiment(
        "markov, P(switch) = .58",
        series("markov?switch=0.58", 1, 400),
        400,
        ("runs", "markov_1", "recency"),
        ("markov_2", "trend"),
    ),
    Experiment(
        "markov, P(switch) = .55",
        series("markov?switch=0.55", 1, 1000),
        1000,
        ("runs", "markov_1", "recency"),
        ("markov_2", "trend"),
    ),
    Experiment(
        "markov .6, 60 calls of 10", series("markov?switch=0.6", 60, 10), 600, ("runs", "markov_1"), ("first_item",)
    ),
    Experiment("order 2, pull .2", series("order_2?pull=0.2", 1, 600), 600, ("markov_2", "ljung_box")),
    Experiment("recency, growth .12", series("recency", 1, 600), 600, ("trend", "streak")),
    Experiment(
        "count balancer, 60 calls of 10",
        series("count_balancer", 60, 10),
        600,
        ("dispersion",),
        ("first_item",),
    ),
    Experiment(
        "beta-binomial, correlation .1, 60 calls of 10",
        series("beta_binomial", 60, 10),
        600,
        ("dispersion",),
        (*MEMORY, "first_item", "share_by_call"),
    ),
    Experiment(
        "mixture .3 and .7, 60 calls of 10", series("mixture", 60, 10), 600, ("dispersion",), (*MEMORY, "first_item")
    ),
    Experiment(
        "first item .75, 60 calls of 10", series("first_item", 60, 10), 600, ("first_item",), ("markov_2", "trend")
    ),
    Experiment(
        "batch of correlation .1 against one-shot",
        contrast(("beta_binomial", 10, 50), ("bernoulli", 500, 1)),
        1000,
        quiet=("regime_contrast",),
    ),
    Experiment(
        "batch against batch, correlation .1",
        contrast(("beta_binomial", 10, 50), ("beta_binomial", 10, 50)),
        1000,
        quiet=("regime_contrast",),
    ),
    Experiment(
        "regimes .45 and .6, 50 calls of 10",
        contrast(("beta_binomial?p=0.45", 50, 10), ("beta_binomial?p=0.6", 50, 10)),
        1000,
        ("regime_contrast",),
    ),
    Experiment("a share that ignores the temperature", temperatures(False, 200), 600, ("temperature_law",)),
    Experiment("position logit, 100 items", swaps("position_logit", 100), 200, ("order_swap",)),
    Experiment("always A, 100 items", swaps("always_a", 100), 200, ("order_swap",)),
    Experiment("Bradley-Terry, 100 items", swaps("bradley_terry", 100), 200, quiet=("order_swap",)),
    Experiment("cycle, 100 items", swaps("cycle", 100), 200, quiet=("order_swap",)),
    Experiment("prospect theory, 100 items", swaps("prospect_theory", 100), 200, quiet=("order_swap",)),
    Experiment("hyperbolic, 100 items", swaps("hyperbolic", 100), 200, quiet=("order_swap",)),
    Experiment("drift of .5 in logits, 300 items", snapshots(0.5, 300), 600, ("snapshot_drift",)),
    Experiment("persona gap .8, 100 items", personas(0.8, 100), 400, ("persona",)),
    Experiment("history, pull .3", histories(0.3, 0.0, 600), 600, ("history",), ("history_length",)),
    Experiment("history, pull growing by .4", histories(0.0, 0.4, 900), 900, ("history_length",)),
    Experiment("step mixer, 11 levels of 100", stated(True, 100), 1100, ("calibration",)),
)


def rates(experiment: Experiment, repetitions: int) -> dict[str, float]:
    """Share of repetitions in which each test named has p <= .05; inestimable ones count as not found."""
    results = experiment.draw(repetitions)
    names = (*experiment.found, *experiment.quiet)
    return {name: float(np.mean([one[name] <= 0.05 + 1e-12 for one in results])) for name in names}
