"""Invented LOBSTER streams, consistent by construction: a random market kept as a dict of orders."""

from __future__ import annotations

import random

from tests.oracles.level_book import ADD, DELETE, EXECUTE, REDUCE, LevelBook

HIDDEN = 5
START_NS = 34_200_000_000_000


def invented_messages(n, seed, mid=1_000_000, tick=100, first_id=1):
    """Rows (time_ns, kind, order_id, size, price, direction) of a stream that starts from an empty book.

    Half of what is removed stands at the touch, so that prices move and levels from further out come up.
    """
    chance = random.Random(seed)
    live, rows, time_ns, next_id = {}, [], START_NS, first_id
    while len(rows) < n:
        time_ns += chance.choice([0, 0, 1, 999, 123_456_789])
        what = chance.random()
        if what < 0.05:
            rows.append((time_ns, HIDDEN, 0, chance.randint(1, 50), mid + tick // 2, chance.choice([1, -1])))
        elif what < 0.5 or not live:
            side, size = chance.choice([1, -1]), chance.randint(1, 9) * 10
            price = mid - side * tick * chance.randint(1, 15)
            live[next_id] = [size, price, side]
            rows.append((time_ns, ADD, next_id, size, price, side))
            next_id += chance.randint(1, 3)
        else:
            order_id = chance.choice(sorted(live))
            if chance.random() < 0.5:
                order_id = min(live, key=lambda number: (abs(live[number][1] - mid), number))
            size, price, side = live[order_id]
            kind = chance.choice([DELETE, EXECUTE, REDUCE])
            taken = size if kind == DELETE or (kind == EXECUTE and chance.random() < 0.5) else chance.randint(1, size)
            kind = DELETE if kind == REDUCE and taken == size else kind
            live[order_id][0] -= taken
            if taken == size:
                del live[order_id]
            rows.append((time_ns, kind, order_id, taken, price, side))
    return rows


def books_after(rows, levels, seed_row=()):
    """Row of the book file after each message, by the dict of levels."""
    book = LevelBook(seed_row)
    result = []
    for _, kind, _, size, price, direction in rows:
        book.apply(kind, size, price, direction)
        result.append(book.row(levels))
    return result


def seconds(time_ns):
    """The text that LOBSTER writes: decimals without zeros at the end."""
    return f"{time_ns // 10**9}.{time_ns % 10**9:09d}".rstrip("0").rstrip(".")


def message_text(rows):
    return "".join(f"{seconds(row[0])},{','.join(map(str, row[1:]))}\n" for row in rows)


def book_text(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
