"""The teachers' order flow, drawn event by event, with the chance of everything that was drawn."""

import numpy as np

from marketsim.core import fmath
from marketsim.core.jit import inlined, kernel
from marketsim.core.rng import ENTITY, NUMBER, uniforms
from marketsim.lmm.events import (
    BEST,
    CANCEL_BUY,
    GAP,
    KIND,
    LIMIT_BUY,
    MARKET_BUY,
    N_GAPS,
    N_KINDS,
    N_PRICES,
    N_SIZES,
    PRICE,
    SIZE,
    TOTAL,
)
from marketsim.lmm.kernel.book import bin_of, execute, imbalance, limit_range, most_lots, place


@inlined
def base_rates(depth, quote, scale, law, rate):
    """Rates before excitation, float64[kind]. Zero for what cannot happen, which excitation does not change."""
    lean = imbalance(depth, quote)
    nearest, furthest = limit_range(quote, scale)
    spread = quote[BEST + 1] - quote[BEST]
    limit = law.limit_sum[furthest + spread] - law.limit_sum[nearest + spread - 1]
    for side in range(2):
        own = (1 - 2 * side) * lean
        rate[LIMIT_BUY + side] = limit * fmath.exp(-law.limit_lean * own)
        rate[MARKET_BUY + side] = 0.0
        if quote[TOTAL + 1 - side] > 0:
            rate[MARKET_BUY + side] = law.market_rate * fmath.exp(law.market_lean * own)
        rate[CANCEL_BUY + side] = law.cancel_rate * quote[TOTAL + side]


@inlined
def survival(base, excited, decay, gap_ns):
    """Chance that nothing happens in so many ns."""
    time = gap_ns * 1e-9
    return fmath.exp(-base * time - excited / decay * (1.0 - fmath.exp(-decay * time)))


@inlined
def draw_gap(base, excited, decay, u, v):
    """Seconds to the next event, exactly: the earlier of one from the base rates and, perhaps, one from excitation."""
    gap, children = -fmath.log(u) / base, -fmath.log(v) * decay
    if children < excited:
        return min(gap, -fmath.log(1.0 - children / excited) / decay)
    return gap


@inlined
def fill_price_law(depth, quote, scale, law, kind, chance):
    """Write the chance of each place of a kind into ``chance``, float64[N_PRICES]; bins are single ticks."""
    chance[:] = 0.0
    if kind >= CANCEL_BUY:
        side = kind & 1
        for behind in range(N_PRICES):
            chance[behind] = depth[side, place(depth, quote, side, behind)] / quote[TOTAL + side]
    elif kind >= MARKET_BUY:
        chance[0] = 1.0
    else:
        nearest, furthest = limit_range(quote, scale)
        spread = quote[BEST + 1] - quote[BEST]
        total = law.limit_sum[furthest + spread] - law.limit_sum[nearest + spread - 1]
        for behind in range(nearest, furthest + 1):
            chance[behind - scale.limit_low[0]] = law.limit_rate[behind + spread] / total


@inlined
def draw(chance, n_values, u):
    """Value whose part of [0, 1) holds u, never one of chance 0."""
    reached, chosen = 0.0, -1
    for value in range(n_values):
        if chance[value] > 0.0:
            reached += chance[value]
            chosen = value
            if reached > u:
                break
    return chosen


@kernel
def generate(depth, quote, excitation, scale, law, counters, first, rate, keep_laws, record, log_chance, laws):
    """Play every book on by record.shape[1] events.

    Out: record int64[book, event, field]; log_chance float64[book, event, field], of the token that came, given the
    fields before it; laws float64[book, event, field, value], if they are kept. ``rate`` is room for N_KINDS numbers.
    """
    for book in range(record.shape[0]):
        lots, best, heat = depth[book], quote[book], excitation[book]
        counters[ENTITY] = np.uint64(book)
        for event in range(record.shape[1]):
            chance = laws[book, event] if keep_laws else laws[0, 0]
            counters[NUMBER] = np.uint64(first + event)
            u0, u1, u2, u3 = uniforms(counters, 0)
            u4, _, _, _ = uniforms(counters, 1)
            base_rates(lots, best, scale, law, rate)
            base = excited = 0.0
            for kind in range(N_KINDS):
                base += rate[kind]
                excited += heat[kind] if rate[kind] > 0 else 0.0
            gap_ns = np.int64(draw_gap(base, excited, law.decay, u0, u1) * 1e9)
            gap = bin_of(scale.gap_low, gap_ns)
            for value in range(0 if keep_laws else gap, N_GAPS if keep_laws else gap + 1):
                beyond = survival(base, excited, law.decay, scale.gap_low[value + 1]) if value < N_GAPS - 1 else 0.0
                chance[GAP, value] = survival(base, excited, law.decay, scale.gap_low[value]) - beyond
            fade = fmath.exp(-law.decay * gap_ns * 1e-9)
            for kind in range(N_KINDS):
                heat[kind] *= fade
                chance[KIND, kind] = (rate[kind] + heat[kind]) / (base + excited * fade) if rate[kind] > 0 else 0.0
            kind = draw(chance[KIND], N_KINDS, u2)
            fill_price_law(lots, best, scale, law, kind, chance[PRICE])
            price = draw(chance[PRICE], N_PRICES, u3)
            behind = price + scale.limit_low[0] if kind < MARKET_BUY else price
            n_sizes, possible = min(most_lots(lots, best, scale, kind, behind), N_SIZES), 0.0
            for size in range(N_SIZES):
                chance[SIZE, size] = law.size[kind, size] if size < n_sizes else 0.0
                possible += chance[SIZE, size]
            for size in range(N_SIZES):
                chance[SIZE, size] /= possible
            size = draw(chance[SIZE], N_SIZES, u4)
            record[book, event, GAP], record[book, event, KIND] = gap_ns, kind
            record[book, event, PRICE], record[book, event, SIZE] = behind, size + 1
            log_chance[book, event, GAP] = fmath.log(chance[GAP, gap])
            log_chance[book, event, KIND] = fmath.log(chance[KIND, kind])
            log_chance[book, event, PRICE] = fmath.log(chance[PRICE, price])
            log_chance[book, event, SIZE] = fmath.log(chance[SIZE, size])
            execute(lots, best, scale, kind, behind, size + 1)
            for other in range(N_KINDS):
                heat[other] += law.kick[other, kind]
