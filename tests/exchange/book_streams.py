"""Long random streams of messages for a book, and what the list-scan book makes of them."""

import hashlib

import numpy as np

from marketsim.exchange import OrderBook, Side
from marketsim.exchange.book import EVENT_COLUMNS, MESSAGE_COLUMNS
from tests.oracles.list_book import ListBook

FLAGS = (0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 48, 64, 17, 34, 36, 66, 72)

SPREADS = (4, 200_000, 1 << 22, 1 << 48)  # ticks: many meetings, one window, a few, all that there is


def batch(stream):
    """A stream as the columns that ``OrderBook.process`` takes."""
    columns = np.array(stream, np.int64).reshape(-1, len(MESSAGE_COLUMNS)).T
    return dict(zip(MESSAGE_COLUMNS, columns, strict=True))


def numbered_rows(log):
    """A log as a list of tuples."""
    return list(zip(*(log[name].tolist() for name in EVENT_COLUMNS), strict=True))


def expected(stream):
    """The log that a stream must give, and the list-scan book after it."""
    oracle = ListBook()
    return [(number, *row) for number, message in enumerate(stream) for row in oracle.apply(*message)], oracle


def same_book(book, oracle):
    """Check levels, queues and touch of a book against the list-scan book."""
    depth = book.levels(1_000)
    for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
        assert [tuple(level) for level in levels] == oracle.levels(side)
        found = [(order.order_id, order.price_ticks, order.size_lots, order.owner) for order in book.orders(side)]
        assert found == [(order.order_id, order.price, order.size, order.owner) for order in oracle.queue(side)]
        best = oracle.levels(side)[:1]
        assert book.best(side) == (best[0] if best else None)


def fuzzed(seed, n, spread):
    """``n`` messages of every kind with prices up to ``spread`` ticks from 0, some of them nonsense."""
    rng = np.random.default_rng(seed)
    stream = []
    for number in range(1, n + 1):
        what, side = rng.random(), int(rng.choice([1, -1]))
        price, size = int(rng.integers(-spread, spread + 1)), int(rng.integers(1, 9))
        flags, owner, old = int(rng.choice(FLAGS)), int(rng.integers(0, 5)), int(rng.integers(1, number + 1))
        if what < 0.65:
            order_id = 0 if what < 0.55 else int(rng.choice([number, 10**6 + old]))
            stream.append((0, order_id, side, price, size, flags, owner))
        elif what < 0.95:
            kind, order_id = int(rng.choice([1, 1, 2, 3, 3])), old + 10**6 * int(rng.random() < 0.2)
            stream.append((kind, order_id, 0, price, size, flags & 116 if kind == 3 else 0, 0))
        elif what < 0.98:
            stream.append((int(rng.choice([4, 5])), int(rng.integers(0, 3)), 0, 0, 0, 0, owner))
        else:
            odd = int(rng.choice([-1, 0, 6, (1 << 48) + 1, 1 << 62, -(1 << 63)]))
            stream.append((odd % 8, odd, side, odd, odd, odd % 256, odd % (1 << 30)))
    return stream


def log_digest(seeds, n):
    """SHA-256 over the logs of fuzzed streams, and the number of their rows."""
    digest, n_rows = hashlib.sha256(), 0
    for seed in seeds:
        log = OrderBook(capacity=1).process(batch(fuzzed(seed, n, SPREADS[seed % len(SPREADS)])))
        rows = np.array([log[name] for name in EVENT_COLUMNS])
        digest.update(rows.tobytes())
        n_rows += rows.shape[1]
    return digest.hexdigest(), n_rows
