"""Sobol' indices against the closed form of Ishigami's function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.analysis.sensitivity import sobol_indices
from marketsim.core.rng import generator, stream_key
from marketsim.experiments.config import SweepConfig
from marketsim.experiments.design import Design

A, B = 7.0, 0.1
PI = np.pi

# Variances of f = sin x1 + A sin^2 x2 + B x3^4 sin x1 on [-pi, pi]^3 (Ishigami & Homma 1990; Saltelli et al. 2008).
V1 = 0.5 * (1 + B * PI**4 / 5) ** 2
V2 = A**2 / 8
V13 = B**2 * PI**8 * (1 / 18 - 1 / 50)
VARIANCE = V1 + V2 + V13
FIRST = np.array([V1, V2, 0.0]) / VARIANCE
TOTAL = np.array([V1 + V13, V2, V13]) / VARIANCE


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def rng() -> np.random.Generator:
    return generator(stream_key(1, 0, "tests", "sensitivity", "bootstrap"), 0, 0)


def design(samples: int, second_order: bool) -> np.ndarray:
    """Points of a sweep with three factors from -pi to pi."""
    factors = [{"name": name, "path": name, "low": -PI, "high": PI} for name in ("x1", "x2", "x3")]
    keys = {"kind": "saltelli", "samples": samples, "second_order": second_order}
    config = SweepConfig.model_validate({"scenario": Path("x"), "design": keys, "factors": factors})
    return np.array([list(point.values.values()) for point in Design(config, seed=1)])


def test_a_saltelli_design_recovers_ishigamis_closed_form():
    points = design(2_048, second_order=True)
    assert points.shape == (2_048 * 8, 3)
    found = sobol_indices(ishigami(points), ["x1", "x2", "x3"], rng(), second_order=True)
    assert found.first == pytest.approx(FIRST, abs=0.02)
    assert found.total == pytest.approx(TOTAL, abs=0.02)
    assert found.second is not None
    assert found.second[0, 2] == pytest.approx(V13 / VARIANCE, abs=0.03)
    assert found.second[0, 1] == pytest.approx(0.0, abs=0.03)
    assert found.variance == pytest.approx(VARIANCE, rel=0.03)


def test_its_intervals_hold_the_truth_and_shrink_with_the_sample():
    halves = []
    for samples in (256, 4_096):
        found = sobol_indices(ishigami(design(samples, False)), ["x1", "x2", "x3"], rng())
        assert (np.abs(found.first - FIRST) < 2 * found.first_half + 1e-3).all()
        assert (np.abs(found.total - TOTAL) < 2 * found.total_half + 1e-3).all()
        halves.append(found.total_half)
    assert (halves[1] < 0.5 * halves[0]).all()


def test_the_same_generator_gives_the_same_intervals():
    value = ishigami(design(64, False))
    first, second = (sobol_indices(value, ["x1", "x2", "x3"], rng()) for _ in range(2))
    assert (first.first_half == second.first_half).all()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.arange(7.0), "a multiple of 5 results; found 7"),
        (np.array([1.0, 2.0, np.nan, 4.0, 5.0]), "1 are missing"),
        (np.ones(10), "results that vary"),
        (np.zeros(0), "found 0"),
    ],
)
def test_results_that_allow_no_indices_are_errors(value, message):
    with pytest.raises(ValueError, match=message):
        sobol_indices(value, ["x1", "x2", "x3"], rng())
