"""``compare_runs``: what two runs, or two sweeps, have different.

Two runs: keys of the scenario, the first event in which their logs part, statistics side by side with a paired test
over blocks of time. Two sweeps: the same statistics with a paired test over cells of the same factor values, arm and
replicate.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from marketsim.analysis.replicates import paired_difference
from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import COMPLETE, SCENARIO, RunDirectory, open_run_directory
from marketsim.experiments.directory import SWEEP_FILE, is_sweep_directory
from marketsim.experiments.first_difference import FirstDifference, differences
from marketsim.experiments.measures import measure_run
from marketsim.scenario.document import read_document
from marketsim.scenario.tree import Leaf, Node, Table
from marketsim.scenario.wording import dotted

if TYPE_CHECKING:
    from marketsim.analysis.columns import FloatArray
    from marketsim.analysis.summary import InstrumentSummary

N_BLOCKS = 10
"""Blocks of time that two runs are compared in; divides the bins of every series."""

ENGINES_BESIDE = frozenset({"llm"})
"""What writes tables into runs of any kind."""

MISSING = "missing"


@dataclass(frozen=True)
class KeyDifference:
    """A key that two scenarios have different; None where one lacks it."""

    path: str
    a: Any
    b: Any


@dataclass(frozen=True)
class StatisticDifference:
    """A statistic of two runs side by side.

    Attributes
    ----------
    measure : str
        Its name.
    a, b : float or None
        Values; in two sweeps means over the pairs.
    difference : float or None
        b minus a.
    pairs : str
        What the paired test counts, ``blocks of time`` or ``cells``; empty where there is none.
    n : int
        Number of pairs.
    low, high, p_value : float or None
        95 % interval of the mean difference of the pairs, and the paired t-test.
    """

    measure: str
    a: float | None
    b: float | None
    difference: float | None
    pairs: str = ""
    n: int = 0
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What two runs or sweeps have different.

    Attributes
    ----------
    kind : str
        ``runs`` or ``sweeps``.
    a, b : str
        Their directories.
    digests : tuple of (str or None)
        Of the two runs.
    scenario : tuple of KeyDifference
        Keys that differ.
    tables : tuple of FirstDifference
        The first difference of each table, the earliest first; of runs only.
    statistics : tuple of StatisticDifference
        Side by side.
    """

    kind: str
    a: str
    b: str
    digests: tuple[str | None, str | None]
    scenario: tuple[KeyDifference, ...]
    tables: tuple[FirstDifference, ...]
    statistics: tuple[StatisticDifference, ...]

    @property
    def identical(self) -> bool:
        """Whether both are complete and have one digest."""
        return self.digests[0] is not None and self.digests[0] == self.digests[1]

    @property
    def first(self) -> FirstDifference | None:
        """The first event in which the logs part."""
        return self.tables[0] if self.tables else None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "kind": self.kind,
            "a": self.a,
            "b": self.b,
            "identical": self.identical,
            "digests": list(self.digests),
            "scenario": [asdict(each) for each in self.scenario],
            "first_difference": None if self.first is None else asdict(self.first),
            "tables": [asdict(each) for each in self.tables],
            "statistics": [asdict(each) for each in self.statistics],
        }


def compare_runs(a: str | Path, b: str | Path) -> Comparison:
    """Compare two run directories, or two sweep directories.

    Raises
    ------
    RunDirectoryError
        One is missing, damaged or of an older schema, or the two are of different kinds.
    """
    kinds = ["a sweep" if is_sweep_directory(path) else "a run" for path in (a, b)]
    if kinds == ["a sweep", "a sweep"]:
        return _compare_sweeps(Path(a), Path(b))
    if "a sweep" in kinds and all(Path(path).is_dir() for path in (a, b)):
        raise RunDirectoryError(f"{a} is {kinds[0]} and {b} is {kinds[1]}; expected two of one kind")
    first, second = open_run_directory(a), open_run_directory(b)
    venues = [sorted({name.partition("/")[0] for name in run.counts} - ENGINES_BESIDE) for run in (first, second)]
    if venues[0] != venues[1]:
        found = [", ".join(names) or "nothing" for names in venues]
        raise RunDirectoryError(f"{a} has tables of {found[0]} and {b} of {found[1]}; expected runs of one kind")
    return Comparison(
        kind="runs",
        a=str(a),
        b=str(b),
        digests=(first.digest, second.digest),
        scenario=tuple(_key_differences(Path(a) / SCENARIO, Path(b) / SCENARIO)),
        tables=tuple(differences(first, second)),
        statistics=tuple(_statistics(first, second)),
    )


# ---- Scenarios -----------------------------------------------------------------------------------------------


def _key_differences(a: Path, b: Path) -> Iterator[KeyDifference]:
    """Yield the keys in which two resolved files differ, tables of arrays by name."""
    first, second = (dict(_leaves(read_document(file, str(file)).root)) for file in (a, b))
    for path in dict.fromkeys([*first, *second]):
        if first.get(path, MISSING) != second.get(path, MISSING):
            yield KeyDifference(path, first.get(path), second.get(path))


def _leaves(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Leaf):
        yield dotted(path), node.value
        return
    children = node.keys if isinstance(node, Table) else node.tables
    for key, child in children.items():
        yield from _leaves(child, (*path, key))


# ---- Statistics ----------------------------------------------------------------------------------------------


def _statistics(a: RunDirectory, b: RunDirectory) -> Iterator[StatisticDifference]:
    first, second = measure_run(a), measure_run(b)
    blocks = _blocks(a, b)
    for name in dict.fromkeys([*first, *second]):
        one, other = first.get(name), second.get(name)
        difference = None if one is None or other is None else other - one
        if name in blocks:
            yield _tested(name, one, other, *blocks[name], "blocks of time")
        else:
            yield StatisticDifference(name, one, other, difference)


def _tested(
    name: str, a: float | None, b: float | None, first: FloatArray, second: FloatArray, pairs: str
) -> StatisticDifference:
    found = paired_difference(first, second)
    difference = None if a is None or b is None else b - a
    return StatisticDifference(
        name, a, b, difference, pairs, found.n, _finite(found.low), _finite(found.high), _finite(found.p_value)
    )


def _blocks(a: RunDirectory, b: RunDirectory) -> Mapping[str, tuple[FloatArray, FloatArray]]:
    """Return statistics by block of time, of two complete exchanges over the same time; none otherwise."""
    same_time = a.manifest["duration"] == b.manifest["duration"]
    if not same_time or {a.status, b.status} != {COMPLETE} or not a.manifest.get("instruments"):
        return {}
    from marketsim.report.reading import read_run

    both = [{one.instrument.symbol: one for one in read_run(run).exchange.instruments} for run in (a, b)]
    found: dict[str, tuple[FloatArray, FloatArray]] = {}
    for symbol in both[0].keys() & both[1].keys():
        prefix = f"{symbol}." if len(both[0]) > 1 else ""
        first, second = (dict(_by_block(each[symbol])) for each in both)
        found |= {prefix + name: (first[name], second[name]) for name in first.keys() & second.keys()}
    return found


def _by_block(one: InstrumentSummary) -> Iterator[tuple[str, FloatArray]]:
    """Yield what the series of a run's summary give in each block of time."""
    if "exchange/trades" in one.recorded:
        lots = (one.trades.bought_lots + one.trades.sold_lots).astype(np.float64)
        yield "volume_lots", N_BLOCKS * lots.reshape(N_BLOCKS, -1).sum(axis=1)  # so that their mean is the run's
    if "exchange/quotes" in one.recorded:
        spread = np.where(np.isfinite(one.quotes.spread.mean), one.quotes.spread.mean, np.nan).reshape(N_BLOCKS, -1)
        present = np.isfinite(spread)
        total = np.where(present, spread, 0.0).sum(axis=1)
        count = present.sum(axis=1)
        yield "spread_mean_ticks", np.divide(total, count, out=np.full(N_BLOCKS, np.nan), where=count > 0)


# ---- Sweeps --------------------------------------------------------------------------------------------------


def _compare_sweeps(a: Path, b: Path) -> Comparison:
    """Compare the cells that two sweeps share, pair by pair."""
    from marketsim.experiments.study import open_study

    first, second = open_study(a), open_study(b)
    keys = [name for name in (*first.factors, "arm", "replicate") if name in second.results.columns]
    if set(first.factors) != set(second.factors):
        raise RunDirectoryError(
            f"{a} varies {', '.join(first.factors) or 'nothing'} and {b} {', '.join(second.factors) or 'nothing'}; "
            "expected sweeps over the same factors"
        )
    pairs = first.results.merge(second.results, on=keys, suffixes=("_a", "_b"))
    measures = [name for name in first.measures if name in second.measures]
    statistics = []
    for name in measures:
        one, other = (pairs[f"{name}_{side}"].to_numpy(np.float64) for side in "ab")
        both = np.isfinite(one) & np.isfinite(other)
        means = [float(values[both].mean()) if both.any() else math.nan for values in (one, other)]
        statistics.append(_tested(name, _finite(means[0]), _finite(means[1]), one, other, "cells"))
    digests = [_cells_digest(study.results) for study in (first, second)]
    return Comparison(
        "sweeps",
        str(a),
        str(b),
        (digests[0], digests[1]),
        tuple(_key_differences(a / SWEEP_FILE, b / SWEEP_FILE)),
        (),
        tuple(statistics),
    )


def _cells_digest(results: Any) -> str | None:
    """Return one digest for all cells; None where one is not complete."""
    if not (results["status"] == COMPLETE).all():
        return None
    return hashlib.sha256("\n".join(results["digest"]).encode()).hexdigest()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
