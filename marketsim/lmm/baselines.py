"""What a model must beat: laws by counting, in bits per event and field on a test split.

``unigram`` knows how often each value comes; ``chained Markov`` also the event before and the fields drawn before;
``masked unigram`` counts by kind and is cut to what the book allows: masks alone close about half of the gap between
the chained Markov model and the truth.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.lmm.events import GAP, KIND, N_GAPS, N_KINDS, N_PRICES, N_VALUES, PRICE, SIZE
from marketsim.lmm.teacher import Batch

FloatArray = npt.NDArray[np.float64]


def baseline_bits(train: Batch, test: Batch) -> dict[str, FloatArray]:
    """Return bits per event of each baseline, float64[field]; with a teacher also its own.

    Parameters
    ----------
    train, test : Batch
        What is counted, and what is scored from its second event on.
    """
    markov = [_count_bits(counted) for counted in _markov_contexts(train, test)]
    nothing = [np.zeros(batch.token[:, 1:, GAP].size, np.int64) for batch in (train, test)]
    unigram = [_count_bits(_Counted(nothing[0], nothing[1], 1, *_values(field, train, test))) for field in range(4)]
    masked = [unigram[GAP], *(_masked_bits(field, train, test) for field in (KIND, PRICE, SIZE))]
    found = {"unigram": unigram, "chained Markov": markov, "masked unigram": masked}
    result = {name: np.array(bits) for name, bits in found.items()}
    if test.log_chance is not None:
        result["teacher"] = -test.log_chance[:, 1:].reshape(-1, 4).mean(0) / math.log(2)
    return result


class _Counted(NamedTuple):
    """What is counted by context in the training split, and scored in the test split."""

    context: Any
    test_context: Any
    n_contexts: int
    value: Any
    test_value: Any
    n_values: int


def _values(field: int, train: Batch, test: Batch) -> tuple[Any, Any, int]:
    return train.token[:, 1:, field].ravel(), test.token[:, 1:, field].ravel(), N_VALUES[field]


def _markov_contexts(train: Batch, test: Batch) -> list[_Counted]:
    """For each field the context of every event and how many contexts there are."""

    def contexts(batch: Batch) -> list[Any]:
        gap, kind, price, _ = (batch.token[:, 1:, field].ravel() for field in range(4))
        gap0, kind0, price0, _ = (batch.token[:, :-1, field].ravel() for field in range(4))
        return [
            gap0 * N_KINDS + kind0,
            kind0 * N_GAPS + gap,
            (kind * N_KINDS + kind0) * N_PRICES + price0,
            kind * N_PRICES + price,
        ]

    counts = [N_GAPS * N_KINDS, N_KINDS * N_GAPS, N_KINDS * N_KINDS * N_PRICES, N_KINDS * N_PRICES]
    rows = zip(contexts(train), contexts(test), counts, range(4), strict=True)
    return [_Counted(a, b, n, *_values(field, train, test)) for a, b, n, field in rows]


def _count_bits(counted: _Counted) -> float:
    """Test bits of counts per context, smoothed towards the unigram by the best of four weights, which favours them."""
    context, test_context, n_contexts, value, test_value, n_values = counted
    count = np.bincount(context * n_values + value, minlength=n_contexts * n_values).reshape(n_contexts, n_values)
    unigram = (count.sum(0) + 0.5) / (count.sum() + 0.5 * n_values)
    laws = [(count + a * unigram) / (count.sum(1, keepdims=True) + a) for a in (1, 5, 30, 200)]
    return float(min(-np.log2(law[test_context, test_value]).mean() for law in laws))


def _masked_bits(field: int, train: Batch, test: Batch) -> float:
    """Test bits of counts by kind (of the kind itself: of all), cut to what is possible."""
    rows = 1 if field == KIND else N_KINDS
    law = np.full((rows, N_VALUES[field]), 0.5)
    kind, test_kind = (np.minimum(batch.token[:, 1:, KIND].ravel(), rows - 1) for batch in (train, test))
    value, test_value, n_values = _values(field, train, test)
    np.add.at(law, (kind, value), 1)
    mask = test.mask[:, 1:, field].ravel()
    bits = 0.0
    for first in range(0, len(mask), 100_000):
        rows_here = slice(first, first + 100_000)
        possible = mask[rows_here, None] >> np.arange(n_values, dtype=np.uint64) & np.uint64(1)
        share = law[test_kind[rows_here]] * possible
        bits -= float(np.log2(share[np.arange(len(share)), test_value[rows_here]] / share.sum(1)).sum())
    return bits / len(mask)


def share_closed(bits: FloatArray, baseline: FloatArray, teacher: FloatArray) -> float:
    """Return the share of the gap from a baseline to the teacher that is closed, all fields together."""
    gap = float(baseline.sum() - teacher.sum())
    return 1.0 - float(bits.sum() - teacher.sum()) / gap


__all__ = ["baseline_bits", "share_closed"]
