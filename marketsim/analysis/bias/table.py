"""Tables of answers as columns of codes: small enough that ten million answers fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.columns import FloatArray, IntArray

CodeArray = NDArray[np.int32]


@dataclass(frozen=True)
class Factor:
    """A column of words.

    Attributes
    ----------
    code : int32 array, shape (n,)
        Place of each row's word in ``levels``; -1 where the cell is empty.
    levels : tuple of str
        The words.
    """

    code: CodeArray
    levels: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> Factor:
        """Code a sequence of words; an empty one is missing."""
        levels = tuple(dict.fromkeys(word for word in words if word != ""))
        places = {word: place for place, word in enumerate(levels)}
        return cls(np.array([places.get(word, -1) for word in words], np.int32), levels)

    def take(self, rows: NDArray[np.bool_] | IntArray) -> Factor:
        """Return some of the rows."""
        return Factor(self.code[rows], self.levels)

    def numbers(self) -> FloatArray:
        """Return the levels as numbers: float64[n_levels].

        Raises
        ------
        ValueError
            A level is no number; the message is the level.
        """
        values = np.empty(len(self.levels))
        for place, word in enumerate(self.levels):
            try:
                values[place] = float(word)
            except ValueError:
                raise ValueError(word) from None
        return values

    def sorted_levels(self) -> list[int]:
        """Places of the levels in their natural order: by number where all are numbers, by letter otherwise."""
        try:
            return [int(place) for place in np.argsort(self.numbers(), kind="stable")]
        except ValueError:
            return sorted(range(len(self.levels)), key=lambda place: self.levels[place])


@dataclass(frozen=True)
class AnswerTable:
    """Answers with what is known of each.

    Attributes
    ----------
    answer : Factor
        The answers; missing where invalid.
    factors : dict of str to Factor
        Columns by name: groups, regimes, temperatures, items.
    call : int64 array or None
        Identity of the call.
    order : float64 array or None
        What to sort a call's answers by.
    """

    answer: Factor
    factors: dict[str, Factor] = field(default_factory=dict)
    call: IntArray | None = None
    order: FloatArray | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.answer.code)

    @property
    def n_invalid(self) -> int:
        """Rows without a valid answer."""
        return int((self.answer.code < 0).sum())

    def take(self, rows: NDArray[np.bool_] | IntArray) -> AnswerTable:
        """Return some of the rows."""
        return AnswerTable(
            self.answer.take(rows),
            {name: factor.take(rows) for name, factor in self.factors.items()},
            None if self.call is None else self.call[rows],
            None if self.order is None else self.order[rows],
        )

    def answer_counts(self) -> dict[str, int]:
        """How often each answer was given, most frequent first."""
        counts = np.bincount(self.answer.code[self.answer.code >= 0], minlength=len(self.answer.levels))
        places = np.argsort(-counts, kind="stable")
        return {self.answer.levels[place]: int(counts[place]) for place in places if counts[place]}

    def cells(self, names: Sequence[str]) -> Iterator[tuple[dict[str, str], IntArray]]:
        """Yield the rows of each combination of levels that occurs, in the natural order of the levels.

        Yields
        ------
        (dict of str to str, int64 array)
            Level by column (empty where missing), and the places of its rows.
        """
        if not names:
            yield {}, np.arange(self.n)
            return
        orders = {name: self.factors[name].sorted_levels() for name in names}
        ranks = [self._rank(name, orders[name]) for name in names]
        shape = tuple(len(self.factors[name].levels) + 1 for name in names)
        number = np.ravel_multi_index(tuple(ranks), shape) if self.n else np.zeros(0, np.int64)
        place = np.argsort(number, kind="stable")
        values, first = np.unique(number[place], return_index=True)
        for value, rows in zip(values, np.split(place, first[1:]), strict=True):
            levels = np.unravel_index(int(value), shape)
            words = {}
            for name, rank in zip(names, levels, strict=True):
                words[name] = self.factors[name].levels[orders[name][int(rank) - 1]] if rank else ""
            yield words, rows

    def _rank(self, name: str, order: Sequence[int]) -> IntArray:
        """Rank of each row's level in natural order, from 1; 0 where missing."""
        factor = self.factors[name]
        rank = np.zeros(len(factor.levels) + 1, np.int64)  # the last is for code -1
        rank[list(order)] = np.arange(1, len(factor.levels) + 1)
        ranks: IntArray = rank[factor.code]
        return ranks


def label(levels: dict[str, str]) -> str:
    """Write a combination of levels: ``model=a, p=50``."""
    return ", ".join(f"{name}={word or '(empty)'}" for name, word in levels.items())


def answers_of(table: AnswerTable, rows: IntArray, counted: str) -> tuple[Answers, int]:
    """Return the valid answers of some rows in order, and how many were invalid."""
    code = table.answer.code[rows]
    valid = rows[code >= 0]
    place = table.answer.levels.index(counted) if counted in table.answer.levels else -2
    call = None if table.call is None else table.call[valid]
    order = None if table.order is None else table.order[valid]
    bits = table.answer.code[valid] == place
    return Answers.of(bits, call, order), len(rows) - len(valid)
