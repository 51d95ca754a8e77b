"""Tests that compare groups: regimes, temperatures, orders, snapshots, personas, histories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np

from marketsim.analysis.bias.calls import contrast_test
from marketsim.analysis.bias.columns import Columns
from marketsim.analysis.bias.errors import AnswerDataError
from marketsim.analysis.bias.history import history_tests
from marketsim.analysis.bias.pairs import paired_test
from marketsim.analysis.bias.personas import four_fifths_rule, persona_test
from marketsim.analysis.bias.results import TestResult, inestimable
from marketsim.analysis.bias.table import AnswerTable, answers_of, label
from marketsim.analysis.bias.temperature import temperature_law_test
from marketsim.analysis.columns import IntArray

Levels = dict[str, str]

_POLARITY: Final = {
    "yes": 1.0,
    "no": -1.0,
    "none": 0.0,
    "positive": 1.0,
    "negative": -1.0,
    "neutral": 0.0,
    "mixed": 0.0,
}


@dataclass(frozen=True)
class Across:
    """A test across groups, and the levels that these groups have in common."""

    result: TestResult
    common: Levels

    def covers(self, levels: Levels) -> bool:
        """Whether a group takes part."""
        return all(levels.get(name) == word for name, word in self.common.items())


def contrasts(table: AnswerTable, columns: Columns, counted: str) -> list[Across]:
    """Return every test across groups that the columns allow, without verdicts.

    Raises
    ------
    AnswerDataError
        A temperature, polarity or length is no number.
    """
    results: list[Across] = []
    if columns.regime:
        results += _regimes(table, columns, columns.regime, counted)
    if columns.temperature:
        results += _temperatures(table, columns, columns.temperature, counted)
    for name, factor in (("order_swap", columns.swap), ("snapshot_drift", columns.snapshot)):
        if factor:
            results += _pairs(table, columns, name, factor)
    if columns.persona:
        results += _personas(table, columns, columns.persona, counted)
    if columns.history:
        results += _histories(table, columns, columns.history, counted)
    return results


def _families(table: AnswerTable, columns: Columns, *factors: str | None) -> Iterator[tuple[Levels, IntArray]]:
    """Yield what groups that differ in these factors alone have in common, and their rows."""
    yield from table.cells(columns.without(*factors))


def _regimes(table: AnswerTable, columns: Columns, factor: str, counted: str) -> Iterator[Across]:
    for common, rows in _families(table, columns, factor):
        parts = [(word[factor], rows[own]) for word, own in table.take(rows).cells((factor,))]
        for (one, own), (other, others) in combinations(parts, 2):
            first, second = answers_of(table, own, counted)[0], answers_of(table, others, counted)[0]
            result = contrast_test("regime_contrast", first, second)
            yield Across(replace(result, group=_named(common, f"{factor} {one} against {other}")), common)


def _temperatures(table: AnswerTable, columns: Columns, factor: str, counted: str) -> Iterator[Across]:
    for common, rows in _families(table, columns, factor):
        levels, ones, n = _counts(table, rows, (factor,), counted)
        value = np.array([_number(table, factor, word[factor]) for word in levels])
        yield Across(replace(temperature_law_test(ones, n, value), group=label(common)), common)


def _pairs(table: AnswerTable, columns: Columns, name: str, factor: str) -> Iterator[Across]:
    if columns.item is None:
        result = inestimable(
            name, table.n, "which answers are to the same item is not known: name the column with --item"
        )
        yield Across(result, {})
        return
    for common, rows in _families(table, columns, factor):
        parts = [(word[factor], rows[own]) for word, own in table.take(rows).cells((factor,))]
        if len(parts) < 2:
            result = inestimable(name, len(rows), f"there is one level of {factor} only")
            yield Across(replace(result, group=label(common)), common)
        for (one, own), (other, others) in combinations(parts, 2):
            result = paired_test(name, pair_table(table, own, others, columns.item))
            yield Across(replace(result, group=_named(common, f"{factor} {one} against {other}")), common)


def pair_table(table: AnswerTable, one: IntArray, other: IntArray, item: str) -> IntArray:
    """Count pairs of valid answers to the same item: row the answer under one way of asking, column under the other.

    Several answers to an item are paired in their order; those without a partner are left out.
    """
    keys = []
    for rows in (one, other):
        valid = rows[(table.answer.code[rows] >= 0) & (table.factors[item].code[rows] >= 0)]
        order = np.arange(table.n) if table.order is None else table.order
        place = valid[np.lexsort((valid, order[valid], table.factors[item].code[valid]))]
        code = table.factors[item].code[place].astype(np.int64)
        first = np.concatenate([[0], np.flatnonzero(np.diff(code)) + 1]) if len(code) else np.zeros(0, np.int64)
        repeat = np.arange(len(code)) - np.repeat(first, np.diff(np.append(first, len(code))))
        keys.append((code * (table.n + 1) + repeat, table.answer.code[place]))
    (key, answer), (other_key, other_answer) = keys
    _, left, right = np.intersect1d(key, other_key, assume_unique=True, return_indices=True)
    k = len(table.answer.levels)
    pairs = np.bincount(answer[left].astype(np.int64) * k + other_answer[right], minlength=k * k)
    counts: IntArray = pairs.reshape(k, k)
    return counts


def _personas(table: AnswerTable, columns: Columns, factor: str, counted: str) -> Iterator[Across]:
    for common, rows in _families(table, columns, factor):
        by = (factor,) if columns.item is None else (columns.item, factor)
        levels, ones, n = _counts(table, rows, by, counted)
        personas, table_ones, table_n = _by_item(levels, ones, n, factor, columns.item)
        gap = persona_test(table_ones, table_n)
        if gap.is_estimable:
            low, high = (personas[int(gap.facts[end])] for end in ("lowest", "highest"))
            gap = replace(gap, group=_named(common, f"{factor} {high} against {low}"))
        yield Across(gap if gap.group else replace(gap, group=label(common)), common)
        rule = four_fifths_rule(table_ones.sum(axis=0), table_n.sum(axis=0))
        yield Across(replace(rule, group=label(common)), common)


def _by_item(
    levels: list[Levels], ones: IntArray, n: IntArray, factor: str, item: str | None
) -> tuple[list[str], IntArray, IntArray]:
    """Return the personas, and tables of counts: a row an item, a column a persona."""
    personas = {word: place for place, word in enumerate(dict.fromkeys(word[factor] for word in levels))}
    items = {word: place for place, word in enumerate(dict.fromkeys(word[item] if item else "" for word in levels))}
    table = np.zeros((2, len(items), len(personas)), np.int64)
    for word, counted, valid in zip(levels, ones, n, strict=True):
        table[:, items[word[item] if item else ""], personas[word[factor]]] = counted, valid
    return list(personas), table[0], table[1]


def _histories(table: AnswerTable, columns: Columns, factor: str, counted: str) -> Iterator[Across]:
    for common, rows in _families(table, columns, factor, columns.length):
        by = (factor,) if columns.length is None else (factor, columns.length)
        levels, ones, n = _counts(table, rows, by, counted)
        polarity = np.array([_polarity(table, factor, word[factor]) for word in levels])
        length = np.array(
            [_number(table, columns.length, word[columns.length]) if columns.length else 0 for word in levels]
        )
        for result in history_tests(ones, n, polarity, length.astype(np.float64)):
            yield Across(replace(result, group=label(common)), common)


def _counts(
    table: AnswerTable, rows: IntArray, names: tuple[str, ...], counted: str
) -> tuple[list[Levels], IntArray, IntArray]:
    """Counted answers and valid answers of each combination of levels among some rows."""
    levels, ones, n = [], [], []
    place = table.answer.levels.index(counted) if counted in table.answer.levels else -2
    for word, own in table.take(rows).cells(names):
        code = table.answer.code[rows[own]]
        if (code >= 0).any():
            levels.append(word)
            ones.append(int((code == place).sum()))
            n.append(int((code >= 0).sum()))
    return levels, np.array(ones, np.int64), np.array(n, np.int64)


def _number(table: AnswerTable, factor: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise _no_number(table, factor, word, "a number") from None


def _polarity(table: AnswerTable, factor: str, word: str) -> float:
    if word.lower() in _POLARITY:
        return _POLARITY[word.lower()]
    try:
        return float(word)
    except ValueError:
        raise _no_number(table, factor, word, "yes, no, none, or a number from -1 to 1") from None


def _no_number(table: AnswerTable, factor: str, word: str, expected: str) -> AnswerDataError:
    column = table.factors[factor]
    place = column.levels.index(word) if word in column.levels else -1
    row = int(np.flatnonzero(column.code == place)[0])
    return AnswerDataError(row, f"{factor} = {word}" if word else f"no {factor}", expected)


def _named(common: Levels, what: str) -> str:
    return f"{label(common)}: {what}" if common else what
