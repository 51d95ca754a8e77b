"""What happens inside an exchange: wakes of agents, messages that arrive, samples.

``advance`` takes the earliest event of the heap and carries it out until there is a reason to stop. An agent's rule
leaves its messages in ``out``; without latency they are delivered at once, otherwise each becomes an event of its own.
The cursor in ``out`` is state: where a message lacks room the kernel stops before it, and the next call goes on there.
So neither sizes nor cuts change what happens.
"""

import numpy as np

from marketsim.core.fmath import normal_quantile
from marketsim.core.jit import JIT_DISABLED, inlined, kernel, kernel_without_gil, prefetch
from marketsim.core.rng import ENTITY, KEY_A, KEY_B, NUMBER, uniforms
from marketsim.core.venue import NEVER
from marketsim.exchange.codes import (
    LOG_KIND,
    LOG_OTHER_OWNER,
    LOG_OWNER,
    LOG_PRICE,
    LOG_SIDE,
    LOG_SIZE,
    STOP_LOG_FULL,
    STOP_NONE,
    TRADE,
)
from marketsim.exchange.kernel.heap import (
    H_EVENT,
    H_TIME,
    H_WHO,
    MESSAGE,
    SAMPLE,
    WAKE,
    push,
    remove_root,
    replace_root,
)
from marketsim.exchange.kernel.layout import (
    BEST,
    C_MESSAGE,
    C_ROWS,
    L_COUNT,
    L_SIZE,
    NO_LEVEL,
    ORDER_WORDS,
    OWNER_WORDS,
    W_COUNT,
    W_NEWEST,
    W_OLDEST,
    book_at,
)
from marketsim.exchange.kernel.levels import next_level, price_of, touch
from marketsim.exchange.kernel.matching import apply, shortage
from marketsim.exchange.kernel.memory import (
    A_BOOK,
    A_LATENCY,
    A_POPULATION,
    A_ROW,
    A_WAKES,
    ACCOUNT_WORDS,
    AGENT_WORDS,
    B_CASH,
    B_POSITION,
    E_ACCOUNTS,
    E_BOOKS,
    E_CURSOR,
    E_DEPTHS,
    E_FAULT_WAKE,
    E_FIRST_MESSAGE,
    E_FLIGHTS,
    E_FREE_FLIGHT,
    E_HEARD,
    E_HEARD_ROW,
    E_IN_KERNEL,
    E_INTERVAL,
    E_LEVELS,
    E_NEXT,
    E_NOW,
    E_PENDING,
    E_QUOTES,
    E_RECORD_QUOTES,
    E_SENDER,
    E_SENT,
    E_SEQUENCE,
    E_SHORTAGE,
    E_TARGET,
    E_VALUES,
    F_BOOK,
    F_FLAGS,
    F_KIND,
    F_NEXT_FREE,
    F_ORDER,
    F_OWNER,
    F_PRICE,
    F_SIDE,
    F_SIZE,
    I_HEARS_QUOTES,
    I_HEARS_TRADES,
    I_STEP,
    I_STEPS_DONE,
    I_TICK_VALUE,
    S_BOOK,
    S_TIME,
    V_DECAY,
    V_DEVIATION,
    V_JUMP_DEVIATION,
    V_JUMP_MEAN,
    V_JUMP_RATE,
    V_MEAN,
    V_NO_JUMP,
    V_VALUE,
    engine_views,
    population_state,
    wake_functions,
)
from marketsim.exchange.rules import (
    ASK,
    ASK_SIZE,
    BID,
    BID_SIZE,
    BUY_VOLUME,
    CASH,
    FUNDAMENTAL,
    FUNDAMENTAL_SCALE,
    LAST,
    MAX_MESSAGES,
    OPEN_ORDERS,
    OUT_FLAGS,
    OUT_KIND,
    OUT_ORDER,
    OUT_PRICE,
    OUT_SIDE,
    OUT_SIZE,
    POSITION,
    TRADES,
    VOLUME,
)

# Why the kernel returned. The first seven are the numbers of core.venue.Stop.
HORIZON, NOTICE, LOG_FULL, GROW, NEED_FLOW, BUDGET, STUCK = range(7)
LACKING = 7  # a book lacks what E_SHORTAGE says

SCALE = float(FUNDAMENTAL_SCALE)


# ---- Messages in flight -----------------------------------------------------------------------------------------


@inlined
def send_off(engine, at, kind, order_id, side, price_ticks, size_lots, flags, owner, number):
    """Let a message arrive at ``at``, behind what stands there. There is a free flight and a place in the heap."""
    header, flights = engine.header, engine.flights
    flight = np.uint64(header[E_FREE_FLIGHT])
    header[E_FREE_FLIGHT] = flights[flight, F_NEXT_FREE]
    header[E_FLIGHTS] += 1
    flights[flight, F_KIND] = kind
    flights[flight, F_ORDER] = order_id
    flights[flight, F_SIDE] = side
    flights[flight, F_PRICE] = price_ticks
    flights[flight, F_SIZE] = size_lots
    flights[flight, F_FLAGS] = flags
    flights[flight, F_OWNER] = owner
    flights[flight, F_BOOK] = number
    header[E_PENDING] = push(engine.heap, header[E_PENDING], at, header[E_SEQUENCE], MESSAGE, np.int64(flight))
    header[E_SEQUENCE] += 1


@inlined
def land(engine, where):
    """Take a message out of its flight into ``out``."""
    header, flights, out, flight = engine.header, engine.flights, engine.out, np.uint64(where)
    out[1, OUT_KIND] = flights[flight, F_KIND]
    out[1, OUT_ORDER] = flights[flight, F_ORDER]
    out[1, OUT_SIDE] = flights[flight, F_SIDE]
    out[1, OUT_PRICE] = flights[flight, F_PRICE]
    out[1, OUT_SIZE] = flights[flight, F_SIZE]
    out[1, OUT_FLAGS] = flights[flight, F_FLAGS]
    header[E_SENDER], header[E_TARGET] = flights[flight, F_OWNER], flights[flight, F_BOOK]
    header[E_CURSOR], header[E_SENT] = 1, 1
    flights[flight, F_NEXT_FREE] = header[E_FREE_FLIGHT]
    header[E_FREE_FLIGHT] = np.int64(flight)
    header[E_FLIGHTS] -= 1


# ---- Delivery ---------------------------------------------------------------------------------------------------


@inlined
def settle(engine, number, first, end):
    """Book the trades of the log's rows ``first`` to ``end - 1``; return whether Python must hear of one."""
    header, log, accounts = engine.header, engine.log, engine.accounts
    market, fact = engine.market[np.uint64(number)], engine.facts[np.uint64(number)]
    last, base, heard = header[E_IN_KERNEL], number * header[E_ACCOUNTS], False
    for row in range(np.uint64(first), np.uint64(end)):
        taker, maker = log[LOG_OWNER, row], log[LOG_OTHER_OWNER, row]
        heard |= taker > last
        if log[LOG_KIND, row] == TRADE:
            lots, price, side = log[LOG_SIZE, row], log[LOG_PRICE, row], log[LOG_SIDE, row]
            cash = price * lots * fact[I_TICK_VALUE] * side
            accounts[np.uint64(base + taker), B_POSITION] += side * lots
            accounts[np.uint64(base + taker), B_CASH] -= cash
            accounts[np.uint64(base + maker), B_POSITION] -= side * lots
            accounts[np.uint64(base + maker), B_CASH] += cash
            market[LAST] = price
            market[VOLUME] += lots
            market[BUY_VOLUME] += lots * ((side + 1) >> 1)
            market[TRADES] += 1
            heard |= (maker > last) | (fact[I_HEARS_TRADES] != 0)
    return heard


@inlined
def note_touch(engine, book, number, message):
    """Bring the market up to date; where the touch changed, record it. Return whether Python must hear of it."""
    header, market, fact = engine.header, engine.market[np.uint64(number)], engine.facts[np.uint64(number)]
    bid, bid_size, ask, ask_size = touch(book)
    if (bid == market[BID]) & (bid_size == market[BID_SIZE]) & (ask == market[ASK]) & (ask_size == market[ASK_SIZE]):
        return False
    market[BID], market[BID_SIZE], market[ASK], market[ASK_SIZE] = bid, bid_size, ask, ask_size
    hears = fact[I_HEARS_QUOTES] != 0
    if hears | (header[E_RECORD_QUOTES] != 0):
        quotes, row = engine.quotes, np.uint64(header[E_QUOTES])
        quotes[0, row] = message
        quotes[1, row] = number
        quotes[2, row] = bid
        quotes[3, row] = bid_size
        quotes[4, row] = ask
        quotes[5, row] = ask_size
        header[E_QUOTES] += 1
    return hears


@inlined
def deliver(engine):
    """Carry out the message at the cursor; where something lacks return what, and change nothing."""
    header, out, cursor = engine.header, engine.out, engine.cursor
    at, number, owner = np.uint64(header[E_CURSOR]), header[E_TARGET], header[E_SENDER]
    book = book_at(engine.books[number])
    kind, price, size, flags = out[at, OUT_KIND], out[at, OUT_PRICE], out[at, OUT_SIZE], out[at, OUT_FLAGS]
    message, first = cursor[C_MESSAGE], cursor[C_ROWS]
    stamp = message - header[E_FIRST_MESSAGE]
    lack = shortage(book, kind, out[at, OUT_ORDER], out[at, OUT_SIDE], price, size, flags, owner)
    if stamp >= engine.stamps.shape[1]:
        lack = STOP_LOG_FULL
    if lack != STOP_NONE:
        return lack
    engine.stamps[S_TIME, np.uint64(stamp)] = header[E_NOW]
    engine.stamps[S_BOOK, np.uint64(stamp)] = number
    apply(book, message, kind, out[at, OUT_ORDER], out[at, OUT_SIDE], price, size, flags, owner)
    cursor[C_MESSAGE] = message + 1
    heard = settle(engine, number, first, cursor[C_ROWS])
    heard |= note_touch(engine, book, number, message)
    if heard and header[E_HEARD] == 0:
        header[E_HEARD], header[E_HEARD_ROW] = 1, first
    header[E_CURSOR] += 1
    return STOP_NONE


# ---- Fundamentals and samples -----------------------------------------------------------------------------------


@inlined
def jumps(value, counters, u):
    """Sum of the jumps of one step: a Poisson number of normal sizes, each with the sign of a fair coin."""
    chance, total = value[V_NO_JUMP], 0.0
    below, n = chance, 0
    while u > below and n < 64:
        n += 1
        chance = chance * value[V_JUMP_RATE] / n
        below += chance
        size, sign, _, _ = uniforms(counters, n)
        size = value[V_JUMP_MEAN] + value[V_JUMP_DEVIATION] * normal_quantile(size)
        total += size if sign < 0.5 else -size
    return total


@inlined
def move_fundamental(engine, number, now):
    """Bring an instrument's fundamental value up to ``now``. Its path depends on nothing but its own draws."""
    place, counters = np.uint64(number), engine.counters
    fact, value = engine.facts[place], engine.values[place]
    while (fact[I_STEPS_DONE] + 1) * fact[I_STEP] <= now:
        fact[I_STEPS_DONE] += 1
        counters[KEY_A], counters[KEY_B] = engine.value_keys[place, 0], engine.value_keys[place, 1]
        counters[NUMBER], counters[ENTITY] = np.uint64(fact[I_STEPS_DONE]), np.uint64(0)
        noise, n_jumps, _, _ = uniforms(counters, 0)
        moved = value[V_MEAN] + (value[V_VALUE] - value[V_MEAN]) * value[V_DECAY]
        moved += value[V_DEVIATION] * normal_quantile(noise)
        moved += jumps(value, counters, n_jumps)
        value[V_VALUE] = max(moved, 0.0)
        engine.market[place, FUNDAMENTAL] = np.int64(value[V_VALUE] * SCALE + 0.5)


@inlined
def record_side(engine, book, number, side, now):
    """Record the best price levels of one side, 0 for buys."""
    header, depths = engine.header, engine.depths
    level, n = np.uint64(book.header[BEST + side]), 0
    while level != NO_LEVEL and n < header[E_LEVELS]:
        n += 1
        row = np.uint64(header[E_DEPTHS])
        depths[0, row] = now
        depths[1, row] = number
        depths[2, row] = 1 - 2 * side
        depths[3, row] = n
        depths[4, row] = price_of(book, level)
        depths[5, row] = book.levels[level, L_SIZE]
        depths[6, row] = book.levels[level, L_COUNT]
        header[E_DEPTHS] += 1
        level = next_level(book, level)


@inlined
def record_samples(engine, now):
    """Record depth and fundamental of every instrument."""
    header = engine.header
    for number in range(header[E_BOOKS]):
        book = book_at(engine.books[number])
        for side in range(2):
            record_side(engine, book, number, side, now)
        if engine.facts[np.uint64(number), I_STEP] > 0:
            move_fundamental(engine, number, now)
            row = np.uint64(header[E_VALUES])
            engine.value_places[S_TIME, row] = now
            engine.value_places[S_BOOK, row] = number
            engine.value_samples[row] = engine.values[np.uint64(number), V_VALUE]
            header[E_VALUES] += 1


# ---- Events -----------------------------------------------------------------------------------------------------


@inlined
def show_market(engine, who, number):
    """The market as one agent sees it, its own account included."""
    market, header, owner = engine.market[np.uint64(number)], engine.header, np.uint64(who)
    account = np.uint64(number * header[E_ACCOUNTS] + who)
    market[POSITION] = engine.accounts[account, B_POSITION]
    market[CASH] = engine.accounts[account, B_CASH]
    market[OPEN_ORDERS] = book_at(engine.books[number]).owners[owner, W_COUNT]
    return market


@inlined
def look_ahead(engine):
    """Fetch what the next wakes will touch, while this one's messages are delivered.

    One of the root's two children is the next but one: their rows come first, so that what the next wake's rows point
    to can be read and fetched. With a million resting orders each of these is far from the processor. A row of a
    message that looks like an agent's, or of another book, is fetched in vain.
    """
    heap, agents, book = engine.heap, engine.agents, book_at(engine.books[0])
    for place in range(np.uint64(1), np.uint64(3)):
        who = heap[place, H_WHO]
        prefetch(agents.ctypes.data + 8 * AGENT_WORDS * who)
        prefetch(engine.accounts.ctypes.data + 8 * ACCOUNT_WORDS * who)
        prefetch(book.owners.ctypes.data + 8 * OWNER_WORDS * who)
    if heap[0, H_EVENT] == WAKE:
        owner = np.uint64(heap[0, H_WHO])
        row, state = agents[owner, A_ROW], engine.states[np.uint64(agents[owner, A_POPULATION])]
        prefetch(state[0] + 8 * state[1] * row)
        prefetch(state[2] + 8 * state[3] * row)
        prefetch(book.orders.ctypes.data + 8 * ORDER_WORDS * book.owners[owner, W_OLDEST])
        prefetch(book.orders.ctypes.data + 8 * ORDER_WORDS * book.owners[owner, W_NEWEST])


@inlined
def wake_agent(engine, functions, who, now):
    """Ask an agent's rule, set its next wake, and send its messages on their way; return why to stop, or HORIZON."""
    header, agent, counters, out = engine.header, engine.agents[np.uint64(who)], engine.counters, engine.out
    population, number, latency = agent[A_POPULATION], agent[A_BOOK], agent[A_LATENCY]
    if latency > 0 and header[E_FLIGHTS] + MAX_MESSAGES > engine.flights.shape[0]:
        return GROW
    fact = engine.facts[np.uint64(number)]
    if fact[I_STEP] > 0 and (fact[I_STEPS_DONE] + 1) * fact[I_STEP] <= now:
        move_fundamental(engine, number, now)
    market = show_market(engine, who, number)
    place = np.uint64(population)
    counters[KEY_A], counters[KEY_B] = engine.keys[place, 0], engine.keys[place, 1]
    counters[NUMBER], counters[ENTITY] = np.uint64(agent[A_WAKES]), np.uint64(agent[A_ROW])
    agent[A_WAKES] += 1
    out[0, 0] = 0
    state_i, state_f = population_state(engine, population)
    following = min(functions[population](state_i, state_f, agent[A_ROW], now, market, counters, out), NEVER)
    sent = out[0, 0]
    if following <= now or sent > MAX_MESSAGES:
        header[E_FAULT_WAKE], header[E_SENT], header[E_CURSOR], header[E_SENDER] = following, sent, sent + 1, who
        return STUCK
    late = sent if latency > 0 else 0  # messages come before the sender's next wake where they meet it
    replace_root(engine.heap, header[E_PENDING], following, header[E_SEQUENCE] + late, WAKE, who)
    look_ahead(engine)
    if late > 0:
        for message in range(np.uint64(1), np.uint64(sent + 1)):
            send_off(
                engine,
                now + latency,
                out[message, OUT_KIND],
                out[message, OUT_ORDER],
                out[message, OUT_SIDE],
                out[message, OUT_PRICE],
                out[message, OUT_SIZE],
                out[message, OUT_FLAGS],
                who,
                number,
            )
        sent = np.int64(0)
    header[E_SEQUENCE] += 1
    header[E_CURSOR], header[E_SENT], header[E_SENDER], header[E_TARGET] = 1, sent, who, number
    return HORIZON


if JIT_DISABLED:

    def look_ahead(engine):
        """Nothing to fetch ahead without compiled code."""


@inlined
def start_event(engine, functions):
    """Carry out the earliest event, but for its messages; return why to stop, or HORIZON."""
    header, heap = engine.header, engine.heap
    now, event, who = heap[0, H_TIME], heap[0, H_EVENT], heap[0, H_WHO]
    header[E_NOW] = now
    if event == WAKE:
        return wake_agent(engine, functions, who, now)
    if event == MESSAGE:
        header[E_PENDING] = remove_root(heap, header[E_PENDING])
        land(engine, who)
        return HORIZON
    books = header[E_BOOKS]
    if (
        header[E_DEPTHS] + 2 * header[E_LEVELS] * books > engine.depths.shape[1]
        or header[E_VALUES] + books > engine.value_samples.shape[0]
    ):
        return LOG_FULL
    record_samples(engine, now)
    replace_root(heap, header[E_PENDING], now + header[E_INTERVAL], header[E_SEQUENCE], SAMPLE, 0)
    header[E_SEQUENCE] += 1
    return HORIZON


@inlined
def run(engine, functions, limit, budget):
    """Carry out what comes before ``limit``, at most ``budget`` events; return why it stopped."""
    header, heap = engine.header, engine.heap
    while True:
        while header[E_CURSOR] <= header[E_SENT]:
            lack = deliver(engine)
            if lack != STOP_NONE:
                header[E_SHORTAGE] = lack
                return LACKING
        if header[E_HEARD] != 0:
            return NOTICE
        if heap[0, H_TIME] >= limit:
            return HORIZON
        if budget == 0:
            return BUDGET
        budget -= 1
        stop = start_event(engine, functions)
        if stop != HORIZON:
            return stop


@kernel_without_gil
def advance(table, functions, limit, budget):
    """Carry out what comes before ``limit``; return why it stopped. E_NEXT says when it goes on.

    Parameters
    ----------
    table : int64[arrays, 2]
        Addresses and lengths of the arrays of an ``Engine``; without JIT the engine.
    functions : int64[MAX_POPULATIONS]
        Machine addresses of the rules; without JIT a list of them.
    """
    engine = engine_views(table)
    stop = run(engine, wake_functions(functions), limit, budget)
    header = engine.header
    header[E_NEXT] = header[E_NOW] if header[E_CURSOR] <= header[E_SENT] else engine.heap[0, H_TIME]
    return stop


@kernel
def submit(table, at, kind, order_id, side, price_ticks, size_lots, flags, owner, number):
    """Let a message arrive at ``at``. There is a free flight and a place in the heap."""
    engine = engine_views(table)
    send_off(engine, at, kind, order_id, side, price_ticks, size_lots, flags, owner, number)
    header = engine.header
    if header[E_CURSOR] > header[E_SENT]:
        header[E_NEXT] = engine.heap[0, H_TIME]
