"""What a message does to a book: ``shortage`` first, which changes nothing, then ``apply``, which never fails.

Every message writes one event of its own, behind those of its fills: ACCEPTED, REPLACED, REDUCED, CANCELLED or
REJECTED (``CANCEL_ALL`` writes one CANCELLED row an order instead). Lots of an incoming order that neither traded nor
rest are in the log as an EXPIRED row (immediate orders) or as CANCELLED and REDUCED rows (self-trade prevention)
before it. So of each order the lots of its ACCEPTED row are those of its fills, of its removals and what rests.
"""

import numpy as np

from marketsim.core.jit import inlined
from marketsim.exchange.codes import (
    ACCEPTED,
    ADD,
    CANCEL,
    CANCEL_ALL,
    CANCEL_OWN,
    CANCELLED,
    EXPIRED,
    FOK,
    IOC,
    MARKET,
    POST_ONLY,
    REDUCE,
    REDUCED,
    REJECT_DUPLICATE_ID,
    REJECT_FOK,
    REJECT_INVALID_ID,
    REJECT_INVALID_MESSAGE,
    REJECT_INVALID_OWNER,
    REJECT_INVALID_SIZE,
    REJECT_POST_ONLY,
    REJECT_PRICE_RANGE,
    REJECT_UNKNOWN_ORDER,
    REJECTED,
    REPLACE,
    REPLACED,
    STATUS_CANCELLED,
    STATUS_EXPIRED,
    STATUS_FILLED,
    STATUS_REJECTED,
    STOP_IDS_FULL,
    STOP_LOG_FULL,
    STOP_NONE,
    STOP_ORDERS_FULL,
    STOP_OWNERS_FULL,
    STOP_REBASE,
    STP_CANCEL_INCOMING,
    STP_CANCEL_RESTING,
    STP_DECREMENT,
    STP_MASK,
    TRADE,
)
from marketsim.exchange.kernel.index import find, is_dense, next_number, put
from marketsim.exchange.kernel.layout import (
    BASE_PRICE,
    BEST,
    C_ROWS,
    FAR_KEY,
    FIRST_ID,
    FREE_SLOT,
    L_COUNT,
    L_HEAD,
    L_SIZE,
    L_TAIL,
    MAP_USED,
    MAX_OWNERS,
    MAX_PRICE_TICKS,
    MAX_SIZE_LOTS,
    N_RESTING,
    NEXT_ID,
    NO_LEVEL,
    NO_SLOT,
    O_ID,
    O_LEVEL,
    O_NEXT,
    O_OWN_NEXT,
    O_OWNER,
    O_PREVIOUS,
    O_SIZE,
    REBASE_SIDE,
    W_OLDEST,
    WINDOW,
    WINDOW_BITS,
    emit,
)
from marketsim.exchange.kernel.levels import (
    best_level,
    far_level,
    far_rank,
    has_place,
    is_outside,
    level_at,
    next_level,
    price_of,
    side_of,
    vacate,
)
from marketsim.exchange.kernel.queues import own_slot, release, remove, rest

IMMEDIATE = IOC | FOK | MARKET  # an order with one of these never rests
KNOWN_FLAGS = IMMEDIATE | POST_ONLY | STP_MASK
REPLACE_FLAGS = POST_ONLY | STP_MASK


@inlined
def shortage(book, kind, order_id, side, price_ticks, size_lots, flags, owner=0):
    """What lacks for a message, whatever it turns out to be; STOP_NONE where nothing does. Changes nothing.

    ``side`` is the message's, +1 or -1; a replacement has that of its order.

    A sweep trades with every resting order at most, and with no more orders than it has lots. Prevention of
    self-trades may write two rows an order.
    """
    header = book.header
    rows = min(max(size_lots, 0), header[N_RESTING])
    if flags & STP_MASK or kind == CANCEL_ALL:
        rows = 2 * header[N_RESTING]
    if book.cursor[C_ROWS] + rows + 3 > book.log.shape[1]:
        return STOP_LOG_FULL
    if np.uint64(header[FREE_SLOT]) == NO_SLOT:
        return STOP_ORDERS_FULL
    if header[NEXT_ID] - header[FIRST_ID] >= book.dense.shape[0] or (
        not book.plain and 2 * header[MAP_USED] >= book.hashed.shape[0]
    ):
        return STOP_IDS_FULL
    if not book.plain and owner >= book.owners.shape[0] and owner < MAX_OWNERS:
        return STOP_OWNERS_FULL
    taker_side = np.int64(side < 0)
    if kind == REPLACE:
        slot = find(book, order_id)
        if slot == NO_SLOT:
            return STOP_NONE
        taker_side, owner = side_of(np.uint64(book.orders[slot, O_LEVEL])), book.orders[slot, O_OWNER]
    # "&" and no "and": cancels carry any price, so a branch on it alone could not be predicted.
    misses = is_outside(book, taker_side, price_ticks) & ((kind == ADD) | (kind == REPLACE))
    if misses and lacks_place(book, taker_side, price_ticks, size_lots, flags, owner):
        return STOP_REBASE
    return STOP_NONE


@inlined
def lacks_place(book, side, price_ticks, size_lots, flags, owner):
    """Whether an order outside its side's window may come to rest at a price that has no place; note for which side.

    Such as trade whole never rest: they may name any price, and the window stays where the market is.
    """
    if flags & IMMEDIATE or is_beyond(price_ticks) or has_place(book, side, price_ticks):
        return False
    book.header[REBASE_SIDE] = side
    return not is_fillable(book, side, bound_of(book, side, price_ticks, flags), size_lots, flags, owner)


@inlined
def is_beyond(price_ticks):
    """Whether no book holds a price."""
    return (price_ticks < -MAX_PRICE_TICKS) | (price_ticks > MAX_PRICE_TICKS)


@inlined
def bound_of(book, side, price_ticks, flags):
    """First level of the other side that an order does not reach."""
    if flags & MARKET:
        return NO_LEVEL
    other = 1 - side
    tick = price_ticks - book.header[BASE_PRICE + other]
    if (tick < 0) | (tick >= WINDOW):
        if (tick < 0) == (side == 0):
            return np.uint64(other << WINDOW_BITS)
        # the whole window and some of the far prices behind it
        return far_level(book, other, far_rank(book, FAR_KEY, other, price_ticks * (2 * other - 1) + 1))
    return np.uint64(WINDOW + (tick ^ -side) + 1)


@inlined
def is_fillable(book, side, bound, size_lots, flags, owner):
    """Whether an order would trade whole. Lots that self-trade prevention keeps from trading do not count."""
    level = np.uint64(book.header[BEST + 1 - side])
    prevent = owner != 0 and flags & STP_MASK != 0
    while size_lots > 0 and level < bound:
        if prevent:
            slot = np.uint64(book.levels[level, L_HEAD])
            while size_lots > 0 and slot != NO_SLOT:
                if book.orders[slot, O_OWNER] != owner:
                    size_lots -= book.orders[slot, O_SIZE]
                elif flags & STP_MASK != STP_CANCEL_RESTING:
                    return False
                slot = np.uint64(book.orders[slot, O_NEXT])
        else:
            size_lots -= book.levels[level, L_SIZE]
        level = next_level(book, level)
    return size_lots <= 0


@inlined
def prevent_trade(book, message, order_id, side, level, slot, size_lots, flags, owner):
    """What happens where an order meets one of its owner's; return its lots left and the slot to go on with."""
    orders, sign, price = book.orders, 1 - 2 * side, price_of(book, level)
    resting, following = orders[slot, O_ID], np.uint64(orders[slot, O_NEXT])
    lots, left = size_lots, orders[slot, O_SIZE]
    gone = left
    if flags & STP_DECREMENT:
        lots = min(lots, left)
        gone = lots
    if flags & (STP_CANCEL_INCOMING | STP_DECREMENT):
        size_lots -= lots
        kind = CANCELLED if size_lots == 0 else REDUCED
        emit(book, message, kind, order_id, resting, sign, price, lots, size_lots, owner, owner)
    if flags & (STP_CANCEL_RESTING | STP_DECREMENT):
        left -= gone
        orders[slot, O_SIZE] = left
        book.levels[level, L_SIZE] -= gone
        kind = CANCELLED if left == 0 else REDUCED
        emit(book, message, kind, resting, order_id, -sign, price, gone, left, owner, owner)
        if left == 0:
            book.levels[level, L_COUNT] -= 1
            release(book, slot, STATUS_CANCELLED)
            slot = following
    return size_lots, slot


@inlined
def take(book, message, order_id, side, bound, size_lots, flags, owner):
    """Match against the other side, best level first; return the lots left and how the last ones went (a status)."""
    header, orders, levels = book.header, book.orders, book.levels
    sign, status = 1 - 2 * side, STATUS_FILLED
    level = np.uint64(header[BEST + 1 - side])
    prevent = owner != 0 and flags & STP_MASK != 0
    while size_lots > 0 and level < bound:
        price = price_of(book, level)
        slot = np.uint64(levels[level, L_HEAD])
        while size_lots > 0 and slot != NO_SLOT:
            following = np.uint64(orders[slot, O_NEXT])
            maker = np.int64(0) if book.plain else orders[slot, O_OWNER]
            if prevent and maker == owner:
                size_lots, slot = prevent_trade(book, message, order_id, side, level, slot, size_lots, flags, owner)
                if size_lots == 0:
                    status = STATUS_CANCELLED
                continue
            lots = min(size_lots, orders[slot, O_SIZE])
            left = orders[slot, O_SIZE] - lots
            size_lots -= lots
            orders[slot, O_SIZE] = left
            levels[level, L_SIZE] -= lots
            emit(book, message, TRADE, order_id, orders[slot, O_ID], sign, price, lots, left, owner, maker)
            if left == 0:
                levels[level, L_COUNT] -= 1
                release(book, slot, STATUS_FILLED)
                slot = following
        levels[level, L_HEAD] = slot
        if slot == NO_SLOT:
            levels[level, L_TAIL] = NO_SLOT
            vacate(book, level)
            level = best_level(book, 1 - side)
            header[BEST + 1 - side] = level
        else:
            orders[slot, O_PREVIOUS] = NO_SLOT
    return size_lots, status


@inlined
def refusal(book, kind, side, bound, price_ticks, size_lots, flags, owner):
    """The first reason to reject an order or a replacement, or 0."""
    if flags != 0:
        if flags & ~(KNOWN_FLAGS if kind == ADD else REPLACE_FLAGS):
            return REJECT_INVALID_MESSAGE
        if flags & POST_ONLY and flags & IMMEDIATE:
            return REJECT_INVALID_MESSAGE
        if flags & STP_DECREMENT and flags & STP_MASK != STP_DECREMENT:
            return REJECT_INVALID_MESSAGE
    if not book.plain and (owner < 0 or owner >= book.owners.shape[0]):
        return REJECT_INVALID_OWNER
    if size_lots <= 0 or size_lots > MAX_SIZE_LOTS:
        return REJECT_INVALID_SIZE
    if is_beyond(price_ticks):
        return REJECT_PRICE_RANGE
    if flags & FOK and not is_fillable(book, side, bound, size_lots, flags, owner):
        return REJECT_FOK
    if flags & POST_ONLY and np.uint64(book.header[BEST + 1 - side]) < bound:
        return REJECT_POST_ONLY
    return 0


@inlined
def cancel_all(book, message, owner):
    """Cancel every resting order of an owner, oldest first."""
    if owner <= 0 or owner >= MAX_OWNERS:
        emit(book, message, REJECTED, 0, REJECT_INVALID_OWNER, 0, 0, 0, 0, owner, 0)
        return
    slot = np.uint64(book.owners[np.uint64(owner), W_OLDEST])
    while slot != NO_SLOT:
        following = np.uint64(book.orders[slot, O_OWN_NEXT])
        cancel(book, message, slot)
        slot = following


@inlined
def cancel(book, message, slot):
    """Cancel a resting order and say so in the log."""
    orders = book.orders
    level, lots, order_id, owner = (
        np.uint64(orders[slot, O_LEVEL]),
        orders[slot, O_SIZE],
        orders[slot, O_ID],
        np.int64(0) if book.plain else orders[slot, O_OWNER],
    )
    remove(book, slot, STATUS_CANCELLED)
    price = price_of(book, level)
    emit(book, message, CANCELLED, order_id, 0, 1 - 2 * side_of(level), price, lots, 0, owner, 0)


@inlined
def shrink(book, message, kind, slot, price_ticks, size_lots, left_lots):
    """Take lots off a resting order, which keeps its place in the queue; ``left_lots`` stay."""
    orders = book.orders
    level = np.uint64(orders[slot, O_LEVEL])
    book.levels[level, L_SIZE] -= orders[slot, O_SIZE] - left_lots
    orders[slot, O_SIZE] = left_lots
    sign = 1 - 2 * side_of(level)
    emit(book, message, kind, orders[slot, O_ID], 0, sign, price_ticks, size_lots, left_lots, orders[slot, O_OWNER], 0)


@inlined
def apply(book, message, kind, order_id, side, price_ticks, size_lots, flags, owner):
    """Carry out one message and write its events; return the order's id.

    ``shortage`` must have said that nothing lacks.

    ADD takes the next number of the engine where ``order_id`` is 0 or that number, else the caller's id. CANCEL,
    REDUCE and REPLACE reach orders of their ``owner`` only, except where it is 0. REDUCE takes ``size_lots`` off an
    order. REPLACE gives it a new price and size; its id, side and owner stay, and its place in the queue stays if
    the price does and the size does not grow. A price counts neither for a market order nor for a reduction.
    """
    header = book.header
    slot, level, left, reason, is_number = NO_SLOT, NO_LEVEL, np.int64(0), 0, True
    if kind == ADD:
        number = next_number(book)
        if book.plain or order_id == 0 or order_id == number:
            order_id = number
            header[NEXT_ID] = number + 1
        else:
            is_number = False
            if order_id < 0:
                reason = REJECT_INVALID_ID
            elif find(book, order_id) != NO_SLOT:
                reason = REJECT_DUPLICATE_ID
        if reason == 0 and side != 1 and side != -1:
            put(book, order_id, STATUS_REJECTED, is_number)
            reason = REJECT_INVALID_MESSAGE
        if flags & MARKET:
            price_ticks = np.int64(0)
    else:
        if kind == CANCEL_ALL:
            cancel_all(book, message, owner)
            return np.int64(0)
        if kind == CANCEL_OWN:
            slot = own_slot(book, owner, order_id)
            order_id = np.int64(0) if slot == NO_SLOT else book.orders[slot, O_ID]
        else:
            slot = find(book, order_id)
        if slot == NO_SLOT or (owner != 0 and book.orders[slot, O_OWNER] != owner):
            reason = REJECT_UNKNOWN_ORDER
        elif kind in (CANCEL, CANCEL_OWN):
            cancel(book, message, slot)
            return order_id
        if kind < 0 or kind > CANCEL_OWN:
            reason = REJECT_INVALID_MESSAGE
    if reason != 0:
        emit(book, message, REJECTED, order_id, reason, side, price_ticks, size_lots, 0, owner, 0)
        return order_id
    if slot != NO_SLOT:
        level, left = np.uint64(book.orders[slot, O_LEVEL]), book.orders[slot, O_SIZE]
        owner = book.orders[slot, O_OWNER]
        side, resting_price = 1 - 2 * side_of(level), price_of(book, level)
        if kind == REDUCE:
            if size_lots >= left:
                cancel(book, message, slot)
            elif size_lots > 0:
                shrink(book, message, REDUCED, slot, resting_price, size_lots, left - size_lots)
            else:
                reason = REJECT_INVALID_SIZE
                emit(book, message, REJECTED, order_id, reason, side, resting_price, size_lots, left, owner, 0)
            return order_id
    taker_side = np.int64(side < 0)
    bound = bound_of(book, taker_side, price_ticks, flags)
    reason = refusal(book, kind, taker_side, bound, price_ticks, size_lots, flags, owner)
    if reason != 0:
        if slot == NO_SLOT:
            put(book, order_id, STATUS_REJECTED, is_number)
        emit(book, message, REJECTED, order_id, reason, side, price_ticks, size_lots, left, owner, 0)
        return order_id
    if slot != NO_SLOT:
        if price_ticks == resting_price and size_lots <= left:
            shrink(book, message, REPLACED, slot, price_ticks, size_lots, size_lots)
            return order_id
        is_number = is_dense(book, order_id) and np.uint64(book.dense[np.uint64(order_id - header[FIRST_ID])]) == slot
        remove(book, slot, STATUS_CANCELLED)
    left, status = size_lots, STATUS_FILLED
    if np.uint64(header[BEST + 1 - taker_side]) < bound:
        left, status = take(book, message, order_id, taker_side, bound, size_lots, flags, owner)
    if left > 0 and flags & IMMEDIATE:
        emit(book, message, EXPIRED, order_id, 0, side, price_ticks, left, 0, owner, 0)
        left, status = np.int64(0), STATUS_EXPIRED
    if left > 0:
        level = level_at(book, taker_side, price_ticks)
        put(book, order_id, rest(book, order_id, level, left, owner), is_number)
    else:
        put(book, order_id, np.uint64(status), is_number)
    emit(
        book, message, ACCEPTED if kind == ADD else REPLACED, order_id, 0, side, price_ticks, size_lots, left, owner, 0
    )
    return order_id
