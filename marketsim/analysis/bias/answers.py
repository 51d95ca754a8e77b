"""Binary answers as the tests take them: call after call, within a call in the order in which they were given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketsim.analysis.columns import IntArray

BitArray = NDArray[np.uint8]
NumberArray = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """The binary answers of one group: one model, one question, one way of asking.

    Attributes
    ----------
    answer : uint8 array, shape (n,)
        1 where the counted answer was given, 0 where the other was.
    start : int64 array, shape (n_calls + 1,)
        Where each call begins; the last entry is n.
    has_calls, has_order : bool
        Whether it is known which answers share a call, and in which order a call gave them.
    """

    answer: BitArray
    start: IntArray
    has_calls: bool = True
    has_order: bool = True

    @classmethod
    def of(cls, answer: NDArray[np.generic], call: IntArray | None = None, order: NumberArray | None = None) -> Answers:
        """Sort answers by call and order.

        Parameters
        ----------
        answer : array of 0 and 1, or of bool, shape (n,)
            In any order.
        call : int64 array, shape (n,), optional
            Number of the call that gave each answer; any integers. None: not known.
        order : int64 or float64 array, shape (n,), optional
            What to sort a call's answers by. None: not known.

        Raises
        ------
        ValueError
            An answer is neither 0 nor 1, or the arrays differ in length.
        """
        bits = np.asarray(answer).astype(np.uint8)
        if not np.array_equal(bits, answer) or (len(bits) and bits.max() > 1):
            raise ValueError("found an answer that is neither 0 nor 1")
        for name, column in (("call", call), ("order", order)):
            if column is not None and len(column) != len(bits):
                raise ValueError(f"found {len(bits)} answers and {len(column)} entries of {name}")
        if call is not None and len(np.unique(call)) == len(bits) > 1:
            return cls._one_shot(bits, order)
        known = [column for column in (order, call) if column is not None]
        place = np.lexsort(known) if known else np.arange(len(bits))
        start = np.array([0, len(bits)])
        if call is not None:
            new = np.flatnonzero(np.diff(np.asarray(call)[place])) + 1
            start = np.concatenate([[0], new, [len(bits)]]) if len(bits) else np.array([0])
        return cls(np.ascontiguousarray(bits[place]), start.astype(np.int64), call is not None, order is not None)

    @classmethod
    def _one_shot(cls, bits: BitArray, order: NumberArray | None) -> Answers:
        """Sort calls of one answer by the order in which they were asked, where that tells them apart."""
        known = order is not None and len(np.unique(order)) == len(bits)
        place = np.argsort(order, kind="stable") if order is not None and known else np.arange(len(bits))
        return cls(np.ascontiguousarray(bits[place]), np.arange(len(bits) + 1, dtype=np.int64), True, known)

    @property
    def n(self) -> int:
        """Number of answers."""
        return len(self.answer)

    @property
    def n_ones(self) -> int:
        """How often the counted answer was given."""
        return int(self.answer.sum())

    @property
    def share(self) -> float:
        """Share of the counted answer; NaN without answers."""
        return self.n_ones / self.n if self.n else np.nan

    @property
    def n_rarer(self) -> int:
        """How often the rarer answer was given."""
        return min(self.n_ones, self.n - self.n_ones)

    @property
    def n_calls(self) -> int:
        """Number of calls; 1 where they are not known."""
        return len(self.start) - 1

    @property
    def size(self) -> IntArray:
        """Answers of each call: int64[n_calls]."""
        return np.diff(self.start)

    @property
    def ones(self) -> IntArray:
        """How often each call gave the counted answer: int64[n_calls]."""
        total = np.concatenate([[0], np.cumsum(self.answer, dtype=np.int64)])
        counts: IntArray = np.diff(total[self.start])
        return counts

    @property
    def is_one_shot(self) -> bool:
        """Whether every call gave one answer."""
        return self.has_calls and self.n > 1 and self.n_calls == self.n

    def sequences(self) -> IntArray:
        """Where each sequence begins whose memory can be tested: as ``start``.

        A call is a sequence. Where every call gave one answer, the sequence is the group's calls in the order in which
        they were asked: independent requests have no memory of each other, and a drift or a cache shows as one.
        """
        return np.array([0, self.n], np.int64) if self.is_one_shot else self.start
