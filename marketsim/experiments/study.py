"""``Study``: the results of a sweep as tables, with intervals, differences and sensitivities."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from marketsim.analysis.replicates import LEVEL, mean_interval, paired_difference, replicates_needed, t_half_width
from marketsim.analysis.sensitivity import SobolIndices, sobol_indices
from marketsim.core.durations import format_duration
from marketsim.core.rng import generator, stream_key
from marketsim.experiments.config import OWN_COLUMNS, SAMPLED, FactorConfig, SweepConfig
from marketsim.experiments.design_table import SECONDS, is_duration
from marketsim.experiments.directory import (
    CELLS,
    COMPLETE,
    COMPLETE_CODE,
    FAILED,
    FAILED_CODE,
    SweepDirectory,
    open_sweep_directory,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_LEVELS = 12
"""Values of a factor that a response shows one by one; more are put into classes of equal size."""
N_CLASSES = 8


class Study:
    """A sweep on disk. Made by ``marketsim.sweep`` and ``open_study``; a sweep that has not ended can be read too.

    Parameters
    ----------
    directory : SweepDirectory
        The sweep directory.

    Examples
    --------
    >>> study = marketsim.sweep("scenarios/sweeps/tick_size.toml")  # doctest: +SKIP
    >>> study.results[["tick_size", "replicate", "spread_mean"]]  # doctest: +SKIP
    >>> study.response("tick_size", "spread_mean")  # doctest: +SKIP
    """

    def __init__(self, directory: SweepDirectory) -> None:
        self.directory = directory

    # ---- What it is ------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The sweep directory."""
        return self.directory.path

    @property
    def status(self) -> str:
        """``complete``; ``incomplete`` where cells failed; ``interrupted``; ``running``, also of a killed one."""
        return str(self.directory.manifest["status"])

    @cached_property
    def config(self) -> SweepConfig:
        """The keys of the sweep file, every default written out."""
        keys = {key: value for key, value in self.directory.manifest["config"].items() if value is not None}
        return SweepConfig.model_validate({**_without_none(keys), "scenario": Path(keys["scenario"])})

    @property
    def factors(self) -> list[str]:
        """Names of the factors."""
        return [factor.name for factor in self.config.factors]

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return [arm.name for arm in self.config.arms]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many cells there are, are complete, failed, and are still to run."""
        states = self.directory.states()
        complete, failed = int((states == COMPLETE_CODE).sum()), int((states == FAILED_CODE).sum())
        return {
            "cells": len(states),
            "complete": complete,
            "failed": failed,
            "pending": len(states) - complete - failed,
        }

    # ---- Results ---------------------------------------------------------------------------------------------

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row a cell: number, arm, replicate, factors, what became of it, and its measures."""
        import pandas as pd

        cells = pd.read_parquet(self.path / CELLS).drop(columns="changes")
        found = {outcome.cell: outcome for outcome in self.directory.outcomes()}
        rows = [
            {
                "cell": outcome.cell,
                "status": outcome.status,
                "digest": outcome.digest or "",
                "seconds": outcome.seconds,
                "attempts": outcome.attempts,
                "error": outcome.error,
                **(outcome.measures if outcome.status == COMPLETE else {}),
            }
            for outcome in found.values()
        ]
        own = pd.DataFrame(rows, columns=["cell", *OWN_COLUMNS[4:]]) if not rows else pd.DataFrame(rows)
        table = cells.merge(own, on="cell", how="left")
        table["status"] = table["status"].fillna("pending")
        for name in ("digest", "error"):
            table[name] = table[name].fillna("")
        table["attempts"] = table["attempts"].fillna(0).astype("int64")
        return table

    @property
    def failures(self) -> pd.DataFrame:
        """The cells that failed, with the error of their last attempt."""
        table = self.results
        return table.loc[table["status"] == FAILED, ["cell", "arm", "replicate", *self.factors, "attempts", "error"]]

    @cached_property
    def measures(self) -> list[str]:
        """Names of the measures that the sweep file asks for, or of all."""
        known = [name for name in self.results.columns if name not in (*OWN_COLUMNS, *self.factors)]
        if self.config.measures == "all":
            return known
        return [name for name in self.config.measures if name in known]

    @cached_property
    def provenance(self) -> tuple[str, ...]:
        """Where decisions came from in the complete runs: rule, respondent, recorded, live."""
        return tuple(sorted({kind for outcome in self.directory.outcomes() for kind in outcome.provenance}))

    @cached_property
    def point_labels(self) -> dict[int, str]:
        """Each point in words: ``tick_size = 0.01``."""
        rows = self.results.drop_duplicates("point").set_index("point")[self.factors]
        return {
            int(str(point)): ", ".join(f"{name} = {self.word(name, row[name])}" for name in self.factors)
            or "the scenario as it is"
            for point, row in rows.iterrows()
        }

    def run_path(self, cell: int) -> Path:
        """Return the run directory of a cell, for ``marketsim.open_run``."""
        return self.directory.run_path(cell)

    def sql(self, query: str) -> pd.DataFrame:
        """Return the rows of a query over every table of every complete run; see ``experiments.sql``."""
        from marketsim.experiments.sql import open_database

        with open_database(self.path) as database:
            return database.frame(query)

    # ---- Statistics ------------------------------------------------------------------------------------------

    def summary(
        self,
        measures: Sequence[str] | None = None,
        level: float = LEVEL,
        method: Literal["t", "bootstrap"] = "t",
    ) -> pd.DataFrame:
        """Return mean and interval over replicates, one row a point and measure.

        Parameters
        ----------
        measures : sequence of str, optional
            Which; by default ``self.measures``.
        level : float
            Probability of the intervals.
        method : str
            ``"t"`` or ``"bootstrap"``.

        Returns
        -------
        DataFrame
            point, arm, each factor, measure, n, mean, deviation, low, high.
        """
        import pandas as pd

        names = list(self._known(measures))
        places = self.results.drop_duplicates("point").set_index("point")[["arm", *self.factors]].sort_index()
        groups = self.results.groupby("point", sort=True)[names]
        if method == "bootstrap":
            found = {point: self._bootstrapped(cells, names, level, int(str(point))) for point, cells in groups}
            table = pd.concat(found, names=["point"]).reset_index(level=0)
        else:
            n, mean, deviation = groups.count(), groups.mean(), groups.std()
            half = t_half_width(n.to_numpy(), deviation.to_numpy(), level)
            columns = {"n": n, "mean": mean, "deviation": deviation, "low": mean - half, "high": mean + half}
            table = pd.concat({name: each.stack(future_stack=True) for name, each in columns.items()}, axis=1)
            table = table.reset_index(names=["point", "measure"])
        return places.merge(table, left_index=True, right_on="point")[
            ["point", "arm", *self.factors, "measure", "n", "mean", "deviation", "low", "high"]
        ].reset_index(drop=True)

    def _bootstrapped(self, cells: pd.DataFrame, names: Sequence[str], level: float, point: int) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for number, name in enumerate(names):
            rng = self._draws("bootstrap", point, number)
            found = mean_interval(cells[name].to_numpy(np.float64), level, "bootstrap", rng)
            rows.append({"measure": name, **vars(found)})
        return pd.DataFrame(rows)

    def response(self, factor: str, measure: str, level: float = LEVEL) -> pd.DataFrame:
        """Return how a measure goes with a factor: mean over all else, with intervals, one row an arm and value.

        Where every value has its own replicates, these are the repetitions behind the interval: each is first averaged
        over the other factors. In a sampled design the repetitions are the cells, and a factor with many values is put
        into classes of equal size.

        Raises
        ------
        ValueError
            There is no such factor or measure.
        """
        import pandas as pd

        self._known([measure])
        if factor not in self.factors:
            raise ValueError(f"expected a factor, one of {', '.join(self.factors)}; found {factor!r}")
        table = self.results.assign(at=self._classes(self.results[factor]))
        sampled = self.config.design.kind in SAMPLED
        rows = []
        for (arm, at), cells in table.groupby(["arm", "at"], sort=True):
            values = cells[measure] if sampled else cells.groupby("replicate")[measure].mean()
            found = mean_interval(values.to_numpy(np.float64), level)
            rows.append({"arm": arm, factor: at, "measure": measure, **vars(found)})
        return pd.DataFrame(rows)

    def effects(self, measures: Sequence[str] | None = None, level: float = LEVEL) -> pd.DataFrame:
        """Return what each arm changes against the first, pair by pair; without arms, each point against point 0.

        Pairs share factor values and replicate. With several points an arm's difference is averaged over them first, so
        that the repetitions are the replicates.

        Returns
        -------
        DataFrame
            arm or point, measure, n, base, difference, deviation, low, high, p_value, correlation and variance_ratio
            of the two arms (common random numbers help where the ratio is below 1).
        """
        import pandas as pd

        rows = []
        for measure in self._known(measures):
            if self.arms:
                wide = self.results.pivot_table(
                    index="replicate", columns="arm", values=measure, aggfunc=_whole_mean, dropna=False
                )
                names: Sequence[Any] = self.arms
                key = "arm"
            else:
                wide = self.results.pivot(index="replicate", columns="point", values=measure)
                names = list(wide.columns)
                key = "point"
            for name in names[1:]:
                found = paired_difference(wide[names[0]].to_numpy(np.float64), wide[name].to_numpy(np.float64), level)
                rows.append({key: name, "measure": measure, **vars(found)})
        return pd.DataFrame(rows)

    def associations(self, measures: Sequence[str] | None = None) -> pd.DataFrame:
        """Return Spearman's rank correlation of each measure (columns) with each factor of numbers (rows)."""
        import pandas as pd

        names = list(self._known(measures))
        numeric = [name for name in self.factors if pd.api.types.is_numeric_dtype(self.results[name])]
        ranks = self.results[[*numeric, *names]].rank()
        return ranks.corr(min_periods=3).loc[numeric, names]

    def power(self, measure: str, difference: float, power: float = 0.9, alpha: float = 0.05) -> pd.DataFrame:
        """Return how many replicates find a difference, with the runs so far as pilot.

        Parameters
        ----------
        measure : str
            Of which measure.
        difference : float
            What is to be found, in its unit.
        power, alpha : float
            Probabilities to find it, and to find one where there is none.

        Returns
        -------
        DataFrame
            arm or point, deviation of the paired differences, ``replicates`` needed with common random numbers, and
            ``independent``: those needed without.

        Raises
        ------
        ValueError
            There is no such measure, or fewer than two pairs.
        """
        table = self.effects([measure])
        if table.empty or (table["n"] < 2).any():
            raise ValueError("expected a pilot of at least two replicates of at least two arms or points")
        ratio = table["variance_ratio"].where(table["variance_ratio"] > 0)
        alone = (table["deviation"] / ratio**0.5).fillna(0.0)
        table["replicates"] = [replicates_needed(each, difference, power, alpha) for each in table["deviation"]]
        table["independent"] = [replicates_needed(each, difference, power, alpha) for each in alone]
        key = "arm" if self.arms else "point"
        return table[[key, "measure", "n", "deviation", "correlation", "variance_ratio", "replicates", "independent"]]

    def sensitivity(self, measure: str, arm: str = "", level: float = LEVEL) -> SobolIndices:
        """Return the Sobol' indices of a measure, averaged over replicates, in a saltelli design.

        Raises
        ------
        ValueError
            The design is another one, a cell is missing, or the measure does not vary.
        """
        self._known([measure])
        if self.config.design.kind != "saltelli":
            raise ValueError(f'expected design.kind = "saltelli"; found "{self.config.design.kind}"')
        table = self.results
        table = table[table["arm"] == (arm or table["arm"].iloc[0])]
        value = table.groupby("point", sort=True)[measure].agg(_whole_mean).to_numpy(np.float64)
        return sobol_indices(
            value,
            self.factors,
            self._draws("sobol", 0, 0),
            second_order=self.config.design.second_order,
            level=level,
        )

    def report(self, out: str | Path | None = None) -> Path:
        """Write the HTML report and return where it is: ``report.html`` in the sweep directory, or ``out``."""
        from marketsim.experiments.reporting import write_sweep_report

        return write_sweep_report(self, out)

    def factor(self, name: str) -> FactorConfig:
        """Return the keys of a factor."""
        return next(factor for factor in self.config.factors if factor.name == name)

    def word(self, name: str, value: Any) -> str:
        """Return a factor's value in words: ``50us`` for 0.00005 seconds."""
        if isinstance(value, str):
            return value
        if is_duration(self.factor(name)):
            return f"{value:.3g}s" if self.factor(name).is_range else format_duration(round(value * SECONDS))
        return f"{value:g}"

    # ---- Looks -----------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return path, status and counts."""
        counts = self.counts
        return f"Study({str(self.path)!r}, status={self.status!r}, complete={counts['complete']} of {counts['cells']})"

    def _repr_html_(self) -> str:
        title = f"<p><b>{html.escape(self.config.name)}</b>: {html.escape(repr(self))}</p>"
        return title + self.summary().to_html(index=False, float_format="{:.4g}".format, max_rows=40)

    # ---- Parts -----------------------------------------------------------------------------------------------

    def _known(self, measures: Sequence[str] | None) -> Sequence[str]:
        if measures is None:
            return self.measures
        for name in measures:
            if name not in self.results.columns or name in (*OWN_COLUMNS, *self.factors):
                raise ValueError(f"expected a measure, one of {', '.join(self.measures)}; found {name!r}")
        return measures

    def _classes(self, values: pd.Series) -> pd.Series:
        """Return a factor's values, or the mean of the class each falls into where there are too many."""
        import pandas as pd

        if values.nunique() <= MAX_LEVELS or not pd.api.types.is_numeric_dtype(values):
            return values
        ranks = pd.qcut(values.rank(method="first"), N_CLASSES, labels=False)
        return values.groupby(ranks).transform("mean")

    def _draws(self, purpose: str, number: int, entity: int) -> np.random.Generator:
        seed = int(self.directory.manifest["seed"])
        return generator(stream_key(seed, 0, "experiments", self.config.name, purpose), number, entity)


def open_study(path: str | Path) -> Study:
    """Return a sweep on disk, whatever its status.

    Raises
    ------
    RunDirectoryError
        There is none.
    """
    return Study(open_sweep_directory(path))


def _whole_mean(values: Any) -> float:
    """Return the mean; NaN where one is missing, so that arms are compared at the same points."""
    return float(np.mean(np.asarray(values, np.float64)))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(child) for key, child in value.items() if child is not None}
    return [_without_none(child) for child in value] if isinstance(value, list) else value
