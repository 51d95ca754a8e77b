"""One cell of a sweep: a run directory made, gone on with or found complete, and its measures.

This is what a worker executes; arguments and result are plain JSON.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketsim.core.errors import InputError, MarketSimError, RunDirectoryError
from marketsim.core.run_directory import (
    COMPLETE,
    MANIFEST,
    file_hashes,
    open_run_directory,
)

if TYPE_CHECKING:
    from marketsim.simulation.simulation import Simulation

FINAL = (2, 3)
"""Exit codes of errors that no further attempt helps: bad input, and a budget that is spent."""


def run_cell(task: Mapping[str, Any]) -> dict[str, Any]:
    """Run one cell.

    Parameters
    ----------
    task : mapping
        ``cell``; ``scenario`` and ``overrides``; ``out``, the run directory; ``inputs``, SHA-256 of files by path;
        ``keep``, ``runs`` or ``measures``.

    Returns
    -------
    dict
        Keys of an ``Outcome``. Errors of the run are part of it and never raised.
    """
    path = Path(task["out"])
    try:
        if not _is_complete(path):
            simulation = _prepare(task, path)
            if not simulation.run():
                return {"status": "interrupted"}
        return _measured(path, task["keep"])
    except (MarketSimError, MemoryError, OSError) as error:
        cause = error.__cause__
        text = str(error) or type(error).__name__
        kind = type(cause or error).__name__
        final = getattr(error, "exit_code", 1) in FINAL and not isinstance(error, RunDirectoryError)
        return {
            "status": "failed",
            "error": text if isinstance(error, MarketSimError) else f"{kind}: {text}",
            "final": final,
        }


def warm(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compile what some points need, into the cache that all workers read; errors are left to the cells."""
    from marketsim.scenario.loader import load_scenario
    from marketsim.simulation.build import build_simulation

    points: Sequence[Mapping[str, Any]] = task["points"]
    for overrides in points:
        try:
            build_simulation(load_scenario(task["scenario"], overrides)).close()
        except MarketSimError:
            continue
    return {"status": "complete"}


def _is_complete(path: Path) -> bool:
    return path.joinpath(MANIFEST).is_file() and open_run_directory(path).status == COMPLETE


def _prepare(task: Mapping[str, Any], path: Path) -> Simulation:
    """Return the simulation at its last checkpoint, where an earlier attempt left one, else at time 0."""
    from marketsim.scenario.loader import load_scenario
    from marketsim.simulation.build import resume_run, start_run

    inputs: Mapping[str, str] = task["inputs"]
    now = file_hashes([Path(file) for file in inputs])
    changed = sorted(file for file, digest in inputs.items() if now[file] != digest)
    if changed:
        raise InputError(changed[0], 0, "another file than when the sweep began", "the same for all of its cells")
    scenario = load_scenario(task["scenario"], task["overrides"])
    if path.joinpath(MANIFEST).is_file():
        try:
            return resume_run(path)
        except MarketSimError:  # a checkpoint that cannot be used: from the beginning, to the same digest
            pass
    elif path.is_dir():
        shutil.rmtree(path)  # an attempt that ended before its manifest was there
    return start_run(scenario, path, force=True)


def _measured(path: Path, keep: str) -> dict[str, Any]:
    from marketsim.experiments.measures import measure_run

    run = open_run_directory(path)
    outcome = {
        "status": COMPLETE,
        "digest": run.digest,
        "seconds": round(run.seconds, 6),
        "measures": measure_run(run),
        "provenance": run.manifest.get("provenance", []),
    }
    if keep == "measures":
        shutil.rmtree(path)
    return outcome
