"""Arrivals one after the other: who comes, what the page shows, what is bought, and the rows that tell of it."""

from marketsim.core.fmath import log
from marketsim.core.jit import inlined, kernel, spliced, stage
from marketsim.core.rng import uniforms
from marketsim.core.venue import NEVER
from marketsim.storefront.kernel.choices import choose, describe, examine, judge
from marketsim.storefront.kernel.memory import (
    BOUGHT,
    CASCADE,
    GUESTS,
    H_CHOICE_SET,
    H_CHOICE_SETS,
    H_CHOICES,
    H_CHOSEN,
    H_COLUMNS,
    H_EVENTS,
    H_HEARS,
    H_IMPRESSIONS,
    H_NEED_SHOWN,
    H_NEXT,
    H_NOW,
    H_POPULATIONS,
    H_RECORD_CHOICES,
    H_RECORD_IMPRESSIONS,
    H_REGIME,
    H_SEQUENCE,
    H_SHELF,
    H_SHOPPER,
    H_SHOWN,
    H_SLOTS,
    H_SLOTS_PER_PAGE,
    H_START,
    HOURS,
    IDENTICAL,
    KEY_ARRIVAL,
    L_VELOCITY_DECAY,
    LEFT,
    N_WORTH,
    O_BEST_SELLER,
    O_EXAMINED,
    O_LEFT,
    O_LIMITED,
    O_PICK,
    O_PRICE,
    O_PRODUCT,
    O_RATING,
    O_REVIEWS,
    O_SPONSORED,
    O_WAS,
    OF_CELL,
    OF_PICK,
    OF_PLACE,
    OF_SCARCITY,
    OF_SPONSORED,
    OF_WELFARE,
    POISSON,
    S_CATEGORY,
    S_COUNT,
    S_ENTITY,
    S_QUERY,
    TRIALS,
    W_ARRIVALS,
    W_ATTENTION,
    W_COUNT,
    W_FIRST_SHELF,
    W_FIRST_SHOPPER,
    W_FIRST_WALLET,
    W_MODE,
    W_NEXT,
    W_SEQUENCE,
    W_SHELVES,
    W_STEP,
    W_TRIALS,
    WF_PRINCIPAL_OUTSIDE,
    WF_RATE,
    X_NEED,
)
from marketsim.storefront.kernel.pages import address, fill_page, fill_shelf, velocity
from marketsim.storefront.kernel.views import visit_views

# Why the kernel returned: the numbers of core.venue.Stop, and one of its own.
HORIZON, NOTICE, LOG_FULL = range(3)
BUDGET = 5
PAGE = 7  # a page for an agent in Python lies in ``offers``

HOUR = 3_600_000_000_000


# ---- What is written down ---------------------------------------------------------------------------------------


@stage
def write_impressions(table, time, slots, chosen):
    """Write one row per offer of the page at hand."""
    shop = visit_views(table)
    header, log_rows, numbers = shop.header, shop.impressions, shop.impression_floats
    row, per_page, columns = header[H_IMPRESSIONS], header[H_SLOTS_PER_PAGE], header[H_COLUMNS]
    category = shop.shelves[header[H_SHELF], S_CATEGORY]
    for slot in range(slots):
        offer, chance = shop.offers[slot], shop.offer_floats[slot]
        on_page = slot % per_page
        log_rows[0, row], log_rows[1, row], log_rows[2, row] = header[H_CHOICE_SET], time, header[H_SHOPPER]
        log_rows[3, row], log_rows[4, row], log_rows[5, row] = category, slot // per_page + 1, slot
        log_rows[6, row], log_rows[7, row] = on_page // columns + 1, on_page % columns + 1
        log_rows[8, row], log_rows[9, row], log_rows[10, row] = offer[O_PRODUCT], offer[O_PRICE], offer[O_WAS]
        log_rows[11, row], log_rows[12, row] = offer[O_RATING], offer[O_REVIEWS]
        log_rows[13, row], log_rows[14, row] = offer[O_SPONSORED], offer[O_PICK]
        log_rows[15, row], log_rows[16, row] = offer[O_BEST_SELLER], offer[O_LIMITED]
        log_rows[17, row], log_rows[18, row] = 1 if offer[O_LEFT] > 0 else 0, offer[O_LEFT]
        log_rows[19, row], log_rows[20, row] = offer[O_EXAMINED], 1 if slot == chosen else 0
        tags = chance[OF_SPONSORED] * chance[OF_PICK] * chance[OF_SCARCITY]
        numbers[0, row] = chance[OF_PLACE] * chance[OF_CELL] * tags
        numbers[1, row], numbers[2, row] = chance[OF_SPONSORED], chance[OF_PICK]
        numbers[3, row] = chance[OF_SCARCITY]
        row += 1
    header[H_IMPRESSIONS] = row


@stage
def write_choice(table, population, time, chosen, outcome):
    """Write the row of a choice; ``chosen`` is -1 where nothing was bought."""
    shop = visit_views(table)
    header, log_rows, numbers, row = shop.header, shop.choices, shop.choice_floats, shop.header[H_CHOICES]
    shelf, has_bought, price, product, need = header[H_SHELF], chosen >= 0, 0, -1, 0
    worth = shop.population_floats[population, WF_PRINCIPAL_OUTSIDE]
    if has_bought:
        price, product = shop.offers[chosen, O_PRICE], shop.offers[chosen, O_PRODUCT]
        need, worth = int(shop.features[chosen, X_NEED]), shop.offer_floats[chosen, OF_WELFARE]
    log_rows[0, row], log_rows[1, row], log_rows[2, row] = header[H_CHOICE_SET], time, header[H_SHOPPER]
    log_rows[3, row], log_rows[4, row] = population, shop.shelves[shelf, S_CATEGORY]
    log_rows[5, row], log_rows[6, row] = shop.shelves[shelf, S_QUERY], outcome
    log_rows[7, row], log_rows[8, row], log_rows[9, row], log_rows[10, row] = chosen, product, price, need
    log_rows[11, row] = header[H_NEED_SHOWN]
    numbers[0, row] = worth
    for which in range(N_WORTH):
        numbers[which + 1, row] = shop.worth[which]
    header[H_CHOICES] = row + 1


# ---- Arrivals ---------------------------------------------------------------------------------------------------


@spliced
def earliest(shop):
    """The population that is due next."""
    rows, last = shop.populations, shop.header[H_POPULATIONS] - 1
    first = last  # no plain 0, for which every stage would be compiled once more
    for population in range(last):
        a, b = rows[population], rows[first]
        if (a[W_NEXT] < b[W_NEXT]) | ((a[W_NEXT] == b[W_NEXT]) & (a[W_SEQUENCE] < b[W_SEQUENCE])):
            first = population
    return first


@inlined
def gap(u, rate):
    """Time to the next arrival of a Poisson process, at least a nanosecond."""
    return int(-log(u) / rate) + 1


@stage
def enter(table, population, now):
    """Take down the arrival that is due and plan the next.

    Returns the shelf, -1 where nobody came in after all, the shopper, and the number that addresses the visit's draws.
    """
    shop = visit_views(table)
    header, words = shop.header, shop.populations[population]
    number, mode, shelf = words[W_ARRIVALS], words[W_MODE], -1
    words[W_ARRIVALS] = number + 1
    words[W_SEQUENCE] = header[H_SEQUENCE]
    header[H_SEQUENCE] += 1
    u, v, w, x = 0.5, 0.5, 0.5, 0.5
    if (mode == POISSON) | (words[W_COUNT] > 1):  # otherwise nothing hangs on them
        address(shop, population, KEY_ARRIVAL, number, 0)
        u, v, w, x = uniforms(shop.counters, 0)
    shopper = words[W_FIRST_SHOPPER] + min(int(x * words[W_COUNT]), words[W_COUNT] - 1)
    if mode == TRIALS:
        trials, shelves = words[W_TRIALS], words[W_SHELVES]
        shelf = shop.visited[words[W_FIRST_SHELF] + number // trials]
        words[W_NEXT] = now + words[W_STEP] if number + 1 < trials * shelves else NEVER
        number = number % trials
    elif mode == POISSON:
        hour = ((header[H_START] + now) // HOUR) % HOURS
        if v < shop.profiles[population, hour]:
            place = min(int(w * words[W_SHELVES]), words[W_SHELVES] - 1)
            shelf = shop.visited[words[W_FIRST_SHELF] + place]
        words[W_NEXT] = now + gap(u, shop.population_floats[population, WF_RATE])
    else:
        shelf, shopper = header[H_SHELF], header[H_SHOPPER]
        words[W_NEXT] = NEVER
    return shelf, shopper, number


@stage
def sell(table, population, shopper, chosen, now):
    """Count a sale."""
    shop = visit_views(table)
    words, offer = shop.populations[population], shop.offers[chosen]
    product = offer[O_PRODUCT]
    if shop.law[L_VELOCITY_DECAY] > 0.0:
        shop.sales[product] = velocity(shop, product, now) + 1.0
        shop.sold_at[product] = now
    if words[W_FIRST_WALLET] >= 0:
        shop.spent[words[W_FIRST_WALLET] + shopper - words[W_FIRST_SHOPPER]] += offer[O_PRICE]


@spliced
def has_room(shop):
    """Whether the logs have room for one more visit."""
    header = shop.header
    rows = header[H_IMPRESSIONS] + header[H_SLOTS] <= shop.impressions.shape[1]
    return rows & (header[H_CHOICES] < shop.choices.shape[1])


@spliced
def visit(shop, table, population, now):
    """Carry out what is due; return the slot chosen, -1 for none, -2 where nobody came in."""
    header = shop.header
    shelf, shopper, number = enter(table, population, now)
    header[H_EVENTS] += 1
    if shelf < 0:
        return -2
    slots, page = header[H_SLOTS], header[H_CHOICE_SETS]
    if header[H_REGIME] != IDENTICAL:
        slots = min(slots, shop.shelves[shelf, S_COUNT])  # a search may find less than a page holds
    header[H_SHOWN] = slots
    header[H_CHOICE_SETS] = page + 1
    header[H_SHOPPER], header[H_SHELF], header[H_CHOICE_SET] = shopper, shelf, page
    fill_shelf(table, population, number, shelf, slots, now)
    fill_page(table, shelf, slots)
    describe(table, population, slots)
    judge(table, population, shelf, slots, page)
    chosen = -1
    if shop.populations[population, W_MODE] != GUESTS:
        entity = shop.shelves[shelf, S_ENTITY]
        u, row, chosen = examine(table, population, number, entity, shopper, slots)
        if shop.populations[population, W_ATTENTION] != CASCADE:
            chosen = choose(table, population, shopper, slots, u, row)
        header[H_CHOSEN] = chosen
        if chosen >= 0:
            sell(table, population, shopper, chosen, now)
        if header[H_RECORD_IMPRESSIONS] != 0:
            write_impressions(table, now, slots, chosen)
        if header[H_RECORD_CHOICES] != 0:
            write_choice(table, population, now, chosen, BOUGHT if chosen >= 0 else LEFT)
    return chosen


@kernel
def answer(table, population, shown_at, now, chosen, outcome):
    """Carry out the answer of an agent in Python to the page that lies in ``offers``."""
    shop = visit_views(table)
    header = shop.header
    header[H_EVENTS] += 1
    header[H_NOW] = now
    if chosen >= 0:
        sell(table, population, header[H_SHOPPER], chosen, now)
    if header[H_RECORD_IMPRESSIONS] != 0:
        write_impressions(table, shown_at, header[H_SHOWN], chosen)
    if header[H_RECORD_CHOICES] != 0:
        write_choice(table, population, now, chosen, outcome)


@kernel
def advance(table, limit, sequence, budget):
    """Carry out arrivals before (limit, sequence) until there is a reason to stop.

    Parameters
    ----------
    table : int64[arrays, 3]
        Where the arrays are; without JIT the ``Shop``.
    limit, sequence : int64
        Time and sequence of the first event that is left.
    budget : int64
        Most events.
    """
    shop = visit_views(table)
    header, done, code = shop.header, 0, HORIZON
    while True:
        population = earliest(shop)
        now, turn = shop.populations[population, W_NEXT], shop.populations[population, W_SEQUENCE]
        header[H_NEXT] = now
        if (now > limit) | ((now == limit) & (turn >= sequence)):
            break
        if not has_room(shop):
            code = LOG_FULL
            break
        if done == budget:
            code = BUDGET
            break
        header[H_NOW] = now
        is_guest = shop.populations[population, W_MODE] == GUESTS
        chosen = visit(shop, table, population, now)
        done += 1
        if is_guest:
            code = PAGE
        elif (chosen >= 0) & (header[H_HEARS] != 0):
            code = NOTICE
        if code != HORIZON:
            header[H_NEXT] = shop.populations[earliest(shop), W_NEXT]
            break
    return code
