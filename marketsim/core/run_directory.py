"""The run directory: its layout, its manifest, and reading it back.

    quickstart-s1-3f9a2c/
      manifest.json     what ran, how far it came, what its tables hold
      scenario.toml     as resolved; running it again gives the same digest
      exchange/trades/part-00000.parquet    a folder a table
      checkpoint/       the last safe point of a run that is not complete
      report.html

Readers meet whole files only, so a run that was interrupted, failed or is still running can be read.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from marketsim.core.errors import RunDirectoryError

if TYPE_CHECKING:
    import pandas as pd

try:
    import fcntl
except ModuleNotFoundError:  # Windows has none; there nobody is kept from writing a run twice
    fcntl = None  # type: ignore[assignment]

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
SCENARIO: Final = "scenario.toml"
REPORT: Final = "report.html"
CHECKPOINT: Final = "checkpoint"

RUNNING, COMPLETE, INTERRUPTED, FAILED = "running", "complete", "interrupted", "failed"

_LIBRARIES: Final = ("marketsim", "mesa", "numba", "numpy", "pandas", "pyarrow")


class RunDirectory:
    """One run on disk. Made by ``create_run_directory`` or ``open_run_directory``.

    Parameters
    ----------
    path : Path
        The folder.
    manifest : dict
        Contents of ``manifest.json``.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path, self.manifest = path, manifest
        self._claim: int | None = None

    def __repr__(self) -> str:
        """Return the path and the status."""
        return f"RunDirectory({str(self.path)!r}, status={self.status!r})"

    # ---- What the manifest says ------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """``running``, ``complete``, ``interrupted`` or ``failed``. A killed run still says running."""
        return str(self.manifest["status"])

    @property
    def digest(self) -> str | None:
        """Digest of the run; None before it is complete."""
        return self.manifest.get("digest")

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of simulating and recording, over all resumptions."""
        return float(self.manifest["timings"]["seconds"])

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: int(entry["rows"]) for name, entry in self.manifest["tables"].items()}

    # ---- Tables ----------------------------------------------------------------------------------------------

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a table, or some of its columns.

        Parameters
        ----------
        name : str
            Such as ``"exchange/trades"``.
        columns : sequence of str, optional
            Which; all by default.

        Raises
        ------
        RunDirectoryError
            The run did not record this table, or one of its files is damaged.
        """
        if name not in self.manifest["tables"]:
            known = ", ".join(sorted(self.manifest["tables"])) or "none"
            raise RunDirectoryError(f"{self.path}: found no table {name}; it has {known}")
        parts = self.parts(name)
        if not parts:
            types = self.manifest["tables"][name]["columns"]
            wanted = list(types) if columns is None else columns
            return pa.schema(
                [pa.field(key, pa.type_for_alias(types[key]), nullable=False) for key in wanted]
            ).empty_table()
        try:
            tables = [pq.read_table(part, columns=columns, partitioning=None) for part in parts]
        except (OSError, pa.ArrowException) as error:
            raise RunDirectoryError(f"{self.path / name}: cannot be read: {error}") from error
        return pa.concat_tables(tables)

    def frame(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table as a pandas frame; arguments and errors as for ``table``."""
        frame: pd.DataFrame = self.table(name, columns).to_pandas()
        return frame

    def parts(self, name: str) -> list[Path]:
        """Return the whole files of a table, in order."""
        return sorted(self.path.joinpath(name).glob("part-*.parquet"))

    # ---- Writing ---------------------------------------------------------------------------------------------

    def claim(self) -> None:
        """Keep other processes from writing this run until ``release``, or until this process ends, however it ends.

        Raises
        ------
        RunDirectoryError
            Another process is writing it.
        """
        if fcntl is None or self._claim is not None:
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise RunDirectoryError(f"{self.path}: another process is writing this run") from None
        except OSError:  # a file system without locks
            os.close(descriptor)
        else:
            self._claim = descriptor

    def release(self) -> None:
        """Give up the claim."""
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def write_manifest(self, **changes: Any) -> None:
        """Change keys of the manifest and put it on disk, whole or not at all."""
        self.manifest.update(changes)
        write_whole(self.path / MANIFEST, json.dumps(self.manifest, indent=1) + "\n")


def create_run_directory(path: Path, manifest: dict[str, Any], *, force: bool = False) -> RunDirectory:
    """Make a folder for a new run.

    Parameters
    ----------
    path : Path
        The run directory itself.
    manifest : dict
        Keys of the manifest beside those that every run has.
    force : bool
        Replace an earlier run at ``path``. Any other folder with something in it is never touched.

    Raises
    ------
    RunDirectoryError
        ``path`` exists, or cannot be made.
    """
    require_room(path, force=force)
    try:
        _clear(path)
        path.mkdir(parents=True)
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be made: {error.strerror or error}") from error
    first = {"schema_version": SCHEMA_VERSION, "status": RUNNING, "digest": None, "tables": {}}
    run = RunDirectory(path, {**first, **manifest})
    run.manifest.setdefault("timings", {"seconds": 0.0})
    run.manifest.setdefault("versions", versions())
    run.write_manifest()
    return run


def open_run_directory(path: str | Path) -> RunDirectory:
    """Return a run on disk, whatever its status.

    Raises
    ------
    RunDirectoryError
        There is none, or another version of marketsim wrote it in another layout.
    """
    path = Path(path)
    file = path / MANIFEST
    try:
        manifest = json.loads(file.read_text())
        version = manifest["schema_version"]
    except FileNotFoundError:
        reason = "it has no manifest.json" if path.is_dir() else "there is no such folder"
        raise RunDirectoryError(f"{path}: found no run directory: {reason}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{file}: cannot be read as a manifest: {error!r}") from error
    if version != SCHEMA_VERSION:
        raise RunDirectoryError(f"{file}: found schema_version {version!r}, expected {SCHEMA_VERSION}")
    return RunDirectory(path, manifest)


def fresh_path(parent: Path, name: str, seed: int) -> Path:
    """Return a path for a run that does not exist yet, ``parent/name-s<seed>-<6 hex digits>``."""
    while True:
        path = parent / f"{name}-s{seed}-{secrets.token_hex(3)}"
        if not path.exists():
            return path


def versions() -> dict[str, str]:
    """Return the versions of everything that a result may depend on."""
    found = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {**found, "python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}


def file_hashes(files: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file, by absolute path.

    Raises
    ------
    RunDirectoryError
        A file cannot be read.
    """
    hashes = {}
    for file in files:
        try:
            hashes[str(file.resolve())] = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise RunDirectoryError(f"{file}: cannot be read: {error.strerror}") from error
    return hashes


def write_whole(file: Path, text: str) -> None:
    """Write a file so that readers meet the old one or the new one, never a half."""
    partial = file.with_name(file.name + ".partial")
    partial.write_text(text)
    os.replace(partial, file)


def require_room(path: Path, *, force: bool = False) -> None:
    """Refuse a path at which no run can be made; arguments and errors as for ``create_run_directory``."""
    if path.is_symlink():
        raise RunDirectoryError(f"{path}: is a link; choose another path")
    if not path.exists() or _is_empty(path):
        return
    if not path.joinpath(MANIFEST).is_file():
        raise RunDirectoryError(f"{path}: exists and is no run directory; choose another path")
    if not force:
        raise RunDirectoryError(f"{path}: exists already; --force replaces it, --resume goes on with it")


def _clear(path: Path) -> None:
    if path.joinpath(MANIFEST).is_file():
        earlier = RunDirectory(path, {})
        earlier.claim()
        try:
            shutil.rmtree(path)
        finally:
            earlier.release()
    elif path.exists():
        path.rmdir()


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
