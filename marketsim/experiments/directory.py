"""The sweep directory: its layout, its manifest and its journal.

    tick_size-3f9a2c/
      manifest.json     what was swept, from which files, how far it came
      sweep.toml        as resolved; sweeping it again gives the same digests
      cells.parquet     one row a cell: arm, factor values, what they changed
      journal.jsonl     one line each time a cell was complete or given up
      runs/cell=00000/  one run directory a cell
      logs/             what workers and users' agents printed
      report.html

``runs`` is one Parquet data set partitioned by cell: DuckDB, Polars and pyarrow read ``cell`` from the folders' names.
The journal is only ever appended to; of several lines on a cell the last one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import MANIFEST, RunDirectory, versions, write_whole

SWEEP_VERSION: Final = 1
SWEEP_FILE: Final = "sweep.toml"
CELLS: Final = "cells.parquet"
JOURNAL: Final = "journal.jsonl"
RUNS: Final = "runs"
LOGS: Final = "logs"

RUNNING, COMPLETE, INCOMPLETE, INTERRUPTED = "running", "complete", "incomplete", "interrupted"
FAILED: Final = "failed"

PENDING_CODE, COMPLETE_CODE, FAILED_CODE = 0, 1, 2


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes
    ----------
    cell : int
        Its number.
    status : str
        ``complete``, ``failed`` or ``interrupted``.
    digest : str or None
        Of the run, where it is complete.
    seconds : float
        Wall-clock seconds of simulating and recording.
    attempts : int
        How often it was tried.
    error : str
        Why the last attempt failed; empty where it did not.
    measures : mapping of str to float
        Statistics of the run; a missing one was not to be had.
    provenance : sequence of str
        Where decisions came from: rule, respondent, recorded or live.
    final : bool
        Whether another attempt would fail in the same way.
    """

    cell: int
    status: str
    digest: str | None = None
    seconds: float = 0.0
    attempts: int = 1
    error: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    provenance: Sequence[str] = ()
    final: bool = False


class SweepDirectory:
    """One sweep on disk. Made by ``create_sweep_directory`` or ``open_sweep_directory``.

    Parameters
    ----------
    path : Path
        The folder.
    manifest : dict
        Contents of ``manifest.json``.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path, self.manifest = path, manifest
        self._journal: IO[str] | None = None
        self._lock = RunDirectory(path, {})

    @property
    def n_points(self) -> int:
        """Points of the design."""
        return int(self.manifest["points"])

    @property
    def n_cells(self) -> int:
        """Cells: points times replicates."""
        return self.n_points * int(self.manifest["replicates"])

    def run_path(self, cell: int) -> Path:
        """Return where the run of a cell is, or will be."""
        return self.path / RUNS / f"cell={cell:05d}"

    # ---- Reading ---------------------------------------------------------------------------------------------

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the journal, line by line; of several on a cell the last one counts.

        A last line that was cut off when the machine stopped is left out.

        Raises
        ------
        RunDirectoryError
            Another line is damaged.
        """
        file = self.path / JOURNAL
        if not file.exists():
            return
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield Outcome(**json.loads(line))
                except (ValueError, TypeError) as error:
                    if not line.endswith("\n"):
                        return
                    raise RunDirectoryError(f"{file}:{number}: cannot be read: {error}") from error

    def states(self) -> NDArray[np.uint8]:
        """Return what became of each cell so far, uint8[cell]: 0 nothing, 1 complete, 2 failed."""
        states = np.zeros(self.n_cells, np.uint8)
        for outcome in self.outcomes():
            if outcome.cell < len(states):
                states[outcome.cell] = COMPLETE_CODE if outcome.status == COMPLETE else FAILED_CODE
        return states

    # ---- Writing ---------------------------------------------------------------------------------------------

    def claim(self) -> None:
        """Keep other processes from writing this sweep until ``release``.

        Raises
        ------
        RunDirectoryError
            Another process is writing it.
        """
        try:
            self._lock.claim()
        except RunDirectoryError:
            raise RunDirectoryError(f"{self.path}: another process is running this sweep") from None
        file = self.path / JOURNAL
        _end_last_line(file)
        self._journal = file.open("a", encoding="utf-8")

    def release(self) -> None:
        """Give up the claim."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._lock.release()

    def write(self, outcome: Outcome) -> None:
        """Add a line to the journal and hand it to the system, so that a killed sweep keeps it."""
        if self._journal is None:
            raise RunDirectoryError(f"{self.path}: must be claimed before it is written")
        self._journal.write(json.dumps(asdict(outcome), separators=(",", ":")) + "\n")
        self._journal.flush()

    def write_manifest(self, **changes: Any) -> None:
        """Change keys of the manifest and put it on disk, whole or not at all."""
        self.manifest.update(changes)
        write_whole(self.path / MANIFEST, json.dumps(self.manifest, indent=1) + "\n")


def create_sweep_directory(path: Path, manifest: Mapping[str, Any]) -> SweepDirectory:
    """Make a folder for a new sweep.

    Raises
    ------
    RunDirectoryError
        Something that is no sweep stands there, or it cannot be made.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()) or (path.is_dir() and any(path.iterdir())):
        raise RunDirectoryError(f"{path}: exists and is no sweep directory; choose another path")
    first = {"sweep_version": SWEEP_VERSION, "status": RUNNING, **manifest, "versions": versions()}
    directory = SweepDirectory(path, first)
    try:
        for folder in (RUNS, LOGS):
            path.joinpath(folder).mkdir(parents=True)
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be made: {error.strerror or error}") from error
    return directory


def is_sweep_directory(path: str | Path) -> bool:
    """Say whether a folder holds a sweep, whatever its status."""
    file = Path(path) / MANIFEST
    try:
        return "sweep_version" in json.loads(file.read_text())
    except (OSError, ValueError, TypeError):
        return False


def open_sweep_directory(path: str | Path) -> SweepDirectory:
    """Return a sweep on disk, whatever its status.

    Raises
    ------
    RunDirectoryError
        There is none, or another version of marketsim wrote it in another layout.
    """
    path = Path(path)
    file = path / MANIFEST
    try:
        manifest = json.loads(file.read_text())
    except FileNotFoundError:
        reason = "it has no manifest.json" if path.is_dir() else "there is no such folder"
        raise RunDirectoryError(f"{path}: found no sweep directory: {reason}") from None
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{file}: cannot be read as a manifest: {error!r}") from error
    if not isinstance(manifest, dict) or "sweep_version" not in manifest:
        raise RunDirectoryError(f"{path}: found a run directory, expected a sweep directory")
    if manifest["sweep_version"] != SWEEP_VERSION:
        raise RunDirectoryError(f"{file}: found sweep_version {manifest['sweep_version']!r}, expected {SWEEP_VERSION}")
    return SweepDirectory(path, manifest)


def _end_last_line(file: Path) -> None:
    """Drop a last line that was cut off, so that the next one begins a line of its own."""
    if not file.exists() or not file.stat().st_size:
        return
    with file.open("rb+") as journal:
        journal.seek(-1, os.SEEK_END)
        if journal.read(1) == b"\n":
            return
        journal.seek(0)
        text = journal.read()
        journal.truncate(text.rfind(b"\n") + 1)
