"""The state of a book as three compact arrays, which do not depend on where in memory anything stood.

Two books with equal futures have equal arrays: only live orders count, in the order of their queues. What dead
orders died of is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from marketsim.exchange import price_places
from marketsim.exchange.codes import FIRST_SLOT
from marketsim.exchange.kernel.layout import (
    L_COUNT,
    L_HEAD,
    L_SIZE,
    L_TAIL,
    MAX_OWNERS,
    MAX_PRICE_TICKS,
    MAX_SIZE_LOTS,
    N_RESTING,
    NEXT_ID,
    O_ID,
    O_LEVEL,
    O_NEXT,
    O_OWN_NEXT,
    O_OWN_PREVIOUS,
    O_OWNER,
    O_PREVIOUS,
    O_SIZE,
    W_COUNT,
    W_NEWEST,
    W_OLDEST,
)
from marketsim.exchange.kernel.walks import (
    R_ID,
    R_OWNER,
    R_PRICE,
    R_SIDE,
    R_SIZE,
    R_SLOT,
    ROW_WORDS,
    walk_owners,
    walk_queues,
)

if TYPE_CHECKING:
    from marketsim.exchange.storage import BookStorage

IntArray = npt.NDArray[np.int64]

VERSION: Final = 1


def queue_rows(storage: BookStorage, side: int) -> IntArray:
    """Resting orders of a side, 0 buys or 1 sells, in the order in which they would trade.

    Returns
    -------
    int64 array, shape (orders, ROW_WORDS)
        Columns ``R_...`` of ``kernel/walks.py``.
    """
    rows = np.zeros((int(storage.book.header[N_RESTING]), ROW_WORDS), np.int64)
    return rows[: walk_queues(storage.handle, side, rows)]


def save(storage: BookStorage) -> dict[str, IntArray]:
    """Return the state; see ``BookStorage.snapshot``."""
    rows = np.concatenate([queue_rows(storage, side) for side in range(2)])
    slots = np.zeros(len(rows), np.int64)
    slots = slots[: walk_owners(storage.handle, slots)]
    by_slot = np.argsort(rows[:, R_SLOT])
    own = by_slot[np.searchsorted(rows[:, R_SLOT], slots, sorter=by_slot)]
    head = np.array([VERSION, storage.book.header[NEXT_ID]])
    return {"head": head, "orders": rows[:, :R_SLOT].copy(), "own": own}


def load(storage: BookStorage, state: Mapping[str, npt.NDArray[np.int64]]) -> None:
    """Enter a state into a storage that holds no orders; see ``BookStorage.restore``."""
    rows, own = state["orders"], state["own"]
    slots = FIRST_SLOT + np.arange(len(rows))
    storage.reserve_orders(len(rows))
    storage.take_first_slots(len(rows))
    storage.enter_ids(int(state["head"][1]), rows[:, R_ID], slots)
    if len(rows) == 0:
        return
    levels = _lay_out(storage, rows[:, R_SIDE], rows[:, R_PRICE])
    orders = storage.book.orders[FIRST_SLOT : FIRST_SLOT + len(rows)]
    orders[:, [O_ID, O_SIZE, O_OWNER]] = rows[:, [R_ID, R_SIZE, R_OWNER]]
    orders[:, O_LEVEL] = levels
    _link_queues(storage, orders, slots, levels)
    storage.reserve_owners(int(rows[:, R_OWNER].max()) + 1)
    if len(own):
        _link_owners(storage, own)


def _lay_out(storage: BookStorage, signs: IntArray, prices: IntArray) -> IntArray:
    """Give each price a level; return those of the rows."""
    levels = np.zeros(len(prices), np.int64)
    for side, sign in enumerate((1, -1)):
        of_side = signs == sign
        own = prices[of_side]
        is_new = np.append(True, own[1:] != own[:-1])[: len(own)]
        price_places.lay_out(storage, side, own[is_new] if len(own) else prices[:1])
        levels[of_side] = price_places.levels_of(storage, side, own)
    return levels


def _link_queues(storage: BookStorage, orders: IntArray, slots: IntArray, levels: IntArray) -> None:
    """Chain neighbours of one level; rows stand in the order of the queues, so each level is one stretch of them."""
    is_first = np.append(True, levels[1:] != levels[:-1])
    is_last = np.append(is_first[1:], True)
    orders[:, O_PREVIOUS] = np.where(is_first, 0, slots - 1)
    orders[:, O_NEXT] = np.where(is_last, 0, slots + 1)
    table, occupied, starts = storage.book.levels, levels[is_first], np.flatnonzero(is_first)
    table[occupied, L_HEAD], table[occupied, L_TAIL] = slots[is_first], slots[is_last]
    table[occupied, L_SIZE] = np.add.reduceat(orders[:, O_SIZE], starts)
    table[occupied, L_COUNT] = np.diff(np.append(starts, len(orders)))
    storage.mark_levels(occupied)


def _link_owners(storage: BookStorage, own: IntArray) -> None:
    """Chain each owner's orders; ``own`` holds their rows by owner, oldest first."""
    book, slots = storage.book, own + FIRST_SLOT
    owners = book.orders[slots, O_OWNER]
    is_first = np.append(True, owners[1:] != owners[:-1])
    is_last = np.append(is_first[1:], True)
    book.orders[slots, O_OWN_PREVIOUS] = np.where(is_first, 0, np.append(0, slots[:-1]))
    book.orders[slots, O_OWN_NEXT] = np.where(is_last, 0, np.append(slots[1:], 0))
    who, starts = owners[is_first], np.flatnonzero(is_first)
    book.owners[who, W_OLDEST], book.owners[who, W_NEWEST] = slots[is_first], slots[is_last]
    book.owners[who, W_COUNT] = np.diff(np.append(starts, len(own)))


def check(state: Mapping[str, npt.NDArray[np.int64]]) -> None:
    """Refuse a state that no book can be in, before anything is changed.

    Raises
    ------
    ValueError
        It is of another version, an array is missing or of another shape, or orders contradict each other.
    """
    shapes = {name: state[name].shape for name in ("head", "orders", "own") if name in state}
    if len(shapes) < 3 or shapes["head"] != (2,) or shapes["orders"][1:] != (R_SLOT,) or len(shapes["own"]) != 1:
        raise ValueError(f"a book's state holds head (2,), orders (n, {R_SLOT}) and own (m,); found {shapes}")
    if any(state[name].dtype != np.int64 for name in shapes):
        raise ValueError("the arrays of a book's state must be int64")
    if state["head"][0] != VERSION:
        raise ValueError(f"expected a book's state of version {VERSION}; found version {state['head'][0]}")
    fault = _fault(state["head"], state["orders"], state["own"])
    if fault:
        raise ValueError(f"this is no state of a book: {fault}")


def _fault(head: IntArray, orders: IntArray, own: IntArray) -> str:
    ids, owners, sides, prices, sizes = orders.T
    if head[1] < 1:
        return "order numbers start at 1"
    if len(orders) == 0:
        return "own names orders that are not there" if len(own) else ""
    if ids.min() < 1 or len(np.unique(ids)) < len(ids):
        return "ids must be positive and distinct"
    if sizes.min() < 1 or sizes.max() > MAX_SIZE_LOTS or owners.min() < 0 or owners.max() >= MAX_OWNERS:
        return "a size or an owner is out of range"
    if not np.isin(sides, (1, -1)).all() or np.abs(prices).max() > MAX_PRICE_TICKS:
        return "a side or a price is out of range"
    # In the order of the queues: buys from the highest price down, then sells from the lowest up.
    if (np.diff(sides) > 0).any() or (np.diff(prices * -sides)[sides[1:] == sides[:-1]] < 0).any():
        return "orders are not in the order of their queues"
    if (sides == 1).any() and (sides == -1).any() and prices[sides == 1].max() >= prices[sides == -1].min():
        return "the book is crossed"
    if not np.array_equal(np.sort(own), np.flatnonzero(owners)) or (np.diff(owners[own]) < 0).any():
        return "own must hold each order that has an owner once, by owner"
    return ""
