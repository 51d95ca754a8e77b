"""``load_scenario``: from a TOML file and ``--set`` options to a ``Scenario``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from marketsim.core.errors import Fault, ScenarioError
from marketsim.scenario.merge import merge, read_layers
from marketsim.scenario.overrides import SET_OPTION, Overrides, apply_overrides
from marketsim.scenario.schema import Scenario
from marketsim.scenario.tree import Table
from marketsim.scenario.validation import Validation


def load_scenario(path: str | Path, overrides: Overrides = ()) -> Scenario:
    """Return the scenario of a TOML file.

    Parameters
    ----------
    path : path
        The file. What it ``extends`` is read too; a user's own kinds run the code of their modules.
    overrides : sequence of str, or mapping of str to value
        Keys to change, as ``--set`` takes them: ``["seed=7", "exchange.populations.value.count=50"]``, or
        ``{"seed": 7}``.

    Raises
    ------
    ScenarioError
        It cannot be used; ``faults`` lists everything that is wrong with it, each with file and line.

    Examples
    --------
    >>> load_scenario("scenarios/quickstart.toml", {"seed": 7}).seed  # doctest: +SKIP
    7
    """
    path = Path(path)
    layers = read_layers(path)
    main = layers[-1]
    root = Table({}, main.root.source)
    faults: list[Fault] = []
    for document in layers:
        faults += document.faults + merge(root, document.root)
    faults += apply_overrides(root, overrides, path.resolve().parent)
    scenario = Validation(root, _name_of(path), faults).scenario()
    if scenario is None:
        raise ScenarioError(_in_order(faults, [str(document.root.source.file) for document in reversed(layers)]))
    scenario.__pydantic_private__["_files"] = tuple(  # type: ignore[index]
        document.path.resolve() for document in reversed(layers)
    )
    return scenario


def _name_of(path: Path) -> str:
    """Return the default name of a scenario: its file's, with other characters than a name may have replaced."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem).lstrip("_.-")[:64] or "scenario"


def _in_order(faults: Sequence[Fault], files: Sequence[str]) -> list[Fault]:
    """Return the faults in the order of the file, those of bases next, of other files next, and of ``--set`` last."""
    order = {SET_OPTION: len(files) + 1} | {file: position for position, file in enumerate(files)}
    unique: dict[tuple[str, ...], Fault] = {}
    for fault in faults:  # a rule between sections and the schema may say the same of one key
        unique.setdefault((fault.file, str(fault.line), fault.path or str(fault)), fault)
    return sorted(unique.values(), key=lambda fault: (order.get(fault.file, len(files)), fault.line))
