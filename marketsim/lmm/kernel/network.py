"""The order model without PyTorch: its network, masked draws and books, for a pool of books in lock step.

Sums run in an order that neither the width of the pool nor the processor changes: products are written out here instead
of left to a BLAS, and no option lets the compiler reorder or fuse. So a book draws the same events alone, among three
and among sixty-four.
"""

import math

import numpy as np

from marketsim.core import fmath
from marketsim.core.jit import inlined, kernel, stage
from marketsim.core.rng import ENTITY, NUMBER, uniforms
from marketsim.lmm.events import GAP, KIND, N_FEATURES, N_PRICES, PRICE, SIZE
from marketsim.lmm.kernel.book import (
    ALL_VALUES,
    ONE,
    SIDE_SIGN,
    SIDE_SWAP,
    encode,
    execute,
    kind_mask,
    most_lots,
    pick_gap,
    pick_place,
    pick_size,
    price_mask,
    read_features,
    size_mask,
)

FLOAT, INT = np.float32, np.int32
LOG2_E, LN2_HIGH, LN2_LOW = FLOAT(1.44269504), FLOAT(0.693359375), FLOAT(-2.12194440e-4)
C0, C1, C2, C3, C4, C5, C6 = (FLOAT(1 / math.factorial(n)) for n in range(7))
LOWEST, HALF, UNIT, ZERO, SMALL = FLOAT(-87.0), FLOAT(0.5), FLOAT(1.0), FLOAT(0.0), FLOAT(1e-6)
BIAS, MANTISSA = INT(127), INT(23)


# ---- Arithmetic -------------------------------------------------------------------------------------------------


@inlined
def exp32(x):
    """exp of a float32 not above 0, to 2e-7; only + and *, so that loops over it become vector code of equal bits."""
    x = max(x, LOWEST)
    power = np.floor(x * LOG2_E + HALF)
    x = (x - power * LN2_HIGH) - power * LN2_LOW
    y = C0 + x * (C1 + x * (C2 + x * (C3 + x * (C4 + x * (C5 + x * C6)))))
    return y * INT((INT(power) + BIAS) << MANTISSA).view(FLOAT)


@inlined
def silu(x):
    """x times its logistic function."""
    small = exp32(-abs(x))
    return x * (UNIT if x >= ZERO else small) / (UNIT + small)


@inlined
def total(x, n):
    """Sum of x[:n], n a multiple of 8."""
    a = b = c = d = e = f = g = h = ZERO
    for i in range(0, n, 8):
        a, b, c, d = a + x[i], b + x[i + 1], c + x[i + 2], d + x[i + 3]
        e, f, g, h = e + x[i + 4], f + x[i + 5], g + x[i + 6], h + x[i + 7]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@stage
def product(x, w, out):
    """out = x @ w, the inner size a multiple of 4. Four rows share what is loaded of w; each is summed as if alone.

    Against OpenBLAS: as fast at one row and at sixty-four, faster between; its last bits depend on the number of rows.
    """
    n_rows, n_inner, n_columns = x.shape[0], x.shape[1], w.shape[1]
    for row in range(n_rows):
        for j in range(n_columns):
            out[row, j] = ZERO
    whole = n_rows - n_rows % 4
    for row in range(0, whole, 4):
        x0, x1, x2, x3 = x[row], x[row + 1], x[row + 2], x[row + 3]
        y0, y1, y2, y3 = out[row], out[row + 1], out[row + 2], out[row + 3]
        for i in range(0, n_inner, 4):
            w0, w1, w2, w3 = w[i], w[i + 1], w[i + 2], w[i + 3]
            a0, a1, a2, a3 = x0[i], x0[i + 1], x0[i + 2], x0[i + 3]
            b0, b1, b2, b3 = x1[i], x1[i + 1], x1[i + 2], x1[i + 3]
            c0, c1, c2, c3 = x2[i], x2[i + 1], x2[i + 2], x2[i + 3]
            d0, d1, d2, d3 = x3[i], x3[i + 1], x3[i + 2], x3[i + 3]
            for j in range(n_columns):
                v0, v1, v2, v3 = w0[j], w1[j], w2[j], w3[j]
                y0[j] = y0[j] + a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3
                y1[j] = y1[j] + b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3
                y2[j] = y2[j] + c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3
                y3[j] = y3[j] + d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3
    for row in range(whole, n_rows):
        x0, y0 = x[row], out[row]
        for i in range(0, n_inner, 4):
            w0, w1, w2, w3 = w[i], w[i + 1], w[i + 2], w[i + 3]
            a0, a1, a2, a3 = x0[i], x0[i + 1], x0[i + 2], x0[i + 3]
            for j in range(n_columns):
                y0[j] = y0[j] + a0 * w0[j] + a1 * w1[j] + a2 * w2[j] + a3 * w3[j]


@stage
def add(x, y):
    """Add y to x, both [row, column]. Written out: whole-array expressions take long to compile."""
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[row, i] += y[row, i]


@stage
def add_bias(x, bias):
    """Add bias[column] to each row of x."""
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[row, i] += bias[i]


@stage
def norm(x, weight, out):
    """RMS norm of each row."""
    width = x.shape[1]
    for row in range(x.shape[0]):
        for i in range(width):
            out[row, i] = x[row, i] * x[row, i]
        scale = UNIT / np.sqrt(total(out[row], width) / FLOAT(width) + SMALL)
        for i in range(width):
            out[row, i] = x[row, i] * scale * weight[i]


# ---- The decoder ------------------------------------------------------------------------------------------------


@inlined
def turn(row, rotary):
    """Rotate a query or a key by the angles of its position."""
    half = rotary.shape[1]
    for i in range(half):
        first, second, cosine, sine = row[i], row[half + i], rotary[0, i], rotary[1, i]
        row[i], row[half + i] = first * cosine - second * sine, second * cosine + first * sine


@inlined
def attend(layer, slot, n_seen, state, work):
    """Attention of every book's last event over its ring; queries, keys and values stand in work.qkv."""
    n_key_heads, head_width, window = state.keys.shape[2], state.keys.shape[3], state.keys.shape[4]
    n_heads = work.attended.shape[1]
    group = n_heads // n_key_heads
    scale = FLOAT(head_width**-0.5)
    for book in range(work.qkv.shape[0]):
        for head in range(n_heads + n_key_heads):
            turn(work.qkv[book, head], work.rotary)
        for key_head in range(n_key_heads):
            keys, values = state.keys[layer, book, key_head], state.values[layer, book, key_head]
            for i in range(head_width):
                keys[i, slot] = work.qkv[book, n_heads + key_head, i]
                values[slot, i] = work.qkv[book, n_heads + n_key_heads + key_head, i]
            first_head = key_head * group
            product(work.qkv[book, first_head : first_head + group], keys, work.score)
            for head in range(group):
                score = work.score[head]
                top = score[0]
                for i in range(1, n_seen):
                    top = max(top, score[i])
                for i in range(n_seen):
                    score[i] = exp32((score[i] - top) * scale)
                for i in range(n_seen, window):
                    score[i] = ZERO
                share = UNIT / total(score, window)
                for i in range(n_seen):
                    score[i] *= share
            product(work.score, values, work.attended[book, first_head : first_head + group])


@inlined
def embed(weights, state, work):
    """Write the embedding of every book's last event, and of the book after it, into work.x."""
    x, token = work.x, state.token
    for book in range(x.shape[0]):
        for i in range(N_FEATURES):
            work.scaled[book, i] = (state.feature[book, i] - weights.feature_mean[i]) / weights.feature_scale[i]
    product(work.scaled, weights.feature, x)
    for book in range(x.shape[0]):
        event, size = weights.event[token[book, KIND] * N_PRICES + token[book, PRICE]], weights.size[token[book, SIZE]]
        gap, condition = weights.gap[token[book, GAP]], state.condition[book]
        for i in range(x.shape[1]):
            x[book, i] = (event[i] + size[i] + gap[i]) + (x[book, i] + weights.feature_bias[i]) + condition[i]


@kernel
def decode(weights, state, work):
    """Take every book's last event into its context: state.hidden is the state after it."""
    window, position = state.keys.shape[4], state.position[0]
    slot, n_seen = position % window, min(position + 1, window)
    for i in range(work.rotary.shape[1]):
        angle = position * weights.frequency[i]
        work.rotary[0, i], work.rotary[1, i] = fmath.cosine(angle), fmath.sine(angle)
    x, normed = work.x, work.normed
    n_books, feed = x.shape[0], work.gated.shape[1]
    embed(weights, state, work)
    for layer in range(weights.qkv.shape[0]):
        norm(x, weights.attend_norm[layer], normed)
        product(normed, weights.qkv[layer], work.qkv.reshape(n_books, -1))
        attend(layer, slot, n_seen, state, work)
        product(work.attended.reshape(n_books, -1), weights.mix[layer], normed)
        add(x, normed)
        norm(x, weights.feed_norm[layer], normed)
        product(normed, weights.gate_up[layer], work.gate_up)
        for book in range(n_books):
            for i in range(feed):
                work.gated[book, i] = silu(work.gate_up[book, i]) * work.gate_up[book, feed + i]
        product(work.gated, weights.down[layer], normed)
        add(x, normed)
    norm(x, weights.final_norm, state.hidden)
    state.position[0] += 1


@inlined
def head_logits(x, gap, choice, weights, inner, logits):
    """Logits of one head, [book, value]."""
    product(x, weights.read, inner)
    for book in range(x.shape[0]):
        by_gap, by_choice, row = weights.by_gap[gap[book]], weights.by_choice[choice[book]], inner[book]
        for i in range(row.size):
            row[i] = silu(row[i] + by_gap[i] + by_choice[i])
    product(inner, weights.write, logits)
    add_bias(logits, weights.bias)


# ---- Draws ------------------------------------------------------------------------------------------------------


@kernel
def draw(logits, mask, u):
    """Value of a masked softmax whose part of [0, 1) holds u."""
    top, mass = FLOAT(-np.inf), 0.0
    for value in range(logits.size):
        if mask >> np.uint64(value) & ONE:
            top = max(top, logits[value])
    for value in range(logits.size):
        if mask >> np.uint64(value) & ONE:
            mass += exp32(logits[value] - top)
    reached, chosen = 0.0, -1
    for value in range(logits.size):
        if mask >> np.uint64(value) & ONE:
            reached += exp32(logits[value] - top)
            chosen = value
            if reached > u * mass:
                break
    return chosen


@kernel
def draw_field(field, logits, state, scale):
    """Draw one field of the next event of every book, within what its book allows now: token and record.

    Draws are addressed by the model's own event number, the book, and for the time how often it was drawn anew: an
    event of somebody else between two of the model's shifts no later draw.
    """
    for book in range(state.quote.shape[0]):
        depth, quote, token, record = state.depth[book], state.quote[book], state.token[book], state.record[book]
        counters = state.counters[book]
        counters[NUMBER], counters[ENTITY] = np.uint64(state.n_drawn[0]), np.uint64(state.book_id[book])
        if field == GAP:
            again = 2 * state.redraws[0]
            u, _, _, _ = uniforms(counters, again)
            inside, _, _, _ = uniforms(counters, again + 1)
            state.next_gap[book] = draw(logits[book], ALL_VALUES >> np.uint64(32), u)
            state.next_ns[book] = pick_gap(scale, state.next_gap[book], inside)
            continue
        _, u_kind, u_price, u_size = uniforms(counters, 0)
        if field == KIND:
            token[KIND] = record[KIND] = draw(logits[book], kind_mask(quote), u_kind)
            continue
        _, in_price, in_size, _ = uniforms(counters, 1)
        kind = token[KIND]
        if field == PRICE:
            token[PRICE] = draw(logits[book], price_mask(depth, quote, scale, kind), u_price)
            record[PRICE] = pick_place(depth, quote, scale, kind, token[PRICE], in_price)
        else:
            token[SIZE] = draw(logits[book], size_mask(depth, quote, scale, kind, record[PRICE]), u_size)
            most = most_lots(depth, quote, scale, kind, record[PRICE])
            record[SIZE] = pick_size(scale, token[SIZE], most, in_size)


@kernel
def take_up(state):
    """Let the time that was drawn for the next event be its time."""
    for book in range(state.quote.shape[0]):
        state.token[book, GAP], state.record[book, GAP] = state.next_gap[book], state.next_ns[book]


@kernel
def name(state, scale):
    """Write the token of every book's ``record``."""
    for book in range(state.quote.shape[0]):
        encode(state.record[book], scale, state.token[book])


@kernel
def carry_out(state, scale):
    """Carry out the event in ``record`` and look at each book again."""
    for book in range(state.quote.shape[0]):
        record = state.record[book]
        execute(state.depth[book], state.quote[book], scale, record[KIND], record[PRICE], record[SIZE])
        read_features(state.depth[book], state.quote[book], state.feature[book])


# ---- A step of the pool -----------------------------------------------------------------------------------------


@kernel
def foresee(weights, state, work, scale):
    """Draw the time to every book's next event from the state after its last."""
    product(state.hidden, weights.gap_write, work.gap_logits)
    add_bias(work.gap_logits, weights.gap_bias)
    draw_field(GAP, work.gap_logits, state, scale)


@kernel
def act(weights, state, work, scale):
    """Kind, price and size of the event that is due, each drawn on the live book, and the event itself."""
    gap, width = state.next_gap, state.hidden.shape[1]
    for book in range(gap.size):
        work.choice[book] = 0
    take_up(state)
    head_logits(state.hidden, gap, work.choice, weights.kind_head, work.inner, work.kind_logits)
    draw_field(KIND, work.kind_logits, state, scale)
    for book in range(gap.size):
        kind = state.token[book, KIND]
        work.choice[book] = kind
        for i in range(width):
            work.own[book, i] = state.hidden[book, i]
        for i in range(N_FEATURES):
            seen = state.feature[book, SIDE_SWAP[i]] * SIDE_SIGN[i] if kind & 1 else state.feature[book, i]
            work.own[book, width + i] = (seen - weights.feature_mean[i]) / weights.feature_scale[i]
    head_logits(work.own, gap, work.choice, weights.price_head, work.inner, work.price_logits)
    draw_field(PRICE, work.price_logits, state, scale)
    for book in range(gap.size):
        work.choice[book] = state.token[book, KIND] * N_PRICES + state.token[book, PRICE]
    head_logits(work.own, gap, work.choice, weights.size_head, work.inner, work.size_logits)
    draw_field(SIZE, work.size_logits, state, scale)
    carry_out(state, scale)
    state.n_drawn[0] += 1
    state.redraws[0] = 0


@kernel
def roll(weights, state, work, scale, record):
    """Play every book on by record.shape[1] events; record int64[book, event, field] is what happened."""
    for step in range(record.shape[1]):
        act(weights, state, work, scale)
        for book in range(record.shape[0]):
            for field in range(4):
                record[book, step, field] = state.record[book, field]
        decode(weights, state, work)
        foresee(weights, state, work, scale)
