"""From records and the book before them to what the model reads: tokens, features, masks."""

import numpy as np

from marketsim.core.jit import kernel
from marketsim.lmm.events import GAP, KIND, N_GAPS, PRICE, SIZE
from marketsim.lmm.kernel.book import (
    ONE,
    encode,
    execute,
    first_bits,
    kind_mask,
    price_mask,
    read_features,
    size_mask,
)


@kernel
def observe(record, depth, quote, scale, token, feature, mask):
    """Play records on books and write what the model reads; the books move on.

    record int64[book, event, field], depth int64[book, side, ring], quote int64[book, N_QUOTES]; out: token
    int64[book, event, field], feature float32[book, event + 1, N_FEATURES], mask uint64[book, event, field]. Row i of
    ``feature`` is the book just before event i. What happened counts as possible. Return how often a mask said no.
    """
    forbidden = 0
    for book in range(record.shape[0]):
        lots, best = depth[book], quote[book]
        for event in range(record.shape[1]):
            row, value, possible = record[book, event], token[book, event], mask[book, event]
            read_features(lots, best, feature[book, event])
            encode(row, scale, value)
            possible[GAP] = first_bits(N_GAPS)
            possible[KIND] = kind_mask(best)
            possible[PRICE] = price_mask(lots, best, scale, row[KIND])
            possible[SIZE] = size_mask(lots, best, scale, row[KIND], row[PRICE])
            for field in range(4):
                bit = ONE << np.uint64(value[field])
                forbidden += possible[field] & bit == np.uint64(0)
                possible[field] |= bit
            execute(lots, best, scale, row[KIND], row[PRICE], row[SIZE])
        read_features(lots, best, feature[book, record.shape[1]])
    return forbidden


@kernel
def play(record, depth, quote, scale, depth_at, quote_at, block):
    """Play records on one book and keep the book before every ``block``-th of them.

    record int64[event, field], depth int64[side, ring], quote int64[N_QUOTES]; out: depth_at
    int32[blocks, side, reach], lots by ticks behind the best price, quote_at int64[blocks, N_QUOTES].
    """
    for event in range(record.shape[0]):
        if event % block == 0:
            number = event // block
            for side in range(2):
                for behind in range(depth_at.shape[2]):
                    where = (quote[side] - (1 - 2 * side) * behind) & (depth.shape[1] - 1)
                    depth_at[number, side, behind] = depth[side, where]
            for word in range(quote.size):
                quote_at[number, word] = quote[word]
        row = record[event]
        execute(depth, quote, scale, row[KIND], row[PRICE], row[SIZE])
