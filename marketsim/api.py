"""The public interface: load a scenario, run it, open a run.

>>> run = marketsim.run("scenarios/quickstart.toml", seed=7)  # doctest: +SKIP
>>> run.trades.head()  # doctest: +SKIP
>>> run.report()  # doctest: +SKIP
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketsim.core.errors import BudgetError, RunDirectoryError
from marketsim.core.run_directory import SCENARIO, RunDirectory, fresh_path, open_run_directory
from marketsim.experiments.study import Study, open_study
from marketsim.scenario.loader import load_scenario

if TYPE_CHECKING:
    import pandas as pd

    from marketsim.analysis.storefront import StorefrontRow
    from marketsim.analysis.tabulation import SummaryRow
    from marketsim.core.tables import Table
    from marketsim.experiments.sweep import Progress as SweepProgress
    from marketsim.report.view import ReportInput
    from marketsim.scenario.schema import Scenario
    from marketsim.simulation.simulation import Simulation
    from marketsim.storefront.page import Page

__all__ = ["Run", "Study", "load_scenario", "open_run", "open_study", "resume", "run", "sweep"]

RUNS_FOLDER = Path("runs")
"""Where run directories go that are given no path, relative to the working directory."""

Progress = Callable[[int, int], object]
"""Called now and then with simulated time in ns and the number of events so far."""


class Run:
    """A run on disk: its tables as pandas frames, its summary, its report.

    Made by ``run``, ``resume`` and ``open_run``. A run that was interrupted or failed can be read like any other.

    Parameters
    ----------
    directory : RunDirectory
        The run directory.

    Examples
    --------
    >>> run = marketsim.open_run("runs/quickstart-s1-3f9a2c")  # doctest: +SKIP
    >>> run.table("exchange/quotes").tail()  # doctest: +SKIP
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory

    # ---- What it is ------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    @property
    def manifest(self) -> dict[str, Any]:
        """What ``manifest.json`` says."""
        return self.directory.manifest

    @property
    def status(self) -> str:
        """``complete``, ``interrupted``, ``failed`` or ``running``."""
        return self.directory.status

    @property
    def digest(self) -> str | None:
        """Digest over all digest columns of all tables; None before the run is complete. Same seed, same digest."""
        return self.directory.digest

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of simulating and recording."""
        return self.directory.seconds

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return self.directory.counts

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as resolved, every default written out."""
        return load_scenario(self.path / SCENARIO)

    # ---- Tables ----------------------------------------------------------------------------------------------

    @property
    def tables(self) -> list[str]:
        """Names of the tables that the run recorded."""
        return sorted(self.counts)

    def table(self, name: str, columns: Sequence[str] | None = None, *, labels: bool = True) -> pd.DataFrame:
        """Return a table as a frame.

        Parameters
        ----------
        name : str
            Such as ``"exchange/trades"``; ``docs/reference/tables.md`` lists all tables and columns.
        columns : sequence of str, optional
            Which columns; all by default.
        labels : bool
            Whether codes become words (``buy``, ``accepted``) and instrument numbers symbols, as categories.

        Raises
        ------
        RunDirectoryError
            The run did not record this table, or one of its files is damaged.
        """
        frame = self.directory.frame(name, columns)
        return _with_words(frame, _declaration(name), self.manifest.get("instruments", [])) if labels else frame

    @property
    def trades(self) -> pd.DataFrame:
        """The table ``exchange/trades``."""
        return self.table("exchange/trades")

    @property
    def quotes(self) -> pd.DataFrame:
        """The table ``exchange/quotes``."""
        return self.table("exchange/quotes")

    @property
    def messages(self) -> pd.DataFrame:
        """The table ``exchange/messages``."""
        return self.table("exchange/messages")

    @property
    def depth(self) -> pd.DataFrame:
        """The table ``exchange/depth``."""
        return self.table("exchange/depth")

    @property
    def impressions(self) -> pd.DataFrame:
        """The table ``storefront/impressions``."""
        return self.table("storefront/impressions")

    @property
    def choices(self) -> pd.DataFrame:
        """The table ``storefront/choices``."""
        return self.table("storefront/choices")

    @property
    def accounts(self) -> pd.DataFrame:
        """The table ``exchange/accounts``, joined with the agents' names and kinds."""
        return self.table("exchange/accounts").merge(self.table("exchange/agents"), on="agent", how="left")

    # ---- Results ---------------------------------------------------------------------------------------------

    @cached_property
    def _view(self) -> ReportInput:
        from marketsim.report.reading import read_run

        return read_run(self.directory)

    @property
    def venues(self) -> list[str]:
        """Which engines ran: ``exchange``, ``storefront`` or both."""
        has = {"exchange": bool(self.manifest.get("instruments")), "storefront": "storefront" in self.manifest}
        return [name for name, is_there in has.items() if is_there]

    def measures(self) -> list[SummaryRow]:
        """Return trades, volume, spread and volatility of each instrument, ready for JSON."""
        from marketsim.analysis.tabulation import summary_table

        return summary_table(self._view.exchange)

    def storefront_measures(self) -> StorefrontRow:
        """Return choice sets, purchases, revenue, welfare and failures of the shop, ready for JSON.

        Raises
        ------
        ValueError
            The run has no shop.
        """
        from marketsim.analysis.storefront import storefront_row

        if self._view.storefront is None:
            raise ValueError("expected a run with a shop; found none in it")
        return storefront_row(self._view.storefront)

    def summary(self, venue: str = "") -> pd.DataFrame:
        """Return what the end of a run prints as a frame.

        Parameters
        ----------
        venue : str
            ``"exchange"``: one row an instrument. ``"storefront"``: one row, rates as columns such as
            ``missed_best.share``, ``missed_best.low``. Default: the first that ran.
        """
        import pandas as pd

        wanted = venue or self.venues[0]
        if wanted not in self.venues:
            raise ValueError(f"expected {' or '.join(self.venues)}; found {wanted!r}")
        if wanted == "exchange":
            return pd.DataFrame(self.measures()).set_index("symbol")
        return pd.json_normalize([dict(self.storefront_measures())]).set_index(pd.Index(["storefront"]))

    def choice_table(self) -> pd.DataFrame:
        """Return the shop's choices as the long table that estimators take, one row an offer shown.

        ``analysis.storefront.choice_table`` says which columns it has.
        """
        from marketsim.analysis.storefront import choice_table

        names = [f"storefront/{name}" for name in ("impressions", "choices", "listings")]
        impressions, *others = (self.table(name, labels=False) if name in self.counts else None for name in names)
        if impressions is None:
            raise RunDirectoryError(f"{self.path}: found no table {names[0]}; expected a run that recorded it")
        return choice_table(impressions, *others)

    def page(self, choice_set: int) -> Page:
        """Return a page that the run recorded, agents' own pages among them.

        Raises
        ------
        RunDirectoryError
            The run has no shop, did not record what was shown or who chose, or its catalogue has changed since.
        ValueError
            It has no such page.
        """
        from marketsim.storefront.checks import load_catalog
        from marketsim.storefront.shown import Visit, page_of_rows

        config = self.scenario.storefront
        if config is None:
            raise RunDirectoryError(f"{self.path}: found no shop, expected a run of a scenario with [storefront]")
        catalog = load_catalog(config)
        if self.directory.table("storefront/listings")["product_id"].to_pylist() != list(catalog.product_id):
            raise RunDirectoryError(f"{self.path}: the catalogue has other products now than when it was run")
        shown, chosen = (self.directory.table(f"storefront/{name}") for name in ("impressions", "choices"))
        rows = shown.filter(_equals(shown["choice_set"], choice_set)).sort_by("slot").to_pylist()
        if not rows:
            raise ValueError(f"expected the number of a page of the run; found {choice_set}")
        (choice,) = chosen.filter(_equals(chosen["choice_set"], choice_set)).to_pylist()
        facts, manifest = self.manifest["storefront"], self.manifest
        query = facts["queries"][choice["query"]] if choice["query"] >= 0 else ""
        category = facts["categories"][choice["category"]] if choice["category"] >= 0 else ""
        visit = Visit(manifest["seed"], manifest["replicate"], choice_set, query, category)
        return page_of_rows(rows, catalog, config, visit)

    def to_aces(self, label: str | None = None) -> tuple[pd.DataFrame, str]:
        """Return the shop's choices as a result file of ACES, and what does not fit into one.

        Parameters
        ----------
        label : str, optional
            ``experiment_label`` of all rows; by default the regime.
        """
        from marketsim.analysis.storefront.aces import GRID_COLUMNS, to_aces

        names = ("impressions", "listings", "choices", "agents")
        missing = [f"storefront/{name}" for name in names if f"storefront/{name}" not in self.counts]
        if missing:
            raise RunDirectoryError(
                f"{self.path}: found no table {missing[0]}; expected a run of a shop that recorded it"
            )
        impressions, listings, choices, agents = (self.table(f"storefront/{name}", labels=False) for name in names)
        facts = self.manifest["storefront"]
        table = to_aces(
            impressions,
            listings,
            choices=choices,
            agents=agents,
            categories=facts["categories"],
            queries=facts["queries"],
            label=facts["regime"] if label is None else label,
        )
        fits = facts["columns"] == GRID_COLUMNS
        note = f"{facts['columns']} columns a page; the analysis of ACES takes every {GRID_COLUMNS} offers for a row"
        return table, "" if fits else note

    def report(self, out: str | Path | None = None) -> Path:
        """Write the HTML report and return where it is: ``report.html`` in the run directory, or ``out``."""
        from marketsim.report.reading import write_report

        return write_report(self.directory, out, view=self._view)

    def to_lobster(self, folder: str | Path, symbol: str = "", levels: int = 10) -> tuple[Path, Path]:
        """Write the order flow of one instrument as LOBSTER message and orderbook files; return their paths.

        Parameters
        ----------
        folder : path
            Where to; it is made where it is not there.
        symbol : str
            Which instrument; by default the first.
        levels : int
            Price levels per side of the orderbook file.
        """
        from marketsim.exchange.lobster.export import export_lobster

        instruments = self.manifest["instruments"]
        symbols = [entry["symbol"] for entry in instruments]
        if symbol and symbol not in symbols:
            raise ValueError(f"expected one of {', '.join(symbols)}; found {symbol!r}")
        number = symbols.index(symbol) if symbol else 0
        messages, trades = (self.directory.table(name) for name in ("exchange/messages", "exchange/trades"))
        return export_lobster(
            messages.filter(_equals(messages["instrument"], number)),
            trades.filter(_equals(trades["instrument"], number)),
            tick_size=instruments[number]["tick_size"],
            folder=Path(folder),
            symbol=symbols[number],
            levels=levels,
            start_ns=int(self.manifest["start"]),
        )

    # ---- Looks -----------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return path, status and digest."""
        return f"Run({str(self.path)!r}, status={self.status!r}, digest={(self.digest or '')[:12]!r})"

    def _repr_html_(self) -> str:
        facts = {
            "run": str(self.path),
            "status": self.status,
            "seed": str(self.manifest["seed"]),
            "digest": self.digest or "",
            "seconds": f"{self.seconds:.2f}",
        }
        rows = "".join(f"<tr><th>{key}</th><td>{html.escape(value)}</td></tr>" for key, value in facts.items())
        frames = (self.summary(venue).to_html(float_format="{:.4g}".format) for venue in self.venues)
        return f"<table>{rows}</table>{''.join(frames)}"


def run(
    scenario: str | Path | Scenario,
    *,
    seed: int | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario and return what it left on disk.

    Parameters
    ----------
    scenario : path or Scenario
        A scenario file, or one that ``load_scenario`` gave.
    seed : int, optional
        Instead of the scenario's own.
    overrides : sequence of str, or mapping of str to value
        Keys to change, as ``--set`` takes them; with a file only.
    out : path, optional
        The run directory itself; by default a fresh one in ``runs``.
    force : bool
        Replace an earlier run at ``out``.
    progress : callable, optional
        Called now and then with simulated time in ns and the number of events so far.

    Returns
    -------
    Run
        Its status is ``interrupted`` where Ctrl-C came first; ``resume`` goes on with it.

    Raises
    ------
    ScenarioError
        The scenario cannot be used.
    RunDirectoryError
        ``out`` exists.
    BudgetError
        A cap of ``[llm.budget]`` is reached; ``resume`` goes on with a larger one.
    SimulationError
        The run failed; the tables written until then can be read.
    """
    from marketsim.simulation.build import start_run

    loaded = _loaded(scenario, seed, overrides)
    path = fresh_path(RUNS_FOLDER, loaded.name, loaded.seed) if out is None else Path(out)
    _carry_out(start_run(loaded, path, force=force), path, progress)
    return open_run(path)


def resume(
    path: str | Path, progress: Progress | None = None, *, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> Run:
    """Go on with a run that was interrupted or killed; it ends with the digest of one that never was.

    Parameters
    ----------
    path : path
        The run directory.
    progress : callable, optional
        As for ``run``.
    overrides : sequence of str, or mapping of str to value
        Keys of ``[llm]`` that change no result, such as ``llm.budget.calls``, as ``--set`` takes them.

    Raises
    ------
    BudgetError
        A cap of ``[llm.budget]`` is reached again.
    RunDirectoryError
        There is no run, it is complete already, or its checkpoint is damaged.
    SimulationError
        An agent's class has no ``state`` and ``restore``, or the run failed.
    """
    from marketsim.simulation.build import resume_run

    _carry_out(resume_run(Path(path), overrides), Path(path), progress)
    return open_run(path)


def _carry_out(simulation: Simulation, path: Path, progress: Progress | None) -> None:
    try:
        simulation.run(progress=progress)
    except BudgetError as error:
        error.run_dir = str(path)
        raise
    finally:
        simulation.close()


def open_run(path: str | Path) -> Run:
    """Return a run on disk, whatever its status.

    Raises
    ------
    RunDirectoryError
        There is none.
    """
    return Run(open_run_directory(path))


def sweep(
    file: str | Path,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    cluster: str | None = None,
    progress: SweepProgress | None = None,
) -> Study:
    """Run a sweep, or go on with it; arguments and errors as for ``experiments.sweep.run_sweep``.

    Examples
    --------
    >>> study = marketsim.sweep("scenarios/sweeps/tick_size.toml", jobs=2)  # doctest: +SKIP
    >>> study.results  # a frame, one row a run  # doctest: +SKIP
    """
    from marketsim.experiments.sweep import run_sweep

    return Study(run_sweep(file, out=out, jobs=jobs, cluster=cluster, progress=progress))


def _loaded(
    scenario: str | Path | Scenario, seed: int | None, overrides: Sequence[str] | Mapping[str, Any]
) -> Scenario:
    if not isinstance(scenario, str | Path):
        if overrides:
            raise ValueError("overrides need the path of a scenario file; found a scenario that is loaded already")
        return scenario if seed is None else scenario.model_copy(update={"seed": seed})
    if seed is None:
        return load_scenario(scenario, overrides)
    if isinstance(overrides, Mapping):
        return load_scenario(scenario, {**overrides, "seed": seed})
    return load_scenario(scenario, [*overrides, f"seed={seed}"])


def _declaration(name: str) -> Table | None:
    from marketsim.exchange.tables import TABLES
    from marketsim.llm import tables as llm_tables
    from marketsim.storefront import tables as storefront_tables

    return {**TABLES, **storefront_tables.TABLES, **llm_tables.TABLES}.get(name)


def _with_words(frame: pd.DataFrame, table: Table | None, instruments: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put words in place of codes, and symbols in place of instrument numbers."""
    import numpy as np
    import pandas as pd

    words = {column.name: column.labels for column in table.columns if column.labels} if table else {}
    if instruments:
        words["instrument"] = {number: entry["symbol"] for number, entry in enumerate(instruments)}
    for name in words.keys() & set(frame.columns):
        codes, values = np.array(sorted(words[name])), frame[name].to_numpy()
        places = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        known = np.where(codes[places] == values, places, -1)
        frame[name] = pd.Categorical.from_codes(known, dtype=pd.CategoricalDtype([words[name][code] for code in codes]))
    return frame


def _equals(column: Any, value: int) -> Any:
    import pyarrow.compute as pc

    return pc.equal(column, value)
