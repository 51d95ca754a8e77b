"""Rollouts of a trained model: many books for some minutes, as records and as LOBSTER files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core import rng
from marketsim.core.errors import InputError
from marketsim.core.jit import errstate
from marketsim.exchange.lobster.layout import LobsterBook, LobsterMessages, empty_book
from marketsim.lmm.checkpoint import Checkpoint, read_tensors, write_tensors
from marketsim.lmm.events import BLOCK, F_EMPTY, F_SPREAD, GAP, N_CONDITIONS, N_QUOTES
from marketsim.lmm.kernel.lobster import rows_of
from marketsim.lmm.pool import Pool
from marketsim.lmm.scale import Scale
from marketsim.lmm.shards import Shards
from marketsim.lmm.teacher import read_batch

IntArray = npt.NDArray[np.int64]

CONTEXTS: Final = "contexts.safetensors"
N_CONTEXTS: Final = 64
CONTEXT_EVENTS: Final = 2 * BLOCK

MINUTE: Final = 60_000_000_000


class Contexts(NamedTuple):
    """Books and the events on them from which rollouts begin; some of the training split, kept with a model."""

    depth: IntArray
    """int64[context, side, reach]: lots by ticks behind the best price, before the first event."""
    quote: IntArray
    """int64[context, N_QUOTES]"""
    record: IntArray
    """int64[context, event, field]"""
    condition: npt.NDArray[np.float32]
    """float32[context, N_CONDITIONS]"""


class Rollout(NamedTuple):
    """One book as it was played on."""

    depth: IntArray
    """int64[side, ring]: the book before the first event."""
    quote: IntArray
    record: IntArray
    """int64[event, field]"""


def write_contexts(folder: Path, data: Shards) -> None:
    """Keep the beginnings of rollouts with a model: windows spread evenly over the training split."""
    n_events = CONTEXT_EVENTS if max(len(data.record(s)) for s in data.sessions("train")) >= CONTEXT_EVENTS else BLOCK
    windows = data.windows("train", n_events)
    chosen = windows[np.linspace(0, len(windows) - 1, N_CONTEXTS).astype(int)]
    arrays: dict[str, list[Any]] = {name: [] for name in Contexts._fields}
    for session, block in chosen.tolist():
        depth, quote = data.book(session, block)
        behind = np.arange(data.scale.reach)
        sides = [depth[side, (quote[side] - (1 - 2 * side) * behind) % data.scale.ring] for side in range(2)]
        arrays["depth"].append(np.stack(sides).astype(np.int32))
        arrays["quote"].append(quote)
        arrays["record"].append(data.record(session)[block * BLOCK : block * BLOCK + n_events])
        arrays["condition"].append(data.condition(session))
    write_tensors(folder / CONTEXTS, {name: np.stack(rows) for name, rows in arrays.items()}, {})


def read_contexts(model: Checkpoint) -> Contexts:
    """Return the beginnings that are kept with a model.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
    path = model.folder / CONTEXTS
    if not path.is_file():
        raise InputError(path, 0, "no file", "the beginnings of rollouts that train writes beside the weights")
    arrays, _ = read_tensors(path)
    try:
        found = Contexts(*(np.asarray(arrays[name]) for name in Contexts._fields))
    except KeyError as error:
        raise InputError(path, 0, f"no array {error}", ", ".join(Contexts._fields)) from None
    shape = len(found.quote), 2, model.scale.reach
    if found.depth.shape != shape or found.quote.shape[1] != N_QUOTES:
        raise InputError(path, 0, f"books {found.depth.shape}", f"{shape}, as the bins of the model have it")
    return found


def open_pool(model: Checkpoint, n_books: int, seed: int, condition: Sequence[float] | None = None) -> Pool:
    """Return books that have seen a context of real or a teacher's events.

    Parameters
    ----------
    model : Checkpoint
        With its contexts beside it.
    n_books : int
        Books; book i begins as context i, over again where there are more.
    seed : int
        Of every draw, and of the order of contexts.
    condition : sequence of float, optional
        Conditions of all books; by default those of each context. Contexts of the same regime are chosen.
    """
    contexts = read_contexts(model)
    order = np.arange(len(contexts.quote))
    if condition is not None:
        same = np.flatnonzero((contexts.condition[:, :4] == np.asarray(condition, np.float32)[:4]).all(1))
        order = same if len(same) else order
    key = rng.stream_key(seed, 0, "lmm", "pool", "contexts")
    order = order[rng.generator(key, 0, 0).permutation(len(order))]
    chosen = order[np.arange(n_books) % len(order)]
    scale, behind = model.scale, np.arange(model.scale.reach)
    depth, quote = np.zeros((n_books, 2, scale.ring), np.int64), contexts.quote[chosen].astype(np.int64)
    for book, context in enumerate(chosen.tolist()):
        for side in range(2):
            at = (quote[book, side] - (1 - 2 * side) * behind) % scale.ring
            depth[book, side, at] = contexts.depth[context, side]
    told = contexts.condition[chosen] if condition is None else np.tile(np.asarray(condition), (n_books, 1))
    pool = Pool(model, depth, quote, told, seed)
    pool.watch(contexts.record[chosen].astype(np.int64))
    return pool


WARM_UP: Final = 500
"""Events of the model before the first that counts, so that books that began alike part."""


def rollouts(
    model: Checkpoint, n_books: int, duration_ns: int, seed: int, condition: Sequence[float] | None = None
) -> list[Rollout]:
    """Play books on for some time; a longer rollout begins with the shorter.

    Parameters
    ----------
    model : Checkpoint
        What plays.
    n_books : int
        Books.
    duration_ns : int
        Simulated time of each.
    seed, condition
        As ``open_pool``.

    Returns
    -------
    list of Rollout
        One a book.
    """
    pool = open_pool(model, n_books, seed, condition)
    pool.advance(WARM_UP)
    return until_time(pool.state.depth.copy(), pool.state.quote.copy(), pool.advance, duration_ns)


def event_rollouts(
    model: Checkpoint, n_books: int, n_events: int, seed: int, condition: Sequence[float] | None = None
) -> list[Rollout]:
    """Play books on for so many events each; other arguments as ``rollouts``."""
    pool = open_pool(model, n_books, seed, condition)
    pool.advance(WARM_UP)
    depth, quote = pool.state.depth.copy(), pool.state.quote.copy()
    return [Rollout(*one) for one in zip(depth, quote, pool.advance(n_events), strict=True)]


def until_time(depth: IntArray, quote: IntArray, advance: Callable[[int], IntArray], duration_ns: int) -> list[Rollout]:
    """Play books on, in lock step, until every one has reached a time; cut each there.

    Parameters
    ----------
    depth, quote : int64 arrays
        The books before.
    advance : callable
        Plays every book on by so many events and returns their records.
    duration_ns : int
        The time.
    """
    parts: list[IntArray] = []
    reached = np.zeros(len(quote), np.int64)
    while reached.min(initial=duration_ns) < duration_ns:
        parts.append(advance(BLOCK))
        reached += parts[-1][:, :, GAP].sum(1)
    record = np.concatenate(parts, axis=1)
    time = record[:, :, GAP].cumsum(1)
    ends = [int(np.searchsorted(time[book], duration_ns)) for book in range(len(quote))]
    return [Rollout(depth[book], quote[book], record[book, : ends[book]]) for book in range(len(quote))]


def lobster_of(rollout: Rollout, scale: Scale, levels: int = 10, units: int = 100, start_ns: int = 0) -> Any:
    """Return a rollout as LOBSTER messages and books.

    Parameters
    ----------
    rollout : Rollout
        What happened. Lots become shares.
    scale : Scale
        Bins of the model.
    levels : int
        Levels of the book.
    units : int
        Price units of 1/10,000 in a tick.
    start_ns : int
        Time of day of the beginning.

    Returns
    -------
    LobsterMessages, LobsterBook
        One row for each order that an event touched.
    """
    depth, quote = rollout.depth.copy(), rollout.quote.copy()
    rows = 2 * len(rollout.record) + 2 * scale.reach + 2  # an event takes from many orders, but ends all save one
    out, books = np.zeros((rows, 6), np.int64), empty_book(rows, levels)
    order = np.zeros((len(rollout.record) + 2 * scale.reach + 2, 4), np.int64)
    queues = np.zeros((2, scale.ring), np.int64)
    with errstate():
        n = rows_of(rollout.record, depth, quote, scale, order, queues, queues.copy(), out, books)
    out, books = out[:n].copy(), books[:n].copy()
    out[:, 0] += start_ns
    out[:, 4] *= units
    filled = books[:, 1::2] > 0
    books[:, ::2] = np.where(filled, books[:, ::2] * units, books[:, ::2])
    return LobsterMessages(Path(), *np.ascontiguousarray(out.T)), LobsterBook(Path(), books)


def write_rollouts(
    folder: Path, found: Sequence[Rollout], scale: Scale, levels: int = 10, parquet: bool = True
) -> Iterator[Path]:
    """Write each rollout as LOBSTER message and orderbook CSV, and all events in one Parquet file; yield the paths."""
    from marketsim.exchange.lobster.files import write_book, write_messages

    folder.mkdir(parents=True, exist_ok=True)
    for book, rollout in enumerate(found):
        messages, books = lobster_of(rollout, scale, levels)
        for what, part in (("message", messages), ("orderbook", books)):
            path = folder / f"book{book:03d}_{what}_{levels}.csv"
            if isinstance(part, LobsterMessages):
                write_messages(part, path)
            else:
                write_book(part, path)
            yield path
    if parquet:
        yield _write_events(folder / "events.parquet", found)


def _write_events(path: Path, found: Sequence[Rollout]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    record = np.concatenate([one.record for one in found])
    columns = {
        "book": np.repeat(np.arange(len(found)), [len(one.record) for one in found]).astype(np.int32),
        "time_ns": np.concatenate([one.record[:, GAP].cumsum() for one in found]),
        "kind": record[:, 1].astype(np.int8),
        "behind_ticks": record[:, 2],
        "size_lots": record[:, 3],
    }
    pq.write_table(pa.table(columns), path, use_dictionary=False, compression="lz4")
    return path


def states_of(rollout: Rollout, scale: Scale) -> npt.NDArray[np.float64]:
    """Return what the book is like before each event: float64[event, 3].

    Whether the spread is above five ticks, whether a side is empty, and the time to the event in ns.
    """
    depth, quote = rollout.depth[None].copy(), rollout.quote[None].copy()
    batch = read_batch(rollout.record[None], depth, quote, scale, np.zeros((1, N_CONDITIONS)))
    feature = batch.feature[0, :-1]
    wide = np.expm1(feature[:, F_SPREAD]) > 5.5
    return np.stack([wide, feature[:, F_EMPTY:].max(1), rollout.record[:, GAP]], axis=1).astype(float)
