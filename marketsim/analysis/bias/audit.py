"""The audit of a table of answers: every group tested, verdicts across all of them, and what cuts across groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from marketsim.analysis.bias.battery import audit_group, give_verdicts
from marketsim.analysis.bias.calibration import calibration_test
from marketsim.analysis.bias.catalogue import TESTS
from marketsim.analysis.bias.columns import Columns
from marketsim.analysis.bias.contrasts import Across, contrasts
from marketsim.analysis.bias.errors import AnswerDataError
from marketsim.analysis.bias.profile import Profile, profile_of
from marketsim.analysis.bias.results import FOUND, INESTIMABLE, UNREADABLE, TestResult
from marketsim.analysis.bias.settings import Settings
from marketsim.analysis.bias.share import chi_square_test
from marketsim.analysis.bias.table import AnswerTable, answers_of, label
from marketsim.analysis.columns import IntArray
from marketsim.core.rng import generator, stream_key

Progress = Callable[[int, int], None]
_ONES = ("1", "yes", "true", "heads", "buy", "accept", "a")
"""Answers counted unless told otherwise, in this order; letters of either case."""


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
    across : tuple of Across
        Tests that compare groups, with the levels that these have in common.
    counted, other : str
        The answer whose share is tested, and the other one.
    settings : Settings
    stated : bool
        Whether the expected shares come from the table; otherwise they are one half.
    groups_per_answer : int
        In how many groups an answer counts: one for each answer that can be given where there are several.
    """

    groups: tuple[Group, ...]
    across: tuple[Across, ...]
    counted: str
    other: str
    settings: Settings
    stated: bool = False
    groups_per_answer: int = 1

    @property
    def tests(self) -> tuple[TestResult, ...]:
        """All results, group by group, then those across groups."""
        return (*(one for group in self.groups for one in group.results), *(one.result for one in self.across))

    @property
    def n(self) -> int:
        """Valid answers."""
        return sum(group.profile.n for group in self.groups) // self.groups_per_answer

    @property
    def n_invalid(self) -> int:
        """Invalid ones."""
        return sum(group.profile.n_invalid for group in self.groups) // self.groups_per_answer


def audit_table(
    table: AnswerTable,
    columns: Columns | None = None,
    *,
    counted: str | None = None,
    expected: float = 0.5,
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
    expected : float
        Stated probability where the table has none.
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
        share = expected if columns.stated is None else stated[levels[columns.stated]]
        groups.append(_audit_cell(table, rows, levels, one, share, settings))
        if progress is not None:
            progress(number + 1, len(cells))
    across = _calibration(groups, columns, settings) if columns.stated else []
    across += contrasts(table, columns, one)
    return _judged(Audit(tuple(groups), (), one, other, settings, columns.stated is not None), across)


def audit_categorical(
    table: AnswerTable,
    columns: Columns | None = None,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit a table of several answers: each against the rest, and all together by chi-square.

    Every answer of a group is audited as a group of its own, against equal shares. Where it fails a gate, the group's
    chi-square is unreadable. Orders and snapshots are compared by Stuart and Maxwell's test; other columns to compare
    take two answers.

    Raises
    ------
    AnswerDataError
        There are fewer than two answers, or a column to compare that takes two.
    """
    columns, settings = columns or Columns(), settings or Settings()
    counts = table.answer_counts()
    if len(counts) < 2:
        raise AnswerDataError(None, f"{len(counts)} answers", "two or more")
    two = (columns.stated, columns.regime, columns.temperature, columns.persona, columns.history)
    for name in filter(None, two):
        raise AnswerDataError(None, f"{len(counts)} answers and a column {name}", "two answers, without --categorical")
    cells = list(table.cells(columns.cell))
    groups: list[Group] = []
    across: list[Across] = []
    for number, (levels, rows) in enumerate(cells):
        code = table.answer.code[rows]
        given = np.array([int((code == table.answer.levels.index(word)).sum()) for word in counts])
        across.append(Across(replace(chi_square_test(given), group=label(levels)), levels))
        for word in counts:
            own = {**levels, "answer": word}
            groups.append(_audit_cell(table, rows, own, word, 1 / len(counts), settings))
        if progress is not None:
            progress(number + 1, len(cells))
    across += contrasts(table, columns, "")
    return _judged(Audit(tuple(groups), (), "the answer", "the rest", settings, False, len(counts)), across)


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
        if group.profile.n:
            families.setdefault(label(_common(group, columns)), []).append(group)
    results = []
    for name, family in families.items():
        ordered = sorted(family, key=lambda group: group.profile.expected)
        ones, n = (np.array([getattr(group.profile, what) for group in ordered]) for what in ("n_ones", "n"))
        stated = np.array([group.profile.expected for group in ordered])
        rng = generator(stream_key(settings.seed, 0, "analysis", name, "calibration"), 0, 0)
        result = replace(calibration_test(ones, n, stated, rng), group=name)
        results.append(Across(result, _common(ordered[0], columns)))
    return results


def _common(group: Group, columns: Columns) -> dict[str, str]:
    return {name: word for name, word in group.levels.items() if name != columns.stated}


def _judged(audit: Audit, across: Sequence[Across]) -> Audit:
    """Give verdicts to all results together, and put them back."""
    alone = [one for group in audit.groups for one in group.results]
    judged = iter(give_verdicts([*alone, *(one.result for one in across)], audit.settings.alpha))
    placed = tuple(replace(group, results=tuple(next(judged) for _ in group.results)) for group in audit.groups)
    readable = tuple(
        replace(one, result=_readable(result, one, placed)) for result, one in zip(judged, across, strict=True)
    )
    return replace(audit, groups=placed, across=readable)


def _readable(result: TestResult, across: Across, groups: Sequence[Group]) -> TestResult:
    """Return a test across groups, unreadable where it takes answers for independent that are not."""
    blocking = TESTS[result.name].rests_on
    failed = [
        group.name
        for group in groups
        if across.covers(group.levels) and any(one.name in blocking and one.verdict == FOUND for one in group.results)
    ]
    if not failed or result.verdict == INESTIMABLE:
        return result
    more = f" and {len(failed) - 2} more" if len(failed) > 2 else ""
    return replace(result, verdict=UNREADABLE, reason=f"answers are not independent in {'; '.join(failed[:2])}{more}")
