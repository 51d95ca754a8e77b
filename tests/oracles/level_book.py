"""A book as two dicts from price to size: what LOBSTER rows say, with no orders, no queues and no matching.

Shares nothing with the engine. A removal takes what is there at its price and no more, whoever the order was.
"""

from __future__ import annotations

ADD, REDUCE, DELETE, EXECUTE = 1, 2, 3, 4
BUY, SELL = 1, -1
EMPTY = {SELL: [9999999999, 0], BUY: [-9999999999, 0]}


class LevelBook:
    def __init__(self, row=()):
        self.sizes = {BUY: {}, SELL: {}}
        for place in range(0, len(row), 4):
            ask, ask_size, bid, bid_size = row[place : place + 4]
            if ask_size:
                self.sizes[SELL][ask] = ask_size
            if bid_size:
                self.sizes[BUY][bid] = bid_size

    def apply(self, kind, size, price, side):
        """Carry out one message; return whether all that it removes was there."""
        if kind > EXECUTE:
            return True
        sizes = self.sizes[side]
        there = sizes.get(price, 0)
        left = there + size if kind == ADD else max(there - size, 0)
        if left:
            sizes[price] = left
        else:
            sizes.pop(price, None)
        return kind == ADD or there >= size

    def row(self, levels):
        """The best levels as a row of a LOBSTER book file."""
        asks = [list(level) for level in sorted(self.sizes[SELL].items())]
        bids = [list(level) for level in sorted(self.sizes[BUY].items(), reverse=True)]
        row = []
        for level in range(levels):
            row += asks[level] if level < len(asks) else EMPTY[SELL]
            row += bids[level] if level < len(bids) else EMPTY[BUY]
        return row


def replayed(rows, levels, seed=()):
    """Rows of the book after each (kind, size, price, side), from a seed row on."""
    book = LevelBook(seed)
    result = []
    for message in rows:
        book.apply(*message)
        result.append(book.row(levels))
    return result


def follows(before, message, after):
    """Whether a book row follows from the row above and a message; what a removal uncovers is not compared."""
    levels = len(before) // 4
    kind, _, price, side = message
    book = LevelBook(before)
    full = len(book.sizes[side]) == levels
    worst = min(book.sizes[side], key=lambda p: p * side, default=None)
    beyond = full and (worst - price) * side > 0
    whole = book.apply(*message)
    if kind in (REDUCE, DELETE, EXECUTE) and not whole and not beyond:
        return False
    expected, found = book.row(levels), list(after)
    uncovered = kind in (REDUCE, DELETE, EXECUTE) and full and len(book.sizes[side]) < levels
    if uncovered:
        first = 4 * (levels - 1) + (2 if side == BUY else 0)
        expected[first : first + 2] = found[first : first + 2]
    return expected == found
