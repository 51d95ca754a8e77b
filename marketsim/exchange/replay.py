"""Replay of a recorded market: its messages rebuild an order book, which is compared with the recorded one.

Two checks, which say different things. One step: message k turns row k - 1 of the recorded book into row k; this must
hold for every row, or the files are damaged, not of one recording, or read wrongly. Cumulative: the book is seeded
once, then lives on messages alone. It can be less than whole without anybody's fault, because files record only what
happens within their price levels: orders that come in from further out were never announced.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core.errors import InputError
from marketsim.exchange.lobster.checks import check_same_rows
from marketsim.exchange.lobster.files import read_book, read_messages
from marketsim.exchange.lobster.layout import LobsterBook, LobsterMessages, LobsterType
from marketsim.exchange.lobster.one_step import one_step_agreement
from marketsim.exchange.lobster.reconstruction import Reconstruction, ReconstructionCounts, common_tick

IntArray = npt.NDArray[np.int64]

DEFAULT_LEVELS: Final = 10
"""Levels compared where the caller names no number and the book has that many."""


class Agreement(NamedTuple):
    """Rows that agree, of those compared. The first row of a book is what a replay starts from: it is not compared."""

    agree: int
    of: int

    @property
    def share(self) -> float:
        """Share of rows that agree; 1 where there are none."""
        return self.agree / self.of if self.of else 1.0


@dataclass(frozen=True)
class Replay:
    """What a replay found.

    Attributes
    ----------
    messages : Path
        The message file.
    types : dict of LobsterType to int
        Messages of each type.
    one_step : Agreement or None
        All levels, row by row; None without a recorded book.
    first_disagreement : int or None
        First row, from 1, that does not follow from the row above.
    cumulative : tuple of Agreement
        Entry k - 1 is about level k alone: price and size on both sides. Empty without a recorded book.
    counts : ReconstructionCounts
        Messages that did not fit the rebuilt book.
    resting : int
        Orders in the rebuilt book at the end; a seeded level counts as one.
    seconds : float
        Wall clock of rebuilding and comparing, reading excluded.
    """

    messages: Path
    types: dict[LobsterType, int]
    one_step: Agreement | None
    first_disagreement: int | None
    cumulative: tuple[Agreement, ...]
    counts: ReconstructionCounts
    resting: int
    seconds: float

    @property
    def rows(self) -> int:
        """Messages in the file."""
        return sum(self.types.values())

    @property
    def messages_per_second(self) -> float:
        """Messages per second of wall clock."""
        return self.rows / self.seconds

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "rows": self.rows,
            "one_step": None if self.one_step is None else self.one_step._asdict(),
            "cumulative": [{"level": level, **found._asdict()} for level, found in enumerate(self.cumulative, start=1)],
            "first_disagreement": self.first_disagreement,
            "types": {kind.name.lower(): count for kind, count in self.types.items()},
            **self.counts.as_dict(),
            "resting": self.resting,
            "seconds": self.seconds,
        }

    def explanation(self) -> str:
        """Return in words why not every row agrees; empty where every row does, or none was compared."""
        if self.one_step is not None and self.one_step.share < 1:
            return (
                f"Row {self.first_disagreement:,} of the book does not follow from the row above and its message: "
                "the two files are not of one recording, or one of them is damaged."
            )
        if all(level.share == 1 for level in self.cumulative):
            return ""
        return (
            "Below 100 % is expected in the cumulative figures and no fault of the replay: every row follows from the "
            "row above, but the files record only what happens within their price levels, so orders that come in "
            f"from further out, or change there, are not in the messages. {_removals(self.counts.unknown_ids)} an "
            f"order whose arrival was not recorded; {_removals(self.counts.nowhere)} more than the rebuilt book had "
            "at that price."
        )


def replay_messages(
    messages: str | Path,
    book: str | Path | None = None,
    seed_book: str | Path | None = None,
    levels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Rebuild an order book from LOBSTER messages and compare it with the recorded one.

    Parameters
    ----------
    messages : str or Path
        LOBSTER message file, CSV or Parquet.
    book : str or Path, optional
        Recorded book, one row for each message. Its first row, the book after the first message, is where the replay
        starts.
    seed_book : str or Path, optional
        Start from the first row of this file instead: for a recorded book with fewer levels than are needed.
        With neither the replay starts from an empty book.
    levels : int, optional
        Levels to compare one by one; by default ten, or as many as the recorded book has.
    progress : callable, optional
        Called with the messages done and their number.

    Returns
    -------
    Replay
        Counts and agreement.

    Raises
    ------
    InputError
        A file cannot be used, or has fewer levels than ``levels``.
    ValueError
        ``levels`` is less than 1, or given without ``book``.
    """
    if levels is not None and (levels < 1 or book is None):
        raise ValueError(f"levels must be at least 1 and need a book to compare with; found {levels} and book {book}")
    recorded_messages = read_messages(messages)
    recorded = None if book is None else read_book(book)
    n_levels = 0
    if recorded is not None:
        check_same_rows(recorded_messages, recorded)
        n_levels = _levels_to_compare(recorded, levels)
    seed = recorded.values[0] if recorded is not None else None
    if seed_book is not None:
        seed = read_book(seed_book, rows=1).values[0]
    Reconstruction().apply(LobsterType.ADD, 1, 1, 1, 1)  # loads or compiles the kernel before the clock starts
    begun = time.perf_counter()
    follows = None if recorded is None else one_step_agreement(recorded_messages, recorded)
    rebuilt = _seeded(recorded_messages, seed)
    agree = _rebuild(rebuilt, recorded_messages, recorded, n_levels, 0 if seed is None else 1, progress)
    return Replay(
        messages=Path(messages),
        types={kind: int((recorded_messages.kind == kind).sum()) for kind in LobsterType},
        one_step=None if follows is None else Agreement(int(follows.sum()), len(follows)),
        first_disagreement=None if follows is None or follows.all() else int(np.argmin(follows)) + 2,
        cumulative=tuple(Agreement(int(rows), len(recorded_messages) - 1) for rows in agree),
        counts=rebuilt.counts,
        resting=rebuilt.resting,
        seconds=time.perf_counter() - begun,
    )


def _levels_to_compare(recorded: LobsterBook, levels: int | None) -> int:
    if levels is None:
        return min(recorded.levels, DEFAULT_LEVELS)
    if levels > recorded.levels:
        raise InputError(recorded.path, 0, f"{recorded.levels} levels", f"at least the {levels} to compare")
    return levels


def _seeded(messages: LobsterMessages, seed: IntArray | None) -> Reconstruction:
    """Return the book to start from, in ticks that divide every price and with ids for the seed that no message has."""
    rebuilt = Reconstruction(common_tick(messages, [] if seed is None else [seed]), int(messages.order_id.max()) + 1)
    if seed is not None:
        rebuilt.seed(seed)
    return rebuilt


def _rebuild(
    rebuilt: Reconstruction,
    messages: LobsterMessages,
    recorded: LobsterBook | None,
    levels: int,
    start: int,
    progress: Callable[[int, int], None] | None,
) -> IntArray:
    """Carry out all messages from row ``start`` on; return the rows that agree at each level, shape (levels,)."""
    agree = np.zeros(levels, np.int64)
    for first, values in rebuilt.books(messages, levels, start):
        if recorded is not None:
            real = recorded.values[first : first + len(values), : 4 * levels]
            agree += (values == real).reshape(len(values), levels, 4).all(axis=2).sum(axis=0)
        if progress is not None:
            progress(first + len(values), len(messages))
    return agree


def _removals(count: int) -> str:
    return f"{count:,} removal{' was' if count == 1 else 's were'} of"
