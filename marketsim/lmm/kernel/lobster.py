"""Between LOBSTER rows and records: both directions, on books that keep lots by price."""

from marketsim.core.jit import inlined, kernel
from marketsim.lmm.events import (
    BEST,
    CANCEL_BUY,
    GAP,
    KIND,
    LIMIT_BUY,
    MARKET_BUY,
    N_PRICES,
    PRICE,
    SIZE,
    TOTAL,
)
from marketsim.lmm.kernel.book import execute, place

ADD, REDUCE, DELETE, EXECUTE = 1, 2, 3, 4
UNKNOWN, CLIPPED, GONE, BEYOND, N_COUNTS = 0, 1, 2, 3, 4
"""Places in ``counts``: removals of lots that are not there, of more than there are, orders that a later row shows to
be gone, orders beyond the reach of the book."""


@inlined
def emit(out, row, time, last, kind, behind, lots, depth, quote, scale):
    """Write one record and carry it out; return the time of the event."""
    out[row, GAP], out[row, KIND], out[row, PRICE], out[row, SIZE] = max(time - last, 0), kind, behind, lots
    execute(depth, quote, scale, kind, behind, lots)
    return time


@kernel
def records_of(rows, depth, quote, scale, out, counts):
    """Turn LOBSTER rows into records and play them; return how many.

    rows int64[row, 5]: time in ns, type, lots, price in ticks, direction of the resting order. Executions of one
    instant and side are one market order. Where a row shows that lots are no longer there, cancels take them out first.
    """
    n, last, merges = 0, rows[0, 0], False
    for line in range(rows.shape[0]):
        time, what, lots, price, direction = rows[line]
        if what > EXECUTE:
            continue
        side = 0 if direction > 0 else 1
        sign = 1 - 2 * side
        if what == ADD:
            merges = False
            other = 1 - side
            while quote[TOTAL + other] > 0 and sign * (price - quote[BEST + other]) >= 0:
                held = depth[other, place(depth, quote, other, 0)]
                last = emit(out, n, time, last, CANCEL_BUY + other, 0, held, depth, quote, scale)
                counts[GONE] += 1
                n += 1
            behind = sign * (quote[BEST + side] - price)
            if quote[TOTAL + side] > 0 and (behind >= scale.cancel_low[N_PRICES] or behind < -depth.shape[1] // 4):
                counts[BEYOND] += 1
                continue
            last = emit(out, n, time, last, LIMIT_BUY + side, behind, lots, depth, quote, scale)
            n += 1
            continue
        behind = sign * (quote[BEST + side] - price)
        if quote[TOTAL + side] == 0 or behind < 0 or behind >= scale.cancel_low[N_PRICES]:
            counts[UNKNOWN] += 1
            continue
        held = depth[side, place(depth, quote, side, behind)]
        if held == 0:
            counts[UNKNOWN] += 1
            continue
        counts[CLIPPED] += held < lots
        lots = min(held, lots)
        if what != EXECUTE:
            merges = False
            last = emit(out, n, time, last, CANCEL_BUY + side, behind, lots, depth, quote, scale)
            n += 1
            continue
        while quote[BEST + side] != price:
            better = depth[side, place(depth, quote, side, 0)]
            last = emit(out, n, time, last, CANCEL_BUY + side, 0, better, depth, quote, scale)
            counts[GONE] += 1
            n, merges = n + 1, False
        kind = MARKET_BUY + 1 - side
        if merges and time == last and out[n - 1, KIND] == kind:
            out[n - 1, SIZE] += lots
            execute(depth, quote, scale, kind, 0, lots)
        else:
            last = emit(out, n, time, last, kind, 0, lots, depth, quote, scale)
            n += 1
        merges = True
    return n


# ---- Records to LOBSTER rows: orders by price, oldest first ------------------------------------------------------
# An order is a slot of ``order``: id, lots left, the next younger, the next older. 0 means none.
O_ID, O_LEFT, O_YOUNGER, O_OLDER = range(4)


@inlined
def enqueue(order, slot, number, lots, oldest, youngest, side, at):
    """Rest an order behind all others at its price."""
    order[slot, O_ID], order[slot, O_LEFT] = number, lots
    order[slot, O_YOUNGER], order[slot, O_OLDER] = 0, youngest[side, at]
    if youngest[side, at] > 0:
        order[youngest[side, at], O_YOUNGER] = slot
    else:
        oldest[side, at] = slot
    youngest[side, at] = slot


@inlined
def take(order, slot, lots, oldest, youngest, side, at):
    """Take lots off an order, which leaves its queue where none are left."""
    order[slot, O_LEFT] -= lots
    if order[slot, O_LEFT] == 0:
        younger, older = order[slot, O_YOUNGER], order[slot, O_OLDER]
        if younger > 0:
            order[younger, O_OLDER] = older
        else:
            youngest[side, at] = older
        if older > 0:
            order[older, O_YOUNGER] = younger
        else:
            oldest[side, at] = younger


@inlined
def write_levels(depth, quote, scale, row, levels):
    """Write the best prices that have lots into a row of a LOBSTER book, in ticks; empty ones stay as they are."""
    for side in range(2):
        column, found = 2 - 2 * side, 0
        for behind in range(scale.cancel_low[N_PRICES]):
            if found == levels or quote[TOTAL + side] == 0:
                break
            lots = depth[side, place(depth, quote, side, behind)]
            if lots > 0:
                row[column] = quote[BEST + side] - (1 - 2 * side) * behind
                row[column + 1] = lots
                column, found = column + 4, found + 1


@kernel
def rows_of(record, depth, quote, scale, order, oldest, youngest, rows, books):
    """Play records on one book and write LOBSTER rows; return how many.

    record int64[event, field]; order int64[slot, 4], oldest and youngest int64[side, ring], all zero; out: rows
    int64[row, 6], time in ns since the start, type, order id, lots, price in ticks, direction of the resting order;
    books int64[row, 4 * levels]. Executions take the oldest orders at a price, cancels the youngest. Orders that a new
    best price leaves beyond the reach of the book are withdrawn just before it.
    """
    slot, n, time, levels = 0, 0, 0, books.shape[1] // 4
    for side in range(2):
        for behind in range(scale.cancel_low[N_PRICES]):
            at = place(depth, quote, side, behind)
            if quote[TOTAL + side] > 0 and depth[side, at] > 0:
                slot += 1
                enqueue(order, slot, slot, depth[side, at], oldest, youngest, side, at)
    for event in range(record.shape[0]):
        time += record[event, GAP]
        kind, behind, lots = record[event, KIND], record[event, PRICE], record[event, SIZE]
        side = kind & 1
        if kind < MARKET_BUY:
            price = quote[BEST + side] - (1 - 2 * side) * behind
            at = place(depth, quote, side, behind)
            reach = scale.cancel_low[N_PRICES]
            for level in range(max(0, reach + behind), reach if quote[TOTAL + side] > 0 else 0):
                far = place(depth, quote, side, level)
                while youngest[side, far] > 0:  # the new best price leaves these orders beyond the reach of the book
                    one = youngest[side, far]
                    rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = time, DELETE, order[one, O_ID], order[one, O_LEFT]
                    rows[n, 4], rows[n, 5] = quote[BEST + side] - (1 - 2 * side) * level, 1 - 2 * side
                    taken = order[one, O_LEFT]
                    take(order, one, taken, oldest, youngest, side, far)
                    execute(depth, quote, scale, CANCEL_BUY + side, level, taken)
                    write_levels(depth, quote, scale, books[n], levels)
                    n += 1
            execute(depth, quote, scale, kind, behind, lots)
            slot += 1
            enqueue(order, slot, slot, lots, oldest, youngest, side, at)
            rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3], rows[n, 4] = time, ADD, slot, lots, price
            rows[n, 5] = 1 - 2 * side
            write_levels(depth, quote, scale, books[n], levels)
            n += 1
            continue
        resting = side if kind >= CANCEL_BUY else 1 - side
        while lots > 0 and quote[TOTAL + resting] > 0:
            at = place(depth, quote, resting, behind)
            price = quote[BEST + resting] - (1 - 2 * resting) * behind
            one = youngest[resting, at] if kind >= CANCEL_BUY else oldest[resting, at]
            taken = min(lots, order[one, O_LEFT])
            what = EXECUTE
            if kind >= CANCEL_BUY:
                what = DELETE if taken == order[one, O_LEFT] else REDUCE
            number = order[one, O_ID]
            take(order, one, taken, oldest, youngest, resting, at)
            execute(depth, quote, scale, CANCEL_BUY + resting, behind, taken)
            rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3], rows[n, 4] = time, what, number, taken, price
            rows[n, 5] = 1 - 2 * resting
            write_levels(depth, quote, scale, books[n], levels)
            lots -= taken
            n += 1
    return n
