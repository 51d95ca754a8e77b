"""``run_sweep``: a sweep file becomes a sweep directory, begun or gone on with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import file_hashes, versions, write_whole
from marketsim.experiments.directory import (
    CELLS,
    COMPLETE,
    COMPLETE_CODE,
    FAILED_CODE,
    INCOMPLETE,
    INTERRUPTED,
    LOGS,
    PENDING_CODE,
    RUNNING,
    SWEEP_FILE,
    Outcome,
    SweepDirectory,
    create_sweep_directory,
    is_sweep_directory,
    open_sweep_directory,
)
from marketsim.experiments.loader import DIGEST_LEAVES_OUT, Sweep, load_sweep
from marketsim.experiments.process import CellLimits
from marketsim.scenario.writer import to_toml
from marketsim.simulation.interrupt import interruptible

SWEEPS_FOLDER = Path("sweeps")
"""Where sweep directories go that are given no path, relative to the working directory."""

SAME_CODE = ("marketsim", "numpy", "numba")
"""Packages whose versions all cells of a sweep share."""

Progress = Callable[[str, int, int], object]
"""Called with what is being done (``checking`` or ``running``), how much of it is done, and of how much."""


class Workers(Protocol):
    """What runs cells: ``LocalWorkers`` or ``ClusterWorkers``."""

    def start(self, warm: Mapping[str, Any] | None = None) -> None:
        """Get ready, and compile what ``warm`` names."""

    def outcomes(self, tasks: Iterator[Mapping[str, Any]]) -> Iterator[Outcome]:
        """Yield the outcome of each task as it comes."""

    def stop(self) -> None:
        """Begin no further cell."""

    def close(self) -> None:
        """Give up whatever is held."""


def run_sweep(
    file: str | Path,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> SweepDirectory:
    """Run a sweep, or go on with it; return its directory.

    Cells that are complete are left as they are, and those that failed are tried again. Ctrl-C has the running cells
    write checkpoints, from which the next call goes on.

    Parameters
    ----------
    file : path
        The sweep file.
    out : path, optional
        The sweep directory itself; by default one in ``sweeps`` that the file's contents name, so that the same file
        goes on with the same directory.
    jobs : int, optional
        Worker processes on this machine; by default one for each processor.
    cluster : str, optional
        Address of a Dask scheduler whose workers run the cells instead.
    progress : callable, optional
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    ScenarioError
        The file or one of its cells cannot be used; nothing has run.
    RunDirectoryError
        ``out`` holds something else, another sweep, or one of another version of marketsim.
    ClusterError
        Nobody answers at the address ``cluster``, or the cluster was lost; what is complete stays so.
    """
    sweep = load_sweep(file)
    if cluster is not None:  # before anything is made
        from marketsim.experiments.cluster import require_scheduler

        require_scheduler(cluster)
    path = default_path(sweep) if out is None else Path(out)
    goes_on = is_sweep_directory(path)
    directory = open_sweep_directory(path) if goes_on else begin_sweep(sweep, path, progress)
    directory.claim()
    try:
        if goes_on:
            _require_same_sweep(sweep, directory)
        states = directory.states()
        if (states == COMPLETE_CODE).all():
            directory.write_manifest(status=COMPLETE)
        else:
            directory.write_manifest(status=RUNNING)
            with _workers(sweep, directory, jobs, cluster, int((states != COMPLETE_CODE).sum())) as workers:
                _run(sweep, directory, workers, states, progress)
    finally:
        directory.release()
    return directory


def _run(
    sweep: Sweep, directory: SweepDirectory, workers: Any, states: NDArray[np.uint8], progress: Progress | None
) -> None:
    """Run what is not complete; leave the status that this ends with."""
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        workers.stop()

    inputs: Mapping[str, str] = directory.manifest["inputs"]
    with interruptible(stop):
        try:
            warm = [sweep.design[number].overrides for number in directory.manifest["warm"]]
            workers.start({"cell": 0, "scenario": str(sweep.config.scenario), "points": warm})
            for outcome in workers.outcomes(_tasks(sweep, directory, states.copy(), inputs)):
                directory.write(outcome)
                states[outcome.cell] = COMPLETE_CODE if outcome.status == COMPLETE else FAILED_CODE
                if progress is not None:
                    progress("running", int((states != PENDING_CODE).sum()), len(states))
        except BaseException:
            directory.write_manifest(status=INTERRUPTED)
            raise
    complete = bool((states == COMPLETE_CODE).all())
    directory.write_manifest(status=COMPLETE if complete else INTERRUPTED if stopped else INCOMPLETE)


def _tasks(
    sweep: Sweep, directory: SweepDirectory, states: NDArray[np.uint8], inputs: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    """Yield the cells that are not complete, those that never ran before those that failed."""
    scenario, keep = str(sweep.config.scenario), sweep.config.keep
    for code in (PENDING_CODE, FAILED_CODE):
        for cell in np.flatnonzero(states == code).tolist():
            yield {
                "cell": cell,
                "scenario": scenario,
                "overrides": sweep.overrides(cell),
                "out": str(directory.run_path(cell).resolve()),
                "inputs": inputs,
                "keep": keep,
            }


def _workers(sweep: Sweep, directory: SweepDirectory, jobs: int | None, cluster: str | None, n_cells: int) -> Any:
    limits = sweep.config.limits
    cell_limits = CellLimits(limits.retries, limits.time_s, limits.memory_bytes)
    if cluster is not None:
        from marketsim.experiments.cluster import ClusterWorkers

        return ClusterWorkers(cluster, cell_limits)
    from marketsim.experiments.local import LocalWorkers

    n = min(jobs or os.cpu_count() or 1, n_cells)
    return LocalWorkers(n, cell_limits, directory.path / LOGS)


# ---- The directory -------------------------------------------------------------------------------------------


def default_path(sweep: Sweep) -> Path:
    """Return a path named by what the file and its scenario say, so that the same sweep goes on there."""
    keys = sweep.config.model_dump(mode="json", exclude=DIGEST_LEAVES_OUT)
    text = json.dumps([keys, file_hashes([sweep.config.scenario])], sort_keys=True)
    return SWEEPS_FOLDER / f"{sweep.config.name}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def begin_sweep(sweep: Sweep, path: Path, progress: Progress | None = None) -> SweepDirectory:
    """Validate every cell, then make the directory; nothing runs yet. Errors as for ``run_sweep``."""
    checked = sweep.check(None if progress is None else lambda done, of: progress("checking", done, of))
    manifest = {
        "name": sweep.config.name,
        "digest": sweep.digest(checked.inputs),
        **_changing(sweep),
        "points": len(sweep.design),
        "seed": sweep.seed,
        "file": str(sweep.file.resolve()),
        "scenario": str(sweep.config.scenario),
        "inputs": dict(checked.inputs),
        "warm": list(checked.warm),
        "config": sweep.config.model_dump(mode="json"),
    }
    directory = create_sweep_directory(path, manifest)
    _write_design(sweep, directory)
    directory.write_manifest()  # last, so that a folder with a manifest is whole
    return directory


def _require_same_sweep(sweep: Sweep, directory: SweepDirectory) -> None:
    """Refuse to mix a sweep with another; note what may change."""
    path, manifest = directory.path, directory.manifest
    then, now = manifest["versions"], versions()
    for name in SAME_CODE:
        if then.get(name) != now[name]:
            raise RunDirectoryError(f"{path}: cannot go on: {name} {then.get(name)} made it, and this is {now[name]}")
    inputs = file_hashes([Path(file) for file in manifest["inputs"]])
    changed = sorted(file for file, digest in manifest["inputs"].items() if inputs[file] != digest)
    if changed:
        raise RunDirectoryError(
            f"{path}: cannot go on: {', '.join(changed)} changed since it began; choose another --out"
        )
    if sweep.digest(inputs) != manifest["digest"]:
        raise RunDirectoryError(f"{path}: holds another sweep than {sweep.file}; choose another --out")
    if sweep.config.replicates < manifest["replicates"]:
        raise RunDirectoryError(
            f"{path}: has {manifest['replicates']} replicates, more than the {sweep.config.replicates} of {sweep.file}"
        )
    if _changing(sweep) != {key: manifest[key] for key in _changing(sweep)}:
        manifest.update(_changing(sweep), config=sweep.config.model_dump(mode="json"))
        _write_design(sweep, directory)
        directory.write_manifest()


def _changing(sweep: Sweep) -> dict[str, Any]:
    """Return what may differ when a sweep is gone on with."""
    measures = sweep.config.measures
    return {"replicates": sweep.config.replicates, "measures": measures if measures == "all" else list(measures)}


def _write_design(sweep: Sweep, directory: SweepDirectory) -> None:
    from marketsim.experiments.design_table import design_table

    keys = sweep.config.model_dump(mode="json")
    keys["scenario"] = str(sweep.config.scenario)
    write_whole(directory.path / SWEEP_FILE, to_toml({key: value for key, value in keys.items() if value is not None}))
    design_table(sweep).to_parquet(directory.path / CELLS, index=False)
