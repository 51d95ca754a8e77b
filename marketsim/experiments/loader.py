"""``load_sweep``: from a sweep file to a design whose every cell has been validated.

Faults have the form of a scenario's. One that a cell causes stands at the line of the sweep file that gave the value,
and names the first cell that has it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from marketsim.core.errors import Fault, ScenarioError
from marketsim.core.registry import user_module_file
from marketsim.core.run_directory import file_hashes
from marketsim.experiments.config import MAX_CELLS, SAMPLED, SweepConfig, flat_keys
from marketsim.experiments.design import Design, Point
from marketsim.scenario.document import read_document
from marketsim.scenario.loader import load_scenario
from marketsim.scenario.locate import KeyPath
from marketsim.scenario.overrides import SET_OPTION, split_path
from marketsim.scenario.pydantic_errors import schema_of
from marketsim.scenario.schema import Scenario
from marketsim.scenario.tree import Source, Table, trace
from marketsim.scenario.validation import Validation

DIGEST_LEAVES_OUT = {"replicates", "limits", "measures"}
"""Keys that change no run: a sweep goes on where only these have changed."""


@dataclass(frozen=True)
class Checked:
    """What validating every point found out.

    Attributes
    ----------
    inputs : mapping of str to str
        SHA-256 of every file that a cell depends on, by absolute path.
    warm : tuple of int
        Points that need all kernels between them: to be compiled before the workers begin.
    """

    inputs: Mapping[str, str]
    warm: tuple[int, ...]


class Sweep:
    """A sweep file as read: its keys, its design, and where each key stands.

    Parameters
    ----------
    file : Path
        The sweep file.
    config : SweepConfig
        Its keys.
    root : Table
        Its tree, which knows the lines.
    """

    def __init__(self, file: Path, config: SweepConfig, root: Table) -> None:
        self.file, self.config, self._root = file, config, root

    @cached_property
    def seed(self) -> int:
        """Seed of every cell: the sweep's, or the scenario's own."""
        return self.config.seed if self.config.seed is not None else load_scenario(self.config.scenario).seed

    @cached_property
    def design(self) -> Design:
        """The points."""
        return Design(self.config, self.seed)

    @property
    def n_cells(self) -> int:
        """Number of runs: points times replicates."""
        return len(self.design) * self.config.replicates

    def digest(self, inputs: Mapping[str, str]) -> str:
        """Return what tells this sweep from others: SHA-256 over keys and contents of files, replicates apart."""
        keys = self.config.model_dump(mode="json", exclude=DIGEST_LEAVES_OUT | {"scenario"})
        contents = [inputs.get(str(self.config.scenario.resolve())), sorted(inputs.values())]
        text = json.dumps([keys, self.seed, contents], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def overrides(self, cell: int) -> dict[str, Any]:
        """Return what a cell changes in the scenario, seed and replicate included.

        Cells are numbered by replicate first: those of replicate 0, then those of replicate 1, ...
        """
        replicate, point = divmod(cell, len(self.design))
        number = replicate if self.config.common_random_numbers else cell
        return {**self.design[point].overrides, "seed": self.seed, "replicate": number}

    # ---- Validation ------------------------------------------------------------------------------------------

    def check(self, progress: Callable[[int, int], object] | None = None) -> Checked:
        """Validate the scenario of every point, before anything runs.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of points so far and of all.

        Raises
        ------
        ScenarioError
            Some cannot be used; ``faults`` holds each fault once, with the first cell that has it.
        """
        faults: dict[Fault, list[int]] = {}
        files: set[Path] = set()
        warm: dict[object, int] = {}
        for point in self.design:
            try:
                scenario = load_scenario(self.config.scenario, point.overrides)
            except ScenarioError as error:
                for fault in error.faults:
                    faults.setdefault(self._placed(fault, point), []).append(point.number)
            else:
                files |= {*scenario.files, *_modules(scenario)}
                warm.setdefault(_kinds(scenario), point.number)
            if progress is not None:
                progress(point.number + 1, len(self.design))
        if faults:
            raise ScenarioError(self._named(fault, cells) for fault, cells in faults.items())
        return Checked(file_hashes(sorted(files)), tuple(warm.values()))

    def _placed(self, fault: Fault, point: Point) -> Fault:
        """Return a fault at the line of the sweep file that caused it; one of the scenario's own stays as it is."""
        if fault.file != SET_OPTION:
            return fault
        source = self._source_of(fault.path, point)
        return fault._replace(file=source.file, line=source.line)

    def _source_of(self, path: str, point: Point) -> Source:
        """Return the line that set a path of the scenario for a point: arm before factor before what all share."""
        wanted = _parts(path)
        places: list[tuple[str, KeyPath]] = [(key, ("set", *way)) for key, way, _ in flat_keys(self.config.set)]
        for number, factor in enumerate(self.config.factors):
            where: KeyPath = ("factors", number, "values")
            if factor.values:
                where = (*where, list(map(_lists, factor.values)).index(_lists(point.values[factor.name])))
            places.append((factor.path, where if factor.values else ("factors", number, "path")))
        for number, arm in enumerate(self.config.arms):
            if arm.name == point.arm:
                places += [(key, ("arms", number, "set", *way)) for key, way, _ in flat_keys(arm.set)]
        related = [(len(_parts(key)), place) for key, place in places if _related(_parts(key), wanted)]
        best = max((depth for depth, _ in related), default=0)
        location: KeyPath = next((place for depth, place in reversed(related) if depth == best), ())
        return trace(self._root, location)[1]

    def _named(self, fault: Fault, cells: Sequence[int]) -> Fault:
        """Add the first cell that has the fault; where all have it, it is no cell's."""
        if len(cells) == len(self.design):
            return fault
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        return fault._replace(expected=f"{fault.expected} (cell {cells[0]}{more}: {self.design[cells[0]].label()})")


def load_sweep(path: str | Path) -> Sweep:
    """Return the sweep of a TOML file. Its cells are validated by ``Sweep.check``.

    Raises
    ------
    ScenarioError
        The file cannot be used; ``faults`` lists everything that is wrong with it, each with its line.
    """
    path = Path(path)
    document = read_document(path, str(path), "a sweep")
    faults = list(document.faults)
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem).lstrip("_.-")[:64] or "sweep"
    config = _SweepValidation(document.root, name, faults).sweep()
    if config is None:
        raise ScenarioError(sorted(dict.fromkeys(faults), key=lambda fault: fault.line))
    sweep = Sweep(path, config, document.root)
    if not config.scenario.is_file():
        node = trace(document.root, ("scenario",))[1]
        found = "a directory" if config.scenario.is_dir() else "no such file"
        raise ScenarioError([node.fault("scenario", f'"{config.scenario}", {found}', "a scenario in TOML")])
    _require_few_cells(sweep, document.root)
    return sweep


class _SweepValidation(Validation):
    """A scenario's validation, on another schema."""

    def sweep(self) -> SweepConfig | None:
        """Return the keys of the sweep; None where there are faults."""
        schema = schema_of(SweepConfig)
        data = self._with_absolute_paths(self._data, schema, (), schema)
        config = self._validate(SweepConfig, data, ())
        return config if not self.faults else None


def _require_few_cells(sweep: Sweep, root: Table) -> None:
    """Refuse a design that nobody meant, before its points are made."""
    config = sweep.config
    combinations = config.design.samples or 1
    if config.design.kind == "saltelli":
        combinations *= (1 + config.design.second_order) * len(config.factors) + 2
    if config.design.kind not in SAMPLED:
        combinations = sweep.design.n_combinations
    cells = combinations * max(1, len(config.arms)) * config.replicates
    if cells > MAX_CELLS:
        source = trace(root, ("design",))[1] if config.design.samples else trace(root, ("replicates",))[1]
        raise ScenarioError([source.fault("", f"{cells:,} cells", f"at most {MAX_CELLS:,}")])


def _modules(scenario: Scenario) -> list[Path]:
    """Return the files of the user's own kinds."""
    found = (user_module_file(name, folder) for name, folder in scenario.plugins.items())
    return [file for file in found if file is not None]


def _kinds(scenario: Scenario) -> object:
    """Return what decides which kernels a scenario needs."""
    exchange = scenario.exchange
    populations = frozenset(table.kind for table in exchange.populations) if exchange is not None else None
    return populations, scenario.storefront is not None, frozenset(table.kind for table in scenario.agents)


def _parts(path: str) -> list[str]:
    try:
        return split_path(path)
    except ValueError:
        return [path]


def _related(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether one path leads to the other or is the other."""
    length = min(len(one), len(other))
    return length > 0 and list(one[:length]) == list(other[:length])


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, tuple | list) else value
