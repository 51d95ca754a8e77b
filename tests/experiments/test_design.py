"""Points of a design: which values occur together, how draws spread, and how cells are numbered."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.experiments.config import FactorConfig, SweepConfig, flat
from marketsim.experiments.design import Design, value_at

FACTORS = [
    {"name": "a", "path": "p.a", "values": [1, 2]},
    {"name": "b", "path": "p.b", "values": ["x", "y", "z"]},
    {"name": "c", "path": "p.c", "values": [10, 20, 30]},
]


def config(**keys) -> SweepConfig:
    return SweepConfig.model_validate({"scenario": Path("x.toml"), **keys})


def values(design: Design) -> list[tuple]:
    return [tuple(point.values.values()) for point in design]


def test_a_grid_crosses_all_values_and_the_last_varies_fastest():
    design = Design(config(factors=FACTORS), 1)
    assert len(design) == 18
    assert values(design) == list(product([1, 2], ["x", "y", "z"], [10, 20, 30]))


def test_zipped_factors_move_together_in_a_grid():
    design = Design(config(factors=FACTORS, design={"zip": [["b", "c"]]}), 1)
    pairs = list(zip("xyz", [10, 20, 30], strict=True))
    assert values(design) == [(a, *pair) for a in (1, 2) for pair in pairs]


def test_a_list_takes_the_first_of_each_then_the_second_of_each():
    design = Design(config(factors=FACTORS[1:], design={"kind": "list"}), 1)
    assert values(design) == [("x", 10), ("y", 20), ("z", 30)]


def test_arms_are_crossed_with_everything_and_change_what_they_say():
    arms = [{"name": "one"}, {"name": "two", "set": {"q": {"r": 5}}}]
    design = Design(config(factors=FACTORS[:1], arms=arms, set={"duration": "1s"}), 1)
    assert [(point.arm, dict(point.overrides)) for point in design] == [
        ("one", {"duration": "1s", "p.a": 1}),
        ("two", {"duration": "1s", "p.a": 1, "q.r": 5}),
        ("one", {"duration": "1s", "p.a": 2}),
        ("two", {"duration": "1s", "p.a": 2, "q.r": 5}),
    ]


def test_a_sweep_without_factors_and_arms_has_one_point():
    design = Design(config(replicates=3), 1)
    assert len(design) == 1
    assert design[0].label() == "the scenario as it is"
    with pytest.raises(IndexError):
        design[1]


def sampled(kind: str, samples: int = 16, seed: int = 1, **more) -> np.ndarray:
    factors = [{"name": name, "path": name, "low": 0.0, "high": 1.0} for name in "abc"]
    design = Design(config(factors=factors, design={"kind": kind, "samples": samples, **more}), seed)
    return np.array(values(design))


@pytest.mark.parametrize("kind", ["random", "latin_hypercube", "sobol", "saltelli"])
def test_draws_come_from_the_seed_alone_and_stay_in_range(kind):
    first, again, other = sampled(kind), sampled(kind), sampled(kind, seed=2)
    assert (first == again).all()
    assert (first != other).any()
    assert first.min() >= 0
    assert first.max() <= 1


def test_a_latin_hypercube_has_one_point_in_each_slice_of_each_factor():
    points = sampled("latin_hypercube", 50)
    for column in points.T:
        assert sorted(np.floor(column * 50).astype(int)) == list(range(50))


def test_sobol_points_are_balanced_in_every_half_and_quarter():
    points = sampled("sobol", 64)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        counts = np.histogram2d(points[:, first], points[:, second], bins=4, range=[[0, 1], [0, 1]])[0]
        assert (counts == 4).all()


def test_a_saltelli_design_changes_one_factor_at_a_time():
    points = sampled("saltelli", 8).reshape(8, 5, 3)
    for base, *mixed, other in points:
        for number, point in enumerate(mixed):
            assert point[number] == other[number]
            rest = [k for k in range(3) if k != number]
            assert (point[rest] == base[rest]).all()
    assert len(sampled("saltelli", 8, second_order=True)) == 8 * 8


@given(st.integers(-50, 50), st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_an_integer_range_gives_integers_of_the_range(low, width, share):
    factor = FactorConfig(name="n", path="n", low=low, high=low + width)
    value = value_at(factor, share)
    assert isinstance(value, int)
    assert low <= value <= low + width


def test_the_ends_of_an_integer_range_are_as_likely_as_the_rest():
    factor = FactorConfig(name="n", path="n", low=1, high=4)
    drawn = [value_at(factor, (k + 0.5) / 4_000) for k in range(4_000)]
    assert np.bincount(drawn)[1:].tolist() == [1_000] * 4


@given(st.floats(1e-6, 1e6), st.floats(1.001, 1e6), st.floats(0, 1, exclude_max=True))
def test_a_logarithmic_range_halves_at_the_geometric_mean(low, ratio, share):
    factor = FactorConfig(name="x", path="x", low=low, high=low * ratio, scale="log")
    middle, value = value_at(factor, 0.5), value_at(factor, share)
    assert middle == pytest.approx(low * ratio**0.5, rel=1e-6)
    assert low * (1 - 1e-6) <= value <= low * ratio * (1 + 1e-6)


def test_a_unit_makes_durations_of_whole_nanoseconds():
    factor = FactorConfig(name="x", path="x", low=0.1, high=10.0, scale="log", unit="ms")
    assert value_at(factor, 0.5) == "1ms"
    assert value_at(factor, 0.123).endswith("ns")


def test_values_are_drawn_with_equal_chances():
    factor = FactorConfig(name="x", path="x", values=("a", "b"))
    assert [value_at(factor, share) for share in (0.0, 0.49, 0.5, 0.999)] == ["a", "a", "b", "b"]


def test_keys_to_set_may_be_nested_tables_or_paths():
    table = {"duration": "1s", "exchange": {"depth": {"levels": 5}}, "a.b": {"c.d": [1]}}
    assert flat(table) == {"duration": "1s", "exchange.depth.levels": 5, 'a.b."c.d"': [1]}
