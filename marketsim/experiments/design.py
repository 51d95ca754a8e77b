"""Points of a design: which values the factors have, and in which arm.

Points are made when asked for, so that a large grid takes no memory. Arms are crossed with everything and vary
fastest. Where draws are needed they come from ``core.rng``.

References
----------
McKay, Beckman & Conover (1979), Technometrics 21(2), 239-245: Latin hypercubes.
Owen (1998), J. Complexity 14(4), 466-489: scrambled Sobol' points.
Saltelli et al. (2010), Computer Physics Communications 181(2), 259-270: points for Sobol' indices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marketsim.core.errors import MarketSimError
from marketsim.core.rng import generator, stream_key
from marketsim.core.units import UNITS, format_decimal, format_duration, parse_decimal
from marketsim.experiments.config import SAMPLED, FactorConfig, SweepConfig, flat

SIGNIFICANT_DIGITS = 9
"""Digits of a sampled number: enough for any purpose, and exact as a decimal in a scenario."""


@dataclass(frozen=True)
class Point:
    """One combination of factor values and arm.

    Attributes
    ----------
    number : int
        From 0.
    arm : str
        Name of the arm; empty where there are none.
    values : mapping of str to value
        Value of each factor, by name, in the form of the scenario file.
    overrides : mapping of str to value
        Path to value: everything that this point changes in the scenario.
    """

    number: int
    arm: str
    values: Mapping[str, Any]
    overrides: Mapping[str, Any]

    def label(self) -> str:
        """Return the point in words: ``tick_size = 0.01, arm = treated``."""
        parts = [f"{name} = {value}" for name, value in self.values.items()]
        return ", ".join([*parts, *([f"arm = {self.arm}"] if self.arm else [])]) or "the scenario as it is"


class Design:
    """The points of a sweep.

    Parameters
    ----------
    config : SweepConfig
        The sweep.
    seed : int
        Of the design's draws.
    """

    def __init__(self, config: SweepConfig, seed: int) -> None:
        self.config = config
        self._factors = config.factors
        self._arms: Sequence[Any] = config.arms or (None,)
        self._unit = _unit_points(config, seed) if config.design.kind in SAMPLED else None
        self._groups = _groups(config)
        self._base = flat(config.set)

    def __len__(self) -> int:
        """Number of points."""
        return self.n_combinations * len(self._arms)

    @property
    def n_combinations(self) -> int:
        """Number of combinations of factor values, arms apart."""
        if self._unit is not None:
            return len(self._unit)
        return math.prod(len(group[0].values) for group in self._groups)

    def __getitem__(self, number: int) -> Point:
        """Return a point by number."""
        combination, arm_number = divmod(number, len(self._arms))
        if not 0 <= combination < self.n_combinations:
            raise IndexError(number)
        values = self._listed(combination) if self._unit is None else self._sampled(self._unit[combination])
        arm = self._arms[arm_number]
        overrides = {**self._base, **{factor.path: values[factor.name] for factor in self._factors}}
        if arm is not None:
            overrides |= flat(arm.set)
        return Point(
            number, arm.name if arm is not None else "", values, {key: _lists(v) for key, v in overrides.items()}
        )

    def __iter__(self) -> Iterator[Point]:
        """Iterate over all points."""
        return (self[number] for number in range(len(self)))

    def _listed(self, combination: int) -> dict[str, Any]:
        """Values of a grid or a list: the last group varies fastest."""
        values: dict[str, Any] = {}
        rest = combination
        for group in reversed(self._groups):
            rest, place = divmod(rest, len(group[0].values))
            values |= {factor.name: _lists(factor.values[place]) for factor in group}
        return {factor.name: values[factor.name] for factor in self._factors}

    def _sampled(self, row: np.ndarray) -> dict[str, Any]:
        return {factor.name: value_at(factor, float(share)) for factor, share in zip(self._factors, row, strict=True)}


def value_at(factor: FactorConfig, share: float) -> Any:
    """Return the value of a factor at a place between 0 and 1 of its range, in the form of the scenario file.

    Examples
    --------
    >>> value_at(FactorConfig(name="n", path="n", low=1, high=4), 0.99)
    4
    >>> value_at(FactorConfig(name="n", path="n", low=1.0, high=100.0, scale="log", unit="ms"), 0.5)
    '10ms'
    """
    if factor.low is None or factor.high is None:
        return _lists(factor.values[min(int(share * len(factor.values)), len(factor.values) - 1)])
    low, high = float(factor.low), float(factor.high)
    if factor.is_integer:
        low, high = low - 0.5, high + 0.5  # so that the ends are as likely as the others
        if factor.scale == "log":
            low = max(low, 0.5)
    number = low * (high / low) ** share if factor.scale == "log" else low + share * (high - low)
    if factor.is_integer:
        number = int(min(max(math.floor(number + 0.5), factor.low), factor.high))
    else:
        number = float(f"{number:.{SIGNIFICANT_DIGITS}g}")
    if not factor.unit:
        return number
    if factor.unit in UNITS:  # a duration is a whole number of nanoseconds
        return format_duration(round(number * UNITS[factor.unit]))
    return f"{format_decimal(parse_decimal(number))}{factor.unit}"


def _unit_points(config: SweepConfig, seed: int) -> np.ndarray:
    """Return the points of a sampled design in the unit cube, shape (points, factors)."""
    from scipy.stats import qmc

    design, n_factors, samples = config.design, len(config.factors), config.design.samples or 1
    rng = generator(stream_key(seed, 0, "experiments", config.name, "design"), 0, 0)
    points: np.ndarray
    if design.kind == "random":
        points = rng.random((samples, n_factors))
        return points
    seed = int(rng.integers(1 << 31))  # these libraries want a seed and make their own generator of it
    if design.kind == "latin_hypercube":
        points = qmc.LatinHypercube(n_factors, rng=seed).random(samples)
    elif design.kind == "sobol":
        points = qmc.Sobol(n_factors, rng=seed).random_base2(samples.bit_length() - 1)
    else:
        points = _saltelli(n_factors, samples, design.second_order, seed)
    return points


def _saltelli(n_factors: int, samples: int, second_order: bool, seed: int) -> np.ndarray:
    try:
        from SALib.sample import sobol
    except ModuleNotFoundError:
        raise MarketSimError("a saltelli design needs SALib: pip install 'marketsim[sensitivity]'") from None
    points: np.ndarray = sobol.sample(unit_problem(n_factors), samples, calc_second_order=second_order, seed=seed)
    return points


def unit_problem(n_factors: int) -> dict[str, Any]:
    """Return SALib's description of the unit cube."""
    return {
        "num_vars": n_factors,
        "names": [f"x{number}" for number in range(n_factors)],
        "bounds": [[0.0, 1.0]] * n_factors,
    }


def _groups(config: SweepConfig) -> list[list[FactorConfig]]:
    """Return the factors that move together; each other factor is a group of its own."""
    if config.design.kind in SAMPLED or not config.factors:
        return []
    if config.design.kind == "list":
        return [list(config.factors)]
    zipped = [[factor for factor in config.factors if factor.name in group] for group in config.design.zip if group]
    groups, seen = [], set()
    for factor in config.factors:
        if factor.name in seen:
            continue
        group = next((group for group in zipped if factor in group), [factor])
        seen |= {each.name for each in group}
        groups.append(group)
    return groups


def _lists(value: Any) -> Any:
    """Return a value as a scenario file would give it: lists where validation made tuples."""
    if isinstance(value, tuple | list):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value
