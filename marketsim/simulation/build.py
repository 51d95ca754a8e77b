"""From a scenario to a simulation, and from a run directory back to one."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketsim.agents.kinds import agent_class
from marketsim.core.errors import RunDirectoryError
from marketsim.core.registry import is_plugin, user_module_file
from marketsim.core.run_directory import (
    COMPLETE,
    SCENARIO,
    RunDirectory,
    create_run_directory,
    file_hashes,
    open_run_directory,
    require_room,
    versions,
    write_whole,
)
from marketsim.core.tables import Table
from marketsim.core.venue import Venue
from marketsim.scenario.schema import Scenario
from marketsim.simulation.recorder import Recorder, RunRecorder, saved_state
from marketsim.simulation.simulation import Simulation

if TYPE_CHECKING:
    from marketsim.llm.service import LlmService

NANOSECONDS = 1_000_000_000


def start_run(scenario: Scenario, path: Path, *, force: bool = False) -> Simulation:
    """Make a run directory and return the simulation that will fill it, at time 0.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    path : Path
        The run directory itself.
    force : bool
        Replace an earlier run there.

    Raises
    ------
    RunDirectoryError
        ``path`` exists or cannot be made.
    RecordError
        The record store of the language models cannot be used.
    PopulationError, PluginError
        Code of the scenario's own kinds is at fault.
    """
    require_room(path, force=force)  # before anything is compiled
    simulation = build_simulation(scenario)
    run = create_run_directory(path, _manifest(scenario, simulation), force=force)
    write_whole(run.path / SCENARIO, scenario.to_toml())
    _open_record(simulation, run)
    simulation.recorder = _run_recorder(run, scenario)
    return simulation


def resume_run(path: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Simulation:
    """Return the simulation of a run that was interrupted, killed or failed, at its last checkpoint.

    Rows recorded after the checkpoint are dropped, and it ends with the digest of a run that was never interrupted. A
    run that was killed before its first checkpoint begins again. Answers of language models come from the record as far
    as it goes.

    Parameters
    ----------
    path : path
        The run directory.
    overrides : sequence of str, or mapping of str to value
        Keys of ``[llm]`` that change no result, ``MAY_CHANGE``.

    Raises
    ------
    RunDirectoryError
        There is no such run, it is complete, a file that it needs has changed, or another version made it.
    SimulationError
        A class of agents lacks ``state`` or ``restore``.
    """
    from marketsim.scenario.loader import load_scenario

    run = open_run_directory(path)
    if run.status == COMPLETE:
        raise RunDirectoryError(f"{run.path}: is complete; there is nothing to resume")
    _require_same_code(run)
    _require_harmless(overrides)
    scenario = load_scenario(run.path / SCENARIO, overrides)
    state = saved_state(run)
    simulation = build_simulation(scenario)
    if scenario.asking:
        run.claim()  # before anything is asked
        _open_record(simulation, run, is_new=False)
    if state is not None:
        simulation.restore(state)
    recorder = _run_recorder(run, scenario)  # only now, for whatever went wrong until here leaves the run as it was
    recorder.go_on(state)
    simulation.recorder = recorder
    return simulation


def build_simulation(scenario: Scenario, recorder: Recorder | None = None) -> Simulation:
    """Return the simulation that a scenario describes, at time 0; without a recorder nothing is kept.

    Raises
    ------
    PopulationError, PluginError
        Code of the scenario's own kinds is at fault.
    """

    def build_venues() -> Sequence[Venue]:
        return _venues(scenario)

    simulation = Simulation(
        build_venues(),
        scenario.duration,
        scenario.seed,
        replicate=scenario.replicate,
        recorder=recorder,
        build_venues=build_venues,
        llm=_language_models(scenario),
    )
    for table in scenario.agents:
        simulation.add(agent_class(table.kind, scenario.folder_of(table.kind)), table)
    for venue in simulation.venues:
        venue.advance(0, inclusive=False)  # does nothing but compile, which is no part of a run's seconds
    return simulation


def _venues(scenario: Scenario) -> list[Venue]:
    venues: list[Venue] = []
    if scenario.exchange is not None:
        from marketsim.exchange.engine import Exchange

        exchange = Exchange(
            scenario.exchange,
            seed=scenario.seed,
            replicate=scenario.replicate,
            duration_ns=scenario.duration,
            tables=[table.name for table in recorded_tables(scenario) if table.name.startswith("exchange/")],
            folder_of=scenario.folder_of,
        )
        venues.append(exchange)
    if scenario.storefront is not None:
        from marketsim.storefront.engine import Storefront

        storefront = Storefront(
            scenario.storefront,
            seed=scenario.seed,
            replicate=scenario.replicate,
            duration_ns=scenario.duration,
            start_ns=scenario.start,
            tables=[table.name for table in recorded_tables(scenario) if table.name.startswith("storefront/")],
        )
        venues.append(storefront)
    return venues


def recorded_tables(scenario: Scenario) -> list[Table]:
    """Return the declarations of the tables that a scenario records."""
    tables: list[Table] = []
    if scenario.exchange is not None:
        from marketsim.exchange.tables import TABLES

        tables += TABLES.values()
    if scenario.storefront is not None:
        from marketsim.storefront import tables as storefront_tables

        tables += storefront_tables.TABLES.values()
    if scenario.asking:
        from marketsim.llm.tables import TABLES as LLM_TABLES

        tables += LLM_TABLES.values()
    return [table for table in tables if scenario.record.writes(table.name)]


# ---- Language models -----------------------------------------------------------------------------------------

RECORD = "llm/record.sqlite"
"""Where a run keeps its own record."""

MAY_CHANGE = (
    "llm.budget.",
    "llm.concurrency",
    "llm.key_env",
    "llm.requests_per_minute",
    "llm.retries",
    "llm.timeout",
    "llm.tokens_per_minute",
)
"""Keys that say how answers are got, not what is asked: a run may go on with others."""


def _language_models(scenario: Scenario) -> LlmService | None:
    if not scenario.asking:
        return None
    from marketsim.llm.config import LlmConfig
    from marketsim.llm.service import LlmService

    return LlmService(scenario.llm or LlmConfig(), scenario.files[0].parent if scenario.files else None)


def _open_record(simulation: Simulation, run: RunDirectory, *, is_new: bool = True) -> None:
    service = simulation.llm
    if service is not None:
        service.open(run.path / RECORD, run.path.name, is_new=is_new)


def _require_harmless(overrides: Sequence[str] | Mapping[str, Any]) -> None:
    """Refuse to go on with another scenario than the run began with."""
    for override in overrides:
        path = override.partition("=")[0].strip()
        if not path.startswith(MAY_CHANGE):
            known = ", ".join(each.rstrip(".") for each in MAY_CHANGE)
            raise RunDirectoryError(f"--set {path}: a run that goes on may change {known} only, which change no result")


def _run_recorder(run: RunDirectory, scenario: Scenario) -> RunRecorder:
    tables = recorded_tables(scenario)
    codecs = {table.name: scenario.record.codec(table.name) for table in tables}
    return RunRecorder(run, tables, codecs, scenario.record.checkpoint_every / NANOSECONDS)


# ---- The manifest --------------------------------------------------------------------------------------------


def _manifest(scenario: Scenario, simulation: Simulation) -> dict[str, Any]:
    instruments = scenario.exchange.instruments if scenario.exchange is not None else ()
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "name": scenario.name,
        "seed": scenario.seed,
        "replicate": scenario.replicate,
        "start": scenario.start,
        "duration": scenario.duration,
        "instruments": [
            {
                "symbol": instrument.symbol,
                "tick_size": f"{instrument.tick_size:f}",
                "lot_size": instrument.lot_size,
                "currency": instrument.currency,
                "cash_decimals": instrument.cash_decimals,
            }
            for instrument in instruments
        ],
        **_storefront_facts(simulation),
        "provenance": sorted({agent.provenance for agent in simulation.cast} | {"rule"}),
        "inputs": file_hashes([*scenario.files, *_modules(scenario), *_data(scenario)]),
        "modules": file_hashes([*_modules(scenario), *_data(scenario)]),
        "versions": versions(),
        "timings": {"seconds": 0.0, "started_at": started},
    }


def _storefront_facts(simulation: Simulation) -> dict[str, Any]:
    """Return what a reader of the shop's tables needs to know, under the key ``storefront``; nothing without a shop."""
    for venue in simulation.venues:
        if venue.name == "storefront":
            return {"storefront": venue.facts()}  # type: ignore[attr-defined]
    return {}


def _modules(scenario: Scenario) -> list[Path]:
    """Return the files of the user's own kinds."""
    populations = scenario.exchange.populations if scenario.exchange is not None else ()
    named = [*(table.kind for table in populations), *(table.kind for table in scenario.agents)]
    kinds = {kind for kind in named if is_plugin(kind)}
    files = {user_module_file(kind.partition(":")[0], scenario.folder_of(kind)) for kind in kinds}
    return sorted(file for file in files if file is not None)


def _data(scenario: Scenario) -> list[Path]:
    """Return the files of data that the scenario names."""
    return [] if scenario.storefront is None else scenario.storefront.files


def _require_same_code(run: RunDirectory) -> None:
    """Refuse to go on with other code or data than the run began with: no digest would say what made it."""
    modules = run.manifest.get("modules", {})
    now = file_hashes([Path(file) for file in modules])
    changed = sorted(file for file, digest in modules.items() if now[file] != digest)
    if changed:
        raise RunDirectoryError(f"{run.path}: cannot be resumed: {', '.join(changed)} changed since it began")
    then, today = run.manifest["versions"], versions()
    for name in ("marketsim", "numpy", "numba"):
        if then.get(name) != today[name]:
            raise RunDirectoryError(
                f"{run.path}: cannot be resumed: {name} {then.get(name)} made it, and this is {today[name]}"
            )
