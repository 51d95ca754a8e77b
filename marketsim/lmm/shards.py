"""Prepared data on disk: memory-mapped records in sessions, the book before each block, bins, and a manifest.

    data/hawkes/
      manifest.json            what it is made of, its bins, its sessions and the split of each
      0000-record.npy          int64[event, field]
      0000-book.npy            int32[block, side, reach]: lots by ticks behind the best price
      0000-quote.npy           int64[block, 4]
      0000-chance.npy          float32[event, field]: log-probabilities of a teacher, where there is one

A session is one book without a break: a seed of a teacher, a run, a day. Sessions are split whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core import rng
from marketsim.core.errors import InputError
from marketsim.core.jit import errstate
from marketsim.lmm.events import BLOCK, N_CONDITIONS, N_QUOTES
from marketsim.lmm.kernel.encode import play
from marketsim.lmm.scale import Scale, scale_from
from marketsim.lmm.teacher import Batch, read_batch

IntArray = npt.NDArray[np.int64]

MANIFEST: Final = "manifest.json"
SCHEMA_VERSION: Final = 1
SPLITS: Final = ("train", "validation", "test")


class Session(NamedTuple):
    """One book without a break, before it is written."""

    split: str
    record: IntArray
    """int64[event, field]"""
    depth: IntArray
    """int64[side, ring]: the book before the first event."""
    quote: IntArray
    condition: Sequence[float]
    log_chance: Any = None
    """float[event, field] or None"""


def write_shards(folder: Path, sessions: Sequence[Session], scale: Scale, source: Mapping[str, Any]) -> Path:
    """Write prepared data.

    Parameters
    ----------
    folder : Path
        Made where it is not there; what an earlier call left is replaced.
    sessions : sequence of Session
        In the order of their numbers.
    scale : Scale
        Bins, fitted on the training split.
    source : mapping
        What the data are, for the manifest and for the card of a model.

    Returns
    -------
    Path
        The manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(MANIFEST).unlink(missing_ok=True)  # a reader never meets a manifest of other arrays
    entries = []
    for number, session in enumerate(sessions):
        n_blocks = -(-len(session.record) // BLOCK)
        books = np.zeros((n_blocks, 2, scale.reach), np.int32)
        quotes = np.zeros((n_blocks, N_QUOTES), np.int64)
        with errstate():
            play(session.record, session.depth.copy(), session.quote.copy(), scale, books, quotes, BLOCK)
        arrays: dict[str, npt.NDArray[Any]] = {"record": session.record, "book": books, "quote": quotes}
        if session.log_chance is not None:
            arrays["chance"] = np.asarray(session.log_chance, np.float32)
        for name, array in arrays.items():
            np.save(folder / f"{number:04d}-{name}.npy", array)
        entries.append(
            {
                "number": number,
                "split": session.split,
                "events": len(session.record),
                "condition": [float(value) for value in session.condition],
            }
        )
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "source": dict(source),
        "block": BLOCK,
        "bins": scale.as_dict(),
        "bins_digest": scale.digest(),
        "events": {split: sum(e["events"] for e in entries if e["split"] == split) for split in SPLITS},  # type: ignore[misc]
        "sessions": entries,
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return path


class Shards:
    """Prepared data, read.

    Parameters
    ----------
    folder : Path
        What ``prepare`` wrote.

    Raises
    ------
    InputError
        It is no such folder, or a file in it is missing, cut short or of another shape than the manifest says.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.manifest = self._read_manifest()
        try:
            self.scale = scale_from(self.manifest["bins"])
        except ValueError as error:
            raise InputError(self.folder / MANIFEST, 0, str(error), "bins as prepare writes them") from None
        if self.scale.digest() != self.manifest["bins_digest"]:
            expected = f"those that the shards were written with, {self.manifest['bins_digest']}"
            raise InputError(self.folder / MANIFEST, 0, f"bins {self.scale.digest()}", expected)
        self._only: tuple[float, ...] | None = None
        self._arrays: dict[tuple[int, str], npt.NDArray[Any]] = {}
        for entry in self.manifest["sessions"]:
            self._open(entry)

    @property
    def source(self) -> dict[str, Any]:
        """What the data are."""
        return dict(self.manifest["source"])

    @property
    def has_teacher(self) -> bool:
        """Whether the chance of every event is known."""
        return all((entry["number"], "chance") in self._arrays for entry in self.manifest["sessions"])

    def sessions(self, split: str) -> list[int]:
        """Return the numbers of the sessions of a split."""
        entries = [entry for entry in self.manifest["sessions"] if entry["split"] == split]
        return [e["number"] for e in entries if self._only in (None, tuple(e["condition"]))]

    def conditions(self) -> list[tuple[float, ...]]:
        """Return the different conditions of its sessions, in the order of these."""
        return list(dict.fromkeys(tuple(entry["condition"]) for entry in self.manifest["sessions"]))

    def told(self, condition: tuple[float, ...]) -> Shards:
        """Return the same data without the sessions of other conditions."""
        part = copy(self)
        part._only = condition
        return part

    def n_events(self, split: str) -> int:
        """Return the events of a split."""
        return int(self.manifest["events"][split])

    def condition(self, session: int) -> npt.NDArray[np.float32]:
        """Return the conditions of a session, float32[N_CONDITIONS]."""
        return np.array(self.manifest["sessions"][session]["condition"], np.float32)

    def record(self, session: int) -> IntArray:
        """Return the records of a session, int64[event, field], memory-mapped."""
        return self._arrays[session, "record"]

    def book(self, session: int, block: int) -> tuple[IntArray, IntArray]:
        """Return depth and quote before a block of a session."""
        lots, quote = self._arrays[session, "book"][block], self._arrays[session, "quote"][block].astype(np.int64)
        depth = np.zeros((2, self.scale.ring), np.int64)
        behind = np.arange(self.scale.reach)
        for side in range(2):
            depth[side, (quote[side] - (1 - 2 * side) * behind) % self.scale.ring] = lots[side]
        return depth, quote

    def windows(self, split: str, n_events: int) -> IntArray:
        """Return every window of ``n_events`` events that begins a block: int64[window, 2], session and block.

        Raises
        ------
        InputError
            The split has none.
        """
        found = [
            (session, block)
            for session in self.sessions(split)
            for block in range((len(self.record(session)) - n_events) // BLOCK + 1)
            if len(self.record(session)) >= n_events
        ]
        if not found:
            longest = max((len(self.record(session)) for session in self.sessions(split)), default=0)
            raise InputError(
                self.folder, 0, f"at most {longest:,} events in a session of the {split} split", f"at least {n_events}"
            )
        return np.array(found, np.int64)

    def batch(self, windows: IntArray, n_events: int) -> Batch:
        """Return windows of events, int64[window, 2], as a model reads them."""
        records, depths, quotes, chances = [], [], [], []
        for session, block in windows.tolist():
            rows = slice(block * BLOCK, block * BLOCK + n_events)
            records.append(np.array(self.record(session)[rows]))
            depth, quote = self.book(session, block)
            depths.append(depth)
            quotes.append(quote)
            if (session, "chance") in self._arrays:
                chances.append(np.array(self._arrays[session, "chance"][rows], np.float64))
        condition = np.stack([self.condition(session) for session in windows[:, 0].tolist()])
        log_chance = np.stack(chances) if len(chances) == len(records) else None
        return read_batch(np.stack(records), np.stack(depths), np.stack(quotes), self.scale, condition, log_chance)

    def draw(self, windows: IntArray, n_books: int, n_events: int, seed: int, step: int) -> Batch:
        """Return the training batch of one step: windows drawn at the address (seed, step)."""
        generator = rng.generator(rng.stream_key(seed, 0, "lmm", "train", "windows"), step, 0)
        return self.batch(windows[generator.integers(0, len(windows), n_books)], n_events)

    def passes(self, split: str, n_books: int, n_events: int, most: int) -> Iterator[Batch]:
        """Yield batches that cover a split evenly, without overlap, with at most ``most`` windows."""
        windows = self.windows(split, n_events)
        step = max(-(-n_events // BLOCK), 1)
        windows = windows[windows[:, 1] % step == 0]
        chosen = windows[np.unique(np.linspace(0, len(windows) - 1, min(most, len(windows))).astype(int))]
        for first in range(0, len(chosen), n_books):
            yield self.batch(chosen[first : first + n_books], n_events)

    # ---- Reading ------------------------------------------------------------------------------------------------

    def _read_manifest(self) -> dict[str, Any]:
        path = self.folder / MANIFEST
        if not path.is_file():
            raise InputError(self.folder, 0, f"no {MANIFEST}", "a folder that marketsim lmm prepare wrote")
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            known = manifest["schema_version"] == SCHEMA_VERSION and manifest["block"] == BLOCK
            complete = {"source", "bins", "bins_digest", "events", "sessions"} <= set(manifest)
        except (ValueError, KeyError, TypeError):
            known = complete = False
        if not (known and complete):
            raise InputError(
                path, 0, "another manifest", f"one of prepare, version {SCHEMA_VERSION}, blocks of {BLOCK}"
            )
        return dict(manifest)

    def _open(self, entry: Mapping[str, Any]) -> None:
        number, n_events = int(entry["number"]), int(entry["events"])
        n_blocks = -(-n_events // BLOCK)
        shapes = {
            "record": (n_events, 4),
            "book": (n_blocks, 2, self.scale.reach),
            "quote": (n_blocks, N_QUOTES),
            "chance": (n_events, 4),
        }
        if len(entry["condition"]) != N_CONDITIONS:
            found = f"{len(entry['condition'])} conditions of session {number}"
            raise InputError(self.folder / MANIFEST, 0, found, f"{N_CONDITIONS}")
        for name, shape in shapes.items():
            path = self.folder / f"{number:04d}-{name}.npy"
            if name == "chance" and not path.exists():
                continue
            try:
                array = np.load(path, mmap_mode="r", allow_pickle=False)
            except FileNotFoundError:
                raise InputError(path, 0, "no file", "the arrays that the manifest lists") from None
            except (ValueError, OSError, EOFError) as error:
                raise InputError(path, 0, f"a damaged or truncated file ({error})", f"an array {shape}") from None
            if array.shape != shape:
                raise InputError(path, 0, f"an array {array.shape}", f"{shape}, as the manifest says")
            self._arrays[number, name] = array
