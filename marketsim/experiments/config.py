"""The sweep file: which scenario, what is changed, how often it is repeated, and what a cell may cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from marketsim.core.config import Section
from marketsim.core.units import MILLISECOND, Duration
from marketsim.scenario.schema import MAX_SEED
from marketsim.scenario.wording import dotted

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
MAX_CELLS = 1_000_000

OWN_COLUMNS = ("cell", "point", "arm", "replicate", "status", "digest", "seconds", "attempts", "error")
"""Columns of the results beside factors and measures."""

RESERVED_PATHS = ("seed", "replicate")
"""Keys of a scenario that the sweep sets itself."""

SAMPLED = ("random", "latin_hypercube", "sobol", "saltelli")
"""Designs whose points are drawn."""
POWER_OF_TWO = ("sobol", "saltelli")
"""Designs whose balance needs a number of samples that is a power of two."""


class FactorConfig(Section):
    """``[[factors]]``: one key of the scenario and the values that it takes."""

    name: str = Field(pattern=NAME_PATTERN)
    """Names its column in the results: letters, digits and ``_``."""
    path: str
    """Path of the key as ``--set`` takes it: ``"exchange.populations.value.count"``."""
    values: tuple[Any, ...] = ()
    """Values, in the form of the scenario file; a sampled design draws one of them, each equally likely."""
    low: float | int | None = None
    """Least value of a sampled design; where ``low`` and ``high`` are integers, so is every value."""
    high: float | int | None = None
    """Largest value of a sampled design."""
    scale: Literal["linear", "log"] = "linear"
    """Whether values between ``low`` and ``high`` are uniform themselves, or their logarithms are."""
    unit: str = ""
    """Written behind a sampled number, ``"ms"``: for durations."""

    @property
    def is_range(self) -> bool:
        """Whether it lies between ``low`` and ``high``."""
        return not self.values

    @property
    def is_integer(self) -> bool:
        """Whether its range holds integers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @model_validator(mode="after")
    def _has_values_or_a_range(self) -> Self:
        ends = [end for end in (self.low, self.high) if end is not None]
        if self.values and ends:
            raise ValueError("expected values, or low and high; found both")
        if not self.values and len(ends) < 2:
            raise ValueError("expected values, or low and high")
        if self.low is not None and self.high is not None:
            if self.low >= self.high:
                raise ValueError(f"high: expected a number above low, which is {self.low}")
            if self.scale == "log" and self.low <= 0:
                raise ValueError('low: expected a positive number, since scale is "log"')
        if self.path in RESERVED_PATHS:
            raise ValueError("path: expected a key of the scenario other than seed and replicate, the sweep's own")
        return self


class ArmConfig(Section):
    """``[[arms]]``: a version of the scenario, to be compared with the first arm on the same random numbers."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,63}$")
    """Names the arm in the results."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Keys that this arm changes: ``{ "exchange.populations.momentum.remove" = true }``; may be empty."""


class DesignConfig(Section):
    """``[design]``: which combinations of the factors' values are run."""

    kind: Literal["grid", "list", "random", "latin_hypercube", "sobol", "saltelli"] = "grid"
    """``grid`` crosses all values; ``list`` takes the first of each, the second of each, ...; the others draw."""
    samples: int | None = Field(default=None, ge=1, le=MAX_CELLS)
    """Points to draw; of ``saltelli`` base points, each of which makes factors + 2 points."""
    zip: tuple[tuple[str, ...], ...] = ()
    """Factors of a grid that move together instead of being crossed: ``[["tick_size", "lot_size"]]``."""
    second_order: bool = False
    """Whether ``saltelli`` also draws what pairs of factors need: 2 x factors + 2 points a base point."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind in SAMPLED:
            if self.samples is None:
                raise ValueError(f'samples: expected a number of points, since kind is "{self.kind}"')
            if self.kind in POWER_OF_TWO and self.samples & (self.samples - 1):
                raise ValueError(f'samples: expected a power of two such as 64, since kind is "{self.kind}"')
        elif self.samples is not None:
            raise ValueError(f'samples: expected no such key, since kind is "{self.kind}"')
        if self.zip and self.kind != "grid":
            raise ValueError(f'zip: expected no such key, since kind is "{self.kind}"')
        if self.second_order and self.kind != "saltelli":
            raise ValueError(f'second_order: expected no such key, since kind is "{self.kind}"')
        return self


class LimitsConfig(Section):
    """``[limits]``: what a cell may cost, and how often it is tried."""

    retries: int = Field(default=2, ge=0, le=100)
    """How often a cell is tried again that failed, was killed or went over a limit."""
    time: Annotated[Duration, Field(ge=MILLISECOND)] | None = None
    """Wall-clock time of one attempt; without it there is no limit."""
    memory: str | None = Field(default=None, pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?(MB|GB)$", examples=["2GB"])
    """Resident memory of the process that runs the cell; an idle one has about 300MB."""

    @property
    def time_s(self) -> float | None:
        """The time limit in seconds."""
        return None if self.time is None else self.time / 1e9

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit in bytes."""
        if self.memory is None:
            return None
        return int(float(self.memory[:-2]) * {"MB": 10**6, "GB": 10**9}[self.memory[-2:]])


class SweepConfig(Section):
    """A sweep: a scenario, what is changed in it, and how often each version is run."""

    name: str = Field(default="sweep", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Names the sweep directory: letters, digits, ``_``, ``.`` and ``-``. Default: the file's name."""
    scenario: Path
    """The scenario that every cell runs, relative to this file."""
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    """Seed of every cell, and of the design's own draws; default: the scenario's."""
    replicates: int = Field(default=1, ge=1, le=100_000)
    """Runs of each point; raising it later adds runs to a sweep and repeats none."""
    common_random_numbers: bool = True
    """Whether replicate r of every point has the same draws, which makes differences between points sharper."""
    keep: Literal["runs", "measures"] = "runs"
    """What stays on disk of a complete cell: its run directory, or its measures alone."""
    measures: Literal["all"] | tuple[str, ...] = "all"
    """Measures that the report shows."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Keys that are changed in every cell, by path: ``{ duration = "5min", "record.tables" = [...] }``."""
    design: DesignConfig = DesignConfig()
    """Which combinations are run."""
    factors: tuple[FactorConfig, ...] = ()
    """What is varied."""
    arms: tuple[ArmConfig, ...] = ()
    """Versions that are compared at every point of the design."""
    limits: LimitsConfig = LimitsConfig()
    """What a cell may cost."""

    @model_validator(mode="after")
    def _names_are_apart(self) -> Self:
        names = [factor.name for factor in self.factors]
        for number, name in enumerate(names):
            if name in OWN_COLUMNS:
                raise ValueError(
                    f"factors.{name}.name: expected another name than a column's own: {', '.join(OWN_COLUMNS)}"
                )
            if name in names[:number]:
                raise ValueError(f"factors.{name}.name: expected a name of its own")
        paths = [factor.path for factor in self.factors]
        for factor, path in zip(self.factors, paths, strict=True):
            if paths.count(path) > 1:
                raise ValueError(f"factors.{factor.name}.path: expected a path that no other factor has")
        return self

    @model_validator(mode="after")
    def _nothing_is_set_twice(self) -> Self:
        factors = {factor.path: factor.name for factor in self.factors}
        for table, own in [("set", self.set), *((f"arms.{arm.name}.set", arm.set) for arm in self.arms)]:
            for path in flat(own):
                if path in RESERVED_PATHS:
                    raise ValueError(f"{table}: expected no {path}, which is the sweep's own")
                if path in factors:
                    raise ValueError(f"{table}: expected no {path}, which is the factor {factors[path]}")
        return self

    @model_validator(mode="after")
    def _fits_the_design(self) -> Self:
        if self.design.kind in SAMPLED:
            if not self.factors:
                raise ValueError(f'factors: expected at least one, since design.kind is "{self.design.kind}"')
            return self
        for factor in self.factors:
            if factor.is_range:
                kind = self.design.kind
                raise ValueError(
                    f'factors.{factor.name}.low: expected values in place of a range, since design.kind is "{kind}"'
                )
        groups = [tuple(factor.name for factor in self.factors)] if self.design.kind == "list" else self.design.zip
        for group in groups:
            self._check_group(group)
        return self

    def _check_group(self, group: tuple[str, ...]) -> None:
        """Refuse factors that cannot move together."""
        factors = {factor.name: factor for factor in self.factors}
        for name in group:
            if name not in factors:
                known = ", ".join(factors) or "there is none"
                raise ValueError(f"design.zip: expected names of factors ({known}); found {name}")
            if sum(name in other for other in self.design.zip) > 1 or group.count(name) > 1:
                raise ValueError(f"design.zip: expected each factor once; found {name} again")
        lengths = {name: len(factors[name].values) for name in group}
        for name in group[1:]:
            if lengths[name] != lengths[group[0]]:
                raise ValueError(
                    f"factors.{name}.values: expected {lengths[group[0]]} values, as many as {group[0]} has, "
                    f"with which it moves; found {lengths[name]}"
                )


def flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of keys to set as path to value, tables inside it spelled out.

    Examples
    --------
    >>> flat({"duration": "1s", "exchange": {"depth": {"levels": 5}}})
    {'duration': '1s', 'exchange.depth.levels': 5}
    """
    return {path: value for path, _, value in flat_keys(table)}


def flat_keys(
    table: Mapping[str, Any], path: str = "", way: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Yield path, place in the table and value of every key that is set."""
    for key, value in table.items():
        below = f"{path}.{dotted((key,))}" if path else key
        if isinstance(value, Mapping) and value:
            yield from flat_keys(value, below, (*way, key))
        else:
            yield below, (*way, key), value
