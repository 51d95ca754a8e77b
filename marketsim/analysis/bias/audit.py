"""The audit of a table of answers: every group tested, verdicts across all of them, and what cuts across groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.battery import audit_group, give_verdicts
from marketsim.analysis.bias.calibration import calibration_test
from marketsim.analysis.bias.catalogue import TESTS
from marketsim.analysis.bias.errors import AnswerDataError
from marketsim.analysis.bias.profile import Profile, profile_of
from marketsim.analysis.bias.results import FOUND, INESTIMABLE, UNREADABLE, TestResult
from marketsim.analysis.bias.settings import Settings
from marketsim.analysis.bias.table import AnswerTable, label
from marketsim.analysis.columns import IntArray
from marketsim.core.rng import generator, stream_key

Progress = Callable[[int, int], None]
Across = tuple[TestResult, tuple[str, ...]]
"""A test across groups, and the names of these groups."""

_ONES = ("1", "yes", "true", "heads", "buy", "accept", "a")
"""Answers counted unless told otherwise, in this order; letters of either case."""


@dataclass(frozen=True)
class Columns:
    """Which factor of the table means what.

    Attributes
    ----------
    group : tuple of str
        Groups are the combinations of their levels.
    stated : str or None
        Factor whose levels are the stated probability.
    percent : bool
        Whether it is in per cent.
    """

    group: tuple[str, ...] = ()
    stated: str | None = None
    percent: bool = False

    @property
    def cell(self) -> tuple[str, ...]:
        """All columns in which the answers of one series must agree."""
        return tuple(dict.fromkeys([*self.group, *([self.stated] if self.stated else [])]))


@dataclass(frozen=True)
class Group:
    """One group of answers: its name, what it looks like, and its tests."""

    name: str
    levels: dict[str, str]
    profile: Profile
    results: tuple[TestResult, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    groups : tuple of Group
        With the tests of each group alone.
    across : tuple of TestResult
        Tests that compare groups.
    counted, other : str
        The answer whose share is tested, and the other one.
    settings : Settings
    stated : bool
        Whether the expected shares come from the table; otherwise they are one half.
    """

    groups: tuple[Group, ...]
    across: tuple[TestResult, ...]
    counted: str
    other: str
    settings: Settings
    stated: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def tests(self) -> tuple[TestResult, ...]:
        """All results, group by group, then those across groups."""
        return (*(one for group in self.groups for one in group.results), *self.across)

    @property
    def n(self) -> int:
        """Valid answers."""
        return sum(group.profile.n for group in self.groups)

    @property
    def n_invalid(self) -> int:
        """Invalid ones."""
        return sum(group.profile.n_invalid for group in self.groups)


def audit_table(
    table: AnswerTable,
    columns: Columns | None = None,
    *,
    counted: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit a table of binary answers.

    Parameters
    ----------
    table : AnswerTable
    columns : Columns, optional
        Groups and stated probabilities; by default one group against one half.
    counted : str, optional
        The answer whose share is tested; by default 1, yes, true, heads, buy, accept or A, otherwise the last one by
        letter.
    settings : Settings, optional
    progress : callable, optional
        Called with groups done and groups in all.

    Raises
    ------
    AnswerDataError
        More than two answers, an answer to count that was never given, or a stated probability that is none.
    """
    columns, settings = columns or Columns(), settings or Settings()
    one, other = binary_answers(table, counted)
    stated = _stated_levels(table, columns)
    cells = list(table.cells(columns.cell))
    groups = []
    for number, (levels, rows) in enumerate(cells):
        expected = 0.5 if columns.stated is None else stated[levels[columns.stated]]
        groups.append(_audit_cell(table, rows, levels, one, expected, settings))
        if progress is not None:
            progress(number + 1, len(cells))
    across = _calibration(groups, columns, settings) if columns.stated else []
    return _judged(groups, across, one, other, settings, columns.stated is not None)


def binary_answers(table: AnswerTable, counted: str | None = None) -> tuple[str, str]:
    """Return the answer to count and the other one.

    Raises
    ------
    AnswerDataError
        There is no answer, there are more than two, or the one to count was never given.
    """
    counts = table.answer_counts()
    given = ", ".join(f"{word} {times:,} times" for word, times in list(counts.items())[:6])
    if not counts:
        raise AnswerDataError(None, "no valid answer", "answers in the column")
    if len(counts) > 2:
        more = f" and {len(counts) - 6} more" if len(counts) > 6 else ""
        raise AnswerDataError(
            None,
            f"{len(counts)} answers ({given}{more})",
            "two: say --categorical to test several, or --invalid ANSWER for each that is none",
        )
    known = counts if counted is None or len(counts) == 2 else {**counts, counted: 0}
    if counted is not None and counted not in known:
        raise AnswerDataError(None, f"the answers {given}", f"{counted} among them, as asked for")
    words = {word.lower(): word for word in known}
    one = counted or next((words[word] for word in _ONES if word in words), max(known))
    return one, next((word for word in known if word != one), "")


def _stated_levels(table: AnswerTable, columns: Columns) -> dict[str, float]:
    """Return the stated probability of each level; 0.5 where the cell is empty is not assumed."""
    if columns.stated is None:
        return {}
    factor = table.factors[columns.stated]
    if (factor.code < 0).any():
        row = int(np.flatnonzero(factor.code < 0)[0])
        raise AnswerDataError(row, f"no {columns.stated}", "the stated probability of the answer")
    try:
        values = factor.numbers() / (100.0 if columns.percent else 1.0)
    except ValueError as error:
        row = _first_row(factor.code, factor.levels.index(str(error)))
        raise AnswerDataError(row, f"{columns.stated} = {error}", "a number") from None
    for place, value in enumerate(values):
        if not 0.0 <= value <= 1.0:
            hint = "; is it in per cent? say --expected-percent" if 1.0 < value <= 100.0 else ""
            limit = "100 per cent" if columns.percent else "1"
            found = f"{columns.stated} = {factor.levels[place]}"
            raise AnswerDataError(
                _first_row(factor.code, place), found, f"a stated probability from 0 to {limit}{hint}"
            )
    return dict(zip(factor.levels, values.tolist(), strict=True))


def _first_row(code: np.ndarray, place: int) -> int:
    return int(np.flatnonzero(code == place)[0])


def answers_of(table: AnswerTable, rows: IntArray, counted: str) -> tuple[Answers, int]:
    """Return the valid answers of some rows in order, and how many were invalid."""
    code = table.answer.code[rows]
    valid = rows[code >= 0]
    place = table.answer.levels.index(counted) if counted in table.answer.levels else -2
    call = None if table.call is None else table.call[valid]
    order = None if table.order is None else table.order[valid]
    bits = table.answer.code[valid] == place
    return Answers.of(bits, call, order), len(rows) - len(valid)


def _audit_cell(
    table: AnswerTable, rows: IntArray, levels: dict[str, str], counted: str, expected: float, settings: Settings
) -> Group:
    answers, n_invalid = answers_of(table, rows, counted)
    name = label(levels)
    results = audit_group(answers, expected, name, settings)
    return Group(name, levels, profile_of(answers, n_invalid, expected), tuple(results))


def _calibration(groups: Sequence[Group], columns: Columns, settings: Settings) -> list[Across]:
    """Test every family of groups that differ in the stated probability alone."""
    families: dict[str, list[Group]] = {}
    for group in groups:
        rest = {name: word for name, word in group.levels.items() if name != columns.stated}
        if group.profile.n:
            families.setdefault(label(rest), []).append(group)
    results: list[Across] = []
    for name, family in families.items():
        ordered = sorted(family, key=lambda group: group.profile.expected)
        ones, n = (np.array([getattr(group.profile, what) for group in ordered]) for what in ("n_ones", "n"))
        stated = np.array([group.profile.expected for group in ordered])
        rng = generator(stream_key(settings.seed, 0, "analysis", name, "calibration"), 0, 0)
        members = tuple(group.name for group in ordered)
        results.append((replace(calibration_test(ones, n, stated, rng), group=name), members))
    return results


def _judged(
    groups: Sequence[Group],
    across: Sequence[Across],
    counted: str,
    other: str,
    settings: Settings,
    stated: bool,
) -> Audit:
    """Give verdicts to all results together, and put them back."""
    alone = [one for group in groups for one in group.results]
    judged = iter(give_verdicts([*alone, *(one for one, _ in across)], settings.alpha))
    placed = tuple(replace(group, results=tuple(next(judged) for _ in group.results)) for group in groups)
    readable = (_readable(one, members, placed) for one, (_, members) in zip(judged, across, strict=True))
    return Audit(placed, tuple(readable), counted, other, settings, stated)


def _readable(one: TestResult, members: Sequence[str], groups: Sequence[Group]) -> TestResult:
    """Return a test across groups, unreadable where it takes answers for independent that are not."""
    blocking = TESTS[one.name].rests_on
    failed = [
        group.name
        for group in groups
        if group.name in members and any(test.name in blocking and test.verdict == FOUND for test in group.results)
    ]
    if not failed or one.verdict == INESTIMABLE:
        return one
    more = f" and {len(failed) - 2} more" if len(failed) > 2 else ""
    return replace(one, verdict=UNREADABLE, reason=f"answers are not independent in {'; '.join(failed[:2])}{more}")
