"""One-step check of LOBSTER files: does message k turn row k - 1 of the book into row k?

It needs no matching engine and no memory of orders, so it tells whether the two files belong together and are read
rightly, whatever happened outside the recorded window.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from marketsim.exchange.lobster.layout import EMPTY_PRICE, LAST_VISIBLE, LobsterBook, LobsterMessages, LobsterType

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CHUNK_ROWS: Final = 8192


def one_step_agreement(messages: LobsterMessages, book: LobsterBook) -> BoolArray:
    """Whether each row of the book follows from the row above and its message.

    All levels of both sides must agree, price and size. The deepest level of a side is left out where the message
    removes a level of a full side: what comes up from below was not in the row above.

    Parameters
    ----------
    messages, book : LobsterMessages, LobsterBook
        Of the same number of rows.

    Returns
    -------
    bool array, shape (rows - 1,)
        Entry k is about row k + 1 of the files, from 0.
    """
    agrees = np.empty(max(len(book) - 1, 0), np.bool_)
    for start in range(0, len(agrees), CHUNK_ROWS):
        after = slice(start + 1, min(start + CHUNK_ROWS, len(agrees)) + 1)
        agrees[after.start - 1 : after.stop - 1] = _agreement(messages, book, after)
    return agrees


def _agreement(messages: LobsterMessages, book: LobsterBook, after: slice) -> BoolArray:
    """Whether the rows in ``after`` follow from those one above."""
    before = slice(after.start - 1, after.stop - 1)
    kind, size = messages.kind[after], messages.size[after]
    visible = kind <= LAST_VISIBLE
    change = np.where(kind == LobsterType.ADD, size, -size)
    agrees = np.ones(len(kind), np.bool_)
    for side in (1, -1):
        ranks, sizes = book.ranks(side), book.sizes(side)
        here = visible & (messages.direction[after] == side)
        level_ranks, level_sizes, compared, possible = _apply(
            ranks[before], sizes[before], -side * messages.price[after], np.where(here, change, 0)
        )
        same = (level_ranks == ranks[after]) & (level_sizes == sizes[after])
        seen = np.arange(book.levels) < compared[:, None]
        agrees &= possible & (same | ~seen).all(axis=1)
    return agrees


def _apply(
    ranks: IntArray, sizes: IntArray, rank: IntArray, change: IntArray
) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
    """Change the size at one price in each row of one side of a book.

    Parameters
    ----------
    ranks, sizes : int64 array, shape (rows, levels)
        Levels before, best first; empty ones have rank EMPTY_PRICE and size 0.
    rank, change : int64 array, shape (rows,)
        Rank of the price whose size changes, and by how much; 0 for rows that do not touch this side.

    Returns
    -------
    ranks, sizes : int64 array, shape (rows, levels)
        Levels after.
    compared : int64 array, shape (rows,)
        How many of them are known.
    possible : bool array, shape (rows,)
        False where more is removed than was there.
    """
    n_rows, n_levels = ranks.shape
    row, level = np.arange(n_rows), np.arange(n_levels)
    place = (ranks < rank[:, None]).sum(axis=1)
    at = np.minimum(place, n_levels - 1)
    exists = (place < n_levels) & (ranks[row, at] == rank)
    full = ranks[:, -1] != EMPTY_PRICE
    left = np.where(exists, sizes[row, at], 0) + change
    below = (place == n_levels) & full  # beyond what the file shows
    possible = below | (left >= 0)
    opens = (change > 0) & ~exists & (place < n_levels)
    closes = (change < 0) & exists & (left == 0)
    source = level + (closes[:, None] & (level >= place[:, None])) - (opens[:, None] & (level > place[:, None]))
    ranks = np.take_along_axis(np.pad(ranks, ((0, 0), (0, 1)), constant_values=EMPTY_PRICE), source, axis=1)
    sizes = np.take_along_axis(np.pad(sizes, ((0, 0), (0, 1))), source, axis=1)
    set_here = (change != 0) & ~closes & ~below & possible
    ranks[row[set_here], at[set_here]] = rank[set_here]
    sizes[row[set_here], at[set_here]] = left[set_here]
    return ranks, sizes, n_levels - (closes & full), possible
