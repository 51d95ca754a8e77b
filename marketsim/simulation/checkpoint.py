"""A checkpoint: arrays in one npz file and everything else in one JSON file, without pickle, replaced as a whole."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import write_whole

DOCUMENT = "checkpoint.json"


class State(NamedTuple):
    """Everything that decides what happens next."""

    arrays: dict[str, NDArray[Any]]
    """Of the venues and flows, as ``venue/array``."""
    document: dict[str, Any]
    """Agents, agenda, decisions in flight: what JSON can hold."""


def write_checkpoint(folder: Path, state: State) -> None:
    """Put a state in place of the one that is there. Killed at any moment, this leaves one that is whole."""
    folder.mkdir(exist_ok=True)
    before = {file.name for file in folder.glob("arrays-*.npz")}
    number = 1 + max((int(name[7:-4]) for name in before), default=0)
    arrays = f"arrays-{number}.npz"
    partial = folder / f"{arrays}.partial"
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **state.arrays)
    os.replace(partial, folder / arrays)
    write_whole(folder / DOCUMENT, json.dumps({**state.document, "arrays": arrays}))
    for name in before:
        (folder / name).unlink()


def read_checkpoint(folder: Path) -> State | None:
    """Return the last state; None where none was written.

    Raises
    ------
    RunDirectoryError
        A file is damaged.
    """
    try:
        document = json.loads(folder.joinpath(DOCUMENT).read_text())
        with np.load(folder / document.pop("arrays"), allow_pickle=False) as file:
            return State({name: file[name] for name in file.files}, document)
    except FileNotFoundError as error:
        if error.filename == str(folder / DOCUMENT):
            return None
        raise RunDirectoryError(f"{folder}: the checkpoint lacks {error.filename}") from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise RunDirectoryError(f"{folder}: the checkpoint cannot be read: {error!r}") from error
