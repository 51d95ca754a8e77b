"""All tests of one group of binary answers, with its negative control beside, and their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.calls import dispersion_test
from marketsim.analysis.bias.catalogue import TESTS, role_of
from marketsim.analysis.bias.control import control_for
from marketsim.analysis.bias.memory import first_item_test, memory_tests, runs_test
from marketsim.analysis.bias.multiplicity import benjamini_hochberg, holm
from marketsim.analysis.bias.results import (
    FOUND,
    INESTIMABLE,
    NOT_FOUND,
    NOT_SHOWN,
    ONE_SHOT,
    SHOWN,
    UNREADABLE,
    TestResult,
)
from marketsim.analysis.bias.settings import Settings
from marketsim.analysis.bias.share import binomial_test, equivalence_test, share_by_call
from marketsim.core.rng import stream_key

_ORDER: Final = {name: place for place, name in enumerate(TESTS)}


def audit_group(
    answers: Answers, expected: float = 0.5, group: str = "", settings: Settings | None = None
) -> list[TestResult]:
    """Return the results of every test that one group of binary answers allows, without verdicts.

    Parameters
    ----------
    answers : Answers
    expected : float
        Stated probability of the counted answer.
    group : str
        Its name; also part of the address of its random orders, so that groups do not shift each other.
    settings : Settings, optional

    Returns
    -------
    list of TestResult
        In the order of ``catalogue.TESTS``; hand the results of all groups to ``give_verdicts``.
    """
    settings = settings or Settings()
    results = _measure(answers, expected, group, settings)
    if settings.with_control and answers.n:
        control = control_for(answers, expected, group, settings.seed)
        beside = {one.name: one.p_value for one in _measure(control, expected, f"control {group}", settings)}
        results = [replace(one, control_p_value=beside[one.name]) for one in results]
    return results


def _measure(answers: Answers, expected: float, group: str, settings: Settings) -> list[TestResult]:
    key = stream_key(settings.seed, 0, "analysis", group, "orders")
    deals = stream_key(settings.seed, 0, "analysis", group, "deals")
    results = [
        runs_test(answers),
        first_item_test(answers),
        *memory_tests(answers, key, settings.n_permutations),
        dispersion_test(answers, deals, settings.n_permutations),
        binomial_test(answers, expected),
        equivalence_test(answers, expected, settings.margin),
        share_by_call(answers, expected),
    ]
    return [replace(one, group=group) for one in sorted(results, key=lambda one: _ORDER[one.name])]


def give_verdicts(results: Iterable[TestResult], alpha: float = 0.05) -> list[TestResult]:
    """Adjust p-values and say of each result what it means.

    Holm among the gates of each group, so that a group is called dependent by chance at most 5 % of the time;
    Benjamini and Hochberg among all other tests of the audit. Independence comes first: a reading whose gate failed is
    unreadable.

    Parameters
    ----------
    results : iterable of TestResult
        Of all groups.
    alpha : float
        Level of every verdict.
    """
    ordered = list(results)
    adjusted = _adjusted(ordered)
    judged = [_judge(one, float(p), alpha) for one, p in zip(ordered, adjusted, strict=True)]
    failed: dict[str, list[str]] = {}
    for one in judged:
        if role_of(one.name) == "gate" and one.verdict == FOUND:
            failed.setdefault(one.group, []).append(one.name)
    return [_gate(one, failed.get(one.group, ())) for one in judged]


def untested_gates(results: Iterable[TestResult]) -> list[str]:
    """Return the gates of one group that could not be tested, those apart that have no meaning in its design."""
    return [
        one.name
        for one in results
        if role_of(one.name) == "gate" and one.verdict == INESTIMABLE and one.reason != ONE_SHOT
    ]


def independence_word(results: Sequence[TestResult]) -> str:
    """Say in a word whether answers are independent: yes, no, or not tested."""
    gates = [one for one in results if role_of(one.name) == "gate" and one.reason != ONE_SHOT]
    if any(one.verdict == FOUND for one in gates):
        return "no"
    untested = untested_gates(results)
    if not untested:
        return "not refuted"
    return "not tested" if len(untested) == len(gates) else f"{len(gates) - len(untested)} of {len(gates)} tested"


def control_summary(groups: Iterable[Sequence[TestResult]], alpha: float = 0.05) -> tuple[int, int]:
    """Return how many groups have a control that could be tested, and how many of these look dependent or biased.

    Dependent: a gate stands out after Holm. Biased: the exact binomial does. Chance gives at most ``alpha`` of each.
    """
    tested = failed = 0
    for results in groups:
        gates = np.array([one.control_p_value for one in results if role_of(one.name) == "gate"])
        shares = np.array([one.control_p_value for one in results if one.name == "binomial"])
        tested += bool(np.isfinite(gates).any() or np.isfinite(shares).any())
        failed += bool((holm(gates) <= alpha).any() or (shares <= alpha).any())
    return tested, failed


def _adjusted(results: Sequence[TestResult]) -> np.ndarray:
    p_value = np.array([one.p_value for one in results])
    adjusted = np.full(len(results), np.nan)
    families: dict[str, list[int]] = {}
    for place, one in enumerate(results):
        gate = role_of(one.name) == "gate"
        families.setdefault(f"gates of {one.group}" if gate else "", []).append(place)
    for family, places in families.items():
        adjusted[places] = (holm if family else benjamini_hochberg)(p_value[places])
    return adjusted


def _judge(one: TestResult, p_adjusted: float, alpha: float) -> TestResult:
    if one.verdict == INESTIMABLE:
        return one
    if one.name == "markov_order":  # a choice, not a test
        return replace(one, verdict=FOUND if one.estimate > 0 else NOT_FOUND)
    if one.verdict:
        return one
    small = p_adjusted < alpha or p_adjusted == alpha
    if one.name == "equivalence":
        return replace(one, p_adjusted=p_adjusted, verdict=SHOWN if small else NOT_SHOWN)
    return replace(one, p_adjusted=p_adjusted, verdict=FOUND if small else NOT_FOUND)


def _gate(one: TestResult, failed: Sequence[str]) -> TestResult:
    blocked = [name for name in failed if name in TESTS[one.name].rests_on]
    if not blocked or one.verdict == INESTIMABLE:
        return one
    titles = ", ".join(TESTS[name].title for name in blocked)
    return replace(one, verdict=UNREADABLE, reason=f"answers are not independent: {titles}")
