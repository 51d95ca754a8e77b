"""How many answers a test takes to find an effect of a given size: in closed form or by simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.calls import dispersion_test
from marketsim.analysis.bias.memory import first_item_test, memory_tests
from marketsim.core.rng import generator, stream_key

SIMULATED_REPETITIONS: Final = 300
_ORDERS: Final = 199


@dataclass(frozen=True)
class Design:
    """What is to be found, and how surely.

    Attributes
    ----------
    effect : float
        Size of the effect; what it is in, ``EFFECTS`` says.
    p : float
        Expected share.
    power, alpha : float
        Wanted chance to find it, and level.
    per_call : int
        Answers of one call.
    correlation : float
        Of two answers of one call, for the contrast of regimes.
    """

    effect: float
    p: float = 0.5
    power: float = 0.8
    alpha: float = 0.05
    per_call: int = 1
    correlation: float = 0.0


class Power(NamedTuple):
    """Answers needed, and how the number was found."""

    n: int
    power: float
    method: str


class Kind(NamedTuple):
    """A test whose power can be computed."""

    effect: str
    needs_calls: bool
    compute: Callable[[Design], Power]


def shares_needed(design: Design) -> Power:
    """Answers for the exact binomial test to find a share of p + effect (or p - effect), by the normal approximation.

    n = ((z_alpha sqrt(p q) + z_power sqrt(p' q')) / effect)^2: .43 against one half takes 399, .45 783, .48 4,904.
    """
    other = design.p + design.effect if design.p + design.effect < 1 else design.p - design.effect
    spread = _z(design) * _deviation(design.p) + float(ndtri(design.power)) * _deviation(other)
    return Power(_whole((spread / design.effect) ** 2), design.power, "closed form, normal approximation")


def equivalence_needed(design: Design) -> Power:
    """Answers for the equivalence test to show that a share of exactly p lies within p +- effect.

    n = ((z_(1 - alpha) + z_((1 + power) / 2)) sqrt(p q) / effect)^2: a margin of .05 takes 857.
    """
    z = float(ndtri(1 - design.alpha) + ndtri((1 + design.power) / 2))
    return Power(
        _whole((z * _deviation(design.p) / design.effect) ** 2), design.power, "closed form, normal approximation"
    )


def switches_needed(design: Design) -> Power:
    """Answers for the test of switching to find P(switch) = 1/2 + effect, in calls of the given size.

    Transitions do not cross calls: calls of m answers give m - 1 each. One call is meant where ``per_call`` is 1.
    """
    switch = 0.5 + design.effect
    spread = 0.5 * _z(design) + float(ndtri(design.power)) * _deviation(switch)
    transitions = _whole((spread / design.effect) ** 2)
    if design.per_call < 2:
        return Power(transitions + 1, design.power, "closed form, one call")
    n_calls = -(-transitions // (design.per_call - 1))
    return Power(n_calls * design.per_call, design.power, f"closed form, {n_calls:,} calls of {design.per_call}")


def contrast_needed(design: Design) -> Power:
    """Answers of both ways of asking together, to find that their shares differ by the effect.

    Two-sample normal approximation times the design effect 1 + (m - 1) correlation.
    """
    other = design.p + design.effect if design.p + design.effect < 1 else design.p - design.effect
    z = _z(design) + float(ndtri(design.power))
    variance = _deviation(design.p) ** 2 + _deviation(other) ** 2
    inflation = 1 + (design.per_call - 1) * design.correlation
    each = _whole(inflation * z**2 * variance / design.effect**2)
    n_calls = -(-each // design.per_call)
    return Power(2 * n_calls * design.per_call, design.power, f"closed form, design effect {inflation:.2f}")


def _simulated(test: str, draw: Callable[[np.random.Generator, Design, int], np.ndarray]) -> Callable[[Design], Power]:
    """Return a search for the number of answers, by simulation."""

    def search(design: Design) -> Power:
        size = design.per_call
        step, most = max(size, 10), 200_000
        n, reached = step, 0.0
        while n < most:  # double until it is enough, then halve the gap
            reached = _simulated_power(test, draw, design, n)
            if reached >= design.power:
                break
            n *= 2
        if reached < design.power:
            return Power(n, reached, f"simulation, {SIMULATED_REPETITIONS} repetitions: not reached")
        low, high = n // 2, n
        while high - low > max(step, n // 40):
            middle = (low + high) // 2
            power = _simulated_power(test, draw, design, middle)
            low, high, reached = (low, middle, power) if power >= design.power else (middle, high, reached)
        return Power(-(-high // size) * size, reached, f"simulation, {SIMULATED_REPETITIONS} repetitions")

    return search


def _simulated_power(
    test: str, draw: Callable[[np.random.Generator, Design, int], np.ndarray], design: Design, n: int
) -> float:
    size = design.per_call if design.per_call > 1 else n
    n_calls = max(n // size, 1)
    found = 0
    for repetition in range(SIMULATED_REPETITIONS):
        rng = generator(stream_key(1, 0, "analysis", f"power {test}", "answers"), n, repetition)
        bits = draw(rng, design, n_calls * size).reshape(n_calls, size)
        start = np.arange(0, n_calls * size + 1, size, dtype=np.int64)
        found += _p_value(test, Answers(np.ascontiguousarray(bits.ravel()), start), repetition) <= design.alpha
    return found / SIMULATED_REPETITIONS


def _p_value(test: str, answers: Answers, repetition: int) -> float:
    key = stream_key(repetition, 0, "analysis", f"power {test}", "orders")
    if test == "first_item":
        return first_item_test(answers).p_value
    if test == "dispersion":
        return dispersion_test(answers, key, _ORDERS).p_value
    return next(one.p_value for one in memory_tests(answers, key, _ORDERS) if one.name == test)


# ---- What is simulated --------------------------------------------------------------------------------------


def _first_item(rng: np.random.Generator, design: Design, n: int) -> np.ndarray:
    first = np.arange(n) % design.per_call == 0
    return (rng.random(n) < np.where(first, design.p + design.effect, design.p)).astype(np.uint8)


def _dispersion(rng: np.random.Generator, design: Design, n: int) -> np.ndarray:
    size = 1 / design.effect - 1
    shares = rng.beta(size * design.p, size * (1 - design.p), -(-n // design.per_call))
    return (rng.random(n) < np.repeat(shares, design.per_call)[:n]).astype(np.uint8)


def _second(rng: np.random.Generator, design: Design, n: int) -> np.ndarray:
    repeats = rng.random(n) < 0.5 + design.effect
    bits = rng.integers(0, 2, n, dtype=np.uint8)
    size = design.per_call if design.per_call > 1 else n
    for t in range(2, n):
        if t % size >= 2:
            bits[t] = bits[t - 2] if repeats[t] else 1 - bits[t - 2]
    return bits


def _growing(rng: np.random.Generator, design: Design, n: int) -> np.ndarray:
    draws = rng.random(n)
    bits = np.zeros(n, np.uint8)
    size, streak = (design.per_call if design.per_call > 1 else n), 1
    for t in range(n):
        if t % size == 0:
            bits[t], streak = draws[t] < 0.5, 1
            continue
        switch = draws[t] < min(max(0.5 + design.effect * (streak - 1), 0.02), 0.98)
        bits[t] = bits[t - 1] ^ switch
        streak = 1 if switch else min(streak + 1, 10)
    return bits


POWERS: Final[dict[str, Kind]] = {
    "binomial": Kind("difference of the share from the expected one", False, shares_needed),
    "equivalence": Kind("margin", False, equivalence_needed),
    "recency": Kind("P(switch) less one half", False, switches_needed),
    "runs": Kind("P(switch) less one half", False, switches_needed),
    "markov_1": Kind("P(switch) less one half", False, switches_needed),
    "markov_2": Kind("P(as the answer before the last) less one half", False, _simulated("markov_2", _second)),
    "trend": Kind("growth of P(switch) with each equal answer more", False, _simulated("trend", _growing)),
    "first_item": Kind(
        "difference of the first answer's share from the others'", True, _simulated("first_item", _first_item)
    ),
    "dispersion": Kind("correlation of two answers of one call", True, _simulated("dispersion", _dispersion)),
    "regime_contrast": Kind("difference of the two shares", False, contrast_needed),
}
"""Tests whose power can be computed, and what their effect is."""


def answers_needed(test: str, design: Design) -> Power:
    """Return how many answers a test takes.

    Parameters
    ----------
    test : str
        A key of ``POWERS``.
    design : Design

    Raises
    ------
    ValueError
        The effect is out of range, or the test takes calls of several answers.
    """
    kind = POWERS[test]
    if not 0 < abs(design.effect) < 1:
        raise ValueError(f"found an effect of {design.effect:g}, expected one between 0 and 1: {kind.effect}")
    if kind.needs_calls and design.per_call < 2:
        raise ValueError(f"found calls of {design.per_call} answer, expected several for {test}")
    return kind.compute(design)


def power_of_switches(n: int, switch: float, alpha: float = 0.05) -> float:
    """Return the power of the test of switching in one call of n answers, by the normal approximation.

    Examples
    --------
    >>> round(power_of_switches(400, 0.58), 3), round(power_of_switches(1000, 0.55), 3)
    (0.895, 0.886)
    """
    error = np.sqrt(n - 1)
    reach = abs(switch - 0.5) * error - float(ndtri(1 - alpha / 2)) * 0.5
    return float(ndtr(reach / _deviation(switch)))


def _z(design: Design) -> float:
    return float(ndtri(1 - design.alpha / 2))


def _deviation(p: float) -> float:
    return float(np.sqrt(p * (1 - p)))


def _whole(n: float) -> int:
    return int(np.ceil(n - 1e-9))
