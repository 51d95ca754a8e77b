"""What a test of the audit gives: a number, a verdict, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

Verdict = Literal["found", "not found", "shown", "not shown", "inestimable", "unreadable"]
"""``found``: an effect beyond chance; ``shown``: equivalence is; ``unreadable``: a gate that failed forbids it."""

FOUND: Final = "found"
NOT_FOUND: Final = "not found"
SHOWN: Final = "shown"
NOT_SHOWN: Final = "not shown"
INESTIMABLE: Final = "inestimable"
UNREADABLE: Final = "unreadable"

MIN_RARER: Final = 10
"""Where the rarer answer was given less often, tests that rest on its variation are inestimable."""

ONE_SHOT: Final = "every call holds one answer"
"""Reason of tests of what happens within a call, where nothing can: no gap of the audit."""

ALPHA: Final = 0.05


@dataclass(frozen=True)
class TestResult:
    """One test of one group.

    Attributes
    ----------
    name : str
        Which test: a key of ``catalogue.TESTS``.
    n : int
        Answers, pairs or calls that it was made from; ``unit`` says which.
    statistic, p_value : float
        NaN where there is none.
    estimate, low, high : float
        The size of the effect with its 95 % interval, where there is one.
    reason : str
        Why it is inestimable or unreadable; what to know where it is not.
    group : str
        Which answers; empty where there is one group.
    verdict : str
        See ``Verdict``; empty until the audit gave one.
    p_adjusted : float
        After Holm among the gates of a group, after Benjamini and Hochberg among the rest.
    control_p_value : float
        The same test on the negative control, a PCG64 series of the same design.
    facts : dict of str to float
        More numbers that the words need.
    """

    __test__ = False  # its name is no test of pytest

    name: str
    n: int
    statistic: float = np.nan
    p_value: float = np.nan
    estimate: float = np.nan
    low: float = np.nan
    high: float = np.nan
    reason: str = ""
    group: str = ""
    verdict: str = ""
    unit: str = "answers"
    p_adjusted: float = np.nan
    control_p_value: float = np.nan
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def is_estimable(self) -> bool:
        """Whether there is a p-value."""
        return bool(np.isfinite(self.p_value))


def inestimable(name: str, n: int, reason: str, unit: str = "answers") -> TestResult:
    """Return a result without numbers that says why."""
    return TestResult(name, n, reason=reason, verdict=INESTIMABLE, unit=unit)


def two_sided(lower: float, upper: float) -> float:
    """Twice the smaller tail, at most 1: for exact tests, which it keeps conservative."""
    return float(min(1.0, 2.0 * min(lower, upper)))
