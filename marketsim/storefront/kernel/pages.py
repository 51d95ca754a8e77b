"""What a page shows: the products, their order, and what the regime makes of prices, ratings, reviews and tags.

Draws are addressed by (trial or visit, product), on the page of a search also by the search; those of the tags by
(trial or visit, shelf). So a product or category that is added at the end changes no other draw.
"""

import numpy as np

from marketsim.core.fmath import exp, normal_quantile
from marketsim.core.jit import inlined, spliced, stage
from marketsim.core.rng import ENTITY, KEY_A, KEY_B, NUMBER, uniforms
from marketsim.storefront.kernel.memory import (
    ACES,
    E_PAID,
    E_PRODUCT,
    FACTORIAL,
    FIXED,
    H_IS_DYNAMIC,
    H_REGIME,
    IDENTICAL,
    KEY_PAGE,
    L_EXPLORATION_WEIGHT,
    L_PICK_CHANCE,
    L_PRICE_CUT,
    L_PRICE_CUT_MINOR,
    L_PRICE_DEVIATION,
    L_PRICE_LEVELS,
    L_RATING_DEVIATION,
    L_RATING_GAIN_TENTHS,
    L_RATING_LEVELS,
    L_RATING_WIDTH,
    L_REVIEW_DEVIATION,
    L_REVIEW_LEVELS,
    L_SCARCITY_CHANCE,
    L_SPONSORED_CHANCE,
    L_SPONSORED_MOST,
    L_TAG_SPONSORED,
    L_VELOCITY_DECAY,
    L_VELOCITY_WEIGHT,
    O_BEST_SELLER,
    O_CONSIDERED,
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
    P_BEST_SELLER,
    P_LEFT,
    P_LIMITED,
    P_PICK,
    P_PRICE,
    P_RATING,
    P_REVIEWS,
    P_WAS,
    PERMUTATION,
    S_COUNT,
    S_ENTITY,
    S_FIRST,
    S_QUERY,
    SOBOL,
    SOBOL_BITS,
    SOBOL_LOG,
)
from marketsim.storefront.kernel.views import page_views

MOST_LEFT = 5
"""Where the law says "only N left", N is uniform from 1 to this."""
LEAST_RATING, MOST_RATING = 10, 50


# ---- Which products ---------------------------------------------------------------------------------------------


@spliced
def address(shop, population, purpose, number, entity):
    """Point the counters at a draw."""
    counters, keys, row = shop.counters, shop.keys, np.uint64(4 * population + purpose)
    counters[KEY_A], counters[KEY_B] = keys[row, 0], keys[row, 1]
    counters[NUMBER], counters[ENTITY] = np.uint64(number), np.uint64(entity)


@inlined
def offer_entity(query, product):
    """Address of the draws of a product on a page; ``query`` is -1 for a category."""
    return product + 1 + ((query + 1) << 42)


@spliced
def velocity(shop, product, now):
    """Sales lately, each counting half after one half-life."""
    return shop.sales[product] * exp(-(now - shop.sold_at[product]) * shop.law[L_VELOCITY_DECAY])


@spliced
def changing_score(shop, population, number, query, product, now, most):
    """The part of a score that changes from visit to visit."""
    law = shop.law
    address(shop, population, KEY_PAGE, number, offer_entity(query, product))
    noise = uniforms(shop.counters, 1)[0]
    sales = velocity(shop, product, now) / most if most > 0.0 else 0.0
    return law[L_VELOCITY_WEIGHT] * sales + law[L_EXPLORATION_WEIGHT] * noise


@spliced
def most_sold(shop, first, end, now):
    """Velocity of the best seller of a shelf."""
    most = 0.0
    for entry in range(first, end):
        most = max(most, velocity(shop, shop.entries[entry, E_PRODUCT], now))
    return most


@spliced
def rank(shop, population, number, shelf, slots, now):
    """Put the products of a page, in their order, into ``chosen``. Those that paid stand first among the entries."""
    header, entries, chosen, best = shop.header, shop.entries, shop.chosen, shop.best
    first = shop.shelves[shelf, S_FIRST]
    end, kept, is_dynamic = first + shop.shelves[shelf, S_COUNT], 0, header[H_IS_DYNAMIC] != 0
    for slot in range(slots):
        chosen[slot] = -1
    while first < end and entries[first, E_PAID] >= 0:
        chosen[entries[first, E_PAID]] = entries[first, E_PRODUCT]
        first += 1
    most = most_sold(shop, first, end, now) if is_dynamic else 0.0
    order, room = shop.order, 0
    for slot in range(slots):
        if chosen[slot] < 0:
            order[room] = slot
            room += 1
    for entry in range(first, end):
        if kept == room and not is_dynamic:
            break
        product, score = entries[entry, E_PRODUCT], shop.scores[entry]
        if is_dynamic:
            query = shop.shelves[shelf, S_QUERY]
            score += changing_score(shop, population, number, query, product, now, most)
        place = kept
        while place > 0 and score > best[place - 1]:  # ties stay in the order of ids
            if place < room:
                best[place] = best[place - 1]
                chosen[order[place]] = chosen[order[place - 1]]
            place -= 1
        if place < room:
            best[place] = score
            chosen[order[place]] = product
        kept = min(kept + 1, room)


# ---- Draws ------------------------------------------------------------------------------------------------------


@spliced
def sobol_digits(shop, dimension, number):
    """Coordinate of a point of the Sobol sequence, in Gray-code order, as an integer."""
    gray, digits = number ^ (number >> 1), 0
    for bit in range(SOBOL_LOG):
        if (gray >> bit) & 1:
            digits ^= shop.sobol[dimension, bit]
    return digits


@spliced
def draw(shop, population, number, shelf, slots):
    """Fill ``draws``: four uniform numbers of each product in ``chosen``, then twelve of nested tags."""
    regime = shop.header[H_REGIME]
    place, scale = shop.shelves[shelf, S_ENTITY], float(1 << SOBOL_BITS)
    rows = slots + 3 if regime in (ACES, SOBOL) else slots
    for row in range(rows):
        block, entity = row - slots, place
        if row < slots:
            block, entity = 0, offer_entity(shop.shelves[shelf, S_QUERY], shop.chosen[row])
            if regime == IDENTICAL:
                entity += (row + 1) << 32
        if regime == SOBOL:
            address(shop, population, KEY_PAGE, number >> SOBOL_LOG, place)
            block = row
        else:
            address(shop, population, KEY_PAGE, number, entity)
        a, b, c, d = uniforms(shop.counters, block)
        draws = shop.draws[row]
        draws[0], draws[1], draws[2], draws[3] = a, b, c, d
        if regime == SOBOL:
            point = number & ((1 << SOBOL_LOG) - 1)
            for word in range(4):
                digits = sobol_digits(shop, 4 * row + word, point) ^ int(draws[word] * scale)
                draws[word] = (digits + 0.5) / scale


@spliced
def shuffle(shop, slots):
    """Put the slot of each product into ``order``: products in the order of their first draws."""
    order, draws = shop.order, shop.draws
    for one in range(slots):
        slot, key = 0, draws[one, 0]
        for other in range(slots):
            if draws[other, 0] < key or (draws[other, 0] == key and other < one):
                slot += 1
        order[one] = slot


# ---- The offers -------------------------------------------------------------------------------------------------


@spliced
def list_offers(shop, slots, chance):
    """Write the offers as they are listed, each in its slot."""
    offers, floats, products = shop.offers, shop.offer_floats, shop.products
    for one in range(slots):
        slot, product = shop.order[one], shop.chosen[one]
        offer, listing = offers[slot], products[product]
        offer[O_PRODUCT], offer[O_PRICE], offer[O_WAS] = product, listing[P_PRICE], listing[P_WAS]
        offer[O_RATING], offer[O_REVIEWS], offer[O_SPONSORED] = listing[P_RATING], listing[P_REVIEWS], 0
        offer[O_PICK], offer[O_BEST_SELLER] = listing[P_PICK], listing[P_BEST_SELLER]
        offer[O_LIMITED], offer[O_LEFT] = listing[P_LIMITED], listing[P_LEFT]
        offer[O_EXAMINED], offer[O_CONSIDERED] = 1, 1
        floats[slot, OF_PLACE], floats[slot, OF_CELL] = chance, 1.0
        floats[slot, OF_SPONSORED], floats[slot, OF_PICK], floats[slot, OF_SCARCITY] = 1.0, 1.0, 1.0


@spliced
def mark_sold_slots(shop, shelf):
    """Tag the offers that stand in slots that were sold."""
    entry, end = shop.shelves[shelf, S_FIRST], shop.shelves[shelf, S_FIRST] + shop.shelves[shelf, S_COUNT]
    while entry < end and shop.entries[entry, E_PAID] >= 0:
        shop.offers[shop.order[shop.entries[entry, E_PAID]], O_SPONSORED] = 1
        entry += 1


@inlined
def rounded(value):
    """The nearest integer; halves go up."""
    return int(np.floor(value + 0.5))


@inlined
def level_of(u, n):
    """One of n levels."""
    return min(int(u * n), int(n) - 1)


@spliced
def vary(shop, slots, regime):
    """Draw price, reviews and rating of each offer; a copy in the first draw's slot 0 is the better one."""
    law, levels = shop.law, shop.levels
    for one in range(slots):
        offer, slot, draws = shop.offers[shop.order[one]], shop.order[one], shop.draws[one]
        rating = offer[O_RATING]
        if regime == FACTORIAL:
            n_prices, n_ratings, n_reviews = law[L_PRICE_LEVELS], law[L_RATING_LEVELS], law[L_REVIEW_LEVELS]
            offer[O_PRICE] = max(rounded(offer[O_PRICE] * levels[0, level_of(draws[1], n_prices)]), 1)
            rating += rounded(10.0 * levels[1, level_of(draws[2], n_ratings)])
            offer[O_REVIEWS] = rounded(offer[O_REVIEWS] * levels[2, level_of(draws[3], n_reviews)])
            shop.offer_floats[slot, OF_CELL] = 1.0 / (n_prices * n_ratings * n_reviews)
        elif regime == IDENTICAL:
            offer[O_PRICE] = max(scaled(offer[O_PRICE], draws[1], law[L_PRICE_DEVIATION]), 1)
            if law[L_RATING_DEVIATION] > 0.0:
                rating += rounded(10.0 * law[L_RATING_DEVIATION] * normal_quantile(draws[2]))
            gain = int(law[L_RATING_GAIN_TENTHS])
            rating = min(rating, MOST_RATING - gain)  # all of them, so that there is room above
            if one == 0:
                cut = max(rounded(offer[O_PRICE] * law[L_PRICE_CUT] + law[L_PRICE_CUT_MINOR]), 1)
                is_cut = law[L_PRICE_CUT] + law[L_PRICE_CUT_MINOR] > 0.0
                offer[O_PRICE] = max(offer[O_PRICE] - (cut if is_cut else 0), 1)
                rating += gain
        else:
            offer[O_PRICE] = max(scaled(offer[O_PRICE], draws[1], law[L_PRICE_DEVIATION]), 1)
            stars, shift = offer[O_RATING] / 10.0, (2.0 * draws[2] - 1.0) * law[L_RATING_WIDTH]
            rating = rounded(10.0 * (stars + shift * (5.0 - stars)))
            offer[O_REVIEWS] = scaled(offer[O_REVIEWS], draws[3], law[L_REVIEW_DEVIATION])
        offer[O_RATING] = min(max(rating, LEAST_RATING), MOST_RATING)


@inlined
def scaled(value, u, deviation):
    """An integer times LogNormal(0, deviation)."""
    if deviation == 0.0:
        return value
    return rounded(value * exp(deviation * normal_quantile(u)))


@spliced
def untag(shop, slots):
    """Take the drawn tags off all offers."""
    for slot in range(slots):
        offer = shop.offers[slot]
        offer[O_SPONSORED], offer[O_PICK], offer[O_LEFT] = 0, 0, 0


@inlined
def is_free(offer):
    """Whether an offer has none of the drawn tags."""
    return (offer[O_SPONSORED] == 0) & (offer[O_PICK] == 0) & (offer[O_LEFT] == 0)


@spliced
def mark(shop, slots, which, word, value):
    """Tag the free offer with number ``which`` among the free ones."""
    for slot in range(slots):
        offer = shop.offers[slot]
        if is_free(offer):
            if which == 0:
                offer[word] = value
            which -= 1


@spliced
def tag_draw(shop, slots, number):
    """One of the twelve draws of the tags."""
    return shop.draws[slots + number // 4, number % 4]


@spliced
def nested_tags(shop, slots):
    """Draw one to four sponsored tags, then one overall pick and then one scarcity tag among the rest.

    A row's propensity is the probability of what it got given the tags before; 1 where it could get nothing else.
    """
    law, floats = shop.law, shop.offer_floats
    free = slots
    for step in range(3):
        chance = law[L_SPONSORED_CHANCE] if step == 0 else (law[L_PICK_CHANCE] if step == 1 else law[L_SCARCITY_CHANCE])
        coin = tag_draw(shop, slots, 0 if step == 0 else 4 + 2 * step)
        most = int(law[L_SPONSORED_MOST]) if step == 0 else 1
        tags = level_of(tag_draw(shop, slots, 1), most) + 1 if step == 0 else 1
        share = chance * (1.0 + most) / 2.0 / free
        word = O_SPONSORED if step == 0 else (O_PICK if step == 1 else O_LEFT)
        has_before = OF_SPONSORED + step
        for slot in range(slots):
            floats[slot, has_before] = 1.0 - share if is_free(shop.offers[slot]) else 1.0
        if coin >= chance:
            continue
        value = 1 if step < 2 else level_of(tag_draw(shop, slots, 10), MOST_LEFT) + 1
        for tag in range(tags):
            u = tag_draw(shop, slots, 2 + tag if step == 0 else 5 + 2 * step)
            mark(shop, slots, level_of(u, free), word, value)
            free -= 1
        for slot in range(slots):
            if shop.offers[slot, word] != 0:
                floats[slot, has_before] = share


@spliced
def even_tags(shop, slots):
    """Give each offer each tag of the factorial with even odds."""
    law, floats = shop.law, shop.offer_floats
    for one in range(slots):
        offer, slot = shop.offers[shop.order[one]], shop.order[one]
        bits = int(shop.draws[one, 0] * 4294967296.0)  # digits of the order's draw that decide no order
        for tag in range(3):
            has = law[L_TAG_SPONSORED + tag] != 0.0
            word = O_SPONSORED if tag == 0 else (O_PICK if tag == 1 else O_LEFT)
            offer[word] = ((bits >> tag) & 1) * (MOST_LEFT if tag == 2 else 1) if has else 0
            floats[slot, OF_SPONSORED + tag] = 0.5 if has else 1.0


@stage
def fill_shelf(table, population, number, shelf, slots, now):
    """Put the products of a page, in their order, into ``chosen``; fill ``draws`` and ``order``."""
    shop = page_views(table)
    regime = shop.header[H_REGIME]
    rank(shop, population, number, shelf, slots, now)
    if regime == IDENTICAL:
        for slot in range(1, slots):
            shop.chosen[slot] = shop.chosen[0]
    if regime == FIXED:
        for slot in range(slots):
            shop.order[slot] = slot
    else:
        draw(shop, population, number, shelf, slots)
        shuffle(shop, slots)


@stage
def fill_page(table, shelf, slots):
    """Fill ``offers`` with what the regime makes of the products."""
    shop = page_views(table)
    regime = shop.header[H_REGIME]
    list_offers(shop, slots, 1.0 if regime == FIXED else 1.0 / slots)
    if regime in (FIXED, PERMUTATION):
        mark_sold_slots(shop, shelf)
        return
    vary(shop, slots, regime)
    if regime in (ACES, SOBOL):
        untag(shop, slots)
        nested_tags(shop, slots)
    elif regime == FACTORIAL:
        untag(shop, slots)
        even_tags(shop, slots)
