"""A plain sentence for each verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from marketsim.analysis.bias.catalogue import TESTS
from marketsim.analysis.bias.results import FOUND, INESTIMABLE, SHOWN, UNREADABLE, TestResult


def sentence(one: TestResult, counted: str = "the answer") -> str:
    """Say what a result means.

    Parameters
    ----------
    one : TestResult
        With its verdict.
    counted : str
        The answer whose share is tested.
    """
    if one.verdict == INESTIMABLE:
        return f"Inestimable: {one.reason}."
    if one.verdict == UNREADABLE:
        return f"Not to be read: {one.reason}."
    text = _SENTENCES[one.name](one, f'"{counted}"', one.verdict in (FOUND, SHOWN))
    return f"{text} ({one.reason})" if one.reason else text


def percent(share: float) -> str:
    """Write a share in per cent, with one decimal."""
    return f"{100 * share:.1f} %"


def p_text(p_value: float) -> str:
    """Write a p-value: ``p = 0.031``, ``p < 0.001``."""
    return "no p" if p_value != p_value else "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _runs(one: TestResult, counted: str, found: bool) -> str:
    kind = "few" if one.statistic < 0 else "many"
    seen = f"{one.estimate:,.0f} runs where random orders have {one.facts['expected']:,.1f}"
    return f"Too {kind} runs: {seen}." if found else f"Runs as in random orders: {seen}."


def _markov_1(one: TestResult, counted: str, found: bool) -> str:
    return (
        "An answer depends on the one before it." if found else "No sign that an answer depends on the one before it."
    )


def _markov_2(one: TestResult, counted: str, found: bool) -> str:
    if found:
        return "An answer depends on the one before the last, beyond what the last one tells."
    return "No sign of memory beyond one answer."


def _ljung_box(one: TestResult, counted: str, found: bool) -> str:
    return "Answers are correlated with earlier ones." if found else "No sign of correlation over ten lags."


def _first_item(one: TestResult, counted: str, found: bool) -> str:
    chance = percent(one.facts["expected"])
    seen = f"{percent(one.estimate)} of calls begin with {counted}; their shares give {chance}"
    return f"First answers differ: {seen}." if found else f"First answers are like the others: {seen}."


def _dispersion(one: TestResult, counted: str, found: bool) -> str:
    if not found:
        return f"Calls differ as chance has it (intraclass correlation {one.estimate:.3f})."
    if one.estimate < 0:
        return (
            f"Calls are more alike than chance allows: answers of one call balance each other "
            f"(intraclass correlation {one.estimate:.3f})."
        )
    return (
        f"Answers of one call resemble each other (intraclass correlation {one.estimate:.3f}): they count as "
        f"{one.n / max(one.facts['design_effect'], 1e-9):,.0f} independent ones, not {one.n:,}."
    )


def _binomial(one: TestResult, counted: str, found: bool) -> str:
    seen = f"{counted} in {percent(one.estimate)} of answers ({percent(one.low)} to {percent(one.high)})"
    stated = percent(one.facts["expected"])
    return f"Biased: {seen}, stated {stated}." if found else f"No bias found: {seen}, stated {stated}."


def _equivalence(one: TestResult, counted: str, found: bool) -> str:
    margin = f"{100 * one.facts['margin']:g} points of {percent(one.facts['expected'])}"
    return f"Shown to lie within {margin}." if found else f"Not shown to lie within {margin}."


def _chi_square(one: TestResult, counted: str, found: bool) -> str:
    seen = f"the most frequent has {percent(one.facts['largest'])}"
    return f"Answers are not given equally often: {seen}." if found else f"No sign of unequal shares: {seen}."


def _share_by_call(one: TestResult, counted: str, found: bool) -> str:
    seen = (
        f"{percent(one.estimate)} ({percent(one.low)} to {percent(one.high)}), stated {percent(one.facts['expected'])}"
    )
    return f"Biased, by calls: {seen}." if found else f"No bias found, by calls: {seen}."


def _recency(one: TestResult, counted: str, found: bool) -> str:
    seen = (
        f"{percent(one.facts['rate'])} of transitions are switches; random orders have {percent(one.facts['expected'])}"
    )
    if not found:
        return f"Switches as in random orders: {seen}."
    return f"{'Negative recency' if one.estimate > 0 else 'Answers are repeated'}: {seen}."


def _streak(one: TestResult, counted: str, found: bool) -> str:
    seen = f"{percent(one.estimate)} switch; random orders have {percent(one.facts['expected'])}"
    if not found:
        return f"After three equal answers as in random orders: {seen}."
    kind = "more" if one.estimate > one.facts["expected"] else "less"
    return f"After three equal answers a switch is {kind} likely than by chance: {seen}."


def _trend(one: TestResult, counted: str, found: bool) -> str:
    if not found:
        return "No sign that the length of a run moves the chance of a switch."
    grows = one.statistic > one.facts["expected"]
    return f"The chance of a switch {'grows' if grows else 'falls'} with the length of the run."


def _markov_order(one: TestResult, counted: str, found: bool) -> str:
    values = ", ".join(f"order {order}: {one.facts[f'bic_{order}']:,.1f}" for order in range(3))
    return f"BIC chooses order {one.estimate:.0f} ({values}; the least is best)."


def _calibration(one: TestResult, counted: str, found: bool) -> str:
    facts = one.facts
    seen = (
        f"from {percent(facts['share_from'])} at {percent(facts['from'])} stated to {percent(facts['share_to'])} at "
        f"{percent(facts['to'])}"
    )
    return f"A step: the share of {counted} jumps {seen}." if found else f"No step found; the largest rise goes {seen}."


def _regime_contrast(one: TestResult, counted: str, found: bool) -> str:
    seen = f"{counted} in {percent(one.facts['one'])} and {percent(one.facts['other'])} of answers"
    interval = f"difference {_points(one.estimate)}, {_points(one.low)} to {_points(one.high)} points"
    text = "The way of asking changes the answers" if found else "No sign that the way of asking changes the answers"
    return f"{text}: {seen} ({interval})."


def _temperature_law(one: TestResult, counted: str, found: bool) -> str:
    if found:
        return "Shares do not follow logit p(T) = logit p(1) / T."
    return (
        f"Shares follow logit p(T) = logit p(1) / T with p(1) = {percent(one.estimate)} "
        f"({percent(one.low)} to {percent(one.high)})."
    )


def _swap(what: str) -> Callable[[TestResult, str, bool], str]:
    def write(one: TestResult, counted: str, found: bool) -> str:
        seen = f"{one.facts['differing']:,.0f} of {one.n:,} pairs differ ({percent(one.estimate)})"
        return f"{what} changes the answers: {seen}." if found else f"No sign that {what.lower()} matters: {seen}."

    return write


def _persona(one: TestResult, counted: str, found: bool) -> str:
    seen = f"widest gap {one.estimate:.2f} in logits, items differ by {one.facts['deviation']:.2f}"
    return f"The persona moves the answer: {seen}." if found else f"No sign that the persona moves the answer: {seen}."


def _four_fifths(one: TestResult, counted: str, found: bool) -> str:
    seen = f"{percent(one.facts['lowest'])} against {percent(one.facts['highest'])}, ratio {one.estimate:.2f}"
    return f"Below four fifths: {seen}." if found else f"Not below four fifths: {seen}."


def _history(one: TestResult, counted: str, found: bool) -> str:
    seen = f"{percent(one.facts['share_yes'])} after a history of it, {percent(one.facts['share_no'])} after the other"
    if not found:
        return f"No sign that the history moves {counted}: {seen}."
    return f"The history pulls {counted} {'along' if one.estimate > 0 else 'away'}: {seen}."


def _history_length(one: TestResult, counted: str, found: bool) -> str:
    if not found:
        return "No sign that the pull of the history depends on its length."
    return f"The pull of the history {'grows' if one.estimate > 0 else 'falls'} with its length."


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", "\u2212")


_SENTENCES: Final[dict[str, Callable[[TestResult, str, bool], str]]] = {
    "runs": _runs,
    "markov_1": _markov_1,
    "markov_2": _markov_2,
    "ljung_box": _ljung_box,
    "first_item": _first_item,
    "dispersion": _dispersion,
    "binomial": _binomial,
    "equivalence": _equivalence,
    "chi_square": _chi_square,
    "share_by_call": _share_by_call,
    "recency": _recency,
    "streak": _streak,
    "trend": _trend,
    "markov_order": _markov_order,
    "calibration": _calibration,
    "regime_contrast": _regime_contrast,
    "temperature_law": _temperature_law,
    "order_swap": _swap("The order of the options or their labels"),
    "snapshot_drift": _swap("The snapshot of the model"),
    "persona": _persona,
    "four_fifths": _four_fifths,
    "history": _history,
    "history_length": _history_length,
}


def assumptions(names: set[str]) -> list[str]:
    """Return a line for each test: its title and what it assumes, in the order of the catalogue."""
    return [f"{kind.title}: {kind.assumes}" for name, kind in TESTS.items() if name in names]
