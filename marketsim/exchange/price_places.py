"""Which level each price of a book has: the windows of the two sides, and the far stores behind them.

A side's window covers WINDOW consecutive prices, with the side's best price in its middle when it was last moved. Any
worse price gets a place in the side's far store, in the order of prices and with gaps between them, so that a new
price rarely moves others. Kernels read all of this and change none of it: where an order may come to rest at a price
without a level they stop before it (STOP_REBASE), and ``make_place`` gives it one. Where a window stands, and which
places far prices have, is of no consequence for what a book does; it decides only how fast it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from marketsim.exchange.kernel.layout import (
    BASE_PRICE,
    BEST,
    FAR_KEY,
    FAR_PLACE,
    N_FAR,
    N_LEVELS,
    N_RESTING,
    NO_LEVEL,
    O_LEVEL,
    WINDOW,
    WINDOW_BITS,
)

if TYPE_CHECKING:
    from marketsim.exchange.storage import BookStorage

IntArray = npt.NDArray[np.int64]

EDGE_GAP: Final = 16  # places left free before a price that is worse, or better, than all other far ones
PLACES_PER_PRICE: Final = 8  # at least, where far prices are spread out anew


def make_place(storage: BookStorage, side: int, price_ticks: int) -> None:
    """Give a price of a side, 0 buys or 1 sells, a level.

    The window moves to the side's best price where that has left its middle half, and always where the price is
    better than the window. A price that is still outside gets a place in the far store.
    """
    header = storage.book.header
    if header[N_RESTING] == 0:
        for other in range(2):
            lay_out(storage, other, np.array([price_ticks]))
        return
    sign, best = 2 * side - 1, price_ticks
    if header[BEST + side] != int(NO_LEVEL):
        best_now = int(prices_of(storage, header[[BEST + side]])[0])
        best = min(best, best_now, key=lambda price: price * sign)
    if abs(best - int(header[BASE_PRICE + side]) - WINDOW // 2) > WINDOW // 4:
        _rearrange(storage, side, best - WINDOW // 2, price_ticks)
    elif not _is_inside(storage, side, np.array(price_ticks)):
        _insert(storage, side, price_ticks)


def lay_out(storage: BookStorage, side: int, prices: IntArray) -> None:
    """Give levels to the prices of a side that holds no orders; ``prices`` are distinct and come best first."""
    storage.book.header[BASE_PRICE + side] = int(prices[0]) - WINDOW // 2
    _write_far(storage, side, prices[~_is_inside(storage, side, prices)])


def prices_of(storage: BookStorage, levels: IntArray) -> IntArray:
    """Prices of levels, in ticks."""
    header, far = storage.book.header, storage.book.far
    blocks, offsets = levels >> WINDOW_BITS, levels & (WINDOW - 1)
    sides = blocks & 1
    prices: IntArray = np.where(sides == 1, offsets, WINDOW - 1 - offsets) + header[BASE_PRICE + sides]
    for side in range(2):
        here = (levels >= N_LEVELS) & (sides == side)
        places = ((blocks[here] >> 1) - 1 << WINDOW_BITS) + offsets[here]
        ranks = np.searchsorted(far[FAR_PLACE + side, : header[N_FAR + side]], places)
        prices[here] = far[FAR_KEY + side, ranks] * (2 * side - 1)
    return prices


def levels_of(storage: BookStorage, side: int, prices: IntArray) -> IntArray:
    """Levels of prices of a side, in ticks; each lies in the window or has a place."""
    header, far = storage.book.header, storage.book.far
    ticks = prices - header[BASE_PRICE + side]
    levels: IntArray = WINDOW + ticks if side == 1 else WINDOW - 1 - ticks
    outside = ~_is_inside(storage, side, prices)
    ranks = np.searchsorted(far[FAR_KEY + side, : header[N_FAR + side]], prices[outside] * (2 * side - 1))
    places = far[FAR_PLACE + side, ranks]
    levels[outside] = (2 * ((places >> WINDOW_BITS) + 1) + side << WINDOW_BITS) + (places & (WINDOW - 1))
    return levels


def _is_inside(storage: BookStorage, side: int, prices: IntArray) -> npt.NDArray[np.bool_]:
    ticks = prices - storage.book.header[BASE_PRICE + side]
    return np.asarray((ticks >= 0) & (ticks < WINDOW))


def _rearrange(storage: BookStorage, side: int, base: int, price_ticks: int) -> None:
    """Move a side's window and spread its far prices out anew, a new price among them; orders keep their queues."""
    old = storage.occupied_levels(side)
    prices, rows = prices_of(storage, old), storage.book.levels[old]
    others = storage.occupied_levels(1 - side)
    storage.book.levels[old] = 0
    storage.book.header[BASE_PRICE + side] = base
    wanted = np.unique(np.append(prices, price_ticks))[:: 2 * side - 1]
    _write_far(storage, side, wanted[~_is_inside(storage, side, wanted)])
    new = levels_of(storage, side, prices)
    storage.book.levels[new] = rows
    storage.mark_levels(np.concatenate([new, others]))
    slots, orders = storage.live_slots(), storage.book.orders
    slots = slots[orders[slots, O_LEVEL] >> WINDOW_BITS & 1 == side]
    orders[slots, O_LEVEL] = new[np.searchsorted(old, orders[slots, O_LEVEL])]


def _write_far(storage: BookStorage, side: int, prices: IntArray) -> None:
    """Make a side's far store anew, of these prices, best first: evenly spread, with most room before and behind."""
    n = len(prices)
    if n > 0:
        storage.reserve_far(n, PLACES_PER_PRICE * n)
        places = storage.far_places
        storage.book.far[FAR_KEY + side, :n] = prices * (2 * side - 1)
        storage.book.far[FAR_PLACE + side, :n] = places // 4 + np.arange(n) * (places // 2) // n
    storage.book.header[N_FAR + side] = n


def _insert(storage: BookStorage, side: int, price_ticks: int) -> None:
    """Give one more price a place between its neighbours, or make all places anew where there is none."""
    header, n = storage.book.header, int(storage.book.header[N_FAR + side])
    storage.reserve_far(n + 1, 1)
    far, key, end = storage.book.far[side::2], price_ticks * (2 * side - 1), storage.far_places
    rank = int(np.searchsorted(far[0, :n], key))
    before = int(far[1, rank - 1]) if rank > 0 else -1
    behind = int(far[1, rank]) if rank < n else end
    place = (before + behind) // 2
    if n > 0 and rank == n:
        place = min(place, before + EDGE_GAP)
    elif n > 0 and rank == 0:
        place = max(place, behind - EDGE_GAP)
    if place == before:
        _rearrange(storage, side, int(header[BASE_PRICE + side]), price_ticks)
        return
    far[:, rank + 1 : n + 1] = far[:, rank:n].copy()
    far[:, rank] = key, place
    header[N_FAR + side] = n + 1
