"""Every test of the audit: what it asks, what it assumes, and what its verdict can make unreadable.

A **gate** asks whether answers are independent, and is read first. A **reading** is a figure that rests on
independence, and is unreadable where a gate that it rests on failed. An **exploration** stands for itself.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Role = Literal["gate", "reading", "exploration"]

MEMORY: Final = ("runs", "markov_1", "markov_2", "ljung_box")
"""Gates that find memory within a call."""


class Kind(NamedTuple):
    """One test in words."""

    title: str
    role: Role
    question: str
    assumes: str
    rests_on: tuple[str, ...] = ()
    """Gates without which it cannot be read."""


_INDEPENDENCE: Final = (*MEMORY, "first_item", "dispersion")
_WITHIN: Final = (
    "within a call every order of its answers is equally likely (exchangeable); transitions never cross calls"
)

TESTS: Final[dict[str, Kind]] = {
    "runs": Kind(
        "runs (Wald-Wolfowitz)",
        "gate",
        "Are there more or fewer runs of equal answers than chance orders give?",
        f"{_WITHIN}; exact given each call's counts",
    ),
    "markov_1": Kind(
        "memory of one answer",
        "gate",
        "Does an answer depend on the one before?",
        f"{_WITHIN}; likelihood ratio of order 0 against 1, its null by permutation within calls",
    ),
    "markov_2": Kind(
        "memory of two answers",
        "gate",
        "Does an answer depend on the one before the last, too?",
        f"{_WITHIN}; likelihood ratio of order 1 against 2, its null by permutation within calls",
    ),
    "ljung_box": Kind(
        "autocorrelation (Ljung-Box)",
        "gate",
        "Are answers correlated with earlier ones, over the first ten lags together?",
        f"{_WITHIN}; deviations from the call's own share, the null by permutation within calls",
    ),
    "first_item": Kind(
        "first answer of a call",
        "gate",
        "Does the first answer of a call differ from the others?",
        f"{_WITHIN}; calls independent; exact given each call's counts",
    ),
    "dispersion": Kind(
        "dispersion within calls",
        "gate",
        "Do answers of one call resemble (or avoid) each other more than those of different calls?",
        "calls independent and alike; the null deals all answers to the calls at random",
    ),
    "binomial": Kind(
        "share against the stated one (exact binomial)",
        "reading",
        "Is the answer given with the stated probability?",
        "independent answers of one probability",
        _INDEPENDENCE,
    ),
    "equivalence": Kind(
        "equivalence to the stated share (TOST)",
        "reading",
        "Is the share shown to lie within the margin of the stated one?",
        "independent answers of one probability; two exact one-sided tests",
        _INDEPENDENCE,
    ),
    "chi_square": Kind(
        "shares of several answers (chi-square)",
        "reading",
        "Are all answers given equally often?",
        "independent answers; five of each expected",
        _INDEPENDENCE,
    ),
    "share_by_call": Kind(
        "share against the stated one, by call",
        "exploration",
        "Is the answer given with the stated probability, if answers of one call may depend on each other?",
        "calls independent; t over calls",
    ),
    "recency": Kind(
        "switching (recency)",
        "exploration",
        "Is the answer switched more often (negative recency) or less often than chance orders do?",
        f"{_WITHIN}; expected rate 2 n1 n0 / (n (n - 1)) a call; permutation within calls",
    ),
    "streak": Kind(
        "switching after a streak",
        "exploration",
        "Is the answer switched more or less often after three equal ones?",
        f"{_WITHIN}; permutation within calls, which allows for the selection of streaks (Miller & Sanjurjo 2018)",
    ),
    "trend": Kind(
        "switching by run length",
        "exploration",
        "Does the chance of a switch grow or fall with the length of the run so far?",
        f"{_WITHIN}; correlation within each answer, studentised, its null by permutation within calls",
    ),
    "markov_order": Kind(
        "order of memory (BIC)",
        "exploration",
        "Which order of a Markov chain, 0, 1 or 2, describes the answers best?",
        "one chain for all calls; calls that differ in their share look like memory",
        ("dispersion",),
    ),
    "calibration": Kind(
        "steps over the stated probability",
        "exploration",
        "Does the share jump between neighbouring stated probabilities by more than they differ?",
        "independent answers; the null draws each level with its stated probability",
        _INDEPENDENCE,
    ),
    "regime_contrast": Kind(
        "contrast of regimes",
        "exploration",
        "Do two ways of asking give the answer equally often?",
        "calls independent; Welch's t over calls, so that answers of one call may depend on each other",
    ),
    "temperature_law": Kind(
        "temperature law",
        "exploration",
        "Does the share depart from logit p(T) = logit p(1) / T?",
        "independent answers; one answer token, top_p = 1, no reasoning; deviance against a free share a temperature",
        _INDEPENDENCE,
    ),
    "order_swap": Kind(
        "order or labels swapped",
        "exploration",
        "Does the answer to one and the same item change with the order or the labels of its options?",
        "pairs independent; McNemar exact for two answers, Stuart-Maxwell for more",
    ),
    "snapshot_drift": Kind(
        "drift between snapshots",
        "exploration",
        "Do two snapshots of a model answer the same items differently?",
        "pairs independent; McNemar exact for two answers, Stuart-Maxwell for more",
    ),
    "persona": Kind(
        "persona gap (mixed logit)",
        "exploration",
        "Does the persona move the answer to the same items?",
        "random intercept of each item, normal and independent of the persona; likelihood ratio",
        _INDEPENDENCE,
    ),
    "four_fifths": Kind(
        "four-fifths rule",
        "exploration",
        "Is the lowest share below four fifths of the highest?",
        "independent answers; a rule of thumb of selection law, shown beside the persona gap, with no p-value",
    ),
    "history": Kind(
        "polarity of the history",
        "exploration",
        "Does a history of yes (or of no) move the next answer?",
        "independent answers; logit, likelihood ratio",
        _INDEPENDENCE,
    ),
    "history_length": Kind(
        "polarity by length of the history",
        "exploration",
        "Does that pull grow or fall with the length of the history?",
        "independent answers; logit, likelihood ratio of polarity x log2(1 + length)",
        _INDEPENDENCE,
    ),
}
"""By name, in the order in which they are reported: the gates first."""


def role_of(name: str) -> Role:
    """Return the role of a test."""
    return TESTS[name].role
