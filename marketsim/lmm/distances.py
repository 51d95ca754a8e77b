"""Distances between two sets of sessions, with a bootstrap over sessions and a floor: the reference against itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core import rng

FloatArray = npt.NDArray[np.float64]

DISTANCES: Final = ("l1", "wasserstein", "ks")
"""Half the sum of absolute differences of bin shares; Wasserstein-1 in standard deviations of the reference; the
largest difference of the distribution functions."""

N_BINS: Final = 100
N_REPEATS: Final = 400


class Distance(NamedTuple):
    """One distance."""

    name: str
    value: float
    low: float
    high: float
    """Ends of the 95 % interval, by resampling sessions of both sides."""
    floor: float
    """Mean distance of two halves of the reference, with as many sessions each as there are."""


def distances(name: str, generated: Sequence[Any], reference: Sequence[Any], seed: int = 1) -> list[Distance]:
    """Return the three distances of one score.

    Parameters
    ----------
    name : str
        Of the score; a distance is called ``name/l1``.
    generated, reference : sequence of float arrays
        Values of each session.
    seed : int
        Of the bootstrap.

    Notes
    -----
    Values share bins: each distinct value has one where there are at most 100, and twenty of each on average; else bins
    have equal mass in both sets together. Empty sets give nan.
    """
    samples = [np.concatenate([np.zeros(0), *(np.asarray(rows, float) for rows in s)]) for s in (generated, reference)]
    if min(map(len, samples)) == 0 or len(reference) < 2:
        return [Distance(f"{name}/{kind}", *(float("nan"),) * 4) for kind in DISTANCES]
    edges, centre = _bins(np.concatenate(samples))
    spread = float(samples[1].std()) or 1.0
    counts = [np.array([_histogram(rows, edges) for rows in side]) for side in (generated, reference)]
    value = _distances(counts[0].sum(0), counts[1].sum(0), centre, spread)
    draws = rng.generator(rng.stream_key(seed, 0, "lmm", name, "bootstrap"), 0, 0)
    repeats = []
    for _ in range(N_REPEATS):
        again = [side[draws.integers(0, len(side), len(side))].sum(0) for side in counts]
        if min(side.sum() for side in again) > 0:
            repeats.append(_distances(again[0], again[1], centre, spread))
    # Resampling adds its own noise to a distance, which cannot fall below zero: the basic interval takes it off again.
    low, high = np.quantile(np.array(repeats), (0.025, 0.975), axis=0)
    floors = []
    for _ in range(50):
        order = draws.permutation(len(counts[1]))
        half = len(order) // 2
        halves = [counts[1][order[:half]].sum(0), counts[1][order[half:]].sum(0)]
        if min(side.sum() for side in halves) > 0:
            floors.append(_distances(halves[0], halves[1], centre, spread))
    floor = np.mean(floors, axis=0)
    return [
        Distance(
            f"{name}/{kind}", value[i], max(2 * value[i] - high[i], 0.0), max(2 * value[i] - low[i], 0.0), floor[i]
        )
        for i, kind in enumerate(DISTANCES)
    ]


def conditional_distance(name: str, generated: Sequence[Any], reference: Sequence[Any], seed: int = 1) -> Distance:
    """Return the L1 distance of values given a condition, averaged over five bins of it by the reference's mass.

    Parameters
    ----------
    name : str
        Of the score.
    generated, reference : sequence of (condition, value)
        One pair of float arrays for each session.
    """
    condition = np.concatenate([pair[0] for pair in reference])
    cuts = np.unique(np.quantile(condition, (0.2, 0.4, 0.6, 0.8)))
    parts = []
    for place in range(len(cuts) + 1):
        sides = [
            [value[np.searchsorted(cuts, given, "right") == place] for given, value in side]
            for side in (generated, reference)
        ]
        weight = sum(map(len, sides[1]))
        if weight and sum(map(len, sides[0])):
            parts.append((weight, distances(f"{name}/{place}", sides[0], sides[1], seed)[0]))
    if not parts:
        return Distance(f"{name}/l1", *(float("nan"),) * 4)
    share = np.array([weight for weight, _ in parts]) / sum(weight for weight, _ in parts)
    means = [float(share @ [part[i] for _, part in parts]) for i in range(1, 5)]
    return Distance(f"{name}/l1", *means)


def _bins(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Upper edges of all bins save the last, and the middle of each."""
    distinct = np.unique(values)
    if len(distinct) > min(N_BINS, len(values) // 20):
        most = min(N_BINS, max(4, len(values) // 200))
        distinct = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)))
        return distinct[1:-1], 0.5 * (distinct[1:] + distinct[:-1])
    return 0.5 * (distinct[1:] + distinct[:-1]), distinct


def _histogram(values: Any, edges: FloatArray) -> FloatArray:
    return np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1).astype(float)


def _distances(one: FloatArray, other: FloatArray, centre: FloatArray, spread: float) -> tuple[float, float, float]:
    p, q = one / one.sum(), other / other.sum()
    gap = np.abs(np.cumsum(p - q))
    l1, wasserstein = 0.5 * np.abs(p - q).sum(), (gap[:-1] * np.diff(centre)).sum() / spread
    return float(l1), float(wasserstein), float(gap.max())
