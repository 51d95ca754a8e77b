"""The matrix of a model in two parts: numbers, and the 0s and 1s of fixed effects, which are never written out.

With 4,500 sets of 8 and 63 fixed effects this makes a step of Newton's method several times faster than a full matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from marketsim.analysis.choice.choice_sets import ChoiceSets, FloatArray, IntArray


@dataclass(frozen=True)
class Dummies:
    """One fixed effect: int64[n_rows], the column in which a row has its 1, or ``n_columns`` for none."""

    column: IntArray
    n_columns: int

    def sums(self, weight: FloatArray) -> FloatArray:
        """Return the sum of a weight over the rows of each column: float64[n_columns]."""
        total: FloatArray = np.bincount(self.column, weight, self.n_columns + 1)[: self.n_columns].astype(np.float64)
        return total


@dataclass(frozen=True)
class Regressors:
    """Rows of a model's matrix: ``dense``, float64[n_rows, k_dense], and the fixed effects behind it."""

    dense: FloatArray
    effects: tuple[Dummies, ...] = ()

    @property
    def n_columns(self) -> int:
        """Number of coefficients."""
        return int(self.dense.shape[1]) + sum(effect.n_columns for effect in self.effects)

    def utility(self, beta: FloatArray) -> FloatArray:
        """Return the matrix times ``beta``: float64[n_rows]."""
        dense, *parts = np.split(beta, self._cuts()[1:-1])
        value: FloatArray = self.dense @ dense
        for effect, part in zip(self.effects, parts, strict=True):
            value = value + np.append(part, 0.0)[effect.column]
        return value

    def means(self, weight: FloatArray, sets: ChoiceSets) -> FloatArray:
        """Return the weighted sum of the rows of each set: float64[n_sets, k]."""
        blocks = [np.add.reduceat(self.dense * weight[:, None], sets.start, axis=0)]
        for effect in self.effects:
            width = effect.n_columns + 1
            cell = np.bincount(sets.set_number * width + effect.column, weight, sets.n_sets * width)
            blocks.append(cell.reshape(sets.n_sets, width)[:, :-1])
        return np.concatenate(blocks, axis=1)

    def moments(self, weight: FloatArray) -> FloatArray:
        """Return the weighted sum over rows of each row times itself: float64[k, k]."""
        cuts = self._cuts()
        total = np.zeros((self.n_columns, self.n_columns))
        blocks = [slice(a, b) for a, b in pairwise(cuts)]
        weighted = self.dense * np.sqrt(weight)[:, None]
        total[blocks[0], blocks[0]] = weighted.T @ weighted
        for i, effect in enumerate(self.effects, start=1):
            for k in range(self.dense.shape[1]):
                total[blocks[i], k] = total[k, blocks[i]] = effect.sums(weight * self.dense[:, k])
            total[blocks[i], blocks[i]] = np.diag(effect.sums(weight))
            for j, other in enumerate(self.effects[i:], start=i + 1):
                shape = (effect.n_columns + 1, other.n_columns + 1)
                cell = np.bincount(effect.column * shape[1] + other.column, weight, shape[0] * shape[1])
                total[blocks[i], blocks[j]] = cell.reshape(shape)[:-1, :-1]
                total[blocks[j], blocks[i]] = total[blocks[i], blocks[j]].T
        return total

    def pick(self, rows: IntArray) -> Regressors:
        """Return these rows only."""
        return Regressors(
            self.dense[rows], tuple(Dummies(effect.column[rows], effect.n_columns) for effect in self.effects)
        )

    def to_array(self) -> FloatArray:
        """Return the matrix written out: float64[n_rows, k]."""
        blocks = [self.dense]
        for effect in self.effects:
            blocks.append(np.eye(effect.n_columns + 1)[effect.column][:, :-1])
        return np.concatenate(blocks, axis=1)

    def standardised(self, sets: ChoiceSets) -> tuple[Regressors, FloatArray]:
        """Return the same model with each number less its set's mean and divided by its spread, and the divisors.

        The likelihood of the set does not change; rounding does less harm, and coefficients are of about one size.
        """
        mean = np.add.reduceat(self.dense, sets.start, axis=0) / sets.size[:, None]
        away = self.dense - np.repeat(mean, sets.size, axis=0)
        spread = np.sqrt(np.mean(away**2, axis=0))
        noise = 1e-10 * np.sqrt(np.mean(self.dense**2, axis=0))
        flat = spread <= noise
        away[:, flat], spread[flat] = 0.0, 1.0
        divisor = np.concatenate([spread, np.ones(self.n_columns - len(spread))])
        return Regressors(away / spread, self.effects), divisor

    def _cuts(self) -> list[int]:
        widths = [self.dense.shape[1], *(effect.n_columns for effect in self.effects)]
        return [0, *np.cumsum(widths).tolist()]
