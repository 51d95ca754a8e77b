"""The cells of a sweep as a table: what each one changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from marketsim.core.durations import parse_duration
from marketsim.core.units import parse_decimal
from marketsim.experiments.config import FactorConfig

if TYPE_CHECKING:
    import pandas as pd

    from marketsim.experiments.loader import Sweep

SECONDS = 1e9


def design_table(sweep: Sweep) -> pd.DataFrame:
    """Return one row a cell: cell, point, arm, replicate, each factor, and the overrides as JSON.

    A factor whose values are numbers, decimals or durations (then in seconds) is a column of numbers; any other is one
    of texts.
    """
    import pandas as pd

    points = list(sweep.design)
    columns: dict[str, list[Any]] = {
        "point": [point.number for point in points],
        "arm": [point.arm for point in points],
    }
    for factor in sweep.config.factors:
        columns[factor.name] = levels(factor, [point.values[factor.name] for point in points])
    columns["changes"] = [json.dumps(dict(point.overrides)) for point in points]
    one = pd.DataFrame(columns)
    cells = pd.concat([one] * sweep.config.replicates, ignore_index=True)
    cells.insert(0, "cell", range(len(cells)))
    cells.insert(3, "replicate", cells["cell"] // len(points))
    return cells


def levels(factor: FactorConfig, values: list[Any]) -> list[Any]:
    """Return the values of a factor as numbers, where all are numbers, else as texts.

    Examples
    --------
    >>> levels(FactorConfig(name="x", path="x", values=("10ms", "1s")), ["10ms", "1s"])
    [0.01, 1.0]
    """
    listed = list(factor.values) or values
    for number in (_plain, _decimal, _seconds):
        try:
            for value in listed:
                number(value)
        except (ValueError, TypeError):
            continue
        return [number(value) for value in values]
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def is_duration(factor: FactorConfig) -> bool:
    """Say whether the levels of a factor are seconds."""
    try:
        return all(_seconds(value) >= 0 for value in (factor.values or (f"1{factor.unit}",)))
    except (ValueError, TypeError):
        return False


def _plain(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return value


def _decimal(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return float(parse_decimal(value))


def _seconds(value: Any) -> float:
    if not isinstance(value, str):
        raise TypeError(value)
    return parse_duration(value) / SECONDS
